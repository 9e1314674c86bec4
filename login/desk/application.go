package desk

import (
	"net/http"
	"slices"
	"time"

	"asoba.example/login/desk/printed"
	"asoba.example/login/identity"
	"asoba.example/provider/api"
)

// An applicationBody is what an application is filled in with. Whatever is left
// out is left to the pen.
type applicationBody struct {
	Errand     Errand         `json:"errand"`
	Identifier string         `json:"identifier"`
	Document   shown          `json:"document"`
	Names      identity.Names `json:"names"`
	Phone      string         `json:"phone"`
	Basis      basis          `json:"basis"`
	Language   string         `json:"language"`
	named
}

// application handles POST /desk/application-forms: a form to be signed, filled in with what is on the clerk's screen.
func (d *Doors) application(w http.ResponseWriter, r *http.Request) error {
	token, err := d.Gate.Tokens.Require(w, r, Scope)
	if err != nil {
		return err
	}
	body, err := api.Decode[applicationBody](w, r)
	if err != nil {
		return err
	}
	by, err := d.by(w, r, token, body.named)
	if err != nil {
		return err
	}
	a, language, err := body.parse(d.Gate.Now())
	if err != nil {
		return err
	}
	a.Office = by.Office
	return d.Press.Application(w, language, a)
}

func (b applicationBody) parse(at time.Time) (a printed.Application, language string, err error) {
	var wrong []api.Field
	take := func(name, code string, written bool, parse func() error) {
		if written && parse() != nil {
			wrong = append(wrong, api.Field{Name: name, Code: code})
		}
	}
	a.Errand = string(b.Errand)
	if !slices.Contains(Errands, b.Errand) {
		wrong = append(wrong, api.Field{Name: "/errand", Code: "unknown"})
	}
	take("/identifier", "not_an_identifier", b.Identifier != "", func() (err error) {
		a.Identifier, err = identity.ParseIdentifier(b.Identifier)
		return err
	})
	take("/document", "not_a_document", b.Document != shown{}, func() (err error) {
		a.Document, err = identity.ParseDocument(b.Document.Kind, b.Document.Number, b.Document.ValidTill)
		return err
	})
	take("/names", "not_names", b.Names != identity.Names{}, func() (err error) {
		a.Names, err = identity.ParseNames(b.Names.Family, b.Names.Given, b.Names.Middle)
		return err
	})
	take("/phone", "not_mobile", b.Phone != "", func() (err error) {
		a.Phone, err = identity.ParsePhone(b.Phone)
		return err
	})
	take("/basis", "not_a_paper", b.Basis != basis{}, func() (err error) {
		a.Basis, err = identity.ParseBasis(b.Basis.Number, b.Basis.Date, at)
		return err
	})
	take("/language", "unknown", true, func() (err error) {
		language, err = printed.ParseLanguage(b.Language)
		return err
	})
	return a, language, invalid(wrong)
}
