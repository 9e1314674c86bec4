package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// A Tally is how often a clerk did something, or was refused it.
type Tally struct {
	Clerk uuid.UUID
	Kind  Kind
	Why   string // the code of a refusal, the pattern of an alert
	Count int
}

const tally = `
	SELECT clerk_id, kind, coalesce(detail->>'code', detail->>'pattern', ''), count(*)
	FROM event
	WHERE office = $1 AND at >= $2 AND at < $3 AND clerk_id IS NOT NULL
	GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`

// Tally counts what the staff of an office has done from one time to before another, by clerk.
func (f *Feed) Tally(ctx context.Context, office string, from, till time.Time) ([]Tally, error) {
	rows, _ := f.pool.Query(ctx, tally, office, from, till)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Tally])
	if err != nil {
		return nil, fmt.Errorf("count what an office has done: %w", err)
	}
	return all, nil
}

const alerts = lines + `
	WHERE kind = 'desk.alerted' AND place > $3 AND ($2 = '' OR office = $2)
	ORDER BY place LIMIT $4`

// Alerts gives at most limit alerts after a cursor, of one office or with "" of all, and the cursor to go on from. ErrCursor, where no event
// has come so far yet.
func (f *Feed) Alerts(ctx context.Context, office string, after Cursor, limit int) ([]Line, Cursor, error) {
	found, _, err := f.find(ctx, after, alerts, uuid.Nil, office, after, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("find the alerts of desks: %w", err)
	}
	return found, reached(found, after, after, limit), nil
}
