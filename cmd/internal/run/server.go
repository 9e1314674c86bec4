package run

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"asoba.example/provider/api"
)

// A Server answers HTTP on one listener until it is asked to stop. It answers
// /livez and /readyz itself, and bounds what a caller may take of it.
type Server struct {
	Listener net.Listener // Run closes it
	Handler  http.Handler
	TLS      *tls.Config // nil: plain HTTP, behind a proxy or on one machine
	Log      *slog.Logger

	// Ready tells why the program cannot serve at the moment; nil: it always can.
	Ready func(ctx context.Context) error
	// Streams tells the requests that bring as much as there is, or take as long as it takes: their doors bound them. Nil: none does.
	Streams func(r *http.Request) bool
	// Waits is how long a request waits for news, as it asks for, before it is to be answered. Nil: none does.
	Waits func(r *http.Request) time.Duration
	// Notice is how long /readyz says 503 before the listener closes, so that a
	// load balancer has looked away by then. Zero: none.
	Notice time.Duration
}

// Bounds of one connection. The longest honest request is a long poll of 30 s.
const (
	readHeaderFor = 5 * time.Second
	readFor       = 15 * time.Second // until a request has come whole
	answerFor     = 20 * time.Second // then its context ends, and its door says that it was slow
	writeFor      = 60 * time.Second
	idleFor       = 2 * time.Minute
	streamFor     = time.Hour
	maxHeader     = 32 << 10
	maxBody       = 128 << 10
	drainFor      = 10 * time.Second // what was begun, after a stop
	readyWithin   = 2 * time.Second
)

// Run serves until ctx ends, then drains: not ready, no new connections, requests
// answered, those that wait for news at once; what is not answered in time is cut off.
func (s Server) Run(ctx context.Context) error {
	var stopping atomic.Bool
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { said(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if stopping.Load() {
			said(w, http.StatusServiceUnavailable, "stopping")
			return
		}
		if s.Ready != nil {
			ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
			defer cancel()
			if err := s.Ready(ctx); err != nil {
				s.Log.Warn("not ready", "err", err)
				said(w, http.StatusServiceUnavailable, "not ready")
				return
			}
		}
		said(w, http.StatusOK, "ok")
	})
	bounded := http.MaxBytesHandler(s.Handler, maxBody)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if s.Streams == nil || !s.Streams(r) {
			long := answerFor
			if s.Waits != nil {
				long += s.Waits(r)
			}
			ctx, cancel := context.WithTimeout(r.Context(), long)
			defer cancel()
			bounded.ServeHTTP(w, r.WithContext(ctx))
			return
		}
		till, extend := time.Now().Add(streamFor), http.NewResponseController(w)
		if err := errors.Join(extend.SetReadDeadline(till), extend.SetWriteDeadline(till)); err != nil {
			s.Log.Warn("a stream has the bounds of any request", "err", err)
		}
		s.Handler.ServeHTTP(w, r)
	})

	stop, stopped := context.WithCancel(context.Background())
	defer stopped()
	server := &http.Server{
		BaseContext:       func(net.Listener) context.Context { return api.UntilStop(context.Background(), stop) },
		Handler:           mux,
		ReadHeaderTimeout: readHeaderFor,
		ReadTimeout:       readFor,
		WriteTimeout:      writeFor,
		IdleTimeout:       idleFor,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug), // strangers' broken handshakes
	}
	server.RegisterOnShutdown(stopped) // the listener is closed: who is told that there is no news does not ask here again
	listener := s.Listener
	if s.TLS != nil {
		listener = tls.NewListener(listener, s.TLS)
	}

	serve := func(context.Context) error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve %s: %w", s.Listener.Addr(), err)
		}
		return nil
	}
	drain := func(ctx context.Context) error {
		<-ctx.Done()
		stopping.Store(true)
		time.Sleep(s.Notice)
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
		defer cancel()
		if server.Shutdown(patience) != nil {
			return server.Close()
		}
		return nil
	}
	return All(ctx, serve, drain)
}

func said(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}
