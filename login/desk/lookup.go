package desk

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"asoba.example/login/identity"
	"asoba.example/provider/audit"
)

// A Purpose is why a clerk reads what is held of a person. The person sees it in the journal.
type Purpose string

// Purposes.
const (
	InPerson  Purpose = "visit"     // the person is here
	Complaint Purpose = "complaint" // the person has complained in writing
	Inquiry   Purpose = "inquiry"   // an authority has asked in writing
)

// ParsePurpose knows the three purposes.
func ParsePurpose(s string) (Purpose, error) {
	switch p := Purpose(s); p {
	case InPerson, Complaint, Inquiry:
		return p, nil
	}
	return "", errors.New("no such purpose")
}

// lookUp names a look-up among the acts.
const lookUp = "look_up"

// LookUp tells how somebody's identifier stands, for a purpose. Nobody is found by name: who asks knows the
// identifier and the document that it was issued by, and of everything else hears identity.ErrUnknown alone.
func (d *Desk) LookUp(ctx context.Context, by By, id identity.Identifier, document string, p Purpose) (identity.Identity, error) {
	if err := d.admit(ctx, by, lookUp); err != nil {
		return identity.Identity{}, err
	}
	at := d.now()
	i, err := d.registry.Match(ctx, id, document)
	if err != nil && !errors.Is(err, identity.ErrUnknown) {
		return identity.Identity{}, err
	}
	if err == nil && i.Person == by.Person {
		return identity.Identity{}, d.record(ctx, &GuardError{Code: "g9"}, by, i.Person, lookUp)
	}
	event := event(audit.DeskLookedUp, by, i.Person, at)
	event.Detail = map[string]string{"purpose": string(p)}
	if err != nil { // whoever was tried by a guessed document is to see it
		tried, err := d.registry.Find(ctx, id)
		if err != nil && !errors.Is(err, identity.ErrUnknown) {
			return identity.Identity{}, err
		}
		event.Person, event.Detail["code"] = tried.Person, "unknown_identifier"
	}
	if failed := d.recordReading(ctx, event, by, lookUp); failed != nil {
		return identity.Identity{}, failed
	}
	return i, err
}

// recordReading records what is read of a person, before anything of it is told, and that nobody should do so at that hour.
func (d *Desk) recordReading(ctx context.Context, e audit.Event, by By, act string) error {
	b := new(pgx.Batch)
	e.Queue(b)
	var seen []Pattern
	if d.closed(e.At) {
		seen = append(seen, OutOfHours)
		OutOfHours.queue(b, by, act, e.At)
	}
	if err := d.pool.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("record a %s: %w", act, err)
	}
	d.count(seen...)
	return nil
}
