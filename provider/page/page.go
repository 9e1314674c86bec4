package page

import (
	"io/fs"
	"net/http"
)

// A Room is what a package brings to the site: templates pages/*.html and words words/{be,en,ru}.json in FS.
type Room struct {
	FS fs.FS
}

// Config says what a Site is made of.
type Config struct {
	Name   string // of the program; also in cookie names: idp, cabinet, eservice
	Secure bool   // https: cookies are Secure and __Host-
	Rooms  []Room
}

// A Site shows one program's pages, in the reader's language.
type Site struct{}

// New parses every template and every word; a missing word or template is an error here, not before a citizen.
func New(cfg Config) (*Site, error) { panic("unwritten") }

// A View is one page to show.
type View struct {
	Status     int    // 200 when zero
	Name       string // template: "sign-in" is pages/sign-in.html
	Data       any
	Errors     []FieldError // beside the fields, and in the summary
	FormAction []string     // origins beyond our own that this page's forms may lead to (CSP form-action)
	SignedIn   bool
}

// A FieldError is a wrong field and the key of the word that says so.
type FieldError struct {
	Field string
	Word  string
	Args  map[string]any
}

// Show writes the page with its headers (CSP, no-store, no-referrer, frame-ancestors none).
func (s *Site) Show(w http.ResponseWriter, r *http.Request, v View) error { panic("unwritten") }

// Language is the reader's: ui_locales of the waiting request (through WithLanguage), the switch's cookie, the browser's, Russian.
func (s *Site) Language(r *http.Request) string { panic("unwritten") }

// WithLanguage hands down the languages a client asked for (OpenID Connect Core §3.1.2.1 ui_locales).
func WithLanguage(r *http.Request, uiLocales string) *http.Request { panic("unwritten") }

// Say gives a word in a language, for texts that are not pages: SMS.
func (s *Site) Say(language, key string, args map[string]any) string { panic("unwritten") }

// Handle makes a door of a handler that returns its error: an error becomes a page that says what to do next.
func (s *Site) Handle(h func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	panic("unwritten")
}

// Refuse makes an error that shows as a page: status and the key of the word that says what is wrong and what to do.
func Refuse(status int, word string, cause error) error { panic("unwritten") }

// Mount serves /static/ and the language switch (/language).
func (s *Site) Mount(mux *http.ServeMux) { panic("unwritten") }

// Protect refuses cross-site posts but for the patterns named (http.CrossOriginProtection).
func (s *Site) Protect(next http.Handler, bypass ...string) http.Handler { panic("unwritten") }
