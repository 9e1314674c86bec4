package grant

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"
)

// Denials is the deny list in Redis, by grant, read wherever an access token is shown to us.
//
// Redis may lose it, and a lost list must not let anyone in. A mark stands
// beside the list; where the mark is missing, the list is made anew from the
// grants in PostgreSQL before the question is answered.
type Denials struct {
	pool      *pgxpool.Pool
	redis     redis.UniversalClient
	keep      time.Duration
	now       func() time.Time
	restoring singleflight.Group // many ask at once when Redis comes back empty
}

const (
	mark     = "denials"
	markLife = time.Hour
)

func denialKey(gid uuid.UUID) string { return "denied:{" + gid.String() + "}" }

// slack is how much longer than its life a token may be taken for good, by a reader whose clock is late.
const slack = time.Minute

// NewDenials keeps entries as long as an access token can live.
func NewDenials(pool *pgxpool.Pool, client redis.UniversalClient, life time.Duration, now func() time.Time) *Denials {
	return &Denials{pool: pool, redis: client, keep: life + slack, now: now}
}

// since is the moment before which a grant's end needs no denial any more.
func (d *Denials) since() time.Time { return d.now().Add(-d.keep) }

// Deny refuses the access tokens of grants.
func (d *Denials) Deny(ctx context.Context, gids ...uuid.UUID) error {
	if len(gids) == 0 {
		return nil
	}
	_, err := d.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, gid := range gids {
			p.Set(ctx, denialKey(gid), "", d.keep)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("deny grants: %w", err)
	}
	return nil
}

// Denied tells whether the grant's access tokens are refused, in one round trip.
func (d *Denials) Denied(ctx context.Context, gid uuid.UUID) (bool, error) {
	var denied, whole *redis.IntCmd
	_, err := d.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		denied = p.Exists(ctx, denialKey(gid))
		whole = p.Exists(ctx, mark)
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("look up denial: %w", err)
	}
	if denied.Val() > 0 {
		return true, nil
	}
	if whole.Val() > 0 {
		return false, nil
	}
	gids, err := d.restore(ctx)
	return slices.Contains(gids, gid), err
}

// restore makes the list anew and gives what is on it.
func (d *Denials) restore(ctx context.Context) ([]uuid.UUID, error) {
	const ended = `SELECT id FROM client_grant WHERE ended_at > $1 AND till > $1`

	gids, err, _ := d.restoring.Do("", func() (any, error) {
		rows, _ := d.pool.Query(ctx, ended, d.since())
		gids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		if err != nil {
			return nil, err
		}
		if err := d.Deny(ctx, gids...); err != nil {
			return nil, err
		}
		return gids, d.redis.Set(ctx, mark, "", markLife).Err() // last: from here on the list is whole
	})
	if err != nil {
		return nil, fmt.Errorf("restore denials: %w", err)
	}
	return gids.([]uuid.UUID), nil
}
