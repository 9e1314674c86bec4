package manage

import (
	_ "embed"
	"net/http"
)

// Document is the management API in OpenAPI 3.1, with the doors of other rooms.
//
//go:embed openapi.json
var Document []byte

// openapi handles GET /openapi.json, which anybody may read.
func (m *Manage) openapi(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(Document)
	return err
}

// docs handles GET /docs: the document for people, without a script, and nothing of it from elsewhere.
func (m *Manage) docs(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", m.page.policy)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, err := w.Write(m.page.html)
	return err
}
