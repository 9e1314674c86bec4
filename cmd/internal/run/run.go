// Package run keeps goroutines: it is the only place with the word go, and every
// one has a parent who waits for it.
package run

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// A Part is something that runs until ctx ends. It returns nil when it was asked to stop.
type Part func(ctx context.Context) error

// All runs every part; when one fails the rest are stopped. It returns when all
// have ended, with their errors joined.
func All(ctx context.Context, parts ...Part) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, len(parts))
	var running sync.WaitGroup
	for i, part := range parts {
		running.Go(func() {
			if errs[i] = part(ctx); errs[i] != nil {
				stop()
			}
		})
	}
	running.Wait()
	return errors.Join(errs...)
}

// Every is a part that acts at once and then each interval. An act that fails is
// logged, and tried again at the next.
func Every(interval time.Duration, log *slog.Logger, name string, act func(ctx context.Context) error) Part {
	return func(ctx context.Context) error {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			if err := act(ctx); err != nil && ctx.Err() == nil {
				log.Error("not done; will be tried again", "job", name, "err", err)
			}
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
		}
	}
}
