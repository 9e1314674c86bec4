package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"asoba.example/provider/api"
)

// A request leaves one line with its route and reason, and nothing that it brought.
func TestOneLineARequest(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	metrics := prometheus.NewRegistry()
	observer, err := api.NewObserver(api.ObserverConfig{
		Log:     slog.New(slog.NewJSONHandler(&log, nil)),
		Metrics: metrics,
		Now:     func() time.Time { return time.Unix(1, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /people/{number}", api.Handler(func(http.ResponseWriter, *http.Request) error {
		return api.Refuse(http.StatusNotFound, "unknown", errors.New("why"))
	}))
	mux.Handle("GET /broken", api.Handler(func(_ http.ResponseWriter, r *http.Request) error {
		return errors.Join(errors.New("why"), r.Context().Err())
	}))
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("at the disco") })
	door := observer.Observe(mux)
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	gone, leave := context.WithCancel(t.Context())
	leave()

	for _, request := range []struct {
		path, route, level string
		status             int
		ctx                context.Context
		logged             int
	}{
		{"/people/0000000A000PB2?code=secret", "GET /people/{number}", "INFO", 404, t.Context(), 404},
		{"/0000000A000PB2", "none", "INFO", 404, t.Context(), 404},
		{"/panic", "GET /panic", "ERROR", 500, t.Context(), 500},
		{"/broken", "GET /broken", "ERROR", 500, t.Context(), 500},
		{"/broken", "GET /broken", "ERROR", 503, late, 503},
		{"/broken", "GET /broken", "INFO", 503, gone, 499}, // the caller went away, which is no fault of ours
		{"/people/0000000A000PB2", "GET /people/{number}", "INFO", 404, gone, 404},
	} {
		log.Reset()
		w := httptest.NewRecorder()
		door.ServeHTTP(w, httptest.NewRequestWithContext(request.ctx, http.MethodGet, request.path, nil))
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		var line struct {
			Level     string
			Route     string
			Status    int
			RequestID string `json:"request_id"`
		}
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &line); err != nil {
			t.Fatal(err)
		}
		if line.Route != request.route || line.Status != request.logged || w.Code != request.status || line.Level != request.level {
			t.Errorf("%s: got %d and %+v", request.path, w.Code, line)
		}
		if line.RequestID == "" || line.RequestID != w.Header().Get("X-Request-Id") {
			t.Errorf("%s: request id %q, told the caller %q", request.path, line.RequestID, w.Header().Get("X-Request-Id"))
		}
		if strings.Contains(log.String(), "0000000A000PB2") || strings.Contains(log.String(), "secret") {
			t.Errorf("the log holds what the request brought: %s", log.String())
		}
	}
}
