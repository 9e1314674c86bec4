package provider_test

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/migrations/pgtest"
	"asoba.example/provider"
	"asoba.example/provider/clients"
	"asoba.example/provider/keys"
)

// What tokens say: an ID token nothing that belongs to UserInfo, an access token what RFC 9068 asks and our grant.
func TestWhatTokensSay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.redeem("portal", w.browser().code("portal", "scope", "openid profile cabinet.profile.read offline_access"))
	if got.header.Get("Cache-Control") != "no-store" || got.text("token_type") != "Bearer" || got.body["expires_in"] != 300.0 {
		t.Errorf("got %v, %v", got.header, got.body)
	}
	typ, claims := w.claims(got.text("id_token"))
	if want := []string{"acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sid", "sub"}; typ != "JWT" ||
		!slices.Equal(slices.Sorted(maps.Keys(claims)), want) || claims["aud"] != "portal" || claims["nonce"] != "n-1" {
		t.Errorf("ID token: got %s %v", typ, claims)
	}
	typ, claims = w.claims(got.text("access_token"))
	want := []string{"acr", "amr", "aud", "auth_time", "client_id", "exp", "gid", "iat", "iss", "jti", "scope", "sid", "sub"}
	if typ != "at+jwt" || !slices.Equal(slices.Sorted(maps.Keys(claims)), want) || claims["sub"] != identifier {
		t.Errorf("access token: got %s %v", typ, claims)
	}
	if aud := claims["aud"].([]any); len(aud) != 2 || aud[0] != w.issuer || aud[1] != cabinet {
		t.Errorf("got audience %v, want the issuer and the cabinet", aud)
	}
	if typ, _ := w.claims(w.redeem("es", w.browser().code("es")).text("id_token")); typ != "JWT" {
		t.Error("no ID token of the algorithm that the client is registered with")
	}
}

// An ID token is of the algorithm that its client is registered with, RS256 by default, has a kid, and half of the access token's hash by the
// same (OpenID Connect Core §3.1.3.6, §10.1, §15.1).
func TestAnIDTokenIsOfItsClientsAlgorithm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	for alg, hash := range map[string]crypto.Hash{"": crypto.SHA256, "RS256": crypto.SHA256, "PS256": crypto.SHA256, "ES256": crypto.SHA256, "EdDSA": crypto.SHA512} {
		client := "of-" + cmp.Or(alg, "none")
		w.add(client, clients.Metadata{RedirectURIs: []string{callback}, Scope: "openid", FirstParty: true, IDTokenSignedResponseAlg: alg})
		got := w.redeem(client, b.code(client))
		parsed := must(jwt.ParseSigned(got.text("id_token"), keys.Algorithms))
		_, claims := w.claims(got.text("id_token"))
		sum := hash.New()
		sum.Write([]byte(got.text("access_token")))
		half := base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:hash.Size()/2])
		header := parsed.Headers[0]
		if header.Algorithm != cmp.Or(alg, "RS256") || header.KeyID == "" || claims["at_hash"] != half || claims["c_hash"] != nil || claims["s_hash"] != nil {
			t.Errorf("%s: got %v, %v, want at_hash %s", client, header, claims, half)
		}
	}
}

// How long something is good is settled when it is made: what the operator settles afterwards is for what is made then.
func TestHowLongSomethingIsGoodIsAskedWhenItIsMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	ask := []string{"scope", "openid offline_access"}
	code, pushed := b.code("portal", ask...), w.pushed("pushing")
	before := w.redeem("portal", b.code("portal", ask...))

	w.good = good{10 * time.Second, 20 * time.Second, 2 * time.Minute, 3 * time.Minute, 24 * time.Hour}
	shorter := b.code("portal", ask...)
	w.pass(9 * time.Second)
	after := w.redeem("portal", shorter)
	_, id := w.claims(after.text("id_token"))
	_, access := w.claims(after.text("access_token"))
	if after.body["expires_in"] != 120.0 || access["exp"] != float64(w.now().Add(2*time.Minute).Unix()) || id["exp"] != float64(w.now().Add(3*time.Minute).Unix()) {
		t.Errorf("got %v, %v, %v", after.body, access, id)
	}
	if got := w.push("pushing", params("pushing")); got.body["expires_in"] != 20.0 {
		t.Errorf("a pushed request: got %v", got.body)
	}
	overdue := b.code("portal", ask...)
	w.pass(11 * time.Second)
	w.redeem("portal", overdue).check(t, http.StatusBadRequest, "invalid_grant")
	if got := w.redeem("portal", code); got.status != http.StatusOK { // of before
		t.Errorf("a code of 30 s after 20: got %v", got.body)
	}
	if _, answer := b.authorizeBy(pushed); !answer.Has("code") {
		t.Errorf("a pushed request of 90 s after 20: got %v", answer)
	}
	w.pass(24 * time.Hour)
	w.refresh("portal", after.text("refresh_token")).check(t, http.StatusBadRequest, "invalid_grant")
	if got := w.refresh("portal", before.text("refresh_token")); got.status != http.StatusOK {
		t.Errorf("a refresh token of 30 days after one: got %v", got.body)
	}
}

// A code's access token may be aimed at some of what was granted, and at nothing else (RFC 8707 §2.2).
func TestACodeMayAimAtOneAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	for resource, want := range map[string]struct{ scope, code string }{
		w.issuer: {"openid", ""}, cabinet: {"openid cabinet.profile.read", ""}, management: {"", "invalid_target"},
	} {
		got := w.redeem("portal", b.code("portal", "scope", "openid cabinet.profile.read"), "resource", resource)
		if got.text("error") != want.code || got.text("scope") != want.scope {
			t.Errorf("%s: got %d %v", resource, got.status, got.body)
		}
		if want.code == "" {
			if _, claims := w.claims(got.text("access_token")); !slices.Equal(claims["aud"].([]any), []any{resource}) {
				t.Errorf("%s: for %v", resource, claims["aud"])
			}
		}
	}
}

// Of fifty who redeem a code at once exactly one has it, and since somebody has shown it twice, what it gave is over.
func TestACodeIsGoodOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := w.browser().code("portal", "scope", "openid offline_access")
	var (
		won  atomic.Pointer[answer]
		n    atomic.Int64
		race sync.WaitGroup
	)
	for range 50 {
		race.Go(func() {
			got := w.redeem("portal", code)
			if got.status == http.StatusOK {
				n.Add(1)
				won.Store(&got)
			} else if got.text("error") != "invalid_grant" {
				t.Errorf("got %d %v, want invalid_grant", got.status, got.body)
			}
		})
	}
	race.Wait()
	if n.Load() != 1 {
		t.Fatalf("%d redemptions succeeded, want 1", n.Load())
	}
	w.userinfo(won.Load().text("access_token")).check(t, http.StatusUnauthorized, "invalid_token")
	w.refresh("portal", won.Load().text("refresh_token")).check(t, http.StatusBadRequest, "invalid_grant")
}

// A code that comes back ends what it gave: at once, after Redis has let its record go, and if Redis forgot that it was used.
func TestAReplayedCodeEndsWhatItGave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	for name, between := range map[string]func(){
		"at once":                 func() {},
		"when the record is gone": func() { w.redis.FlushDB(t.Context()) },
		"when its use is forgotten": func() {
			for _, key := range w.redis.Keys(t.Context(), "code:*").Val() {
				w.redis.SetRange(t.Context(), key, 0, "0")
			}
		},
	} {
		code := b.code("portal", "scope", "openid offline_access")
		tokens := w.redeem("portal", code)
		tokens.check(t, http.StatusOK, "")
		if got := w.userinfo(tokens.text("access_token")); got.status != http.StatusOK {
			t.Errorf("%s: got %v before the replay", name, got.body)
		}
		between()
		w.redeem("portal", code).check(t, http.StatusBadRequest, "invalid_grant")
		if got := w.userinfo(tokens.text("access_token")); got.status != http.StatusUnauthorized {
			t.Errorf("%s: the access token still works", name)
		}
		if got := w.refresh("portal", tokens.text("refresh_token")); got.text("error") != "invalid_grant" {
			t.Errorf("%s: the refresh token still works", name)
		}
	}
}

// A code that a client shows to which it was not given has leaked: it is refused (RFC 6749 §5.2) and spent by that, so that nobody has it any
// more who may have it as well; and what it gave before is ended, as by any second use (§4.1.2, §10.5). The client that it was given to
// begins anew. Who shows nothing but its client_id could as well have done so as that client: a public client's name is no secret.
func TestACodeInForeignHandsIsSpent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	for _, thief := range []string{"portal", "app"} {
		code := b.code("relaxed")
		w.redeem(thief, code).check(t, http.StatusBadRequest, "invalid_grant")
		w.redeem("relaxed", code).check(t, http.StatusBadRequest, "invalid_grant")

		code = b.code("relaxed")
		tokens := w.redeem("relaxed", code)
		w.userinfo(tokens.text("access_token")).check(t, http.StatusOK, "")
		w.redeem(thief, code).check(t, http.StatusBadRequest, "invalid_grant")
		w.userinfo(tokens.text("access_token")).check(t, http.StatusUnauthorized, "invalid_token")
	}
	w.redeem("relaxed", b.code("relaxed")).check(t, http.StatusOK, "")
}

// Who sends nothing to spend is told so, not that what they sent is wrong (RFC 6749 §5.2); and a code that waits is not spent by that.
func TestATokenRequestWithNothingToSpend(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := w.browser().code("portal", "scope", "openid offline_access")
	for name, got := range map[string]answer{"code": w.redeem("portal", code, "code", ""), "refresh_token": w.refresh("portal", "")} {
		got.check(t, http.StatusBadRequest, "invalid_request")
		if got, want := got.text("error_description"), name+" is missing."; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	w.redeem("portal", code).check(t, http.StatusOK, "")
}

// Whatever does not fit is invalid_grant, and the code is gone: nobody tries twice (RFC 6749 §5.2, RFC 7636 §4.6).
func TestACodeFitsOneRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	for name, row := range map[string]struct{ authorize, redeem []string }{
		"a wrong verifier":             {nil, []string{"code_verifier", strings.Repeat("x", 43)}},
		"no verifier":                  {nil, []string{"code_verifier", ""}},
		"a short verifier":             {nil, []string{"code_verifier", "short"}},
		"a verifier without challenge": {[]string{"code_challenge", "", "code_challenge_method", ""}, nil},
		"another redirect_uri":         {nil, []string{"redirect_uri", callback + "2"}},
		"no redirect_uri":              {nil, []string{"redirect_uri", ""}},
		"garbage":                      {nil, []string{"code", "code_garbage"}},
	} {
		code := b.code("relaxed", row.authorize...)
		if got := w.redeem("relaxed", code, row.redeem...); got.status != http.StatusBadRequest || got.text("error") != "invalid_grant" {
			t.Errorf("%s: got %d %v", name, got.status, got.body)
		}
		// The downgrade: without the verifier that failed, or with everything right.
		changes := []string{}
		if row.authorize != nil {
			changes = []string{"code_verifier", ""}
		}
		if got := w.redeem("relaxed", code, changes...); name != "garbage" && got.status == http.StatusOK {
			t.Errorf("%s: the code was good a second time", name)
		}
	}
	code := b.code("relaxed")
	w.pass(30 * time.Second)
	w.redeem("relaxed", code).check(t, http.StatusBadRequest, "invalid_grant")
	code = b.code("relaxed", "code_challenge", "", "code_challenge_method", "")
	w.redeem("relaxed", code, "code_verifier", "").check(t, http.StatusOK, "")
}

// Errors of the token endpoint are those of RFC 6749 §5.2, whatever is sent.
func TestTokenRequestsThatAreWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, row := range map[string]struct {
		values url.Values
		want   string
	}{
		"no grant_type":            {url.Values{"code": {"x"}}, "invalid_request"},
		"a grant that is not ours": {url.Values{"grant_type": {"password"}, "username": {"x"}, "password": {"y"}}, "unsupported_grant_type"},
		"a grant not registered":   {url.Values{"grant_type": {"client_credentials"}}, "unauthorized_client"},
		"a parameter twice":        {url.Values{"grant_type": {"authorization_code", "authorization_code"}}, "invalid_request"},
		"another's parameter":      {url.Values{"grant_type": {"authorization_code"}, "code": {"x"}, "audience": {"x"}}, "invalid_grant"},
	} {
		got := w.call("/token", "portal", row.values)
		if got.status != http.StatusBadRequest || got.text("error") != row.want || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: got %d %v, want %s", name, got.status, got.body, row.want)
		}
	}

	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	_ = m.WriteField("grant_type", "authorization_code")
	_ = m.Close()
	r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, w.issuer+"/token", &body))
	r.Header.Set("Content-Type", m.FormDataContentType())
	w.do(r).check(t, http.StatusBadRequest, "invalid_request")
	w.call("/token", "portal", url.Values{"grant_type": {strings.Repeat("x", 65<<10)}}).check(t, http.StatusBadRequest, "invalid_request")
	response, err := http.Get(w.issuer + "/token")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: got %d", response.StatusCode)
	}
}

// A client authenticates by its one method. Whoever fails hears 401 invalid_client with WWW-Authenticate.
func TestClientAuthentication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	values := url.Values{"grant_type": {"authorization_code"}, "code": {"code_x"}}
	with := func(changes ...string) url.Values {
		v := maps.Clone(values)
		for i := 0; i < len(changes); i += 2 {
			v.Set(changes[i], changes[i+1])
		}
		return v
	}
	basic := func(id, secret string) string {
		r := w.request("/token", nil)
		r.SetBasicAuth(id, secret)
		return r.Header.Get("Authorization")
	}
	for name, row := range map[string]struct {
		values        url.Values
		authorization string
		want          string
	}{
		"the right secret":              {values, basic("portal", w.secrets["portal"]), "invalid_grant"}, // the code is what is wrong
		"the right secret in the body":  {with("client_id", "service", "client_secret", w.secrets["service"]), "", "invalid_grant"},
		"a public client":               {with("client_id", "app"), "", "invalid_grant"},
		"a wrong secret":                {values, basic("portal", "wrong"), "invalid_client"},
		"an empty secret":               {values, basic("portal", ""), "invalid_client"},
		"another client's secret":       {values, basic("portal", w.secrets["relaxed"]), "invalid_client"},
		"no secret":                     {with("client_id", "portal"), "", "invalid_client"},
		"nobody":                        {values, "", "invalid_client"},
		"an unknown client":             {values, basic("nobody", "x"), "invalid_client"},
		"not the registered method":     {with("client_id", "portal", "client_secret", w.secrets["portal"]), "", "invalid_client"},
		"a secret of one that has none": {with("client_id", "signer", "client_secret", ""), "", "invalid_client"},
		"a public client with a secret": {with("client_id", "app", "client_secret", "x"), "", "invalid_client"},
		"Basic that is none":            {values, "Basic !!!", "invalid_client"},
		"two methods":                   {with("client_secret", "x"), basic("portal", w.secrets["portal"]), "invalid_request"},
		"another client_id in the body": {with("client_id", "relaxed"), basic("portal", w.secrets["portal"]), "invalid_request"},
		"an assertion of another type":  {with("client_assertion", w.assertion(nil), "client_assertion_type", "x"), "", "invalid_request"},
	} {
		r := w.request("/token", row.values)
		if row.authorization != "" {
			r.Header.Set("Authorization", row.authorization)
		}
		got := w.do(r)
		if got.text("error") != row.want || (got.status == http.StatusUnauthorized) != (row.want == "invalid_client") {
			t.Errorf("%s: got %d %v, want %s", name, got.status, got.body, row.want)
		}
		if challenge := got.header.Get("WWW-Authenticate"); got.status == http.StatusUnauthorized && !strings.HasPrefix(challenge, "Basic ") {
			t.Errorf("%s: 401 with WWW-Authenticate %q (RFC 6749 §5.2)", name, challenge)
		}
	}
	two := w.request("/token", values)
	two.Header["Authorization"] = []string{basic("portal", w.secrets["portal"]), basic("relaxed", w.secrets["relaxed"])}
	w.do(two).check(t, http.StatusBadRequest, "invalid_request")
	w.do(w.request("/token?client_id=service&client_secret="+w.secrets["service"], values)).check(t, http.StatusBadRequest, "invalid_request")
}

// A client assertion is good once, for a while, here, and by the client's key (RFC 7523 §3). All else is 401, never 500.
func TestClientAssertions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sign := func(alg jose.SignatureAlgorithm, key any) string {
		signer := must(jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, nil))
		return must(jwt.Signed(signer).Claims(map[string]any{
			"iss": "signer", "sub": "signer", "aud": w.issuer, "jti": uuid.NewString(), "exp": w.now().Add(time.Minute).Unix(),
		}).Serialize())
	}
	call := func(assertion string) answer {
		return w.call("/token", "", url.Values{
			"grant_type": {"client_credentials"}, "client_assertion": {assertion},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		})
	}
	in := func(d time.Duration) int64 { return w.now().Add(d).Unix() }
	for name, changes := range map[string]map[string]any{
		"right":                    nil,
		"no iat":                   {"iat": nil},
		"a clock 10 s ahead":       {"iat": in(10 * time.Second), "nbf": in(10 * time.Second)},
		"a clock 9 s behind":       {"exp": in(-9 * time.Second)},
		"an hour, from 10 s ahead": {"exp": in(time.Hour + 10*time.Second)},
		"a claim that is not ours": {"foo": "bar"},
		"a kid for a key without":  {"iss": "nameless", "sub": "nameless"},
	} {
		if got := call(w.assertion(changes)); got.status != http.StatusOK {
			t.Errorf("%s: got %d %v", name, got.status, got.body)
		}
	}
	none := strings.Split(w.assertion(nil), ".")
	stranger := must(rsa.GenerateKey(rand.Reader, 2048))
	public := must(x509.MarshalPKIXPublicKey(w.key.Public()))
	used := w.assertion(nil)
	call(used).check(t, http.StatusOK, "")
	for name, assertion := range map[string]string{
		"used before":               used,
		"used before, jti alone":    w.assertion(map[string]any{"jti": w.jti(used)}),
		"expired":                   w.assertion(map[string]any{"exp": in(-11 * time.Second)}),
		"from the future":           w.assertion(map[string]any{"iat": in(time.Minute + time.Second)}),
		"not yet good":              w.assertion(map[string]any{"nbf": in(11 * time.Second)}),
		"good for too long":         w.assertion(map[string]any{"exp": in(2 * time.Hour)}),
		"without end":               w.assertion(map[string]any{"exp": nil}),
		"without jti":               w.assertion(map[string]any{"jti": nil}),
		"with a jti beyond all":     w.assertion(map[string]any{"jti": strings.Repeat("j", 257)}),
		"without sub":               w.assertion(map[string]any{"sub": nil}),
		"without iss":               w.assertion(map[string]any{"iss": nil}),
		"of another issuer":         w.assertion(map[string]any{"iss": "portal"}),
		"for another client":        w.assertion(map[string]any{"sub": "portal"}),
		"for the token endpoint":    w.assertion(map[string]any{"aud": w.issuer + "/token"}),
		"for several":               w.assertion(map[string]any{"aud": []string{w.issuer, "https://evil.example"}}),
		"for one, in a list":        w.assertion(map[string]any{"aud": []string{w.issuer}}),
		"for nobody":                w.assertion(map[string]any{"aud": nil}),
		"with times that are none":  w.assertion(map[string]any{"exp": "soon"}),
		"unsigned":                  "eyJhbGciOiJub25lIn0." + none[1] + ".",
		"signed by a stranger":      sign(jose.RS256, stranger),
		"keyed with the public key": sign(jose.HS256, public),
		"tampered with":             none[0] + "." + none[1] + "x." + none[2],
		"garbage":                   "a.b.c",
		"many dots":                 strings.Repeat(".", 5000),
		"long":                      strings.Repeat("a", 20000),
	} {
		if got := call(assertion); got.status != http.StatusUnauthorized || got.text("error") != "invalid_client" {
			t.Errorf("%s: got %d %v", name, got.status, got.body)
		}
	}
}

// A client from before FAPI 2.0 may be registered to name the token endpoint as the audience of its assertions (OpenID Connect Core §9), but
// nobody else beside it: who shares an audience could carry the assertion on (CVE-2025-27370).
func TestClientAssertionsForTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for id, may := range map[string]bool{"strict": false, "old": true} {
		w.add(id, clients.Metadata{
			TokenEndpointAuthMethod: "private_key_jwt", TokenEndpointAsAudience: may, JWKS: &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{w.jwk()}},
			GrantTypes: []string{"client_credentials"}, Scope: "changes:read",
		})
	}
	endpoint := w.issuer + "/token"
	for name, row := range map[string]struct {
		aud         any
		strict, old int
	}{
		"the issuer":                      {w.issuer, http.StatusOK, http.StatusOK},
		"the issuer, in a list":           {[]string{w.issuer}, http.StatusUnauthorized, http.StatusOK},
		"the token endpoint":              {endpoint, http.StatusUnauthorized, http.StatusOK},
		"the token endpoint, in a list":   {[]string{endpoint}, http.StatusUnauthorized, http.StatusOK},
		"both":                            {[]string{w.issuer, endpoint}, http.StatusUnauthorized, http.StatusOK},
		"the token endpoint, and another": {[]string{endpoint, "https://evil.example/token"}, http.StatusUnauthorized, http.StatusUnauthorized},
		"another token endpoint":          {"https://evil.example/token", http.StatusUnauthorized, http.StatusUnauthorized},
		"another endpoint":                {w.issuer + "/par", http.StatusUnauthorized, http.StatusUnauthorized},
		"nobody":                          {[]string{}, http.StatusUnauthorized, http.StatusUnauthorized},
		"not a text":                      {[]any{w.issuer, 1, nil, map[string]any{}}, http.StatusUnauthorized, http.StatusUnauthorized},
	} {
		for id, want := range map[string]int{"strict": row.strict, "old": row.old} {
			got := w.call("/token", "", url.Values{
				"grant_type": {"client_credentials"}, "client_assertion": {w.assertion(map[string]any{"iss": id, "sub": id, "aud": row.aud})},
				"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			})
			if got.status != want || want != http.StatusOK && got.text("error") != "invalid_client" {
				t.Errorf("%s, for %s: got %d %v, want %d", id, name, got.status, got.body, want)
			}
		}
	}
}

// Whoever authenticates is held to the same at every endpoint of clients, by assertion and by certificate; and an assertion that was used at
// one of them is used up at all (RFC 7523 §3; RFC 8705 §2; RFC 7662 §2.1; RFC 7009 §2.1; RFC 9126 §2; RFC 8628 §3.1).
func TestClientsAuthenticateAlikeEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	right := w.ca.issue(w, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), nil)
	for _, path := range []string{"/token", "/par", "/introspect", "/revoke", "/device_authorization"} {
		form := url.Values{"grant_type": {"client_credentials"}, "token": {"x"}}
		with := func(changes ...string) *http.Request {
			form := maps.Clone(form)
			for i := 0; i < len(changes); i += 2 {
				form.Set(changes[i], changes[i+1])
			}
			return w.request(path, form)
		}
		asserted := func(assertion string) answer {
			return w.do(with("client_assertion", assertion, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))
		}
		used := w.assertion(nil)
		w.call("/revoke", "", url.Values{
			"token": {"x"}, "client_assertion": {used}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		}).check(t, http.StatusOK, "")
		for name, row := range map[string]struct {
			got answer
			in  bool
		}{
			"a right assertion":             {asserted(w.assertion(nil)), true},
			"one for that endpoint":         {asserted(w.assertion(map[string]any{"aud": w.issuer + path})), false},
			"one that has expired":          {asserted(w.assertion(map[string]any{"exp": w.now().Add(-time.Minute).Unix()})), false},
			"one without jti":               {asserted(w.assertion(map[string]any{"jti": nil})), false},
			"one that was used at another":  {asserted(used), false},
			"a right certificate":           {w.reached(with("client_id", "named"), right), true},
			"no certificate":                {w.reached(with("client_id", "named"), nil), false},
			"nothing at all":                {w.do(with()), false},
			"the name of one with a key":    {w.do(with("client_id", "signer")), false},
			"the name of one with a secret": {w.do(with("client_id", "portal")), false},
			"a name that nobody has":        {w.do(with("client_id", "nobody", "client_secret", "x")), false},
		} {
			if refused := row.got.status == http.StatusUnauthorized && row.got.text("error") == "invalid_client"; refused == row.in {
				t.Errorf("%s, %s: got %d %v", path, name, row.got.status, row.got.body)
			}
		}
	}
}

// The keys of client assertions may lie at the client's jwks_uri. One that does not answer is a client that cannot say who it is, and never
// an error of ours.
func TestClientAssertionsByKeysAtAnAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := must(json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{w.jwk()}}))
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write(set) }))
	t.Cleanup(server.Close)
	for id, uri := range map[string]string{"publisher": server.URL, "silent": "http://127.0.0.1:1/keys", "sneaky": "https://10.0.0.1/keys"} {
		w.add(id, clients.Metadata{
			TokenEndpointAuthMethod: "private_key_jwt", JWKSURI: uri, GrantTypes: []string{"client_credentials"}, Scope: "changes:read",
		})
	}
	for id, want := range map[string]int{"publisher": http.StatusOK, "silent": http.StatusUnauthorized, "sneaky": http.StatusUnauthorized} {
		got := w.call("/token", "", url.Values{
			"grant_type": {"client_credentials"}, "client_assertion": {w.assertion(map[string]any{"iss": id, "sub": id})},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		})
		if got.status != want || want != http.StatusOK && got.text("error") != "invalid_client" {
			t.Errorf("%s: got %d %v", id, got.status, got.body)
		}
	}
}

// jti tells the jti of an assertion.
func (w *world) jti(assertion string) (id string) {
	w.t.Helper()
	var claims jwt.Claims
	if err := must(jwt.ParseSigned(assertion, []jose.SignatureAlgorithm{jose.ES256})).UnsafeClaimsWithoutVerification(&claims); err != nil {
		w.t.Fatal(err)
	}
	return claims.ID
}

// A confidential client keeps its refresh token: a lost answer costs nothing (FAPI 2.0 Security Profile §5.3.2.1). Claims are made anew.
func TestAConfidentialClientKeepsItsRefreshToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.redeem("portal", w.browser().code("portal", "scope", "openid profile cabinet.profile.read offline_access"))
	token := first.text("refresh_token")
	for range 3 {
		w.pass(10 * time.Minute)
		got := w.refresh("portal", token)
		got.check(t, http.StatusOK, "")
		if got.text("refresh_token") != token {
			t.Error("the refresh token rotated")
		}
		_, before := w.claims(first.text("id_token"))
		_, after := w.claims(got.text("id_token"))
		if after["auth_time"] != before["auth_time"] || after["sub"] != before["sub"] || after["iat"] == before["iat"] || after["nonce"] != nil {
			t.Errorf("got %v after %v (OpenID Connect Core §12.2)", after, before)
		}
	}
	w.pass(30 * 24 * time.Hour)
	w.refresh("portal", token).check(t, http.StatusBadRequest, "invalid_grant")
}

// Who has not asked for offline access, or is not registered to refresh, has no refresh token (OpenID Connect Core §11; RFC 6749 §5.1).
func TestARefreshTokenIsForOfflineAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	for client, scope := range map[string]string{"portal": "openid profile", "es": "openid offline_access"} {
		if got := w.redeem(client, b.code(client, "scope", scope)); got.status != http.StatusOK || got.body["refresh_token"] != nil {
			t.Errorf("%s: got %d %v", client, got.status, got.body)
		}
	}
}

// A refresh may ask for less, never for more (RFC 6749 §6, RFC 8707 §2.2); and less is not for good.
func TestARefreshMayNarrow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.redeem("portal", w.browser().code("portal", "scope", "openid profile cabinet.profile.read offline_access")).text("refresh_token")
	for _, row := range []struct {
		changes  []string
		scope    string
		audience []any
	}{
		{[]string{"scope", "openid"}, "openid", []any{w.issuer}},
		{[]string{"scope", "cabinet.profile.read"}, "cabinet.profile.read", []any{cabinet}},
		{[]string{"resource", cabinet}, "openid profile cabinet.profile.read offline_access", []any{cabinet}},
		{[]string{"resource", w.issuer}, "openid profile offline_access", []any{w.issuer}},
		{nil, "openid profile cabinet.profile.read offline_access", []any{w.issuer, cabinet}},
	} {
		got := w.refresh("portal", token, row.changes...)
		got.check(t, http.StatusOK, "")
		_, claims := w.claims(got.text("access_token"))
		if got.text("scope") != row.scope || claims["scope"] != row.scope || !slices.Equal(claims["aud"].([]any), row.audience) {
			t.Errorf("%v: got scope %q, audience %v", row.changes, got.text("scope"), claims["aud"])
		}
	}
	w.refresh("portal", token, "scope", "openid phone").check(t, http.StatusBadRequest, "invalid_scope")
	w.refresh("portal", token, "scope", "OPENID").check(t, http.StatusBadRequest, "invalid_scope")
	w.refresh("portal", token, "resource", management).check(t, http.StatusBadRequest, "invalid_target")
}

// A refresh token that is not the client's, or that we did not make, revokes nothing: not even with a true part of a used one.
func TestAForgedRefreshTokenRevokesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.redeem("app", w.browser().code("app", "scope", "openid offline_access"))
	used := first.text("refresh_token")
	second := w.refresh("app", used)
	forged := "refresh_" + strings.Repeat("A", 40) + used[len(used)-24:]
	for _, token := range []string{forged, used[:len(used)-1], "refresh_", "x"} {
		w.refresh("app", token).check(t, http.StatusBadRequest, "invalid_grant")
		w.refresh("portal", token).check(t, http.StatusBadRequest, "invalid_grant")
	}
	w.refresh("portal", used).check(t, http.StatusBadRequest, "invalid_grant")
	w.refresh("portal", second.text("refresh_token")).check(t, http.StatusBadRequest, "invalid_grant")
	w.refresh("app", second.text("refresh_token")).check(t, http.StatusOK, "")
}

// A client in its own name gets the scopes of APIs, for their audience, and nothing about a person; no database is asked.
func TestClientCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.trips.Take()
	got := w.call("/token", "cabinet", url.Values{"grant_type": {"client_credentials"}})
	got.check(t, http.StatusOK, "")
	if n := w.trips.Take(); n != 0 {
		t.Errorf("%d trips to PostgreSQL, want 0", n)
	}
	if got.body["refresh_token"] != nil || got.body["id_token"] != nil || got.text("scope") != "changes:read" {
		t.Errorf("got %v", got.body)
	}
	_, claims := w.claims(got.text("access_token"))
	if claims["sub"] != "cabinet" || claims["gid"] != nil || claims["auth_time"] != nil || !slices.Equal(claims["aud"].([]any), []any{management}) {
		t.Errorf("got %v", claims)
	}
	w.userinfo(got.text("access_token")).check(t, http.StatusUnauthorized, "invalid_token")
	for scope, want := range map[string]string{"clients:manage": "invalid_scope", "openid": "invalid_scope", "CHANGES:READ": "invalid_scope"} {
		w.call("/token", "cabinet", url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}).check(t, http.StatusBadRequest, want)
	}
}

// An agreement to less than was asked for aims at fewer APIs: none is told of somebody who kept it out (RFC 8707 §2.2). At a browser and for a
// device alike.
func TestFewerScopesAimAtFewerAPIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("shop", clients.Metadata{RedirectURIs: []string{callback}, Scope: "openid phone cabinet.profile.read"})
	b := w.browser()
	agree := func(to string) string { // to openid and nothing else
		t.Helper()
		for to != "" && !strings.HasPrefix(to, "/consent?") {
			to, _, _ = b.get(to)
		}
		i := w.waiting(b, to)
		w.agree(i.ClientID)
		w.pageLearns(i, func(i *provider.Interaction) { i.Agreed = []string{"openid"} })
		return i.Continue()
	}
	away := b.follow(agree("/authorize?" + params("shop", "scope", "openid cabinet.profile.read").Encode()))
	asked := w.askDevice("tv", "openid cabinet.profile.read")
	action, form := b.connect(asked.text("user_code"))
	form.Set("decision", "allow")
	to, _, _ := b.post(action, form)
	b.until(agree(to))
	for name, got := range map[string]answer{
		"at a browser": w.redeem("shop", must(url.Parse(away)).Query().Get("code")), "for a device": w.poll("tv", asked),
	} {
		got.check(t, http.StatusOK, "")
		_, claims := w.claims(got.text("access_token"))
		if audience, _ := claims["aud"].([]any); got.text("scope") != "openid" || !slices.Equal(audience, []any{w.issuer}) {
			t.Errorf("%s: got %s for %v", name, got.text("scope"), audience)
		}
	}
}

// Only digests are kept of what opens something: neither PostgreSQL nor Redis could be read for a code, a token or the name of a request
// (RFC 6819 §5.1.4.1.3).
func TestOnlyDigestsAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	asked, pushed := w.askDevice("tv", "openid"), w.push("pushing", params("pushing"))
	to, _, _ := b.get("/authorize?" + params("service").Encode()) // who waits
	tokens := w.redeem("portal", b.code("portal", "scope", "openid offline_access"))
	initial := w.initial("openid", 2)
	made := w.json(http.MethodPost, w.issuer+"/register", initial, `{"redirect_uris":["https://portal.example/cb"]}`)
	kept := &strings.Builder{}
	for _, key := range w.redis.Keys(t.Context(), "*").Val() {
		kept.WriteString(key + " ")
		for _, value := range []string{w.redis.Get(t.Context(), key).Val(), fmt.Sprint(w.redis.HGetAll(t.Context(), key).Val())} {
			kept.WriteString(value)
		}
	}
	rows := must(w.pool.Query(t.Context(), `SELECT c::text FROM client c UNION ALL SELECT r::text FROM refresh_token r UNION ALL
		SELECT g::text FROM client_grant g UNION ALL SELECT i::text FROM initial_access_token i`))
	kept.WriteString(strings.Join(must(pgx.CollectRows(rows, pgx.RowTo[string])), "\n"))
	for name, secret := range map[string]string{
		"code": b.code("portal"), "refresh token": tokens.text("refresh_token"), "access token": tokens.text("access_token"),
		"device code": asked.text("device_code"), "request_uri": pushed.text("request_uri"),
		"interaction": must(url.Parse(to)).Query().Get("interaction"), "client secret": w.secrets["portal"], "secret of its own": made.text("client_secret"),
		"registration token": made.text("registration_access_token"), "initial token": initial,
	} {
		if secret == "" || strings.Contains(kept.String(), secret[max(0, len(secret)-20):]) {
			t.Errorf("the %s is kept as it is: %q", name, secret)
		}
	}
}

// Where a store fails there is no token without its row: 503, and a person who begins again is served.
func TestNoTokenWithoutItsRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	code := b.code("app", "scope", "openid offline_access")
	w.trips.FailAt(1)
	w.redeem("app", code).check(t, http.StatusServiceUnavailable, "temporarily_unavailable")
	w.trips.FailAt(0)
	token := w.redeem("app", b.code("app", "scope", "openid offline_access")).text("refresh_token")
	for trip := range 2 {
		w.trips.FailAt(trip + 1)
		w.refresh("app", token).check(t, http.StatusServiceUnavailable, "temporarily_unavailable")
		w.trips.FailAt(0)
	}
	w.refresh("app", token).check(t, http.StatusOK, "")
	code = b.code("app")
	w.hook.broken.Store(true)
	w.redeem("app", code).check(t, http.StatusServiceUnavailable, "temporarily_unavailable")
	w.hook.broken.Store(false)
	w.redeem("app", code).check(t, http.StatusOK, "")
}

// Whatever statement breaks, nobody has a token without its row and its record: 503, and nothing is left of it. Once healed, whoever begins
// again is served, and who keeps a refresh token goes on with it.
func TestNoTokenOverABrokenTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	const all = "openid offline_access"
	kept := w.redeem("app", b.code("app", "scope", all)).text("refresh_token")
	kinds := map[string]func() func() answer{ // each makes ready what is then asked
		"a code": func() func() answer {
			code := b.code("app", "scope", all)
			return func() answer { return w.redeem("app", code) }
		},
		"a device": func() func() answer {
			asked := w.askDevice("kiosk", "openid")
			b.approve(asked)
			w.pass(time.Minute) // it may ask again
			return func() answer { return w.poll("kiosk", asked) }
		},
		"a refresh": func() func() answer {
			return func() answer { return w.refresh("app", kept) }
		},
	}
	for fault, of := range map[string][]string{
		"INSERT client_grant": {"a code", "a device"}, "INSERT event": {"a code", "a device"},
		"INSERT refresh_token": {"a code", "a refresh"}, "UPDATE refresh_token": {"a refresh"},
	} {
		verb, table, _ := strings.Cut(fault, " ")
		for _, kind := range of {
			ask := kinds[kind]()
			rows := func() [4]int {
				return [4]int{w.count("client_grant"), w.count("refresh_token"), w.count("refresh_token WHERE used_at IS NULL"), w.count("event")}
			}
			before := rows()
			heal := pgtest.FailOn(t, w.pool, verb, table)
			got := ask()
			heal()
			got.check(t, http.StatusServiceUnavailable, "temporarily_unavailable")
			if after := rows(); after != before || got.body["access_token"] != nil || got.body["refresh_token"] != nil {
				t.Errorf("%s over a broken %s: got %v, and %v rows after %v", kind, fault, got.body, after, before)
			}
			if got = kinds[kind]()(); got.status != http.StatusOK {
				t.Errorf("%s, healed: got %d %v", kind, got.status, got.body)
			}
			if kind == "a refresh" {
				kept = got.text("refresh_token")
			}
		}
	}
}

// The round trips of doc.go.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.code("portal")
	w.agree("service")
	var code, refresh, access string
	var asked answer
	for name, row := range []struct {
		act         func()
		redis, psql int
	}{
		{func() { code = b.code("service") }, 2, 1},
		{func() { access = w.redeem("service", code).text("access_token") }, 1, 1},
		{func() { w.userinfo(access) }, 2, 2}, // the first makes the deny list anew
		{func() { code = b.code("portal", "scope", "openid offline_access") }, 2, 1},
		{func() { refresh = w.redeem("portal", code).text("refresh_token") }, 1, 1},
		{func() { access = w.refresh("portal", refresh).text("access_token") }, 0, 2},
		{func() { w.userinfo(access) }, 1, 1},
		{func() { w.introspect("cabinet", access) }, 0, 0}, // not for the cabinet
		{func() { asked = w.askDevice("kiosk", "openid") }, 1, 0},
		{func() { w.poll("kiosk", asked) }, 1, 0},
		{func() { b.approve(asked) }, 13, 2}, // all pages together
		{func() { w.poll("kiosk", asked) }, 1, 1},
		{func() { w.call("/token", "signer", url.Values{"grant_type": {"client_credentials"}}) }, 1, 0},
	} {
		w.hook.take()
		w.trips.Take()
		row.act()
		if redis, psql := w.hook.take(), w.trips.Take(); redis != row.redis || psql != row.psql {
			t.Errorf("step %d: %d trips to Redis and %d to PostgreSQL, want %d and %d", name, redis, psql, row.redis, row.psql)
		}
	}
}

// More requests at once than connections queue and never hang: no request holds a connection while it waits for another.
func TestMoreRequestsThanConnectionsQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range w.pool.Config().MaxConns - 1 { // one is left
		held := must(w.pool.Acquire(t.Context()))
		defer held.Release()
	}
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			b := w.browser()
			code := b.code("app", "scope", "openid offline_access")
			tokens := w.redeem("app", code)
			renewed := w.refresh("app", tokens.text("refresh_token"))
			w.userinfo(renewed.text("access_token")).check(t, http.StatusOK, "")
			w.redeem("app", code).check(t, http.StatusBadRequest, "invalid_grant")
			w.call("/revoke", "app", url.Values{"token": {renewed.text("refresh_token")}}).check(t, http.StatusOK, "")
			if to, status, _ := b.get("/logout?id_token_hint=" + tokens.text("id_token")); to != "" || status != http.StatusOK {
				t.Errorf("logout: got %d, leading to %q", status, to)
			}
		})
	}
	all.Wait()
}
