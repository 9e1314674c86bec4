package api_test

import (
	"bytes"
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
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("at the disco") })
	door := observer.Observe(mux)

	for _, request := range []struct {
		path, route, level string
		status             int
	}{
		{"/people/0000000A000PB2?code=secret", "GET /people/{number}", "INFO", 404},
		{"/0000000A000PB2", "none", "INFO", 404},
		{"/panic", "GET /panic", "ERROR", 500},
	} {
		log.Reset()
		w := httptest.NewRecorder()
		door.ServeHTTP(w, httptest.NewRequest(http.MethodGet, request.path, nil))
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
		if line.Route != request.route || line.Status != request.status || w.Code != request.status || line.Level != request.level {
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
