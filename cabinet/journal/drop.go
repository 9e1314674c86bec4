package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// LeastYears is for how many years entries are kept, whatever is set.
const LeastYears = 5

// Meanings.
var (
	// ErrKept says that a month of entries is still to be kept.
	ErrKept = errors.New("entries are kept")
	// ErrNoMonth says that there is no table of a month, or none any more.
	ErrNoMonth = errors.New("there are no entries of that month")
)

// over tells whether the time of a month's entries is over.
func over(month time.Time, kept int, at time.Time) bool { return !OverFrom(month, kept).After(at) }

// OverFrom is from when on a month of entries may be dropped that is kept for so many years.
func OverFrom(month time.Time, kept int) time.Time { return month.AddDate(max(kept, LeastYears), 1, 0) }

// Drop takes a month of entries out for good, once they were kept for so many years, and the reports that were made in it. Only the role that
// owns the tables can. also takes out, in the same transaction and before they go, what other rooms keep of the month's entries. That the month was
// there, the roots still say.
func Drop(
	ctx context.Context, pool *pgxpool.Pool, month time.Time, kept int, at time.Time, also func(ctx context.Context, tx pgx.Tx, month time.Time) error,
) error {
	const there = `SELECT EXISTS (SELECT FROM pg_partition_tree('journal') WHERE isleaf AND relid::regclass::text = $1)`
	const forget = `DELETE FROM journal_head WHERE month = $1`
	const forgetReports = `DELETE FROM report WHERE at >= $1 AND at < $2`

	if !over(month, kept, at) {
		return fmt.Errorf("%w until %s", ErrKept, OverFrom(month, kept).Format(time.DateOnly))
	}
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		part := "journal_" + month.Format("2006_01")
		var found bool
		if err := tx.QueryRow(ctx, there, part).Scan(&found); err != nil {
			return err
		}
		if !found {
			return ErrNoMonth
		}
		if err := also(ctx, tx, month); err != nil {
			return err
		}
		for _, step := range []struct {
			statement string
			args      []any
		}{
			{`SET LOCAL lock_timeout = '3s'`, nil},                  // acts queue behind whoever waits for the table
			{`SELECT pg_advisory_xact_lock($1)`, []any{sealerLock}}, // nothing of it gets a place meanwhile
			{`DROP TABLE ` + pgx.Identifier{part}.Sanitize(), nil},
			{forget, []any{month}},
			{forgetReports, []any{month, month.AddDate(0, 1, 0)}},
		} {
			if _, err := tx.Exec(ctx, step.statement, step.args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("drop the entries of %s: %w", month.Format(monthLayout), err)
	}
	return nil
}

// Earliest gives the earliest month of which there is a table.
func Earliest(ctx context.Context, pool *pgxpool.Pool) (time.Time, error) {
	const first = `
		SELECT min(to_date(right(relid::regclass::text, 7), 'YYYY_MM')) FROM pg_partition_tree('journal')
		WHERE isleaf AND relid::regclass::text ~ '^journal_[0-9]{4}_[0-9]{2}$'`
	var month *time.Time
	if err := pool.QueryRow(ctx, first).Scan(&month); err != nil {
		return time.Time{}, fmt.Errorf("find the earliest month of entries: %w", err)
	}
	if month == nil {
		return time.Time{}, ErrNoMonth
	}
	return *month, nil
}
