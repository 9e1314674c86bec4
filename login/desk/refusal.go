package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/login/register"
	"asoba.example/login/throttle"
	"asoba.example/provider/audit"
)

// ErrNoRefusal says that no such refusal is on record.
var ErrNoRefusal = errors.New("no such refusal of this desk")

// decisions are the refusals that decide of the person at the counter, besides those by a guard, and the codes under which they are on
// record: the person takes a slip home, which says why, what can be done now, and how to appeal.
var decisions = []struct {
	means error
	code  string
}{
	{register.ErrUnknown, "unknown_identifier"},
	{identity.ErrUnknown, "unknown_identifier"},
	{identity.ErrState, "wrong_state"},
	{ErrReissues, "too_many_reissues"},
}

// decided is the code under which a refusal is on record. Any other decides of nobody, and has none: it is the clerk's to put right, or
// passes by itself.
func decided(err error) (code string) {
	if guard, ok := errors.AsType[*GuardError](err); ok {
		return guard.Code
	}
	for _, d := range decisions {
		if errors.Is(err, d.means) {
			return d.code
		}
	}
	return ""
}

// A RefusedError is a refusal on record, for whose slip the doors are asked. It is what refused.
type RefusedError struct {
	ID   uuid.UUID // of the record
	What error
}

func (e *RefusedError) Error() string { return e.What.Error() }

// Unwrap gives what refused.
func (e *RefusedError) Unwrap() error { return e.What }

// record records what was decided of the person at the counter, for its own transaction has taken everything back. Other errors stay what
// they are. Who asks again by the same key and is refused the same is told of the refusal that is on record.
func (d *Desk) record(ctx context.Context, err error, by By, person uuid.UUID, what string) error {
	const keep = `INSERT INTO desk_refusal (request_key, event_id) VALUES ($1, $2) ON CONFLICT (request_key) DO NOTHING`
	const first = `SELECT event_id FROM desk_refusal WHERE request_key = $1`

	code := decided(err)
	if code == "" {
		return err
	}
	id, failed := uuid.NewV7()
	if failed != nil {
		return failed
	}
	key, failed := d.key(by, what, person.String(), code)
	if failed != nil {
		return failed
	}
	event := event(audit.DeskRefused, by, person, d.now())
	event.ID, event.Detail = id, map[string]string{"code": code, "act": what}
	refused := &RefusedError{id, err}
	var seen []Pattern
	failed = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		var many bool
		b := new(pgx.Batch)
		if key == nil {
			event.Queue(b)
		} else {
			b.Queue(keep, key, id)
			event.QueueIf(b, `EXISTS (SELECT FROM desk_refusal WHERE event_id = new.id)`)
			b.Queue(first, key).QueryRow(func(row pgx.Row) error { return row.Scan(&refused.ID) })
		}
		b.Queue(manyRefusals, by.Office, event.At.Add(-time.Hour), by.Person, policy.RefusalsInHour.In(d.policies)).
			QueryRow(func(row pgx.Row) error { return row.Scan(&many) })
		if err := tx.SendBatch(ctx, b).Close(); err != nil || refused.ID != id {
			return err
		}
		if code == "g9" {
			seen = append(seen, OwnIdentifier)
		}
		if many {
			seen = append(seen, ManyRefusals)
		}
		if d.closed(event.At) {
			seen = append(seen, OutOfHours)
		}
		return raise(ctx, tx, seen, by, what, event.At)
	})
	if failed != nil {
		return fmt.Errorf("record a refusal: %w", failed)
	}
	d.count(seen...)
	return refused
}

// refuseKeyless records that a system would have spoken for a clerk without a key of its own: as often in an hour as one may act that has a key.
func (d *Desk) refuseKeyless(ctx context.Context, clientID string) error {
	wait, err := d.throttle.Take(ctx, throttle.Try{Limit: policy.ActsOfSystem.In(d.policies), By: clientID})
	switch {
	case err != nil:
		return err
	case wait > 0:
		return &RateError{wait}
	}
	return audit.Record(ctx, d.pool, audit.Event{
		Kind: audit.DeskRefused, At: d.now(), ClientID: clientID, Detail: map[string]string{"code": "key_required"},
	})
}

// A Refusal is what is on record of one.
type Refusal struct {
	ID       uuid.UUID
	At       time.Time
	Office   string // that refused
	ClientID string // through which client
	Errand   string // what was asked for: an errand, or a look-up
	Code     string
}

// Refusal finds a refusal.
func (d *Desk) Refusal(ctx context.Context, id uuid.UUID) (Refusal, error) {
	line, err := audit.Find(ctx, d.pool, audit.DeskRefused, id)
	if errors.Is(err, audit.ErrUnknown) {
		return Refusal{}, ErrNoRefusal
	}
	if err != nil {
		return Refusal{}, err
	}
	return Refusal{id, line.At, line.Office, line.ClientID, line.Detail["act"], line.Detail["code"]}, nil
}
