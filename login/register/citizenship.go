package register

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// A Citizenship is what somebody's was since some time, as far as the register has told us.
type Citizenship struct {
	Citizenship string
	Since       time.Time // when we were told; zero for as long as we know the person
	Edition     int64     // that told it; 0 where it was told outside of one, or is the first
}

// Citizenships gives a person's, the first one first; the last one is theirs now.
func Citizenships(ctx context.Context, db Querier, person uuid.UUID) ([]Citizenship, error) {
	// Each row has what was until then: the next one, or the person as they are, has what came.
	const list = `
		SELECT citizenship, lag(at) OVER told, coalesce(lag(edition_id) OVER told, 0)
		FROM (
			SELECT citizenship, at, edition_id FROM former_citizenship WHERE person_id = $1
			UNION ALL
			SELECT citizenship, 'infinity', NULL FROM person WHERE id = $1
		) AS c
		WINDOW told AS (ORDER BY at)
		ORDER BY at`
	rows, _ := db.Query(ctx, list, person)
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Citizenship, err error) {
		var since *time.Time
		if err = row.Scan(&c.Citizenship, &since, &c.Edition); since != nil {
			c.Since = since.UTC()
		}
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("list a person's citizenships: %w", err)
	}
	return all, nil
}
