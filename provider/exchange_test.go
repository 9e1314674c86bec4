package provider_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"asoba.example/provider/clients"
)

const (
	tokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
	ofAccess      = "urn:ietf:params:oauth:token-type:access_token"
)

// exchange exchanges a token, with changes to the request: a value "" takes a parameter out.
func (w *world) exchange(client, token, audience string, changes ...string) answer {
	w.t.Helper()
	v := url.Values{"grant_type": {tokenExchange}, "subject_token": {token}, "subject_token_type": {ofAccess}, "audience": {audience}}
	for i := 0; i < len(changes); i += 2 {
		if v.Set(changes[i], changes[i+1]); changes[i+1] == "" {
			v.Del(changes[i])
		}
	}
	return w.call("/token", client, v)
}

// shown gives an access token that the hub shows to resource servers.
func (w *world) shown(scope string) answer {
	w.t.Helper()
	return w.redeem("hub", w.browser().code("hub", "scope", scope))
}

// A resource server gets a token for another that is of the same person and the same grant, for no more than it may, and that says who acts
// (RFC 8693 §2.2.1, §4.1). It is recorded, and ends no later than what it was made from.
func TestATokenIsExchanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.shown("openid profile phone cabinet.profile.read changes:read").text("access_token")
	w.exchange("relay", token, w.issuer).check(t, http.StatusOK, "") // the first makes the deny list anew
	w.pass(time.Minute)
	w.hook.take()
	w.trips.Take()
	got := w.exchange("relay", token, w.issuer)
	if redis, psql := w.hook.take(), w.trips.Take(); redis != 1 || psql != 2 {
		t.Errorf("%d trips to Redis, %d to PostgreSQL", redis, psql)
	}
	if got.text("issued_token_type") != ofAccess || got.text("token_type") != "Bearer" || got.text("scope") != "openid phone" ||
		got.body["expires_in"] != 240.0 || got.body["refresh_token"] != nil || got.body["id_token"] != nil {
		t.Errorf("got %v", got.body)
	}
	_, old := w.claims(token)
	_, claims := w.claims(got.text("access_token"))
	act, _ := claims["act"].(map[string]any)
	if claims["sub"] != identifier || claims["client_id"] != "relay" || claims["gid"] != old["gid"] || claims["exp"] != old["exp"] ||
		claims["auth_time"] != old["auth_time"] || !slices.Equal(claims["aud"].([]any), []any{w.issuer}) || len(act) != 1 || act["sub"] != "relay" {
		t.Errorf("got %v", claims)
	}
	if info := w.userinfo(got.text("access_token")); len(info.body) != 3 || info.body["phone_number"] == nil {
		t.Errorf("UserInfo: got %v", info.body)
	}
	if n := w.count(`event WHERE kind = 'token.exchanged' AND client_id = 'relay' AND gid IS NOT NULL AND detail = '{"scope": "openid phone"}'`); n != 2 {
		t.Errorf("recorded %d times, want 2", n)
	}
	narrow := w.exchange("relay", token, "", "audience", "", "resource", w.issuer, "scope", "openid", "requested_token_type", ofAccess)
	if narrow.text("scope") != "openid" {
		t.Errorf("got %v", narrow.body)
	}
}

// Whoever acts for whoever acts is told, the last one first, and the chain has an end (RFC 8693 §4.1).
func TestActorsAreNested(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.exchange("relay", w.shown("cabinet.profile.read changes:read").text("access_token"), management).text("access_token")
	got := w.exchange("backend", first, cabinet)
	got.check(t, http.StatusOK, "")
	told := w.introspect("cabinet", got.text("access_token"))
	act, _ := told.body["act"].(map[string]any)
	before, _ := act["act"].(map[string]any)
	if told.text("client_id") != "backend" || act["sub"] != "backend" || before["sub"] != "relay" {
		t.Errorf("got %v", told.body)
	}
	third := w.exchange("relay", got.text("access_token"), management)
	third.check(t, http.StatusOK, "")
	w.exchange("backend", third.text("access_token"), cabinet).check(t, http.StatusBadRequest, "invalid_request")
}

// Nothing is exchanged but what the registration names, and for nobody but whom the token was meant for. A token that is not good is
// invalid_request, an audience that may not be asked for invalid_target (RFC 8693 §2.2.2).
func TestWhatIsNotExchanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tokens := w.shown("openid phone profile cabinet.profile.read offline_access")
	token := tokens.text("access_token")
	own := w.call("/token", "signer", url.Values{"grant_type": {"client_credentials"}}).text("access_token")
	for name, row := range map[string]struct {
		got  answer
		want string
	}{
		"garbage":                   {w.exchange("relay", "x", w.issuer), "invalid_request"},
		"an ID token":               {w.exchange("relay", tokens.text("id_token"), w.issuer), "invalid_request"},
		"a refresh token":           {w.exchange("relay", tokens.text("refresh_token"), w.issuer), "invalid_request"},
		"a token for another":       {w.exchange("backend", token, management), "invalid_request"},
		"a client's own":            {w.exchange("backend", own, management), "invalid_request"},
		"no token":                  {w.exchange("relay", "", w.issuer), "invalid_request"},
		"no type":                   {w.exchange("relay", token, w.issuer, "subject_token_type", ""), "invalid_request"},
		"another type":              {w.exchange("relay", token, w.issuer, "subject_token_type", "urn:ietf:params:oauth:token-type:jwt"), "invalid_request"},
		"for a refresh token":       {w.exchange("relay", token, w.issuer, "requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"), "invalid_request"},
		"somebody else who acts":    {w.exchange("relay", token, w.issuer, "actor_token", own), "invalid_request"},
		"no audience":               {w.exchange("relay", token, w.issuer, "audience", ""), "invalid_request"},
		"an audience of no policy":  {w.exchange("relay", token, cabinet), "invalid_target"},
		"two audiences":             {w.exchange("relay", token, w.issuer, "resource", management), "invalid_target"},
		"a scope of no policy":      {w.exchange("relay", token, w.issuer, "scope", "openid profile"), "invalid_scope"},
		"a scope that was not had":  {w.exchange("relay", token, management), "invalid_scope"},
		"a client without a policy": {w.exchange("portal", token, w.issuer), "unauthorized_client"},
		"a public client":           {w.exchange("app", token, w.issuer), "unauthorized_client"},
	} {
		if row.got.status != http.StatusBadRequest || row.got.text("error") != row.want {
			t.Errorf("%s: got %d %v, want %s", name, row.got.status, row.got.body, row.want)
		}
	}
	w.exchange("", token, w.issuer).check(t, http.StatusUnauthorized, "invalid_client")
	w.pass(5*time.Minute + time.Second) // within the skew that is forgiven to others' clocks
	w.exchange("relay", token, w.issuer).check(t, http.StatusBadRequest, "invalid_request")
	if n := w.count(`event WHERE kind = 'token.exchanged'`); n != 0 {
		t.Errorf("%d exchanges are recorded, of none", n)
	}
}

// What was exchanged ends with the grant, and nothing is exchanged any more.
func TestWhatWasExchangedEndsWithTheGrant(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world, shown answer){
		"revoked": func(w *world, shown answer) {
			w.call("/revoke", "hub", url.Values{"token": {shown.text("access_token")}}).check(w.t, http.StatusOK, "")
		},
		"blocked": func(w *world, _ answer) { w.block() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			shown := w.shown("openid cabinet.profile.read")
			exchanged := w.exchange("relay", shown.text("access_token"), w.issuer).text("access_token")
			w.userinfo(exchanged).check(t, http.StatusOK, "")
			end(w, shown)
			w.userinfo(exchanged).check(t, http.StatusUnauthorized, "invalid_token")
			w.exchange("relay", shown.text("access_token"), w.issuer).check(t, http.StatusBadRequest, "invalid_request")
			if n := w.count(`event WHERE kind = 'token.exchanged'`); n != 1 {
				t.Errorf("recorded %d times, want 1", n)
			}
		})
	}
}

// Who was given a token by exchange cannot end with it what another client was given (RFC 7009 §2.2.1).
func TestAnExchangedTokenRevokesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shown := w.shown("openid cabinet.profile.read")
	exchanged := w.exchange("relay", shown.text("access_token"), w.issuer).text("access_token")
	w.call("/revoke", "relay", url.Values{"token": {exchanged}}).check(t, http.StatusBadRequest, "unsupported_token_type")
	w.userinfo(shown.text("access_token")).check(t, http.StatusOK, "")
}

// Where a store fails nothing is exchanged, and nothing is recorded.
func TestNothingIsExchangedWithoutItsRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.shown("openid cabinet.profile.read").text("access_token")
	w.exchange("relay", token, w.issuer, "scope", "openid").check(t, http.StatusOK, "")
	for trip := range 2 {
		w.trips.FailAt(trip + 1)
		w.exchange("relay", token, w.issuer).check(t, http.StatusServiceUnavailable, "temporarily_unavailable")
		w.trips.FailAt(0)
	}
	w.hook.broken.Store(true)
	w.exchange("relay", token, w.issuer).check(t, http.StatusServiceUnavailable, "temporarily_unavailable")
	w.hook.broken.Store(false)
	if n := w.count(`event WHERE kind = 'token.exchanged'`); n != 1 {
		t.Errorf("recorded %d times, want 1", n)
	}
}

// What was exchanged is good nowhere while a client that it came through is out of use: whoever holds it, whoever passed it on, and
// whoever the person signed in at (RFC 7662 §2.2; RFC 6750 §3.1).
func TestWhatWasExchangedFollowsTheClientsItCameThrough(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shown := w.shown("openid cabinet.profile.read changes:read").text("access_token")
	once := w.exchange("relay", shown, w.issuer).text("access_token")
	twice := w.exchange("backend", w.exchange("relay", shown, management).text("access_token"), cabinet).text("access_token")
	for client, good := range map[string]struct{ once, twice bool }{
		"hub": {false, false}, "relay": {false, false}, "backend": {true, false}, "portal": {true, true},
	} {
		if _, err := w.registry.Disable(t.Context(), client, clients.Any, clients.By{At: w.now()}); err != nil {
			t.Fatal(err)
		}
		if got := w.userinfo(once).status == http.StatusOK; got != good.once {
			t.Errorf("%s is disabled: UserInfo takes what was exchanged once: got %v, want %v", client, got, good.once)
		}
		if got := w.introspect("cabinet", twice).body["active"]; got != good.twice {
			t.Errorf("%s is disabled: what was exchanged twice is active: got %v, want %v", client, got, good.twice)
		}
		if _, err := w.registry.Enable(t.Context(), client, clients.Any, clients.By{At: w.now()}); err != nil {
			t.Fatal(err)
		}
	}
}
