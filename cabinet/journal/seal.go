package journal

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// sealerLock is the advisory lock under which places are given: "journl" in ASCII.
const sealerLock = 0x6a6f75726e6c

// most is how many places are given in one transaction.
const most = 1000

// A Sealer gives entries their places in the chains of their months, and links each to the one before it (provider/chain). Any number of nodes
// may run one; they take turns.
type Sealer struct {
	Pool *pgxpool.Pool // the background's
}

// Seal gives places to all entries that were committed before it began. It is to be called again and again: an act that writes an entry waits
// neither for it nor for another act.
func (s Sealer) Seal(ctx context.Context) error {
	for {
		n, err := s.seal(ctx)
		if err != nil {
			return fmt.Errorf("seal the journal: %w", err)
		}
		if n < most {
			return nil
		}
	}
}

// turn waits until no other node gives places. It is a statement of its own: only the next one sees those that were given while this one waited. And it
// has the next one walk the index of entries without a place: the planner takes them for few, and would sort all of them for each thousand, of which a
// month of the register brings a hundred. What a plan so made sorts all the same looks dear enough to be compiled, which it is not.
const turn = `SELECT pg_advisory_xact_lock($1), set_config('enable_sort', 'off', true), set_config('jit', 'off', true)`

// place gives places to the next entries.
const place = `
	WITH unplaced AS (
		SELECT id, at, journal_month(at) AS month, journal_record(journal) AS record
		FROM journal WHERE place IS NULL ORDER BY id LIMIT $1
	), next AS (
		SELECT unplaced.id, at, month, coalesce(head.place, 0) + row_number() OVER bymonth AS place,
		       chain(coalesce(head.link, $2), record) OVER bymonth AS link
		FROM unplaced LEFT JOIN journal_head AS head USING (month)
		WINDOW bymonth AS (PARTITION BY month ORDER BY unplaced.id, at ROWS UNBOUNDED PRECEDING)
	), placed AS (
		UPDATE journal SET place = next.place, link = next.link FROM next WHERE journal.id = next.id AND journal.at = next.at
	), headed AS (` + head + `)
	SELECT count(*) FROM next`

// head keeps how far the chains of the months of next have come.
const head = `
	INSERT INTO journal_head (month, place, link)
	SELECT DISTINCT ON (month) month, place, link FROM next ORDER BY month, place DESC
	ON CONFLICT (month) DO UPDATE SET place = excluded.place, link = excluded.link`

func (s Sealer) seal(ctx context.Context) (n int, err error) {
	b := new(pgx.Batch)
	b.Queue(turn, sealerLock)
	b.Queue(place, most, make([]byte, 32)).QueryRow(func(row pgx.Row) error { return row.Scan(&n) })
	return n, s.Pool.SendBatch(ctx, b).Close()
}

// AppendInPlace writes new entries, in their order, by one statement which gives them their places as well: what a page of the register changes is
// written once and not twice. Nobody else gives places until the transaction ends.
func AppendInPlace(ctx context.Context, tx pgx.Tx, entries []Entry) error {
	const insert = `
		WITH next AS (
			SELECT given.*, journal_month(at) AS month, coalesce(head.place, 0) + row_number() OVER bymonth AS place,
			       chain(coalesce(head.link, $11), journal_record(
			           ROW (id, person_id, at, kind, actor, client_id, office, acr, agent, detail, NULL, NULL)::journal)) OVER bymonth AS link
			FROM ` + given + ` LEFT JOIN journal_head AS head ON head.month = journal_month(at)
			WINDOW bymonth AS (PARTITION BY journal_month(at) ORDER BY id, at ROWS UNBOUNDED PRECEDING)
		), headed AS (` + head + `)
		INSERT INTO journal (id, person_id, at, kind, actor, client_id, office, acr, agent, detail, place, link)
		SELECT id, person_id, at, kind, actor, client_id, office, acr, agent, detail, place, link FROM next`
	if len(entries) == 0 {
		return nil
	}
	b := new(pgx.Batch)
	b.Queue(`SELECT pg_advisory_xact_lock($1)`, sealerLock)
	b.Queue(insert, append(columns(entries), make([]byte, 32))...)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

// ahead is for how long the tables of the months to come are made.
const ahead = 3

// MakeMonths makes the tables of this month and of those to come, where they are missing.
func MakeMonths(ctx context.Context, pool *pgxpool.Pool, now time.Time) error {
	if _, err := pool.Exec(ctx, `SELECT journal_make_months($1)`, now.UTC().AddDate(0, ahead, 0)); err != nil {
		return fmt.Errorf("make the journal's months: %w", err)
	}
	return nil
}
