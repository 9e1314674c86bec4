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

// A form is what a clerk writes down from the papers.
type form struct {
	Identifier, Kind, Number, ValidTill string
	Family, Given, Middle, Phone        string
	BasisNumber, BasisDate              string
	Attested                            []string
}

// attestations are what a clerk makes sure of (resolution 792 ¶3–4).
var attestations = []string{"holder", "particulars", "phone"}

// scanned is the form as the scanner fills it from the visitor's document.
func scanned(p cast.Person) form {
	return form{
		Identifier: p.IdentificationNumber,
		Kind:       p.Document.Kind, Number: p.Document.Number, ValidTill: p.Document.ValidTill,
		Family: p.Family, Given: p.Given, Middle: p.Middle, Phone: p.Phone,
		BasisNumber: "1-" + p.Key, BasisDate: time.Now().Format(time.DateOnly),
		Attested: attestations,
	}
}

// written is the form as it was sent.
func written(r *http.Request) form {
	v := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	return form{
		Identifier: v("identifier"), Kind: v("document_kind"), Number: v("document_number"), ValidTill: v("document_valid_till"),
		Family: v("family"), Given: v("given"), Middle: v("middle"), Phone: v("phone"),
		BasisNumber: v("basis_number"), BasisDate: v("basis_date"),
		Attested: append([]string{}, r.PostForm["attested"]...),
	}
}

func (f form) body() map[string]any {
	return map[string]any{
		"identifier": f.Identifier,
		"document":   map[string]string{"kind": f.Kind, "number": f.Number, "valid_till": f.ValidTill},
		"basis":      map[string]string{"number": f.BasisNumber, "date": f.BasisDate},
		"attested":   f.Attested,
	}
}

// outcomes are what an act may have come to, as words.
var outcomes = []string{"issued", "blocked", "unblocked", "reissued"}

// visitor handles GET /desk/visitors/KEY.
func (d *Page) visitor(w http.ResponseWriter, r *http.Request, _ *visit) error {
	p, known := cast.Find(r.PathValue("key"))
	if !known {
		return page.Refuse(http.StatusNotFound, "error.not_found", nil)
	}
	done := r.URL.Query().Get("done")
	if !slices.Contains(outcomes, done) {
		done = ""
	}
	return d.show(w, r, p, scanned(p), nil, done)
}

// show is the page of a visitor, with what was refused or done.
func (d *Page) show(w http.ResponseWriter, r *http.Request, p cast.Person, f form, refused *management.Refusal, done string) error {
	language := d.Site.Language(r)
	view := page.View{Name: "visitor", Title: "visitor.title", TitleArgs: map[string]any{"Name": p.Name()}, SignedIn: true, Back: "/desk"}
	if refused != nil {
		view.Status = http.StatusUnprocessableEntity
		view.Errors = wrong(refused)
		view.Once = true
	}
	kinds := []page.Option{}
	for _, kind := range []string{"passport", "id_card", "residence_permit", "refugee_certificate"} {
		kinds = append(kinds, page.Option{Value: kind, Text: d.Site.Say(language, "document."+kind, nil)})
	}
	type attestation struct {
		Value string
		Given bool
	}
	given := []attestation{}
	for _, a := range attestations {
		given = append(given, attestation{a, slices.Contains(f.Attested, a)})
	}
	view.Data = struct {
		Key          string
		Form         form
		Kinds        []page.Option
		Attestations []attestation
		Done         string
	}{p.Key, f, kinds, given, done}
	return d.Site.Show(w, r, view)
}

// fields names the form's fields by the API's members.
var fields = map[string]string{
	"/identifier": "identifier", "/names": "family", "/phone": "phone", "/basis": "basis_number", "/code": "code",
}

// explained are the refusals that have a word of their own; others are shown by their code.
var explained = []string{
	"g1", "g2", "g3", "g4", "g5", "g6", "g8", "g9", "unknown_identifier", "wrong_state", "unknown_visit", "visit_over",
	"wrong_code", "code_over", "wait", "invalid", "not_a_clerk",
}

func wrong(refused *management.Refusal) []page.FieldError {
	word := "refused.other"
	if slices.Contains(explained, refused.Code) {
		word = "refused." + refused.Code
	}
	said := []page.FieldError{{Word: word, Args: map[string]any{"Code": refused.Code}}}
	for _, f := range refused.Fields {
		if field := fields[f.Name]; field != "" {
			said = append(said, page.FieldError{Field: field, Word: "refused.field", Args: map[string]any{"Code": f.Code}})
		}
	}
	return said
}

// code handles GET /desk/issuances/ID: the visitor says the code aloud.
func (d *Page) code(w http.ResponseWriter, r *http.Request, v *visit) error {
	return d.ask(w, r, v, nil)
}

func (d *Page) ask(w http.ResponseWriter, r *http.Request, v *visit, refused *management.Refusal) error {
	p, known := d.whose(r, v)
	if !known {
		return page.Refuse(http.StatusNotFound, "error.not_found", nil)
	}
	view := page.View{
		Name: "visitor-code", SignedIn: true, Back: "/desk/visitors/" + p.Key,
		Data: p,
	}
	if refused != nil {
		view.Status, view.Errors = http.StatusUnprocessableEntity, wrong(refused)
	}
	return d.Site.Show(w, r, view)
}

// whose gives the visitor of an issuance that this clerk opened.
func (d *Page) whose(r *http.Request, v *visit) (cast.Person, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return cast.Find(v.open[r.PathValue("id")])
}

// assign handles POST /desk/issuances/ID: the code confirms the phone, and the identifier is assigned.
func (d *Page) assign(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, known := d.whose(r, v)
	if !known {
		return page.Refuse(http.StatusNotFound, "error.not_found", nil)
	}
	at := "/desk/issuances/" + url.PathEscape(r.PathValue("id"))
	code := map[string]string{"code": strings.TrimSpace(r.PostFormValue("code"))}
	refused, err := refusal(v.api.Call(r.Context(), http.MethodPost, at+"/phone", code, nil))
	if err == nil && refused == nil {
		refused, err = refusal(v.api.Call(r.Context(), http.MethodPost, at+"/assign", map[string]any{}, nil))
	}
	if err != nil {
		return err
	}
	if refused != nil {
		return d.ask(w, r, v, refused)
	}
	http.Redirect(w, r, "/desk/visitors/"+p.Key+"?done=issued", http.StatusSeeOther)
	return nil
}

// act handles POST /desk/visitors/KEY: what the clerk decided.
func (d *Page) act(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, known := cast.Find(r.PathValue("key"))
	if !known {
		return page.Refuse(http.StatusNotFound, "error.not_found", nil)
	}
	f := written(r)
	var path, done string
	body := f.body()
	switch r.PostFormValue("decision") {
	case "issue":
		return d.open(w, r, v, p, f)
	case "block":
		path, done = "/desk/blocks", "blocked"
	case "unblock":
		path, done = "/desk/unblocks", "unblocked"
	case "reissue":
		path, done = "/desk/reissues", "reissued"
	default:
		return page.Refuse(http.StatusNotFound, "error.not_found", nil)
	}
	refused, err := refusal(v.api.Call(r.Context(), http.MethodPost, path, body, nil))
	if err != nil {
		return err
	}
	if refused != nil {
		return d.show(w, r, p, f, refused, "")
	}
	http.Redirect(w, r, "/desk/visitors/"+p.Key+"?done="+done, http.StatusSeeOther)
	return nil
}

// open opens an issuance: a code goes to the phone.
func (d *Page) open(w http.ResponseWriter, r *http.Request, v *visit, p cast.Person, f form) error {
	body := f.body()
	body["names"] = map[string]string{"family": f.Family, "given": f.Given, "middle": f.Middle}
	body["phone"] = f.Phone
	var opened struct{ ID string }
	refused, err := refusal(v.api.Call(r.Context(), http.MethodPost, "/desk/issuances", body, &opened))
	if err != nil {
		return err
	}
	if refused != nil {
		return d.show(w, r, p, f, refused, "")
	}
	d.mu.Lock()
	v.open[opened.ID] = p.Key
	d.mu.Unlock()
	http.Redirect(w, r, "/desk/issuances/"+opened.ID, http.StatusSeeOther)
	return nil
}
