package run_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"asoba.example/cmd/internal/run"
	"asoba.example/provider/api"
)

// pipes is a listener whose connections have the time of a test.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, open := <-p
	if !open {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// served runs do beside a server of a door. A call that do is given sends a request as it stands, and says what came.
func served(t *testing.T, door http.Handler, do func(call func(request string) (status int, text string, took time.Duration))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		listener := make(pipes)
		server := run.Server{
			Listener: listener, Handler: door, Log: slog.New(slog.DiscardHandler),
			Waits: func(r *http.Request) time.Duration { return api.Wait(r) },
		}
		ctx, stop := context.WithCancel(t.Context())
		err := run.All(ctx, server.Run, func(context.Context) error {
			defer stop()
			do(func(request string) (int, string, time.Duration) {
				here, there := net.Pipe()
				defer here.Close()
				listener <- there
				began := time.Now()
				if _, err := io.WriteString(here, strings.ReplaceAll(request, "\n", "\r\n")); err != nil {
					t.Fatal(err)
				}
				resp, err := http.ReadResponse(bufio.NewReader(here), nil)
				if err != nil {
					return 0, err.Error(), time.Since(began)
				}
				defer resp.Body.Close()
				text, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Error(err)
				}
				return resp.StatusCode, string(text), time.Since(began)
			})
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

const (
	read  = "GET / HTTP/1.1\nHost: x\nConnection: close\n\n"
	poll  = "GET /?wait=30 HTTP/1.1\nHost: x\nConnection: close\n\n"
	write = "POST / HTTP/1.1\nHost: x\nConnection: close\nContent-Type: application/json\nContent-Length: 2\n\n{}"
)

// A request that has come whole is answered in the end, however long that took within its bounds.
func TestASlowAnswerComesWhole(t *testing.T) {
	door := api.Handler(func(w http.ResponseWriter, r *http.Request) error {
		if _, err := io.ReadAll(r.Body); err != nil {
			return err
		}
		select {
		case <-time.After(18*time.Second + api.Wait(r)):
			return api.Write(w, http.StatusOK, "answered")
		case <-r.Context().Done():
			return r.Context().Err()
		}
	})
	served(t, door, func(call func(string) (int, string, time.Duration)) {
		for _, request := range []string{read, write, poll} {
			if status, text, took := call(request); status != http.StatusOK || text != "\"answered\"\n" {
				t.Errorf("%.8q: got %d %q after %s", request, status, text, took)
			}
		}
	})
}

// One that a store lets wait is told so, in the manner of its door, before its connection is cut.
func TestWhoWaitsForAStoreIsToldSo(t *testing.T) {
	door := api.Handler(func(_ http.ResponseWriter, r *http.Request) error {
		if _, err := io.ReadAll(r.Body); err != nil {
			return err
		}
		<-r.Context().Done()
		return fmt.Errorf("ask the store: %w", r.Context().Err())
	})
	served(t, door, func(call func(string) (int, string, time.Duration)) {
		for request, within := range map[string]time.Duration{read: 20 * time.Second, write: 20 * time.Second, poll: 50 * time.Second} {
			status, text, took := call(request)
			if status != http.StatusServiceUnavailable || !strings.Contains(text, `"code":"slow"`) || took != within {
				t.Errorf("%.8q: got %d %q after %s, want 503 slow after %s", request, status, text, took, within)
			}
		}
	})
}

// Who sends bit by bit is not waited for.
func TestABodyThatDoesNotComeIsNotWaitedFor(t *testing.T) {
	door := api.Handler(func(_ http.ResponseWriter, r *http.Request) error {
		_, err := io.ReadAll(r.Body)
		if err == nil {
			t.Error("half a body was taken for a whole one")
		}
		return api.Refuse(http.StatusBadRequest, "invalid_body", err)
	})
	served(t, door, func(call func(string) (int, string, time.Duration)) {
		status, text, took := call(strings.TrimSuffix(write, "}"))
		if status != http.StatusBadRequest || took != 15*time.Second {
			t.Errorf("got %d %q after %s", status, text, took)
		}
	})
}
