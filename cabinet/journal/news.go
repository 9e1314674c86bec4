package journal

import (
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// News is the latest of the entries of one kind that its person should look at, and how many there are. What was reported stands apart from what was
// not; so do the answers about each value, and what was refused in a browser of the person's own.
type News struct {
	Entry
	Times int
}

// remarkable are the kinds that are news.
var remarkable = []Kind{
	"sign_in.refused", "phone_change.asked", "phone_change.cancelled", "phone.changed", "password.changed", "password.recovered",
	"password.reissued", "passkey.added", "authenticator.added", "recovery_code.used", "identifier.unblocked", ProfileChanged, DisputeAnswered,
}

// news reads all there are since then: however often one thing happens, it hides no other.
const news = `
	WITH found AS (
		SELECT id, person, at, kind, actor, client_id, client, office, acr, agent, detail, reported_at,
		       CASE kind WHEN 'dispute.answered' THEN detail->>'field' WHEN 'sign_in.refused' THEN detail->>'browser' END AS which,
		       reported_at IS NULL AS untold
		FROM (` + entries + ` AND journal.at >= $2 AND kind = ANY ($3)) AS e
	)
	SELECT DISTINCT ON (kind, which, untold)
	       id, person, at, kind, actor, client_id, client, office, acr, agent, detail, reported_at,
	       count(*) OVER (PARTITION BY kind, which, untold) AS times
	FROM found
	ORDER BY kind, which, untold, at DESC, id DESC`

// QueueNews asks for a person's news since a time, newest first, as one part of a batch.
func QueueNews(b *pgx.Batch, subject string, since time.Time, to *[]News) {
	b.Queue(news, subject, since, remarkable).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[News])
		if err != nil {
			return fmt.Errorf("find news in the journal: %w", err)
		}
		slices.SortStableFunc(found, func(a, b News) int { return b.At.Compare(a.At) })
		*to = found
		return nil
	})
}
