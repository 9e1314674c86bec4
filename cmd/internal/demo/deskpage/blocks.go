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

// reasons are why identifiers are blocked for security, as the API names them.
var reasons = []string{"takeover", "leak", "deceit"}

// A proposal is what somebody of the operator's staff writes down of identifiers to be blocked.
type proposal struct {
	Identifiers, Reason    string
	BasisNumber, BasisDate string
	Refused                *management.Refusal // the last time
}

// listed are the identifiers as they are written: apart by spaces or commas.
func (p proposal) listed() []string {
	return strings.FieldsFunc(p.Identifiers, func(r rune) bool { return r == ' ' || r == ',' })
}

// wrong says what was refused, and of which identifiers.
func (p proposal) wrong() (said []page.FieldError) {
	if p.Refused == nil {
		return nil
	}
	listed := p.listed()
	for _, f := range p.Refused.Fields {
		place, named := strings.CutPrefix(f.Name, "/identifiers/")
		if i, err := strconv.Atoi(place); named && err == nil && i < len(listed) {
			said = append(said, page.FieldError{Field: "identifiers", Word: "wrong.named", Args: map[string]any{"Identifier": listed[i]}})
		} else if fault, known := faults[f.Name]; known {
			said = append(said, fault)
		}
	}
	// The API looks at the paper once all else is well written.
	paper := func(e page.FieldError) bool { return e.Field == "basis_number" }
	if strings.HasPrefix(p.Refused.Code, "invalid") && p.BasisNumber == "" && !slices.ContainsFunc(said, paper) {
		said = append(said, faults["/basis"])
	}
	if said == nil {
		return wrong(p.Refused, nil)
	}
	return inOrder(said, "identifiers", "reason", "basis_number", "basis_date")
}

// faults are what may be wrong with a proposal, by the API's members.
var faults = map[string]page.FieldError{
	"/identifiers":  {Field: "identifiers", Word: "wrong.identifiers"},
	"/reason":       {Field: "reason", Word: "wrong.reason"},
	"/basis":        {Field: "basis_number", Word: "wrong.paper"},
	"/basis/number": {Field: "basis_number", Word: "wrong.paper"},
	"/basis/date":   {Field: "basis_date", Word: "wrong.paper"},
}

// A security block is proposed by one of the operator's staff and decided by another.
type securityBlock struct {
	ID              string
	Reason          string
	Basis           struct{ Number, Date string }
	State           string
	ProposedAt      time.Time `json:"proposed_at"`
	People, Blocked int
	Whose           []struct {
		Identifier string
		Blocked    bool
	}
}

// Date is that of the paper.
func (b securityBlock) Date() time.Time {
	at, _ := time.Parse(time.DateOnly, b.Basis.Date)
	return at
}

// proposed asks for the blocks that wait for another's decision.
func (v *visit) proposed(r *http.Request) ([]securityBlock, *management.Refusal, error) {
	var answer struct{ Blocks []securityBlock }
	refused, err := refusal(v.api.Call(r.Context(), http.MethodGet, "/operator/blocks?state=open", nil, &answer))
	return answer.Blocks, refused, err
}

// blocks handles GET /desk/blocks: what waits, and the form by which one proposes.
func (d *Page) blocks(w http.ResponseWriter, r *http.Request, v *visit) error {
	open, refused, err := v.proposed(r)
	switch {
	case err != nil:
		return err
	case refused != nil:
		return denied(refused)
	}
	var p proposal
	if v.secures {
		d.mu.Lock()
		p = v.proposal
		d.mu.Unlock()
	}
	if p.BasisDate == "" {
		p.BasisDate = time.Now().Format(time.DateOnly)
	}
	var options []page.Option
	for _, reason := range reasons {
		options = append(options, page.Option{Value: reason, Text: d.Site.Say(d.Site.Language(r), "reason."+reason, nil)})
	}
	return d.show(w, r, page.View{
		Name: "blocks", Back: "/desk", Errors: told(r, p.wrong()), Script: "desk.js",
		Data: struct {
			Open     []securityBlock
			Form     string // names this form, that it be answered once
			Proposal proposal
			Reasons  []page.Option
			Secures  bool
		}{open, rand.Text(), p, options, v.secures},
	})
}

// propose handles POST /desk/blocks. What is written stays until it is proposed.
func (d *Page) propose(w http.ResponseWriter, r *http.Request, v *visit) error {
	written := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	form := written("form")
	if at := v.proposals[form]; at != "" { // pressed twice
		http.Redirect(w, r, at, http.StatusSeeOther)
		return nil
	}
	p := proposal{
		Identifiers: written("identifiers"), Reason: written("reason"), BasisNumber: written("basis_number"), BasisDate: written("basis_date"),
	}
	d.write(v, p)
	var made struct{ ID string }
	refused, away, err := v.asks(w, r, "/desk/blocks", "/operator/blocks", map[string]any{
		"identifiers": p.listed(), "reason": p.Reason, "basis": map[string]string{"number": p.BasisNumber, "date": p.BasisDate},
	}, &made)
	if err != nil || away {
		return err
	}
	to := "/desk/blocks"
	if p.Refused = refused; refused == nil {
		p, to = proposal{}, "/desk/blocks/"+url.PathEscape(made.ID)
		v.proposals[form] = to
	}
	d.write(v, p)
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func (d *Page) write(v *visit, p proposal) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v.proposal = p
}

// block handles GET /desk/blocks/ID: whose identifiers are to be blocked, and why.
func (d *Page) block(w http.ResponseWriter, r *http.Request, v *visit) error {
	return d.showBlock(w, r, v, nil)
}

// decide handles POST /desk/blocks/ID.
func (d *Page) decide(w http.ResponseWriter, r *http.Request, v *visit) error {
	at, decision := "/desk/blocks/"+url.PathEscape(r.PathValue("id")), r.PostFormValue("decision")
	if decision != "approve" && decision != "refuse" {
		return d.showBlock(w, r, v, nil)
	}
	refused, away, err := v.asks(w, r, at, "/operator/blocks/"+url.PathEscape(r.PathValue("id"))+"/"+decision, nil, nil)
	switch {
	case err != nil || away:
		return err
	case refused != nil:
		return d.showBlock(w, r, v, refused)
	}
	http.Redirect(w, r, at, http.StatusSeeOther)
	return nil
}

// showBlock shows a security block, and why a decision was refused.
func (d *Page) showBlock(w http.ResponseWriter, r *http.Request, v *visit, refused *management.Refusal) error {
	var b securityBlock
	missing, err := refusal(v.api.Call(r.Context(), http.MethodGet, "/operator/blocks/"+url.PathEscape(r.PathValue("id")), nil, &b))
	switch {
	case err != nil:
		return err
	case missing != nil:
		return denied(missing)
	}
	return d.show(w, r, page.View{Name: "block", Back: "/desk/blocks", Errors: told(r, wrong(refused, nil)), Data: struct {
		securityBlock
		Secures bool
	}{b, v.secures}})
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
