package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// A Document is an API in OpenAPI 3.1, to which its doors are held: what callers may check beforehand, a door that takes the request need
// not look at again.
type Document struct {
	*openapi3.T
	operations map[string]operation // by route
}

type operation struct {
	query map[string]*openapi3.Schema // its parameters
	body  *openapi3.RequestBody
}

// ReadDocument reads a document.
func ReadDocument(text []byte) (*Document, error) {
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, fmt.Errorf("read an API's document: %w", err)
	}
	d := &Document{doc, map[string]operation{}}
	for path, item := range doc.Paths.Map() {
		for method, documented := range item.Operations() {
			o := operation{query: map[string]*openapi3.Schema{}}
			for _, p := range slices.Concat(item.Parameters, documented.Parameters) {
				if p.Value.In == openapi3.ParameterInQuery {
					o.query[p.Value.Name] = p.Value.Schema.Value
				}
			}
			if documented.RequestBody != nil {
				o.body = documented.RequestBody.Value
			}
			d.operations[method+" "+path] = o
		}
	}
	return d, nil
}

// Hold wraps mux: its doors refuse a parameter of the query that the document does not know, that comes twice or is out of its bounds.
// Whoever mistypes limit is not given everything.
func (d *Document) Hold(mux Mux) Mux { return held{d, mux} }

type held struct {
	document *Document
	mux      Mux
}

func (h held) Handle(pattern string, door http.Handler) {
	o := h.document.operations[pattern]
	h.mux.Handle(pattern, Handler(func(w http.ResponseWriter, r *http.Request) error {
		if err := o.checkQuery(r); err != nil {
			return err
		}
		door.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), inContext, o)))
		return nil
	}))
}

// inContext is the key by which DecodeDocumented finds what a door's document says: a body is read only once it is known who asks.
const inContext documentKey = "operation"

type documentKey string

func (o operation) checkQuery(r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil { // its text quotes what was sent
		return Refuse(http.StatusBadRequest, "invalid_parameter", errors.New("not a query"))
	}
	var wrong []Field
	for _, name := range slices.Sorted(maps.Keys(query)) {
		schema, known := o.query[name]
		switch {
		case !known:
			wrong = append(wrong, Field{Name: "/" + name, Code: "unknown"})
		case len(query[name]) > 1:
			wrong = append(wrong, Field{Name: "/" + name, Code: "repeated"})
		default:
			for _, f := range fields(schema.VisitJSON(valueOf(schema, query.Get(name)))) {
				wrong = append(wrong, Field{Name: "/" + name, Code: f.Code})
			}
		}
	}
	if wrong != nil {
		return Refuse(http.StatusBadRequest, "invalid_parameter", errors.New("not as documented"), wrong...)
	}
	return nil
}

// valueOf is the value that a parameter's text stands for.
func valueOf(schema *openapi3.Schema, text string) any {
	if schema.Type.Is(openapi3.TypeInteger) {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	}
	return text
}

// ReadBody reads a request's body and holds it to the document. All members that are not as documented are told at once, by code. No body is
// nil, where there need not be one.
func (d *Document) ReadBody(w http.ResponseWriter, r *http.Request, code string) (json.RawMessage, error) {
	o := d.operations[r.Pattern]
	if r.ContentLength == 0 && r.Header.Get("Content-Type") == "" {
		if o.body.Required {
			return nil, Refuse(http.StatusBadRequest, code, errors.New("no body"))
		}
		return nil, nil
	}
	body, err := readJSON(w, r)
	if err != nil {
		return nil, err
	}
	return body, o.checkBody(body, code)
}

func (o operation) checkBody(body json.RawMessage, code string) error {
	if o.body == nil {
		return nil
	}
	var value any
	if json.Unmarshal(body, &value) != nil {
		return Refuse(http.StatusBadRequest, code, errors.New("a number beyond all bounds"))
	}
	if members, ok := value.(map[string]any); ok { // null is what is left out (RFC 7592 §2.2)
		maps.DeleteFunc(members, func(_ string, v any) bool { return v == nil })
	}
	err := o.body.Content.Get("application/json").Schema.Value.VisitJSON(value, openapi3.MultiErrors())
	if err == nil {
		return nil
	}
	// Its text could quote what was sent.
	return Refuse(http.StatusBadRequest, code, errors.New("not as documented"), fields(err)...)
}

// fields names the members that an error of a schema is about.
func fields(err error) (all []Field) {
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
	return []Field{{Name: "/" + strings.Join(path, "/"), Code: code}}
}
