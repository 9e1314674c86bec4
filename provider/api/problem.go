package api

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// A Problem is an answer that refuses (RFC 9457). Callers tell problems apart by
// Code, which is stable. Cause stays with us.
type Problem struct {
	Type     string  `json:"type"`
	Title    string  `json:"title"`
	Status   int     `json:"status"`
	Code     string  `json:"code"`
	Detail   string  `json:"detail,omitempty"`
	Instance string  `json:"instance,omitempty"` // the name of this very refusal, where it is on record
	Fields   []Field `json:"fields,omitempty"`
	Members  any     `json:"-"` // a struct: what a problem of this Code tells besides (RFC 9457 §3.2)
	Cause    error   `json:"-"`
}

// A Field says what is wrong with one member of the request.
type Field struct {
	Name string `json:"name"` // JSON pointer
	Code string `json:"code"`
}

// Error is for the operator's log.
func (p *Problem) Error() string {
	if p.Cause == nil {
		return fmt.Sprintf("%d %s", p.Status, p.Code)
	}
	return fmt.Sprintf("%d %s: %v", p.Status, p.Code, p.Cause)
}

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.Cause }

// Refuse makes a problem out of a meaning: status, stable code, and the cause,
// which is logged and not sent.
func Refuse(status int, code string, cause error, fields ...Field) error {
	return newProblem(status, code, cause, fields...)
}

// Explain is Refuse for a meaning whose own words are sent: they name nobody but by id.
func Explain(status int, code string, meaning, cause error) error {
	p := newProblem(status, code, cause)
	p.Detail = meaning.Error()
	return p
}

// Tell is Refuse for a meaning that tells more: members are those of a struct, which are sent beside the others (RFC 9457 §3.2).
func Tell(status int, code string, members any, cause error) error {
	p := newProblem(status, code, cause)
	p.Members = members
	return p
}

// The type is about:blank, so the title is the status' own (RFC 9457 §4.2.1).
func newProblem(status int, code string, cause error, fields ...Field) *Problem {
	return &Problem{
		Type:   "about:blank",
		Title:  http.StatusText(status),
		Status: status,
		Code:   code,
		Fields: fields,
		Cause:  cause,
	}
}

func (p *Problem) write(w http.ResponseWriter) {
	text, err := json.Marshal(p)
	if err == nil && p.Members != nil {
		var more []byte
		if more, err = json.Marshal(p.Members); err == nil {
			text = append(append(text[:len(text)-1], ','), more[1:]...)
		}
	}
	if err != nil { // strings and numbers: cannot be
		http.Error(w, p.Title, p.Status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(text, '\n'))
}
