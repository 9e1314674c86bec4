package desk

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/identity"
	"asoba.example/login/register"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
)

// readTrail names a reading of what is recorded of a person among the acts.
const readTrail = "read_trail"

// onePage is the most events of a person that are read at once.
const onePage = 100

// A Trail is what is recorded of a person: a page of events, oldest first, and the citizenships that were theirs.
type Trail struct {
	Events             []audit.Line                 `json:"events"`
	Cursor             audit.Cursor                 `json:"cursor"` // to go on from
	More               bool                         `json:"more"`
	FormerCitizenships []register.FormerCitizenship `json:"former_citizenships"`
}

// ReadTrail gives what is recorded of a person after a cursor to somebody who has a purpose; the person sees in the journal that it was read.
// Nobody reads their own.
func (d *Desk) ReadTrail(ctx context.Context, feed *audit.Feed, by By, person uuid.UUID, after audit.Cursor, why Purpose) (Trail, error) {
	if err := d.admit(ctx, by, readTrail); err != nil {
		return Trail{}, err
	}
	if person == by.Person {
		return Trail{}, d.record(ctx, &GuardError{Code: "g9"}, by, person, readTrail)
	}
	if _, err := d.registry.Of(ctx, person); err != nil {
		return Trail{}, err
	}
	events, cursor, err := feed.OfPerson(ctx, person, after, onePage)
	if err != nil {
		return Trail{}, err
	}
	former, err := register.FormerCitizenships(ctx, d.pool, person)
	if err != nil {
		return Trail{}, err
	}
	read := event(audit.TrailRead, by, person, d.now())
	read.Detail = map[string]string{"purpose": string(why)}
	if err := d.recordReading(ctx, read, by, readTrail); err != nil {
		return Trail{}, err
	}
	return Trail{
		Events: append([]audit.Line{}, events...), Cursor: cursor, More: len(events) == onePage,
		FormerCitizenships: append([]register.FormerCitizenship{}, former[person]...),
	}, nil
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
	after, err := audit.ParseCursor(query.Get("after"))
	if err != nil {
		return d.refusal(w, err)
	}
	trail, err := d.Desk.ReadTrail(r.Context(), d.Feed, By{Clerk: c, ClientID: token.ClientID}, person, after, why)
	if err != nil {
		return d.refusal(w, err)
	}
	return api.Write(w, http.StatusOK, trail)
}
