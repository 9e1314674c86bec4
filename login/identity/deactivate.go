package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
	"asoba.example/provider/grant"
)

// Deactivate blocks the identifiers of people whom the register has found dead,
// declared dead or missing (order 82 p. 10), in the register's own transaction.
// Who has none is passed over, and whose block only the desk lifts stays as they are;
// but that their sign-ins end is recorded, so that the feed tells of everybody that they were gone.
// Nobody of them is sent a message, nor what was still to be sent.
// It is register.Register's Cascade; Redis is cleaned by the jobs it leaves.
func (r *Registry) Deactivate(ctx context.Context, tx pgx.Tx, people []uuid.UUID, at time.Time) error {
	const inOrder = `SELECT person_id FROM identity WHERE person_id = ANY($1) ORDER BY person_id FOR NO KEY UPDATE` // as HoldWith holds
	const update = `
		UPDATE identity
		SET state = 'blocked', block_reason = 'register', password_hash = NULL, password_till = NULL,
		    failures = 0, changed_at = $3
		WHERE person_id = ANY($1) AND concat_ws(':', state, block_reason) = ANY($2)
		RETURNING person_id`
	rows, _ := tx.Query(ctx, inOrder, people)
	held, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("deactivate: %w", err)
	}
	for _, person := range held {
		if err := r.sms.TakeBack(ctx, tx, person, at); err != nil {
			return fmt.Errorf("deactivate: %w", err)
		}
		if err := grant.End(ctx, tx, r.jobs, person, grant.Deactivated, at); err != nil {
			return fmt.Errorf("deactivate: %w", err)
		}
	}
	rows, _ = tx.Query(ctx, update, held, allowed[deactivate], at)
	blocked, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("deactivate: %w", err)
	}
	events := make([]audit.Event, len(blocked))
	for i, person := range blocked {
		events[i] = Act{At: at}.event(audit.IdentifierBlocked, person)
		events[i].Detail = map[string]string{"reason": string(Register)}
		if err := r.dropPhoneChange(ctx, tx, person, "blocked", Act{At: at}); err != nil {
			return fmt.Errorf("deactivate: %w", err)
		}
	}
	return audit.Record(ctx, tx, events...)
}
