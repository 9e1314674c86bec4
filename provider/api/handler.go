package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
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
	if err == nil {
		return
	}
	problem := new(Problem)
	switch {
	case errors.As(err, &problem):
	case r.Context().Err() != nil: // its time was over, or the caller has gone, who will not read it
		problem = newProblem(http.StatusServiceUnavailable, "slow", err)
	default:
		// No meaning that a caller could use: the text stays with us.
		problem = newProblem(http.StatusInternalServerError, "internal", err)
	}
	problem.write(w)
}

// Decode reads a JSON body of at most 64 KiB, strictly: unknown members, members that come twice, a second
// value and wrong types are 400.
func Decode[T any](w http.ResponseWriter, r *http.Request) (T, error) {
	return decode[T](w, r, func(json.RawMessage) error { return nil })
}

// DecodeDocumented is Decode at a door that Hold holds: whatever else the document does not allow is 400 as well, and all
// of it is told at once.
func DecodeDocumented[T any](w http.ResponseWriter, r *http.Request) (T, error) {
	return decode[T](w, r, func(text json.RawMessage) error {
		o, _ := r.Context().Value(inContext).(operation)
		return o.checkBody(text, "invalid_body")
	})
}

// decode reads a body that check has nothing against.
func decode[T any](w http.ResponseWriter, r *http.Request, check func(json.RawMessage) error) (body T, err error) {
	text, err := readJSON(w, r)
	if err != nil {
		return body, err
	}
	if err := check(text); err != nil {
		return body, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err = decoder.Decode(&body); err == nil {
		return body, nil
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

// readJSON reads a body of one JSON value, in which no member comes twice.
func readJSON(w http.ResponseWriter, r *http.Request) (json.RawMessage, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, Refuse(http.StatusUnsupportedMediaType, "not_json", err)
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return nil, Refuse(http.StatusRequestEntityTooLarge, "too_large", err)
	}
	if err != nil {
		return nil, Refuse(http.StatusBadRequest, "invalid_body", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	twice, err := repeated(decoder, 0)
	if err != nil { // its text quotes what was sent
		return nil, Refuse(http.StatusBadRequest, "invalid_body", errors.New("not JSON"))
	}
	if twice != "" {
		return nil, Refuse(http.StatusBadRequest, "invalid_body", errors.New("a member came twice"), Field{Name: twice, Code: "repeated"})
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, Refuse(http.StatusBadRequest, "invalid_body", errors.New("more than one value"))
	}
	return text, nil
}

// deepest is how deep JSON may be nested: no door asks for as much.
const deepest = 32

// repeated is the place (RFC 6901) of the first member of the next value that its object has already; "" where there is none. Which of the
// two counts readers disagree about, so that one could be checked and the other obeyed (RFC 8259 §4). Names that differ in case alone are
// one, as they are to encoding/json.
func repeated(d *json.Decoder, depth int) (string, error) {
	opened, err := d.Token()
	if err != nil {
		return "", err
	}
	if depth == deepest {
		return "", errors.New("nested too deep")
	}
	delim, _ := opened.(json.Delim)
	names := map[string]bool{}
	for i := 0; delim != 0 && d.More(); i++ {
		at := strconv.Itoa(i)
		if delim == '{' {
			name, err := d.Token()
			if err != nil {
				return "", err
			}
			at = strings.NewReplacer("~", "~0", "/", "~1").Replace(name.(string))
			folded := strings.ToLower(strings.ToUpper(at))
			if names[folded] {
				return "/" + at, nil
			}
			names[folded] = true
		}
		if within, err := repeated(d, depth+1); within != "" || err != nil {
			return "/" + at + within, err
		}
	}
	if delim != 0 {
		_, err = d.Token() // closes it
	}
	return "", err
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
