package dashboard

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"asoba.example/provider/body"
	"asoba.example/provider/page"
)

// propose handles POST /e-services/{client_id}/live: that a draft go live as it is.
func (d *Dashboard) propose(w http.ResponseWriter, r *http.Request, person uuid.UUID) error {
	id := r.PathValue("client_id")
	if _, err := d.cfg.Bodies.Propose(r.Context(), id, seen(r), nil, d.by(person)); err != nil {
		return err
	}
	http.Redirect(w, r, "/e-services/"+id+"?proposed", http.StatusSeeOther)
	return nil
}

// decide handles POST /e-services/{client_id}/proposals/{id}.
func (d *Dashboard) decide(w http.ResponseWriter, r *http.Request, person uuid.UUID) error {
	ctx, clientID, by := r.Context(), r.PathValue("client_id"), d.by(person)
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return body.ErrNoProposal
	}
	var word string
	switch r.PostFormValue("decision") {
	case "approve":
		c, secret, err := d.cfg.Bodies.Approve(ctx, clientID, id, by)
		if err != nil {
			return err
		}
		return d.tellSecret(w, r, c, secret, "approved")
	case "refuse":
		word = "refused"
		_, err = d.cfg.Bodies.Refuse(ctx, clientID, id, r.PostFormValue("reason"), by)
	case "withdraw":
		word = "withdrawn"
		_, err = d.cfg.Bodies.Withdraw(ctx, clientID, id, by)
	default:
		return page.Refuse(http.StatusBadRequest, "e-service.decision", nil)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/e-services/"+clientID+"?"+word, http.StatusSeeOther)
	return nil
}

// overlap is how long the secret before stays good: whoever asks for another one has yet to bring it to the service.
const overlap = 7 * 24 * time.Hour

// rotate handles POST /e-services/{client_id}/secret.
func (d *Dashboard) rotate(w http.ResponseWriter, r *http.Request, person uuid.UUID) error {
	c, secret, err := d.cfg.Clients.Rotate(r.Context(), r.PathValue("client_id"), seen(r), overlap, d.by(person))
	if err != nil {
		return err
	}
	return d.tellSecret(w, r, c, secret, "changed")
}

// remove handles POST /e-services/{client_id}/remove, of a draft.
func (d *Dashboard) remove(w http.ResponseWriter, r *http.Request, person uuid.UUID) error {
	if err := d.cfg.Clients.Remove(r.Context(), r.PathValue("client_id"), seen(r), d.by(person)); err != nil {
		return err
	}
	http.Redirect(w, r, "/e-services?removed", http.StatusSeeOther)
	return nil
}
