package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const history = lines + `
	WHERE person_id = $2 AND kind = ANY ($3) AND at >= $4 AND place < $5
	ORDER BY place DESC LIMIT $6`

// History gives at most limit events of these kinds that concern a person, since a time and before a cursor, the latest first. Before the
// zero Cursor is from the end.
func History(ctx context.Context, pool *pgxpool.Pool, person uuid.UUID, kinds []Kind, since time.Time, before Cursor, limit int) ([]Line, error) {
	if before == 0 {
		before = beyond
	}
	rows, _ := pool.Query(ctx, history, uuid.Nil, person, kinds, since, before, limit)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Line])
	if err != nil {
		return nil, fmt.Errorf("find the history of %s: %w", person, err)
	}
	for i := range found {
		found[i].At = found[i].At.UTC()
	}
	return found, nil
}
