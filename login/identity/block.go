package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
	"asoba.example/provider/grant"
)

// Block ends the identifier's use until it is unblocked (resolution 792 ¶6): by
// the citizen (Self), by written application (Desk) or by the operator (Security).
// It is no deletion: the assignment stays. Every sign-in so far is worth nothing
// from the commit on.
func (r *Registry) Block(ctx context.Context, person uuid.UUID, reason BlockReason, act Act) error {
	var d deed
	switch reason {
	case Self:
		d = blockSelf
	case Desk:
		d = blockDesk
	case Security:
		d = blockSecurity
	case Register: // see Deactivate
		return fmt.Errorf("block %s: %w", person, ErrState)
	}
	// The static password stays where the citizen may lift the block himself.
	const update = `
		UPDATE identity
		SET state = 'blocked', block_reason = $3,
		    password_hash = CASE WHEN $3 = 'self' THEN password_hash END, password_till = NULL,
		    failures = 0, changed_at = $4
		WHERE person_id = $1 AND concat_ws(':', state, block_reason) = ANY($2)
		RETURNING phone`
	err := r.ending(ctx, person, act, func(tx pgx.Tx) error {
		phone, err := r.move(ctx, tx, person, update, allowed[d], reason, act.At)
		if err != nil {
			return err
		}
		if err := grant.End(ctx, tx, r.jobs, person, grant.Blocked, act.At); err != nil {
			return err
		}
		event := act.event(audit.IdentifierBlocked, person)
		event.Detail = map[string]string{"reason": string(reason)}
		if err := audit.Record(ctx, tx, event); err != nil {
			return err
		}
		return r.notify(ctx, tx, person, phone, "sms.blocked", act)
	})
	if err != nil {
		return fmt.Errorf("block %s: %w", person, err)
	}
	return nil
}
