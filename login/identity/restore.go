package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// Restore turns the register's blocks of people found alive into the desk's, in
// the register's own transaction: the identifier does not come back by itself,
// but now the desk can lift the block. It is register.Register's Restored.
func (r *Registry) Restore(ctx context.Context, tx pgx.Tx, people []uuid.UUID, at time.Time) error {
	const update = `
		UPDATE identity SET block_reason = 'desk', changed_at = $3
		WHERE person_id = ANY($1) AND concat_ws(':', state, block_reason) = ANY($2)
		RETURNING person_id`
	rows, err := tx.Query(ctx, update, people, allowed[restore], at)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	restored, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	events := make([]audit.Event, len(restored))
	for i, person := range restored {
		events[i] = Act{At: at}.event(audit.IdentifierBlocked, person)
		events[i].Detail = map[string]string{"reason": string(Desk), "was": string(Register)}
	}
	return audit.Record(ctx, tx, events...)
}
