package provider_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// authorizeBy makes an authorization request with these parameters alone, and gives where it led and the answer's parameters.
func (b *browser) authorizeBy(values url.Values) (to string, answer url.Values) {
	b.w.t.Helper()
	to = b.follow("/authorize?" + values.Encode())
	return to, must(url.Parse(to)).Query()
}

// A signed request is what is inside: nothing beside it counts, and a state or nonce that stands only outside is none (RFC 9101 §6.3;
// OpenID Connect Core §6.1).
func TestOnlyWhatIsInsideARequestObjectCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	outside := params("relaxed", "state", "outside", "nonce", "outside", "redirect_uri", "https://evil.example", "scope", "openid profile", "prompt", "none")
	outside.Set("request", w.object(object{client: "relaxed"}))
	to, answer := b.authorizeBy(outside)
	if !strings.HasPrefix(to, callback+"?") || answer.Get("state") != "st" || !answer.Has("code") {
		t.Fatalf("led to %q", to)
	}
	tokens := w.redeem("relaxed", answer.Get("code"))
	if _, claims := w.claims(tokens.text("id_token")); claims["nonce"] != "n-1" || tokens.text("scope") != "openid" {
		t.Errorf("got %v, %v", tokens.body, claims)
	}
	outside.Set("request", w.object(object{client: "relaxed", changes: map[string]any{"state": nil, "nonce": nil}}))
	if _, answer = b.authorizeBy(outside); answer.Has("state") || !answer.Has("code") {
		t.Errorf("got %v, want no state", answer)
	}
	tokens = w.redeem("relaxed", answer.Get("code"))
	if _, claims := w.claims(tokens.text("id_token")); claims["nonce"] != nil {
		t.Errorf("got the nonce %v, want none", claims["nonce"])
	}
	// client_id outside is enough (RFC 9101 §5); what else OpenID Connect asks there is its own affair.
	if _, answer = b.authorizeBy(url.Values{"client_id": {"relaxed"}, "request": outside["request"]}); !answer.Has("code") {
		t.Errorf("got %v", answer)
	}
}

// Numbers and lists inside are what they would be outside: max_age is obeyed, resources are aimed at.
func TestMembersOfARequestObjectAreParameters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.code("portal")
	w.pass(time.Minute)
	for name, row := range map[string]struct {
		changes map[string]any
		page    bool
		want    string // error
	}{
		"max_age that has passed":       {map[string]any{"max_age": 60}, true, ""},
		"max_age that has not":          {map[string]any{"max_age": 61}, false, ""},
		"max_age that is no number":     {map[string]any{"max_age": true}, false, "invalid_request"},
		"max_age that is no whole one":  {map[string]any{"max_age": 0.5}, false, "invalid_request"},
		"one resource":                  {map[string]any{"resource": w.issuer}, false, ""},
		"resources":                     {map[string]any{"resource": []string{w.issuer, w.issuer}}, false, ""},
		"a resource that is another's":  {map[string]any{"resource": []string{w.issuer, management}}, false, "invalid_target"},
		"scopes as a list":              {map[string]any{"scope": []string{"openid"}}, false, "invalid_scope"},
		"what nobody knows":             {map[string]any{"foo": map[string]any{"bar": []int{1}}, "baz": nil}, false, ""},
		"prompt none":                   {map[string]any{"prompt": "none"}, false, ""},
		"a response type of other kind": {map[string]any{"response_type": "code token"}, false, "unsupported_response_type"},
	} {
		request := w.object(object{client: "relaxed", changes: row.changes})
		to, status, body := b.get("/authorize?" + url.Values{"client_id": {"relaxed"}, "request": {request}}.Encode())
		answer := must(url.Parse(to)).Query()
		if strings.HasPrefix(to, "/sign-in?") != row.page || !row.page && answer.Get("error") != row.want || !row.page && row.want == "" && !answer.Has("code") {
			t.Errorf("%s: got %d, leading to %q: %s", name, status, to, body)
		}
	}
}

// Whose requests must be signed is held to everything that Message Signing asks of an object (FAPI 2.0 Message Signing §5.3.1; RFC 9101 §4, §6).
func TestARequestObjectIsRefusedUnlessItIsRight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := func(d time.Duration) int64 { return w.now().Add(d).Unix() }
	stranger := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	hmacKey := must(w.key.PublicKey.ECDH()).Bytes()
	signed := func(changes map[string]any) object { return object{client: "signing", changes: changes} }
	for name, o := range map[string]object{
		"as it should be":               {client: "signing"},
		"typ of RFC 9101":               {client: "signing", typ: "oauth-authz-req+jwt"},
		"its whole media type":          {client: "signing", typ: "application/oauth-authz-req+jwt"},
		"typ JWT":                       {client: "signing", typ: "JWT"},
		"aud among others":              signed(map[string]any{"aud": []string{"https://other.example", w.issuer}}),
		"nbf a little ahead":            signed(map[string]any{"nbf": at(8 * time.Second)}),
		"nbf an hour past":              signed(map[string]any{"nbf": at(-time.Hour), "exp": at(-time.Second)}), // exp within the skew
		"iat a little ahead":            signed(map[string]any{"iat": at(8 * time.Second)}),
		"! another type":                {client: "signing", typ: "at+jwt"},
		"! another's key":               {client: "signing", key: jose.JSONWebKey{Key: stranger, KeyID: "k1"}},
		"! another algorithm's key":     {client: "signing", alg: jose.RS256, key: jose.JSONWebKey{Key: rsaKey, KeyID: "k1"}},
		"! HMAC with the public key":    {client: "signing", alg: jose.HS256, key: hmacKey},
		"! no iss":                      signed(map[string]any{"iss": nil}),
		"! another iss":                 signed(map[string]any{"iss": "relaxed"}),
		"! no client_id":                signed(map[string]any{"client_id": nil}),
		"! another client_id":           signed(map[string]any{"client_id": "relaxed"}),
		"! the sub of an assertion":     signed(map[string]any{"sub": "signing"}),
		"! no aud":                      signed(map[string]any{"aud": nil}),
		"! aud without us":              signed(map[string]any{"aud": []string{w.issuer + "/"}}),
		"! no exp":                      signed(map[string]any{"exp": nil}),
		"! over":                        signed(map[string]any{"exp": at(-11 * time.Second)}),
		"! exp that is no number":       signed(map[string]any{"exp": "tomorrow"}),
		"! no nbf":                      signed(map[string]any{"nbf": nil}),
		"! nbf ahead":                   signed(map[string]any{"nbf": at(11 * time.Second)}),
		"! nbf more than an hour past":  signed(map[string]any{"nbf": at(-time.Hour - time.Second), "exp": at(-time.Second)}),
		"! exp more than an hour after": signed(map[string]any{"exp": at(time.Hour + time.Second)}),
		"! iat ahead":                   signed(map[string]any{"iat": at(11 * time.Second)}),
		"! an object inside":            signed(map[string]any{"request": "x"}),
		"! a reference inside":          signed(map[string]any{"request_uri": requestURN + "x"}),
		"! a state that is no string":   signed(map[string]any{"state": 42}),
		"! no redirect_uri":             signed(map[string]any{"redirect_uri": nil}),
		"! too long":                    signed(map[string]any{"foo": strings.Repeat("x", 16<<10)}),
	} {
		got := w.push("signing", url.Values{"request": {w.object(o)}, "redirect_uri": {callback}})
		wrong := strings.HasPrefix(name, "! ")
		if wrong == (got.status == http.StatusCreated) {
			t.Errorf("%s: got %d %v", name, got.status, got.body)
		}
		if want := "invalid_request_object"; wrong && got.text("error") != want && name != "! no redirect_uri" {
			t.Errorf("%s: got %v, want %s", name, got.body, want)
		}
	}
	for name, request := range map[string]string{
		"garbage":            "x",
		"five parts":         "a.b.c.d.e",
		"many dots":          strings.Repeat(".", 9999),
		"alg none":           "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(`{"client_id":"signing"}`)) + ".",
		"a forged body":      forged(w.object(object{client: "signing"})),
		"a client assertion": w.assertion(nil),
	} {
		if got := w.push("signing", url.Values{"request": {request}}); got.status != http.StatusBadRequest || got.text("error") != "invalid_request_object" {
			t.Errorf("%s: got %d %v", name, got.status, got.body)
		}
	}
}

// forged changes what a JWS says without touching its signature.
func forged(object string) string {
	parts := strings.Split(object, ".")
	body := must(base64.RawURLEncoding.DecodeString(parts[1]))
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(body), `"st"`, `"ts"`, 1)))
	return strings.Join(parts, ".")
}

// A client that need not sign may leave out of an object what makes it last; what it does say still counts. An object that does not open leads
// nowhere that is not registered.
func TestARequestObjectAtTheAuthorizationEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	bare := w.object(object{client: "relaxed", changes: map[string]any{"iss": nil, "aud": nil, "nbf": nil, "exp": nil, "client_id": nil}})
	if _, answer := b.authorizeBy(url.Values{"client_id": {"relaxed"}, "request": {bare}}); !answer.Has("code") {
		t.Errorf("got %v", answer)
	}
	old := w.object(object{client: "relaxed", changes: map[string]any{"exp": w.now().Add(-time.Minute).Unix()}})
	for name, values := range map[string]url.Values{
		"over":                        {"client_id": {"relaxed"}, "request": {old}},
		"over, with an evil address":  {"client_id": {"relaxed"}, "request": {old}, "redirect_uri": {"https://evil.example"}},
		"unsigned, with a page alone": {"client_id": {"relaxed"}, "request": {"eyJhbGciOiJub25lIn0.e30."}},
		"twice":                       {"client_id": {"relaxed"}, "request": {bare, bare}},
		"another client's":            {"client_id": {"portal"}, "request": {bare}},
	} {
		if to, status, _ := b.get("/authorize?" + values.Encode()); to != "" || status != http.StatusBadRequest {
			t.Errorf("%s: got %d, leading to %q, want a page", name, status, to)
		}
	}
	// Until it opens, the request is what stands outside, and so is who hears of it (RFC 6749 §4.1.2.1).
	_, answer := b.authorizeBy(params("relaxed", "request", old))
	if answer.Get("error") != "invalid_request_object" || answer.Get("state") != "st" {
		t.Errorf("got %v", answer)
	}
}

// A signed answer is one JWT with what the plain one has, for the client, soon over, of the algorithm that it wants; errors too (JARM §2.1–2.4).
func TestSignedAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.code("portal")
	read := func(response string, alg jose.SignatureAlgorithm, client string) map[string]any {
		t.Helper()
		parsed := must(jose.ParseSignedCompact(response, []jose.SignatureAlgorithm{alg}))
		if parsed.Signatures[0].Header.KeyID == "" {
			t.Error("no kid")
		}
		_, claims := w.claims(response)
		till := time.Unix(int64(claims["exp"].(float64)), 0).Sub(w.now())
		if claims["iss"] != w.issuer || claims["aud"] != client || till <= 0 || till > 10*time.Minute {
			t.Errorf("got %v", claims)
		}
		return claims
	}
	for _, mode := range []string{"jwt", "query.jwt"} {
		to, answer := b.authorizeBy(params("portal", "response_mode", mode))
		claims := read(answer.Get("response"), jose.RS256, "portal")
		if len(answer) != 1 || strings.Contains(to, "#") || claims["state"] != "st" || claims["code"] == nil || len(claims) != 5 {
			t.Errorf("%s: got %v, %v", mode, answer, claims)
		}
		w.redeem("portal", claims["code"].(string)).check(t, http.StatusOK, "")
	}
	_, answer := b.authorizeBy(params("portal", "response_mode", "jwt", "prompt", "none login"))
	if claims := read(answer.Get("response"), jose.RS256, "portal"); claims["error"] != "invalid_request" || claims["code"] != nil || answer.Has("error") {
		t.Errorf("got %v, %v", answer, claims)
	}
	for name, code := range map[string]string{"request": "invalid_request_object", "request_uri": "invalid_request_uri"} {
		value := map[string]string{"request": "x", "request_uri": requestURN + "x"}[name]
		_, answer = b.authorizeBy(params("portal", "response_mode", "jwt", name, value))
		if claims := read(answer.Get("response"), jose.RS256, "portal"); claims["error"] != code || len(answer) != 1 {
			t.Errorf("a %s that does not open: got %v, %v", name, answer, claims)
		}
	}
	request := w.object(object{client: "signing", changes: map[string]any{"response_mode": "jwt"}})
	_, answer = b.authorizeBy(url.Values{"client_id": {"signing"}, "request": {request}})
	if claims := read(answer.Get("response"), jose.PS256, "signing"); claims["code"] == nil {
		t.Errorf("got %v", claims)
	}
	to, status, body := b.get("/authorize?" + params("portal", "response_mode", "form_post.jwt").Encode())
	if to != "" || status != http.StatusOK || !strings.Contains(body, `name="response" value="eyJ`) || strings.Contains(body, `name="state"`) {
		t.Errorf("form_post.jwt: got %d, leading to %q: %s", status, to, body)
	}
	// It is not taken for an ID token, whose typ it has.
	if got := b.authorize(params("portal", "id_token_hint", answer.Get("response"))); got.Get("error") != "invalid_request" {
		t.Errorf("got %v, want a signed answer refused as a hint", got)
	}
}
