package page

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"asoba.example/provider/api"
)

// A View is one page to show.
type View struct {
	Status     int    // 200 when zero
	Name       string // "sign-in" is pages/sign-in.html
	Data       any
	Title      string // the key of its title; Name+".title" when ""
	TitleArgs  map[string]any
	Errors     []FieldError // beside the fields, and in the summary
	FormAction []string     // addresses beyond our own that this page's forms may lead to (CSP form-action takes their origins)
	Frames     []string     // addresses that this page loads in frames nobody sees (CSP frame-src takes their origins)
	Script     string       // a static file to run; pages work without it
	Shows      bool         // what is typed as a password, to who asks
	SignedIn   bool         // for the site's navigation
	Limit      *Limit       // of the time that there is for the page; nil for none
	Back       string       // where the link "back" leads; "" for none
	Wide       bool         // tables rather than text
	Once       bool         // it cannot be asked for again, though GET has asked for it: it has no language switch
	At         string       // where it is shown that answers a form; the page that the form is on when ""
	Now        bool         // shown at once, even as the answer to a form
}

// A Limit is until when what is entered on a page can be sent. The page says so, and warns before: its script over what is being entered, which
// stays; and on one press there is more time, as often as one likes (WCAG 2.2 2.2.1). All that it takes is to open the page once more, so
// without scripts a link does it, in a tab of its own.
type Limit struct {
	Till string        // the time of day
	Warn time.Duration // from now
}

// Seconds are those till the warning.
func (l Limit) Seconds() int { return int(l.Warn / time.Second) }

// A FieldError is a wrong field and the key of the word that says so; or too many tries.
type FieldError struct {
	Field string         `json:",omitempty"`
	Word  string         `json:",omitempty"`
	Args  map[string]any `json:",omitempty"`
	Wait  time.Duration  `json:",omitempty"` // after too many tries: how long, which is said in place of a word, and by the header Retry-After
}

// waits is how long is to be waited.
func waits(errors []FieldError) (wait time.Duration) {
	for _, e := range errors {
		wait = max(wait, e.Wait)
	}
	return wait
}

// A Sheet is what a template sees as its dot.
type Sheet struct {
	Status   int
	Data     any
	Here     string // the page's address, for the action of a form
	path     string
	Title    string
	Errors   []Wrong
	SignedIn bool
	Back     string
	Wide     bool
	Frames   []string
	Script   string
	Shows    bool
	Limit    *Limit
	Large    bool     // type
	Switch   []Tongue // none on a page that cannot be asked for again
	typed    func(field, value string) string
	Page     template.HTML // for the layout, which stands around it
}

// At tells whether the page stands at the path or beneath it, for the site's navigation.
func (s Sheet) At(path string) bool {
	return s.path == path || path != "/" && strings.HasPrefix(s.path, path+"/")
}

// A Wrong field, said in the reader's language.
type Wrong struct{ Field, Text string }

// Show writes the page with its headers; where it answers a form, it leads to it.
func (s *Site) Show(w http.ResponseWriter, r *http.Request, v View) error {
	language := s.Language(r)
	t := s.pages[language]
	if t.Lookup(pageName(v.Name)) == nil {
		return fmt.Errorf("no page %q", v.Name)
	}
	asked := answering(r)
	if asked.Done != "" && v.SignedIn && s.once(w, r, asked) {
		return nil
	}
	if asked.Done == "" && asked.Name == v.Name {
		v.Status, v.Errors = asked.Status, asked.Errors
	} else {
		asked = new(answer)
	}
	status := cmp.Or(v.Status, http.StatusOK)
	given := answer{Name: v.Name, Status: status, Errors: v.Errors, Typed: map[string]string{}, Own: v.SignedIn}
	given.Error, _ = v.Data.(errorData)
	sheet := Sheet{
		Status: status, Data: v.Data, Here: here(r.URL), path: r.URL.Path, SignedIn: v.SignedIn, Back: v.Back, Wide: v.Wide, Frames: v.Frames,
		Script: v.Script, Shows: v.Shows, Limit: v.Limit, Large: s.large(r),
	}
	sheet.typed = func(field, value string) string {
		if typed, ok := asked.Typed[field]; ok {
			value = typed
		}
		given.Typed[field] = value
		return value
	}
	title := v.Title
	if title == "" {
		title = v.Name + ".title"
	}
	var err error
	if sheet.Title, err = s.word(language, title, v.TitleArgs); err != nil {
		return err
	}
	for _, e := range v.Errors {
		if e.Wait > 0 {
			unit, count := InWords(e.Wait)
			e.Word, e.Args = "wait."+unit, map[string]any{"Count": count}
		}
		text, err := s.word(language, e.Word, e.Args)
		if err != nil {
			return err
		}
		sheet.Errors = append(sheet.Errors, Wrong{e.Field, text})
	}
	var page, body bytes.Buffer
	if err := t.ExecuteTemplate(&page, pageName(v.Name), sheet); err != nil {
		return fmt.Errorf("show %s: %w", v.Name, err)
	}
	leads, refused := s.leads(r, v), status >= http.StatusBadRequest
	led := func(done keptPage) bool {
		led, err := s.lead(w, r, here(shownAt(r, v)), given, done)
		api.Note(r, err) // and nobody is to be stuck by it
		return led
	}
	if leads && refused && led(keptPage{}) {
		return nil
	}
	if !leads && again(r, v) {
		sheet.Switch = tongues(r.URL, language)
	}
	sheet.Page = template.HTML(page.String()) //nolint:gosec // the template has escaped it
	if err := t.ExecuteTemplate(&body, "layout", sheet); err != nil {
		return fmt.Errorf("show %s: %w", v.Name, err)
	}
	head := http.Header{"Content-Language": {language}}
	if wait := waits(v.Errors); wait > 0 {
		head.Set("Retry-After", strconv.Itoa(roundUp(wait, time.Second)))
	}
	s.head(head, v)
	if leads && !refused && led(keptPage{status, head, body.Bytes()}) {
		return nil
	}
	maps.Copy(w.Header(), head)
	w.WriteHeader(status)
	_, err = body.WriteTo(w)
	return err
}

// again tells whether a page can be asked for again by GET, in another language. What answers a form at once cannot, unless its interaction has a page.
func again(r *http.Request, v View) bool {
	switch {
	case v.Once:
		return false
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return true
	default:
		return r.URL.Query().Has("interaction")
	}
}

// head sets what every page carries.
func (s *Site) head(h http.Header, v View) {
	policy := []string{
		"default-src 'none'", "style-src 'self'", "img-src 'self'", "base-uri 'none'", "frame-ancestors 'none'",
		"form-action " + strings.Join(append([]string{"'self'"}, sources(v.FormAction)...), " "),
	}
	if len(v.Frames) > 0 {
		policy = append(policy, "frame-src "+strings.Join(sources(v.Frames), " "))
	}
	if v.Script != "" || v.Shows || v.Limit != nil {
		policy = append(policy, "script-src 'self'", "connect-src 'self'")
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", strings.Join(policy, "; "))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	// Not no-referrer: under it browsers send "Origin: null" with our own forms, and those that know no
	// Sec-Fetch-Site (Safari before 16.4) could then not be told from another site's page. Others learn nothing either way.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if s.secure {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
}

// host is what may stand in a policy as a host: no character that could end the directive.
var host = regexp.MustCompile(`^[a-zA-Z0-9.-]+(:[0-9]+)?$`)

// sources gives the CSP sources (CSP3 §2.3.1) of addresses. An application's own scheme is a source by itself, and so is
// the scheme of an IPv6 host, for which the grammar has no word.
func sources(addresses []string) []string {
	var all []string
	for _, address := range addresses {
		u, err := url.Parse(address)
		switch {
		case err != nil || u.Scheme == "":
		case u.Host != "" && host.MatchString(u.Host):
			all = append(all, u.Scheme+"://"+u.Host)
		default:
			all = append(all, u.Scheme+":")
		}
	}
	return all
}
