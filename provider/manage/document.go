package manage

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"asoba.example/provider/api"
)

// Document is the management API in OpenAPI 3.1, with the doors of other rooms.
//
//go:embed openapi.json
var Document []byte

// A document is the Document, read.
type document struct {
	bodies map[string]*openapi3.RequestBody // by route
	page   page                             // for people
}

func readDocument() (document, error) {
	doc, err := openapi3.NewLoader().LoadFromData(Document)
	if err != nil {
		return document{}, fmt.Errorf("read openapi.json: %w", err)
	}
	d := document{bodies: map[string]*openapi3.RequestBody{}}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if operation.RequestBody != nil {
				d.bodies[method+" "+path] = operation.RequestBody.Value
			}
		}
	}
	d.page, err = newPage(doc)
	return d, err
}

// read reads a request's body and holds it to the document, as callers may do beforehand. All members that are not as
// documented are told at once, by code: a door that takes the body has less to refuse. No body is nil, where there need not be one.
func (d document) read(w http.ResponseWriter, r *http.Request, code string) (json.RawMessage, error) {
	documented := d.bodies[r.Pattern]
	if r.ContentLength == 0 && r.Header.Get("Content-Type") == "" {
		if documented.Required {
			return nil, api.Refuse(http.StatusBadRequest, code, errors.New("no body"))
		}
		return nil, nil
	}
	body, err := api.Decode[json.RawMessage](w, r)
	if err != nil {
		return nil, err
	}
	var value any
	if json.Unmarshal(body, &value) != nil {
		return nil, api.Refuse(http.StatusBadRequest, code, errors.New("a number beyond all bounds"))
	}
	if members, ok := value.(map[string]any); ok { // null is what is left out (RFC 7592 §2.2)
		maps.DeleteFunc(members, func(_ string, v any) bool { return v == nil })
	}
	err = documented.Content.Get("application/json").Schema.Value.VisitJSON(value, openapi3.MultiErrors())
	if err == nil {
		return body, nil
	}
	// Its text could quote what was sent.
	return nil, api.Refuse(http.StatusBadRequest, code, errors.New("not as documented"), fields(err)...)
}

// fields names the members that an error of a schema is about.
func fields(err error) (all []api.Field) {
	if several, ok := errors.AsType[openapi3.MultiError](err); ok {
		for _, one := range several {
			all = append(all, fields(one)...)
		}
		return all
	}
	wrong, ok := errors.AsType[*openapi3.SchemaError](err)
	if !ok {
		return nil
	}
	path, code := wrong.JSONPointer(), "invalid"
	switch wrong.SchemaField {
	case "type":
		code = "wrong_type"
	case "required":
		code = "missing"
	case "properties":
		code = "unknown"
		var name string // stands in the words only
		_, _ = fmt.Sscanf(wrong.Reason, "property %q", &name)
		path = append(path, name)
	}
	return []api.Field{{Name: "/" + strings.Join(path, "/"), Code: code}}
}

// openapi handles GET /openapi.json, which anybody may read.
func (m *Manage) openapi(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(Document)
	return err
}

// docs handles GET /docs: the document for people, without a script, and nothing of it from elsewhere.
func (m *Manage) docs(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", m.document.page.policy)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, err := w.Write(m.document.page.html)
	return err
}
