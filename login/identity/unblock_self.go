package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/register"
	"asoba.example/provider/audit"
	"asoba.example/provider/grant"
)

// ErrClosed says that only the desk lifts a block: the citizen has failed too often.
var ErrClosed = errors.New("only the desk lifts this block now")

// UnblockSelf lifts a block that the citizen has set himself (resolution 792 ¶6): Blocked (Self) → Active, with another static password (¶7).
// Who it is was proved while the identity's ChangedAt was changed, by no less than a sign-in needs (eIDAS 2015/1502, annex 2.2.3); ErrState
// says that it was acted upon since, that somebody else has set the block, or that the register says that the person is gone.
func (r *Registry) UnblockSelf(ctx context.Context, person uuid.UUID, changed time.Time, password string, act Act) error {
	w, err := r.readByPerson(ctx, person)
	if err != nil {
		return fmt.Errorf("unblock: %w", err)
	}
	if w.state == nil || w.stance() != BlockedSelf || w.hash == nil {
		return fmt.Errorf("unblock %s: %w", person, ErrState)
	}
	if *w.unblockFailures >= r.unblockTries() {
		return fmt.Errorf("unblock %s: %w", person, ErrClosed)
	}
	same, err := r.hasher.matches(ctx, person, *w.hash, true, foldStatic(password))
	if err != nil {
		return err
	}
	if same {
		return &WeakError{wordSame}
	}
	if err := r.acceptable(w, password); err != nil {
		return err
	}
	hash, err := r.hasher.hash(ctx, person, foldStatic(password))
	if err != nil {
		return err
	}
	const update = `
		UPDATE identity
		SET state = 'active', block_reason = NULL, password_hash = $4, failures = 0, unblock_failures = 0, changed_at = $5
		WHERE person_id = $1 AND concat_ws(':', state, block_reason) = ANY($2) AND changed_at = $3 AND unblock_failures < $6
		RETURNING phone`
	err = r.ending(ctx, person, act, func(tx pgx.Tx) error {
		known, err := register.Hold(ctx, tx, w.number)
		switch {
		case err != nil:
			return err
		case known.Gone(): // whoever was blocked before the register told of a death is blocked still, and stays so
			return ErrState
		}
		phone, err := r.move(ctx, tx, person, update, allowed[unblockSelf], changed, hash, act.At, r.unblockTries())
		if err != nil {
			return err
		}
		if err := grant.End(ctx, tx, r.jobs, person, grant.Unblocked, act.At); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, act.event(audit.IdentifierUnblocked, person)); err != nil {
			return err
		}
		return r.warn(ctx, tx, person, phone, "sms.unblocked", act)
	})
	if err != nil {
		return fmt.Errorf("unblock %s: %w", person, err)
	}
	return nil
}

// CheckBlocked proves a static password as Check does, of an identifier that its citizen has blocked. Whoever has it in use is proved as well:
// that it is not blocked is told to who has proved more.
func (r *Registry) CheckBlocked(ctx context.Context, id Identifier, password string, known bool, act Act) (Identity, error) {
	return r.check(ctx, id, password, known, act, row.proofToUnblock)
}

func (w row) proofToUnblock(time.Time) (hash string, temporary bool) {
	if w.state == nil || w.hash == nil || State(*w.state) == Temporary {
		return "", false
	}
	return *w.hash, false // of a block by anybody else none is left
}

// CountUnblock counts that somebody who knew the password could not prove more, where the identifier is blocked. Who does not know it closes
// nobody's way back.
func (r *Registry) CountUnblock(ctx context.Context, person uuid.UUID) error {
	const count = `UPDATE identity SET unblock_failures = unblock_failures + 1 WHERE person_id = $1 AND state = 'blocked'`
	if _, err := r.pool.Exec(ctx, count, person); err != nil {
		return fmt.Errorf("count a try to unblock: %w", err)
	}
	return nil
}

// stance is how a person stands, who has an identifier.
func (w row) stance() Stance {
	if w.reason == nil {
		return Stance(*w.state)
	}
	return Stance(*w.state + ":" + *w.reason)
}
