package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// Reissue sends another temporary password, where the earlier one was lost or is
// over: to the confirmed phone, or to another one that takes its place; the zero
// Phone is the one that is there. The earlier password is no more.
func (r *Registry) Reissue(ctx context.Context, person uuid.UUID, phone Phone, act Act) error {
	kept, err := r.keep(person, phone)
	if err != nil {
		return err
	}
	password, err := r.formTemporary(ctx, person, act)
	if err != nil {
		return err
	}
	err = r.transact(ctx, act, func(tx pgx.Tx) error {
		if _, _, err := r.replace(ctx, tx, person, reissue, kept, act); err != nil {
			return err
		}
		if err := r.renew(ctx, tx, person, reissue, password, act); err != nil {
			return err
		}
		if err := r.vouch(ctx, tx, person, act); err != nil {
			return err
		}
		return audit.Record(ctx, tx, act.event(audit.PasswordReissued, person))
	})
	if err != nil {
		return fmt.Errorf("reissue to %s: %w", person, err)
	}
	return nil
}

// renew moves an identifier to Temporary, and sends the new password to its phone; an
// earlier one that has not left yet is taken back, for whichever comes last is believed.
// ErrNoPhone says that there is no phone. Nothing is frozen any more: what was recovered is no longer how anybody comes in.
func (r *Registry) renew(ctx context.Context, tx pgx.Tx, person uuid.UUID, d deed, p temporaryPassword, act Act) error {
	const update = `
		UPDATE identity
		SET state = 'temporary', block_reason = NULL, password_hash = $3, password_till = $4,
		    failures = 0, changed_at = $5, recovered_at = NULL
		WHERE person_id = $1 AND concat_ws(':', state, block_reason) = ANY($2)
		RETURNING phone`
	phone, err := r.move(ctx, tx, person, update, allowed[d], p.hash, p.till, act.At)
	if err != nil {
		return err
	}
	if err := r.sms.TakeBack(ctx, tx, person, act.At, TemporaryPasswordMessage); err != nil {
		return err
	}
	return r.send(ctx, tx, person, phone, p, act)
}
