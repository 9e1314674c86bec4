package run_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
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

// A caller sends a request as it stands, and says what came.
type caller func(request string) (status int, text string, took time.Duration)

// served runs do beside a server of a door, which stops then, or when do says.
func served(t *testing.T, door http.Handler, do func(call caller, stop func())) {
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
			}, stop)
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
	served(t, door, func(call caller, _ func()) {
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
	served(t, door, func(call caller, _ func()) {
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
	served(t, door, func(call caller, _ func()) {
		status, text, took := call(strings.TrimSuffix(write, "}"))
		if status != http.StatusBadRequest || took != 15*time.Second {
			t.Errorf("got %d %q after %s", status, text, took)
		}
	})
}

// Who waits for news is told at a stop that there is none, rather than cut off; who is being answered is answered.
func TestAStopEndsWaits(t *testing.T) {
	door := api.Handler(func(w http.ResponseWriter, r *http.Request) error {
		over, cancel := api.Waiting(r)
		defer cancel()
		if api.Wait(r) > 0 {
			<-over.Done()
		} else {
			time.Sleep(9 * time.Second)
		}
		return errors.Join(r.Context().Err(), api.Write(w, http.StatusOK, "answered"))
	})
	served(t, door, func(call caller, stop func()) {
		var calls sync.WaitGroup
		for request, want := range map[string]time.Duration{poll: 5 * time.Second, read: 9 * time.Second} {
			calls.Go(func() {
				if status, text, took := call(request); status != http.StatusOK || text != "\"answered\"\n" || took != want {
					t.Errorf("%.8q: got %d %q after %s, want it after %s", request, status, text, took, want)
				}
			})
		}
		time.Sleep(5 * time.Second)
		stop()
		calls.Wait()
	})
}
