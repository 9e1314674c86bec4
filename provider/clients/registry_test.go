package clients_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/migrations/pgtest"
	"asoba.example/provider/clients"
	"asoba.example/provider/fetch"
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
	registry, err := clients.New(t.Context(), clients.Config{Pool: pool, Back: pool, Key: make([]byte, 32), Caller: fetch.New(fetch.Config{AllowLoopback: true}), Sectors: fetch.New(fetch.Config{AllowLoopback: true}), Now: n.clock})
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
	if found := find(nil); !found.HasSecret(secret, noon) || !slices.Equal(found.Metadata.RedirectURIs, c.Metadata.RedirectURIs) {
		t.Errorf("got %+v", found.Metadata)
	}
	if _, _, err := one.Replace(t.Context(), c.ID, clients.Any, metadata(t, `{"redirect_uris":["https://new.example/cb"]}`), by); err != nil {
		t.Fatal(err)
	}
	if err := other.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found := find(nil); !found.RedirectsTo("https://new.example/cb") || !found.HasSecret(secret, noon) {
		t.Errorf("got %+v", found.Metadata)
	}
	if err := one.Remove(t.Context(), c.ID, clients.Any, by); err != nil {
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
		"replace": func() error { _, _, err := one.Replace(t.Context(), c.ID, clients.Any, c.Metadata, by); return err },
		"remove":  func() error { return one.Remove(t.Context(), c.ID, clients.Any, by) },
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
	if !one.HasSecret(secret, noon) || one.HasSecret(others, noon) || other.HasSecret(secret, noon) || one.HasSecret("", noon) || one.HasSecret(secret[1:], noon) {
		t.Error("secrets are mixed up")
	}
	if public.HasSecret("", noon) || public.HasSecret(secret, noon) {
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
	if _, told, err := n.Replace(t.Context(), one.ID, clients.Any, one.Metadata, by); err != nil || told != "" {
		t.Errorf("told %q, %v", told, err)
	}
	public, told, err := n.Replace(t.Context(), public.ID, clients.Any, metadata(t, portal), by)
	if err != nil || !public.HasSecret(told, noon) {
		t.Errorf("told %q, %v", told, err)
	}
	one, _, err = n.Replace(t.Context(), one.ID, clients.Any, metadata(t, `{"redirect_uris":["https://portal.example/cb"],"token_endpoint_auth_method":"none"}`), by)
	if err != nil || one.HasSecret(secret, noon) {
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
		const find = `SELECT string_agg(concat_ws(' ', client_id, version, secret_hash, metadata, disabled_at, removed_at), ' ' ORDER BY client_id) FROM client`
		if err := pool.QueryRow(t.Context(), find).Scan(&s); err != nil {
			t.Fatal(err)
		}
		all, err := n.List(t.Context(), "", 100)
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
		"replace":  func() error { _, _, err := n.Replace(t.Context(), c.ID, clients.Any, changed, by); return err },
		"rotate":   func() error { _, _, err := n.Rotate(t.Context(), c.ID, clients.Any, 0, by); return err },
		"disable":  func() error { _, err := n.Disable(t.Context(), c.ID, clients.Any, by); return err },
		"remove":   func() error { return n.Remove(t.Context(), c.ID, clients.Any, by) },
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
	if err := n.Remove(t.Context(), c.ID, clients.Any, by); err != nil {
		t.Fatal(err)
	}
	const recorded = `SELECT count(*) FROM event WHERE client_id = $1 AND detail ->> 'by' = 'operator' AND kind IN ('client.registered', 'client.removed')`
	var events int
	if err := pool.QueryRow(t.Context(), recorded, c.ID).Scan(&events); err != nil || events != 2 {
		t.Errorf("%d events, %v", events, err)
	}
}

// Of many who change the same version of a client at once, at whatever node, one does; the others hear that it has changed.
func TestNobodysChangeIsLost(t *testing.T) {
	t.Parallel()
	one, pool := newRegistry(t)
	nodes := []*node{one, newNode(t, pool)}
	c, _ := register(t, one, portal)
	var (
		changing sync.WaitGroup
		done     atomic.Int32
	)
	for i := range 20 {
		changing.Go(func() {
			m := metadata(t, fmt.Sprintf(`{"redirect_uris":["https://portal.example/%d"]}`, i))
			switch _, _, err := nodes[i%2].Replace(t.Context(), c.ID, c.Version, m, by); {
			case err == nil:
				done.Add(1)
			case !errors.Is(err, clients.ErrStale):
				t.Errorf("got %v", err)
			}
		})
	}
	changing.Wait()
	if got := done.Load(); got != 1 {
		t.Errorf("%d changes of one version", got)
	}
	for i, n := range nodes {
		if err := n.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c, err := n.Find(t.Context(), c.ID); err != nil || c.Version != 2 {
			t.Errorf("node %d has version %d, %v", i, c.Version, err)
		}
	}
}

// After a rotation the secret before is good for the overlap, at every node, and not a moment longer; the one before that is over.
func TestARotatedSecretOverlaps(t *testing.T) {
	t.Parallel()
	one, pool := newRegistry(t)
	other := newNode(t, pool)
	c, first := register(t, one, portal)
	rotate := func(overlap time.Duration) string {
		t.Helper()
		_, secret, err := one.Rotate(t.Context(), c.ID, clients.Any, overlap, by)
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	good := func(at time.Time, secrets ...string) (all string) {
		t.Helper()
		if err := other.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, n := range []*node{one, other} {
			c, err := n.Find(t.Context(), c.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range secrets {
				all += fmt.Sprint(c.HasSecret(s, at), " ")
			}
		}
		return all
	}
	second := rotate(time.Hour)
	if got, want := good(noon.Add(time.Hour-1), first, second), "true true true true "; got != want {
		t.Errorf("during the overlap: got %s", got)
	}
	if got, want := good(noon.Add(time.Hour), first, second), "false true false true "; got != want {
		t.Errorf("after the overlap: got %s", got)
	}
	third := rotate(time.Hour)
	if got, want := good(noon, first, second, third), "false true true false true true "; got != want {
		t.Errorf("after another rotation: got %s", got)
	}
	fourth := rotate(0)
	if got, want := good(noon, third, fourth), "false true false true "; got != want {
		t.Errorf("without an overlap: got %s", got)
	}
	public, _ := register(t, one, `{"redirect_uris":["https://portal.example/cb"],"token_endpoint_auth_method":"none"}`)
	if _, _, err := one.Rotate(t.Context(), public.ID, clients.Any, 0, by); !errors.Is(err, clients.ErrNoSecret) {
		t.Errorf("a client without a secret: got %v", err)
	}
}

// A disabled client is nobody's client at any node, though all still know it, until it is enabled; what it had it has again.
func TestADisabledClientIsKeptOut(t *testing.T) {
	t.Parallel()
	one, pool := newRegistry(t)
	other := newNode(t, pool)
	c, secret := register(t, one, portal)
	follow := func(want error) {
		t.Helper()
		if err := other.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i, n := range []*node{one, other} {
			if _, err := n.Find(t.Context(), c.ID); !errors.Is(err, want) {
				t.Errorf("node %d: got %v, want %v", i, err, want)
			}
			if known, err := n.Look(t.Context(), c.ID); err != nil || !known.HasSecret(secret, noon) {
				t.Errorf("node %d does not know it: %v", i, err)
			}
		}
	}
	disabled, err := one.Disable(t.Context(), c.ID, clients.Any, by)
	if err != nil || disabled.DisabledAt == nil {
		t.Fatal(err)
	}
	follow(clients.ErrDisabled)
	if again, err := other.Disable(t.Context(), c.ID, clients.Any, by); err != nil || again.Version != disabled.Version {
		t.Errorf("disabled again: version %d, %v", again.Version, err)
	}
	if _, err := other.Enable(t.Context(), c.ID, disabled.Version-1, by); !errors.Is(err, clients.ErrStale) {
		t.Errorf("enabled by one who has not seen it disabled: %v", err)
	}
	if _, err := one.Enable(t.Context(), c.ID, disabled.Version, by); err != nil {
		t.Fatal(err)
	}
	follow(nil)
	const recorded = `SELECT string_agg(kind, ' ' ORDER BY id) FROM event WHERE client_id = $1`
	var kinds string
	if err := pool.QueryRow(t.Context(), recorded, c.ID).Scan(&kinds); err != nil || kinds != "client.registered client.disabled client.enabled" {
		t.Errorf("recorded %s, %v", kinds, err)
	}
}

// The record of a change tells the members that it changed, as they were and as they are, and no secret.
func TestAChangeIsRecordedMemberByMember(t *testing.T) {
	t.Parallel()
	n, pool := newRegistry(t)
	c, secret := register(t, n, `{"redirect_uris":["https://portal.example/cb"],"client_name":"Портал","scope":"openid"}`)
	if _, _, err := n.Replace(t.Context(), c.ID, c.Version, metadata(t, `{"redirect_uris":["https://portal.example/cb"],"scope":"openid phone"}`), by); err != nil {
		t.Fatal(err)
	}
	const last = `SELECT detail ->> 'before', detail ->> 'after' FROM event WHERE client_id = $1 ORDER BY id DESC LIMIT 1`
	var before, after string
	if err := pool.QueryRow(t.Context(), last, c.ID).Scan(&before, &after); err != nil {
		t.Fatal(err)
	}
	if before != `{"client_name":"Портал","scope":"openid"}` || after != `{"scope":"openid phone"}` {
		t.Errorf("from %s to %s", before, after)
	}
	const told = `SELECT count(*) FROM event WHERE detail::text LIKE '%' || $1 || '%'`
	var times int
	if err := pool.QueryRow(t.Context(), told, secret).Scan(&times); err != nil || times != 0 {
		t.Errorf("the secret is told %d times, %v", times, err)
	}
}

// A page of clients goes on after the one before, in the order of their ids.
func TestClientsAreListedByPages(t *testing.T) {
	t.Parallel()
	n, _ := newRegistry(t)
	for _, id := range []string{"b", "A", "c", "a"} {
		if _, _, err := n.Register(t.Context(), id, metadata(t, portal), by); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Remove(t.Context(), "b", clients.Any, by); err != nil {
		t.Fatal(err)
	}
	var listed []string
	for after := ""; ; {
		page, err := n.List(t.Context(), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, c := range page {
			listed = append(listed, c.ID)
		}
		after = listed[len(listed)-1]
	}
	if got, want := strings.Join(listed, " "), "A a c"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
