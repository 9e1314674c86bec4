package provider_test

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// at gives a client of HTTP that calls from another address of this machine.
func at(t *testing.T, address string) *http.Client {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, to)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// guess has somebody go wrong as often as one may before it is too often, all at once.
func (w *world) guess(by *http.Client, request func() *http.Request, code string) {
	w.t.Helper()
	var (
		all   sync.WaitGroup
		wrong atomic.Int64
	)
	for range 100 {
		all.Go(func() {
			if got := w.doBy(by, request()); got.status == http.StatusUnauthorized && got.text("error") == code {
				wrong.Add(1)
			}
		})
	}
	all.Wait()
	if got := wrong.Load(); got != 100 {
		w.t.Errorf("%d of 100 heard that they were wrong", got)
	}
}

// tooMany holds that an answer is that of RFC 6585 §4.
func (a answer) tooMany(t *testing.T, what string) {
	t.Helper()
	if a.status != http.StatusTooManyRequests || a.text("error") != "temporarily_unavailable" || a.header.Get("Retry-After") != "1" ||
		a.header.Get("Cache-Control") != "no-store" || a.header.Get("WWW-Authenticate") != "" {
		t.Errorf("%s: got %d %v, Retry-After %q", what, a.status, a.body, a.header.Get("Retry-After"))
	}
}

// Whoever guesses at a client's secret is slowed where he guesses, at every endpoint and by the right secret too (RFC 6749 §2.3.1); the
// client elsewhere is not, nor are others where he is. Whether there is such a client makes no difference.
func TestAGuesserOfSecretsIsSlowedAndNobodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	there := at(t, "127.0.0.2")
	values := url.Values{"grant_type": {"client_credentials"}, "token": {"x"}}
	wrong := func(id, path string) *http.Request {
		r := w.request(path, values)
		r.SetBasicAuth(id, "wrong")
		return r
	}
	for _, id := range []string{"cabinet", "nobody"} {
		w.guess(there, func() *http.Request { return wrong(id, "/token") }, "invalid_client")
		for _, path := range []string{"/token", "/par", "/introspect", "/revoke", "/device_authorization"} {
			w.doBy(there, wrong(id, path)).tooMany(t, id+" at "+path)
		}
	}
	w.doBy(there, w.from("cabinet", "/token", values)).tooMany(t, "the right secret where it is guessed at")
	w.doBy(there, w.from("signer", "/token", values)).check(t, http.StatusOK, "")
	w.call("/token", "cabinet", values).check(t, http.StatusOK, "")

	w.pass(time.Second)
	for range 2 {
		w.doBy(there, w.from("cabinet", "/token", values)).check(t, http.StatusOK, "") // who is right uses nothing up
	}
	w.doBy(there, wrong("cabinet", "/token")).check(t, http.StatusUnauthorized, "invalid_client")
	w.doBy(there, wrong("cabinet", "/token")).tooMany(t, "the second guess in a second")
}

// What people come with late is not held against those who share their address; and what was made up is not looked for.
func TestStaleTokensSlowNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := w.browser().code("app", "scope", "openid offline_access")
	w.trips.Take()
	w.hook.take()
	for range 110 {
		w.refresh("app", "made-up").check(t, http.StatusBadRequest, "invalid_grant")
		w.redeem("app", "made-up").check(t, http.StatusBadRequest, "invalid_grant")
	}
	if sql, redis := w.trips.Take(), w.hook.take(); sql != 0 || redis != 0 {
		t.Errorf("made-up tokens cost %d trips to PostgreSQL and %d to Redis", sql, redis)
	}
	w.redeem("app", code).check(t, http.StatusOK, "")
}

// Forged tokens of registration cost no more than so many readings (RFC 7591 §5), and hold nobody up elsewhere.
func TestAForgerOfRegistrationTokensIsSlowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	initial, body := w.initial("openid", 2), `{"redirect_uris":["https://portal.example/cb"]}`
	made := w.json(http.MethodPost, w.issuer+"/register", initial, body)
	there, uri := at(t, "127.0.0.2"), made.text("registration_client_uri")
	for method, address := range map[string]string{http.MethodPost: w.issuer + "/register", http.MethodGet: uri} {
		w.guess(there, func() *http.Request { return w.jsonOf(method, address, "forged", body) }, "invalid_token")
		w.trips.Take()
		w.doBy(there, w.jsonOf(method, address, "forged", body)).tooMany(t, method)
		if got := w.trips.Take(); got != 0 {
			t.Errorf("%s: %d trips to PostgreSQL", method, got)
		}
	}
	if got := w.json(http.MethodPost, w.issuer+"/register", initial, body); got.status != http.StatusCreated {
		t.Errorf("elsewhere: got %d %v", got.status, got.body)
	}
	w.json(http.MethodGet, uri, made.text("registration_access_token"), "").check(t, http.StatusOK, "")
}
