package manage

import (
	_ "embed"
	"net/http"
	"time"

	"asoba.example/provider/api"
	"asoba.example/provider/audit"
	"asoba.example/provider/clients"
)

// Config is what the doors need.
type Config struct {
	Bearer  Bearer
	Clients *clients.Registry
	Answers *Answers
	Feed    *audit.Feed
	Now     func() time.Time
}

// A Manage is the doors.
type Manage struct {
	bearer  Bearer
	clients *clients.Registry
	answers *Answers
	feed    *audit.Feed
	now     func() time.Time
}

// New makes the doors.
func New(cfg Config) *Manage {
	return &Manage{bearer: cfg.Bearer, clients: cfg.Clients, answers: cfg.Answers, feed: cfg.Feed, now: cfg.Now}
}

// Mount opens the doors.
func (m *Manage) Mount(mux api.Mux) {
	mux.Handle("POST /clients", api.Handler(m.register))
	mux.Handle("GET /clients", api.Handler(m.list))
	mux.Handle("GET /clients/{client_id}", api.Handler(m.show))
	mux.Handle("PUT /clients/{client_id}", api.Handler(m.replace))
	mux.Handle("DELETE /clients/{client_id}", api.Handler(m.remove))
	mux.Handle("GET /changes", api.Handler(m.changes))
	mux.Handle("GET /openapi.json", api.Handler(m.openapi))
}

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
