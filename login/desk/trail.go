package desk

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/identity"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
)

// readTrail names a reading of what is recorded of a person among the acts.
const readTrail = "read_trail"

// onePage is the most events of a person that are read at once.
const onePage = 100

// ReadTrail gives what is recorded of a person after a cursor to somebody who has a purpose, and the cursor to go on from; the person sees in
// the journal that it was read. Nobody reads their own.
func (d *Desk) ReadTrail(ctx context.Context, feed *audit.Feed, by By, person uuid.UUID, after audit.Cursor, why Purpose) ([]audit.Line, audit.Cursor, error) {
	if err := d.admit(ctx, by, readTrail); err != nil {
		return nil, 0, err
	}
	if person == by.Person {
		return nil, 0, d.record(ctx, &GuardError{Code: "g9"}, by, person, readTrail)
	}
	if _, err := d.registry.Of(ctx, person); err != nil {
		return nil, 0, err
	}
	found, cursor, err := feed.OfPerson(ctx, person, after, onePage)
	if err != nil {
		return nil, 0, err
	}
	read := event(audit.TrailRead, by, person, d.now())
	read.Detail = map[string]string{"purpose": string(why)}
	if err := d.recordReading(ctx, read, by, readTrail); err != nil {
		return nil, 0, err
	}
	return found, cursor, nil
}

// readTrail handles GET /desk/people/{person}/events?purpose=…&after=….
func (d *Doors) readTrail(w http.ResponseWriter, r *http.Request) error {
	token, err := d.Gate.Tokens.Require(w, r, Scope)
	if err != nil {
		return err
	}
	if token.ByClient() { // somebody must answer for it
		return api.Refuse(http.StatusForbidden, "not_a_clerk", nil)
	}
	c, err := d.Gate.Own(w, r, token, clerk.Inspect, 0)
	if err != nil {
		return err
	}
	if !c.May(clerk.Oversee) { // it is of all offices
		return api.Refuse(http.StatusForbidden, "wrong_role", nil)
	}
	query := r.URL.Query()
	why, err := ParsePurpose(query.Get("purpose"))
	if err != nil {
		return api.RefuseParameter("purpose", err)
	}
	person, err := uuid.Parse(r.PathValue("person"))
	if err != nil {
		return d.refusal(w, identity.ErrUnknown)
	}
	var (
		found  []audit.Line
		cursor audit.Cursor
	)
	after, err := audit.ParseCursor(query.Get("after"))
	if err == nil {
		found, cursor, err = d.Desk.ReadTrail(r.Context(), d.Feed, By{Clerk: c, ClientID: token.ClientID}, person, after, why)
	}
	if err != nil {
		return d.refusal(w, err)
	}
	answer := struct {
		Events []audit.Line `json:"events"`
		Cursor audit.Cursor `json:"cursor"`
		More   bool         `json:"more"`
	}{found, cursor, len(found) == onePage}
	if found == nil {
		answer.Events = []audit.Line{}
	}
	return api.Write(w, http.StatusOK, answer)
}
