package idp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"asoba.example/cmd/internal/run"
	"asoba.example/cmd/internal/stores"
	"asoba.example/consent"
	"asoba.example/login"
	"asoba.example/login/clerk"
	"asoba.example/login/desk"
	"asoba.example/login/desk/printed"
	"asoba.example/login/hashing"
	"asoba.example/login/identity"
	"asoba.example/login/operator"
	"asoba.example/login/policy"
	"asoba.example/provider"
	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/dashboard"
	"asoba.example/provider/manage"
)

// Serve runs the provider until ctx ends, all in this process. When a setting, a port or a store is
// wrong it says so and has served nobody.
func Serve(ctx context.Context, cfg Config, log *slog.Logger) error {
	return serve(ctx, cfg, hashing.Here{}, log)
}

func serve(ctx context.Context, cfg Config, hasher identity.Hashing, log *slog.Logger) error {
	secure, err := run.Certificate(cfg.TLSCertFile, cfg.TLSKeyFile)
	if err != nil {
		return fmt.Errorf("IDP_TLS_CERT_FILE and IDP_TLS_KEY_FILE: %w", err)
	}
	public, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("IDP_LISTEN: %w", err)
	}
	defer public.Close()
	management, err := net.Listen("tcp", cfg.ManagementListen)
	if err != nil {
		return fmt.Errorf("IDP_MANAGEMENT_LISTEN: %w", err)
	}
	defer management.Close()

	var mtls net.Listener
	asking := secure // for certificates: never before citizens
	if cfg.MTLSURL != "" {
		if secure == nil {
			return errors.New("IDP_MTLS_URL needs IDP_TLS_CERT_FILE and IDP_TLS_KEY_FILE")
		}
		if mtls, err = net.Listen("tcp", cfg.MTLSListen); err != nil {
			return fmt.Errorf("IDP_MTLS_LISTEN: %w", err)
		}
		defer mtls.Close()
		asking = secure.Clone()
		asking.ClientAuth = tls.RequestClientCert // whose they are is for the provider to judge: some have no authority
	}

	if err := stores.Redis(ctx, "IDP_REDIS_URL", cfg.RedisURL); err != nil { // errands do without it
		return err
	}
	h, err := newHouse(ctx, cfg, hasher, log)
	if err != nil {
		return err
	}
	defer h.Close()
	observer, err := api.NewObserver(api.ObserverConfig{Log: log, Metrics: h.metrics, Now: time.Now})
	if err != nil {
		return err
	}
	expiry, err := clients.NewExpiry(h.clients, log, h.metrics)
	if err != nil {
		return err
	}
	pages, clientsOnly, err := h.public()
	if err != nil {
		return err
	}
	doors, err := h.management()
	if err != nil {
		return err
	}
	server := func(listener net.Listener, secure *tls.Config, doors http.Handler, streams func(*http.Request) bool) (run.Part, error) {
		doors, err := run.Behind(cfg.TrustedProxies, observer.Observe(doors))
		return run.Server{Listener: listener, Handler: doors, TLS: secure, Log: log, Notice: cfg.StopNotice, Ready: h.Ready, Streams: streams, Waits: manage.Waits}.Run, err
	}
	servePublic, err := server(public, secure, pages, nil)
	if err != nil {
		return err
	}
	serveManagement, err := server(management, asking, doors, func(r *http.Request) bool { return operator.Streams(r) || login.Streams(r) })
	if err != nil {
		return err
	}
	serveMTLS := func(context.Context) error { return nil }
	if mtls != nil {
		if serveMTLS, err = server(mtls, asking, clientsOnly, nil); err != nil {
			return err
		}
	}

	if err := h.cleaner.CleanRecent(ctx); err != nil { // what a crash may have left in Redis
		return err
	}
	log.Info("serving", "issuer", cfg.Issuer, "management", cfg.ManagementURL)
	if cfg.Relaxed {
		log.Warn("limits on attempts, SMS and clients are lifted: IDP_RELAXED is for trials only")
	}
	return run.All(ctx,
		servePublic,
		serveManagement,
		serveMTLS,
		h.work,
		run.Every(100*time.Millisecond, log, "give events their places", h.sealer.Seal),
		run.Every(time.Minute, log, "sign the root of the audit", h.roots().SignToday),
		run.Every(time.Second, log, "listen to the feed", h.feed.Listen),
		run.Every(5*time.Second, log, "follow the keys that seal", h.box.Refresh),
		run.Every(2*time.Second, log, "follow the signing keys", h.keys.Refresh),
		run.Every(time.Minute, log, "tend the signing keys", h.keys.Tend),
		run.Every(time.Second, log, "follow the clients", h.clients.Refresh),
		run.Every(time.Second, log, "follow the policies", h.policies.Refresh),
		run.Every(time.Minute, log, "forget old answers", h.answers.Forget),
		run.Every(time.Hour, log, "destroy passwords that are over", func(ctx context.Context) error { return h.identities.Expire(ctx, time.Now()) }),
		run.Every(time.Hour, log, "forget visits that came to nothing", h.desk.Forget),
		run.Every(24*time.Hour, log, "warn of what ends soon", expiry.Look),
		run.Every(time.Hour, log, "wipe old logout notices", h.notices.Wipe),
	)
}

// work does the jobs until ctx ends.
func (h *house) work(ctx context.Context) error {
	if err := h.jobs.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the jobs: %w", err)
	}
	<-ctx.Done()
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return h.jobs.Stop(patience)
}

// public is what citizens and e-services see, and what those see whom a listener of their own asks for certificates.
func (h *house) public() (pages, mtls http.Handler, err error) {
	tokenKey, err := h.box.Key("tokens")
	if err != nil {
		return nil, nil, err
	}
	authorities, err := authorities(h.cfg.MTLSCAFile)
	if err != nil {
		return nil, nil, err
	}
	interactions, err := provider.NewInteractions(provider.InteractionsConfig{Redis: h.Redis, Box: h.box, Secure: h.secure(), For: waitFor, Now: time.Now})
	if err != nil {
		return nil, nil, err
	}
	op, err := provider.New(provider.Config{
		Issuer: h.cfg.Issuer, Resources: h.resources(),
		Pool: h.Pool, Redis: h.Redis,
		Accounts: h.accounts, Consents: h.agreements, Clients: h.clients, Keys: h.keys, Sessions: h.sessions,
		Interactions: interactions, Denials: h.denials, Jobs: h.jobs, Site: h.site, TokenKey: tokenKey, Nonces: h.nonces,
		MTLSURL: h.cfg.MTLSURL, ClientCAs: authorities,
		Subjects: h.subjects,
		CodeFor:  policy.AuthorizationCodeFor.From(h.policies), PushedFor: policy.PushedRequestFor.From(h.policies),
		AccessTokenFor: policy.AccessTokenFor.From(h.policies), IDTokenFor: policy.IDTokenFor.From(h.policies),
		RefreshTokenFor: policy.RefreshTokenFor.From(h.policies),
		Now:             time.Now, Log: h.log, Metrics: h.metrics, Relaxed: h.cfg.Relaxed,
	})
	if err != nil {
		return nil, nil, err
	}
	signIn, err := login.New(login.Config{
		Site: h.site, Interactions: interactions, Accounts: h.accounts, Sessions: h.sessions, Clients: h.clients,
		Denials: h.denials, Jobs: h.jobs, Registry: h.identities, Codes: h.codes, Browsers: h.browsers, Factors: h.factors, Atlas: h.atlas, Throttle: h.throttle, Policies: h.policies, Refresh: h.refresh,
		Pool: h.Pool, Redis: h.Redis, Subjects: h.subjects, Issuer: h.cfg.Issuer, CabinetURL: h.cfg.CabinetURL, Now: time.Now,
	})
	if err != nil {
		return nil, nil, err
	}
	agree, err := consent.New(consent.Config{
		Site: h.site, Interactions: interactions, Accounts: h.accounts, Sessions: h.sessions, Clients: h.clients,
		Agreements: h.agreements, Pool: h.Pool, Now: time.Now,
	})
	if err != nil {
		return nil, nil, err
	}
	services, err := dashboard.New(dashboard.Config{
		Issuer: h.cfg.Issuer, Site: h.site, Interactions: interactions, Accounts: h.accounts, Sessions: h.sessions, Clients: h.clients,
		Bodies: h.bodies, Feed: h.feed, Pool: h.Pool, Now: time.Now,
	})
	if err != nil {
		return nil, nil, err
	}
	mux := http.NewServeMux()
	op.Mount(mux)
	services.Mount(mux)
	signIn.Mount(mux)
	agree.Mount(mux)
	h.site.Mount(mux)
	clientsOnly := http.NewServeMux()
	op.MountMTLS(clientsOnly)
	return h.site.Protect(h.site.Over(mux), provider.CrossOrigin...), clientsOnly, nil
}

// authorities reads those whose certificates tls_client_auth takes; nil where none is named.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("IDP_MTLS_CA_FILE: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("IDP_MTLS_CA_FILE: no certificate in PEM")
	}
	return pool, nil
}

// resources are the APIs that take access tokens of this provider.
func (h *house) resources() []provider.Resource {
	return []provider.Resource{
		{Identifier: h.cfg.CabinetURL, Scopes: clients.CabinetScopes},
		{Identifier: h.cfg.ManagementURL, Scopes: clients.ManagementScopes},
	}
}

// management is what desks, operators and other state systems see.
func (h *house) management() (http.Handler, error) {
	bearer := manage.Bearer{
		Verifier: api.Verifier{
			Keys: h.keys, Issuer: h.cfg.Issuer, Audience: h.cfg.ManagementURL, Now: time.Now,
			Proofs: &api.Proofs{URLs: []string{h.cfg.ManagementURL}, Nonces: h.nonces, Redis: h.Redis, Now: time.Now},
		},
		Denials: h.denials, Clients: h.clients,
	}
	mux := http.NewServeMux()
	operators, err := manage.New(manage.Config{
		Bearer: bearer, Pool: h.Pool, Clients: h.clients, Bodies: h.bodies, Whose: h.whose, Answers: h.answers, Keys: h.keys, Notices: h.notices,
		Feed: h.feed, Roots: h.roots(), Now: time.Now,
	})
	if err != nil {
		return nil, err
	}
	operators.Mount(mux)
	described := operators.Hold(mux) // the document tells of the doors of all rooms
	press, err := printed.New()
	if err != nil {
		return nil, err
	}
	gate := clerk.Gate{Clerks: h.clerks, Tokens: bearer, Now: time.Now}
	(&desk.Doors{Desk: h.desk, Press: press, Gate: gate, Clients: h.clients, Feed: h.feed}).Mount(described)
	(&operator.Editions{Register: h.register, Restorations: h.restored, Gate: gate, Policies: h.policies}).Mount(described)
	(&operator.Doors{Blocks: h.blocks, Gate: gate, Registry: h.identities, Policies: h.policies}).Mount(described)
	login.People{Register: h.register, States: h.identities.States, Tokens: bearer}.Mount(described)
	login.Rulings{Policies: h.policies, Gate: gate}.Mount(described)
	h.receipts.Mount(mux)
	mux.Handle("GET /metrics", promhttp.HandlerFor(h.metrics, promhttp.HandlerOpts{}))
	return api.Refusing(mux), nil
}
