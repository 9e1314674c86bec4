package identity

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"asoba.example/login/register"
)

// What may be wrong with what a clerk writes down from papers.
var (
	ErrDocument = errors.New("not an identity document that is accepted")
	ErrNames    = errors.New("not names as a document writes them")
	ErrBasis    = errors.New("not the number and the date of a paper: its number is one word with a digit in it, as 12-5/2026, and nobody's phone or identifier, and its date has come")
	ErrOld      = errors.New("the paper is too old to act upon")
)

// Document is an identity document as it was presented. Its number is personal
// data: the type writes nothing but its kind.
type Document struct {
	Kind      string // one of DocumentKinds
	Number    string // two letters, seven digits
	ValidTill string // YYYY-MM-DD
}

// DocumentKinds are the kinds of identity documents that the desk accepts.
var DocumentKinds = []string{"passport", "id_card", "residence_permit", "refugee_certificate"}

var documentNumber = regexp.MustCompile(`^[A-Z]{2}\d{7}$`)

// ParseDocument checks the shape of what is written in the document; whether it
// is still valid is a question for Valid.
func ParseDocument(kind, number, validTill string) (Document, error) {
	d := Document{Kind: kind, Number: register.FoldNumber(number), ValidTill: validTill}
	if _, err := time.Parse(time.DateOnly, validTill); err != nil ||
		!slices.Contains(DocumentKinds, kind) || !documentNumber.MatchString(d.Number) {
		return Document{}, ErrDocument
	}
	return d, nil
}

// Valid tells whether the document's term is not over: its last day counts.
func (d Document) Valid(at time.Time) bool {
	return d.ValidTill >= at.In(Minsk).Format(time.DateOnly)
}

// Format writes the kind alone, under every verb.
func (d Document) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.Kind+"…") }

// LogValue gives the kind alone.
func (d Document) LogValue() slog.Value { return slog.StringValue(d.Kind + "…") }

// Names are a person's names as in the document. The type does not write them.
type Names struct {
	Family string `json:"family"`
	Given  string `json:"given"`
	Middle string `json:"middle,omitempty"` // "" where there is none
}

// ParseNames tidies what was typed. Not everyone has each of the names, and
// nobody has none of them.
func ParseNames(family, given, middle string) (Names, error) {
	n := Names{Family: tidy(family), Given: tidy(given), Middle: tidy(middle)}
	for _, name := range []string{n.Family, n.Given, n.Middle} {
		if utf8.RuneCountInString(name) > 100 || strings.ContainsFunc(name, strange) {
			return Names{}, ErrNames
		}
	}
	if n.Family == "" && n.Given == "" {
		return Names{}, ErrNames
	}
	return n, nil
}

// strange tells what no document writes in a name.
func strange(c rune) bool {
	return !unicode.In(c, unicode.L, unicode.M) && !strings.ContainsRune(" -'’ʼ.", c)
}

// tidy makes one space of many and one spelling of equal characters.
func tidy(s string) string {
	return norm.NFC.String(strings.Join(strings.Fields(s), " "))
}

// Full is the names in the order of documents: family, given, middle.
func (n Names) Full() string {
	return strings.Join(strings.Fields(n.Family+" "+n.Given+" "+n.Middle), " ")
}

// Format writes no name under any verb.
func (n Names) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "names…") }

// LogValue gives no name.
func (n Names) LogValue() slog.Value { return slog.StringValue("names…") }

// Basis is the paper an act of the desk rests on: the written application's
// number and date (resolution 792 ¶3, ¶6).
type Basis struct {
	Number string
	Date   string // YYYY-MM-DD
}

// A paper's number is one word, with a digit in it.
var (
	numbered = regexp.MustCompile(`^[0-9\p{L}]+(?:[-/.][0-9\p{L}]+)*$`)
	digit    = regexp.MustCompile(`[0-9]`)
	written  = regexp.MustCompile(`\p{L}{5}`)
)

// ParseBasis checks that there is such a paper: it is not of tomorrow, and its number is one. That is kept as it was typed, and read by
// whoever reads of the act: a name, a phone or an identifier does not pass for it.
func ParseBasis(number, date string, at time.Time) (Basis, error) {
	b := Basis{Number: strings.TrimSpace(strings.TrimPrefix(tidy(number), "№")), Date: date}
	_, undated := time.Parse(time.DateOnly, date)
	_, noPhone := ParsePhone(b.Number)
	_, noIdentifier := ParseIdentifier(b.Number)
	if undated != nil || date > at.In(Minsk).Format(time.DateOnly) || noPhone == nil || noIdentifier == nil ||
		len(b.Number) > 64 || !numbered.MatchString(b.Number) || !digit.MatchString(b.Number) || written.MatchString(b.Number) {
		return Basis{}, ErrBasis
	}
	return b, nil
}

// Older tells whether the paper is of so long ago or more that nobody acts upon it any more.
func (b Basis) Older(than time.Duration, at time.Time) bool {
	return b.Date < at.Add(-than).In(Minsk).Format(time.DateOnly)
}

// Minsk is the time of the country's days and of every text to a citizen:
// three hours ahead of UTC, summer and winter, since 2011.
var Minsk = time.FixedZone("+03", 3*60*60)
