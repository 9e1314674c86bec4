package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider/chain"
)

// LeastYears is for how many years after its own a year of events is kept, whatever is settled.
const LeastYears = 5

// Meanings.
var (
	// ErrKept says that a year of events is still to be kept.
	ErrKept = errors.New("events are kept")
	// ErrEarlier says that there are events of an earlier year, which go first.
	ErrEarlier = errors.New("there are events of an earlier year")
	// ErrUnsigned says that no signed root is of a year's last event: nobody could prove any more where the chain began.
	ErrUnsigned = errors.New("no signed root covers the last event of the year")
	// ErrNoYear says that there are no events of a year, or none any more.
	ErrNoYear = errors.New("there are no events of that year")
)

// A base is where the chain begins: behind the last event that was dropped.
type base struct {
	Place Cursor
	Link  chain.Link
}

// Earliest gives the earliest year of which there may be events.
func Earliest(ctx context.Context, pool *pgxpool.Pool) (int, error) {
	names, err := years(ctx, pool)
	switch {
	case err != nil:
		return 0, fmt.Errorf("find the earliest year of events: %w", err)
	case len(names) == 0:
		return 0, ErrNoYear
	}
	return strconv.Atoi(strings.TrimPrefix(names[0], "event_"))
}

// Drop takes the earliest year of events out for good, once it was kept for so many years after its own, and moves the
// beginning of the chain behind them, which it records. Only the role that owns the tables can.
func Drop(ctx context.Context, pool *pgxpool.Pool, year, kept int, at time.Time) error {
	if kept = max(kept, LeastYears); !over(year, kept, at) {
		return fmt.Errorf("%w for %d years after their own", ErrKept, kept)
	}
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		part, err := earliest(ctx, tx, year)
		if err != nil {
			return err
		}
		from, err := behind(ctx, tx, part)
		if err != nil {
			return err
		}
		if err := drop(ctx, tx, part, from); err != nil {
			return err
		}
		return Record(ctx, tx, Event{Kind: AuditDropped, At: at, Detail: map[string]string{
			"year": strconv.Itoa(year), "place": strconv.FormatInt(int64(from.Place), 10), "link": from.Link.String(),
		}})
	})
	if err != nil {
		return fmt.Errorf("drop the events of %d: %w", year, err)
	}
	return nil
}

// over tells whether the time of a year's events is over.
func over(year, kept int, at time.Time) bool { return at.UTC().Year() > year+kept }

// years are the tables of the years, the earliest first.
func years(ctx context.Context, db interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
},
) ([]string, error) {
	const parts = `SELECT relid::regclass::text FROM pg_partition_tree('event') WHERE isleaf AND relid::regclass::text ~ '^event_[0-9]+$' ORDER BY 1`

	rows, _ := db.Query(ctx, parts)
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// earliest gives the table of a year, if it is the first there is, and holds up the sealer.
func earliest(ctx context.Context, tx pgx.Tx, year int) (string, error) {
	const lock = `SELECT pg_advisory_xact_lock($1)`

	if _, err := tx.Exec(ctx, lock, sealerLock); err != nil {
		return "", err
	}
	names, err := years(ctx, tx)
	if err != nil {
		return "", err
	}
	part := "event_" + strconv.Itoa(year)
	switch slices.Index(names, part) {
	case -1:
		return "", ErrNoYear
	case 0:
		return part, nil
	}
	return "", ErrEarlier
}

// behind is where the chain begins without a year: before the first event of a later one, or after all.
func behind(ctx context.Context, tx pgx.Tx, part string) (b base, err error) {
	find := `
		WITH first AS (
			SELECT coalesce(min(place) - 1, (SELECT place FROM event_head)) AS place FROM event
			WHERE tableoid <> $1::regclass AND place IS NOT NULL
		)
		SELECT first.place, coalesce((SELECT link FROM event WHERE event.place = first.place), (SELECT link FROM event_base)),
		       EXISTS (SELECT FROM ` + part + ` WHERE place IS NULL), EXISTS (SELECT FROM audit_root WHERE audit_root.place >= first.place)
		FROM first`

	var (
		link             []byte
		unplaced, signed bool
	)
	switch err := tx.QueryRow(ctx, find, part).Scan(&b.Place, &link, &unplaced, &signed); {
	case err != nil:
		return b, err
	case unplaced:
		return b, ErrStalled
	case !signed && b.Place > 0:
		return b, ErrUnsigned
	}
	b.Link = chain.Link(link)
	return b, nil
}

// drop drops a year. What of it came into its place after the first event of a later year stays, among those that are of no year.
func drop(ctx context.Context, tx pgx.Tx, part string, from base) error {
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{`CREATE TEMPORARY TABLE straggler ON COMMIT DROP AS SELECT * FROM ` + part + ` WHERE place > $1`, []any{from.Place}},
		{`DROP TABLE ` + part, nil},
		{`INSERT INTO event SELECT * FROM straggler`, nil},
		{`UPDATE event_base SET place = $1, link = $2`, []any{from.Place, from.Link[:]}},
	} {
		if _, err := tx.Exec(ctx, step.statement, step.args...); err != nil {
			return err
		}
	}
	return nil
}
