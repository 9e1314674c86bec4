package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/cabinet/wall"
)

// A Provider tells whether an access token is still good, or, of one that is over at a time, the sign-in that gave it. cabinet/issuer is one.
type Provider interface {
	Active(ctx context.Context, accessToken string, till time.Time) (bool, error)
}

// A Gate lets sign-ins in or not.
type Gate struct {
	Pool     *pgxpool.Pool
	Provider Provider
}

// Admit puts a Question, and with it, in the same round trip, whatever ask queues, which sees its subject's rows alone; what
// that brings is good only with the decision Admit. While the feed is silent the access token is put before the provider first; an error then says
// that nobody can tell.
func (g Gate) Admit(ctx context.Context, q Question, accessToken string, ask func(*pgx.Batch)) (Decision, error) {
	return g.vouched(ctx, q, accessToken, func(q Question) (Decision, error) { return put(ctx, g.Pool, q, ask) })
}

// errNotAdmitted undoes what was done.
var errNotAdmitted = errors.New("not admitted")

// Act is Admit where ask does something, in one transaction with what then keeps of it: all of that is undone but with the decision Admit.
func (g Gate) Act(
	ctx context.Context, q Question, accessToken string, ask func(*pgx.Batch), then func(ctx context.Context, tx pgx.Tx) error,
) (Decision, error) {
	return g.vouched(ctx, q, accessToken, func(q Question) (decision Decision, err error) {
		err = pgx.BeginFunc(ctx, g.Pool, func(tx pgx.Tx) error {
			if decision, err = put(ctx, tx, q, ask); err != nil {
				return err
			}
			if decision != Admit {
				return errNotAdmitted
			}
			return then(ctx, tx)
		})
		if errors.Is(err, errNotAdmitted) {
			err = nil
		}
		return decision, err
	})
}

// vouched decides, and once more where the provider has to be asked first.
func (g Gate) vouched(ctx context.Context, q Question, accessToken string, decide func(Question) (Decision, error)) (Decision, error) {
	decision, err := decide(q)
	if err != nil || decision != AskProvider {
		return decision, err
	}
	active, err := g.Provider.Active(ctx, accessToken, q.Till)
	switch {
	case err != nil:
		return "", err
	case !active:
		return RefuseEnded, nil
	}
	q.Vouched = true
	return decide(q)
}

// A sender is a pool, or a transaction.
type sender interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

func put(ctx context.Context, to sender, q Question, ask func(*pgx.Batch)) (Decision, error) {
	var (
		b        pgx.Batch
		decision Decision
	)
	wall.Queue(&b, q.Subject, q.ClientID)
	queue(&b, q, &decision)
	if ask != nil {
		ask(&b)
	}
	if err := to.SendBatch(ctx, &b).Close(); err != nil {
		return "", fmt.Errorf("ask to be let in: %w", err)
	}
	return decision, nil
}
