package backchannel_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"asoba.example/migrations/pgtest"
	"asoba.example/provider/backchannel"
	"asoba.example/provider/clients"
	"asoba.example/provider/fetch"
	"asoba.example/provider/keys"
	"asoba.example/provider/seal"
)

const (
	issuer = "https://idp.example"
	sub    = "3080356A001PB5"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A world holds one person, clients that are told at one server, and what tells them. Its clock stands still until it is moved.
type world struct {
	pool      *pgxpool.Pool
	registry  *clients.Registry
	ring      *keys.Ring
	metrics   *prometheus.Registry
	deliverer *backchannel.Deliverer
	jobs      *river.Client[pgx.Tx] // inserts and does nothing
	notices   *backchannel.Notices
	person    uuid.UUID
	now       time.Time
	told      *told
	server    *httptest.Server
}

// told is what arrived, by client; and how clients answer.
type told struct {
	mu     sync.Mutex
	tokens map[string][]string // under mu
	forms  []string            // under mu
	answer func(http.ResponseWriter, *http.Request)
}

func (c *told) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	c.mu.Lock()
	client := strings.TrimPrefix(r.URL.Path, "/")
	c.tokens[client] = append(c.tokens[client], r.PostFormValue("logout_token"))
	c.forms = append(c.forms, r.Method+" "+r.Header.Get("Content-Type")+" "+strings.Split(string(body), "=")[0])
	c.mu.Unlock()
	c.answer(w, r)
}

func (c *told) of(client string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.tokens[client])
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{pool: pgtest.New(t), person: uuid.Must(uuid.NewV7()), now: noon, metrics: prometheus.NewRegistry()}
	w.told = &told{tokens: map[string][]string{}, answer: func(http.ResponseWriter, *http.Request) {}}
	w.server = httptest.NewServer(w.told)
	t.Cleanup(w.server.Close)
	now := func() time.Time { return w.now }
	box := must[*seal.Box](t)(seal.Open(t.Context(), w.pool, make([]byte, seal.MasterKeySize), noon))
	w.ring = must[*keys.Ring](t)(keys.New(t.Context(), keys.Config{Pool: w.pool, Box: box, Now: now}))
	w.registry = must[*clients.Registry](t)(clients.New(t.Context(), clients.Config{Pool: w.pool, Back: w.pool, Key: make([]byte, 32), Now: now}))
	w.deliverer = must[*backchannel.Deliverer](t)(backchannel.NewDeliverer(backchannel.Config{
		Pool: w.pool, Clients: w.registry, Keys: w.ring, Issuer: issuer, Caller: fetch.New(fetch.Config{AllowLoopback: true}),
		Subject: func(_ context.Context, _ *clients.Client, _ uuid.UUID, sid string) (string, string, error) {
			return sub, sid, nil
		},
		Metrics: w.metrics, Now: now, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}))
	w.notices = &backchannel.Notices{Pool: w.pool, Now: now}
	w.jobs = must[*river.Client[pgx.Tx]](t)(river.NewClient(riverpgxv5.New(w.pool), &river.Config{}))
	w.exec(t, `INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in)
		VALUES ($1, $2, 'F', '1956-03-08', 'BY', 1)`, w.person, sub)
	return w
}

func (w *world) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := w.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// client registers a client that is told at the server.
func (w *world) client(t *testing.T, id string, change func(*clients.Metadata)) {
	t.Helper()
	m := clients.Metadata{RedirectURIs: []string{"https://" + id + ".example/cb"}, BackchannelLogoutURI: w.server.URL + "/" + id}
	if change != nil {
		change(&m)
	}
	if _, _, err := w.registry.Register(t.Context(), id, m, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
}

// grant is what the person's session gave a client at noon, for five minutes.
func (w *world) grant(t *testing.T, client, sid string, at time.Time) {
	t.Helper()
	w.exec(t, `INSERT INTO client_grant (id, person_id, client_id, sid, scopes, audience, auth_time, acr, amr, given_at, till)
		VALUES ($1, $2, $3, $4, '{openid}', '{}', $5, 'low', '{pwd}', $5, $6)`,
		uuid.Must(uuid.NewV7()), w.person, client, sid, at, at.Add(5*time.Minute))
}

// end is an act that ends the person's sessions.
func (w *world) end(t *testing.T, over backchannel.Ended) {
	t.Helper()
	over.Person = w.person
	err := pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error { return backchannel.Queue(t.Context(), tx, w.jobs, over, w.now) })
	if err != nil {
		t.Fatal(err)
	}
}

// queued is whom notices are for that have not been tried, by client and session; each once.
func (w *world) queued(t *testing.T) []string {
	t.Helper()
	rows, _ := w.pool.Query(t.Context(), `SELECT client_id || ' ' || sid FROM logout_notice WHERE state = 'queued' ORDER BY 1`)
	return must[[]string](t)(pgx.CollectRows(rows, pgx.RowTo[string]))
}

// work tries a client's notice, and gives how it stands and after which pause it will be tried again.
func (w *world) work(t *testing.T, client string) (backchannel.Notice, time.Duration) {
	t.Helper()
	n := w.notice(t, client)
	err := w.deliverer.Work(t.Context(), &river.Job[backchannel.Delivery]{Args: backchannel.Delivery{ID: n.ID}})
	snooze := new(river.JobSnoozeError)
	if err != nil && !errors.As(err, &snooze) {
		t.Fatal(err)
	}
	return w.notice(t, client), snooze.Duration
}

func (w *world) notice(t *testing.T, client string) backchannel.Notice {
	t.Helper()
	all := must[[]backchannel.Notice](t)(w.notices.List(t.Context(), client, 0, 1))
	if len(all) != 1 {
		t.Fatalf("%s has no notice", client)
	}
	return all[0]
}

// start does jobs until the test ends.
func (w *world) start(t *testing.T) {
	t.Helper()
	workers := river.NewWorkers()
	river.AddWorker(workers, w.deliverer)
	client := must[*river.Client[pgx.Tx]](t)(river.NewClient(riverpgxv5.New(w.pool), &river.Config{
		Workers: workers, Logger: slog.New(slog.DiscardHandler), FetchPollInterval: 100 * time.Millisecond,
		Queues: map[string]river.QueueConfig{backchannel.DeliveryQueue: {MaxWorkers: backchannel.DeliveryWorkers}},
	}))
	if err := client.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// verifier verifies as a standard client does.
func (w *world) verifier(t *testing.T, client string, alg jose.SignatureAlgorithm) *oidc.IDTokenVerifier {
	t.Helper()
	var published jose.JSONWebKeySet
	if err := json.Unmarshal(w.ring.JWKS(), &published); err != nil {
		t.Fatal(err)
	}
	set := new(oidc.StaticKeySet)
	for _, k := range published.Keys {
		if k.Algorithm == string(alg) {
			set.PublicKeys = append(set.PublicKeys, k.Key)
		}
	}
	return oidc.NewVerifier(issuer, set, &oidc.Config{
		ClientID: client, SupportedSigningAlgs: []string{string(alg)}, Now: func() time.Time { return w.now },
	})
}

// A Logout Token says what it must and no more, is signed as the client's ID tokens are, and is all that is posted (OpenID Connect
// Back-Channel Logout §2.4, §2.5).
func TestALogoutTokenSaysWhatItMust(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for client, alg := range map[string]jose.SignatureAlgorithm{"usual": jose.RS256, "es": jose.ES256, "ps": jose.PS256, "ed": jose.EdDSA} {
		w.client(t, client, func(m *clients.Metadata) {
			if alg != jose.RS256 {
				m.IDTokenSignedResponseAlg = string(alg)
			}
			m.BackchannelLogoutSessionRequired = client == "es"
		})
		w.grant(t, client, "s1", noon)
		w.end(t, backchannel.Ended{ClientID: client})
		if n, _ := w.work(t, client); n.State != backchannel.Delivered || n.Tries != 1 || *n.Status != http.StatusOK {
			t.Errorf("%s: the notice is %+v", client, n)
		}
		raw := w.told.of(client)[0]
		verified, err := w.verifier(t, client, alg).VerifyLogout(t.Context(), raw)
		if err != nil {
			t.Fatalf("%s: %v", client, err)
		}
		if verified.Subject != sub || verified.SessionID != "s1" || verified.Expiry.Sub(verified.IssuedAt) > 2*time.Minute || !verified.IssuedAt.Equal(noon) {
			t.Errorf("%s: got %+v", client, verified)
		}
		var claims map[string]json.RawMessage
		if err := verified.Claims(&claims); err != nil {
			t.Fatal(err)
		}
		if events := string(claims["events"]); events != `{"http://schemas.openid.net/event/backchannel-logout":{}}` || len(claims) != 8 || claims["nonce"] != nil {
			t.Errorf("%s: got %s, %v", client, events, claims)
		}
		parsed := must[*jose.JSONWebSignature](t)(jose.ParseSignedCompact(raw, keys.Algorithms))
		if typ := parsed.Signatures[0].Protected.ExtraHeaders[jose.HeaderType]; typ != "logout+jwt" {
			t.Errorf("%s: typ is %v", client, typ)
		}
	}
	for _, form := range w.told.forms {
		if form != "POST application/x-www-form-urlencoded logout_token" {
			t.Errorf("posted %s", form)
		}
	}
}

// Who took part in a session is told when it ends, once, however short what it was given; and nobody else (§2.3).
func TestWhoTookPartIsToldOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		over backchannel.Ended
		want []string
	}{
		"one session":     {backchannel.Ended{SID: "s1"}, []string{"portal s1", "tax s1"}},
		"every session":   {backchannel.Ended{}, []string{"portal s1", "portal s2", "tax s1"}},
		"at one client":   {backchannel.Ended{ClientID: "tax"}, []string{"tax s1"}},
		"another session": {backchannel.Ended{SID: "s3"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.client(t, "portal", nil)
			w.client(t, "tax", nil)
			w.client(t, "deaf", func(m *clients.Metadata) { m.BackchannelLogoutURI = "" })
			w.client(t, "removed", nil)
			w.grant(t, "portal", "s0", noon.Add(-40*24*time.Hour)) // nobody relies on that any more
			for _, client := range []string{"portal", "portal", "tax", "deaf", "removed"} {
				w.grant(t, client, "s1", noon)
			}
			w.grant(t, "portal", "s2", noon)
			w.exec(t, `UPDATE client_grant SET ended_at = given_at, ended_why = 'revoked' WHERE client_id = 'tax'`)
			if err := w.registry.Remove(t.Context(), "removed", clients.Any, clients.By{At: noon}); err != nil {
				t.Fatal(err)
			}
			w.now = noon.Add(11 * time.Hour) // all that was given is long over
			for range 2 {
				w.end(t, test.over)
				if got := w.queued(t); !slices.Equal(got, test.want) {
					t.Errorf("told: %q, want %q", got, test.want)
				}
			}
		})
	}
}

// A client that has somebody signed in anew after it was told is told again.
func TestALaterGrantIsToldOfAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client(t, "portal", nil)
	w.grant(t, "portal", "s1", noon)
	w.end(t, backchannel.Ended{})
	w.now = noon.Add(time.Minute)
	w.grant(t, "portal", "s1", w.now)
	w.now = noon.Add(2 * time.Minute)
	w.end(t, backchannel.Ended{})
	if got := w.queued(t); len(got) != 2 {
		t.Errorf("told: %q", got)
	}
}

// 200 and 204 say that the session is over; by anything else, 400 too, a client may say that its own sign-out failed (§2.8). No answer
// leads elsewhere.
func TestWhatClientsAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for status, want := range map[int]backchannel.State{
		200: backchannel.Delivered, 204: backchannel.Delivered, 202: backchannel.Queued, 302: backchannel.Queued, 400: backchannel.Queued,
		401: backchannel.Queued, 404: backchannel.Queued, 429: backchannel.Queued, 500: backchannel.Queued, 503: backchannel.Queued,
	} {
		client := "answers-" + strconv.Itoa(status)
		w.client(t, client, nil)
		w.grant(t, client, "s1", noon)
		w.end(t, backchannel.Ended{ClientID: client})
		w.told.answer = func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Location", w.server.URL+"/elsewhere")
			rw.WriteHeader(status)
		}
		n, pause := w.work(t, client)
		if n.State != want || n.Tries != 1 || n.Status == nil || *n.Status != status || !n.TriedAt.Equal(noon) || (pause > 0) != (want == backchannel.Queued) {
			t.Errorf("%d: the notice is %+v, to be tried in %v", status, n, pause)
		}
	}
	if len(w.told.of("elsewhere")) != 0 {
		t.Error("a redirect was followed")
	}
	w.client(t, "gone", func(m *clients.Metadata) { m.BackchannelLogoutURI = "http://127.0.0.1:1/" })
	w.grant(t, "gone", "s1", noon)
	w.end(t, backchannel.Ended{ClientID: "gone"})
	if n, pause := w.work(t, "gone"); n.State != backchannel.Queued || n.Tries != 1 || n.Status != nil || pause == 0 {
		t.Errorf("nobody there: the notice is %+v, to be tried in %v", n, pause)
	}
}

// A client that is down is told when it is back, with a token of that moment; one that stays down for a day is given up, and that is seen.
func TestAClientThatIsDownIsTriedForADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client(t, "portal", nil)
	w.grant(t, "portal", "s1", noon)
	w.end(t, backchannel.Ended{})
	w.told.answer = func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusBadGateway) }
	n, pause := w.work(t, "portal")
	for last := time.Duration(0); n.State == backchannel.Queued; last = pause {
		if pause < last || pause > time.Hour {
			t.Fatalf("tried again after %v, having waited %v", pause, last)
		}
		w.now = w.now.Add(pause)
		n, pause = w.work(t, "portal")
	}
	if lasted := w.now.Sub(noon); n.State != backchannel.Failed || lasted < 23*time.Hour || lasted > 24*time.Hour || n.Tries < 20 || n.Tries > 40 {
		t.Errorf("after %v the notice is %+v", lasted, n)
	}
	tokens := w.told.of("portal")
	if slices.Sort(tokens); len(slices.Compact(tokens)) != n.Tries {
		t.Error("a token was sent twice")
	}
	for state, want := range map[string]int{"queued": n.Tries - 1, "failed": 1} {
		if got := w.counted(t, state); got != want {
			t.Errorf("counted as %s: %d, want %d", state, got, want)
		}
	}
	if w.work(t, "portal"); len(w.told.of("portal")) != n.Tries {
		t.Error("tried after it was given up")
	}
}

func (w *world) counted(t *testing.T, state string) int {
	t.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "idp_logout_notices_total" && m.GetLabel()[0].GetValue() == state {
				return int(m.GetCounter().GetValue())
			}
		}
	}
	return 0
}

// A client that was taken out of use, or wants to be told no more, is told no more.
func TestWhoIsGoneIsNotTold(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*testing.T, *world) error{
		"removed": func(t *testing.T, w *world) error {
			return w.registry.Remove(t.Context(), "portal", clients.Any, clients.By{At: noon})
		},
		"changed": func(t *testing.T, w *world) error {
			_, _, err := w.registry.Replace(t.Context(), "portal", clients.Any, clients.Metadata{RedirectURIs: []string{"https://portal.example/cb"}}, clients.By{At: noon})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.client(t, "portal", nil)
			w.grant(t, "portal", "s1", noon)
			w.end(t, backchannel.Ended{})
			if err := change(t, w); err != nil {
				t.Fatal(err)
			}
			if n, _ := w.work(t, "portal"); n.State != backchannel.Failed || n.Tries != 0 || len(w.told.of("portal")) != 0 {
				t.Errorf("the notice is %+v", n)
			}
		})
	}
}

// A client that is disabled may have somebody signed in yet, and is told.
func TestADisabledClientIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client(t, "portal", nil)
	w.grant(t, "portal", "s1", noon)
	if _, err := w.registry.Disable(t.Context(), "portal", clients.Any, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
	w.end(t, backchannel.Ended{})
	if n, _ := w.work(t, "portal"); n.State != backchannel.Delivered {
		t.Errorf("the notice is %+v", n)
	}
}

// A client that never answers holds up its own notices and nobody else's: it is called by a few at once, and the others are told meanwhile.
func TestADeadClientHoldsUpNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client(t, "dead", nil)
	w.client(t, "portal", nil)
	for i := range 100 {
		w.grant(t, "dead", strconv.Itoa(i), noon)
	}
	w.end(t, backchannel.Ended{})
	w.grant(t, "portal", "s1", noon.Add(time.Second))
	w.now = noon.Add(time.Minute)
	w.end(t, backchannel.Ended{})
	arrived := make(chan struct{})
	w.told.answer = func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/portal" {
			close(arrived)
			return
		}
		<-r.Context().Done()
	}
	w.start(t)
	select {
	case <-arrived:
	case <-time.After(20 * time.Second):
		t.Fatal("the healthy client was not told")
	}
	if n := len(w.told.of("dead")); n > 2*4 { // those under way, and those of a time-out before
		t.Errorf("the dead client was called %d times meanwhile", n)
	}
}

// What was queued by a program that died before it could tell anybody is told by the next.
func TestANoticeOutlivesACrash(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client(t, "portal", nil)
	w.grant(t, "portal", "s1", noon)
	w.end(t, backchannel.Ended{}) // committed, and done with by nobody
	arrived := make(chan struct{})
	w.told.answer = func(http.ResponseWriter, *http.Request) { close(arrived) }
	w.start(t)
	select {
	case <-arrived:
	case <-time.After(20 * time.Second):
		t.Fatal("not told")
	}
}

// Operators see a client's notices page by page, and none for longer than they are kept.
func TestNoticesAreListedAndWiped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client(t, "portal", nil)
	w.client(t, "tax", nil)
	for i, sid := range []string{"s1", "s2", "s3"} {
		w.now = noon.Add(time.Duration(i) * time.Hour)
		w.grant(t, "portal", sid, w.now)
		w.grant(t, "tax", sid, w.now)
		w.end(t, backchannel.Ended{})
	}
	var got []string
	for after := int64(0); ; {
		page := must[[]backchannel.Notice](t)(w.notices.List(t.Context(), "portal", after, 2))
		if len(page) == 0 {
			break
		}
		for _, n := range page {
			got, after = append(got, n.SID), n.ID
		}
	}
	if want := []string{"s3", "s2", "s1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	w.now = noon.Add(30*24*time.Hour + 90*time.Minute)
	if err := w.notices.Wipe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := w.queued(t), []string{"portal s3", "tax s3"}; !slices.Equal(got, want) {
		t.Errorf("kept: %q, want %q", got, want)
	}
}

// A notice that never had its turn, because its client was busy with others, comes to an end all the same.
func TestANoticeWithoutATurnEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client(t, "busy", nil)
	w.grant(t, "busy", "s", noon)
	w.end(t, backchannel.Ended{SID: "s"})
	w.now = noon.Add(25 * time.Hour)
	if n, pause := w.work(t, "busy"); n.State != backchannel.Failed || pause != 0 {
		t.Errorf("a day later it is %s, to be tried after %v", n.State, pause)
	}
}
