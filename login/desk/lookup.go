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
	b := new(pgx.Batch)
	event.Queue(b)
	var seen []Pattern
	if d.closed(at) {
		seen = append(seen, OutOfHours)
		OutOfHours.queue(b, by, lookUp, at)
	}
	if err := d.pool.SendBatch(ctx, b).Close(); err != nil { // before anything is told
		return identity.Identity{}, fmt.Errorf("record a look-up: %w", err)
	}
	d.count(seen...)
	return i, err
}
