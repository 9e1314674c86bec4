package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// Activate forms the static password at the first sign-in (resolution 792 ¶5):
// Temporary → Active, and the temporary password is no more. The static one is
// refused with a *WeakError where it is weak or made of the temporary one
// (OWASP ASVS 5.0 6.4.1).
func (r *Registry) Activate(ctx context.Context, person uuid.UUID, password string, act Act) error {
	w, err := r.readByPerson(ctx, person)
	if err != nil {
		return fmt.Errorf("activate: %w", err)
	}
	old, _ := w.proof(act.At)
	if old == "" || State(*w.state) != Temporary {
		return fmt.Errorf("activate %s: %w", person, ErrState)
	}
	if err := r.acceptable(w, password); err != nil {
		return err
	}
	like, err := r.hasher.matches(ctx, person, true, []string{old}, derived(password)...)
	if err != nil {
		return err
	}
	if like {
		return &WeakError{wordTemporary}
	}
	hash, err := r.hasher.hash(ctx, person, foldStatic(password))
	if err != nil {
		return err
	}
	const update = `
		UPDATE identity
		SET state = 'active', password_hash = $4, password_till = NULL, failures = 0, changed_at = $5
		WHERE person_id = $1 AND concat_ws(':', state, block_reason) = ANY($2)
		AND password_hash = $3 AND password_till > $5
		RETURNING phone`
	err = r.transact(ctx, act, func(tx pgx.Tx) error {
		phone, err := r.move(ctx, tx, person, update, allowed[activate], old, hash, act.At)
		if err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, act.event(audit.IdentifierActivated, person)); err != nil {
			return err
		}
		return r.warn(ctx, tx, person, phone, "sms.activated", act)
	})
	if err != nil {
		return fmt.Errorf("activate %s: %w", person, err)
	}
	return nil
}

// acceptable judges a static password by what is known of its person.
func (r *Registry) acceptable(w row, password string) error {
	i, err := r.open(w)
	if err != nil {
		return err
	}
	if word := r.strength.judge(password, about(i, w.birthDate)); word != "" {
		return &WeakError{word}
	}
	return nil
}
