package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// An Observer leaves one line in the log for a request, and a number in the
// metrics. It writes neither path, query nor body, for these may name a person:
// the route is the pattern that stands in the source code.
type Observer struct {
	log     *slog.Logger
	now     func() time.Time
	seconds *prometheus.HistogramVec
}

// ObserverConfig is what an Observer needs.
type ObserverConfig struct {
	Log     *slog.Logger
	Metrics prometheus.Registerer
	Now     func() time.Time
}

// NewObserver makes an Observer.
func NewObserver(cfg ObserverConfig) (*Observer, error) {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "http_request_seconds",
		Help:    "Time to answer a request.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
	}, []string{"route", "status"})
	err := cfg.Metrics.Register(seconds)
	// The listeners of one program share the metric.
	if again := new(prometheus.AlreadyRegisteredError); errors.As(err, again) {
		seconds, err = again.ExistingCollector.(*prometheus.HistogramVec), nil
	}
	if err != nil {
		return nil, fmt.Errorf("register the metrics of requests: %w", err)
	}
	return &Observer{log: cfg.Log, now: cfg.Now, seconds: seconds}, nil
}

// Observe observes next, and answers for it where it panics.
func (o *Observer) Observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := o.now()
		seen := &seen{id: rand.Text()[:16]}
		r = r.WithContext(context.WithValue(r.Context(), seenKey{}, seen))
		answer := &answer{ResponseWriter: w}
		answer.Header().Set("X-Request-Id", seen.id)
		defer func() {
			if p := recover(); p != nil {
				if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(p)
				}
				o.log.Error("panic", "request_id", seen.id, "err", fmt.Sprint(p), "stack", string(debug.Stack()))
				if answer.status == 0 {
					newProblem(http.StatusInternalServerError, "internal", nil).write(answer)
				}
			}
			o.tell(r, seen, answer.status, o.now().Sub(began))
		}()
		next.ServeHTTP(answer, r)
	})
}

func (o *Observer) tell(r *http.Request, seen *seen, status int, took time.Duration) {
	route := seen.route
	if route == "" {
		route = r.Pattern
	}
	if route == "" {
		route = "none"
	}
	if gone := errors.Is(r.Context().Err(), context.Canceled); gone && (status == 0 || status >= http.StatusInternalServerError) {
		status = 499 // the caller went away, which broke off what was being done
	}
	if status == 0 {
		status = http.StatusOK
	}
	o.seconds.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	attrs := []slog.Attr{
		slog.String("route", route),
		slog.Int("status", status),
		slog.Float64("ms", float64(took.Microseconds())/1000),
		slog.String("request_id", seen.id),
	}
	if seen.err != nil {
		attrs = append(attrs, slog.Any("err", seen.err))
	}
	o.log.LogAttrs(r.Context(), level, "request", attrs...)
}

// seen is what the doors add to a request's line. One goroutine owns it: the request's.
type seen struct {
	id    string
	route string
	err   error
}

type seenKey struct{}

// Note gives the request's line its route, and the reason of a refusal or failure. A reason that was noted stays.
func Note(r *http.Request, err error) {
	if seen, ok := r.Context().Value(seenKey{}).(*seen); ok {
		seen.route = r.Pattern
		if err != nil {
			seen.err = err
		}
	}
}

// RequestID is what a page shows of a failure, so that the operator finds its line.
func RequestID(ctx context.Context) string {
	if seen, ok := ctx.Value(seenKey{}).(*seen); ok {
		return seen.id
	}
	return ""
}

// answer remembers the status. http.ResponseController finds the rest by Unwrap.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
