package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// Check proves a password. The work is the same whoever is asked about, and
// ErrWrong says nothing more: not whether there is such a person, or identifier,
// or whether it is blocked, or its temporary password is over. The identity comes
// back only with the right password, Temporary (unexpired) or Active.
//
// Whoever is no stranger does not queue behind strangers. A wrong password is counted and
// recorded, and moves no state. After so many in a row a static password proves nothing to
// strangers any more (NIST SP 800-63B-4 §3.2.2), until the right one comes from somebody who is none, or the desk
// helps: nobody can lock a citizen out of his own browser.
func (r *Registry) Check(ctx context.Context, id Identifier, password string, from From, act Act) (Identity, error) {
	return r.check(ctx, id, password, from, act, row.proof)
}

// A From is where a password comes from. Strangers are elsewhere.
type From int

// All of them.
const (
	Elsewhere From = iota
	AsOwner        // a browser that is not known, at which somebody has proved that the identifier is theirs
	AtHome         // one that is known to whose it is
)

func (r *Registry) check(
	ctx context.Context, id Identifier, password string, from From, act Act, proof func(row, time.Time) (hash string, temporary bool),
) (Identity, error) {
	w, costs, err := r.readToCheck(ctx, id)
	if err != nil {
		return Identity{}, fmt.Errorf("check a password: %w", err)
	}
	hash, temporary := proof(w, act.At)
	typed := foldStatic(password)
	if folded := foldTemporary(password); temporary { // folded either way: a long one takes its time
		typed = folded
	}
	if from == Elsewhere && w.state != nil && State(*w.state) != Temporary && *w.failures >= r.failures() {
		hash = ""
	}
	right, err := r.hasher.matches(ctx, w.person, from != Elsewhere, r.hasher.against(hash, costs), typed)
	if err != nil {
		return Identity{}, fmt.Errorf("check a password: %w", err)
	}
	if !right {
		if err := r.refuse(ctx, w.person, from == AtHome, act); err != nil {
			return Identity{}, err
		}
		return Identity{}, ErrWrong
	}
	if *w.failures > 0 {
		if err := r.forgive(ctx, w.person); err != nil {
			return Identity{}, err
		}
	}
	if State(*w.state) == Active && r.hasher.stale(hash) {
		_ = r.rehash(ctx, w.person, hash, typed) // who is right signs in; what cannot be done now is done the next time
	}
	return r.open(w)
}

// readToCheck reads a row, of nobody too, and what the hashes cost that are kept: each cost is found by its index in one step.
func (r *Registry) readToCheck(ctx context.Context, id Identifier) (w row, costs []string, err error) {
	const made = `substring(password_hash FROM '` + paramsForm + `')` // the expression of the index
	const find = `
		WITH RECURSIVE cost AS (
			SELECT min(` + made + `) AS params FROM identity
			UNION ALL
			SELECT (SELECT min(` + made + `) FROM identity WHERE ` + made + ` > cost.params)
			FROM cost WHERE params IS NOT NULL
		)
		SELECT params FROM cost WHERE params IS NOT NULL`
	var b pgx.Batch
	b.Queue(byNumber, id.Reveal()).QueryRow(func(found pgx.Row) (err error) {
		w, err = scan(found)
		return err
	})
	b.Queue(find).Query(func(found pgx.Rows) (err error) {
		costs, err = pgx.CollectRows(found, pgx.RowTo[string])
		return err
	})
	err = r.pool.SendBatch(ctx, &b).Close()
	return w, costs, err
}

// rehash keeps a password, which only its owner's sign-in shows, as passwords are kept now: that
// alone is no act, and changes nothing for anybody.
func (r *Registry) rehash(ctx context.Context, person uuid.UUID, old, password string) error {
	hash, err := r.hasher.hashNow(person, password)
	if err != nil {
		return err
	}
	const update = `UPDATE identity SET password_hash = $3 WHERE person_id = $1 AND password_hash = $2`
	_, err = r.pool.Exec(ctx, update, person, old, hash)
	return err
}

// proof gives the hash that a password must match now, and whether it is a temporary
// one's; no hash where none is good.
func (w row) proof(at time.Time) (hash string, temporary bool) {
	switch {
	case w.state == nil || w.hash == nil:
		return "", false
	case State(*w.state) == Active:
		return *w.hash, false
	case State(*w.state) == Temporary && at.Before(*w.till):
		return *w.hash, true
	}
	return "", false
}

// count counts a failure in a row. For nobody it is the same statement.
const count = `UPDATE identity SET failures = failures + 1 WHERE person_id = $1`

// refuse counts a wrong password and records it, in one trip and one transaction: counting alone would wait for the
// disk where there is a row to change, and would not where there is none.
func (r *Registry) refuse(ctx context.Context, person uuid.UUID, known bool, act Act) error {
	var b pgx.Batch
	b.Queue(count, person)
	refused := act.event(audit.SignInRefused, person)
	refused.Detail = audit.Refused("password", known)
	refused.Queue(&b)
	if err := r.pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("count a wrong password: %w", err)
	}
	return nil
}

// forgive ends a row of failures: the right password came.
func (r *Registry) forgive(ctx context.Context, person uuid.UUID) error {
	const update = `UPDATE identity SET failures = 0 WHERE person_id = $1 AND failures > 0`
	if _, err := r.pool.Exec(ctx, update, person); err != nil {
		return fmt.Errorf("forgive wrong passwords: %w", err)
	}
	return nil
}
