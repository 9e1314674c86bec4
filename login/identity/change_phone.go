package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
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
	kept, err := r.keep(person, phone)
	if err != nil {
		return "", err
	}
	password, err := r.formTemporary(ctx, person, act) // needed or not: only the transaction knows
	if err != nil {
		return "", err
	}
	var state State
	err = r.transact(ctx, act, func(tx pgx.Tx) error {
		var changed bool
		state, changed, err = r.replace(ctx, tx, person, changePhone, kept, act)
		switch {
		case err != nil:
			return err
		case !changed:
			return ErrState
		}
		if err := r.vouch(ctx, tx, person, act); err != nil {
			return err
		}
		if state != Temporary {
			return nil
		}
		return r.renew(ctx, tx, person, reissue, password, act)
	})
	if err != nil {
		return "", fmt.Errorf("change the phone of %s: %w", person, err)
	}
	return state, nil
}
