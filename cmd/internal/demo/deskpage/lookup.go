package deskpage

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/cmd/internal/demo/management"
	"asoba.example/provider/page"
)

// purposes are why a clerk may read what is held of a person, as the API names them.
var purposes = []string{"visit", "complaint", "inquiry"}

// A lookup is whom a clerk asks about, and what was answered.
type lookup struct {
	Identifier, Document, Purpose string
	Refused                       *management.Refusal // the last time
	Standing                      *standing           // nil where nothing is known, or something was done since
}

// A standing is how somebody's identifier stands.
type standing struct {
	State        string    `json:"state"`
	BlockReason  string    `json:"block_reason"`
	Phone        string    `json:"phone"` // masked
	IssuedAt     time.Time `json:"issued_at"`
	PasswordTill time.Time `json:"password_till"`
}

// unassigned is the state of whom no identifier is found of.
const unassigned = "none"

// offered are the operations that a state allows. A block by the register is lifted by the register alone.
func (s standing) offered() []string {
	switch {
	case s.State == unassigned:
		return []string{"issuance"}
	case s.State == "temporary":
		return []string{"phone_change", "reissue", "block"}
	case s.State == "active":
		return []string{"phone_change", "block"}
	case s.State == "blocked" && s.BlockReason != "register":
		return []string{"unblock"}
	}
	return nil
}

// other names whoever stands at the window and is not of the queue.
const other = "other"

// find gives who stands at the window: somebody of the queue, or anybody else.
func find(key string) (cast.Person, bool) {
	if key == other {
		return cast.Person{Key: other}, true
	}
	return cast.Find(key)
}

// asked gives what was asked about a visitor last; before, what the scanner reads.
func (d *Page) asked(v *visit, p cast.Person) lookup {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l, asked := v.lookups[p.Key]; asked {
		return l
	}
	return lookup{Identifier: p.IdentificationNumber, Document: p.Document.Number, Purpose: purposes[0]}
}

// lookUp handles POST /desk/visitors/KEY. Whom the clerk asks about is carried to the forms on this side: an address
// names nobody, and a page may be reloaded.
func (d *Page) lookUp(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, known := find(r.PathValue("key"))
	if !known {
		return page.Refuse(http.StatusNotFound, "error.not_found", nil)
	}
	before := d.asked(v, p)
	l := lookup{
		Identifier: strings.TrimSpace(r.PostFormValue("identifier")),
		Document:   strings.TrimSpace(r.PostFormValue("document_number")),
		Purpose:    r.PostFormValue("purpose"),
	}
	to := "/desk/visitors/" + p.Key
	valid := v.token.Valid()
	if valid {
		if err := l.ask(r, v.api); err != nil {
			return err
		}
	}
	d.mu.Lock()
	v.lookups[p.Key] = l
	if l.Identifier != before.Identifier || l.Document != before.Document { // the next one has come
		for _, o := range operations {
			delete(v.works, address(p, o))
		}
	}
	d.mu.Unlock()
	if !valid {
		again(w, r, to+"?"+unsent)
		return nil
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// ask has the API tell how the identifier stands.
func (l *lookup) ask(r *http.Request, api management.Caller) (err error) {
	var found standing
	l.Refused, err = refusal(api.Call(r.Context(), http.MethodPost, "/desk/lookups", map[string]any{
		"identifier": l.Identifier, "document": map[string]string{"number": l.Document}, "purpose": l.Purpose,
	}, &found))
	switch {
	case err != nil:
		return err
	case l.Refused == nil:
		l.Standing = &found
	case l.Refused.Code == "unknown_identifier":
		mistyped := l.Refused.Fields // most probably
		l.Refused, l.Standing = nil, &standing{State: unassigned}
		if len(mistyped) > 0 {
			l.Refused = &management.Refusal{Fields: mistyped}
		}
	}
	return nil
}

// visitor handles GET /desk/visitors/KEY: who stands at the window, how the identifier stands, and what for they came.
func (d *Page) visitor(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, known := find(r.PathValue("key"))
	if !known {
		return page.Refuse(http.StatusNotFound, "error.not_found", nil)
	}
	type errand struct {
		operation
		At   string
		Step string // "" where nothing is begun
	}
	l := d.asked(v, p)
	var offered, others, begun []errand
	for _, o := range operations {
		e := errand{operation: o, At: address(p, o)}
		if on, there := d.read(v, task{Visitor: p, Operation: o, Address: e.At}); there {
			e.Step = on.Step()
		}
		switch {
		case l.Standing != nil && l.Purpose == "visit" && slices.Contains(l.Standing.offered(), o.Name):
			offered = append(offered, e)
		case e.Step != "":
			begun = append(begun, e)
		case l.Standing != nil && l.Purpose == "visit" && l.Standing.State == unassigned:
			others = append(others, e)
		}
	}
	slip := ""
	if l.Refused != nil {
		slip = recorded(l.Refused)
	}
	return d.show(w, r, page.View{
		Name: "visitor", Title: "visitor.title", TitleArgs: map[string]any{"Name": d.caption(r, v, p)}, Back: "/desk", Wide: true,
		Errors: told(r, wrong(l.Refused, map[string]string{
			"/identifier": "identifier", "/document": "document_number", "/purpose": "purpose",
			"g9": "identifier",
		})),
		Script: "desk.js",
		Data: struct {
			Visitor                cast.Person
			Lookup                 lookup
			Purposes               []page.Option
			Offered, Others, Begun []errand
			Slip                   string
		}{p, l, d.purposes(r), offered, others, begun, slip},
	})
}

// caption names who stands at the window.
func (d *Page) caption(r *http.Request, v *visit, p cast.Person) string {
	if p.Key != other {
		return p.Name()
	}
	if l := d.asked(v, p); l.Identifier != "" {
		return l.Identifier
	}
	return d.Site.Say(d.Site.Language(r), "visitor.other", nil)
}

// purposes are the options of a look-up.
func (d *Page) purposes(r *http.Request) []page.Option {
	var options []page.Option
	for _, purpose := range purposes {
		options = append(options, page.Option{Value: purpose, Text: d.Site.Say(d.Site.Language(r), "purpose."+purpose, nil)})
	}
	return options
}

// recorded is the number of a refusal that is on record.
func recorded(refused *management.Refusal) string {
	number, found := strings.CutPrefix(refused.Instance, "/desk/refusals/")
	if !found {
		return ""
	}
	return url.PathEscape(number)
}
