package signal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrGone says that what came after a place was dropped, its time being over.
var ErrGone = errors.New("signals after this place were dropped")

// A Feed gives e-services their signals, each from where it was.
type Feed struct {
	Pool *pgxpool.Pool // the background's
	Now  func() time.Time

	mu    sync.Mutex
	head  Place         // under mu: the last one that we know of
	risen chan struct{} // under mu: closed, and replaced, when head rises
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
	err     error
}

// Err is ErrPlace, ErrGone, or nil.
func (a Answer) Err() error { return a.err }

// Queue asks, as one part of a batch.
func (f *Feed) Queue(b *pgx.Batch, q Question, to *Answer) {
	// How far all goes is read first: everything up to there is seen by the second statement.
	const far = `
		SELECT place, coalesce((SELECT dropped FROM subscriber WHERE client_id = $1), 0) FROM signal_head`

	const find = `
		SELECT id, subject, at, kind, detail, place FROM signal
		WHERE client_id = $1 AND place > $2 AND at >= $3
		ORDER BY place LIMIT $4`

	var head, dropped Place
	b.Queue(far, q.ClientID).QueryRow(func(row pgx.Row) error { return row.Scan(&head, &dropped) })
	b.Queue(find, q.ClientID, q.After, q.Since, q.Limit).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Signal])
		if err != nil {
			return fmt.Errorf("read signals: %w", err)
		}
		*to = Answer{Signals: found, Place: head}
		switch n := len(found); {
		case q.After > head:
			to.err = ErrPlace
		case q.After > 0 && q.After < dropped, !q.Since.IsZero() && q.Since.Before(f.Now().Add(-kept)):
			to.err = ErrGone
		case n == q.Limit || n > 0 && found[n-1].Place > head:
			to.Place = found[n-1].Place
		}
		return nil
	})
}

// Wait waits until there is a place above one, and tells whether there is.
func (f *Feed) Wait(ctx context.Context, p Place) bool {
	select {
	case <-f.above(p):
		return true
	case <-ctx.Done():
		return false
	}
}

// above is closed once a place above one is known.
func (f *Feed) above(p Place) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.risen == nil {
		f.risen = make(chan struct{})
	}
	if f.head > p {
		done := make(chan struct{})
		close(done)
		return done
	}
	return f.risen
}

// rise wakes whoever waits below a place.
func (f *Feed) rise(p Place) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p <= f.head {
		return
	}
	f.head = p
	if f.risen != nil {
		close(f.risen)
		f.risen = nil
	}
}

// atOnce is how many signals get their places in one transaction.
const atOnce = 1000

// Seal gives places to all signals that were committed before it began, and has those told who wait. It is to be called again and again, by
// any number of nodes: they take turns at the head.
func (f *Feed) Seal(ctx context.Context) error {
	const hold = `SELECT place FROM signal_head FOR UPDATE`

	// A statement of its own: it sees the places that were given while it waited.
	const seal = `
		WITH next AS (
			SELECT id, row_number() OVER (ORDER BY at, id) AS n
			FROM (SELECT id, at FROM signal WHERE place IS NULL ORDER BY at, id LIMIT $2) AS unplaced
		), placed AS (
			UPDATE signal SET place = (SELECT place FROM signal_head) + n, placed_at = $1 FROM next WHERE signal.id = next.id
		)
		UPDATE signal_head SET place = place + (SELECT count(*) FROM next)
		RETURNING place, (SELECT count(*) FROM next)`

	const waiting = `SELECT place, EXISTS (SELECT FROM signal WHERE place IS NULL) FROM signal_head`

	for {
		var (
			head Place
			more bool
		)
		if err := f.Pool.QueryRow(ctx, waiting).Scan(&head, &more); err != nil {
			return fmt.Errorf("give signals their places: %w", err)
		}
		f.rise(head)
		if !more {
			return nil
		}
		var b pgx.Batch
		n := 0
		b.Queue(hold)
		b.Queue(seal, f.Now(), atOnce).QueryRow(func(row pgx.Row) error { return row.Scan(&head, &n) })
		if err := f.Pool.SendBatch(ctx, &b).Close(); err != nil {
			return fmt.Errorf("give signals their places: %w", err)
		}
		f.rise(head)
		if n < atOnce {
			return nil
		}
	}
}

// Wipe drops the signals and the readers whose time is over, and remembers how far those of each client went.
func (f *Feed) Wipe(ctx context.Context) error {
	const wipe = `
		WITH gone AS (
			DELETE FROM signal WHERE placed_at < $1 RETURNING client_id, place
		)
		INSERT INTO subscriber (client_id, dropped)
		SELECT client_id, max(place) FROM gone GROUP BY client_id
		ON CONFLICT (client_id) DO UPDATE SET dropped = greatest(subscriber.dropped, excluded.dropped)`
	const forget = `DELETE FROM reader WHERE at < $1`

	before := f.Now().Add(-kept)
	var b pgx.Batch
	b.Queue(wipe, before)
	b.Queue(forget, before)
	if err := f.Pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("drop signals: %w", err)
	}
	return nil
}
