package signal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrGone says that what came after a place was dropped, its time being over; or the place itself is none any more, as when the database is
// brought back to an earlier day.
var ErrGone = errors.New("signals after this place are gone")

// A Feed gives e-services their signals, each from where it was.
type Feed struct {
	Pool *pgxpool.Pool // the background's
	Now  func() time.Time
	Log  *slog.Logger

	mu     sync.Mutex
	placed int64         // under mu: how many signals have a place, of all clients, as far as we know
	moved  chan struct{} // under mu: closed, and replaced, when placed moves
}

// A Question is what a client asks of the feed.
type Question struct {
	ClientID string
	After    Place
	Since    time.Time // zero: all there are
	Limit    int
}

// An Answer is what there was, and the place to ask from next.
type Answer struct {
	Signals []Signal
	Place   Place
	placed  int64 // how many had a place, of all clients
	err     error
}

// Err is ErrGone, or nil.
func (a Answer) Err() error { return a.err }

// Queue asks, as one part of a batch.
func (f *Feed) Queue(b *pgx.Batch, q Question, to *Answer) {
	// How far they go is read first: everything up to there is seen by the second statement.
	const far = `
		SELECT placed, coalesce(head, 0), coalesce(dropped, 0) FROM signal_count LEFT JOIN subscriber ON client_id = $1`

	const find = `
		SELECT id, subject, at, kind, detail, place FROM signal
		WHERE client_id = $1 AND place > $2 AND at >= $3
		ORDER BY place LIMIT $4`

	var (
		known         = f.known()
		placed        int64
		last, dropped Place
	)
	b.Queue(far, q.ClientID).QueryRow(func(row pgx.Row) error { return row.Scan(&placed, &last, &dropped) })
	b.Queue(find, q.ClientID, q.After, q.Since, q.Limit).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Signal])
		if err != nil {
			return fmt.Errorf("read signals: %w", err)
		}
		f.learn(known, placed)
		*to = Answer{Signals: found, Place: last, placed: placed}
		switch n := len(found); {
		case q.After.gone(last, dropped), !q.Since.IsZero() && q.Since.Before(f.Now().Add(-kept)):
			to.err = ErrGone
		case n == q.Limit || n > 0 && found[n-1].Place > last:
			to.Place = found[n-1].Place
		}
		return nil
	})
}

// Wait waits until there may be more than there was, and tells whether there may.
func (f *Feed) Wait(ctx context.Context, there Answer) bool {
	select {
	case <-f.above(there.placed):
		return true
	case <-ctx.Done():
		return false
	}
}

// above is closed once more signals than so many may have a place: once that is known, or something else than was known.
func (f *Feed) above(placed int64) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.moved == nil {
		f.moved = make(chan struct{})
	}
	if f.placed > placed {
		done := make(chan struct{})
		close(done)
		return done
	}
	return f.moved
}

func (f *Feed) known() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.placed
}

// learn takes in how many signals have a place, asked when so many were known to have one, and wakes whoever waits where that is news. Fewer than
// were known before it was asked there are in a database that is behind the one that was lost: then what is known is that.
func (f *Feed) learn(known, placed int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	behind := placed < known && f.placed == known
	if placed <= f.placed && !behind {
		return
	}
	f.placed = placed
	if f.moved != nil {
		close(f.moved)
		f.moved = nil
	}
}

// atOnce is how many signals get their places in one transaction.
const atOnce = 1000

// Seal gives places to all signals that were committed before it began, and has those told who wait. It is to be called again and again, by
// any number of nodes: they take turns.
func (f *Feed) Seal(ctx context.Context) error {
	const hold = `SELECT placed FROM signal_count FOR UPDATE`

	// A statement of its own: it sees the places that were given while it waited.
	const seal = `
		WITH next AS (
			SELECT id, client_id, count(*) OVER (PARTITION BY client_id ORDER BY at DESC, id DESC) - 1 AS later
			FROM (SELECT id, client_id, at FROM signal WHERE place IS NULL ORDER BY at, id LIMIT $2) AS unplaced
		), client AS (
			INSERT INTO subscriber (client_id, head) SELECT client_id, count(*) FROM next GROUP BY client_id ORDER BY client_id
			ON CONFLICT (client_id) DO UPDATE SET head = subscriber.head + excluded.head
			RETURNING client_id, head
		), given AS (
			UPDATE signal SET place = head - later, placed_at = $1
			FROM next JOIN client USING (client_id) WHERE signal.id = next.id
		)
		UPDATE signal_count SET placed = placed + (SELECT count(*) FROM next)
		RETURNING placed, (SELECT count(*) FROM next)`

	const waiting = `SELECT placed, EXISTS (SELECT FROM signal WHERE place IS NULL) FROM signal_count`

	for {
		var (
			known  = f.known()
			placed int64
			more   bool
		)
		if err := f.Pool.QueryRow(ctx, waiting).Scan(&placed, &more); err != nil {
			return fmt.Errorf("give signals their places: %w", err)
		}
		f.learn(known, placed)
		if !more {
			return nil
		}
		var b pgx.Batch
		n := 0
		b.Queue(hold)
		b.Queue(seal, f.Now(), atOnce).QueryRow(func(row pgx.Row) error { return row.Scan(&placed, &n) })
		if err := f.Pool.SendBatch(ctx, &b).Close(); err != nil {
			return fmt.Errorf("give signals their places: %w", err)
		}
		f.learn(known, placed)
		if n < atOnce {
			return nil
		}
	}
}

// Wipe drops the signals and the readers whose time is over, and remembers how far those of each client went. What an address has not taken of them
// is given up.
func (f *Feed) Wipe(ctx context.Context) error {
	const wipe = `
		WITH gone AS (
			DELETE FROM signal WHERE placed_at < $1 RETURNING client_id, place
		), held AS ( -- as whoever tells them leaves them
			SELECT client_id, url, told FROM subscriber WHERE client_id IN (SELECT client_id FROM gone) ORDER BY client_id FOR UPDATE
		), last AS (
			SELECT client_id, max(place) AS place, count(*) FILTER (WHERE url IS NOT NULL AND place > told) AS missed
			FROM gone LEFT JOIN held USING (client_id) GROUP BY client_id
		), kept AS (
			INSERT INTO subscriber (client_id, dropped, missed) SELECT client_id, place, missed FROM last ORDER BY client_id
			ON CONFLICT (client_id) DO UPDATE
			SET dropped = greatest(subscriber.dropped, excluded.dropped), missed = subscriber.missed + excluded.missed,
			    told = CASE WHEN excluded.missed > 0 THEN excluded.dropped ELSE subscriber.told END,
			    tries = CASE WHEN excluded.missed > 0 THEN 0 ELSE subscriber.tries END,
			    first_at = CASE WHEN excluded.missed > 0 THEN NULL ELSE subscriber.first_at END
		)
		SELECT client_id, missed FROM last WHERE missed > 0`
	const forget = `DELETE FROM reader WHERE at < $1`

	type givenUp struct {
		client  string
		signals int
	}
	var (
		b      pgx.Batch
		all    []givenUp
		one    givenUp
		before = f.Now().Add(-kept)
	)
	b.Queue(wipe, before).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&one.client, &one.signals}, func() error { all = append(all, one); return nil })
		return err
	})
	b.Queue(forget, before)
	if err := f.Pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("drop signals: %w", err)
	}
	for _, g := range all {
		f.Log.WarnContext(ctx, "signals given up", "client", g.client, "signals", g.signals)
	}
	return nil
}
