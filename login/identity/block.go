package identity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
	"asoba.example/provider/grant"
)

// Block ends the identifier's use until it is unblocked (resolution 792 ¶6): by
// the citizen (Self), by written application (Desk) or by the operator (Security).
// It is no deletion: the assignment stays. Every sign-in so far is worth nothing
// from the commit on.
func (r *Registry) Block(ctx context.Context, person uuid.UUID, reason BlockReason, act Act) error {
	var d deed
	switch reason {
	case Self:
		d = blockSelf
	case Desk:
		d = blockDesk
	case Security:
		d = blockSecurity
	case Register: // see Deactivate
		return fmt.Errorf("block %s: %w", person, ErrState)
	}
	err := r.ending(ctx, person, act, func(tx pgx.Tx) error { return r.block(ctx, tx, person, d, reason, act) })
	if err != nil {
		return fmt.Errorf("block %s: %w", person, err)
	}
	return nil
}

// Secure blocks the identifiers of people of whom the operator suspects that somebody else has taken them over, in the transaction of his
// decision, and tells whose it has blocked. Who has none, or is blocked already, is passed over. Redis is cleaned by the jobs it leaves.
func (r *Registry) Secure(ctx context.Context, tx pgx.Tx, people []uuid.UUID, act Act) (blocked []uuid.UUID, err error) {
	people = slices.SortedFunc(slices.Values(people), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }) // two that wait for one another would wait for ever
	for _, person := range people {
		err := r.block(ctx, tx, person, blockSecurity, Security, act)
		switch {
		case err == nil:
			blocked = append(blocked, person)
		case !errors.Is(err, ErrState):
			return nil, fmt.Errorf("block %s: %w", person, err)
		}
	}
	return blocked, nil
}

// block blocks one identifier, and ends and tells all that goes with it.
func (r *Registry) block(ctx context.Context, tx pgx.Tx, person uuid.UUID, d deed, reason BlockReason, act Act) error {
	// The static password stays where the citizen may lift the block himself, unless it may be that of whoever has taken the identifier over:
	// the block was asked for by a warning, or by a code alone, and there was a warning of such an act.
	update := `
		UPDATE identity
		SET state = 'blocked', block_reason = $3,
		    password_hash = CASE WHEN $3 = 'self' AND NOT ($5 AND ` + mayBeTaken("$4") + `) THEN password_hash END, password_till = NULL,
		    failures = 0, unblock_failures = 0, changed_at = $4
		WHERE person_id = $1 AND concat_ws(':', state, block_reason) = ANY($2)
		RETURNING phone`
	phone, err := r.move(ctx, tx, person, update, allowed[d], reason, act.At, act.By == byWarning || act.By == ByCode)
	if err != nil {
		return err
	}
	if err := grant.End(ctx, tx, r.jobs, person, grant.Blocked, act.At); err != nil {
		return err
	}
	if err := r.dropPhoneChange(ctx, tx, person, "blocked", act); err != nil {
		return err
	}
	event := act.event(audit.IdentifierBlocked, person)
	event.Detail = map[string]string{"reason": string(reason)}
	if act.By != "" {
		event.Detail["by"] = act.By
	}
	if err := audit.Record(ctx, tx, event); err != nil {
		return err
	}
	word := "sms.blocked"
	if reason == Security {
		word = "sms.blocked_security"
	}
	return r.notify(ctx, tx, person, phone, word, act)
}
