package manage

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

var (
	//go:embed docs.html
	docsHTML string
	//go:embed docs.css
	docsCSS string
)

// A page is the document as people read it, made once.
type page struct {
	html   []byte
	policy string
}

// An operation as the page shows it.
type operation struct {
	Method, Path string
	*openapi3.Operation
	Parameters openapi3.Parameters // the path's own among them
}

// A member of an object.
type member struct {
	Name     string
	Required bool
	*openapi3.SchemaRef
}

func newPage(doc *openapi3.T) (page, error) {
	t, err := template.New("docs").Funcs(template.FuncMap{
		"operations": func(tag string) []operation { return operationsOf(doc, tag) },
		"members":    membersOf,
		"name":       func(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] },
		"scopes":     scopesOf,
		"content":    schemaOf,
	}).Parse(strings.Replace(docsHTML, "/* docs.css */", docsCSS, 1))
	if err != nil {
		return page{}, err
	}
	var html bytes.Buffer
	if err := t.Execute(&html, doc); err != nil {
		return page{}, fmt.Errorf("write the page of the document: %w", err)
	}
	sum := sha256.Sum256([]byte(docsCSS))
	return page{
		html:   html.Bytes(),
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
	}, nil
}

// operationsOf gives the operations with a tag: by path, and for a path as one reads, makes, changes and removes a thing.
func operationsOf(doc *openapi3.T, tag string) (all []operation) {
	for path, item := range doc.Paths.Map() {
		for method, o := range item.Operations() {
			if slices.Contains(o.Tags, tag) {
				all = append(all, operation{method, path, o, slices.Concat(item.Parameters, o.Parameters)})
			}
		}
	}
	methods := []string{"GET", "POST", "PUT", "DELETE"}
	slices.SortFunc(all, func(a, b operation) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), slices.Index(methods, a.Method)-slices.Index(methods, b.Method))
	})
	return all
}

// membersOf gives the members of an object by name, those of all its parts.
func membersOf(s *openapi3.Schema) (all []member) {
	for _, part := range s.AllOf {
		if part.Ref == "" {
			all = append(all, membersOf(part.Value)...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		all = append(all, member{name, slices.Contains(s.Required, name), s.Properties[name]})
	}
	return all
}

// scopesOf gives the scopes that an operation needs.
func scopesOf(o operation) (all []string) {
	if o.Security == nil {
		return nil
	}
	for _, needs := range *o.Security {
		all = append(all, needs["bearer"]...)
	}
	return all
}

// schemaOf gives the one schema of a content, or nil.
func schemaOf(c openapi3.Content) *openapi3.SchemaRef {
	for _, media := range c {
		return media.Schema
	}
	return nil
}
