package page

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
	_ "time/tzdata" // programs run in images without it, and pages tell the time in Minsk

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/redis/go-redis/v9"

	"asoba.example/provider/seal"
)

//go:embed pages parts words static
var own embed.FS

// A Room is what a package brings to the site: pages/*.html, words/{be,ru,en}.json and, if it has any, parts/*.html and static/*.
type Room struct {
	FS fs.FS
}

// Config says what a Site is made of.
type Config struct {
	Name   string // of the program; also in cookie names: idp, cabinet, eservice
	Secure bool   // https: cookies are Secure and __Host-, and browsers are told to stay with it
	Rooms  []Room

	// SignedIn tells whether who asks for a page that is not there has the navigation; nil: nobody has.
	SignedIn func(*http.Request) bool
	// Start is where others begin who ask for such a page; "" for nowhere.
	Start string
}

// A Site shows one program's pages, in the reader's language.
type Site struct {
	name   string
	secure bool
	words  map[string]*i18n.Localizer    // by language
	known  map[string]bool               // keys of words
	pages  map[string]*template.Template // by language: parts by their names, pages by pageName
	static *static
	minsk  *time.Location

	redis redis.UniversalClient // nil: nothing is kept
	pouch *seal.Pouch           // for what is
	now   func() time.Time

	signedIn func(*http.Request) bool
	start    string
}

// New parses every template and every word; a missing word or template is an error here, not before a citizen.
func New(cfg Config) (*Site, error) {
	minsk, err := time.LoadLocation("Europe/Minsk")
	if err != nil {
		return nil, err
	}
	s := &Site{name: cfg.Name, secure: cfg.Secure, minsk: minsk, signedIn: cfg.SignedIn, start: cfg.Start}
	rooms := append([]Room{Own()}, cfg.Rooms...)
	if err := s.readWords(rooms); err != nil {
		return nil, fmt.Errorf("words: %w", err)
	}
	if s.static, err = readStatic(rooms); err != nil {
		return nil, fmt.Errorf("static files: %w", err)
	}
	if err := s.readPages(rooms); err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	return s, nil
}

// readPages parses parts and pages, once for each language.
func (s *Site) readPages(rooms []Room) error {
	parts, err := readTemplates(rooms, "parts")
	if err != nil {
		return err
	}
	pages, err := readTemplates(rooms, "pages")
	if err != nil {
		return err
	}
	var wrong []error
	s.pages = map[string]*template.Template{}
	for _, language := range Languages {
		all := template.New("").Funcs(s.functions(language)).Option("missingkey=error")
		for name, text := range parts {
			if _, err := all.New(name).Parse(text); err != nil {
				return err
			}
		}
		for name, text := range pages {
			if _, err := all.New(pageName(name)).Parse(text); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
			}
			if !s.known[name+".title"] {
				wrong = append(wrong, fmt.Errorf("%s: no word %q", name, name+".title"))
			}
		}
		for _, t := range all.Templates() {
			for _, key := range keysNamedIn(t) {
				if !s.known[key] {
					wrong = append(wrong, fmt.Errorf("%s: no word %q", t.Name(), key))
				}
			}
		}
		s.pages[language] = all
	}
	return errors.Join(wrong...)
}

// pageName is what a page is called beside the parts, which may have the same name.
func pageName(name string) string { return "page " + name }

// readTemplates gives the texts of one folder of all rooms, by name.
func readTemplates(rooms []Room, folder string) (map[string]string, error) {
	texts := map[string]string{}
	for _, room := range rooms {
		files, err := fs.Glob(room.FS, folder+"/*.html")
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			text, err := fs.ReadFile(room.FS, file)
			if err != nil {
				return nil, err
			}
			name := strings.TrimSuffix(path.Base(file), ".html")
			if _, twice := texts[name]; twice {
				return nil, fmt.Errorf("%s: two rooms bring it", file)
			}
			texts[name] = string(text)
		}
	}
	return texts, nil
}

// functions are what templates may call, in one language.
func (s *Site) functions(language string) template.FuncMap {
	return template.FuncMap{
		"t":      func(key string, args ...any) (string, error) { return s.say(language, key, args) },
		"lang":   func() string { return language },
		"static": s.static.address,
		"typed":  func(sh Sheet, name string, value any) string { return sh.typed(name, fmt.Sprint(value)) },
		"field":  func(sh Sheet, name string, args ...any) (Field, error) { return s.field(sh, language, name, args) },
		"day":    func(at time.Time) (string, error) { return s.day(language, at) },
		"moment": func(at time.Time) (string, error) { return s.moment(language, at) },
	}
}

// Mount serves the static files.
func (s *Site) Mount(mux *http.ServeMux) {
	mux.Handle("GET /static/", s.static)
}

// Protect refuses what another site's page makes a browser post here (http.CrossOriginProtection), but for the
// patterns named: doors that do not go by cookies, or that take posts from relying parties by specification.
func (s *Site) Protect(next http.Handler, bypass ...string) http.Handler {
	guard := http.NewCrossOriginProtection()
	for _, pattern := range bypass {
		guard.AddInsecureBypassPattern(pattern)
	}
	guard.SetDenyHandler(s.Handle(func(http.ResponseWriter, *http.Request) error {
		return &Refusal{Status: http.StatusForbidden, Word: "error.cross_origin", Cause: errCrossOrigin, now: true}
	}))
	return guard.Handler(next)
}

var errCrossOrigin = errors.New("posted from another site's page")

// Own is the room of the site itself: layout, forms, the page of errors, and words that all rooms may use.
func Own() Room { return Room{FS: own} }
