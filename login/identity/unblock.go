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
// with a new temporary password by SMS (¶7). A block by the register is lifted
// by nobody here.
func (r *Registry) Unblock(ctx context.Context, person uuid.UUID, act Act) error {
	password, err := r.formTemporary(ctx, person, act)
	if err != nil {
		return err
	}
	err = r.ending(ctx, person, act, func(tx pgx.Tx) error {
		phone, err := r.renew(ctx, tx, person, unblock, password, act)
		if err != nil {
			return err
		}
		if err := grant.End(ctx, tx, r.jobs, person, grant.Unblocked, act.At); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, act.event(audit.IdentifierUnblocked, person)); err != nil {
			return err
		}
		return r.send(ctx, tx, person, phone, password, act)
	})
	if err != nil {
		return fmt.Errorf("unblock %s: %w", person, err)
	}
	return nil
}
