package desk

import (
	"errors"
	"net/http"
	"time"

	"asoba.example/login/identity"
	"asoba.example/provider/api"
)

// A papersBody is what the acts of the desk are asked with; the opening of a visit has
// a phone besides, and an issuance names.
type papersBody struct {
	Identifier string          `json:"identifier"`
	Document   shown           `json:"document"`
	Names      *identity.Names `json:"names"`
	Phone      string          `json:"phone"`
	Attested   []string        `json:"attested"`
	Basis      basis           `json:"basis"`
	Language   string          `json:"language"`
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

// A document that is none is left to the guard that tells of it; everything else
// must be well written.
func (b papersBody) parse(at time.Time) (p Papers, wrong []api.Field) {
	var err error
	say := func(name, code string) {
		if err != nil {
			wrong = append(wrong, api.Field{Name: name, Code: code})
		}
	}
	p.Identifier, err = identity.ParseIdentifier(b.Identifier)
	say("/identifier", "not_an_identifier")
	p.Basis, err = identity.ParseBasis(b.Basis.Number, b.Basis.Date, at)
	say("/basis", "not_a_paper")
	p.Attested, err = ParseAttestations(b.Attested)
	say("/attested", "unknown")
	p.Language, err = parseLanguage(b.Language)
	say("/language", "unknown")
	p.Document, _ = identity.ParseDocument(b.Document.Kind, b.Document.Number, b.Document.ValidTill)
	return p, wrong
}

// act parses the body of an act that is one request. Without attested, the request
// itself is the clerk's word for holder and particulars.
func (b papersBody) act(at time.Time) (Papers, error) {
	p, wrong := b.parse(at)
	if b.Attested == nil {
		p.Attested = []Attestation{Holder, Particulars}
	}
	return p, invalid(wrong)
}

// opening parses the body of an opening.
func (b papersBody) opening(e Errand, at time.Time) (Opening, error) {
	p, wrong := b.parse(at)
	o := Opening{Papers: p}
	var err error
	switch {
	case e != Issuance:
	case b.Names == nil:
		wrong = append(wrong, api.Field{Name: "/names", Code: "missing"})
	default:
		if o.Names, err = identity.ParseNames(b.Names.Family, b.Names.Given, b.Names.Middle); err != nil {
			wrong = append(wrong, api.Field{Name: "/names", Code: "not_names"})
		}
	}
	if o.Phone, err = identity.ParsePhone(b.Phone); err != nil {
		wrong = append(wrong, api.Field{Name: "/phone", Code: "not_mobile"})
	}
	return o, invalid(wrong)
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
