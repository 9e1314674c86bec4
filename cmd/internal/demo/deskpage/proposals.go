package deskpage

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"asoba.example/cmd/internal/demo/management"
	"asoba.example/provider/page"
)

// A matter is what one of the operator's staff proposes, and another decides.
type matter struct {
	name string // of its page, and of its list at the API
	one  string // of the page of one proposal
	at   string // its address at the API
	body func(draft) map[string]any
	whom map[string]string // the fields of its form, by the refusals of who is named there
}

var (
	blocks = matter{
		name: "blocks", one: "block", at: "/operator/blocks",
		body: func(d draft) map[string]any { return map[string]any{"identifiers": d.listed(), "reason": d.Reason} },
	}
	restorations = matter{
		name: "restorations", one: "restoration", at: "/register/restorations",
		body: func(d draft) map[string]any { return map[string]any{"identification_number": d.Person} },
		whom: map[string]string{"unknown_person": "person", "alive": "person", "open_proposal": "person"},
	}
)

// page is where a matter's proposals are listed.
func (m matter) page() string { return "/desk/" + m.name }

// reasons are why identifiers are blocked for security, as the API names them.
var reasons = []string{"takeover", "leak", "deceit"}

// A draft is a proposal as it is written down.
type draft struct {
	Identifiers, Reason    string // of a block
	Person                 string // whom to restore
	BasisNumber, BasisDate string
	Refused                *management.Refusal // the last time
}

// listed are the identifiers as they are written: apart by spaces or commas.
func (d draft) listed() []string {
	return strings.FieldsFunc(d.Identifiers, func(r rune) bool { return r == ' ' || r == ',' })
}

// wrong says what was refused, and of which identifiers.
func (d draft) wrong(m matter) (said []page.FieldError) {
	if d.Refused == nil {
		return nil
	}
	listed := d.listed()
	for _, f := range d.Refused.Fields {
		place, named := strings.CutPrefix(f.Name, "/identifiers/")
		if i, err := strconv.Atoi(place); named && err == nil && i < len(listed) {
			said = append(said, page.FieldError{Field: "identifiers", Word: "wrong.named", Args: map[string]any{"Identifier": listed[i]}})
		} else if f.Code == "too_old" {
			said = append(said, page.FieldError{Field: "basis_date", Word: "wrong.old_paper"})
		} else if fault, known := faults[f.Name]; known {
			said = append(said, fault)
		}
	}
	// The API looks at the paper once all else is well written.
	paper := func(e page.FieldError) bool { return strings.HasPrefix(e.Field, "basis_") }
	if strings.HasPrefix(d.Refused.Code, "invalid") && d.BasisNumber == "" && !slices.ContainsFunc(said, paper) {
		said = append(said, faults["/basis"])
	}
	if said == nil {
		return wrong(d.Refused, m.whom)
	}
	if m.whom != nil && d.Person == "" { // nor does it look for nobody before
		said = append(said, page.FieldError{Field: "person", Word: "wrong.not_an_identifier"})
	}
	return inOrder(said, "person", "identifiers", "reason", "basis_number", "basis_date")
}

// faults are what may be wrong with a proposal, by the API's members.
var faults = map[string]page.FieldError{
	"/identifiers":  {Field: "identifiers", Word: "wrong.identifiers"},
	"/reason":       {Field: "reason", Word: "wrong.reason"},
	"/basis":        {Field: "basis_number", Word: "wrong.paper"},
	"/basis/number": {Field: "basis_number", Word: "wrong.paper"},
	"/basis/date":   {Field: "basis_date", Word: "wrong.paper"},
}

// A proposal is what one has proposed, as the API tells it.
type proposal struct {
	ID         string
	Basis      struct{ Number, Date string }
	State      string
	ProposedBy string    `json:"proposed_by"`
	ProposedAt time.Time `json:"proposed_at"`
	Number     string    `json:"identification_number"` // of whom to restore
	Undoes     string    // which restoration; "" where it restores
	Reason     string    // of a block, as what follows
	People     int
	Whose      []struct {
		Identifier string
		Blocked    bool
	}
}

// Date is that of the paper.
func (p proposal) Date() time.Time {
	at, _ := time.Parse(time.DateOnly, p.Basis.Date)
	return at
}

// open is what asks for the proposals that wait for another's decision.
const open = "?state=open"

// proposed asks for a matter's proposals: for those that are open, or for the last hundred.
func (v *visit) proposed(r *http.Request, m matter, which string) ([]proposal, *management.Refusal, error) {
	var answer map[string][]proposal
	refused, err := refusal(v.api.Call(r.Context(), http.MethodGet, m.at+which, nil, &answer))
	return answer[m.name], refused, err
}

// proposals handles GET /desk/MATTER: what waits, and the form by which one proposes.
func (d *Page) proposals(m matter) func(http.ResponseWriter, *http.Request, *visit) error {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		found, refused, err := v.proposed(r, m, open)
		switch {
		case err != nil:
			return err
		case refused != nil:
			return denied(refused)
		}
		var on draft
		if v.operates {
			d.mu.Lock()
			on = v.drafts[m.name]
			d.mu.Unlock()
		}
		if on.BasisDate == "" {
			on.BasisDate = time.Now().In(minsk).Format(time.DateOnly)
		}
		var options []page.Option
		for _, reason := range reasons {
			options = append(options, page.Option{Value: reason, Text: d.Site.Say(d.Site.Language(r), "reason."+reason, nil)})
		}
		return d.show(w, r, page.View{
			Name: m.name, Back: "/desk", Errors: told(r, on.wrong(m)), Script: "desk.js",
			Data: struct {
				Open     []proposal
				Form     string // names this form, that it be answered once
				Draft    draft
				Reasons  []page.Option
				Operates bool
			}{found, rand.Text(), on, options, v.operates},
		})
	}
}

// propose handles POST /desk/MATTER. What is written stays until it is proposed.
func (d *Page) propose(m matter) func(http.ResponseWriter, *http.Request, *visit) error {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		written := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
		form := written("form")
		if at := v.made[form]; at != "" { // pressed twice
			http.Redirect(w, r, at, http.StatusSeeOther)
			return nil
		}
		on := draft{
			Identifiers: written("identifiers"), Reason: written("reason"), Person: written("person"),
			BasisNumber: written("basis_number"), BasisDate: written("basis_date"),
		}
		d.write(v, m, on)
		body := m.body(on)
		body["basis"] = map[string]string{"number": on.BasisNumber, "date": on.BasisDate}
		var made struct{ ID string }
		refused, away, err := v.asks(w, r, m.page(), m.at, body, &made)
		if err != nil || away {
			return err
		}
		to := m.page()
		if on.Refused = refused; refused == nil {
			on, to = draft{}, m.page()+"/"+url.PathEscape(made.ID)
			v.made[form] = to
		}
		d.write(v, m, on)
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
}

func (d *Page) write(v *visit, m matter, on draft) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v.drafts[m.name] = on
}

// proposal handles GET /desk/MATTER/ID: whom it is about, and why.
func (d *Page) proposal(m matter) func(http.ResponseWriter, *http.Request, *visit) error {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error { return d.showProposal(w, r, v, m, nil) }
}

// decisions are what becomes of a proposal, as the API's addresses name them; who made it may only withdraw it.
var decisions = []string{"approve", "refuse", "withdraw"}

// decide handles POST /desk/MATTER/ID.
func (d *Page) decide(m matter) func(http.ResponseWriter, *http.Request, *visit) error {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		id, decision := url.PathEscape(r.PathValue("id")), r.PostFormValue("decision")
		if !slices.Contains(decisions, decision) {
			return d.showProposal(w, r, v, m, nil)
		}
		at := m.page() + "/" + id
		refused, away, err := v.asks(w, r, at, m.at+"/"+id+"/"+decision, nil, nil)
		switch {
		case err != nil || away:
			return err
		case refused != nil:
			return d.showProposal(w, r, v, m, refused)
		}
		http.Redirect(w, r, at, http.StatusSeeOther)
		return nil
	}
}

// showProposal shows a proposal, and why a decision was refused. Whoever proposed it is told that another decides.
func (d *Page) showProposal(w http.ResponseWriter, r *http.Request, v *visit, m matter, refused *management.Refusal) error {
	p, missing, err := v.find(r, m, r.PathValue("id"))
	switch {
	case err != nil:
		return err
	case missing != nil:
		return denied(missing)
	}
	what := m.one
	if p.Undoes != "" {
		what = "undoing"
	}
	return d.show(w, r, page.View{Name: m.one, Title: what + ".title", Back: m.page(), Wide: true, Errors: told(r, wrong(refused, nil)), Data: struct {
		proposal
		What, At, Approve string
		Operates, Own     bool
	}{p, what, m.page() + "/" + p.ID, what + ".approve", v.operates, p.ProposedBy != "" && p.ProposedBy == v.person}})
}

// find asks for one proposal. That of a restoration has no address of its own: it is among the last hundred.
func (v *visit) find(r *http.Request, m matter, id string) (p proposal, refused *management.Refusal, err error) {
	if m.name == blocks.name {
		refused, err = refusal(v.api.Call(r.Context(), http.MethodGet, m.at+"/"+url.PathEscape(id), nil, &p))
		return p, refused, err
	}
	all, refused, err := v.proposed(r, m, "")
	if err != nil || refused != nil {
		return p, refused, err
	}
	i := slices.IndexFunc(all, func(p proposal) bool { return p.ID == id })
	if i < 0 {
		return p, &management.Refusal{Status: http.StatusNotFound, Code: "unknown_proposal"}, nil
	}
	return all[i], nil, nil
}

// asks asks the API for what takes a sign-in of a moment ago. Where the token is over, or the sign-in is older, it is away: somebody signs
// in again first, and comes back to a page.
func (v *visit) asks(w http.ResponseWriter, r *http.Request, to, path string, in, out any) (refused *management.Refusal, away bool, err error) {
	to += "?" + unsent
	if !v.token.Valid() {
		again(w, r, to)
		return nil, true, nil
	}
	err = v.api.Call(r.Context(), http.MethodPost, path, in, out)
	if old := new(management.Refusal); errors.As(err, &old) && old.Code == "insufficient_user_authentication" {
		afresh(w, r, to)
		return nil, true, nil
	}
	refused, err = refusal(err)
	return refused, false, err
}
