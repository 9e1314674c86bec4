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
	"asoba.example/login/throttle"
	"asoba.example/provider/audit"
)

// ErrNoRefusal says that no such refusal is on record.
var ErrNoRefusal = errors.New("no such refusal of this desk")

// A RefusedError is a refusal on record: by a guard, or because of the identifier's state.
// It is what refused.
type RefusedError struct {
	ID   uuid.UUID // of the record
	What error
}

func (e *RefusedError) Error() string { return e.What.Error() }

// Unwrap gives what refused.
func (e *RefusedError) Unwrap() error { return e.What }

// record records a refusal, for its own transaction has taken everything back.
// Other errors stay what they are.
func (d *Desk) record(ctx context.Context, err error, by By, person uuid.UUID, what string, at time.Time) error {
	var (
		guard *GuardError
		code  = "wrong_state"
	)
	switch {
	case errors.As(err, &guard):
		code = guard.Code
	case !errors.Is(err, identity.ErrState):
		return err
	}
	id, failed := uuid.NewV7()
	if failed != nil {
		return failed
	}
	event := audit.Event{
		ID: id, Kind: audit.DeskRefused, At: at, Person: person, Clerk: by.Person, Office: by.Office, ClientID: by.ClientID,
		Detail: map[string]string{"code": code, "act": what},
	}
	b := new(pgx.Batch)
	event.Queue(b)
	if code == "g9" {
		OwnIdentifier.queue(b, by, what, at)
	}
	if err := d.pool.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("record a refusal: %w", err)
	}
	if code == "g9" {
		d.count(OwnIdentifier)
	}
	return &RefusedError{id, err}
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
