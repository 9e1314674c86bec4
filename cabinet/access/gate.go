package access

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/cabinet/wall"
)

// A Provider tells whether an access token is still good (RFC 7662). cabinet/issuer is one.
type Provider interface {
	Active(ctx context.Context, accessToken string) (bool, error)
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
	decision, err := g.put(ctx, q, ask)
	if err != nil || decision != AskProvider {
		return decision, err
	}
	active, err := g.Provider.Active(ctx, accessToken)
	switch {
	case err != nil:
		return "", err
	case !active:
		return RefuseEnded, nil
	}
	q.Vouched = true
	return g.put(ctx, q, ask)
}

func (g Gate) put(ctx context.Context, q Question, ask func(*pgx.Batch)) (Decision, error) {
	var (
		b        pgx.Batch
		decision Decision
	)
	wall.Queue(&b, q.Subject, q.ClientID)
	queue(&b, q, &decision)
	if ask != nil {
		ask(&b)
	}
	if err := g.Pool.SendBatch(ctx, &b).Close(); err != nil {
		return "", fmt.Errorf("ask to be let in: %w", err)
	}
	return decision, nil
}
