package page

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"

	"asoba.example/provider/api"
)

// A Refusal is an error that shows as a page. Cause stays with us.
type Refusal struct {
	Status int
	Word   string
	Cause  error

	now bool // it answers no form of ours: nothing of it is kept
}

// Error is for the operator's log.
func (e *Refusal) Error() string { return e.Word + ": " + e.Cause.Error() }

// Unwrap gives the cause.
func (e *Refusal) Unwrap() error { return e.Cause }

// Refuse makes an error that shows as a page: status and the key of the word that says what is wrong and what to do.
// Where there is a word key+".title" it is the heading.
func Refuse(status int, word string, cause error) error {
	if cause == nil {
		cause = errors.New(http.StatusText(status))
	}
	return &Refusal{Status: status, Word: word, Cause: cause}
}

// Handle makes a door of a handler that returns its error: an error becomes a page that says what to do next. It
// also answers the language switch, and gives what was kept of a form's answer.
func (s *Site) Handle(h func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.heard(w, r)
		if s.switched(w, r) {
			return
		}
		r, told := s.told(w, r)
		if told {
			return
		}
		s.drop(w, r)
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				s.tell(w, r, fault(r.Context(), errors.New("panic")))
			}
			panic(p) // on to the observer, which leaves it in the log
		}()
		r.Body = http.MaxBytesReader(w, r.Body, formSize)
		err := h(w, r)
		api.Note(r, err)
		if err != nil {
			s.tell(w, r, fault(r.Context(), err))
		}
	})
}

// formSize is more than any form of ours needs, in bytes.
const formSize = 64 << 10

// fault gives an error its meaning; one that has none is ours, and the page says no more than that, and whether there was no time.
func fault(ctx context.Context, err error) *Refusal {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	if ctx.Err() != nil { // or the reader has gone, who will not read it
		return &Refusal{Status: http.StatusServiceUnavailable, Word: "error.slow", Cause: err}
	}
	return &Refusal{Status: http.StatusInternalServerError, Word: "error.internal", Cause: err}
}

// Over serves mux, with our page for addresses that it has no door for, or none that a reader could open. From where only forms are sent to it leads to
// the page above, once an answer is told there no more.
func (s *Site) Over(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer, pattern := mux.Handler(r); pattern == "" {
			if _, told := s.told(w, r); told { // of a form whose door has no page
				return
			}
			if above := pageAbove(mux, r); above != "" {
				w.Header().Set("Cache-Control", "no-store")
				w.Header().Set("Location", above)
				w.WriteHeader(http.StatusSeeOther)
				return
			}
			// The mux answers by itself: 404, or 405 where another method has a door.
			answer.ServeHTTP(&unlessMissing{ResponseWriter: w, r: r, site: s}, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// pageAbove is the nearest page above an address that only takes forms, for who reads; "" for none.
func pageAbove(mux *http.ServeMux, r *http.Request) string {
	opens := func(method, at string) bool {
		_, pattern := mux.Handler(&http.Request{Method: method, Host: r.Host, URL: &url.URL{Path: at}})
		return pattern != ""
	}
	if r.Method != http.MethodGet || !strings.Contains(r.Header.Get("Accept"), "text/html") || !opens(http.MethodPost, r.URL.Path) {
		return ""
	}
	for at := path.Dir(r.URL.Path); at != "/"; at = path.Dir(at) {
		if opens(http.MethodGet, at) {
			return here(&url.URL{Path: at, RawQuery: r.URL.RawQuery})
		}
	}
	return ""
}

// unlessMissing lets an answer through unless it is that there is nothing to read: a page stands in for that. Programs are told of a wrong method as
// they were.
type unlessMissing struct {
	http.ResponseWriter
	r    *http.Request
	site *Site
	done bool
}

func (u *unlessMissing) WriteHeader(status int) {
	if status == http.StatusNotFound || status == http.StatusMethodNotAllowed && strings.Contains(u.r.Header.Get("Accept"), "text/html") {
		u.done = true
		u.site.Handle(func(http.ResponseWriter, *http.Request) error {
			return &Refusal{Status: status, Word: "error.not_found", Cause: errors.New(http.StatusText(status)), now: true}
		}).ServeHTTP(u.ResponseWriter, u.r)
		return
	}
	u.ResponseWriter.WriteHeader(status)
}

func (u *unlessMissing) Write(b []byte) (int, error) {
	if u.done {
		return len(b), nil
	}
	return u.ResponseWriter.Write(b)
}

// tell shows the page of a refusal.
func (s *Site) tell(w http.ResponseWriter, r *http.Request, refusal *Refusal) {
	if err := s.showError(w, r, refusal.Status, errorData{Word: refusal.Word, RequestID: api.RequestID(r.Context())}, refusal.now); err != nil {
		api.Note(r, errors.Join(refusal, err))
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}

// errorPage is the name of the page of an error.
const errorPage = "error"

// errorData is what it shows.
type errorData struct{ Word, RequestID, Start string }

func (s *Site) showError(w http.ResponseWriter, r *http.Request, status int, said errorData, now bool) error {
	heading := said.Word + ".title"
	if !s.known[heading] {
		heading = "error.title"
	}
	missing := said.Word == "error.not_found"
	signedIn := missing && s.signedIn != nil && s.signedIn(r)
	if missing && !signedIn {
		said.Start = s.start
	}
	return s.Show(w, r, View{Status: status, Name: errorPage, Title: heading, Data: said, SignedIn: signedIn, Now: now})
}
