package factor

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/identity"
	"asoba.example/provider/audit"
)

// Remove removes a passkey of a person's, and tells the phone. One that is gone already, or another's, stays as it is.
// Whether the person came by a passkey is for the caller to see to: what was lost is not given up by less (OWASP ASVS
// 5.0 6.4.4).
func (p *Passkeys) Remove(ctx context.Context, person, id uuid.UUID, act identity.Act) error {
	return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error { return p.remove(ctx, tx, person, id, "", act) })
}

func (p *Passkeys) remove(ctx context.Context, tx pgx.Tx, person, id uuid.UUID, why string, act identity.Act) error {
	const remove = `DELETE FROM passkey WHERE person_id = $1 AND id = $2`
	tag, err := tx.Exec(ctx, remove, person, id)
	if err != nil {
		return fmt.Errorf("remove passkey %s: %w", id, err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	if err := audit.Record(ctx, tx, event(audit.PasskeyRemoved, person, why, act)); err != nil {
		return err
	}
	return p.registry.Tell(ctx, tx, person, "sms.passkey_removed", act)
}

func (p *Passkeys) forget(ctx context.Context, tx pgx.Tx, person uuid.UUID, act identity.Act) error {
	const forget = `DELETE FROM passkey WHERE person_id = $1`
	tag, err := tx.Exec(ctx, forget, person)
	if err != nil {
		return fmt.Errorf("forget passkeys: %w", err)
	}
	events := make([]audit.Event, tag.RowsAffected())
	for i := range events {
		events[i] = event(audit.PasskeyRemoved, person, "unblocked", act)
	}
	return audit.Record(ctx, tx, events...)
}
