package provider

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ory/fosite"

	"asoba.example/provider/api"
)

// A refusal is an error of the protocol: error and error_description (RFC 6749 §4.1.2.1, §5.2). Its cause stays with us.
type refusal struct {
	code        string
	description string
	scheme      string        // of the access token that is refused
	wait        time.Duration // of a caller who asks too often; zero for all others
	cause       error
}

// refuse makes a refusal. The description is for whoever builds the client.
func refuse(code, description string) *refusal { return &refusal{code: code, description: description} }

// because adds the cause, for the operator's log.
func (e *refusal) because(err error) *refusal {
	e.cause = err
	return e
}

// shown makes it the refusal of an access token that was shown by a scheme.
func (e *refusal) shown(scheme string) *refusal {
	e.scheme = scheme
	return e
}

// Error is for the operator's log.
func (e *refusal) Error() string {
	text := e.code + ": " + e.description
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *refusal) Unwrap() error { return e.cause }

// status is 400 for all but these (RFC 6749 §5.2; RFC 6750 §3.1; RFC 6585 §4).
func (e *refusal) status() int {
	if e.wait > 0 {
		return http.StatusTooManyRequests
	}
	switch e.code {
	case "insufficient_scope":
		return http.StatusForbidden
	case "invalid_client":
		return http.StatusUnauthorized
	case "server_error":
		return http.StatusInternalServerError
	case "temporarily_unavailable":
		return http.StatusServiceUnavailable
	}
	if e.scheme != "" {
		return http.StatusUnauthorized // also for a proof that does not go with the token (RFC 9449 §7.1)
	}
	return http.StatusBadRequest
}

// asRefusal gives an error its protocol meaning. One that has none is ours: a store that does not answer, mostly, so it says to try
// again, and its text stays inside.
func asRefusal(err error) *refusal {
	if e, ok := errors.AsType[*refusal](err); ok {
		return e
	}
	if e, ok := errors.AsType[*fosite.RFC6749Error](err); ok {
		return fromFosite(e)
	}
	return refuse("temporarily_unavailable", "The request could not be carried out. Try again later.").because(err)
}

// fromFosite takes over fosite's errors as far as they are registered ones.
func fromFosite(e *fosite.RFC6749Error) *refusal {
	// fosite wraps whatever its stores return as server_error; what we returned to it still knows better.
	if inner, ok := errors.AsType[*refusal](e.Unwrap()); ok {
		return inner
	}
	description := e.HintField
	if description == "" || e.ErrorField == "invalid_scope" { // whose hint repeats what was sent
		description = e.DescriptionField
	}
	switch e.ErrorField {
	case "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
		"unsupported_response_type", "access_denied", "request_not_supported", "request_uri_not_supported", "registration_not_supported":
		return refuse(e.ErrorField, description).because(e.Unwrap())
	case "unsupported_response_mode":
		return refuse("invalid_request", description)
	case "scope_not_granted":
		return refuse("invalid_grant", description)
	}
	return refuse("temporarily_unavailable", "The request could not be carried out. Try again later.").because(errors.Join(e, e.Unwrap()))
}

// printable keeps of a text what error_description may hold: printable ASCII without the quotation mark and the backslash.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '"':
			return '\''
		case c < ' ' || c > '~' || c == '\\':
			return '?'
		}
		return c
	}, s)
}

// An endpoint is a door for clients rather than people: it returns its error, which is answered as RFC 6749 §5.2 says.
type endpoint func(w http.ResponseWriter, r *http.Request) error

// ServeHTTP is the only place where such errors are written.
func (h endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := h(w, r)
	if err == nil {
		api.Note(r, nil)
		return
	}
	e := asRefusal(err)
	api.Note(r, e)
	switch {
	case e.code == "invalid_client":
		w.Header().Set("WWW-Authenticate", `Basic realm="client"`)
	case e.wait > 0:
		w.Header().Set("Retry-After", strconv.Itoa(int((e.wait+time.Second-1)/time.Second))) // rounded up
	case e.scheme != "":
		api.Challenge(w, e.scheme, e.code, `error_description="`+printable(e.description)+`"`)
	}
	answerJSON(w, e.status(), struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{e.code, printable(e.description)})
}

// answerJSON answers with JSON that nobody keeps (RFC 6749 §5.1).
func answerJSON(w http.ResponseWriter, status int, v any) {
	private(w.Header(), "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the reader has gone: nothing is left to tell
}

// answerPrivate answers with what is the reader's alone.
func answerPrivate(w http.ResponseWriter, kind string, body []byte) error {
	private(w.Header(), kind)
	_, err := w.Write(body)
	return err
}

func private(h http.Header, kind string) {
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}
