package desk

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/provider/api"
)

// What one page of the list may have.
const (
	pendingPage = 50
	pendingMost = 200
)

// pending handles GET /desk/issuances?state=pending&office=&after=&limit=: of the clerk's
// own office, and for a desk's system of the one that it stands in.
func (d *Doors) pending(w http.ResponseWriter, r *http.Request) error {
	token, err := d.Tokens.Require(w, r, Scope)
	if err != nil {
		return err
	}
	wrong := func(name string, why error) error {
		return api.Refuse(http.StatusBadRequest, "invalid_parameter", why, api.Field{Name: name, Code: "invalid"})
	}
	query, limit := r.URL.Query(), pendingPage
	if Stage(query.Get("state")) != Pending {
		return wrong("/state", errors.New("only pending ones are listed"))
	}
	var after uuid.UUID
	if s := query.Get("after"); s != "" {
		if after, err = uuid.Parse(s); err != nil {
			return wrong("/after", errors.New("not an id"))
		}
	}
	if s := query.Get("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 1 || limit > pendingMost {
			return wrong("/limit", errors.New("from 1 to "+strconv.Itoa(pendingMost)))
		}
	}
	office, err := clerk.ParseOffice(query.Get("office"))
	if err != nil || system(token) && office == "" {
		return wrong("/office", errors.New("not an office"))
	}
	if !system(token) {
		by, err := d.by(w, r, token, named{})
		if err != nil {
			return err
		}
		office = by.Office
	}
	pending, err := d.Desk.Pending(r.Context(), office, after, limit)
	if err != nil {
		return err
	}
	type issuance struct {
		ID    uuid.UUID `json:"id"`
		Basis basis     `json:"basis"`
		At    time.Time `json:"at"`
		Till  time.Time `json:"till"`
	}
	page := struct {
		Issuances []issuance `json:"issuances"`
		Next      *uuid.UUID `json:"next,omitempty"`
	}{Issuances: []issuance{}}
	for _, i := range pending {
		page.Issuances = append(page.Issuances, issuance{i.ID, basis(i.Basis), i.At, i.Till})
	}
	if len(pending) == limit {
		page.Next = &pending[limit-1].ID
	}
	return api.Write(w, http.StatusOK, page)
}

// resume handles POST /desk/issuances/{id}/resume.
func (d *Doors) resume(w http.ResponseWriter, r *http.Request) error {
	token, err := d.Tokens.Require(w, r, Scope)
	if err != nil {
		return err
	}
	body, err := api.Decode[struct {
		Attested []string `json:"attested"`
		named
	}](w, r)
	if err != nil {
		return err
	}
	by, err := d.by(w, r, token, body.named)
	if err != nil {
		return err
	}
	if err := d.admit(w, r, by); err != nil {
		return err
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return d.refusal(w, ErrNoVisit)
	}
	attested, err := ParseAttestations(body.Attested)
	if err != nil {
		return invalid([]api.Field{{Name: "/attested", Code: "unknown"}})
	}
	stage, err := d.Desk.Resume(r.Context(), by, id, attested)
	if err != nil {
		return d.refusal(w, err)
	}
	status := http.StatusOK
	if stage == Pending {
		status = http.StatusAccepted
	}
	return api.Write(w, status, reached{ID: id, Stage: stage})
}
