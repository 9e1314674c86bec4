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

// ErrClosed says that a block is not lifted at an unknown browser for a while: somebody has failed too often.
var ErrClosed = errors.New("this block is not lifted at unknown browsers for a while")

// UnblockSelf lifts a block that the citizen has set himself (resolution 792 ¶6): Blocked (Self) → Active, with another static password (¶7).
// Who it is was proved while the identity's ChangedAt was changed, by no less than a sign-in needs (eIDAS 2015/1502, annex 2.2.3); ErrState
// says that it was acted upon since, that somebody else has set the block, or that the register says that the person is gone. known tells that the
// browser is known to this person: there nobody else's failures count.
func (r *Registry) UnblockSelf(ctx context.Context, person uuid.UUID, changed time.Time, known bool, password string, act Act) error {
	w, err := r.readByPerson(ctx, person)
	if err != nil {
		return fmt.Errorf("unblock: %w", err)
	}
	if w.state == nil || w.stance() != BlockedSelf || w.hash == nil {
		return fmt.Errorf("unblock %s: %w", person, ErrState)
	}
	who, err := r.open(w)
	if err != nil {
		return fmt.Errorf("unblock %s: %w", person, err)
	}
	if !known && who.Closed(act.At) {
		return fmt.Errorf("unblock %s: %w", person, ErrClosed)
	}
	same, err := r.hasher.matches(ctx, person, true, []string{*w.hash}, foldStatic(password))
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
		WHERE person_id = $1 AND concat_ws(':', state, block_reason) = ANY($2) AND changed_at = $3
		RETURNING phone`
	err = r.ending(ctx, person, act, func(tx pgx.Tx) error {
		known, err := register.Hold(ctx, tx, w.number)
		switch {
		case err != nil:
			return err
		case known.Gone(): // whatever is known of the block
			return ErrState
		}
		phone, err := r.move(ctx, tx, person, update, allowed[unblockSelf], changed, hash, act.At)
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
func (r *Registry) CheckBlocked(ctx context.Context, id Identifier, password string, from From, act Act) (Identity, error) {
	return r.check(ctx, id, password, from, act, row.proofToUnblock)
}

func (w row) proofToUnblock(time.Time) (hash string, temporary bool) {
	if w.state == nil || w.hash == nil || State(*w.state) == Temporary {
		return "", false
	}
	return *w.hash, false // of a block by anybody else none is left
}

// CountUnblock counts that somebody who knew the password could not prove more, where the identifier is blocked. Who does not know it closes
// nobody's way back, and what is tried while it is closed keeps it closed no longer.
func (r *Registry) CountUnblock(ctx context.Context, person uuid.UUID, at time.Time) error {
	const count = `
		UPDATE identity
		SET unblock_failures = CASE WHEN unblock_failed_at > $3 THEN unblock_failures + 1 ELSE 1 END, unblock_failed_at = $2
		WHERE person_id = $1 AND state = 'blocked' AND NOT (unblock_failures >= $4 AND unblock_failed_at IS NOT NULL AND unblock_failed_at > $3)`
	if _, err := r.pool.Exec(ctx, count, person, at, at.Add(-r.closedFor()), r.unblockTries()); err != nil {
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
