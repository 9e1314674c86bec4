package keys

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// Tend does what time asks of the ring: it puts a next key behind each active one,
// rotates those that have signed for long enough, lets go of those that are of no
// use to hints any more, and destroys what a module has of the old ones. It is to be called now and then, on any number of nodes.
func (r *Ring) Tend(ctx context.Context) error {
	if err := r.Refresh(ctx); err != nil {
		return err
	}
	if err := r.fill(ctx, Next, r.held.Load().next); err != nil {
		return err
	}
	for _, alg := range r.due() {
		// Where another node was first, it is done.
		if err := r.rotate(ctx, Rotation{Alg: alg}, "schedule"); err != nil && !errors.Is(err, ErrTooSoon) && !errors.Is(err, ErrTurned) {
			return err
		}
	}
	if err := r.letGo(ctx); err != nil {
		return err
	}
	return r.wipe(ctx)
}

// due are the algorithms whose key has signed for long enough, and whose next one may follow.
func (r *Ring) due() (algs []jose.SignatureAlgorithm) {
	if r.every == 0 {
		return nil
	}
	now, ring := r.now(), r.held.Load()
	for _, alg := range Algorithms {
		active, next := ring.active[alg], ring.next[alg]
		if !now.Before(active.ChangedAt.Add(r.every)) && !now.Before(r.mayFollow(next)) {
			algs = append(algs, alg)
		}
	}
	return algs
}

// letGo forgets the keys that have been retired for long enough.
func (r *Ring) letGo(ctx context.Context) error {
	const forget = `
		UPDATE signing_key SET state = 'gone', changed_at = $1
		WHERE state = 'retired' AND changed_at <= $2
		RETURNING alg, kid`

	at := r.now()
	err := r.turn(ctx, func(tx pgx.Tx) error {
		var (
			alg    jose.SignatureAlgorithm
			kid    string
			events []audit.Event
		)
		rows, _ := tx.Query(ctx, forget, at, at.Add(-hintsFor))
		_, err := pgx.ForEachRow(rows, []any{&alg, &kid}, func() error {
			e := event(audit.KeyGone, alg, kid, at)
			e.Detail["why"] = "schedule"
			events = append(events, e)
			return nil
		})
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, events...)
	})
	if err != nil {
		return fmt.Errorf("let go of old keys: %w", err)
	}
	return nil
}

// followed is how soon after a key has retired no node signs with it any more.
const followed = time.Minute

// wipe has the module destroy what signs no more. What it has destroyed before a
// crash, it need not again.
func (r *Ring) wipe(ctx context.Context) error {
	const find = `
		SELECT alg, kid, label FROM signing_key
		WHERE state IN ('retired', 'gone') AND label IS NOT NULL AND changed_at <= $1`
	const forget = `UPDATE signing_key SET label = NULL WHERE kid = $1 AND label IS NOT NULL`

	if r.hsm == nil {
		return nil
	}
	type row struct {
		Alg        jose.SignatureAlgorithm
		KID, Label string
	}
	at := r.now()
	rows, _ := r.pool.Query(ctx, find, at.Add(-followed))
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return fmt.Errorf("find keys to destroy: %w", err)
	}
	for _, k := range found {
		if err := r.hsm.Destroy(k.Label); err != nil {
			return fmt.Errorf("destroy %s: %w", k.Label, err)
		}
		err := r.turn(ctx, func(tx pgx.Tx) error {
			tag, err := tx.Exec(ctx, forget, k.KID)
			if err != nil || tag.RowsAffected() == 0 { // another node has recorded it
				return err
			}
			return audit.Record(ctx, tx, event(audit.KeyDestroyed, k.Alg, k.KID, at))
		})
		if err != nil {
			return fmt.Errorf("destroy %s: %w", k.Label, err)
		}
	}
	return nil
}
