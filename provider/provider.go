package provider

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/ory/fosite"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
	"asoba.example/provider/keys"
	"asoba.example/provider/page"
	"asoba.example/provider/session"
	"asoba.example/provider/tokens"
)

// Config is what a Provider needs. All of it.
type Config struct {
	Issuer    string     // https, without query, fragment or a slash at the end
	Resources []Resource // the APIs that take our access tokens, with their scopes

	Pool  *pgxpool.Pool
	Redis redis.UniversalClient

	Accounts     Accounts
	Consents     Consents
	Clients      *clients.Registry
	Keys         *keys.Ring
	Sessions     *session.Store
	Interactions *Interactions
	Denials      *grant.Denials
	Jobs         grant.Jobs
	Site         *page.Site
	TokenKey     []byte // of the tags of codes and refresh tokens: seal.Box.Key("tokens")
	Nonces       *api.Nonces
	Subjects     Subjects

	MTLSURL   string         // of the listener that asks clients for certificates (RFC 8705); "" where there is none
	ClientCAs *x509.CertPool // the authorities of tls_client_auth; nil: none is trusted

	// How long each is good that is made from now on: asked every time, for the operator may settle it anew.
	CodeFor         func() time.Duration // at most 60 s (FAPI 2.0 Security Profile §5.3.2.1)
	PushedFor       func() time.Duration // less than 600 s (§5.3.2.2)
	AccessTokenFor  func() time.Duration
	IDTokenFor      func() time.Duration
	RefreshTokenFor func() time.Duration // from the sign-in's grant to its end, however often it is refreshed

	Now func() time.Time
	Log *slog.Logger

	Metrics prometheus.Registerer
	Relaxed bool // for trials: no client is limited
}

// A Provider is an OpenID Provider: the endpoints that relying parties and resource servers speak to.
type Provider struct {
	cfg    Config
	fosite *fosite.Fosite
	opaque tokens.Opaque
	tokens *tokens.Maker
	proofs *api.Proofs
	limits *limits

	verified   api.Verified // access tokens that were made or checked here
	discovered []byte       // the metadata, written out once
}

// New makes a Provider, or tells everything that is wrong with cfg.
func New(cfg Config) (*Provider, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("provider: %w", err)
	}
	p := &Provider{
		cfg:    cfg,
		opaque: tokens.NewOpaque(cfg.TokenKey),
		tokens: &tokens.Maker{Ring: cfg.Keys, Issuer: cfg.Issuer, IDFor: cfg.IDTokenFor},
		proofs: &api.Proofs{URLs: without([]string{cfg.Issuer, cfg.MTLSURL}, ""), Nonces: cfg.Nonces, Redis: cfg.Redis, Now: cfg.Now},
	}
	p.fosite = p.newFosite()
	var err error
	if p.limits, err = newLimits(cfg); err != nil {
		return nil, fmt.Errorf("provider: register the metrics of limits: %w", err)
	}
	p.discovered, err = json.Marshal(p.metadata())
	return p, err
}

func (cfg Config) check() error {
	var errs []error
	if u, err := url.Parse(cfg.Issuer); err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Path != "" {
		errs = append(errs, errors.New("the issuer must be a scheme and a host"))
	}
	if len(cfg.TokenKey) < 32 || len(cfg.Subjects.Key) < 32 {
		errs = append(errs, errors.New("the key of tokens or that of pairwise subs is shorter than 32 bytes"))
	}
	if cfg.CodeFor == nil || cfg.PushedFor == nil || cfg.AccessTokenFor == nil || cfg.IDTokenFor == nil || cfg.RefreshTokenFor == nil {
		errs = append(errs, errors.New("codes, pushed requests and tokens must be good for a time"))
	}
	return errors.Join(errs...)
}

// CrossOrigin are the patterns to which other sites' pages may post: the rest is refused to them (http.CrossOriginProtection).
var CrossOrigin = []string{
	"POST /authorize", "POST /par", "POST /token", "POST /userinfo", "POST /introspect", "POST /revoke", "POST /device_authorization", "POST /logout",
}

// Mount puts every route of the provider on mux.
func (p *Provider) Mount(mux api.Mux) {
	site := p.cfg.Site
	mux.Handle("GET /authorize", site.Handle(p.authorize))
	mux.Handle("POST /authorize", site.Handle(p.authorize))
	mux.Handle("GET /logout", site.Handle(p.logout))
	mux.Handle("POST /logout", site.Handle(p.logout))
	mux.Handle("POST /logout/decision", site.Handle(p.decideLogout))

	mux.Handle("GET /device", site.Handle(p.device))
	mux.Handle("POST /device", site.Handle(p.enterUserCode))
	mux.Handle("POST /device/decision", site.Handle(p.confirmDevice))

	mux.Handle("POST /register", endpoint(p.register))
	mux.Handle("GET /register/{client_id}", endpoint(p.readRegistration))
	mux.Handle("PUT /register/{client_id}", endpoint(p.changeRegistration))
	mux.Handle("DELETE /register/{client_id}", endpoint(p.deleteRegistration))

	for _, c := range append(p.calls(),
		call{"GET", "/.well-known/openid-configuration", p.discovery, true},
		call{"GET", "/.well-known/oauth-authorization-server", p.discovery, true},
		call{"GET", "/jwks", p.jwks, true},
	) {
		if !c.open {
			c.mount(mux, c.handle)
			continue
		}
		c.mount(mux, anyOrigin(c.handle))
		mux.Handle("OPTIONS "+c.path, anyOrigin(preflight(c.methods)))
	}
}

// A call is an endpoint for programs, not for browsers.
type call struct {
	methods string // "GET, POST"
	path    string
	handle  endpoint
	open    bool // to clients that are pages in a browser, of any origin: it looks at no cookie
}

func (c call) mount(mux api.Mux, handler http.Handler) {
	for method := range strings.SplitSeq(c.methods, ", ") {
		mux.Handle(method+" "+c.path, handler)
	}
}

// calls are those that authenticate a client, or take its token.
func (p *Provider) calls() []call {
	return []call{
		{"POST", "/token", p.token, true},
		{"GET, POST", "/userinfo", p.userinfo, true},
		{"POST", "/revoke", p.revoke, true},
		{"POST", "/introspect", p.introspect, false},
		{"POST", "/par", p.par, false},
		{"POST", "/device_authorization", p.authorizeDevice, false},
	}
}

// addresses are where the calls are, on one of the listeners.
type addresses struct {
	TokenEndpoint         string `json:"token_endpoint"`
	UserinfoEndpoint      string `json:"userinfo_endpoint"`
	RevocationEndpoint    string `json:"revocation_endpoint"`
	IntrospectionEndpoint string `json:"introspection_endpoint"`
	PushedRequestEndpoint string `json:"pushed_authorization_request_endpoint"`
	DeviceEndpoint        string `json:"device_authorization_endpoint"`
}

func addressesAt(listener string) addresses {
	return addresses{
		TokenEndpoint: listener + "/token", UserinfoEndpoint: listener + "/userinfo", RevocationEndpoint: listener + "/revoke",
		IntrospectionEndpoint: listener + "/introspect", PushedRequestEndpoint: listener + "/par", DeviceEndpoint: listener + "/device_authorization",
	}
}
