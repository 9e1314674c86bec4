package provider_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"asoba.example/provider/clients"
	"asoba.example/provider/keys"
)

func (w *world) introspect(client, token string) answer {
	w.t.Helper()
	return w.call("/introspect", client, url.Values{"token": {token}})
}

// Both well-known addresses tell the same, and everything they tell is so (OpenID Connect Discovery §3, RFC 8414 §2).
func TestDiscovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	read := func(path string) map[string]any {
		t.Helper()
		response, err := http.Get(w.issuer + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK || response.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: got %d, %v", path, response.StatusCode, response.Header)
		}
		var document map[string]any
		if err := json.Unmarshal(must(io.ReadAll(response.Body)), &document); err != nil {
			t.Fatal(err)
		}
		return document
	}
	document, other := read("/.well-known/openid-configuration"), read("/.well-known/oauth-authorization-server")
	if len(document) != len(other) || document["issuer"] != w.issuer {
		t.Errorf("got %v and %v", document, other)
	}
	// What integrators rely on changes on purpose only (go test -update).
	golden := filepath.Join("testdata", "discovery.json")
	text := append(must(json.MarshalIndent(document, "", "  ")), '\n')
	text = bytes.ReplaceAll(text, []byte(w.issuer), []byte("https://id.example"))
	text = bytes.ReplaceAll(text, []byte("https://"+w.mtls.Listener.Addr().String()), []byte("https://mtls.id.example"))
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(golden, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || !bytes.Equal(text, want) {
		t.Errorf("discovery is not as in %s: %v\n%s", golden, err, text)
	}
	for name, value := range document {
		if list, ok := value.([]any); ok && len(list) == 0 {
			t.Errorf("%s is empty", name)
		}
		if strings.HasSuffix(name, "_endpoint") || strings.HasSuffix(name, "_uri") {
			if r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, value.(string), nil)); w.status(r) == http.StatusNotFound {
				t.Errorf("%s leads to nothing", name)
			}
		}
	}
	set := read("/jwks")["keys"].([]any)
	seen := map[any]bool{}
	for _, k := range set {
		key := k.(map[string]any)
		if key["kid"] == "" || seen[key["kid"]] || key["d"] != nil || key["use"] != "sig" {
			t.Errorf("got the key %v", key)
		}
		seen[key["kid"]] = true
	}
}

func (w *world) status(r *http.Request) int {
	w.t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

// UserInfo tells what the scopes give and nothing else, by header or form, never by the query (OpenID Connect Core §5.3).
func TestUserInfo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	tokens := w.redeem("portal", b.code("portal", "scope", "openid phone"))
	access := tokens.text("access_token")
	got := w.userinfo(access)
	if len(got.body) != 3 || got.body["sub"] != identifier || got.body["phone_number_verified"] != true || got.body["phone_number"] == nil {
		t.Errorf("got %v", got.body)
	}
	if got.header.Get("Date") == "" || got.header.Get("Content-Type") != "application/json" { // RFC 9110 §6.6.1
		t.Errorf("got %v", got.header)
	}
	if got = w.call("/userinfo", "", url.Values{"access_token": {access}}); got.status != http.StatusOK {
		t.Errorf("by form: got %d %v", got.status, got.body)
	}
	both := w.request("/userinfo", url.Values{"access_token": {access}})
	both.Header.Set("Authorization", "Bearer "+access)
	w.do(both).check(t, http.StatusBadRequest, "invalid_request")
	two := w.request("/userinfo", nil)
	two.Header["Authorization"] = []string{"Bearer " + access, "Bearer " + access}
	if got = w.do(two); got.status != http.StatusUnauthorized {
		t.Errorf("by two headers: got %d %v", got.status, got.body)
	}
	inQuery := must(http.NewRequestWithContext(t.Context(), http.MethodGet, w.issuer+"/userinfo?access_token="+access, nil))
	w.do(inQuery).check(t, http.StatusBadRequest, "invalid_request")
	without := must(http.NewRequestWithContext(t.Context(), http.MethodGet, w.issuer+"/userinfo", nil))
	if got = w.do(without); got.status != http.StatusUnauthorized || got.header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("without a token: got %d %v", got.status, got.header)
	}
	for name, token := range map[string]string{
		"an ID token":           tokens.text("id_token"), // typ is what tells them apart (RFC 9068 §4)
		"garbage":               "x",
		"another's key":         access[:len(access)-3] + "AAA",
		"for the cabinet alone": w.redeem("portal", b.code("portal", "scope", "openid cabinet.profile.read", "resource", cabinet)).text("access_token"),
	} {
		if got := w.userinfo(token); got.status != http.StatusUnauthorized || !strings.Contains(got.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%s: got %d %v", name, got.status, got.body)
		}
	}
	w.userinfo(w.redeem("portal", b.code("portal", "scope", "phone")).text("access_token")).check(t, http.StatusForbidden, "insufficient_scope")
	w.pass(5*time.Minute + 11*time.Second)
	w.userinfo(access).check(t, http.StatusUnauthorized, "invalid_token")
}

// A resource server learns of the tokens that are meant for it; of all others, and all others of these, hear {"active":false} and no more.
func TestIntrospection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	tokens := w.redeem("portal", b.code("portal", "scope", "openid cabinet.profile.read offline_access"))
	own := w.redeem("portal", b.code("portal")).text("access_token")
	w.introspect("cabinet", tokens.text("access_token")) // the first makes the deny list anew
	w.hook.take()
	w.trips.Take()
	got := w.introspect("cabinet", tokens.text("access_token"))
	if n, psql := w.hook.take(), w.trips.Take(); n != 1 || psql != 0 {
		t.Errorf("%d trips to Redis, %d to PostgreSQL", n, psql)
	}
	if got.body["active"] != true || got.text("sub") != identifier || got.text("client_id") != "portal" || got.text("gid") == "" ||
		got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %v", got.body)
	}
	inactive := func(name string, got answer) {
		t.Helper()
		if got.status != http.StatusOK || len(got.body) != 1 || got.body["active"] != false {
			t.Errorf("%s: got %d %v", name, got.status, got.body)
		}
	}
	inactive("a token for another", w.introspect("cabinet", own))
	inactive("an ID token", w.introspect("cabinet", tokens.text("id_token")))
	inactive("a refresh token", w.introspect("cabinet", tokens.text("refresh_token")))
	inactive("garbage", w.introspect("cabinet", "x"))
	inactive("another resource server", w.introspect("signer", tokens.text("access_token")))
	inactive("the client itself", w.introspect("portal", tokens.text("access_token")))
	w.introspect("", tokens.text("access_token")).check(t, http.StatusUnauthorized, "invalid_client")
	w.introspect("app", tokens.text("access_token")).check(t, http.StatusUnauthorized, "invalid_client")
	bearer := w.request("/introspect", url.Values{"token": {own}})
	bearer.Header.Set("Authorization", "Bearer "+own) // fosite takes anybody's token for authentication
	w.do(bearer).check(t, http.StatusUnauthorized, "invalid_client")

	w.call("/revoke", "portal", url.Values{"token": {tokens.text("refresh_token")}})
	inactive("an ended grant's", w.introspect("cabinet", tokens.text("access_token")))
	w.hook.broken.Store(true)
	w.introspect("cabinet", tokens.text("access_token")).check(t, http.StatusServiceUnavailable, "temporarily_unavailable")
}

// A resource server that asks for a signed answer, now or by its registration, has one that says for whom it is, and cannot be taken for
// the token (RFC 9701 §4–5); an error, and what is nobody's business, it hears as others do.
func TestSignedIntrospection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const kind = "application/token-introspection+jwt"
	token := w.redeem("portal", w.browser().code("portal", "scope", "cabinet.profile.read")).text("access_token")
	ask := func(client, token string) answer {
		r := w.request("/introspect", url.Values{"token": {token}})
		r.Header.Set("Accept", "application/json;q=0.5, "+kind)
		r.SetBasicAuth(client, url.QueryEscape(w.secrets[client]))
		return w.do(r)
	}
	for name, row := range map[string]struct {
		got     answer
		by, alg string
		active  bool
	}{
		"by Accept":       {ask("cabinet", token), "cabinet", "RS256", true},
		"by registration": {w.introspect("verifying-cabinet", token), "verifying-cabinet", "ES256", true},
		"garbage":         {ask("cabinet", "x"), "cabinet", "RS256", false},
	} {
		signed := row.got.text(kind)
		if header, err := jose.ParseSignedCompact(signed, keys.Algorithms); err != nil || header.Signatures[0].Header.Algorithm != row.alg {
			t.Fatalf("%s: got %v, %v, not signed by %s", name, row.got.body, err, row.alg)
		}
		typ, claims := w.claims(signed)
		about, _ := claims["token_introspection"].(map[string]any)
		if typ != "token-introspection+jwt" || len(claims) != 4 || claims["iss"] != w.issuer || !reflect.DeepEqual(claims["aud"], []any{cabinet, row.by}) ||
			claims["iat"] != float64(w.now().Unix()) || row.got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: got %s %v", name, typ, claims)
		}
		if about["active"] != row.active || row.active != (about["sub"] == identifier) || row.active != (len(about) > 1) {
			t.Errorf("%s: got %v", name, about)
		}
		w.userinfo(signed).check(t, http.StatusUnauthorized, "invalid_token")
	}
	if got := ask("portal", token); got.body["active"] != false || len(got.body) != 1 {
		t.Errorf("no resource server: got %v", got.body)
	}
	ask("nobody", token).check(t, http.StatusUnauthorized, "invalid_client")
}

// A client ends its own tokens, and only these; 200 says that they are ended (RFC 7009 §2).
func TestRevocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	give := func() answer { return w.redeem("portal", b.code("portal", "scope", "openid offline_access")) }
	revoke := func(client, token string) answer {
		return w.call("/revoke", client, url.Values{"token": {token}, "token_type_hint": {"foo"}})
	}

	for _, kind := range []string{"refresh_token", "access_token"} {
		tokens := give()
		revoke("relaxed", tokens.text(kind)).check(t, http.StatusOK, "")
		w.userinfo(tokens.text("access_token")).check(t, http.StatusOK, "")
		w.trips.FailAt(1)
		revoke("portal", tokens.text(kind)).check(t, http.StatusServiceUnavailable, "temporarily_unavailable")
		w.trips.FailAt(0)
		w.userinfo(tokens.text("access_token")).check(t, http.StatusOK, "")
		for range 2 {
			revoke("portal", tokens.text(kind)).check(t, http.StatusOK, "")
		}
		w.userinfo(tokens.text("access_token")).check(t, http.StatusUnauthorized, "invalid_token")
		w.refresh("portal", tokens.text("refresh_token")).check(t, http.StatusBadRequest, "invalid_grant")
	}
	mine, others := w.offline("openid"), give() // a public client needs no more than its name (RFC 7009 §2.1)
	revoke("app", others.text("refresh_token")).check(t, http.StatusOK, "")
	w.userinfo(others.text("access_token")).check(t, http.StatusOK, "")
	revoke("app", mine.text("refresh_token")).check(t, http.StatusOK, "")
	w.userinfo(mine.text("access_token")).check(t, http.StatusUnauthorized, "invalid_token")
	revoke("portal", "x").check(t, http.StatusOK, "")
	revoke("", "x").check(t, http.StatusUnauthorized, "invalid_client")
	w.call("/revoke", "portal", url.Values{}).check(t, http.StatusBadRequest, "invalid_request")
	last := give().text("access_token")
	w.hook.broken.Store(true)
	revoke("portal", last).check(t, http.StatusServiceUnavailable, "temporarily_unavailable")
}

// Pages of other origins read the endpoints that know no cookies, and none of those that do.
func TestCORS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, open := range map[string]bool{
		"/token": true, "/userinfo": true, "/revoke": true, "/jwks": true, "/.well-known/openid-configuration": true,
		"/authorize": false, "/logout": false, "/introspect": false,
	} {
		r := must(http.NewRequestWithContext(t.Context(), http.MethodOptions, w.issuer+path, nil))
		r.Header.Set("Origin", "https://spa.example")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("Access-Control-Allow-Origin") == "*"; got != open {
			t.Errorf("%s: open to other origins: %v, want %v", path, got, open)
		}
	}
	post := w.request("/token", url.Values{"grant_type": {"client_credentials"}})
	post.Header.Set("Origin", "https://spa.example")
	if got := w.do(post); got.status == http.StatusForbidden || got.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("got %d", got.status)
	}
}

// Of a token that is over its own client, which it was also meant for, hears whether the sign-in is good that gave it; nobody else hears anything, nor is it
// told of others' (RFC 7662 §2.2), or in a signed answer (RFC 9701 §5).
func TestASignInOutlivesItsAccessToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own := clients.Metadata{
		RedirectURIs: []string{callback}, FirstParty: true, GrantTypes: []string{"authorization_code", "client_credentials"},
		Scope: "openid cabinet.profile.read changes:read", ResourceServer: cabinet,
	}
	w.add("own", own)
	own.IntrospectionSignedResponseAlg = "ES256"
	w.add("verifying", own)
	access := func(b *browser, client string) string {
		return w.redeem(client, b.code(client, "scope", "openid cabinet.profile.read")).text("access_token")
	}
	b, elsewhere := w.browser(), w.browser()
	token, theirs, foreign, verified := access(b, "own"), access(elsewhere, "own"), access(b, "portal"), access(b, "verifying")
	userinfo := w.redeem("own", b.code("own")).text("access_token")
	unnamed := w.call("/token", "own", url.Values{"grant_type": {"client_credentials"}, "resource": {management}}).text("access_token")
	if got := w.introspect("own", token); got.body["active"] != true || got.body["signed_in"] != nil {
		t.Errorf("a good one: %v", got.body)
	}
	w.pass(10 * time.Minute)
	hears := func(story, client, token, want string) {
		t.Helper()
		if got := w.introspect(client, token); got.status != http.StatusOK || fmt.Sprint(got.body) != want {
			t.Errorf("%s: got %d %v, want %s", story, got.status, got.body, want)
		}
	}
	const nothing, still, over = "map[active:false]", "map[active:false signed_in:true]", "map[active:false signed_in:false]"
	hears("its own", "own", token, still)
	hears("another server's", "cabinet", token, nothing)
	hears("another client's", "own", foreign, nothing)
	hears("meant for another", "own", userinfo, nothing)
	hears("of nobody's sign-in", "own", unnamed, nothing)
	_, claims := w.claims(w.introspect("verifying", verified).text("application/token-introspection+jwt"))
	if got := fmt.Sprint(claims["token_introspection"]); got != nothing {
		t.Errorf("signed: got %s", got)
	}

	_, _, body := b.get("/logout")
	b.post("/logout/decision", url.Values{"decision": {"logout"}, "interaction": {waiting(body)}})
	hears("signed out", "own", token, over)
	hears("signed out elsewhere", "own", theirs, still)
	if err := w.ring.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.pass(keys.Longest)
	rotate := func(to keys.Rotation) {
		t.Helper()
		to.Alg = jose.ES256
		if err := w.ring.Rotate(t.Context(), to); err != nil {
			t.Fatal(err)
		}
	}
	rotate(keys.Rotation{})
	w.pass(keys.Longest)
	hears("signed by a key that is published no more", "own", theirs, still)

	w.agree("own")
	hears("agreed to", "own", theirs, still)
	w.exec(`UPDATE agreement SET withdrawn_at = now() WHERE client_id = 'own'`)
	hears("the agreement was withdrawn", "own", theirs, over)
	w.exec(`UPDATE agreement SET withdrawn_at = NULL WHERE client_id = 'own'`)
	hears("and given", "own", theirs, still)
	w.exec(`UPDATE client_grant SET ended_at = now(), ended_why = 'reused' WHERE client_id = 'own'`)
	hears("what was granted was ended", "own", theirs, over)
	w.exec(`UPDATE client_grant SET ended_at = NULL, ended_why = NULL WHERE client_id = 'own'`)
	w.exec(`UPDATE identity SET state = 'blocked', block_reason = 'self' WHERE person_id = $1`, w.person)
	hears("the identifier is blocked", "own", theirs, over)
	w.exec(`UPDATE identity SET state = 'active', block_reason = NULL WHERE person_id = $1`, w.person)
	hears("and unblocked", "own", theirs, still)
	w.block()
	w.exec(`UPDATE identity SET state = 'active', block_reason = NULL WHERE person_id = $1`, w.person)
	hears("all sign-ins were ended", "own", theirs, over)
	w.hook.broken.Store(true)
	w.introspect("own", theirs).check(t, http.StatusServiceUnavailable, "temporarily_unavailable")
	w.hook.broken.Store(false)
	rotate(keys.Rotation{Compromised: true})
	hears("signed by a key that others may have", "own", theirs, nothing)
}
