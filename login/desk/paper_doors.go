package desk

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/provider/api"
)

// keepPaper handles PUT /desk/acts/{id}/paper: by the clerk who did the act or a supervisor, in the office where it was
// done; or by the system through which, as the clerk whom it named there.
func (d *Doors) keepPaper(w http.ResponseWriter, r *http.Request) error {
	token, err := d.Gate.Tokens.Require(w, r, Scope)
	if err != nil {
		return err
	}
	act, err := d.act(r)
	if err != nil {
		return d.refusal(w, err)
	}
	var n named
	if token.ByClient() {
		if act.ClientID != token.ClientID {
			return d.refusal(w, ErrNoAct)
		}
		n.Clerk = act.Clerk
	}
	by, err := d.by(w, r, token, n)
	if err != nil {
		return err
	}
	if !token.ByClient() && (act.Office != by.Office || act.By != by.Person && !by.May(clerk.Supervise)) {
		return d.refusal(w, ErrNoAct)
	}
	if err := d.Desk.MayBring(r.Context(), by); err != nil {
		return d.refusal(w, err)
	}
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, PaperSize))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return api.Refuse(http.StatusRequestEntityTooLarge, "too_large", err)
	}
	if err != nil {
		return api.Refuse(http.StatusBadRequest, "invalid_body", err)
	}
	p, err := ParsePaper(content)
	if err != nil {
		return d.refusal(w, err)
	}
	number, err := d.Desk.KeepPaper(r.Context(), by, act, p)
	if err != nil {
		return d.refusal(w, err)
	}
	return api.Write(w, http.StatusCreated, struct {
		Number int `json:"number"`
		Most   int `json:"most"`
	}{number, by.mostPapers()})
}

// readPaper handles GET /desk/acts/{id}/paper?purpose=…, and &number=… of an earlier one; each but the first leads to the
// one before it (RFC 5829 §3.5).
func (d *Doors) readPaper(w http.ResponseWriter, r *http.Request) error {
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
	why, err := ParsePurpose(r.URL.Query().Get("purpose"))
	if err != nil {
		return api.RefuseParameter("purpose", err)
	}
	act, err := d.act(r)
	if err == nil && act.Office != c.Office && !c.May(clerk.Oversee) {
		err = ErrNoAct
	}
	if err != nil {
		return d.refusal(w, err)
	}
	p, err := d.Desk.ReadPaper(r.Context(), By{Clerk: c, ClientID: token.ClientID}, act, api.Number(r, "number", 0), why)
	if err != nil {
		return d.refusal(w, err)
	}
	h := w.Header()
	if p.Number > 1 {
		h.Set("Link", fmt.Sprintf(`<?purpose=%s&number=%d>; rel="predecessor-version"`, why, p.Number-1))
	}
	h.Set("Content-Type", p.Kind)
	h.Set("Content-Disposition", "attachment")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	_, err = w.Write(p.Content)
	return err
}

// act finds the act that a request is about.
func (d *Doors) act(r *http.Request) (ActDone, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return ActDone{}, ErrNoAct
	}
	return d.Desk.FindAct(r.Context(), id)
}
