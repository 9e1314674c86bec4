package desk

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/provider/api"
)

// pending handles GET /desk/pending-issuances?office=&after=&limit=: of the clerk's
// own office, and for a desk's system of the one that it stands in.
func (d *Doors) pending(w http.ResponseWriter, r *http.Request) error {
	token, err := d.Gate.Tokens.Require(w, r, Scope)
	if err != nil {
		return err
	}
	query, limit := r.URL.Query(), api.Number(r, "limit", 50)
	var after uuid.UUID
	if s := query.Get("after"); s != "" {
		if after, err = uuid.Parse(s); err != nil {
			return api.RefuseParameter("after", errors.New("not an id")) // its text quotes what was sent
		}
	}
	office, err := clerk.ParseOffice(query.Get("office"))
	if err != nil || token.ByClient() && office == "" {
		return api.RefuseParameter("office", errors.New("not an office"))
	}
	if token.ByClient() {
		err = d.keyed(w, r, token)
	} else {
		var by By
		by, err = d.by(w, r, token, named{})
		office = by.Office
	}
	if err != nil {
		return err
	}
	pending, err := d.Desk.Pending(r.Context(), office, after, limit+1) // one more tells whether there is another page
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
	if len(pending) > limit {
		pending = pending[:limit]
		page.Next = &pending[limit-1].ID
	}
	for _, i := range pending {
		page.Issuances = append(page.Issuances, issuance{i.ID, basis(i.Basis), i.At, i.Till})
	}
	return api.Write(w, http.StatusOK, page)
}

// withdraw handles POST /desk/issuances/{id}/withdraw.
func (d *Doors) withdraw(w http.ResponseWriter, r *http.Request) error {
	id, _, by, err := d.step(w, r, Issuance)
	if err != nil {
		return err
	}
	if err := d.Desk.Withdraw(r.Context(), by, id); err != nil {
		return d.refusal(w, err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// resume handles POST /desk/issuances/{id}/resume.
func (d *Doors) resume(w http.ResponseWriter, r *http.Request) error {
	token, err := d.Gate.Tokens.Require(w, r, Scope)
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
