package operator

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider/api"
	"asoba.example/provider/pair"
)

// Doors are the part of the management API that is the operator's staff's own.
type Doors struct {
	Blocks   *Blocks
	Gate     clerk.Gate
	Registry *identity.Registry
	Policies *policy.Policies
}

// Scope is what a token needs here.
const Scope = "operator:act"

// Mount opens the doors.
func (d *Doors) Mount(mux api.Mux) {
	mux.Handle("GET /clerks", api.Handler(d.listClerks))
	mux.Handle("POST /clerks", api.Handler(d.addClerk))
	mux.Handle("PUT /clerks/{person}", api.Handler(d.moveClerk))
	mux.Handle("DELETE /clerks/{person}", api.Handler(d.removeClerk))
	mux.Handle("GET /operator/blocks", api.Handler(d.listBlocks))
	mux.Handle("POST /operator/blocks", api.Handler(d.proposeBlock))
	mux.Handle("GET /operator/blocks/{id}", api.Handler(d.findBlock))
	mux.Handle("POST /operator/blocks/{id}/approve", d.decideBlock(d.Blocks.Approve))
	mux.Handle("POST /operator/blocks/{id}/refuse", d.decideBlock(d.Blocks.Refuse))
	mux.Handle("POST /operator/blocks/{id}/withdraw", d.decideBlock(d.Blocks.Withdraw))
}

// reader admits staff who have the duty. actor asks for a sign-in of a moment ago besides.
func (d *Doors) reader(w http.ResponseWriter, r *http.Request, duty clerk.Duty) (clerk.Clerk, error) {
	return d.Gate.Enter(w, r, Scope, duty, 0)
}

func (d *Doors) actor(w http.ResponseWriter, r *http.Request, duty clerk.Duty) (clerk.Clerk, error) {
	return d.Gate.Enter(w, r, Scope, duty, 2*policy.FreshFor.In(d.Policies))
}

// listClerks handles GET /clerks.
func (d *Doors) listClerks(w http.ResponseWriter, r *http.Request) error {
	if _, err := d.reader(w, r, clerk.Oversee); err != nil {
		return err
	}
	staff, err := d.Gate.Clerks.List(r.Context())
	if err != nil {
		return err
	}
	type member struct {
		Person     uuid.UUID  `json:"person"`
		Identifier string     `json:"identifier"`
		Office     string     `json:"office"`
		Role       clerk.Role `json:"role"`
		AddedAt    time.Time  `json:"added_at"`
	}
	all := make([]member, len(staff))
	for i, m := range staff {
		all[i] = member{m.Person, m.Identifier.Reveal(), m.Office, m.Role, m.AddedAt.UTC()}
	}
	return api.Write(w, http.StatusOK, struct {
		Clerks []member `json:"clerks"`
	}{all})
}

// addClerk handles POST /clerks.
func (d *Doors) addClerk(w http.ResponseWriter, r *http.Request) error {
	by, err := d.actor(w, r, clerk.Appoint)
	if err != nil {
		return err
	}
	body, err := api.DecodeDocumented[struct {
		Identifier string `json:"identifier"`
		post
	}](w, r)
	if err != nil {
		return err
	}
	c, wrong := body.parse()
	id, err := identity.ParseIdentifier(body.Identifier)
	if err != nil {
		wrong = append(wrong, api.Field{Name: "/identifier", Code: "not_an_identifier"})
	}
	if wrong != nil {
		return invalid(wrong)
	}
	who, err := d.Registry.Find(r.Context(), id)
	if err == nil && who.State == identity.None {
		err = identity.ErrUnknown
	}
	if err == nil {
		c.Person = who.Person
		err = d.Gate.Clerks.Add(r.Context(), c, by.Person, d.Gate.Now())
	}
	if err != nil {
		return refusal(err)
	}
	w.Header().Set("Location", "/clerks/"+c.Person.String())
	return api.Write(w, http.StatusCreated, struct {
		Person uuid.UUID `json:"person"`
	}{c.Person})
}

// moveClerk handles PUT /clerks/{person}.
func (d *Doors) moveClerk(w http.ResponseWriter, r *http.Request) error {
	by, err := d.actor(w, r, clerk.Appoint)
	if err != nil {
		return err
	}
	body, err := api.DecodeDocumented[post](w, r)
	if err != nil {
		return err
	}
	c, wrong := body.parse()
	if wrong != nil {
		return invalid(wrong)
	}
	if c.Person, err = uuid.Parse(r.PathValue("person")); err != nil {
		return refusal(clerk.ErrUnknown)
	}
	if err := d.Gate.Clerks.Move(r.Context(), c, by.Person, d.Gate.Now()); err != nil {
		return refusal(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// removeClerk handles DELETE /clerks/{person}.
func (d *Doors) removeClerk(w http.ResponseWriter, r *http.Request) error {
	by, err := d.actor(w, r, clerk.Appoint)
	if err != nil {
		return err
	}
	person, err := uuid.Parse(r.PathValue("person"))
	if err != nil {
		return refusal(clerk.ErrUnknown)
	}
	if err := d.Gate.Clerks.Remove(r.Context(), person, by.Person, d.Gate.Now()); err != nil {
		return refusal(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// A post is where a clerk works, and as what.
type post struct {
	Office string `json:"office"`
	Role   string `json:"role"`
}

func (p post) parse() (c clerk.Clerk, wrong []api.Field) {
	var err error
	if c.Office, err = clerk.ParseOffice(p.Office); err != nil || c.Office == "" {
		wrong = append(wrong, api.Field{Name: "/office", Code: "not_an_office"})
	}
	if c.Role, err = clerk.ParseRole(p.Role); err != nil {
		wrong = append(wrong, api.Field{Name: "/role", Code: "unknown"})
	}
	return c, wrong
}

func invalid(wrong []api.Field) error {
	return api.Refuse(http.StatusUnprocessableEntity, "invalid", nil, wrong...)
}

// refusal is the whole vocabulary of refusals of what the rooms say.
func refusal(err error) error {
	if strangers, ok := errors.AsType[*StrangerError](err); ok {
		var wrong []api.Field
		for _, place := range strangers.Places {
			wrong = append(wrong, named(place, "unknown"))
		}
		return invalid(wrong)
	}
	var decided *pair.DecidedError
	switch {
	case errors.Is(err, ErrUnknown):
		return api.Refuse(http.StatusNotFound, "unknown_proposal", err)
	case errors.Is(err, pair.ErrOwn):
		return api.Refuse(http.StatusForbidden, "own_proposal", err)
	case errors.As(err, &decided):
		return api.Explain(http.StatusConflict, "decided", decided, err)
	case errors.Is(err, ErrReason):
		return invalid([]api.Field{{Name: "/reason", Code: "unknown"}})
	case errors.Is(err, ErrCount):
		return invalid([]api.Field{{Name: "/identifiers", Code: "count"}})
	case errors.Is(err, clerk.ErrUnknown):
		return api.Refuse(http.StatusNotFound, "unknown_clerk", err)
	case errors.Is(err, clerk.ErrAlready):
		return api.Refuse(http.StatusConflict, "clerk_already", err)
	case errors.Is(err, clerk.ErrUnfit):
		return invalid([]api.Field{{Name: "/identifier", Code: "unfit"}})
	case errors.Is(err, clerk.ErrRole):
		return api.Refuse(http.StatusForbidden, "wrong_role", err)
	case errors.Is(err, identity.ErrUnknown):
		return api.Refuse(http.StatusNotFound, "unknown_identifier", err)
	}
	return err
}
