package register

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
	"asoba.example/provider/pair"
)

// Why an edition cannot be decided.
var (
	ErrStaging     = errors.New("its file was not read to the end")
	ErrNeverWaited = errors.New("it never waited for a second person")
	ErrLost        = errors.New("the database has lost its rows in a crash: its file must be imported again")
)

// stands is how an edition stands before those who decide.
var stands = map[State]pair.State{Waiting: pair.Open, Applied: pair.Approved, Refused: pair.Refused, Withdrawn: pair.Withdrawn}

// Release has another of the staff than who imported it apply an edition that waits.
func (g *Register) Release(ctx context.Context, id int64, by uuid.UUID, at time.Time) (Edition, error) {
	return g.decide(ctx, id, by, "", at, pair.Approved, audit.EditionReleased, func(tx pgx.Tx, e *Edition) error {
		lost, err := e.isLost(ctx, tx)
		if err != nil {
			return err
		}
		if lost {
			return ErrLost
		}
		if err := changing(ctx, tx); err != nil {
			return err
		}
		withheld, err := g.compare(ctx, tx, e, staged) // what is known may have changed since
		if err != nil {
			return err
		}
		if err := keep(ctx, tx, e, withheld); err != nil {
			return err
		}
		return g.apply(ctx, tx, e, by, at)
	})
}

// Refuse has another of the staff refuse an edition that waits. Nothing of it was applied; its file may come again.
func (g *Register) Refuse(ctx context.Context, id int64, by uuid.UUID, at time.Time) (Edition, error) {
	return g.decide(ctx, id, by, "", at, pair.Refused, audit.EditionRefused, drop(ctx, Refused))
}

// Withdraw has whoever brought an edition that waits take it back: one of the staff, or a client what it brought in its own name. Nothing of it
// was applied; its file may come again.
func (g *Register) Withdraw(ctx context.Context, id int64, by uuid.UUID, clientID string, at time.Time) (Edition, error) {
	return g.decide(ctx, id, by, clientID, at, pair.Withdrawn, audit.EditionWithdrawn, drop(ctx, Withdrawn))
}

// drop leaves nothing of an edition but its record.
func drop(ctx context.Context, to State) func(pgx.Tx, *Edition) error {
	return func(tx pgx.Tx, e *Edition) error {
		e.State = to
		if err := put(ctx, tx, e); err != nil {
			return err
		}
		return empty(ctx, tx)
	}
}

// decide ends the waiting. Whoever decides the same again is told what became of it.
func (g *Register) decide(ctx context.Context, id int64, by uuid.UUID, clientID string, at time.Time, to pair.State, kind audit.Kind,
	do func(pgx.Tx, *Edition) error,
) (Edition, error) {
	var e Edition
	err := pgx.BeginFunc(ctx, g.Pool, func(tx pgx.Tx) (err error) {
		if err := g.hold(ctx, tx, by); err != nil {
			return err
		}
		var ours bool
		if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1)`, importing).Scan(&ours); err != nil {
			return err
		}
		if !ours {
			return ErrBusy
		}
		if e, err = findEdition(ctx, tx, `id = $1`, id); err != nil {
			return err
		}
		proposal := pair.Proposal{DecidedBy: e.DecidedBy}
		var settled bool
		if proposal.State, settled = stands[e.State]; !settled {
			return ErrStaging
		}
		switch {
		case (e.State == Applied || e.State == Refused) && e.DecidedBy == nil: // at once, or by itself
			return ErrNeverWaited
		case by == uuid.Nil && (clientID == "" || clientID != e.ClientID): // nobody's own
			return pair.ErrOwn
		}
		if e.ImportedBy != nil {
			proposal.Author = *e.ImportedBy
		}
		if again, err := proposal.Decide(by, to); again || err != nil {
			return err
		}
		e.DecidedBy, e.DecidedAt = person(by), &at
		if err := audit.Record(ctx, tx, audit.Event{Kind: kind, At: at, Edition: e.ID, Clerk: by, ClientID: clientID}); err != nil {
			return err
		}
		return do(tx, &e)
	})
	if err != nil {
		return Edition{}, fmt.Errorf("decide on edition %d: %w", id, err)
	}
	return e, nil
}

// hold holds that somebody, where anybody was named, is of the staff who may bring editions in, until the transaction ends.
func (g *Register) hold(ctx context.Context, tx pgx.Tx, by uuid.UUID) error {
	if g.Staff == nil || by == uuid.Nil {
		return nil
	}
	return g.Staff(ctx, tx, by)
}
