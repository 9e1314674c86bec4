package journal

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Receipt is how often one e-service was given data of a person, or one office looked at them, in one way. Its entry
// is what the entries of that have in common, at the time of the last one; its details are those of all.
type Receipt struct {
	Entry
	Times int
}

// received are the kinds by which an e-service gets data. A clerk sees some with whatever he does.
var received = []Kind{GrantGiven, TokenExchanged, ProfileRead, ProfileRefreshed, JournalRead}

const receipts = `
	SELECT kind, actor, coalesce(client_id, '') AS client_id, client.name AS client, coalesce(office, '') AS office,
	       jsonb_strip_nulls(jsonb_build_object('purpose', detail->>'purpose', 'reason', detail->>'reason', 'act', detail->>'act', 'outcome', detail->>'outcome',
	           'scope', string_agg(DISTINCT detail->>'scope', ' '), 'claims', string_agg(DISTINCT detail->>'claims', ' '))) AS detail,
	       count(*) AS times, max(at) AS at
	FROM journal
	LEFT JOIN client ON client.id = client_id
	WHERE person_id = (SELECT person_id FROM cabinet WHERE identification_number = $1)
	  AND at >= $2 AND (actor = 'staff' OR kind = ANY ($3))
	GROUP BY kind, actor, client_id, client.id, office, detail->>'purpose', detail->>'reason', detail->>'act', detail->>'outcome'
	ORDER BY max(max(at)) OVER (PARTITION BY client_id, office) DESC, client_id, office, max(at) DESC, kind`

// QueueReceipts asks who was given data of a person since a time, as one part of a batch: who was last comes first, and
// what concerns one of them stands together.
func QueueReceipts(b *pgx.Batch, subject string, since time.Time, to *[]Receipt) {
	b.Queue(receipts, subject, since, received).Query(func(rows pgx.Rows) (err error) {
		if *to, err = pgx.CollectRows(rows, pgx.RowToStructByNameLax[Receipt]); err != nil {
			return fmt.Errorf("find who was given data: %w", err)
		}
		return nil
	})
}
