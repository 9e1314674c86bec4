package manage

import (
	"time"

	"asoba.example/provider/api"
	"asoba.example/provider/audit"
	"asoba.example/provider/backchannel"
	"asoba.example/provider/clients"
	"asoba.example/provider/keys"
)

// Config is what the doors need.
type Config struct {
	Bearer  Bearer
	Clients *clients.Registry
	Answers *Answers
	Keys    *keys.Ring
	Notices *backchannel.Notices
	Feed    *audit.Feed
	Now     func() time.Time
}

// A Manage is the doors.
type Manage struct {
	document document
	bearer   Bearer
	clients  *clients.Registry
	answers  *Answers
	keys     *keys.Ring
	notices  *backchannel.Notices
	feed     *audit.Feed
	now      func() time.Time
}

// New makes the doors.
func New(cfg Config) (*Manage, error) {
	document, err := readDocument()
	if err != nil {
		return nil, err
	}
	return &Manage{
		document: document, bearer: cfg.Bearer, clients: cfg.Clients, answers: cfg.Answers, keys: cfg.Keys, notices: cfg.Notices,
		feed: cfg.Feed, now: cfg.Now,
	}, nil
}

// Mount opens the doors.
func (m *Manage) Mount(mux api.Mux) {
	mux.Handle("POST /clients", api.Handler(m.register))
	mux.Handle("GET /clients", api.Handler(m.list))
	mux.Handle("GET /clients/{client_id}", api.Handler(m.show))
	mux.Handle("PUT /clients/{client_id}", api.Handler(m.replace))
	mux.Handle("DELETE /clients/{client_id}", api.Handler(m.remove))
	mux.Handle("POST /clients/{client_id}/secrets", api.Handler(m.rotate))
	mux.Handle("POST /clients/{client_id}/disable", api.Handler(m.disable))
	mux.Handle("POST /clients/{client_id}/enable", api.Handler(m.enable))
	mux.Handle("GET /clients/{client_id}/history", api.Handler(m.history))
	mux.Handle("POST /initial-access-tokens", api.Handler(m.issueInitial))
	mux.Handle("DELETE /initial-access-tokens/{id}", api.Handler(m.revokeInitial))
	mux.Handle("GET /clients/{client_id}/logout-notices", api.Handler(m.logoutNotices))
	mux.Handle("GET /audit/events", api.Handler(m.events))
	mux.Handle("GET /keys", api.Handler(m.listKeys))
	mux.Handle("POST /keys/rotations", api.Handler(m.rotateKeys))
	mux.Handle("GET /changes", api.Handler(m.changes))
	mux.Handle("GET /openapi.json", api.Handler(m.openapi))
	mux.Handle("GET /docs", api.Handler(m.docs))
}
