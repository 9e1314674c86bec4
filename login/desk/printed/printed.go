package printed

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"time"

	"asoba.example/login/identity"
)

//go:embed sheets
var files embed.FS

// Languages of the sheets.
var Languages = []string{"ru", "be"}

// ParseLanguage knows the two; Russian is for those who ask for none.
func ParseLanguage(s string) (string, error) {
	if s == "" {
		return Languages[0], nil
	}
	if !slices.Contains(Languages, s) {
		return "", errors.New("not a language of the state")
	}
	return s, nil
}

// An Application is a form to be signed; what is zero is left to the pen.
type Application struct {
	Errand     string // of the desk's
	Office     string
	Identifier identity.Identifier
	Names      identity.Names
	Document   identity.Document
	Phone      identity.Phone
	Basis      identity.Basis
}

// A Slip tells somebody what was refused, and why. It says nothing about the person.
type Slip struct {
	Number string // by which the refusal is found again
	At     time.Time
	Office string
	Errand string // of the desk's, or a look-up
	Code   string
}

// A Press prints.
type Press struct {
	sheets map[string]*template.Template // by name and language: slip.be
	policy string
}

// New makes a Press.
func New() (*Press, error) {
	css, err := files.ReadFile("sheets/sheet.css")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(css)
	p := &Press{sheets: map[string]*template.Template{}, policy: "default-src 'none'; style-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
	functions := template.FuncMap{
		"css":  func() template.CSS { return template.CSS(css) }, //nolint:gosec // our own
		"day":  day,
		"time": func(at time.Time) string { return at.In(identity.Minsk).Format("02.01.2006 15:04") },
	}
	for _, name := range []string{"application", "slip"} {
		for _, language := range Languages {
			t, err := template.New("sheet.html").Funcs(functions).ParseFS(files, "sheets/sheet.html", "sheets/"+name+"."+language+".html")
			if err != nil {
				return nil, fmt.Errorf("read the sheets: %w", err)
			}
			p.sheets[name+"."+language] = t
		}
	}
	return p, nil
}

// day is a date as papers write it.
func day(date string) (string, error) {
	at, err := time.Parse(time.DateOnly, date)
	return at.Format("02.01.2006"), err
}

// Application answers with the page of an application.
func (p *Press) Application(w http.ResponseWriter, language string, a Application) error {
	return p.print(w, "application", language, a)
}

// Slip answers with the page of a slip.
func (p *Press) Slip(w http.ResponseWriter, language string, s Slip) error {
	return p.print(w, "slip", language, s)
}

func (p *Press) print(w http.ResponseWriter, name, language string, data any) error {
	var page bytes.Buffer
	if err := p.sheets[name+"."+language].Execute(&page, data); err != nil {
		return fmt.Errorf("print the %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", language)
	h.Set("Content-Security-Policy", p.policy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	_, err := page.WriteTo(w)
	return err
}
