package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/login/clerk"
	"asoba.example/login/identity"
	"asoba.example/login/register"
	"asoba.example/provider/audit"
	"asoba.example/provider/pair"
)

// Why nothing is proposed.
var (
	ErrRestoring   = errors.New("that is proposed already")
	ErrNotRestored = errors.New("it is no restoration that was approved, or was undone already")
)

// restored are the records of how the proposal of a restoration ends.
var restored = map[pair.State]audit.Kind{
	pair.Approved: audit.RestorationApproved, pair.Refused: audit.RestorationRefused, pair.Withdrawn: audit.RestorationDropped,
}

// A Restoration is a proposal that somebody whom the register tells to be dead or missing is alive, and found; or that one be undone.
type Restoration struct {
	ID         uuid.UUID
	Number     string     // the person's identification number
	Undoes     *uuid.UUID // which one; nil: it restores
	Basis      identity.Basis
	State      pair.State
	ProposedBy uuid.UUID
	ProposedAt time.Time
	DecidedBy  *uuid.UUID
	DecidedAt  *time.Time
	UndoneAt   *time.Time // when that was approved which undoes it

	person   uuid.UUID
	restored *time.Time // when that was approved which it undoes
}

// Restorations are what the operator's staff takes back of what the register says, two together (order 82, p. 8).
type Restorations struct {
	Pool     *pgxpool.Pool
	Register *register.Register
	Now      func() time.Time
}

// Propose has one of the staff propose that somebody is restored, on the act of a court or an authority: it came after what it takes back.
// Whoever proposes the same again while it waits is told of that proposal.
func (r *Restorations) Propose(ctx context.Context, by clerk.Clerk, number string, basis identity.Basis) (Restoration, error) {
	// Of two who propose at one moment the second finds the first.
	const alone = `LOCK TABLE restoration IN SHARE ROW EXCLUSIVE MODE`
	const insert = `
		INSERT INTO restoration (id, person_id, basis_number, basis_date, state, proposed_by, proposed_at)
		VALUES ($1, $2, $3, $4, 'open', $5, $6)`
	const open = restorations + `WHERE r.person_id = $1 AND r.undoes IS NULL AND r.state = 'open'`
	p := Restoration{Number: number, Basis: basis, State: pair.Open, ProposedBy: by.Person, ProposedAt: r.Now()}
	var err error
	if p.ID, err = uuid.NewV7(); err != nil {
		return Restoration{}, err
	}
	err = r.act(ctx, by, func(tx pgx.Tx) error {
		who, err := register.Hold(ctx, tx, number)
		if err != nil {
			return err
		}
		p.person = who.ID
		if _, err := tx.Exec(ctx, alone); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, open, who.ID)
		waiting, err := pgx.CollectRows(rows, scanRestoration)
		if err != nil {
			return err
		}
		switch err := who.RestoredBy(basis.Date); {
		case errors.Is(err, register.ErrAlive):
			return err
		case len(waiting) > 0 && waiting[0].ProposedBy == by.Person && waiting[0].Basis == basis:
			p = waiting[0]
			return nil
		case len(waiting) > 0:
			return ErrRestoring
		case err != nil:
			return err
		}
		if _, err := tx.Exec(ctx, insert, p.ID, who.ID, basis.Number, basis.Date, by.Person, p.ProposedAt); err != nil {
			return err
		}
		return p.record(ctx, tx, audit.RestorationProposed, by, p.ProposedAt)
	})
	return p, err
}

// ProposeUndo has one of the staff propose that a restoration which was approved by mistake is undone, on an act of no earlier day than its own.
// Whoever proposes the same again while it waits is told of that proposal.
func (r *Restorations) ProposeUndo(ctx context.Context, by clerk.Clerk, id uuid.UUID, basis identity.Basis) (Restoration, error) {
	const lock = `SELECT FROM restoration WHERE id = $1 FOR UPDATE`
	const undoing = restorations + `WHERE r.undoes = $1 AND r.state IN ('open', 'approved')`
	const insert = `
		INSERT INTO restoration (id, person_id, undoes, basis_number, basis_date, state, proposed_by, proposed_at)
		VALUES ($1, $2, $3, $4, $5, 'open', $6, $7)`
	p := Restoration{Undoes: &id, Basis: basis, State: pair.Open, ProposedBy: by.Person, ProposedAt: r.Now()}
	var err error
	if p.ID, err = uuid.NewV7(); err != nil {
		return Restoration{}, err
	}
	err = r.act(ctx, by, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lock, id); err != nil {
			return err
		}
		was, err := findRestoration(ctx, tx, id)
		if err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, undoing, id)
		known, err := pgx.CollectRows(rows, scanRestoration)
		switch {
		case err != nil:
			return err
		case was.State != pair.Approved || was.Undoes != nil || len(known) > 0 && known[0].State == pair.Approved:
			return ErrNotRestored
		case len(known) > 0 && known[0].ProposedBy == by.Person && known[0].Basis == basis:
			p = known[0]
			return nil
		case len(known) > 0:
			return ErrRestoring
		case basis.Date < was.Basis.Date:
			return register.ErrEarlier
		}
		kept, err := r.Register.Keeps(ctx, tx, was.person, *was.DecidedAt)
		switch {
		case err != nil:
			return err
		case !kept:
			return register.ErrUndone
		}
		p.Number, p.person = was.Number, was.person
		if _, err := tx.Exec(ctx, insert, p.ID, p.person, id, basis.Number, basis.Date, by.Person, p.ProposedAt); err != nil {
			return err
		}
		return p.record(ctx, tx, audit.RestorationProposed, by, p.ProposedAt)
	})
	return p, err
}

// Approve has another of the staff restore the person: what the register says is taken back, and the desk may lift the block. It may
// have come to say something else since the proposal, of a later day than the act: then nothing is. Where a restoration is to be undone, what
// it took back holds again.
func (r *Restorations) Approve(ctx context.Context, by clerk.Clerk, id uuid.UUID) (Restoration, error) {
	return r.decide(ctx, by, id, pair.Approved, func(tx pgx.Tx, p Restoration, at time.Time) error {
		if p.Undoes != nil {
			return r.Register.Undo(ctx, tx, p.person, by.Person, *p.restored, at)
		}
		return r.Register.Restore(ctx, tx, p.person, by.Person, p.Basis.Date, at)
	})
}

// Refuse has another of the staff refuse a proposal.
func (r *Restorations) Refuse(ctx context.Context, by clerk.Clerk, id uuid.UUID) (Restoration, error) {
	return r.decide(ctx, by, id, pair.Refused, func(pgx.Tx, Restoration, time.Time) error { return nil })
}

// Withdraw has whoever made a proposal take it back.
func (r *Restorations) Withdraw(ctx context.Context, by clerk.Clerk, id uuid.UUID) (Restoration, error) {
	return r.decide(ctx, by, id, pair.Withdrawn, func(pgx.Tx, Restoration, time.Time) error { return nil })
}

// decide ends an open proposal. Whoever decides the same again is told what became of it.
func (r *Restorations) decide(ctx context.Context, by clerk.Clerk, id uuid.UUID, to pair.State, do func(pgx.Tx, Restoration, time.Time) error) (p Restoration, err error) {
	const lock = `SELECT FROM restoration WHERE id = $1 FOR UPDATE`
	const decide = `UPDATE restoration SET state = $2, decided_by = $3, decided_at = $4 WHERE id = $1`
	at := r.Now()
	err = r.act(ctx, by, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lock, id); err != nil {
			return err
		}
		if p, err = findRestoration(ctx, tx, id); err != nil {
			return err
		}
		proposal := pair.Proposal{Author: p.ProposedBy, State: p.State, DecidedBy: p.DecidedBy}
		if again, err := proposal.Decide(by.Person, to); again || err != nil {
			return err
		}
		if err := do(tx, p, at); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, decide, id, to, by.Person, at); err != nil {
			return err
		}
		p.State, p.DecidedBy, p.DecidedAt = to, &by.Person, &at
		kind := restored[to]
		if p.Undoes != nil && to == pair.Approved {
			kind = audit.RestorationUndone
		}
		return p.record(ctx, tx, kind, by, at)
	})
	return p, err
}

// act is one transaction of one of the staff, who stays that until its end.
func (r *Restorations) act(ctx context.Context, by clerk.Clerk, act func(pgx.Tx) error) error {
	err := pgx.BeginFunc(ctx, r.Pool, func(tx pgx.Tx) error {
		if err := clerk.Hold(ctx, tx, by.Person, clerk.Import); err != nil {
			return err
		}
		return act(tx)
	})
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

func (p Restoration) record(ctx context.Context, tx pgx.Tx, kind audit.Kind, by clerk.Clerk, at time.Time) error {
	detail := map[string]string{"proposal": p.ID.String()}
	if p.Undoes != nil {
		detail["undoes"] = p.Undoes.String()
	}
	return audit.Record(ctx, tx, audit.Event{Kind: kind, At: at, Person: p.person, Clerk: by.Person, Office: by.Office, Detail: detail})
}

// restorations reads them, in the order of scanRestoration.
const restorations = `
	SELECT r.id, p.identification_number, r.undoes, r.basis_number, r.basis_date::text, r.state, r.proposed_by, r.proposed_at, r.decided_by, r.decided_at,
	       undoing.decided_at, r.person_id, was.decided_at
	FROM restoration AS r JOIN person AS p ON p.id = r.person_id
	LEFT JOIN restoration AS was ON was.id = r.undoes LEFT JOIN restoration AS undoing ON undoing.undoes = r.id AND undoing.state = 'approved' `

// findRestoration gives one proposal, or ErrUnknown.
func findRestoration(ctx context.Context, tx pgx.Tx, id uuid.UUID) (Restoration, error) {
	rows, _ := tx.Query(ctx, restorations+`WHERE r.id = $1`, id)
	p, err := pgx.CollectExactlyOneRow(rows, scanRestoration)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, ErrUnknown
	}
	return p, err
}

func scanRestoration(row pgx.CollectableRow) (p Restoration, err error) {
	err = row.Scan(&p.ID, &p.Number, &p.Undoes, &p.Basis.Number, &p.Basis.Date, &p.State, &p.ProposedBy, &p.ProposedAt, &p.DecidedBy, &p.DecidedAt, &p.UndoneAt, &p.person, &p.restored)
	return p, err
}

// List gives the last hundred proposals, the newest first; with a state, of those that have it.
func (r *Restorations) List(ctx context.Context, state pair.State) ([]Restoration, error) {
	const list = restorations + `WHERE $1 = '' OR r.state = $1 ORDER BY r.proposed_at DESC, r.id DESC LIMIT 100`
	rows, _ := r.Pool.Query(ctx, list, state)
	all, err := pgx.CollectRows(rows, scanRestoration)
	if err != nil {
		return nil, fmt.Errorf("list the proposals of restorations: %w", err)
	}
	return all, nil
}
