package identity

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// A keptPhone is a phone as it is kept for its person; of the zero Phone nothing is.
type keptPhone struct{ sealed, index []byte }

func (r *Registry) keep(person uuid.UUID, phone Phone) (k keptPhone, err error) {
	if phone == (Phone{}) {
		return k, nil
	}
	if k.sealed, err = r.box.Seal(phonePlace(person), []byte(phone.Reveal())); err == nil {
		k.index, err = PhoneIndex(r.box, phone)
	}
	if err != nil {
		return keptPhone{}, fmt.Errorf("keep the phone of %s: %w", person, err)
	}
	return k, nil
}

// replace puts another phone in the place of the present one, where the deed is
// allowed, and tells the former one. It gives the state, which stays, and whether
// anything was changed: the same phone changes nothing, nor does none.
func (r *Registry) replace(ctx context.Context, tx pgx.Tx, person uuid.UUID, d deed, phone keptPhone, act Act) (state State, changed bool, err error) {
	if phone.index == nil {
		return "", false, nil
	}
	if err := r.free(ctx, tx, person, phone, act); err != nil {
		return "", false, err
	}
	const compare = `
		SELECT state, phone, phone_index IS DISTINCT FROM $3 FROM identity
		WHERE person_id = $1 AND concat_ws(':', state, block_reason) = ANY($2)
		FOR UPDATE`
	const set = `UPDATE identity SET phone = $2, phone_index = $3, changed_at = $4 WHERE person_id = $1`
	var former []byte
	err = tx.QueryRow(ctx, compare, person, allowed[d], phone.index).Scan(&state, &former, &changed)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", false, ErrState
	case err != nil || !changed:
		return state, false, err
	}
	if _, err := tx.Exec(ctx, set, person, phone.sealed, phone.index, act.At); err != nil {
		return "", false, taken(err)
	}
	// What the citizen has asked for himself is no longer there when its own time puts it here.
	if err := r.dropPhoneChange(ctx, tx, person, "desk", act); err != nil {
		return "", false, err
	}
	if err := audit.Record(ctx, tx, act.event(audit.PhoneChanged, person)); err != nil || former == nil {
		return state, true, err
	}
	told, err := OpenPhone(r.box, person, former)
	if err != nil {
		return "", false, err
	}
	return state, true, r.warn(ctx, tx, person, told, "sms.phone_changed", act)
}

// HoldWith keeps a person's identifier, as Hold does, and with it that of whoever has the phone of an index, which is to come to the person. They are
// held by the ids of their people, before anything else is, so that of two who take each other's phone one waits for the other, and not both.
func HoldWith(ctx context.Context, tx pgx.Tx, person uuid.UUID, phone []byte) error {
	const hold = `SELECT FROM identity WHERE person_id = $1 OR phone_index = $2 ORDER BY person_id FOR UPDATE`
	if _, err := tx.Exec(ctx, hold, person, phone); err != nil {
		return fmt.Errorf("hold the identifier of %s and a phone: %w", person, err)
	}
	return nil
}

// free takes a phone from the blocked identifier of another person, if it is there.
// Operators give numbers out again: whoever has proved at a desk that this one is
// theirs now has it, and the former owner's messages go there no more. One that is
// in use is left, for the table's key to tell.
func (r *Registry) free(ctx context.Context, tx pgx.Tx, person uuid.UUID, phone keptPhone, act Act) error {
	const release = `
		UPDATE identity SET phone = NULL, phone_index = NULL, changed_at = $3
		WHERE phone_index = $2 AND person_id <> $1 AND state = 'blocked'
		RETURNING person_id`
	if err := HoldWith(ctx, tx, person, phone.index); err != nil {
		return err
	}
	// Nor does a desk take what another has asked for, having proved it, and will have in a day.
	const held = `SELECT EXISTS (SELECT FROM phone_change WHERE phone_index = $2 AND person_id <> $1 AND due_at IS NOT NULL)`
	var yes bool
	if err := tx.QueryRow(ctx, held, person, phone.index).Scan(&yes); err != nil {
		return fmt.Errorf("look for who will have a phone: %w", err)
	}
	if yes {
		return ErrPhoneTaken
	}
	var former uuid.UUID
	err := tx.QueryRow(ctx, release, person, phone.index, act.At).Scan(&former)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("release a phone: %w", err)
	}
	if err := audit.Record(ctx, tx, act.event(audit.PhoneReleased, former)); err != nil {
		return err
	}
	return r.sms.TakeBack(ctx, tx, former, act.At)
}
