package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A Happening is an event of a person's history. Of a kind that anybody can bring about it is the last of the day that is like it, and tells how
// many there were: strangers add no more than a line a day.
type Happening struct {
	Line
	Times int
}

const history = `
	SELECT place, kind, at, coalesce(person_id, $1), coalesce(clerk_id, $1), coalesce(office, ''), coalesce(client_id, ''),
	       coalesce(gid, $1), coalesce(sid, ''), coalesce(acr, ''), coalesce(agent, ''), coalesce(edition, 0), detail, times
	FROM (
		SELECT place, kind, at, person_id, clerk_id, office, client_id, gid, sid, acr, agent, edition, detail,
		       count(*) OVER alike AS times, max(place) OVER alike AS last
		FROM event
		WHERE person_id = $2 AND kind = ANY ($3) AND at >= $4 AND place IS NOT NULL
		WINDOW alike AS (PARTITION BY CASE WHEN kind = ANY ($7)
			THEN concat_ws(' ', kind, detail->>'why', detail->>'purpose', (at AT TIME ZONE 'Europe/Minsk')::date) ELSE place::text END)
	) AS told
	WHERE place = last AND place < $5
	ORDER BY place DESC LIMIT $6`

// History gives at most limit events of these kinds that concern a person, since a time and before a cursor, the latest first; anybodys are
// those kinds that anybody can bring about. Before the zero Cursor is from the end.
func History(
	ctx context.Context, pool *pgxpool.Pool, person uuid.UUID, kinds, anybodys []Kind, since time.Time, before Cursor, limit int,
) ([]Happening, error) {
	if before == 0 {
		before = beyond
	}
	rows, _ := pool.Query(ctx, history, uuid.Nil, person, kinds, since, before, limit, anybodys)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Happening])
	if err != nil {
		return nil, fmt.Errorf("find the history of %s: %w", person, err)
	}
	for i := range found {
		found[i].At = found[i].At.UTC()
	}
	return found, nil
}
