package run_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"asoba.example/cmd/internal/run"
)

// One part's failure stops the others, and All tells it when all have ended.
func TestAllStopsTogether(t *testing.T) {
	defer goleak.VerifyNone(t)
	broken := errors.New("broken")
	stopped := false
	err := run.All(t.Context(),
		func(context.Context) error { return broken },
		func(ctx context.Context) error {
			<-ctx.Done()
			stopped = true
			return nil
		})
	if !errors.Is(err, broken) || !stopped {
		t.Errorf("got %v, others stopped: %v; want %v, true", err, stopped, broken)
	}
}

// A request that was begun is answered after the stop, while /readyz sends others away.
func TestServerDrains(t *testing.T) {
	defer goleak.VerifyNone(t)
	begun, end := make(chan struct{}), make(chan struct{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := run.Server{
		Listener: listener,
		Log:      slog.New(slog.NewTextHandler(t.Output(), nil)),
		Notice:   time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(begun)
			<-end
			fmt.Fprint(w, "answered")
		}),
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(path string) (int, string) {
		resp, err := client.Get("http://" + listener.Addr().String() + path)
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Error(err)
		}
		return resp.StatusCode, string(body)
	}

	ctx, stop := context.WithCancel(t.Context())
	err = run.All(ctx, server.Run,
		func(context.Context) error {
			if status, body := get("/slow"); status != http.StatusOK || body != "answered" {
				t.Errorf("the request begun before the stop: got %d %q", status, body)
			}
			return nil
		},
		func(ctx context.Context) error {
			<-begun
			if status, _ := get("/readyz"); status != http.StatusOK {
				t.Errorf("ready before the stop: got %d", status)
			}
			stop()
			<-ctx.Done()
			for status := http.StatusOK; status == http.StatusOK; {
				if status, _ = get("/readyz"); status != http.StatusOK && status != http.StatusServiceUnavailable {
					t.Errorf("ready after the stop: got %d", status)
				}
			}
			close(end)
			return nil
		})
	if err != nil {
		t.Error(err)
	}
}

// A listener is plain where nobody names a certificate, and never by mistake.
func TestACertificateIsReadOrRefused(t *testing.T) {
	if plain, err := run.Certificate("", ""); plain != nil || err != nil {
		t.Errorf("none named: %v, %v", plain, err)
	}
	for _, named := range [][2]string{{"missing.pem", "missing.key"}, {"missing.pem", ""}, {"", "missing.key"}} {
		if secure, err := run.Certificate(named[0], named[1]); secure != nil || err == nil {
			t.Errorf("%q: %v, %v", named, secure, err)
		}
	}
}
