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

// Recover forms another static password where the citizen has lost his (resolution 792 ¶5). Who it is was proved while
// the identity's ChangedAt was changed; ErrState says that it was acted upon since. Every sign-in so far ends, for whoever
// has learnt the lost password may be signed in, and grave acts are frozen for a time: it may have been a thief who recovered.
func (r *Registry) Recover(ctx context.Context, person uuid.UUID, changed time.Time, password string, act Act) error {
	w, err := r.readByPerson(ctx, person)
	if err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	if w.state == nil || State(*w.state) != Active {
		return fmt.Errorf("recover %s: %w", person, ErrState)
	}
	if err := r.acceptable(w, password); err != nil {
		return err
	}
	hash, err := r.hasher.hash(ctx, person, foldStatic(password))
	if err != nil {
		return err
	}
	const update = `
		UPDATE identity
		SET password_hash = $4, failures = 0, changed_at = $5, recovered_at = $5
		WHERE person_id = $1 AND concat_ws(':', state, block_reason) = ANY($2) AND changed_at = $3
		RETURNING phone`
	err = r.ending(ctx, person, act, func(tx pgx.Tx) error {
		phone, err := r.move(ctx, tx, person, update, allowed[recovery], changed, hash, act.At)
		if err != nil {
			return err
		}
		if err := grant.End(ctx, tx, r.jobs, person, grant.Password, act.At); err != nil {
			return err
		}
		if err := r.dropPhoneChange(ctx, tx, person, "recovered", act); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, act.event(audit.PasswordRecovered, person)); err != nil {
			return err
		}
		return r.warn(ctx, tx, person, phone, "sms.password_recovered", act)
	})
	if err != nil {
		return fmt.Errorf("recover %s: %w", person, err)
	}
	return nil
}
