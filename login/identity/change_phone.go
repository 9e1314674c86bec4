package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// ChangePhone puts another phone in the place of the present one, which is told of
// it. Whether the person may have it is decided in act.Within; two who take one
// phone at the same moment are parted by the table's key (ErrPhoneTaken), and the
// phone that is there already is no change (ErrState).
//
// A temporary password stands for a code to the phone that it was sent to, so it
// does not outlive that phone: another one goes to the new phone. A static password
// stays, and so do the sign-ins. The state, which is told, stays in either case.
func (r *Registry) ChangePhone(ctx context.Context, person uuid.UUID, phone Phone, act Act) (State, error) {
	sealed, err := r.box.Seal(phonePlace(person), []byte(phone.Reveal()))
	if err != nil {
		return "", fmt.Errorf("seal for %s: %w", person, err)
	}
	index, err := PhoneIndex(r.box, phone)
	if err != nil {
		return "", fmt.Errorf("index for %s: %w", person, err)
	}
	password, err := r.formTemporary(ctx, person, act) // needed or not: only the transaction knows
	if err != nil {
		return "", err
	}
	const compare = `
		SELECT phone FROM identity
		WHERE person_id = $1 AND concat_ws(':', state, block_reason) = ANY($2) AND phone_index <> $3
		FOR UPDATE`
	const set = `
		UPDATE identity
		SET phone = $2, phone_index = $3,
		    password_hash = CASE state WHEN 'temporary' THEN $4 ELSE password_hash END,
		    password_till = CASE state WHEN 'temporary' THEN $5::timestamptz END,
		    changed_at = $6
		WHERE person_id = $1
		RETURNING state`
	var state State
	err = r.transact(ctx, act, func(tx pgx.Tx) error {
		former, err := r.move(ctx, tx, person, compare, allowed[changePhone], index)
		if err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, set, person, sealed, index, password.hash, password.till, act.At).Scan(&state); err != nil {
			return taken(err)
		}
		if err := audit.Record(ctx, tx, act.event(audit.PhoneChanged, person)); err != nil {
			return err
		}
		if err := r.notify(ctx, tx, person, former, "sms.phone_changed", act); err != nil {
			return err
		}
		if state != Temporary {
			return nil
		}
		return r.send(ctx, tx, person, phone, password, act)
	})
	if err != nil {
		return "", fmt.Errorf("change the phone of %s: %w", person, err)
	}
	return state, nil
}
