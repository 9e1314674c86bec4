package deskpage

import (
	"maps"
	"net/http"
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

// unwritten is the form before the clerk writes: of whom was asked about, and what the scanner reads where the document
// is theirs.
func unwritten(l lookup, t task) form {
	if l.Identifier != "" && l.Identifier == t.Visitor.IdentificationNumber {
		f := scanned(t.Visitor, t.Operation)
		f.Number = l.Document
		return f
	}
	return form{Identifier: l.Identifier, Number: l.Document, BasisDate: time.Now().Format(time.DateOnly)}
}

// scanned is the form as the scanner fills it from the visitor's document. What the clerk attests is left to the clerk,
// and another phone to the visitor.
func scanned(p cast.Person, o operation) form {
	f := form{
		Identifier: p.IdentificationNumber,
		Kind:       p.Document.Kind, Number: p.Document.Number, ValidTill: p.Document.ValidTill,
		Family: p.Family, Given: p.Given, Middle: p.Middle,
		BasisNumber: p.Application(), BasisDate: time.Now().Format(time.DateOnly),
	}
	if o.Name == "issuance" {
		f.Phone = p.Phone
	}
	return f
}

// written is the form as it was sent.
func written(r *http.Request, o operation) form {
	v := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	return form{
		Identifier: v("identifier"), Kind: v("document_kind"), Number: v("document_number"), ValidTill: v("document_valid_till"),
		Family: v("family"), Given: v("given"), Middle: v("middle"), Phone: v("phone"),
		BasisNumber: v("basis_number"), BasisDate: v("basis_date"),
		Attested: attested(r, o),
	}
}

// attested is what the clerk ticked of what an operation asks for.
func attested(r *http.Request, o operation) []string {
	r.PostFormValue("attested") // reads the form
	given := []string{}
	for _, a := range o.Attested {
		if slices.Contains(r.PostForm["attested"], a) {
			given = append(given, a)
		}
	}
	return given
}

// body is the form as the API takes it.
func (f form) body(o operation) map[string]any {
	b := map[string]any{
		"identifier": f.Identifier,
		"document":   map[string]string{"kind": f.Kind, "number": f.Number, "valid_till": f.ValidTill},
		"basis":      map[string]string{"number": f.BasisNumber, "date": f.BasisDate},
		"attested":   f.Attested,
	}
	if o.Names {
		b["names"] = f.names()
	}
	if o.Must || f.Phone != "" {
		b["phone"] = f.Phone
	}
	return b
}

// unfilled is what is left out of what the API's guards look at. They are asked once all else is well written; the clerk is
// told of both at once.
func (f form) unfilled(o operation) (fields []management.Field) {
	if f.Number == "" {
		fields = append(fields, management.Field{Name: "/document/number", Code: "no_number"})
	}
	if f.ValidTill == "" {
		fields = append(fields, management.Field{Name: "/document/valid_till", Code: "no_term"})
	}
	for _, a := range o.Attested {
		needed := a != "phone" || o.Must || f.Phone != ""
		if needed && !slices.Contains(f.Attested, a) {
			return append(fields, management.Field{Name: "/attested", Code: "not_attested"})
		}
	}
	return fields
}

func (f form) names() map[string]string {
	return map[string]string{"family": f.Family, "given": f.Given, "middle": f.Middle}
}

// A work is what is on the clerk's desk: one operation for one visitor. It is written down, then a phone is confirmed
// where one is brought, and then it is done; the page shows whichever it is, however often it is asked for.
type work struct {
	Form    form
	Key     string              // by which the API knows again what it is asked for, where its answer was lost
	Refused *management.Refusal // the last time
	Visit   string              // its address at the API, while and after a phone is confirmed
	Done    outcome
	Kept    kept      // of the signed paper
	Away    time.Time // when a register was asked once more, and did not answer
	Resent  time.Time // when another code was sent
}

// An outcome is what the desk learns of an act.
type outcome struct {
	Act, Stage, SMS string
}

// Step is where the work is.
func (w work) Step() string {
	switch {
	case w.Done.Stage == "pending", w.Done.Stage == "withdrawn":
		return w.Done.Stage
	case w.Done.Act != "":
		return "done"
	case w.Visit != "":
		return "code"
	}
	return "form"
}

// shown are the fields of a step, by the API's members and by the guards that look at them.
var shown = map[string]map[string]string{
	"form": {
		"/identifier": "identifier", "/document": "document_number", "/document/number": "document_number",
		"/document/valid_till": "document_valid_till", "/attested": "attested", "/names": "family", "/phone": "phone", "/basis": "basis_number",
		"g1": "document_number", "g2": "identifier", "g4": "phone", "g5": "attested", "g6": "identifier", "g7": "document_number",
		"g8": "identifier", "g9": "identifier", "unknown_identifier": "identifier",
	},
	"pending": {"g5": "attested"},
	"code":    {"/code": "code"},
	"done":    {"not_a_scan": "paper", "too_large": "paper", "too_many_papers": "paper", "no_more_papers": "paper", "no_file": "paper"},
}

// explained are the refusals that have a word of their own; others are shown by their code.
var explained = []string{
	"g1", "g2", "g3", "g4", "g5", "g6", "g7", "g8", "g9", "unknown_identifier", "wrong_state", "unknown_visit", "visit_over",
	"wrong_code", "code_over", "wait", "register_away", "busy", "not_a_clerk", "wrong_role", "too_many_acts", "too_many_reissues",
	"idempotency_key_reused",
	"not_a_scan", "too_large", "too_many_papers", "no_more_papers", "no_file", "unknown_act", "no_paper",
	"own_proposal", "decided", "unknown_person", "alive", "act_too_old", "open_proposal", "import_under_way",
}

// misspelt are the codes of members that have a word of their own.
var misspelt = []string{"not_an_identifier", "doubtful", "not_a_document", "not_names", "not_mobile", "not_a_basis", "too_old", "no_number", "no_term", "not_attested"}

// wrong says what was refused, beside the fields of the step where it can be.
func (w work) wrong(o operation) []page.FieldError {
	fields := maps.Clone(shown[w.Step()])
	if !o.Phone {
		maps.DeleteFunc(fields, func(_, field string) bool { return field == "phone" })
	}
	if w.Step() != "form" {
		return wrong(w.Refused, fields)
	}
	today := time.Now().In(minsk).Format(time.DateOnly)
	if w.Form.ValidTill < today { // which is left out, or over
		fields["g1"] = "document_valid_till"
	}
	if w.Form.Family != "" && w.Form.Given == "" {
		fields["/names"] = "given"
	}
	if w.Form.BasisNumber != "" && (w.Form.BasisDate == "" || w.Form.BasisDate > today) {
		fields["/basis"] = "basis_date"
	}
	if w.Refused != nil && slices.ContainsFunc(w.Refused.Fields, func(f management.Field) bool { return f.Code == "too_old" }) {
		fields["/basis"] = "basis_date"
	}
	said := wrong(w.Refused, fields)
	if w.Refused != nil && w.Refused.Code == "g1" {
		for _, f := range w.Form.unfilled(o) {
			said = append(said, page.FieldError{Field: fields[f.Name], Word: "wrong." + f.Code})
		}
	}
	return inOrder(said, "identifier", "document_number", "document_valid_till", "family", "given", "basis_number", "basis_date", "phone", "attested")
}

// inOrder tells what is wrong in the order of a page's fields.
func inOrder(said []page.FieldError, fields ...string) []page.FieldError {
	slices.SortStableFunc(said, func(a, b page.FieldError) int {
		return slices.Index(fields, a.Field) - slices.Index(fields, b.Field)
	})
	return said
}

// wrong says what was refused, beside the fields that are at fault.
func wrong(refused *management.Refusal, fields map[string]string) (said []page.FieldError) {
	if refused == nil {
		return nil
	}
	code := refused.Code
	if slices.Contains(explained, code) {
		field := fields[code]
		for _, f := range refused.Fields {
			field = fields[f.Name]
		}
		return []page.FieldError{{Field: field, Word: "refused." + code, Args: map[string]any{"At": clock(refused.Again)}}}
	}
	for _, f := range refused.Fields {
		word := "wrong.other"
		if slices.Contains(misspelt, f.Code) {
			word = "wrong." + f.Code
		}
		said = append(said, page.FieldError{Field: fields[f.Name], Word: word, Args: map[string]any{"Code": f.Code}})
	}
	if len(said) == 0 {
		said = []page.FieldError{{Word: "refused.other", Args: map[string]any{"Code": code}}}
	}
	return said
}

// clock tells a time of today, or of another day.
func clock(at time.Time) string {
	at = at.In(minsk)
	if now := time.Now().In(minsk); at.YearDay() != now.YearDay() || at.Year() != now.Year() {
		return at.Format("02.01.2006 15:04")
	}
	return at.Format(time.TimeOnly)
}

// Slip is the number of the refusal, where it is on record.
func (w work) Slip() string {
	if w.Refused == nil {
		return ""
	}
	return recorded(w.Refused)
}
