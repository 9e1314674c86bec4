package catalogue

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// An Edition is the whole catalogue as it is from a day on.
type Edition struct {
	Number     int
	Date       time.Time
	Checksum   [sha256.Size]byte // of the file
	Notice     *Words            // what readers are told of the whole of it; nil for nothing
	Bodies     []Body
	Situations []Situation
	Services   []Service
}

// Faults are all that is wrong with a file.
type Faults []Fault

// Error names the first one.
func (f Faults) Error() string {
	if len(f) == 1 {
		return "the edition has a fault: " + f[0].String()
	}
	return fmt.Sprintf("the edition has %d faults; the first: %s", len(f), f[0])
}

// A Fault is what is wrong with a member of a file.
type Fault struct {
	Line  int
	Item  string // the code of a service, or the part of the file
	Field string // "" for the item as such
	What  string
}

// String is a line for whoever mends the file.
func (f Fault) String() string {
	at := f.Item
	if f.Field != "" {
		at += ": " + f.Field
	}
	if at != "" {
		at += ": "
	}
	return fmt.Sprintf("line %d: %s%s", f.Line, at, f.What)
}

// Schema is the JSON Schema of an edition's file.
//
//go:embed edition.schema.json
var Schema []byte

// file is an edition as it is written.
type file struct {
	Number     int              `json:"number"`
	Date       string           `json:"date"`
	Notice     *Words           `json:"notice"`
	Bodies     map[string]Words `json:"bodies"`
	Situations map[string]Words `json:"situations"`
	Documents  map[string]Words `json:"documents"`
	Fields     map[string]struct {
		Title   Words            `json:"title"`
		Schema  json.RawMessage  `json:"schema"`
		Choices map[string]Words `json:"choices"`
	} `json:"fields"`
	Services []item `json:"services"`
}

type item struct {
	Code       string      `json:"code"`
	Kind       Kind        `json:"kind"`
	Body       string      `json:"body"`
	Applicants []Applicant `json:"for"`
	Access     Access      `json:"access"`
	TermDays   int         `json:"term_days"`
	Fee        string      `json:"fee"`
	Languages  []string    `json:"languages"`
	Situations []string    `json:"situations"`
	Name       Words       `json:"name"`
	About      Words       `json:"about"`
	Synonyms   string      `json:"synonyms"`
	Documents  []string    `json:"documents"`
	Form       struct {
		Required []string `json:"required"`
		Optional []string `json:"optional"`
	} `json:"form"`
	ValidFrom string `json:"valid_from"`
	ValidTill string `json:"valid_till"`
}

// Parse reads an edition's file, YAML or JSON, which is YAML too. Whatever is wrong with it comes at once, as Faults.
func Parse(text []byte) (Edition, error) {
	var root yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&root); errors.Is(err, io.EOF) {
		return Edition{}, Faults{{Line: 1, What: "the file is empty"}}
	} else if err != nil {
		return Edition{}, unread(err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Edition{}, Faults{{Line: 1, What: "more than one document"}}
	}
	var value any
	if err := root.Decode(&value); err != nil { // a member that comes twice
		return Edition{}, unread(err)
	}
	written, err := json.Marshal(plain(value))
	if err != nil {
		return Edition{}, Faults{{Line: 1, What: "the names of members are texts"}}
	}
	r := reader{root: root.Content[0]}
	if err := r.checkForm(written); err != nil {
		return Edition{}, err
	}
	// Faults of the form do not keep those of the meaning from being told.
	if err := json.Unmarshal(written, &r.file); err != nil && len(r.faults) == 0 {
		return Edition{}, fmt.Errorf("read an edition: %w", err)
	}
	edition := r.edition()
	edition.Checksum = sha256.Sum256(text)
	if len(r.faults) > 0 {
		slices.SortStableFunc(r.faults, func(a, b Fault) int { return a.Line - b.Line })
		return Edition{}, r.faults
	}
	return edition, nil
}

// unread are the faults of a file that is no YAML.
func unread(err error) (all Faults) {
	said := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	if several, ok := errors.AsType[*yaml.TypeError](err); ok {
		said = several.Errors
	}
	for _, what := range said {
		fault := Fault{Line: 1, What: what}
		if n, _ := fmt.Sscanf(what, "line %d:", &fault.Line); n == 1 {
			_, fault.What, _ = strings.Cut(what, ": ")
		}
		all = append(all, fault)
	}
	return all
}

// plain is a value of YAML as JSON has it: days are texts.
func plain(value any) any {
	switch v := value.(type) {
	case time.Time:
		return v.Format(time.DateOnly)
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = plain(v[name])
		}
	}
	return value
}

// reader gathers what is wrong with a file.
type reader struct {
	root   *yaml.Node
	file   file
	faults Faults
}

// checkForm holds a file to Schema.
func (r *reader) checkForm(written []byte) error {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("edition", schema); err != nil {
		return err
	}
	compiled, err := compiler.Compile("edition")
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(written))
	if err != nil {
		return err
	}
	if wrong := new(jsonschema.ValidationError); errors.As(compiled.Validate(value), &wrong) {
		r.tell(wrong)
	}
	return nil
}

var english = message.NewPrinter(language.English)

// tell takes over what the schema has against a value.
func (r *reader) tell(wrong *jsonschema.ValidationError) {
	at := wrong.InstanceLocation
	switch k := wrong.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			r.fault("is missing", append(slices.Clone(at), name)...)
		}
		return
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			r.fault("is not known", append(slices.Clone(at), name)...)
		}
		return
	case *kind.Pattern:
		if last := at[len(at)-1]; last == "be" || last == "ru" || last == "en" {
			r.fault("has a letter that the language has not, or breaks the line", at...)
			return
		}
	}
	for _, cause := range wrong.Causes {
		r.tell(cause)
	}
	if len(wrong.Causes) == 0 {
		r.fault(wrong.ErrorKind.LocalizedString(english), at...)
	}
}

// fault notes what is wrong at a place of the file.
func (r *reader) fault(what string, at ...string) {
	f := Fault{Line: r.line(at), What: what}
	if len(at) > 0 {
		f.Item, f.Field = at[0], strings.Join(at[1:], ".")
	}
	if len(at) > 1 && at[0] == "services" {
		f.Item, f.Field = "service "+at[1], strings.Join(at[2:], ".")
		if code := r.node("services", at[1], "code"); code != nil && code.Value != "" {
			f.Item = code.Value
		}
	}
	r.faults = append(r.faults, f)
}

// line is where a member stands, or else what it would stand in.
func (r *reader) line(at []string) int {
	for ; len(at) > 0; at = at[:len(at)-1] {
		if n := r.node(at...); n != nil {
			return n.Line
		}
	}
	return r.root.Line
}

// node finds a member; nil where there is none.
func (r *reader) node(at ...string) *yaml.Node {
	n := r.root
	for _, name := range at {
		for n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		var next *yaml.Node
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == name {
					next = n.Content[i+1]
				}
			}
		case yaml.SequenceNode:
			if i, err := strconv.Atoi(name); err == nil && i < len(n.Content) {
				next = n.Content[i]
			}
		default: // a text holds nothing
		}
		if next == nil {
			return nil
		}
		n = next
	}
	return n
}

// edition puts together what the file says, and notes what does not fit.
func (r *reader) edition() Edition {
	e := Edition{Number: r.file.Number, Date: day(r.file.Date), Notice: r.file.Notice}
	if last := 100*e.Date.Year() + 99; !e.Date.IsZero() && e.Number > last { // of numbers that tell months
		r.fault(fmt.Sprintf("is greater than the last of its year, %d", last), "number")
	}
	for _, code := range r.order("bodies") {
		e.Bodies = append(e.Bodies, Body{code, r.file.Bodies[code]})
	}
	for _, code := range r.order("situations") {
		e.Situations = append(e.Situations, Situation{code, r.file.Situations[code]})
	}
	for _, name := range slices.Sorted(maps.Keys(r.file.Fields)) { // so that faults of one line come in one order
		r.checkSchema(name)
	}
	stands := map[string]bool{}
	for i, it := range r.file.Services {
		at := strconv.Itoa(i)
		if stands[it.Code] {
			r.fault("stands twice", "services", at, "code")
		}
		stands[it.Code] = true
		e.Services = append(e.Services, r.service(it, e.Date, at))
	}
	return e
}

// order gives the codes of a part in the order in which they were written.
func (r *reader) order(part ...string) (codes []string) {
	n := r.node(part...)
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n != nil && n.Kind == yaml.MappingNode {
		for i := 0; i < len(n.Content); i += 2 {
			codes = append(codes, n.Content[i].Value)
		}
	}
	return codes
}

func (r *reader) service(it item, since time.Time, at string) Service {
	s := Service{
		Code: Code(it.Code), Kind: it.Kind, Body: it.Body, Applicants: it.Applicants, Access: it.Access,
		TermDays: it.TermDays, Fee: it.Fee, Languages: it.Languages, Situations: it.Situations,
		Name: it.Name, About: it.About, Synonyms: it.Synonyms, Documents: []Words{}, Form: Form{[]Field{}},
	}
	wrong := func(what string, member ...string) { r.fault(what, append([]string{"services", at}, member...)...) }
	if _, known := r.file.Bodies[it.Body]; !known && it.Body != "" {
		wrong("is none of bodies", "body")
	}
	for i, code := range it.Situations {
		if _, known := r.file.Situations[code]; !known {
			wrong("is none of situations", "situations", strconv.Itoa(i))
		}
	}
	for i, code := range it.Documents {
		document, known := r.file.Documents[code]
		if !known {
			wrong("is none of documents", "documents", strconv.Itoa(i))
		}
		s.Documents = append(s.Documents, document)
	}
	for i, name := range it.Form.Required {
		s.Form.Fields = append(s.Form.Fields, r.field(name, true, "services", at, "form", "required", strconv.Itoa(i)))
	}
	for i, name := range it.Form.Optional {
		place := []string{"form", "optional", strconv.Itoa(i)}
		if slices.Contains(it.Form.Required, name) {
			wrong("is required already", place...)
		}
		s.Form.Fields = append(s.Form.Fields, r.field(name, false, append([]string{"services", at}, place...)...))
	}
	if it.ValidFrom != "" {
		s.ValidFrom = day(it.ValidFrom)
		since = s.ValidFrom
	}
	if it.ValidTill != "" {
		s.ValidTill = new(day(it.ValidTill))
		if s.ValidTill.Before(since) {
			wrong("is before valid_from", "valid_till")
		}
	}
	return s
}

func (r *reader) field(name string, required bool, at ...string) Field {
	known, ok := r.file.Fields[name]
	if !ok {
		r.fault("is none of fields", at...)
	}
	f := Field{Name: name, Title: known.Title, Required: required, Schema: known.Schema}
	for _, value := range r.order("fields", name, "choices") {
		f.Choices = append(f.Choices, Choice{value, known.Choices[value]})
	}
	return f
}

// checkSchema holds the schema of a field to what it says itself: by one that contradicts itself no form could be filled in.
func (r *reader) checkSchema(name string) {
	var (
		says struct {
			Type, Format, Pattern                  string
			MinLength, MaxLength, Minimum, Maximum *float64
		}
		members map[string]any
		field   = r.file.Fields[name]
	)
	if json.Unmarshal(field.Schema, &says) != nil || json.Unmarshal(field.Schema, &members) != nil { // which is told already
		return
	}
	wrong := func(what string, at ...string) { r.fault(what, append([]string{"fields", name}, at...)...) }
	is := says.Type
	if says.Format != "" && is == "string" {
		is = says.Format
	}
	for _, member := range slices.Sorted(maps.Keys(members)) {
		if of := sayOf[member]; of != nil && !slices.Contains(of, is) {
			wrong("says nothing of type "+is, "schema", member)
		}
	}
	if says.MinLength != nil && says.MaxLength != nil && *says.MinLength > *says.MaxLength {
		wrong("is greater than maxLength", "schema", "minLength")
	}
	if says.Minimum != nil && says.Maximum != nil && *says.Minimum > *says.Maximum {
		wrong("is greater than maximum", "schema", "minimum")
	}
	if field.Choices != nil && is != "string" {
		wrong("are texts, and not of type "+is, "choices")
		return
	}
	pattern, err := regexp.Compile(says.Pattern)
	for _, choice := range slices.Sorted(maps.Keys(field.Choices)) {
		length := float64(len(choice)) // of Latin letters
		if says.MinLength != nil && length < *says.MinLength || says.MaxLength != nil && length > *says.MaxLength || err == nil && !pattern.MatchString(choice) {
			wrong("is not what the schema takes", "choices", choice)
		}
	}
}

// sayOf are the types of values of which members of a schema say something.
var sayOf = map[string][]string{
	"format": {"date"}, "minLength": {"string"}, "maxLength": {"string"}, "pattern": {"string"}, "minimum": {"integer"}, "maximum": {"integer"},
}

// day reads a day that the schema has let through.
func day(s string) time.Time {
	at, _ := time.Parse(time.DateOnly, s)
	return at
}
