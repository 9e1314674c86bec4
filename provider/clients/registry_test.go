package clients_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/migrations/pgtest"
	"asoba.example/provider/clients"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A node is one of several that share a database.
type node struct {
	*clients.Registry
	mu  sync.Mutex
	now time.Time
}

func (n *node) pass(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = n.now.Add(d)
}

func (n *node) clock() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

func newNode(t *testing.T, pool *pgxpool.Pool) *node {
	t.Helper()
	n := &node{now: noon}
	registry, err := clients.New(t.Context(), clients.Config{Pool: pool, Key: make([]byte, 32), Now: n.clock})
	if err != nil {
		t.Fatal(err)
	}
	n.Registry = registry
	return n
}

func newRegistry(t *testing.T) (*node, *pgxpool.Pool) {
	t.Helper()
	pool := pgtest.New(t)
	return newNode(t, pool), pool
}

const portal = `{"redirect_uris":["https://portal.example/cb"]}`

func metadata(t *testing.T, text string) (m clients.Metadata) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

var by = clients.By{ClientID: "operator", At: noon}

func register(t *testing.T, n *node, text string) (*clients.Client, string) {
	t.Helper()
	c, secret, err := n.Register(t.Context(), "", metadata(t, text), by)
	if err != nil {
		t.Fatal(err)
	}
	return c, secret
}

// What one node changes the others know: a new client at once, a change with the next refresh.
func TestNodesFollowEachOther(t *testing.T) {
	t.Parallel()
	one, pool := newRegistry(t)
	other := newNode(t, pool)
	c, secret := register(t, one, portal)
	find := func(want error) *clients.Client {
		t.Helper()
		found, err := other.Find(t.Context(), c.ID)
		if !errors.Is(err, want) {
			t.Fatalf("got %v, want %v", err, want)
		}
		return found
	}
	if found := find(nil); !found.HasSecret(secret) || !slices.Equal(found.Metadata.RedirectURIs, c.Metadata.RedirectURIs) {
		t.Errorf("got %+v", found.Metadata)
	}
	if _, _, err := one.Replace(t.Context(), c.ID, metadata(t, `{"redirect_uris":["https://new.example/cb"]}`), by); err != nil {
		t.Fatal(err)
	}
	if err := other.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found := find(nil); !found.RedirectsTo("https://new.example/cb") || !found.HasSecret(secret) {
		t.Errorf("got %+v", found.Metadata)
	}
	if err := one.Remove(t.Context(), c.ID, by); err != nil {
		t.Fatal(err)
	}
	if err := other.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	find(clients.ErrUnknown)
	if _, err := one.Find(t.Context(), c.ID); !errors.Is(err, clients.ErrUnknown) {
		t.Errorf("its own node: %v", err)
	}
	for name, act := range map[string]func() error{
		"replace": func() error { _, _, err := one.Replace(t.Context(), c.ID, c.Metadata, by); return err },
		"remove":  func() error { return one.Remove(t.Context(), c.ID, by) },
		"find":    func() error { _, err := newNode(t, pool).Find(t.Context(), c.ID); return err },
	} {
		if err := act(); !errors.Is(err, clients.ErrUnknown) {
			t.Errorf("%s after the removal: %v", name, err)
		}
	}
	if _, _, err := one.Register(t.Context(), c.ID, c.Metadata, by); !errors.Is(err, clients.ErrTaken) {
		t.Errorf("its id is given again: %v", err)
	}
}

// Strangers cannot make us read the database for every id that comes to their minds.
func TestUnknownClientsCostLittle(t *testing.T) {
	t.Parallel()
	pool, trips := pgtest.Counting(t)
	n := newNode(t, pool)
	n.pass(time.Minute)
	trips.Take()
	var asking sync.WaitGroup
	for i := range 100 {
		asking.Go(func() {
			if _, err := n.Find(t.Context(), fmt.Sprint("stranger-", i)); !errors.Is(err, clients.ErrUnknown) {
				t.Errorf("got %v", err)
			}
		})
	}
	asking.Wait()
	if got := trips.Take(); got < 1 || got > 5 { // one, and one more for each who came a little late
		t.Errorf("%d round trips", got)
	}
}

// A secret is told once, kept as a digest, and is nobody else's; a client without one has none.
func TestASecretIsTheClientsAlone(t *testing.T) {
	t.Parallel()
	n, pool := newRegistry(t)
	one, secret := register(t, n, portal)
	other, others := register(t, n, portal)
	public, none := register(t, n, `{"redirect_uris":["https://portal.example/cb"],"token_endpoint_auth_method":"none"}`)
	if !strings.HasPrefix(secret, "idp_secret_") || len(secret) < 50 || secret == others || none != "" {
		t.Errorf("secrets %q, %q, %q", secret, others, none)
	}
	if !one.HasSecret(secret) || one.HasSecret(others) || other.HasSecret(secret) || one.HasSecret("") || one.HasSecret(secret[1:]) {
		t.Error("secrets are mixed up")
	}
	if public.HasSecret("") || public.HasSecret(secret) {
		t.Error("a client without a secret has one")
	}
	var readable int
	const find = `SELECT count(*) FROM client WHERE position(convert_to($1, 'UTF8') IN secret_hash) > 0 OR metadata::text LIKE '%' || $1 || '%'`
	if err := pool.QueryRow(t.Context(), find, secret).Scan(&readable); err != nil || readable != 0 {
		t.Errorf("the secret can be read in %d rows, %v", readable, err)
	}
	if got := fmt.Sprintf("%+v", one); got != "client "+one.ID {
		t.Errorf("prints %s", got)
	}

	// A change keeps the secret where one is used, and gives one where one is now needed.
	if _, told, err := n.Replace(t.Context(), one.ID, one.Metadata, by); err != nil || told != "" {
		t.Errorf("told %q, %v", told, err)
	}
	public, told, err := n.Replace(t.Context(), public.ID, metadata(t, portal), by)
	if err != nil || !public.HasSecret(told) {
		t.Errorf("told %q, %v", told, err)
	}
	one, _, err = n.Replace(t.Context(), one.ID, metadata(t, `{"redirect_uris":["https://portal.example/cb"],"token_endpoint_auth_method":"none"}`), by)
	if err != nil || one.HasSecret(secret) {
		t.Errorf("a secret outlives its use, %v", err)
	}
}

// A client is never changed without a record of it.
func TestAChangeWithoutItsRecordHasNotHappened(t *testing.T) {
	t.Parallel()
	n, pool := newRegistry(t)
	c, _ := register(t, n, portal)
	state := func() (s string) {
		t.Helper()
		const find = `SELECT string_agg(client_id || metadata::text || (removed_at IS NULL), ' ' ORDER BY client_id) FROM client`
		if err := pool.QueryRow(t.Context(), find).Scan(&s); err != nil {
			t.Fatal(err)
		}
		all, err := n.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			s += " " + c.ID + c.Metadata.Scope
		}
		return s
	}
	changed := c.Metadata
	changed.Scope = "openid profile"
	for name, act := range map[string]func() error{
		"register": func() error { _, _, err := n.Register(t.Context(), "", c.Metadata, by); return err },
		"replace":  func() error { _, _, err := n.Replace(t.Context(), c.ID, changed, by); return err },
		"remove":   func() error { return n.Remove(t.Context(), c.ID, by) },
	} {
		before := state()
		heal := pgtest.FailOn(t, pool, "INSERT", "event")
		if act() == nil {
			t.Errorf("%s succeeded over a broken table", name)
		}
		heal()
		if after := state(); after != before {
			t.Errorf("%s: got %s, want %s", name, after, before)
		}
	}
	if err := n.Remove(t.Context(), c.ID, by); err != nil {
		t.Fatal(err)
	}
	const recorded = `SELECT count(*) FROM event WHERE client_id = $1 AND detail = '{"by": "operator"}' AND kind IN ('client.registered', 'client.removed')`
	var events int
	if err := pool.QueryRow(t.Context(), recorded, c.ID).Scan(&events); err != nil || events != 2 {
		t.Errorf("%d events, %v", events, err)
	}
}
