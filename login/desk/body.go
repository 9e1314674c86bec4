package desk

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"asoba.example/login/desk/printed"
	"asoba.example/login/identity"
	"asoba.example/provider/api"
)

// A papersBody is what people bring, as the doors are told of it.
type papersBody struct {
	Identifier string         `json:"identifier"`
	Document   shown          `json:"document"`
	Names      identity.Names `json:"names"`
	Phone      string         `json:"phone"`
	Basis      basis          `json:"basis"`
	Language   string         `json:"language"`
	named
}

// A basis is identity.Basis in the form in which the doors take it and give it.
type basis struct {
	Number string `json:"number"`
	Date   string `json:"date"`
}

// named is whom a desk's system speaks for.
type named struct {
	Clerk  string `json:"clerk"`
	Office string `json:"office"`
}

// parse reads what is written down, which must be well written; what is left out is zero, and wrong where it is needed.
// A document that is none is zero too: a guard tells of it, or the form. The paper that all rests on is no older than a term.
func (b papersBody) parse(at time.Time, term time.Duration, needed ...string) (o Opening, wrong []api.Field) {
	for _, m := range []struct {
		name, code string
		written    bool
		parse      func() error
	}{
		{"/identifier", "not_an_identifier", b.Identifier != "", func() (err error) {
			o.Identifier, err = identity.ParseIdentifier(b.Identifier)
			return err
		}},
		{"/names", "not_names", b.Names != identity.Names{}, func() (err error) {
			o.Names, err = identity.ParseNames(b.Names.Family, b.Names.Given, b.Names.Middle)
			return err
		}},
		{"/phone", "not_mobile", b.Phone != "", func() (err error) {
			o.Phone, err = identity.ParsePhone(b.Phone)
			return err
		}},
		{"/basis", "not_a_basis", b.Basis != basis{}, func() (err error) {
			o.Basis, err = identity.ParseBasis(b.Basis.Number, b.Basis.Date, at)
			return err
		}},
	} {
		if (m.written || slices.Contains(needed, m.name)) && m.parse() != nil {
			wrong = append(wrong, api.Field{Name: m.name, Code: m.code})
		}
	}
	if o.Basis != (identity.Basis{}) && o.Basis.Older(term, at) {
		wrong = append(wrong, api.Field{Name: "/basis", Code: "too_old"})
	}
	o.Document, _ = identity.ParseDocument(b.Document.Kind, b.Document.Number, b.Document.ValidTill)
	return o, wrong
}

// An actBody is what the acts of the desk are asked with.
type actBody struct {
	papersBody
	Attested []string `json:"attested"`
}

// parse reads the body of an errand. Where attested may be left out, whoever sends the body without it attests by that
// all that the act needs.
func (b actBody) parse(e Errand, at time.Time, term time.Duration) (Opening, error) {
	o, wrong := b.papersBody.parse(at, term, append(e.members(), "/identifier", "/basis")...)
	var err error
	if o.Attested, err = ParseAttestations(b.Attested); err != nil {
		wrong = append(wrong, api.Field{Name: "/attested", Code: "unknown"})
	}
	if b.Attested == nil && e != Issuance {
		o.Attested = e.needs(o.Phone != identity.Phone{})
	}
	if o.Language, err = parseLanguage(b.Language); err != nil {
		wrong = append(wrong, api.Field{Name: "/language", Code: "unknown"})
	}
	return o, invalid(wrong)
}

// An applicationBody is what an application is filled in with. Whatever is left out is left to the pen.
type applicationBody struct {
	papersBody
	Errand Errand `json:"errand"`
}

func (b applicationBody) parse(at time.Time, term time.Duration) (a printed.Application, language string, err error) {
	o, wrong := b.papersBody.parse(at, term)
	if !slices.Contains(Errands, b.Errand) {
		wrong = append(wrong, api.Field{Name: "/errand", Code: "unknown"})
	}
	if b.Document != (shown{}) && o.Document == (identity.Document{}) {
		wrong = append(wrong, api.Field{Name: "/document", Code: "not_a_document"})
	}
	if language, err = printed.ParseLanguage(b.Language); err != nil {
		wrong = append(wrong, api.Field{Name: "/language", Code: "unknown"})
	}
	return printed.Application{
		Errand: string(b.Errand), Identifier: o.Identifier, Names: o.Names, Document: o.Document, Phone: o.Phone, Basis: o.Basis,
	}, language, invalid(wrong)
}

func invalid(wrong []api.Field) error {
	if len(wrong) == 0 {
		return nil
	}
	return api.Refuse(http.StatusUnprocessableEntity, "invalid", nil, wrong...)
}

func parseLanguage(s string) (string, error) {
	switch s {
	case "":
		return "ru", nil
	case "be", "ru", "en":
		return s, nil
	}
	return "", errors.New("no such language")
}

// A stepBody is what the later steps of a visit are asked with.
type stepBody struct {
	Code string `json:"code"`
	named
}
