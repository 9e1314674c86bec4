package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// Reissue sends another temporary password to the confirmed phone, where the
// earlier one was lost or is over. The earlier one is no more.
func (r *Registry) Reissue(ctx context.Context, person uuid.UUID, act Act) error {
	password, err := r.formTemporary(ctx, person, act)
	if err != nil {
		return err
	}
	err = r.transact(ctx, act, func(tx pgx.Tx) error {
		phone, err := r.renew(ctx, tx, person, reissue, password, act)
		if err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, act.event(audit.PasswordReissued, person)); err != nil {
			return err
		}
		return r.send(ctx, tx, person, phone, password, act)
	})
	if err != nil {
		return fmt.Errorf("reissue to %s: %w", person, err)
	}
	return nil
}

// renew moves an identifier to Temporary with a new password.
func (r *Registry) renew(ctx context.Context, tx pgx.Tx, person uuid.UUID, d deed, p temporaryPassword, act Act) (Phone, error) {
	const update = `
		UPDATE identity
		SET state = 'temporary', block_reason = NULL, password_hash = $3, password_till = $4,
		    failures = 0, changed_at = $5
		WHERE person_id = $1 AND concat_ws(':', state, block_reason) = ANY($2)
		RETURNING phone`
	return r.move(ctx, tx, person, update, allowed[d], p.hash, p.till, act.At)
}
