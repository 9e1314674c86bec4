package desk

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"asoba.example/login/identity"
	"asoba.example/login/sms"
)

// ChangePhone puts the confirmed phone in the place of the former one, with every
// guard looked at again within the act. Where the identifier is Temporary, a temporary
// password has gone to the new phone. Who asks again is told the same.
func (d *Desk) ChangePhone(ctx context.Context, by By, id uuid.UUID) (Outcome, error) {
	i, err := d.find(ctx, by, PhoneChange, id)
	if err != nil {
		return Outcome{}, err
	}
	act := d.taking(by, i)
	state, err := d.registry.ChangePhone(ctx, i.person, i.phone, act)
	switch {
	case errors.Is(err, errAssigned):
		state, sent, err := d.changed(ctx, i.person)
		return Outcome{id, state, sent}, err
	case errors.Is(err, identity.ErrPhoneTaken): // by another desk, a moment ago
		err = &GuardError{Code: "g4"}
	}
	if err != nil {
		return Outcome{}, d.record(ctx, err, by, i.person, string(PhoneChange), act.At)
	}
	return Outcome{id, state, d.replaced(ctx, i.person, state)}, nil
}

// changed tells how it stands with an identifier whose phone was changed before.
func (d *Desk) changed(ctx context.Context, person uuid.UUID) (identity.State, sms.State, error) {
	i, err := d.registry.Of(ctx, person)
	if err != nil {
		return "", "", err
	}
	return i.State, d.replaced(ctx, person, i.State), nil
}

// replaced tells how it stands with the temporary password that went to a new phone, where one did.
func (d *Desk) replaced(ctx context.Context, person uuid.UUID, state identity.State) sms.State {
	if state != identity.Temporary {
		return ""
	}
	return d.sent(ctx, person)
}
