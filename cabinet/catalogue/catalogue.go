package catalogue

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"asoba.example/provider/api"
)

// A Code is a service's in the national scheme: numbers between dots, as 200.13.1. Codes stand in the order of their
// numbers.
type Code string

// ErrCode says that a text is no code.
var ErrCode = errors.New("not the code of a service")

var codeForm = regexp.MustCompile(`^[1-9][0-9]{0,5}(\.[1-9][0-9]{0,5}){1,5}$`)

// ParseCode reads a code.
func ParseCode(s string) (Code, error) {
	if !codeForm.MatchString(s) {
		return "", ErrCode
	}
	return Code(s), nil
}

// numbers are by which codes are put in order.
func (c Code) numbers() []int32 {
	all := []int32{}
	for _, part := range strings.Split(string(c), ".") {
		n, _ := strconv.ParseInt(part, 10, 32) // ParseCode lets no other through
		all = append(all, int32(n))
	}
	return all
}

// A Kind of service.
type Kind string

// Kinds.
const (
	EService  Kind = "e_service"
	Procedure Kind = "procedure" // administrative
)

// An Applicant is who may ask for a service.
type Applicant string

// Applicants.
const (
	Person       Applicant = "person"
	Entrepreneur Applicant = "entrepreneur"
	LegalEntity  Applicant = "legal_entity"
)

// An Access says how an applicant has to have signed in.
type Access string

// Accesses, the easiest first.
const (
	Open         Access = "none"
	ByIdentifier Access = "identifier"      // with its password
	ByTwoFactors Access = "identifier_code" // and with something more than that
	Strict       Access = "strict"          // as the law calls it: with an ID card or a digital signature
)

// High is the level of a sign-in by ID card or digital signature.
const High = "high"

// ACR is the level that a sign-in must have; "" where none is needed.
func (a Access) ACR() string {
	switch a {
	case ByIdentifier:
		return api.Low
	case ByTwoFactors:
		return api.Substantial
	case Strict:
		return High
	case Open:
	}
	return ""
}

// Words are one text in the three languages.
type Words struct {
	BE string `json:"be"`
	RU string `json:"ru"`
	EN string `json:"en"`
}

// In gives the text in a language; in Russian where it is none of the three.
func (w Words) In(language string) string {
	switch language {
	case "be":
		return w.BE
	case "en":
		return w.EN
	}
	return w.RU
}

// A Body renders services.
type Body struct {
	Code string `json:"code"`
	Name Words  `json:"name"`
}

// A Situation of life is what people come with, rather than the name of a body.
type Situation struct {
	Code string `json:"code"`
	Name Words  `json:"name"`
}

// A Service is an e-service or an administrative procedure.
type Service struct {
	Code       Code        `json:"code"`
	Kind       Kind        `json:"kind"`
	Body       string      `json:"body"` // its code
	BodyName   Words       `json:"-"`    // only of services that were read
	Applicants []Applicant `json:"for"`
	Access     Access      `json:"access"`
	TermDays   int         `json:"term_days"` // working days
	Fee        string      `json:"fee"`       // in base amounts; 0 for none
	Languages  []string    `json:"languages"` // that the application may be in
	Situations []string    `json:"situations"`
	Name       Words       `json:"name"`
	About      Words       `json:"about"`
	Synonyms   string      `json:"synonyms"` // what else people call it, in any language
	Documents  []Words     `json:"documents"`
	Form       Form        `json:"form"`
	ValidFrom  time.Time   `json:"valid_from"` // zero where an edition leaves it to its date
	ValidTill  *time.Time  `json:"valid_till"` // the last day; nil while there is no end
}

// On tells whether it can be asked for on a day.
func (s Service) On(day time.Time) bool {
	return !day.Before(s.ValidFrom) && (s.ValidTill == nil || !day.After(*s.ValidTill))
}

// A Form is what the applicant fills in. One without fields asks for nothing but who applies.
type Form struct {
	Fields []Field `json:"fields"`
}

// A Field of a form: a data element, which is the same wherever it is asked for.
type Field struct {
	Name     string          `json:"name"`
	Title    Words           `json:"title"`
	Required bool            `json:"required"`
	Schema   json.RawMessage `json:"schema"`            // JSON Schema of its value
	Choices  []Choice        `json:"choices,omitempty"` // where it is one of few
}

// A Choice is a value that a field may have, and what it means.
type Choice struct {
	Value string `json:"value"`
	Title Words  `json:"title"`
}

// Type tells how a field is filled in: choice, date, or the type of its value.
func (f Field) Type() string {
	var schema struct{ Type, Format string }
	_ = json.Unmarshal(f.Schema, &schema) // an edition brings no other
	switch {
	case len(f.Choices) > 0:
		return "choice"
	case schema.Format == "date":
		return "date"
	}
	return schema.Type
}

// Schema is the form as a JSON Schema (2020-12) whose titles are in a language.
func (f Form) Schema(language string) map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, field := range f.Fields {
		property := map[string]any{}
		_ = json.Unmarshal(field.Schema, &property) // an edition brings no other
		property["title"] = field.Title.In(language)
		var values []any
		for _, c := range field.Choices {
			values = append(values, map[string]string{"const": c.Value, "title": c.Title.In(language)})
		}
		if values != nil {
			property["oneOf"] = values
		}
		properties[field.Name] = property
		if field.Required {
			required = append(required, field.Name)
		}
	}
	return map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false,
		"properties": properties, "required": required,
	}
}

// minsk has had one time the whole year since 2011.
var minsk = time.FixedZone("Minsk", 3*60*60)

// Day is the day that it is in Minsk at a moment.
func Day(at time.Time) time.Time {
	year, month, day := at.In(minsk).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}
