package api

import (
	"context"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A Handler understands, calls, answers, and returns its error.
type Handler func(w http.ResponseWriter, r *http.Request) error

// ServeHTTP calls h and answers a returned error as a problem (RFC 9457).
func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { panic("unwritten") }

// A Problem is an answer that refuses (RFC 9457). Cause stays with us.
type Problem struct {
	Type   string  `json:"type"`
	Title  string  `json:"title"`
	Status int     `json:"status"`
	Code   string  `json:"code"`
	Detail string  `json:"detail,omitempty"`
	Fields []Field `json:"fields,omitempty"`
	Cause  error   `json:"-"`
}

// A Field says what is wrong with one member of the request.
type Field struct {
	Name string `json:"name"` // JSON pointer
	Code string `json:"code"`
}

// Error is for the operator's log.
func (p *Problem) Error() string { panic("unwritten") }

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.Cause }

// Refuse makes a problem out of a meaning: status, stable code, and the cause, which is logged and not sent.
func Refuse(status int, code string, cause error, fields ...Field) error { panic("unwritten") }

// Decode reads a JSON body of at most 64 KiB, strictly: unknown members, a second value and wrong types are 400.
func Decode[T any](w http.ResponseWriter, r *http.Request) (T, error) { panic("unwritten") }

// Write answers with JSON.
func Write(w http.ResponseWriter, status int, v any) error { panic("unwritten") }

// A KeySource finds the public key that signed a token: the ring in idp, JWKS over HTTP in cabinet.
type KeySource interface {
	Key(ctx context.Context, kid string) (jose.JSONWebKey, error)
}

// A Token is what a verified access token says (RFC 9068 §2.2).
type Token struct {
	Issuer   string
	Subject  string
	ClientID string
	Audience []string
	Scopes   []string
	ID       string // jti
	GID      string // the grant; "" for client_credentials
	SID      string
	ACR      string
	AuthTime time.Time // zero for client_credentials
	Expiry   time.Time
}

// Has tells whether the token carries the scope.
func (t Token) Has(scope string) bool { panic("unwritten") }

// A Verifier checks access tokens of one issuer for one audience (RFC 9068 §4).
type Verifier struct {
	Keys     KeySource
	Issuer   string
	Audience string
	Now      func() time.Time
}

// Verify reads the bearer token of a request (RFC 6750 §2.1) and checks it: typ,
// allowed algorithm, signature, iss, aud, exp. The error is a 401 problem with WWW-Authenticate.
func (v Verifier) Verify(w http.ResponseWriter, r *http.Request) (Token, error) { panic("unwritten") }
