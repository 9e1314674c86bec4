package api

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// maxBody is the most bytes of JSON that a door reads.
const maxBody = 64 << 10

// A Handler understands, calls, answers, and returns its error.
type Handler func(w http.ResponseWriter, r *http.Request) error

// ServeHTTP calls h and answers a returned error as a problem (RFC 9457).
func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := h(w, r)
	Note(r, err)
	if err == nil || r.Context().Err() != nil { // nobody is there to read it
		return
	}
	problem := new(Problem)
	if !errors.As(err, &problem) {
		// No meaning that a caller could use: the text stays with us.
		problem = newProblem(http.StatusInternalServerError, "internal", err)
	}
	problem.write(w)
}

// Decode reads a JSON body of at most 64 KiB, strictly: unknown members, a second
// value and wrong types are 400.
func Decode[T any](w http.ResponseWriter, r *http.Request) (T, error) {
	var body T
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return body, Refuse(http.StatusUnsupportedMediaType, "not_json", err)
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&body)
	if err == nil {
		if _, err = decoder.Token(); err == nil {
			return body, Refuse(http.StatusBadRequest, "invalid_body", errors.New("more than one value"))
		}
		if errors.Is(err, io.EOF) {
			return body, nil
		}
	}
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return body, Refuse(http.StatusRequestEntityTooLarge, "too_large", err)
	}
	if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) {
		return body, Refuse(http.StatusBadRequest, "invalid_body", errors.New("wrong type of a member"),
			Field{Name: "/" + strings.ReplaceAll(wrong.Field, ".", "/"), Code: "wrong_type"})
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return body, Refuse(http.StatusBadRequest, "invalid_body", errors.New("unknown member"),
			Field{Name: "/" + strings.Trim(name, `"`), Code: "unknown"})
	}
	// A type's own text could quote what was sent.
	return body, Refuse(http.StatusBadRequest, "invalid_body", errors.New("not the JSON that was expected"))
}

// Write answers with JSON that no cache keeps.
func Write(w http.ResponseWriter, status int, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err = w.Write(append(text, '\n'))
	return err
}
