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
// many there were, and from which countries: strangers add no more than a line a day, hide nothing behind it that came from elsewhere, and share none
// with the person's own browsers.
type Happening struct {
	Line
	Times     int
	Countries []string // their codes, as place.Place has them
}

// What has no place yet is told by the place that it would be given next, were it the person's alone.
const history = `
	WITH mine AS (
		SELECT coalesce(event.place, head.place + row_number() OVER (ORDER BY event.place NULLS FIRST, id)) AS place,
		       kind, at, person_id, clerk_id, office, client_id, gid, sid, acr, agent, edition, detail
		FROM event CROSS JOIN event_head AS head
		WHERE person_id = $2 AND kind = ANY ($3) AND at >= $4
	), told AS (
		SELECT max(place) AS last, count(*) AS times,
		       coalesce(array_agg(DISTINCT detail->>'where') FILTER (WHERE detail ? 'where'), '{}') AS countries
		FROM mine
		GROUP BY CASE WHEN kind = ANY ($7)
			THEN concat_ws(' ', kind, detail->>'why', detail->>'purpose', detail->>'phone', detail->>'browser', (at AT TIME ZONE 'Europe/Minsk')::date) ELSE place::text END
	)
	SELECT place, kind, at, coalesce(person_id, $1), coalesce(clerk_id, $1), coalesce(office, ''), coalesce(client_id, ''),
	       coalesce(gid, $1), coalesce(sid, ''), coalesce(acr, ''), coalesce(agent, ''), coalesce(edition, 0), detail, times, countries
	FROM told JOIN mine ON place = last
	WHERE last < $5
	ORDER BY last DESC LIMIT $6`

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
