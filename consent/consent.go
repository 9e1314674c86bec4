package consent

import (
	"embed"
	"errors"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/consent/agreement"
	"asoba.example/provider"
	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/page"
	"asoba.example/provider/session"
)

//go:embed pages parts words
var files embed.FS

// Room is what consent brings to the site.
func Room() page.Room { return page.Room{FS: files} }

// Config is what a Consent needs. All of it.
type Config struct {
	Site         *page.Site
	Interactions *provider.Interactions
	Accounts     provider.Accounts
	Sessions     *session.Store
	Clients      *clients.Registry
	Agreements   *agreement.Agreements
	Pool         *pgxpool.Pool
	Now          func() time.Time
}

// A Consent is the doors of this package.
type Consent struct {
	cfg Config
}

// New makes a Consent.
func New(cfg Config) (*Consent, error) {
	if cfg.Site == nil || cfg.Interactions == nil || cfg.Accounts == nil || cfg.Sessions == nil || cfg.Clients == nil ||
		cfg.Agreements == nil || cfg.Pool == nil || cfg.Now == nil {
		return nil, errors.New("consent: a part is missing")
	}
	return &Consent{cfg}, nil
}

// Mount opens the doors.
func (c *Consent) Mount(mux api.Mux) {
	mux.Handle("GET /consent", c.cfg.Site.Handle(c.ask))
	mux.Handle("POST /consent", c.cfg.Site.Handle(c.answer))
	mux.Handle("GET /agreements", c.cfg.Site.Handle(c.list))
	mux.Handle("POST /agreements", c.cfg.Site.Handle(c.withdraw))
}

// person finds who is signed in at this browser, with the claims that the scopes give. The zero Session if nobody is,
// or if the sign-in is worth nothing any more.
func (c *Consent) person(r *http.Request, scopes ...string) (session.Session, provider.Standing, map[string]any, error) {
	s, err := c.cfg.Sessions.Find(r.Context(), r)
	if err != nil || s.IsZero() {
		return session.Session{}, provider.Standing{}, nil, err
	}
	var (
		b        pgx.Batch
		standing provider.Standing
		claims   map[string]any
	)
	c.cfg.Accounts.Standing(&b, s.Person, &standing)
	c.cfg.Accounts.Claims(&b, s.Person, scopes, &claims)
	if err := c.cfg.Pool.SendBatch(r.Context(), &b).Close(); err != nil {
		return session.Session{}, provider.Standing{}, nil, err
	}
	if !standing.Holds(s.AuthTime) {
		return session.Session{}, provider.Standing{}, nil, nil
	}
	return s, standing, claims, nil
}
