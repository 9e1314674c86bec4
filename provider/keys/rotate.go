package keys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// Meanings.
var (
	ErrUnknownAlg = errors.New("we sign with no such algorithm")
	ErrTooSoon    = errors.New("the next key has not been published for long enough")
	ErrTurned     = errors.New("the key signs no more: another rotation came first")
)

// A Rotation says whose turn it is, and why.
type Rotation struct {
	Alg         jose.SignatureAlgorithm
	KID         string // the active key that is meant, so that to say it twice is to say it once; "" for whichever it is
	Compromised bool   // others may have the key: nothing signed so far is believed, and the next key does not wait
	By          string // the management client; "" for an operator's command
}

// Rotate makes the next key of an algorithm the active one. What was signed before
// stays good, unless by a key that is compromised.
func (r *Ring) Rotate(ctx context.Context, to Rotation) error {
	if !slices.Contains(Algorithms, to.Alg) {
		return ErrUnknownAlg
	}
	if err := r.Refresh(ctx); err != nil {
		return err
	}
	if err := r.fill(ctx, Next, r.held.Load().next); err != nil {
		return err
	}
	if from := r.mayFollow(r.held.Load().next[to.Alg]); !to.Compromised && r.now().Before(from) {
		return fmt.Errorf("%w: it may sign from %s on", ErrTooSoon, from.UTC().Format(time.RFC3339))
	}
	why := "asked"
	if to.Compromised {
		why = "compromised"
	}
	return r.rotate(ctx, to, why)
}

// mayFollow is when the next key may become active.
func (r *Ring) mayFollow(next *key) time.Time { return next.CreatedAt.Add(r.lead) }

// rotate is one transaction, of the active key that is meant, or that this node
// knows of: of two rotations at once the second would retire what the first made
// active.
func (r *Ring) rotate(ctx context.Context, to Rotation, why string) error {
	const retire = `
		UPDATE signing_key SET state = $3, private_key = NULL, changed_at = $2
		WHERE alg = $1 AND state = ANY($4)
		AND EXISTS (SELECT FROM signing_key k WHERE k.alg = $1 AND k.state = 'active' AND k.kid = $5)
		RETURNING kid`
	const activate = `
		UPDATE signing_key SET state = 'active', changed_at = $2
		WHERE alg = $1 AND state = 'next' AND ($4 OR created_at <= $3)
		RETURNING kid`

	meant := cmp.Or(to.KID, r.held.Load().active[to.Alg].KID)
	fresh, err := r.generate(to.Alg)
	if err != nil {
		return err
	}
	at := r.now()
	from, state, retired := []State{Active}, Retired, audit.KeyRetired
	if to.Compromised {
		from, state, retired = []State{Active, Retired}, Gone, audit.KeyGone
	}
	err = r.turn(ctx, func(tx pgx.Tx) error {
		var events []audit.Event
		happened := func(kind audit.Kind, kid string) {
			e := event(kind, to.Alg, kid, at)
			e.Detail["why"] = why
			if to.By != "" {
				e.Detail["by"] = to.By
			}
			events = append(events, e)
		}
		var kid string
		rows, _ := tx.Query(ctx, retire, to.Alg, at, state, from, meant)
		tag, err := pgx.ForEachRow(rows, []any{&kid}, func() error {
			happened(retired, kid)
			return nil
		})
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ErrTurned
		}
		err = tx.QueryRow(ctx, activate, to.Alg, at, at.Add(-r.lead), to.Compromised).Scan(&kid)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrTooSoon
		}
		if err != nil {
			return err
		}
		happened(audit.KeyActivated, kid)
		if _, err := r.insert(ctx, tx, fresh, Next); err != nil {
			return err
		}
		happened(audit.KeyCreated, fresh.kid)
		return audit.Record(ctx, tx, events...)
	})
	if err != nil {
		return fmt.Errorf("rotate the %s keys: %w", to.Alg, err)
	}
	_ = r.Refresh(ctx) // it is done: where this fails, the node follows with the next one, as others do
	return nil
}
