package eservice

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"
)

//go:embed page.html
var pageHTML string

//go:embed style.css
var styleCSS []byte

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// A view is all that the one page of this e-service can show.
type view struct {
	Language  string
	Languages []string
	Words     map[string]string // in the reader's language
	Wrong     string            // the word that says what went wrong; "" if nothing did
	SignIn    bool              // nobody is signed in

	Greeting   string // name, or "" where none is known
	State      string // the cabinet's
	Profile    []row
	UserInfo   []row
	Claims     []row
	Over       bool // the access token's time is over
	Hint, Home string
	CabinetURL string
	IssuerURL  string
}

// A row is one name and value, and what it means.
type row struct{ Name, Value, About string }

// home shows the citizen what this e-service has learnt, or the button.
func (s *service) home(w http.ResponseWriter, r *http.Request) error {
	v, signedIn := s.visit(r)
	if !signedIn {
		return s.show(w, r, http.StatusOK, view{SignIn: true})
	}
	words := words[s.readerLanguage(r)]
	page := view{Hint: v.idToken, Home: s.cfg.URL + "/", Claims: rows(v.claims, words), UserInfo: rows(v.userinfo, words)}
	page.Greeting, _ = v.userinfo["name"].(string)
	profile, err := s.profile(r.Context(), v)
	switch {
	case errors.Is(err, errEnded):
		s.forget(w, r)
		return s.show(w, r, http.StatusOK, view{SignIn: true, Wrong: "ended"})
	case errors.Is(err, errTokenOver):
		page.Over = true
	case err != nil:
		s.log.WarnContext(r.Context(), "cabinet", "err", err)
		page.Wrong = "cabinet_down"
	}
	page.State, _ = profile["state"].(string)
	page.Profile = rows(profile, words)
	return s.show(w, r, http.StatusOK, page)
}

// me answers with what this e-service knows, as JSON.
func (s *service) me(w http.ResponseWriter, r *http.Request) error {
	v, signedIn := s.visit(r)
	if !signedIn {
		return answer(w, http.StatusUnauthorized, map[string]any{"error": "not_signed_in", "sign_in": s.cfg.URL + "/sign-in"})
	}
	known := map[string]any{"signed_in_at": v.at.UTC().Format(time.RFC3339), "id_token": v.claims, "userinfo": v.userinfo}
	profile, err := s.profile(r.Context(), v)
	switch {
	case errors.Is(err, errEnded):
		s.forget(w, r)
		return answer(w, http.StatusUnauthorized, map[string]any{"error": "ended", "sign_in": s.cfg.URL + "/sign-in"})
	case errors.Is(err, errTokenOver):
		known["profile_error"] = "access_token_over"
	case err != nil:
		s.log.WarnContext(r.Context(), "cabinet", "err", err)
		known["profile_error"] = "cabinet_down"
	default:
		known["profile"] = profile
	}
	return answer(w, http.StatusOK, known)
}

func answer(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(v)
}

// rows turns claims into lines of a table, in the order of their names.
func rows(claims map[string]any, words map[string]string) []row {
	var table []row
	for name, value := range claims {
		text, isText := value.(string)
		if !isText {
			b, _ := json.Marshal(value) //nolint:errchkjson // it came out of JSON
			text = string(b)
		}
		if seconds, ok := value.(float64); ok && slices.Contains([]string{"iat", "exp", "auth_time", "updated_at"}, name) {
			text = fmt.Sprintf("%.0f (%s)", seconds, time.Unix(int64(seconds), 0).UTC().Format("2006-01-02 15:04:05 UTC"))
		}
		table = append(table, row{Name: name, Value: text, About: words["claim_"+name]})
	}
	slices.SortFunc(table, func(a, b row) int { return strings.Compare(a.Name, b.Name) })
	return table
}

// show writes the page.
func (s *service) show(w http.ResponseWriter, r *http.Request, status int, v view) error {
	if chosen := r.URL.Query().Get("lang"); words[chosen] != nil {
		http.SetCookie(w, s.cookie("language", chosen, 365*24*time.Hour))
	}
	v.Language, v.Languages = s.readerLanguage(r), languages
	v.Words = words[v.Language]
	v.CabinetURL, v.IssuerURL = s.cfg.CabinetURL, s.cfg.Issuer
	var page bytes.Buffer
	if err := pageTemplate.Execute(&page, v); err != nil {
		return fmt.Errorf("show the page: %w", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err := page.WriteTo(w)
	return err
}

// A refusal is an error with words for the citizen; the cause is for the log.
type refusal struct {
	status int
	word   string
	cause  error
}

func (r *refusal) Error() string { return r.word + ": " + r.cause.Error() }
func (r *refusal) Unwrap() error { return r.cause }

func refuse(status int, word string, cause error) error {
	return &refusal{status: status, word: word, cause: cause}
}

// handle makes a door of a handler that returns its error: the citizen reads what to do next, the log reads why.
func (s *service) handle(door func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := door(w, r)
		if err == nil {
			return
		}
		said := &refusal{status: http.StatusInternalServerError, word: "unexpected"}
		errors.As(err, &said)
		s.log.WarnContext(r.Context(), "refused", "route", r.Pattern, "status", said.status, "err", err)
		if err := s.show(w, r, said.status, view{SignIn: true, Wrong: said.word}); err != nil {
			s.log.ErrorContext(r.Context(), "page", "route", r.Pattern, "err", err)
		}
	})
}

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(styleCSS)
}
