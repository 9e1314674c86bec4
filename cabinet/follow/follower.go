package follow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Pauses between tries while the provider, or our own database, is away.
const (
	shortPause = 250 * time.Millisecond
	longPause  = 5 * time.Second
)

// beginning is the cursor before everything.
const beginning = "0"

// errMoved says that another node has moved the cursor meanwhile: what we hold is applied already.
var errMoved = errors.New("another node was faster")

// Config is what a Follower needs.
type Config struct {
	Pool *pgxpool.Pool
	Feed Feed
	// Keep is how long the end of a sign-in must be remembered: as long as a web session may live.
	Keep time.Duration
	// ForgetKeys has this node forget keys of the provider's that are good no longer, by their kids; the others do within a minute.
	ForgetKeys func(ctx context.Context, kids []string) error
	Now        func() time.Time
	Log        *slog.Logger

	page, pages int // of tests; 0 is touchedAtOnce, and answerPages
}

// A Follower follows the feed.
type Follower struct {
	cfg       Config
	announced chan struct{} // an edition was
}

// New makes a Follower.
func New(cfg Config) *Follower {
	return &Follower{cfg: cfg, announced: make(chan struct{}, 1)}
}

// Run follows the feed until ctx ends.
func (f *Follower) Run(ctx context.Context) error {
	return f.keepTrying(ctx, "feed", func() error { return f.step(ctx) })
}

// RunEditions reads the editions that the feed announced, until ctx ends.
func (f *Follower) RunEditions(ctx context.Context) error {
	return f.keepTrying(ctx, "edition", func() error {
		done, err := f.read(ctx)
		if err != nil || !done {
			return err
		}
		select {
		case <-ctx.Done():
		case <-f.announced:
		case <-time.After(longPause): // another node announced one and was stopped
		}
		return nil
	})
}

// keepTrying takes step after step; the log has one line when it goes wrong and one when it is well again.
func (f *Follower) keepTrying(ctx context.Context, what string, step func() error) error {
	pause := time.Duration(0)
	for ctx.Err() == nil {
		err := step()
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			if pause > 0 {
				f.cfg.Log.Info("following again", "what", what)
			}
			pause = 0
			continue
		case pause == 0:
			f.cfg.Log.Error("cannot follow the provider; trying on", "what", what, "err", err)
			pause = shortPause
		default:
			pause = min(2*pause, longPause)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}

// step asks the feed once and applies the answer.
func (f *Follower) step(ctx context.Context) error {
	var cursor string
	if err := f.cfg.Pool.QueryRow(ctx, `SELECT cursor FROM follow`).Scan(&cursor); err != nil {
		return fmt.Errorf("find the cursor: %w", err)
	}
	news, err := f.cfg.Feed.changes(ctx, cursor, wait)
	if err != nil {
		return fmt.Errorf("ask the feed: %w", err)
	}
	if err := f.apply(ctx, cursor, news); err != nil && !errors.Is(err, errMoved) {
		return fmt.Errorf("apply what the feed said: %w", err)
	}
	return nil
}

// Anew has the feed read again from its beginning, by whichever node follows it.
func Anew(ctx context.Context, pool *pgxpool.Pool) error {
	if _, err := pool.Exec(ctx, `UPDATE follow SET cursor = $1`, beginning); err != nil {
		return fmt.Errorf("follow anew: %w", err)
	}
	return nil
}
