package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"asoba.example/cabinet/journal"
)

// Names are those of the values that other systems may tell (order 82, p. 12), in the order in which they are shown.
var Names = []string{"name_be", "name_ru", "name_latin", "document_number", "document_valid_till", "address"}

// Register is the source of what the population register sends. It comes by the feed, and nobody asks it here.
const Register = "population_register"

// RegisterNames are those of its values, in the order in which they are shown.
var RegisterNames = []string{"identification_number", "sex", "birth_date", "citizenship", "incapable", "limited"}

// A Source is another system of the state, which is asked about one person over HTTP:
//
//	POST {"identification_number": "…", "occasion": "application", "values": ["name_ru", "address"]}
//	200  {"at": "2026-11-20T10:00:00+03:00", "values": {"name_ru": "…"}}
//
// At is when it stood so there. A value that is left out is one that the source knows nothing of. Everything personal is in the body, so that
// no log of addresses has it. Whatever else comes of the call is no answer.
type Source struct {
	Name   string        `json:"name"`  // by which e-services and the journal know it
	Title  journal.Names `json:"title"` // what citizens read
	Basis  journal.Names `json:"basis"` // what allows the cabinet to hold its values
	URL    string        `json:"url"`
	Values []string      `json:"values"` // those that it is asked for

	InForce bool `json:"-"` // it is asked; of one that is no more, what it told may be held
}

// Format keeps the address, and what it may bear, out of texts.
func (s Source) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "source %s", s.Name) }

var sourceName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// ParseSources reads a JSON list of sources; "" is none. All that is wrong is told at once, and no address is repeated.
func ParseSources(text string) (all []Source, err error) {
	if text == "" {
		return nil, nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&all) != nil || decoder.More() { // the cause may repeat an address
		return nil, errors.New("not a JSON list of sources, each of name, title, basis, url and values")
	}
	var wrong []error
	seen := map[string]bool{Register: true}
	for i, s := range all {
		tell := func(what string) { wrong = append(wrong, fmt.Errorf("source %d (%q): %s", i+1, s.Name, what)) }
		if !sourceName.MatchString(s.Name) || seen[s.Name] {
			tell("the name is not one word of small letters, digits and _, or is another source's")
		}
		seen[s.Name] = true
		if s.Title.In("") == "" || s.Basis.In("") == "" {
			tell("no title or no basis, by language")
		}
		if at, err := url.Parse(s.URL); err != nil || at.Host == "" {
			tell("the url is not whole")
		}
		if len(s.Values) == 0 || slices.ContainsFunc(s.Values, func(v string) bool { return !slices.Contains(Names, v) }) {
			tell("the values are not among " + strings.Join(Names, ", "))
		}
	}
	return all, errors.Join(wrong...)
}

// question is what a source is asked.
type question struct {
	Number   string   `json:"identification_number"`
	Occasion Occasion `json:"occasion"`
	Values   []string `json:"values"`
}

// answer is what a source says.
type answer struct {
	At     time.Time         `json:"at"`
	Values map[string]string `json:"values"`
}

// Why an answer is none. They are told without what was answered: that is personal.
var (
	errNoAnswer = errors.New("the answer is no JSON of the form")
	errNoTime   = errors.New("the answer tells no time, or one to come")
	errNoValue  = errors.New("a value of the answer is not such a value")
)

// ahead is how far the clock of a source may be.
const ahead = time.Minute

// longest is how many characters a value has at most.
const longest = 500

// read reads an answer that came at a time. What the source was not asked for is passed over, so that it is never held.
func (s Source) read(text []byte, now time.Time) (a answer, err error) {
	// Without values nothing is said, which is not that nothing is known.
	if !utf8.Valid(text) || json.Unmarshal(text, &a) != nil || a.Values == nil {
		return answer{}, errNoAnswer
	}
	if a.At.IsZero() || a.At.After(now.Add(ahead)) {
		return answer{}, errNoTime
	}
	for name, value := range a.Values {
		if !slices.Contains(s.Values, name) {
			delete(a.Values, name)
			continue
		}
		if !good(name, value) {
			return answer{}, errNoValue
		}
	}
	return a, nil
}

// good tells whether a value can be shown as it is.
func good(name, value string) bool {
	if name == "document_valid_till" {
		_, err := time.Parse(time.DateOnly, value)
		return err == nil
	}
	return strings.TrimSpace(value) == value && value != "" && utf8.RuneCountInString(value) <= longest &&
		strings.IndexFunc(value, func(r rune) bool { return !unicode.IsGraphic(r) }) < 0
}
