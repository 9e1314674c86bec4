package provider_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"asoba.example/migrations/pgtest"
	"asoba.example/migrations/redistest"
	"asoba.example/provider"
	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/fetch"
	"asoba.example/provider/grant"
	"asoba.example/provider/keys"
	"asoba.example/provider/page"
	"asoba.example/provider/seal"
	"asoba.example/provider/session"
)

const (
	identifier = "3080356A001PB5"
	callback   = "https://portal.example/cb"
	cabinet    = "https://cabinet.example"
	management = "https://management.example"
)

// A world is a provider on a real PostgreSQL and a real Redis, one active person, and clients. Its clock stands still until it is moved.
type world struct {
	t            *testing.T
	issuer       string
	pool         *pgxpool.Pool
	trips        *pgtest.Trips
	redis        redis.UniversalClient
	hook         *redisTrips
	sessions     *session.Store
	interactions *provider.Interactions
	person       uuid.UUID
	jobs         grant.Jobs
	ring         *keys.Ring
	registry     *clients.Registry

	clock   atomic.Int64 // nanoseconds
	good    good
	logged  lines
	secrets map[string]string
	key     *ecdsa.PrivateKey // of the client "signer"
	ca      authority
	mtls    *httptest.Server // the listener that asks for certificates
}

// good is how long what is made is good.
type good struct{ code, pushed, access, id, refresh time.Duration }

func (w *world) now() time.Time       { return time.Unix(0, w.clock.Load()).UTC() }
func (w *world) pass(d time.Duration) { w.clock.Add(int64(d)) }
func (w *world) jwk() jose.JSONWebKey {
	return jose.JSONWebKey{Key: w.key.Public(), KeyID: "k1", Algorithm: "ES256"}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// noon is when a world begins.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// furnished is a database that has keys: those of RSA take long to make.
var furnished = pgtest.Furnish(func(ctx context.Context, pool *pgxpool.Pool) error {
	furnish(ctx, pool, func() time.Time { return noon })
	return nil
})

// furnish opens a database's box and its ring of signing keys, making them where there are none.
func furnish(ctx context.Context, pool *pgxpool.Pool, now func() time.Time) (*seal.Box, *keys.Ring) {
	box := must(seal.Open(ctx, pool, bytes.Repeat([]byte{1}, seal.MasterKeySize), now()))
	return box, must(keys.New(ctx, keys.Config{Pool: pool, Box: box, Now: now}))
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, redis: redistest.New(t), hook: new(redisTrips), person: uuid.Must(uuid.NewV7()),
		good:    good{30 * time.Second, 90 * time.Second, 5 * time.Minute, 5 * time.Minute, 30 * 24 * time.Hour},
		secrets: map[string]string{}, key: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
	}
	w.clock.Store(noon.UnixNano())
	w.ca = w.authority()
	w.mtls = httptest.NewUnstartedServer(nil)
	w.mtls.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	authorities := x509.NewCertPool()
	authorities.AddCert(w.ca.cert)
	w.pool, w.trips = furnished.Counting(t)
	w.redis.AddHook(w.hook)
	box, ring := furnish(t.Context(), w.pool, w.now)
	w.ring = ring
	w.registry = must(clients.New(t.Context(), clients.Config{
		Pool: w.pool, Back: w.pool, Key: must(box.Key("client secrets")), Caller: fetch.New(fetch.Config{AllowLoopback: true}), Sectors: fetch.New(fetch.Config{AllowLoopback: true}), Now: w.now,
	}))
	w.sessions = session.New(session.Config{Redis: w.redis, Idle: func() time.Duration { return time.Hour }, Total: func() time.Duration { return 12 * time.Hour }, Now: w.now})
	w.interactions = must(provider.NewInteractions(provider.InteractionsConfig{Redis: w.redis, Box: box, For: time.Hour, Now: w.now}))
	w.jobs = must(river.NewClient(riverpgxv5.New(w.pool), &river.Config{}))

	listener := must((&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"))
	w.issuer = "http://" + listener.Addr().String()
	word := &fstest.MapFile{Data: []byte(`{"stub.title": "Stub"}`)}
	site := must(page.New(page.Config{Name: "idp", Rooms: []page.Room{provider.Room(), {FS: fstest.MapFS{
		"words/ru.json": word, "words/be.json": word, "words/en.json": word, "pages/stub.html": {Data: []byte("stub")},
	}}}}))
	p := must(provider.New(provider.Config{
		Issuer: w.issuer,
		Resources: []provider.Resource{
			{Identifier: cabinet, Scopes: clients.CabinetScopes},
			{Identifier: management, Scopes: clients.ManagementScopes},
		},
		Pool: w.pool, Redis: w.redis, Accounts: people{}, Consents: agreements{}, Clients: w.registry, Keys: w.ring,
		Sessions: w.sessions, Interactions: w.interactions,
		Denials: grant.NewDenials(w.pool, w.redis, 5*time.Minute+time.Minute, w.now), Jobs: w.jobs, Site: site,
		TokenKey: must(box.Key("tokens")), Nonces: api.NewNonces(must(box.Key("nonces"))),
		MTLSURL: "https://" + w.mtls.Listener.Addr().String(), ClientCAs: authorities,
		Subjects: provider.Subjects{Key: must(box.Key("pairwise subjects"))},
		CodeFor:  func() time.Duration { return w.good.code }, PushedFor: func() time.Duration { return w.good.pushed },
		AccessTokenFor: func() time.Duration { return w.good.access }, IDTokenFor: func() time.Duration { return w.good.id },
		RefreshTokenFor: func() time.Duration { return w.good.refresh },
		Now:             w.now, Log: w.logger(), Metrics: prometheus.NewRegistry(),
	}))
	clientsOnly := http.NewServeMux()
	p.MountMTLS(clientsOnly)
	w.mtls.Config.Handler = clientsOnly
	w.mtls.StartTLS()
	t.Cleanup(w.mtls.Close)
	mux := http.NewServeMux()
	p.Mount(mux)
	w.pages(mux, w.interactions)
	observer := must(api.NewObserver(api.ObserverConfig{
		Log: w.logger(), Metrics: prometheus.NewRegistry(), Now: w.now,
	}))
	server := httptest.NewUnstartedServer(observer.Observe(site.Protect(mux, provider.CrossOrigin...)))
	_ = server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(func() {
		server.Close()
		w.checkSecrets()
	})

	w.people()
	w.register()
	return w
}

// lines are what the log has got.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (w *world) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(io.MultiWriter(&w.logged, w.t.Output()), nil))
}

// checkSecrets holds, after every test, that neither the log nor a key in Redis names a person or tells a token.
func (w *world) checkSecrets() {
	w.t.Helper()
	told := w.logged.text.String() + strings.Join(w.redis.Keys(context.WithoutCancel(w.t.Context()), "*").Val(), "\n")
	for _, secret := range []string{identifier, w.person.String(), `(code|refresh)_[\w-]{64}`, `eyJ[\w-]+\.eyJ`, `idp_(secret|initial|registration)_`} {
		if regexp.MustCompile(secret).MatchString(told) {
			w.t.Errorf("%s stands in the log or in a key", secret)
		}
	}
}

// pages stand in for those of login and consent: who opens them has signed in, has agreed, or has refused.
func (w *world) pages(mux *http.ServeMux, interactions *provider.Interactions) {
	door := func(pattern string, act func(http.ResponseWriter, *http.Request, *provider.Interaction) error) {
		mux.HandleFunc(pattern, func(rw http.ResponseWriter, r *http.Request) {
			i, err := interactions.Find(r.Context(), r)
			if err == nil {
				err = act(rw, r, &i)
			}
			if err != nil {
				http.Error(rw, err.Error(), http.StatusTeapot)
				return
			}
			http.Redirect(rw, r, i.Continue(), http.StatusSeeOther)
		})
	}
	door("GET /sign-in", func(rw http.ResponseWriter, r *http.Request, i *provider.Interaction) error {
		acr, amr := api.Low, []string{"pwd"}
		if i.ACR == api.Substantial {
			acr, amr = api.Substantial, []string{"pwd", "sms", "mfa"}
		}
		_, err := w.sessions.Begin(r.Context(), rw, r, session.Session{
			SID: session.NewSID(), Person: w.person, AuthTime: w.now(), ACR: acr, AMR: amr, Agent: "Firefox, Linux",
		})
		return err
	})
	door("GET /consent", func(_ http.ResponseWriter, r *http.Request, i *provider.Interaction) error {
		w.agree(i.ClientID)
		return interactions.Learn(r.Context(), i, func(i *provider.Interaction) { i.Agreed = i.Asks() })
	})
	door("GET /refuse", func(_ http.ResponseWriter, r *http.Request, i *provider.Interaction) error {
		return interactions.Learn(r.Context(), i, func(i *provider.Interaction) { i.Refused = true })
	})
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.pool.Exec(context.WithoutCancel(w.t.Context()), sql, args...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) count(what string) (n int) {
	w.t.Helper()
	if err := w.pool.QueryRow(w.t.Context(), `SELECT count(*) FROM `+what).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) people() {
	w.t.Helper()
	w.exec(`INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in) VALUES ($1, $2, 'F', '1956-03-08', 'BY', 1)`,
		w.person, identifier)
	w.exec(`INSERT INTO identity (person_id, state, phone, phone_index, issued_at, changed_at) VALUES ($1, 'active', '\x00', '\x00', now(), now())`, w.person)
}

// waiting gives who waits at a page of ours.
func (w *world) waiting(b *browser, at string) provider.Interaction {
	w.t.Helper()
	r := must(http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.issuer+at, nil))
	for _, cookie := range b.client.Jar.Cookies(r.URL) {
		r.AddCookie(cookie)
	}
	return must(w.interactions.Find(w.t.Context(), r))
}

// pageLearns keeps what a page has learnt of somebody who waits, and gives how that stands by then.
func (w *world) pageLearns(i provider.Interaction, learn func(*provider.Interaction)) provider.Interaction {
	w.t.Helper()
	if err := w.interactions.Learn(w.t.Context(), &i, learn); err != nil {
		w.t.Error(err)
	}
	return i
}

// agree keeps an agreement of the person with a client.
func (w *world) agree(client string) {
	w.t.Helper()
	w.exec(`INSERT INTO agreement (person_id, client_id, scope, basis, given_at, till) VALUES ($1, $2, 'openid', 'consent', now(), now())
		ON CONFLICT DO NOTHING`, w.person, client)
}

// block blocks the person as login does: the identity and ended in one transaction.
func (w *world) block() {
	w.t.Helper()
	err := pgx.BeginFunc(w.t.Context(), w.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(w.t.Context(), `UPDATE identity SET state = 'blocked', block_reason = 'self' WHERE person_id = $1`, w.person); err != nil {
			return err
		}
		return grant.End(w.t.Context(), tx, w.jobs, w.person, grant.Blocked, w.now())
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// redirectOf is where a client has its answers.
func redirectOf(client string) string {
	switch client {
	case "app":
		return "http://127.0.0.1:4711/cb"
	case "tax":
		return "https://tax.example:8443/cb"
	case "health", "archive":
		return "https://" + client + ".example/cb"
	}
	return callback
}

func (w *world) register() {
	w.t.Helper()
	identity := "openid profile phone citizenship identification_number offline_access "
	both := []string{"authorization_code", "refresh_token"}
	for id, m := range map[string]clients.Metadata{
		"portal": {
			ClientName: clients.Texts{"": "Portal"}, RedirectURIs: []string{callback, "https://portal.example/cb?lang=be"},
			PostLogoutRedirectURIs: []string{"https://portal.example/bye"}, GrantTypes: both, FirstParty: true,
			Scope: identity + "cabinet.profile.read cabinet.journal.read",
		},
		"relaxed": {
			RedirectURIs: []string{callback}, RequirePKCE: new(false), Scope: identity, GrantTypes: both, FirstParty: true,
			JWKS: &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{w.jwk()}},
		},
		"pushing": {RedirectURIs: []string{callback}, Scope: identity, FirstParty: true, RequirePushedAuthorizationRequests: true},
		"signing": {
			RedirectURIs: []string{callback}, Scope: "openid phone", FirstParty: true, RequireSignedRequestObject: true,
			AuthorizationSignedResponseAlg: "PS256", JWKS: &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{w.jwk()}},
		},
		"service": {RedirectURIs: []string{callback}, Scope: identity, TokenEndpointAuthMethod: "client_secret_post"},
		"app": {
			RedirectURIs: []string{"http://127.0.0.1/cb"}, Scope: identity, GrantTypes: both, FirstParty: true,
			TokenEndpointAuthMethod: "none", ApplicationType: "native",
		},
		"signer": {
			TokenEndpointAuthMethod: "private_key_jwt", JWKS: &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{w.jwk()}},
			GrantTypes: []string{"client_credentials"}, Scope: "clients:manage changes:read", ResourceServer: management,
		},
		"nameless": { // its key has no kid
			TokenEndpointAuthMethod: "private_key_jwt", JWKS: &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: w.key.Public()}}},
			GrantTypes: []string{"client_credentials"}, Scope: "changes:read", ResourceServer: management,
		},
		"named": {
			TokenEndpointAuthMethod: "tls_client_auth", TLSClientAuthSubjectDN: dn, GrantTypes: []string{"client_credentials"}, Scope: "changes:read",
		},
		"addressed": {
			TokenEndpointAuthMethod: "tls_client_auth", TLSClientAuthSANDNS: "tax.example", GrantTypes: []string{"client_credentials"}, Scope: "changes:read",
		},
		"own-certificate": {
			TokenEndpointAuthMethod: "self_signed_tls_client_auth", JWKS: &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{w.jwk()}}, CertificateBoundAccessTokens: true,
			GrantTypes: append(both, "client_credentials"), Scope: identity + "cabinet.profile.read changes:read", RedirectURIs: []string{callback}, FirstParty: true,
		},
		"cabinet": {GrantTypes: []string{"client_credentials"}, Scope: "changes:read", ResourceServer: cabinet},
		"verifying-cabinet": {
			GrantTypes: []string{"client_credentials"}, Scope: "changes:read", ResourceServer: cabinet, IntrospectionSignedResponseAlg: "ES256",
		},
		"tv": {
			ClientName: clients.Texts{"": "Television"}, TokenEndpointAuthMethod: "none", Scope: identity + "cabinet.profile.read",
			GrantTypes: []string{deviceCode, "refresh_token"},
		},
		"kiosk": {GrantTypes: []string{deviceCode}, Scope: "openid", FirstParty: true},
		"hub": {
			RedirectURIs: []string{callback}, Scope: identity + "cabinet.profile.read changes:read", GrantTypes: both, FirstParty: true,
		},
		"relay": {
			GrantTypes: []string{tokenExchange}, ResourceServer: cabinet, TokenExchange: []clients.Exchange{
				{Audience: w.issuer, Scope: "openid phone"}, {Audience: management, Scope: "changes:read"},
			},
		},
		"backend": {
			GrantTypes: []string{tokenExchange}, ResourceServer: management, TokenExchange: []clients.Exchange{
				{Audience: cabinet, Scope: "changes:read"}, {Audience: management, Scope: "changes:read"},
			},
		},
		"bound": {
			RedirectURIs: []string{callback}, GrantTypes: both, Scope: identity + "cabinet.profile.read", FirstParty: true, DPoPBoundAccessTokens: true,
		},
		"es": {RedirectURIs: []string{callback}, Scope: identity, IDTokenSignedResponseAlg: "EdDSA", FirstParty: true},
		"tax": {
			RedirectURIs: []string{redirectOf("tax")}, Scope: identity, FirstParty: true,
			BackchannelLogoutURI: "https://tax.example/out", FrontchannelLogoutURI: "https://tax.example:8443/out?from=idp",
		},
		"health": {
			RedirectURIs: []string{redirectOf("health")}, Scope: identity, FirstParty: true,
			BackchannelLogoutURI: "https://health.example/out", FrontchannelLogoutURI: "https://health.example/out",
		},
		"archive": {RedirectURIs: []string{redirectOf("archive")}, Scope: identity, FirstParty: true, BackchannelLogoutURI: "https://archive.example/out"},
	} {
		w.add(id, m)
	}
}

// add registers a client.
func (w *world) add(id string, m clients.Metadata) {
	w.t.Helper()
	_, secret, err := w.registry.Register(w.t.Context(), id, m, clients.By{At: w.now()})
	if err != nil {
		w.t.Fatalf("register %s: %v", id, err)
	}
	w.secrets[id] = secret
}

// people answers from the tables that login keeps.
type people struct{}

const account = `
	SELECT p.id, p.identification_number, i.state = 'active', e.at FROM person p
	JOIN identity i ON i.person_id = p.id LEFT JOIN ended e ON e.person_id = p.id WHERE `

func ask(b *pgx.Batch, where string, key any, to *provider.Standing) {
	b.Queue(account+where, key).QueryRow(func(row pgx.Row) error {
		var ended *time.Time
		err := row.Scan(&to.Person, &to.Identifier, &to.Active, &ended)
		if ended != nil {
			to.Ended = *ended
		}
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
}

func (people) Standing(b *pgx.Batch, person uuid.UUID, to *provider.Standing) {
	ask(b, "p.id = $1", person, to)
}

func (people) Claims(_ *pgx.Batch, _ uuid.UUID, _ []string, to *map[string]any) { *to = everything }

// Granted gives every claim there is, whatever was asked: it is for the provider to keep them back.
func (people) Granted(b *pgx.Batch, gid uuid.UUID, _ []string, to *provider.Standing, claims *map[string]any) {
	ask(b, "p.id = (SELECT person_id FROM client_grant WHERE id = $1)", gid, to)
	*claims = everything
}

var everything = map[string]any{
	"name": "Anna", "phone_number": "+375291234567", "phone_number_verified": true, "email": "a@b", "identification_number": identifier,
	"middle_name": "", "gender": nil,
}

// agreements answers from the table that consent keeps.
type agreements struct{}

func (agreements) Covers(b *pgx.Batch, person uuid.UUID, c *clients.Client, _ []string, _ time.Time, to *bool) {
	b.Queue(`SELECT EXISTS (SELECT FROM agreement WHERE person_id = $1 AND client_id = $2)`, person, c.ID).
		QueryRow(func(row pgx.Row) error { return row.Scan(to) })
}

// redisTrips counts round trips to Redis, and breaks them to order.
type redisTrips struct {
	n      atomic.Int64
	broken atomic.Bool
}

func (h *redisTrips) take() int                                   { return int(h.n.Swap(0)) }
func (h *redisTrips) DialHook(next redis.DialHook) redis.DialHook { return next }
func (h *redisTrips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := h.trip(); err != nil {
			return err
		}
		return next(ctx, cmd)
	}
}

func (h *redisTrips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if err := h.trip(); err != nil {
			return err
		}
		return next(ctx, cmds)
	}
}

func (h *redisTrips) trip() error {
	if h.n.Add(1); h.broken.Load() {
		return errors.New("broken on purpose")
	}
	return nil
}

// A browser keeps cookies and follows redirects within the provider.
type browser struct {
	w      *world
	client *http.Client
}

func (w *world) browser() *browser {
	return &browser{w, &http.Client{
		Jar:           must(cookiejar.New(nil)),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// send sends one request and gives where it leads ("" for nowhere), the status and the body.
func (b *browser) send(r *http.Request) (to string, status int, body string) {
	b.w.t.Helper()
	response, err := b.client.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer response.Body.Close()
	text := must(io.ReadAll(response.Body))
	return response.Header.Get("Location"), response.StatusCode, string(text)
}

func (b *browser) get(address string) (to string, status int, body string) {
	b.w.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.w.issuer + address
	}
	return b.send(must(http.NewRequestWithContext(b.w.t.Context(), http.MethodGet, address, nil)))
}

func (b *browser) post(path string, values url.Values) (to string, status int, body string) {
	b.w.t.Helper()
	r := must(http.NewRequestWithContext(b.w.t.Context(), http.MethodPost, b.w.issuer+path, strings.NewReader(values.Encode())))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.send(r)
}

// copies gives the cookies in which the browser keeps the requests that wait.
func (b *browser) copies() []*http.Cookie {
	b.w.t.Helper()
	return slices.DeleteFunc(b.client.Jar.Cookies(must(url.Parse(b.w.issuer))), func(c *http.Cookie) bool {
		return !strings.HasPrefix(c.Name, "idp_request")
	})
}

// follow goes from one address of the provider to the next until it leads away; a page that stays is not what was expected.
func (b *browser) follow(to string) string {
	b.w.t.Helper()
	away, status, body := b.walk(to)
	if away == "" {
		b.w.t.Fatalf("%s: %d %s", to, status, body)
	}
	return away
}

// walk goes from one address of the provider to the next until it leads away, or to a page that stays.
func (b *browser) walk(to string) (away string, status int, body string) {
	b.w.t.Helper()
	for range 10 {
		if !strings.HasPrefix(to, "/") {
			return to, status, body
		}
		to, status, body = b.get(to)
	}
	b.w.t.Fatal("led in circles")
	return "", 0, ""
}

const verifier = "a-verifier-of-forty-three-characters-or-more-is-good"

// params are those of an authorization request that is right, with changes: a value "" takes a parameter out.
func params(client string, changes ...string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	v := url.Values{
		"client_id": {client}, "redirect_uri": {redirectOf(client)}, "response_type": {"code"}, "scope": {"openid"}, "state": {"st"}, "nonce": {"n-1"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		if v.Set(changes[i], changes[i+1]); changes[i+1] == "" {
			v.Del(changes[i])
		}
	}
	return v
}

// authorize makes an authorization request and gives the answer's parameters, having gone through all pages.
func (b *browser) authorize(values url.Values) url.Values {
	b.w.t.Helper()
	to := b.follow("/authorize?" + values.Encode())
	u, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, values.Get("redirect_uri")) {
		b.w.t.Fatalf("led to %q: %v", to, err)
	}
	return u.Query()
}

// code gives a code of a client.
func (b *browser) code(client string, changes ...string) string {
	b.w.t.Helper()
	answer := b.authorize(params(client, changes...))
	if !answer.Has("code") {
		b.w.t.Fatalf("no code: %v", answer)
	}
	return answer.Get("code")
}

// An answer of an endpoint of clients.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

func (a answer) text(name string) string { s, _ := a.body[name].(string); return s }

// call posts a form to an endpoint, authenticating the client by what it is registered with.
func (w *world) call(path, client string, values url.Values) answer {
	w.t.Helper()
	return w.do(w.from(client, path, values))
}

// from makes the request of a client.
func (w *world) from(client, path string, values url.Values) *http.Request {
	w.t.Helper()
	values = maps.Clone(values)
	basic := false
	switch client {
	case "":
	case "app", "tv":
		values.Set("client_id", client)
	case "service":
		values.Set("client_id", client)
		values.Set("client_secret", w.secrets[client])
	case "signer":
		values.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		values.Set("client_assertion", w.assertion(nil))
	default:
		basic = true
	}
	r := w.request(path, values)
	if basic {
		r.SetBasicAuth(url.QueryEscape(client), url.QueryEscape(w.secrets[client]))
	}
	return r
}

func (w *world) request(path string, values url.Values) *http.Request {
	r := must(http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.issuer+path, strings.NewReader(values.Encode())))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func (w *world) do(r *http.Request) answer {
	w.t.Helper()
	return w.doBy(http.DefaultClient, r)
}

func (w *world) doBy(client *http.Client, r *http.Request) answer {
	w.t.Helper()
	response, err := client.Do(r)
	if err != nil {
		w.t.Error(err)
		return answer{}
	}
	defer response.Body.Close()
	a := answer{status: response.StatusCode, header: response.Header}
	text := must(io.ReadAll(response.Body))
	if kind := a.header.Get("Content-Type"); strings.HasSuffix(kind, "+jwt") {
		a.body = map[string]any{kind: string(text)}
		return a
	}
	if len(text) > 0 && json.Unmarshal(text, &a.body) != nil {
		w.t.Errorf("%s: not JSON: %s", r.URL.Path, text)
	}
	return a
}

// redeem redeems a code.
func (w *world) redeem(client, code string, changes ...string) answer {
	w.t.Helper()
	v := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirectOf(client)}, "code_verifier": {verifier}}
	for i := 0; i < len(changes); i += 2 {
		if v.Set(changes[i], changes[i+1]); changes[i+1] == "" {
			v.Del(changes[i])
		}
	}
	return w.call("/token", client, v)
}

func (w *world) refresh(client, token string, changes ...string) answer {
	w.t.Helper()
	v := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	for i := 0; i < len(changes); i += 2 {
		v.Set(changes[i], changes[i+1])
	}
	return w.call("/token", client, v)
}

// userinfo shows an access token at UserInfo.
func (w *world) userinfo(token string) answer {
	w.t.Helper()
	r := must(http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.issuer+"/userinfo", nil))
	r.Header.Set("Authorization", "bearer "+token)
	return w.do(r)
}

// assertion makes a client assertion of the client "signer", with changes to what would be right; nil takes a claim out.
func (w *world) assertion(changes map[string]any) string {
	w.t.Helper()
	claims := map[string]any{
		"iss": "signer", "sub": "signer", "aud": w.issuer, "jti": uuid.NewString(),
		"iat": w.now().Unix(), "exp": w.now().Add(time.Minute).Unix(),
	}
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: w.key, KeyID: "k1"}}, nil))
	return must(jwt.Signed(signer).Claims(claims).Serialize())
}

// An object is a request object of a client, with changes to what would be right; nil takes a member out.
type object struct {
	client  string
	changes map[string]any
	typ     jose.ContentType
	alg     jose.SignatureAlgorithm // ES256 by default
	key     any                     // the client's by default
}

func (w *world) object(o object) string {
	w.t.Helper()
	members := map[string]any{
		"iss": o.client, "aud": w.issuer, "nbf": w.now().Unix(), "exp": w.now().Add(5 * time.Minute).Unix(),
	}
	for name, values := range params(o.client) {
		members[name] = values[0]
	}
	for name, value := range o.changes {
		if members[name] = value; value == nil {
			delete(members, name)
		}
	}
	key := jose.SigningKey{Algorithm: cmp.Or(o.alg, jose.ES256), Key: o.key}
	if o.key == nil {
		key.Key = jose.JSONWebKey{Key: w.key, KeyID: "k1"}
	}
	signer := must(jose.NewSigner(key, (&jose.SignerOptions{}).WithType(o.typ)))
	return must(jwt.Signed(signer).Claims(members).Serialize())
}

// push pushes a request.
func (w *world) push(client string, values url.Values) answer {
	w.t.Helper()
	return w.call("/par", client, values)
}

// claims reads a JWT of the provider's with the keys it publishes, and gives its header's typ and its claims.
func (w *world) claims(token string) (typ string, claims map[string]any) {
	w.t.Helper()
	parsed, err := jwt.ParseSigned(token, keys.Algorithms)
	if err != nil {
		w.t.Fatalf("%v: %q", err, token)
	}
	key, err := w.ring.Key(w.t.Context(), parsed.Headers[0].KeyID)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := parsed.Claims(key.Key, &claims); err != nil {
		w.t.Fatal(err)
	}
	typ, _ = parsed.Headers[0].ExtraHeaders[jose.HeaderType].(string)
	return typ, claims
}

func (a answer) check(t *testing.T, status int, code string) {
	t.Helper()
	if a.status != status || a.text("error") != code {
		t.Errorf("got %d %v, want %d %s", a.status, a.body, status, code)
	}
}
