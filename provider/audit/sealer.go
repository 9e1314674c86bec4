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

// A Sealer gives events their places. Any number of nodes may run one; they take
// turns, so places rise without gaps in the order in which they become visible.
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
		WITH last AS (
			SELECT coalesce(max(place), 0) AS place FROM event
		), next AS (
			SELECT id, row_number() OVER (ORDER BY id) AS n
			FROM (SELECT id FROM event WHERE place IS NULL ORDER BY id LIMIT $1) AS unplaced
		), placed AS (
			UPDATE event SET place = last.place + next.n
			FROM last, next
			WHERE event.id = next.id
			RETURNING event.place
		)
		SELECT count(*), pg_notify($2, max(place)::text) FROM placed HAVING count(*) > 0`

	b := new(pgx.Batch)
	b.Queue(lock, sealerLock)
	b.Queue(seal, most, placed).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&n, nil}, func() error { return nil })
		return err
	})
	return n, s.Pool.SendBatch(ctx, b).Close()
}
