package login_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"golang.org/x/net/html"

	"asoba.example/login"
	"asoba.example/login/account"
	"asoba.example/login/browser"
	"asoba.example/login/code"
	"asoba.example/login/factor"
	"asoba.example/login/hashing"
	"asoba.example/login/identity"
	"asoba.example/login/place"
	"asoba.example/login/place/placetest"
	"asoba.example/login/policy"
	"asoba.example/login/throttle"
	"asoba.example/migrations/pgtest"
	"asoba.example/migrations/redistest"
	"asoba.example/provider"
	"asoba.example/provider/clients"
	"asoba.example/provider/fetch"
	"asoba.example/provider/grant"
	"asoba.example/provider/page/pagetest"
	"asoba.example/provider/seal"
	"asoba.example/provider/session"
)

// A world is the doors of login on real stores, with a clock that tests turn.
type world struct {
	*testing.T
	pool         *pgxpool.Pool
	trips        *pgtest.Trips
	redis        redis.UniversalClient
	calls        *calls
	metrics      *prometheus.Registry
	registry     *identity.Registry
	policies     *policy.Policies
	interactions *provider.Interactions
	phones       *phones
	factors      *factor.Factors
	server       *httptest.Server
	clock        *clock
	refresh      func(context.Context, identity.Identifier) error // is the population register, where a test has one
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, redis: redistest.New(t), calls: new(calls), metrics: prometheus.NewRegistry(), phones: new(phones), clock: new(clock)}
	w.redis.AddHook(w.calls)
	w.pool, w.trips = pgtest.Counting(t)
	w.clock.at = time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC)
	now := w.clock.now
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	box, err := seal.Open(t.Context(), w.pool, make([]byte, seal.MasterKeySize), now())
	must(err)
	jobs, err := river.NewClient(riverpgxv5.New(w.pool), &river.Config{})
	must(err)
	sessions := session.New(session.Config{Redis: w.redis, Idle: func() time.Duration { return 15 * time.Minute }, Total: func() time.Duration { return 12 * time.Hour }, Now: now})
	denials := grant.NewDenials(w.pool, w.redis, 5*time.Minute, now)
	site, err := pagetest.Site(t, login.Room()).Keeping(w.redis, box, now)
	must(err)
	cleaner := &grant.Cleaner{Pool: w.pool, Denials: denials, Sessions: sessions, Now: now}
	w.registry, err = identity.New(identity.Config{
		Pool: w.pool, Box: box, Jobs: jobs, SMS: w.phones, Say: site.Say, Hashers: 2, Hashing: hashing.Here{},
		TemporaryFor: policy.TemporaryPasswordFor.From(nil), Symbols: policy.TemporaryPasswordSymbols.From(nil), Failures: policy.Failures.From(nil), Shortest: policy.ShortestPassword.From(nil), Longest: policy.LongestPassword.From(nil), Cost: func() identity.Cost { return identity.Cost{Memory: 1, Passes: 1, Lanes: 1} },
		Issuer: "http://idp.example", UnblockTries: policy.UnblockTries.From(nil), ClosedFor: policy.UnblockClosedFor.From(nil), NotMeFor: policy.NotMeFor.From(nil), FreezeFor: policy.RecoveryFreeze.From(nil), Cleaner: cleaner, Metrics: w.metrics,
	})
	must(err)
	w.interactions, err = provider.NewInteractions(provider.InteractionsConfig{Redis: w.redis, Box: box, For: time.Hour, Now: now})
	must(err)
	registered, err := clients.New(t.Context(), clients.Config{Pool: w.pool, Back: w.pool, Key: []byte("key"), Caller: fetch.New(fetch.Config{AllowLoopback: true}), Now: now})
	must(err)
	portal := clients.Metadata{
		ClientName: map[string]string{"": "Portal"}, RedirectURIs: []string{"https://portal.example/cb"}, ClientURI: "https://portal.example/",
		BackchannelLogoutURI: "https://portal.example/out", FrontchannelLogoutURI: "https://portal.example/out",
	}
	_, _, err = registered.Register(t.Context(), "portal", portal, clients.By{At: now()})
	must(err)
	w.policies, err = policy.New(t.Context(), w.pool, now)
	must(err)
	tries := &throttle.Throttle{Redis: w.redis, Key: []byte("tries"), Now: now}
	w.factors, err = factor.New(factor.Config{
		Pool: w.pool, Redis: w.redis, Box: box, Jobs: jobs, Cleaner: cleaner, Registry: w.registry, Throttle: tries,
		Tries: policy.FactorTries.From(w.policies), Failures: policy.Failures.From(w.policies), Waits: 24 * time.Hour, Issuer: "http://idp.example", Now: now,
	})
	must(err)
	atlas, err := place.Open(placetest.File(t))
	must(err)
	doors, err := login.New(login.Config{
		Site: site, Interactions: w.interactions, Accounts: account.Accounts{Box: box}, Sessions: sessions, Denials: denials, Jobs: jobs,
		Clients: registered, Registry: w.registry, Pool: w.pool, Redis: w.redis, Subjects: provider.Subjects{Key: make([]byte, 32)}, Issuer: "http://idp.example", CabinetURL: "http://cabinet.example", Now: now,
		Codes:    &code.Codes{Redis: w.redis, Key: []byte("codes"), Outbox: w.phones, Pool: w.pool, Say: site.Say, Now: now},
		Policies: w.policies,
		Factors:  w.factors,
		Browsers: &browser.Browsers{
			Pool: w.pool, For: func() time.Duration { return 180 * 24 * time.Hour }, Sessions: sessions, Jobs: jobs, Cleaner: cleaner, Now: now,
		},
		Atlas:    atlas,
		Throttle: tries,
		Refresh: func(ctx context.Context, id identity.Identifier) error {
			if w.refresh == nil {
				return nil
			}
			return w.refresh(ctx, id)
		},
	})
	must(err)
	mux := http.NewServeMux()
	doors.Mount(mux)
	// The provider's own door: where an authorization request goes on, and where one begins.
	mux.HandleFunc("GET /authorize", func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("interaction") {
			said := "<h1>authorize goes on</h1>"
			switch i, err := w.interactions.Find(r.Context(), r); {
			case err != nil:
				http.Redirect(out, r, "/sign-in?"+r.URL.RawQuery, http.StatusSeeOther)
				return
			case i.Refused:
				said = "<h1>authorize refuses</h1>"
			}
			_, _ = io.WriteString(out, said)
			return
		}
		i, err := w.interactions.Begin(r.Context(), out, r, provider.Interaction{
			Request: url.Values{"redirect_uri": {"https://portal.example/cb"}}, ClientID: "portal", ACR: r.URL.Query().Get("acr_values"),
			Pushed: r.URL.Query().Get("request_uri"),
		})
		if err != nil {
			t.Error(err)
		}
		http.Redirect(out, r, i.At("/sign-in"), http.StatusSeeOther)
	})
	w.server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if from := r.Header.Get("X-Forwarded-For"); from != "" { // as behind a proxy that is trusted
			r.RemoteAddr = from + ":1"
		}
		mux.ServeHTTP(out, r)
	}))
	t.Cleanup(w.server.Close)
	return w
}

// A clock that tests turn.
type clock struct {
	mu sync.Mutex
	at time.Time // under mu
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) turn(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

// phones is everybody's: what was sent, newest last.
type phones struct {
	mu   sync.Mutex
	sent []identity.Message // under mu
}

func (*phones) TakeBack(context.Context, pgx.Tx, uuid.UUID, time.Time, ...identity.MessageKind) error {
	return nil
}

func (p *phones) Put(_ context.Context, _ pgx.Tx, m identity.Message) error {
	if m.Phone == (identity.Phone{}) { // to nobody
		if m.Till.After(m.At) {
			return errors.New("what goes to nobody would be sent")
		}
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, m)
	return nil
}

// last finds in the newest message of a kind what the pattern describes, and counts the messages of the kind.
func (p *phones) last(t *testing.T, kind identity.MessageKind, pattern string) (found string, of int) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.sent {
		if m.Kind == kind {
			found, of = regexp.MustCompile(pattern).FindString(m.Text), of+1
		}
	}
	if found == "" {
		t.Fatalf("no %s of the form %s came", kind, pattern)
	}
	return found, of
}

// lastCode is the newest code, and how many were sent.
func (w *world) lastCode() (string, int) {
	w.Helper()
	return w.phones.last(w.T, identity.CodeMessage, `\b\d{6}\b`)
}

// Numbers of nobody, and passwords.
const (
	anna     = "1010130K001PB9"
	boris    = "2290296M000BA3"
	vera     = "7000000A000PB1"
	nobody   = "7000001A000PB8"
	password = "корова ходит по луне"
	another  = "луна ходит по корове"
)

// registered puts somebody into the register.
func (w *world) registered(number string) uuid.UUID {
	w.Helper()
	id := uuid.Must(uuid.NewV7())
	const insert = `
		INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in)
		VALUES ($1, $2, 'F', '1830-01-01', 'BY', 1)`
	if _, err := w.pool.Exec(w.Context(), insert, id, number); err != nil {
		w.Fatal(err)
	}
	return id
}

// issued gives somebody an identifier, and tells the temporary password.
func (w *world) issued(number, phone string) (uuid.UUID, string) {
	w.Helper()
	person := w.registered(number)
	to, err := identity.ParsePhone(phone)
	if err != nil {
		w.Fatal(err)
	}
	err = w.registry.Issue(w.Context(), identity.Assignment{
		Person: person, Phone: to, Names: identity.Names{Family: "Ковалёва", Given: "Анна"},
		Document: identity.Document{Kind: "passport", Number: "MP" + number[:7], ValidTill: "2030-01-01"},
	}, identity.Act{At: w.clock.now()})
	if err != nil {
		w.Fatal(err)
	}
	temporary, _ := w.phones.last(w.T, identity.TemporaryPasswordMessage, `\w{5}-\w{5}`)
	return person, temporary
}

// settled has items of policy have these values from now on.
func (w *world) settled(values map[string]string) {
	w.Helper()
	const settle = `
		INSERT INTO policy (id, name, value, in_force_from, ground_title, ground_number, ground_date, state, author, proposed_at, decided_by, decided_at)
		VALUES (gen_random_uuid(), $1, $2, $3, 'Rules', '1', '2026-01-01', 'approved', $4, $3, $5, $3)`
	author, other := w.registered("5311299B500PB0"), w.registered("5311299H123PB7")
	for name, value := range values {
		if _, err := w.pool.Exec(w.Context(), settle, name, value, w.clock.now(), author, other); err != nil {
			w.Fatal(err)
		}
	}
	if err := w.policies.Refresh(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// active gives somebody an active identifier, with the password of these tests.
func (w *world) active(number, phone string) uuid.UUID {
	w.Helper()
	person, _ := w.issued(number, phone)
	if err := w.registry.Activate(w.Context(), person, password, identity.Act{At: w.clock.now()}); err != nil {
		w.Fatal(err)
	}
	w.clock.turn(time.Minute)
	return person
}

// events tells what was recorded of a person by a kind: the level, the reason.
func (w *world) events(kind string, person uuid.UUID) (got []string) {
	w.Helper()
	const read = `
		SELECT concat_ws(' ', acr, detail->>'why', agent) FROM event
		WHERE kind = $1 AND person_id IS NOT DISTINCT FROM nullif($2, '00000000-0000-0000-0000-000000000000'::uuid)
		ORDER BY id`
	rows, _ := w.pool.Query(w.Context(), read, kind, person)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		w.Fatal(err)
	}
	return got
}

// grant is what a person's last sign-in gave a client.
func (w *world) grant(person uuid.UUID, client string) {
	w.Helper()
	const give = `
		INSERT INTO client_grant (id, person_id, client_id, sid, scopes, audience, auth_time, acr, amr, given_at, till)
		SELECT gen_random_uuid(), $1, $2, sid, '{openid}', '{}', $3, 'low', '{pwd}', $3::timestamptz, $3::timestamptz + interval '1 hour'
		FROM event WHERE kind = 'signed_in' AND person_id = $1 ORDER BY id DESC LIMIT 1`
	if _, err := w.pool.Exec(w.Context(), give, person, client, w.clock.now()); err != nil {
		w.Fatal(err)
	}
}

func (w *world) count(of string, args ...any) (n int) {
	w.Helper()
	if err := w.pool.QueryRow(w.Context(), `SELECT count(*) FROM `+of, args...).Scan(&n); err != nil {
		w.Fatal(err)
	}
	return n
}

// A visitor is a browser with cookies, and the page it shows.
type visitor struct {
	w      *world
	client *http.Client
	from   string // the address; "" is this machine's
	at     *url.URL
	status int
	head   http.Header
	led    http.Header // of the redirect that led there last; nil where none did
	body   string
}

func (w *world) visitor() *visitor {
	w.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.Fatal(err)
	}
	return &visitor{w: w, client: &http.Client{Jar: jar}}
}

func (v *visitor) do(method, address string, form url.Values) {
	v.w.Helper()
	r, err := http.NewRequestWithContext(v.w.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		v.w.Fatal(err)
	}
	r.Header.Set("Accept-Language", "en")
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if v.from != "" {
		r.Header.Set("X-Forwarded-For", v.from)
	}
	answer, err := v.client.Do(r)
	if err != nil {
		v.w.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		v.w.Fatal(err)
	}
	v.at, v.status, v.head, v.body, v.led = answer.Request.URL, answer.StatusCode, answer.Header, string(body), nil
	if before := answer.Request.Response; before != nil {
		v.led = before.Header
	}
	if strings.Contains(v.body, "<!DOCTYPE") {
		pagetest.Sound(v.w.T, body)
		if answer.Request.Method == http.MethodPost && v.status < http.StatusInternalServerError {
			v.w.Errorf("%s: a form is answered with a page, which a reload would send again", v.at.Path)
		}
	}
}

// open goes to a path of ours.
func (v *visitor) open(path string) {
	v.w.Helper()
	v.do(http.MethodGet, v.w.server.URL+path, nil)
}

// submit sends the page's form with these fields.
func (v *visitor) submit(fields ...string) {
	v.w.Helper()
	document, err := html.Parse(strings.NewReader(v.body))
	if err != nil {
		v.w.Fatal(err)
	}
	for n := range document.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" {
			continue
		}
		for _, a := range n.Attr {
			if a.Key != "action" {
				continue
			}
			to, err := v.at.Parse(a.Val)
			if err != nil {
				v.w.Fatal(err)
			}
			form := url.Values{}
			for i := 0; i+1 < len(fields); i += 2 {
				form.Set(fields[i], fields[i+1])
			}
			v.do(http.MethodPost, to.String(), form)
			return
		}
	}
	v.w.Fatalf("no form at %s\n%s", v.at, v.body)
}

// asked is what the page asks a passkey by: data-ask to use one, data-invite to make one.
func (v *visitor) asked(how string) string {
	v.w.Helper()
	found := regexp.MustCompile(`data-` + how + `="([^"]*)"`).FindStringSubmatch(v.body)
	if found == nil {
		v.w.Fatalf("%s asks for no passkey\n%s", v.at.Path, v.body)
	}
	return found[1]
}

// want fails unless the browser shows this path with this status.
func (v *visitor) want(path string, status int) {
	v.w.Helper()
	if v.at.Path != path || v.status != status {
		v.w.Fatalf("at %s with %d, want %s with %d\n%s", v.at.Path, v.status, path, status, v.body)
	}
}

// sees fails unless the page says all of it.
func (v *visitor) sees(texts ...string) {
	v.w.Helper()
	for _, text := range texts {
		if !strings.Contains(v.body, text) {
			v.w.Fatalf("%s does not say %q\n%s", v.at.Path, text, v.body)
		}
	}
}

// signIn brings the browser from wherever it is to the end of a sign-in with the static password.
func (v *visitor) signIn(number string) {
	v.w.Helper()
	v.signInFor("/security", number)
}

// signInFor is a sign-in that a page asks for.
func (v *visitor) signInFor(path, number string) {
	v.w.Helper()
	v.open(path)
	v.want("/sign-in", http.StatusOK)
	v.proves(number)
	v.want(path, http.StatusOK)
}

// proves goes from the form of a sign-in as far as its password leads, and the code where one is asked for.
func (v *visitor) proves(number string) {
	v.w.Helper()
	v.submit("identifier", number, "password", password)
	if v.at.Path == "/sign-in/code" {
		digits, _ := v.w.lastCode()
		v.submit("code", digits)
	}
}
