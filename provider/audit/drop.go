package audit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// keptYears is for how many years after its own a year of events is kept.
const keptYears = 7

// Meanings.
var (
	// ErrKept says that a year of events is still to be kept.
	ErrKept = fmt.Errorf("events are kept for %d years after their own", keptYears)
	// ErrUnsigned says that no signed root is of a year's last event: nobody could prove any more where the chain began.
	ErrUnsigned = errors.New("no signed root covers the last event of the year")
	// ErrNoYear says that there are no events of a year, or none any more.
	ErrNoYear = errors.New("there are no events of that year")
)

// Drop takes a year of events out for good, and moves the beginning of the chain
// behind the last of them. Only the role that owns the tables can.
func Drop(ctx context.Context, pool *pgxpool.Pool, year int, at time.Time) error {
	const lock = `SELECT pg_advisory_xact_lock($1)`
	const exists = `SELECT to_regclass($1) IS NOT NULL`
	part := "event_" + strconv.Itoa(year)
	last := `SELECT place, link FROM ` + pgx.Identifier{part}.Sanitize() + ` ORDER BY place DESC NULLS FIRST LIMIT 1`
	const signed = `SELECT EXISTS (SELECT FROM audit_root WHERE place >= $1)`
	const move = `UPDATE event_base SET place = $1, link = $2 WHERE place < $1`

	if at.UTC().Year() <= year+keptYears {
		return ErrKept
	}
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lock, sealerLock); err != nil {
			return err
		}
		var there, covered bool
		if err := tx.QueryRow(ctx, exists, part).Scan(&there); err != nil {
			return err
		}
		if !there {
			return ErrNoYear
		}
		var (
			place *Cursor
			link  []byte
		)
		err := tx.QueryRow(ctx, last).Scan(&place, &link)
		switch {
		case errors.Is(err, pgx.ErrNoRows): // nothing happened in that year
		case err != nil:
			return err
		case place == nil:
			return ErrStalled
		default:
			if err := tx.QueryRow(ctx, signed, place).Scan(&covered); err != nil {
				return err
			}
			if !covered {
				return ErrUnsigned
			}
			if _, err := tx.Exec(ctx, move, place, link); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `DROP TABLE `+pgx.Identifier{part}.Sanitize()); err != nil {
			return err
		}
		return Record(ctx, tx, Event{Kind: AuditDropped, At: at, Detail: map[string]string{"year": strconv.Itoa(year)}})
	})
	if err != nil {
		return fmt.Errorf("drop the events of %d: %w", year, err)
	}
	return nil
}
