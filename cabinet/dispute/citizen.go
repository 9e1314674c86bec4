package dispute

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/wall"
)

// Make makes a dispute of one of the subject's values, with its record. Who says it twice has said it once. acr is of the sign-in by which it is
// said.
func (k Book) Make(ctx context.Context, subject string, d Dispute, acr string, at time.Time) error {
	const insert = `
		WITH made AS (
			INSERT INTO dispute (id, person_id, name, source, value, words, restricts, state, at)
			SELECT $2, person_id, $3, $4, $5, $6, $7, 'received', $8 FROM cabinet WHERE identification_number = $1
			ON CONFLICT (person_id, name) WHERE ended_at IS NULL DO NOTHING
			RETURNING person_id
		)
		INSERT INTO journal (id, person_id, at, kind, actor, acr, detail)
		SELECT $9, person_id, $8, $10, 'self', nullif($11, ''), jsonb_build_object('field', $3::text, 'source', $4::text) FROM made`
	id := uuid.Must(uuid.NewV7())
	value, err := k.Box.Seal(place("value", id), []byte(d.Value))
	if err != nil {
		return fmt.Errorf("make a dispute: %w", err)
	}
	words, err := k.Box.Seal(place("words", id), []byte(d.Words))
	if err != nil {
		return fmt.Errorf("make a dispute: %w", err)
	}
	var b pgx.Batch
	wall.Queue(&b, subject, "")
	b.Queue(insert, subject, id, d.Name, d.Source, value, words, d.Restricts, at, uuid.Must(uuid.NewV7()), string(journal.DisputeMade), acr)
	if err := k.Pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("make a dispute: %w", err)
	}
	return nil
}

// Withdraw takes back the open dispute of a value, with its record; where there is none, nothing happens.
func (k Book) Withdraw(ctx context.Context, subject, name, acr string, at time.Time) error {
	const withdraw = `
		WITH withdrawn AS (
			UPDATE dispute SET state = 'withdrawn', ended_at = $3
			WHERE person_id = (SELECT person_id FROM cabinet WHERE identification_number = $1) AND name = $2 AND ended_at IS NULL
			RETURNING person_id, source
		)
		INSERT INTO journal (id, person_id, at, kind, actor, acr, detail)
		SELECT $4, person_id, $3, $5, 'self', nullif($6, ''), jsonb_build_object('field', $2::text, 'source', source) FROM withdrawn`
	var b pgx.Batch
	wall.Queue(&b, subject, "")
	b.Queue(withdraw, subject, name, at, uuid.Must(uuid.NewV7()), string(journal.DisputeWithdrawn), acr)
	if err := k.Pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("withdraw a dispute: %w", err)
	}
	return nil
}
