package provider_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"asoba.example/provider/api/prooftest"
	"asoba.example/provider/clients"
	"asoba.example/provider/tokens"
)

// A strict client is one of FAPI 2.0 that has a key to authenticate by and one to prove.
type strict struct {
	prover
	id  string
	rsa *rsa.PrivateKey // registered as "k2"
}

// strict registers one. What m leaves open has the value that its profile demands.
func (w *world) strict(id string, m clients.Metadata) strict {
	w.t.Helper()
	s := strict{w.prover(), id, must(rsa.GenerateKey(rand.Reader, 2048))}
	m.Profile, m.RedirectURIs, m.FirstParty = clients.FAPI2, []string{callback}, true
	m.GrantTypes, m.Scope = []string{"authorization_code", "refresh_token"}, "openid cabinet.profile.read offline_access"
	if m.TokenEndpointAuthMethod == "" {
		m.JWKS = &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{w.jwk(), {Key: s.rsa.Public(), KeyID: "k2"}}}
	}
	w.add(id, m)
	return s
}

// asserted adds the client's assertion to a form, and ask makes a request of that.
func (s strict) asserted(values url.Values) url.Values {
	s.w.t.Helper()
	values = maps.Clone(values)
	values.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	values.Set("client_assertion", s.w.assertion(map[string]any{"iss": s.id, "sub": s.id}))
	return values
}

func (s strict) ask(path string, values url.Values) *http.Request {
	s.w.t.Helper()
	return s.w.request(path, s.asserted(values))
}

func (s strict) redemption(code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}, "client_id": {s.id},
	}
}

// answered takes up what was pushed and gives the parameters of the answer.
func (s strict) answered(b *browser, pushed answer) url.Values {
	s.w.t.Helper()
	pushed.check(s.w.t, http.StatusCreated, "")
	_, answer := b.authorizeBy(url.Values{"client_id": {s.id}, "request_uri": {pushed.text("request_uri")}})
	return answer
}

// The whole way of a client that registers the profile and nothing else of it: it pushes a request that is bound to its key, is named the
// issuer beside the code, gets tokens that no other can use, and keeps its refresh token (FAPI 2.0 Security Profile §5.3.2.1–2).
func TestTheWholeWayOfAFAPIClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.strict("strict", clients.Metadata{})
	form := client.asserted(params("strict", "scope", "openid cabinet.profile.read offline_access"))
	stale := w.do(client.prove(w.request("/par", form), "nonce", "stale"))
	stale.check(t, http.StatusBadRequest, "use_dpop_nonce")
	pushed := w.do(client.prove(w.request("/par", form), "nonce", stale.header.Get("DPoP-Nonce")))
	led := client.answered(w.browser(), pushed)
	if led.Get("iss") != w.issuer || led.Get("state") != "st" { // RFC 9207
		t.Errorf("got %v", led)
	}
	given := w.do(client.prove(client.ask("/token", client.redemption(led.Get("code")))))
	if _, err := jose.ParseSignedCompact(given.text("id_token"), []jose.SignatureAlgorithm{jose.ES256}); err != nil {
		t.Errorf("the ID token is not of ES256: %v", err)
	}
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {given.text("refresh_token")}}
	first, second := w.do(client.prove(client.ask("/token", refresh))), w.do(client.prove(client.ask("/token", refresh)))
	for name, got := range map[string]answer{"code": given, "refresh": first, "refresh again": second} {
		got.check(t, http.StatusOK, "")
		access := got.text("access_token")
		if got.text("token_type") != "DPoP" || got.text("refresh_token") != given.text("refresh_token") || given.text("refresh_token") == "" {
			t.Errorf("%s: got %v", name, got.body)
		}
		w.do(client.prove(w.me("DPoP", access), "ath", ath(access))).check(t, http.StatusOK, "")
		told := w.introspect("cabinet", access)
		if cnf, _ := told.body["cnf"].(map[string]any); told.body["active"] != true || len(cnf) != 1 || cnf["jkt"] != client.jkt() {
			t.Errorf("%s: introspection: got %v", name, told.body)
		}
	}
}

// What the profile forbids is refused, clause by clause (FAPI 2.0 Security Profile).
func TestWhatFAPIForbids(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, thief := w.strict("strict", clients.Metadata{}), w.prover()
	b := w.browser()
	push := func(values url.Values) answer { return w.do(client.prove(client.ask("/par", values))) }
	by := func(o object) answer { // pushes with an assertion that is right but for the changes
		o.client = "strict"
		claims := map[string]any{"sub": "strict", "jti": uuid.NewString()}
		maps.Copy(claims, o.changes)
		o.changes = claims
		form := client.asserted(params("strict"))
		form.Set("client_assertion", w.object(o))
		return w.do(w.request("/par", form))
	}
	redemption := func() *http.Request {
		return client.ask("/token", client.redemption(client.answered(b, push(params("strict"))).Get("code")))
	}
	spent := client.redemption(client.answered(b, push(params("strict"))).Get("code"))
	given := w.do(client.prove(client.ask("/token", spent)))
	given.check(t, http.StatusOK, "")
	access := given.text("access_token")
	heavy, light := prover{w, prooftest.Prover{Key: client.rsa, Algorithm: jose.PS256}}, prover{w, prooftest.Prover{Key: client.rsa, Algorithm: jose.RS256}}
	code := client.answered(b, w.do(heavy.prove(client.ask("/par", params("strict"))))).Get("code")
	heavily := w.do(heavy.prove(client.ask("/token", client.redemption(code)))).text("access_token")
	for name, row := range map[string]struct {
		got    answer
		status int
		want   string
	}{
		"an assertion as it should be":                 {by(object{}), http.StatusCreated, ""},
		"an assertion of RS256 (§5.4.1)":               {by(object{alg: jose.RS256, key: jose.JSONWebKey{Key: client.rsa, KeyID: "k2"}}), http.StatusUnauthorized, "invalid_client"},
		"an assertion for /token (§5.3.2.1)":           {by(object{changes: map[string]any{"aud": w.issuer + "/token"}}), http.StatusUnauthorized, "invalid_client"},
		"an assertion for a list (§5.3.2.1)":           {by(object{changes: map[string]any{"aud": []string{w.issuer}}}), http.StatusUnauthorized, "invalid_client"},
		"pushed by nobody (§5.3.2.2)":                  {w.do(w.request("/par", params("strict"))), http.StatusUnauthorized, "invalid_client"},
		"no code_challenge (§5.3.2.2)":                 {push(params("strict", "code_challenge", "", "code_challenge_method", "")), http.StatusBadRequest, "invalid_request"},
		"plain (§5.3.2.2)":                             {push(params("strict", "code_challenge", verifier, "code_challenge_method", "plain")), http.StatusBadRequest, "invalid_request"},
		"no redirect_uri (§5.3.2.2)":                   {push(params("strict", "redirect_uri", "")), http.StatusBadRequest, "invalid_request"},
		"another response type (§5.3.2.2)":             {push(params("strict", "response_type", "code id_token")), http.StatusBadRequest, "unsupported_response_type"},
		"a code without a proof (§5.3.2.1)":            {w.do(redemption()), http.StatusBadRequest, "invalid_dpop_proof"},
		"a code with a proof of RS256 (§5.4.1)":        {w.do(light.prove(redemption())), http.StatusBadRequest, "invalid_dpop_proof"},
		"the token with a proof of RS256 (§5.4.1)":     {w.do(light.prove(w.me("DPoP", heavily), "ath", ath(heavily))), http.StatusUnauthorized, "invalid_dpop_proof"},
		"a code by another key (§5.3.2.1)":             {w.do(thief.prove(redemption())), http.StatusBadRequest, "invalid_grant"},
		"the token as a bearer's (RFC 9449 §7.1)":      {w.userinfo(access), http.StatusUnauthorized, "invalid_token"},
		"the token without a proof (RFC 9449 §7.1)":    {w.do(w.me("DPoP", access)), http.StatusUnauthorized, "invalid_dpop_proof"},
		"the token by another's proof (RFC 9449 §7.1)": {w.do(thief.prove(w.me("DPoP", access), "ath", ath(access))), http.StatusUnauthorized, "invalid_token"},
		"a code twice (§5.3.2.2)":                      {w.do(client.prove(client.ask("/token", spent))), http.StatusBadRequest, "invalid_grant"},
	} {
		if row.got.status != row.status || row.got.text("error") != row.want {
			t.Errorf("%s: got %d %v, want %d %s", name, row.got.status, row.got.body, row.status, row.want)
		}
	}
	if _, answer := b.authorizeBy(params("strict")); answer.Get("error") != "invalid_request" || answer.Has("code") {
		t.Errorf("a request that was not pushed (§5.3.2.2): got %v", answer)
	}
	late := client.redemption(client.answered(b, push(params("strict"))).Get("code"))
	w.pass(time.Minute)
	w.do(client.prove(client.ask("/token", late))).check(t, http.StatusBadRequest, "invalid_grant") // §5.3.2.1
}

// A client of Message Signing is heard only when it has signed what it pushes, and is answered in a JWT of its algorithm (FAPI 2.0 Message
// Signing §5.3.1, §5.4.1).
func TestAFAPIClientOfMessageSigning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.strict("strict", clients.Metadata{RequireSignedRequestObject: true, AuthorizationSignedResponseAlg: "ES256"})
	push := func(values url.Values) answer { return w.do(client.prove(client.ask("/par", values))) }
	push(params("strict", "response_mode", "jwt")).check(t, http.StatusBadRequest, "invalid_request")
	o := object{client: "strict", changes: map[string]any{"response_mode": "jwt"}}
	weak := o
	weak.alg, weak.key = jose.RS256, jose.JSONWebKey{Key: client.rsa, KeyID: "k2"}
	push(url.Values{"request": {w.object(weak)}}).check(t, http.StatusBadRequest, "invalid_request_object")

	response := client.answered(w.browser(), push(url.Values{"request": {w.object(o)}}))
	if _, err := jose.ParseSignedCompact(response.Get("response"), []jose.SignatureAlgorithm{jose.ES256}); err != nil || len(response) != 1 {
		t.Fatalf("got %v: %v", response, err)
	}
	_, claims := w.claims(response.Get("response"))
	code, _ := claims["code"].(string)
	if claims["iss"] != w.issuer || claims["aud"] != "strict" || claims["state"] != "st" || code == "" {
		t.Errorf("got %v", claims)
	}
	w.do(client.prove(client.ask("/token", client.redemption(code)))).check(t, http.StatusOK, "")
}

// A client with a certificate authenticates by that, and its tokens are bound to it, with no proof (FAPI 2.0 Security Profile §5.3.2.1; RFC 8705).
func TestAFAPIClientWithACertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.strict("strict", clients.Metadata{
		TokenEndpointAuthMethod: "tls_client_auth", TLSClientAuthSubjectDN: dn, CertificateBoundAccessTokens: true,
	})
	mine := w.ca.issue(w, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), nil)
	other := w.ca.issue(w, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), nil)
	pushed := w.reached(w.request("/par", params("strict", "scope", "openid cabinet.profile.read")), mine)
	code := client.answered(w.browser(), pushed).Get("code")
	given := w.reached(w.request("/token", client.redemption(code)), mine)
	given.check(t, http.StatusOK, "")
	access := given.text("access_token")
	w.reached(w.me("Bearer", access), mine).check(t, http.StatusOK, "")
	w.reached(w.me("Bearer", access), other).check(t, http.StatusUnauthorized, "invalid_token")
	told := w.introspect("cabinet", access)
	cnf, _ := told.body["cnf"].(map[string]any)
	if want := base64.RawURLEncoding.EncodeToString(tokens.Digest(string(mine.Certificate[0]))); len(cnf) != 1 || cnf["x5t#S256"] != want {
		t.Errorf("introspection: got %v", told.body)
	}
}
