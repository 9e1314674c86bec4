package desk

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"asoba.example/login/identity"
)

// Assign assigns the identifier and sends the temporary password: one act, with
// every guard looked at again within it. Who asks again is told what became of it.
func (d *Desk) Assign(ctx context.Context, by By, id uuid.UUID) (Outcome, error) {
	i, err := d.find(ctx, by, Issuance, id)
	if err != nil {
		return Outcome{}, err
	}
	act := d.taking(by, i)
	err = d.registry.Issue(ctx, identity.Assignment{
		Person: i.person, Phone: i.phone, Names: i.names, Document: i.document,
	}, act)
	switch {
	case errors.Is(err, errAssigned):
	case errors.Is(err, identity.ErrAssigned): // by another desk, a moment ago
		err = &GuardError{Code: "g2"}
	case errors.Is(err, identity.ErrPhoneTaken):
		err = &GuardError{Code: "g4"}
	}
	if err != nil && !errors.Is(err, errAssigned) {
		return Outcome{}, d.record(ctx, err, by, i.person, string(Issuance), act.At)
	}
	return Outcome{id, identity.Temporary, d.sent(ctx, i.person)}, nil
}
