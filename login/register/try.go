package register

import (
	"context"
	"errors"
	"fmt"

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
	var r Report
	err = pgx.BeginFunc(ctx, g.Pool, func(tx pgx.Tx) error {
		known, err := findEdition(ctx, tx, `checksum = $1 AND state IN ('waiting', 'applied')`, f.checksum[:])
		if !errors.Is(err, ErrNoEdition) {
			r.Edition, r.Again = known, true
			return err
		}
		err = follows(ctx, tx, f.head)
		if r.Behind = errors.Is(err, ErrWaits); err != nil && !r.Behind {
			return err
		}
		r.Edition = Edition{
			Number: f.number, Period: f.period, AsOf: f.asOf, Kind: f.kind, State: Staging, Checksum: f.checksum[:], Signed: g.Key != nil, Announced: f.rows, BeganAt: o.At,
		}
		r.NotBefore, r.NotAfter = f.made(o.At)
		if err := setAside(ctx, tx); err != nil {
			return err
		}
		if err := f.copyTo(ctx, tx, aside+lines); err != nil {
			return err
		}
		r.Bad = f.bad
		if err := g.judge(&r.Edition, f); err != nil {
			r.State, r.Same = Refused, 0
			return err
		}
		withheld, err := g.compare(ctx, tx, &r.Edition, aside)
		if err != nil {
			return err
		}
		f.withhold(withheld)
		r.Bad = f.bad
		many, err := g.waits(ctx, tx, &r.Edition, o.At)
		if err != nil {
			return err
		}
		if r.State = Applied; many {
			r.State = Waiting
		}
		return errTried
	})
	if err != nil && !errors.Is(err, errTried) {
		return r, fmt.Errorf("try edition %d: %w", f.number, err)
	}
	return r, nil
}
