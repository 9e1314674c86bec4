package audit

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// placed is the channel on which the Sealer tells how far it has come.
const placed = "event_placed"

// sealerLock is the advisory lock under which places are given: "event" in ASCII.
const sealerLock = 0x6576656e74

// most is how many places are given in one transaction.
const most = 1000

// A Sealer gives events their places and links each to the one before it
// (provider/chain). Any number of nodes may run one; they take turns, so places
// rise without gaps in the order in which they become visible.
type Sealer struct {
	Pool *pgxpool.Pool // the background's
}

// Seal gives places to all events that were committed before it began, and wakes
// the feeds. It is to be called again and again, a few times a second: an act
// cannot call it, for its event is visible only after the act's commit.
func (s *Sealer) Seal(ctx context.Context) error {
	for {
		n, err := s.seal(ctx)
		if err != nil {
			return fmt.Errorf("give events their places: %w", err)
		}
		if n < most {
			return nil
		}
	}
}

func (s *Sealer) seal(ctx context.Context) (n int, err error) {
	// A statement of its own: only the next one sees the places that were given
	// while this one waited.
	const lock = `SELECT pg_advisory_xact_lock($1)`

	const seal = `
		WITH next AS (
			SELECT unplaced.id, head.place + row_number() OVER byid AS place, chain(head.link, event_record(unplaced.event)) OVER byid AS link
			FROM (SELECT id, event FROM event WHERE place IS NULL ORDER BY id LIMIT $1) AS unplaced CROSS JOIN event_head AS head
			WINDOW byid AS (ORDER BY unplaced.id ROWS UNBOUNDED PRECEDING)
		), placed AS (
			UPDATE event SET place = next.place, link = next.link FROM next WHERE event.id = next.id
		), last AS (
			SELECT place, link, count(*) OVER () AS n FROM next ORDER BY place DESC LIMIT 1
		)
		UPDATE event_head AS head SET place = last.place, link = last.link FROM last
		RETURNING n, pg_notify($2, last.place::text)`

	b := new(pgx.Batch)
	b.Queue(lock, sealerLock)
	b.Queue(seal, most, placed).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&n, nil}, func() error { return nil })
		return err
	})
	return n, s.Pool.SendBatch(ctx, b).Close()
}
