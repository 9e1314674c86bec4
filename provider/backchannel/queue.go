package backchannel

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Jobs inserts background work into the act's transaction; *river.Client[pgx.Tx] is one.
type Jobs interface {
	InsertManyTx(ctx context.Context, tx pgx.Tx, jobs []river.InsertManyParams) ([]*rivertype.JobInsertResult, error)
}

// Ended says which of a person's sessions are over, and for whom.
type Ended struct {
	Person   uuid.UUID
	SID      string // "" for every session
	ClientID string // "" for every client
}

// keptFor is how long a notice is kept, and how long after its last grant a client may still have somebody signed in by it.
const keptFor = 30 * 24 * time.Hour

// Queue queues a notice to every client that took part in a session that is over and wants to be told, in the transaction of the act that
// ends it. A client that has been told since its last grant is not told again.
func Queue(ctx context.Context, tx pgx.Tx, jobs Jobs, over Ended, at time.Time) error {
	const queue = `
		INSERT INTO logout_notice (client_id, person_id, sid, state, queued_at)
		SELECT DISTINCT g.client_id, g.person_id, g.sid, 'queued', $4::timestamptz
		FROM client_grant g JOIN client c ON c.client_id = g.client_id
		WHERE g.person_id = $1 AND $2 IN ('', g.sid) AND $3 IN ('', g.client_id) AND g.given_at IS NOT NULL AND g.till > $5
		AND c.metadata ? 'backchannel_logout_uri' AND c.removed_at IS NULL
		AND NOT EXISTS (
			SELECT FROM logout_notice n
			WHERE n.sid = g.sid AND n.client_id = g.client_id AND n.queued_at >= g.given_at)
		RETURNING id`

	rows, _ := tx.Query(ctx, queue, over.Person, over.SID, over.ClientID, at, at.Add(-keptFor))
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("queue logout notices: %w", err)
	}
	if len(ids) == 0 {
		return nil
	}
	deliveries := make([]river.InsertManyParams, len(ids))
	for i, id := range ids {
		deliveries[i].Args = Delivery{ID: id}
	}
	if _, err := jobs.InsertManyTx(ctx, tx, deliveries); err != nil {
		return fmt.Errorf("queue logout notices: %w", err)
	}
	return nil
}
