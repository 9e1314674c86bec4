package manage

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider/answer"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
	"asoba.example/provider/backchannel"
	"asoba.example/provider/body"
	"asoba.example/provider/clients"
	"asoba.example/provider/keys"
)

// Config is what the doors need.
type Config struct {
	Bearer  Bearer
	Pool    *pgxpool.Pool
	Clients *clients.Registry
	Bodies  *body.Bodies
	Whose   func(ctx context.Context, identifier string) (uuid.UUID, error) // as people type it; body.ErrNobody, if nobody's
	Answers *answer.Book
	Keys    *keys.Ring
	Notices *backchannel.Notices
	Feed    *audit.Feed
	Roots   audit.Roots
	Now     func() time.Time
}

// A Manage is the doors.
type Manage struct {
	document *api.Document
	page     page // the document for people
	bearer   Bearer
	pool     *pgxpool.Pool
	clients  *clients.Registry
	bodies   *body.Bodies
	whose    func(ctx context.Context, identifier string) (uuid.UUID, error)
	answers  *answer.Book
	keys     *keys.Ring
	notices  *backchannel.Notices
	feed     *audit.Feed
	roots    audit.Roots
	now      func() time.Time
}

// New makes the doors.
func New(cfg Config) (*Manage, error) {
	document, err := api.ReadDocument(Document)
	if err != nil {
		return nil, err
	}
	page, err := newPage(document.T)
	if err != nil {
		return nil, err
	}
	return &Manage{
		document: document, page: page, bearer: cfg.Bearer, pool: cfg.Pool, clients: cfg.Clients, bodies: cfg.Bodies, whose: cfg.Whose, answers: cfg.Answers, keys: cfg.Keys, notices: cfg.Notices,
		feed: cfg.Feed, roots: cfg.Roots, now: cfg.Now,
	}, nil
}

// Hold is mux, whose doors are held to the document: other rooms' stand in it too.
func (m *Manage) Hold(mux api.Mux) api.Mux { return m.document.Hold(mux) }

// Mount opens the doors.
func (m *Manage) Mount(mux api.Mux) {
	mux = m.Hold(mux)
	mux.Handle("POST /clients", api.Handler(m.register))
	mux.Handle("GET /clients", api.Handler(m.list))
	mux.Handle("GET /clients/{client_id}", api.Handler(m.show))
	mux.Handle("PUT /clients/{client_id}", api.Handler(m.replace))
	mux.Handle("DELETE /clients/{client_id}", api.Handler(m.remove))
	mux.Handle("POST /clients/{client_id}/secrets", api.Handler(m.rotate))
	mux.Handle("POST /clients/{client_id}/disable", api.Handler(m.disable))
	mux.Handle("POST /clients/{client_id}/enable", api.Handler(m.enable))
	mux.Handle("DELETE /clients/{client_id}/registration-token", api.Handler(m.revokeRegistration))
	mux.Handle("GET /clients/{client_id}/history", api.Handler(m.history))
	mux.Handle("PUT /clients/{client_id}/owner", api.Handler(m.setOwner))
	mux.Handle("POST /clients/{client_id}/proposals", api.Handler(m.propose))
	mux.Handle("GET /clients/{client_id}/proposals", api.Handler(m.listProposals))
	mux.Handle("POST /clients/{client_id}/proposals/{id}/approve", api.Handler(m.approve))
	mux.Handle("POST /clients/{client_id}/proposals/{id}/refuse", api.Handler(m.refuse))
	mux.Handle("POST /clients/{client_id}/proposals/{id}/withdraw", api.Handler(m.withdraw))
	mux.Handle("GET /proposals", api.Handler(m.waiting))
	mux.Handle("POST /bodies", api.Handler(m.addBody))
	mux.Handle("GET /bodies", api.Handler(m.listBodies))
	mux.Handle("POST /bodies/{body_id}/clients", api.Handler(m.registerDraft))
	mux.Handle("GET /bodies/{body_id}/clients", api.Handler(m.listOwned))
	mux.Handle("POST /bodies/{body_id}/representatives", api.Handler(m.nameRepresentative))
	mux.Handle("GET /bodies/{body_id}/representatives", api.Handler(m.listRepresentatives))
	mux.Handle("DELETE /bodies/{body_id}/representatives/{person}", api.Handler(m.removeRepresentative))
	mux.Handle("POST /initial-access-tokens", api.Handler(m.issueInitial))
	mux.Handle("GET /initial-access-tokens", api.Handler(m.listInitial))
	mux.Handle("DELETE /initial-access-tokens/{id}", api.Handler(m.revokeInitial))
	mux.Handle("GET /clients/{client_id}/logout-notices", api.Handler(m.logoutNotices))
	mux.Handle("GET /audit/events", api.Handler(m.events))
	mux.Handle("GET /audit/roots", api.Handler(m.listRoots))
	mux.Handle("GET /keys", api.Handler(m.listKeys))
	mux.Handle("POST /keys/rotations", api.Handler(m.rotateKeys))
	mux.Handle("GET /changes", api.Handler(m.changes))
	mux.Handle("GET /openapi.json", api.Handler(m.openapi))
	mux.Handle("GET /docs", api.Handler(m.docs))
}
