package register

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// errTried ends the transaction of a trial.
var errTried = errors.New("tried")

// Try tells what an import would do. It writes nothing that stays, and disturbs neither an edition that waits nor one that is staged.
func (g *Register) Try(ctx context.Context, o Order) (Report, error) {
	f, err := g.open(o)
	if err != nil {
		return Report{}, fmt.Errorf("try the register: %w", err)
	}
	r := Report{Edition: Edition{
		Number: f.number, Period: f.period, AsOf: f.asOf, Kind: f.kind, State: Staging, Checksum: f.checksum[:], Signed: g.Key != nil, Announced: f.rows, BeganAt: o.At,
	}}
	r.NotBefore, r.NotAfter = f.made(o.At)
	err = pgx.BeginFunc(ctx, g.Pool, func(tx pgx.Tx) error {
		if err := g.try(ctx, tx, &r, f, o.At); err != nil {
			return err
		}
		return errTried
	})
	if err != nil && !errors.Is(err, errTried) {
		return r, fmt.Errorf("try edition %d: %w", f.number, err)
	}
	return r, nil
}

// try does as an import does, but beside what is staged.
func (g *Register) try(ctx context.Context, tx pgx.Tx, r *Report, f *file, at time.Time) error {
	known, err := findEdition(ctx, tx, `checksum = $1 AND state NOT IN ('refused', 'withdrawn')`, f.checksum[:])
	lost := false
	if err == nil {
		lost, err = known.isLost(ctx, tx)
	}
	switch {
	case lost, known.State == Staging: // an import reads it again, or on, as of when it came first
		r.NotBefore, r.NotAfter = known.NotBefore, known.NotAfter
	case errors.Is(err, ErrNoEdition):
		err = follows(ctx, tx, f.head)
		r.Behind = errors.Is(err, ErrWaits)
	default:
		r.Edition, r.Again = known, true
		return err
	}
	if err != nil && !r.Behind {
		return err
	}
	if err := setAside(ctx, tx); err != nil {
		return err
	}
	f.madeBy(r.NotAfter)
	if err := f.byLine(f.size).into(ctx, tx, aside+lines); err != nil {
		return err
	}
	defer func() { r.Bad = f.bad }()
	if err := g.judge(&r.Edition, f); err != nil {
		r.State, r.Same = Refused, 0
		return err
	}
	waits, err := g.weigh(ctx, tx, &r.Edition, f, aside, at)
	if r.State = Applied; waits {
		r.State = Waiting
	}
	return err
}
