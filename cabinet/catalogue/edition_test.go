package catalogue

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"asoba.example/provider/page"
)

func sample(t *testing.T) Edition {
	t.Helper()
	e, err := Parse(Sample)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return e
}

// The sample is an edition, and each of its forms is a JSON Schema in each language.
func TestTheSampleIsAnEdition(t *testing.T) {
	t.Parallel()
	e := sample(t)
	if len(e.Services) < 60 {
		t.Errorf("%d services, want 60 or more", len(e.Services))
	}
	for _, s := range e.Services {
		for _, language := range page.Languages {
			text, err := json.Marshal(s.Form.Schema(language))
			if err != nil {
				t.Fatal(err)
			}
			schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			compiler := jsonschema.NewCompiler()
			if err := compiler.AddResource("form", schema); err != nil {
				t.Fatal(err)
			}
			if _, err := compiler.Compile("form"); err != nil {
				t.Errorf("%s in %s: %v", s.Code, language, err)
			}
		}
	}
}

// small is a whole edition of one service, in YAML; tests break it.
const small = `number: 1
date: 2026-05-01
bodies:
  office: {be: Аддзел, ru: Отдел, en: Office}
situations:
  home: {be: Жыллё, ru: Жильё, en: Housing}
documents:
  paper: {be: Папера, ru: Бумага, en: Paper}
fields:
  address:
    title: {be: Адрас, ru: Адрес, en: Address}
    schema: {type: string, maxLength: 200}
services:
  - code: "1.1"
    kind: procedure
    body: office
    for: [person]
    access: identifier
    term_days: 5
    fee: "0"
    languages: [be, ru]
    situations: [home]
    name: {be: Даведка, ru: Справка, en: Certificate}
    about: {be: Пра дом, ru: О доме, en: Of a house}
    documents: [paper]
    form: {required: [address]}
`

// All that is wrong with a file is told at once, by line, item and member.
func TestFaultsAreToldAllAtOnce(t *testing.T) {
	t.Parallel()
	for story, row := range map[string]struct {
		broken []string // what stands in small, and what instead
		want   []string
	}{
		"a good one":              {nil, nil},
		"not YAML":                {[]string{small, "a: ["}, []string{"line 1: did not find expected node content"}},
		"nothing":                 {[]string{small, ""}, []string{"line 1: the file is empty"}},
		"a code as YAML reads it": {[]string{`"1.1"`, `1.1`}, []string{"line 14: 1.1: code: got number, want string"}},
		"a member twice": {
			[]string{"date: 2026-05-01", "date: 2026-05-01\ndate: 2026-05-02"},
			[]string{`line 3: mapping key "date" already defined at line 2`},
		},
		"members of the schema": {
			[]string{"kind: procedure", "kind: wish", `fee: "0"`, `fee: "1,5"`, "term_days: 5", "urgent: true", "be: Даведка, ru: Справка", "be: Справка, ru: Даведка і"},
			[]string{
				"line 14: 1.1: term_days: is missing",
				"line 15: 1.1: kind: value must be one of 'e_service', 'procedure'",
				"line 19: 1.1: urgent: is not known",
				"line 20: 1.1: fee: '1,5' does not match pattern '^(0|[1-9][0-9]{0,3})(\\\\.[0-9]{1,2})?$'",
				"line 23: 1.1: name.ru: has a letter that the language has not, or breaks the line",
			},
		},
		"the last number of its year": {[]string{"number: 1", "number: 202699"}, nil},
		"a number of the next year":   {[]string{"number: 1", "number: 202700"}, []string{"line 1: number: is greater than the last of its year, 202699"}},
		"a number of no day":          {[]string{"number: 1", "number: 202700", "date: 2026-05-01", "date: May"}, []string{"line 2: date: 'May' is not valid date: parsing time \"May\" as \"2006-01-02\": cannot parse \"May\" as \"2006\""}},
		"what it means": {
			[]string{"body: office", "body: nobody", "[home]", "[home, away]", "[paper]", "[paper, scissors]", "required: [address]", "required: [address], optional: [address, colour]", "    kind: procedure\n", "    kind: procedure\n    valid_till: 2026-04-30\n"},
			[]string{
				"line 16: 1.1: valid_till: is before valid_from",
				"line 17: 1.1: body: is none of bodies",
				"line 23: 1.1: situations.1: is none of situations",
				"line 26: 1.1: documents.1: is none of documents",
				"line 27: 1.1: form.optional.0: is required already",
				"line 27: 1.1: form.optional.1: is none of fields",
			},
		},
		"schemas that contradict themselves": {
			[]string{"    schema: {type: string, maxLength: 200}\n", `    schema: {type: string, minLength: 5, maxLength: 1}
  count:
    title: {be: Колькі, ru: Сколько, en: How many}
    schema: {type: integer, format: date, minimum: 2, maximum: 1}
  agreed:
    title: {be: Згода, ru: Согласие, en: Consent}
    schema: {type: boolean}
    choices: &colours {red: {be: Чырвоны, ru: Красный, en: Red}, green: {be: Зялёны, ru: Зелёный, en: Green}}
  born:
    title: {be: Дата, ru: Дата, en: Date}
    schema: {type: string, format: date, maxLength: 5}
  colour:
    title: {be: Колер, ru: Цвет, en: Colour}
    schema: {type: string, maxLength: 3}
    choices: *colours
  good:
    title: {be: Колер, ru: Цвет, en: Colour}
    schema: {type: string, minLength: 3, maxLength: 5, pattern: '^[a-z]+$'}
    choices: *colours
`},
			[]string{
				"line 12: fields: address.schema.minLength: is greater than maxLength",
				"line 15: fields: count.schema.format: says nothing of type integer",
				"line 15: fields: count.schema.minimum: is greater than maximum",
				"line 19: fields: agreed.choices: are texts, and not of type boolean",
				"line 19: fields: colour.choices.green: is not what the schema takes",
				"line 22: fields: born.schema.maxLength: says nothing of type date",
			},
		},
		"both at once": {
			[]string{"kind: procedure", "kind: wish", "body: office", "body: nobody"},
			[]string{"line 15: 1.1: kind: value must be one of 'e_service', 'procedure'", "line 16: 1.1: body: is none of bodies"},
		},
		"the same twice": {
			[]string{small, small + small[strings.Index(small, "  - code"):]},
			[]string{"line 27: 1.1: code: stands twice"},
		},
	} {
		t.Run(story, func(t *testing.T) {
			t.Parallel()
			text := small
			for i := 0; i < len(row.broken); i += 2 {
				text = strings.Replace(text, row.broken[i], row.broken[i+1], 1)
			}
			var got []string
			_, err := Parse([]byte(text))
			if faults, ok := errors.AsType[Faults](err); ok {
				for _, fault := range faults {
					got = append(got, fault.String())
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(row.want, "\n"))
			}
		})
	}
}
