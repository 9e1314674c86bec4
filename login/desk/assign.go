package desk

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"asoba.example/login/document"
	"asoba.example/login/identity"
	"asoba.example/login/sms"
)

// Assign ends a visit with what it was opened for, in one act, with every guard
// looked at again within it. Who asks again is told what became of it.
func (d *Desk) Assign(ctx context.Context, by By, e Errand, id uuid.UUID) (Outcome, error) {
	i, err := d.find(ctx, by, e, id)
	if err != nil {
		return Outcome{}, err
	}
	i.report = d.again(ctx, i)
	act := d.taking(by, i)
	state := identity.Temporary
	switch e {
	case Issuance:
		err = d.registry.Issue(ctx, identity.Assignment{Person: i.person, Phone: i.phone, Names: i.names, Document: i.document}, act)
	case PhoneChange:
		state, err = d.registry.ChangePhone(ctx, i.person, i.phone, act)
	case Unblock:
		err = d.registry.Unblock(ctx, i.person, i.phone, act)
	case Reissue:
		err = d.registry.Reissue(ctx, i.person, i.phone, act)
	}
	switch {
	case errors.Is(err, errAssigned):
		state, sent, err := d.assigned(ctx, i.person)
		return Outcome{id, state, sent}, err
	case err != nil:
		return Outcome{}, d.record(ctx, guarded(err), by, i.person, string(e), act.At)
	}
	return Outcome{id, state, d.replaced(ctx, i.person, state)}, nil
}

// again asks once more about the document of a visit. If its register is away by now,
// what was said at the opening, a short time ago, holds.
func (d *Desk) again(ctx context.Context, i issuance) document.Report {
	report, err := d.ask(ctx, i.identifier, i.document)
	if err != nil {
		return i.report
	}
	return report
}

// guarded gives the guard that does not hold where the identity's keys have told so.
func guarded(err error) error {
	for meaning, code := range map[error]string{
		identity.ErrAssigned:   "g2", // by another desk, a moment ago
		identity.ErrNoPhone:    "g3",
		identity.ErrPhoneTaken: "g4",
	} {
		if errors.Is(err, meaning) {
			return &GuardError{Code: code}
		}
	}
	return err
}

// assigned tells how it stands with the identifier of a visit that has come to its end.
func (d *Desk) assigned(ctx context.Context, person uuid.UUID) (identity.State, sms.State, error) {
	i, err := d.registry.Of(ctx, person)
	if err != nil {
		return "", "", err
	}
	return i.State, d.replaced(ctx, person, i.State), nil
}

// replaced tells how it stands with the temporary password, where there is one.
func (d *Desk) replaced(ctx context.Context, person uuid.UUID, state identity.State) sms.State {
	if state != identity.Temporary {
		return ""
	}
	return d.sent(ctx, person)
}
