package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
	"asoba.example/provider/grant"
)

// ChangePassword forms another static password, as often as the citizen likes
// (resolution 792 ¶5). ErrWrong says that current is not the present one. Every
// sign-in so far ends, for one of them may be a thief's.
func (r *Registry) ChangePassword(ctx context.Context, person uuid.UUID, current, password string, act Act) error {
	w, err := r.readByPerson(ctx, person)
	if err != nil {
		return fmt.Errorf("change the password: %w", err)
	}
	old, _ := w.proof(act.At)
	if old == "" || State(*w.state) != Active {
		return fmt.Errorf("change the password of %s: %w", person, ErrState)
	}
	right, err := r.hasher.matches(ctx, person, true, []string{old}, foldStatic(current))
	if err != nil {
		return err
	}
	if !right {
		if _, err := r.pool.Exec(ctx, count, person); err != nil {
			return fmt.Errorf("count a wrong password: %w", err)
		}
		return ErrWrong
	}
	if foldStatic(password) == foldStatic(current) {
		return &WeakError{wordSame}
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
		SET password_hash = $4, failures = 0, changed_at = $5
		WHERE person_id = $1 AND concat_ws(':', state, block_reason) = ANY($2) AND password_hash = $3
		RETURNING phone`
	err = r.ending(ctx, person, act, func(tx pgx.Tx) error {
		phone, err := r.move(ctx, tx, person, update, allowed[changePassword], old, hash, act.At)
		if err != nil {
			return err
		}
		if err := grant.End(ctx, tx, r.jobs, person, grant.Password, act.At); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, act.event(audit.PasswordChanged, person)); err != nil {
			return err
		}
		return r.warn(ctx, tx, person, phone, "sms.password_changed", act)
	})
	if err != nil {
		return fmt.Errorf("change the password of %s: %w", person, err)
	}
	return nil
}
