package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
	"asoba.example/provider/grant"
)

// Unblock lifts a block at the desk (resolution 792 ¶6): Blocked → Temporary,
// with a new temporary password by SMS (¶7) to phone, which replaces the present
// one; a zero phone keeps it. ErrNoPhone says that there is none to keep: another
// person has it now. A block by the register is lifted by nobody here.
func (r *Registry) Unblock(ctx context.Context, person uuid.UUID, phone Phone, act Act) error {
	kept, err := r.keep(person, phone)
	if err != nil {
		return err
	}
	password, err := r.formTemporary(ctx, person, act)
	if err != nil {
		return err
	}
	err = r.ending(ctx, person, act, func(tx pgx.Tx) error {
		if _, _, err := r.replace(ctx, tx, person, unblock, kept, act); err != nil {
			return err
		}
		if err := r.renew(ctx, tx, person, unblock, password, act); err != nil {
			return err
		}
		if err := r.vouch(ctx, tx, person, act); err != nil {
			return err
		}
		if err := grant.End(ctx, tx, r.jobs, person, grant.Unblocked, act.At); err != nil {
			return err
		}
		return audit.Record(ctx, tx, act.event(audit.IdentifierUnblocked, person))
	})
	if err != nil {
		return fmt.Errorf("unblock %s: %w", person, err)
	}
	return nil
}
