package desk

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/code"
	"asoba.example/login/identity"
	"asoba.example/provider/audit"
)

// confirming is what the code of a visit is good for.
func confirming(id, person uuid.UUID, phone identity.Phone) code.For {
	return code.For{Purpose: code.ConfirmPhone, Person: person, Occasion: id.String(), Phone: phone}
}

// Resend sends another code, where the earlier one was lost or is over. Who asks again by the same key is told of the code that
// has gone.
func (d *Desk) Resend(ctx context.Context, by By, e Errand, id uuid.UUID) (code.Sent, error) {
	v, err := d.find(ctx, by, e, id)
	if err == nil && v.assignedAt != nil {
		err = ErrOver
	}
	if err != nil {
		return code.Sent{}, err
	}
	key, err := d.key(by)
	if err != nil {
		return code.Sent{}, err
	}
	f := confirming(id, v.person, v.phone)
	if key != nil && bytes.Equal(key, v.codeKey) {
		sent, err := d.codes.Standing(ctx, f)
		if err == nil && sent.Till.IsZero() {
			err = code.ErrOver
		}
		return sent, err
	}
	if _, err := d.begun(ctx, request{key, []byte{}}); !errors.Is(err, errNew) { // something else was asked for by the key
		return code.Sent{}, err
	}
	return d.send(ctx, f, v.language, id, key, func(context.Context, pgx.Tx) error { return nil })
}

// send sends a code, and keeps with its visit by which request, and which one it is: that the phone was confirmed by it is to be shown later.
func (d *Desk) send(
	ctx context.Context, f code.For, language string, visit uuid.UUID, key []byte, within func(context.Context, pgx.Tx) error,
) (sent code.Sent, err error) {
	const keep = `
		UPDATE issuance SET code_key = $2, code_id = CASE WHEN phone_confirmed_at IS NULL THEN $3 ELSE code_id END
		WHERE id = $1`
	if f.ID, err = uuid.NewV7(); err != nil {
		return code.Sent{}, err
	}
	return d.codes.Send(ctx, f, language, func(ctx context.Context, tx pgx.Tx) error {
		if err := within(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, keep, visit, key, f.ID); err != nil {
			return fmt.Errorf("keep which code was sent: %w", err)
		}
		return nil
	})
}

// ConfirmPhone takes the code that came to the phone, from the person's own mouth:
// so the person confirms the use of the number (resolution 792 ¶4). A visit is confirmed once, so the code is spent only when that
// is done: where it could not be, the same code is good still.
func (d *Desk) ConfirmPhone(ctx context.Context, by By, e Errand, id uuid.UUID, typed string) error {
	v, err := d.find(ctx, by, e, id)
	if err != nil || v.confirmedAt != nil {
		return err
	}
	digits, ok := code.Parse(typed)
	if !ok {
		return code.ErrWrong
	}
	f := confirming(id, v.person, v.phone)
	if err := d.codes.Try(ctx, f, digits); err != nil {
		return err
	}
	const update = `UPDATE issuance SET phone_confirmed_at = $2 WHERE id = $1 AND phone_confirmed_at IS NULL`
	at := d.now()
	err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, update, id, at)
		if err != nil {
			return fmt.Errorf("confirm the phone: %w", err)
		}
		if tag.RowsAffected() == 0 { // another window was quicker with the same code
			return nil
		}
		return audit.Record(ctx, tx, event(audit.PhoneConfirmed, by, v.person, at))
	})
	if err != nil {
		return err
	}
	return d.codes.Spend(ctx, f, digits)
}
