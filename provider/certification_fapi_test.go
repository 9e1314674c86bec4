package provider_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"asoba.example/provider/clients"
)

// The plan fapi2-security-profile-final-test-plan, but for what is of one way alone to authenticate or to bind tokens.
var securityProfile = plan[strictParty]{
	"fapi2-security-profile-final-discovery-end-point-verification": func(p strictParty) {
		metadata := p.w.discovered()
		for _, name := range []string{"authorization_response_iss_parameter_supported", "tls_client_certificate_bound_access_tokens"} {
			if metadata[name] != true {
				p.w.t.Errorf("%s is %v", name, metadata[name])
			}
		}
		if _, told := metadata["require_pushed_authorization_requests"].(bool); !told || metadata["pushed_authorization_request_endpoint"] == nil {
			p.w.t.Error("pushed requests are not told of")
		}
		for _, of := range []string{"dpop", "token_endpoint_auth", "request_object", "id_token", "authorization"} {
			if algs, _ := metadata[of+"_signing_alg_values_supported"].([]any); !slices.Contains(algs, any("PS256")) || !slices.Contains(algs, any("ES256")) {
				p.w.t.Errorf("the algorithms of %s are %v", of, algs)
			}
		}
	},
	"fapi2-security-profile-final-happy-flow": func(p strictParty) { p.signsIn() },
	"fapi2-security-profile-final-user-rejects-authentication": func(p strictParty) {
		to, _, _ := p.b.get("/authorize?" + p.taking(p.pushes(right)).Encode())
		p.hears("access_denied", p.read(p.b.follow(strings.Replace(to, "/sign-in?", "/refuse?", 1))))
	},
	"fapi2-security-profile-final-ensure-authorization-request-without-state-success": func(p strictParty) { p.signsIn("state", "") },
	"fapi2-security-profile-final-ensure-authorization-request-without-nonce-success": func(p strictParty) { p.signsIn("nonce", "") },
	"fapi2-security-profile-final-ensure-authorization-request-with-64-char-nonce-success": func(p strictParty) {
		p.signsIn("nonce", strings.Repeat("n", 64))
	},
	"fapi2-security-profile-final-ensure-authorization-request-with-long-nonce": func(p strictParty) {
		p.signsIn("nonce", strings.Repeat("n", 384))
	},
	"fapi2-security-profile-final-ensure-authorization-request-with-long-state": func(p strictParty) {
		p.signsIn("state", strings.Repeat("s", 384))
	},
	"fapi2-security-profile-final-ensure-other-scope-order-succeeds": func(p strictParty) {
		p.signsIn("scope", "phone profile openid")
	},
	"fapi2-security-profile-final-test-claims-parameter-identity-claims": func(p strictParty) {
		v := p.signsIn("claims", `{"userinfo":{"name":{"essential":true},"unheard_of":null},"id_token":{"phone_number":null}}`)
		if v.info["name"] == nil || v.id["phone_number"] == nil || v.id["name"] != nil {
			p.w.t.Errorf("UserInfo tells %v, the ID token %v", v.info, v.id)
		}
	},
	"fapi2-security-profile-final-access-token-type-header-case-sensitivity": func(p strictParty) {
		access := p.signsIn().tokens.text("access_token")
		for _, scheme := range []string{strings.ToLower(p.scheme()), strings.ToUpper(p.scheme())} {
			p.shows(access, how{scheme: scheme}).check(p.w.t, http.StatusOK, "")
		}
	},

	"fapi2-security-profile-final-ensure-registered-redirect-uri": func(p strictParty) {
		p.cannotPush("invalid_request", "redirect_uri", callback+"/other")
	},
	"fapi2-security-profile-final-plain-fapi-tolerate-unregistered-redirect-uri": func(p strictParty) { // we do not
		p.cannotPush("invalid_request", "redirect_uri", "https://elsewhere.example/cb")
	},
	"fapi2-security-profile-final-ensure-unsigned-authorization-request-without-using-par-fails": func(p strictParty) {
		_, got := p.b.authorizeBy(params(p.id))
		p.hears("invalid_request", got)
	},
	"fapi2-security-profile-final-ensure-redirect-uri-in-authorization-request": func(p strictParty) {
		p.cannotPush("invalid_request", "redirect_uri", "")
	},
	"fapi2-security-profile-final-ensure-response-type-code-idtoken-fails": func(p strictParty) {
		p.cannotPush("unsupported_response_type", "response_type", "code id_token")
	},
	"fapi2-security-profile-final-ensure-response-type-token-fails": func(p strictParty) {
		p.cannotPush("unsupported_response_type", "response_type", "token")
	},

	"fapi2-security-profile-final-ensure-client-id-in-token-endpoint": func(p strictParty) {
		form := p.redemption(p.code())
		form.Set("client_id", p.second.id)
		p.sends("/token", form, right).check(p.w.t, http.StatusUnauthorized, "invalid_client")
	},
	"fapi2-security-profile-final-ensure-holder-of-key-required": func(p strictParty) {
		p.isRefused(p.sends("/token", p.redemption(p.code()), how{unbound: true}))
	},
	"fapi2-security-profile-final-ensure-authorization-code-is-bound-to-client": func(p strictParty) {
		code := p.code()
		form := p.second.redemption(code)
		p.second.sends("/token", form, right).check(p.w.t, http.StatusBadRequest, "invalid_grant")
	},
	"fapi2-security-profile-final-attempt-reuse-authorization-code-after-one-second": func(p strictParty) {
		v := p.signsIn()
		p.w.pass(time.Second)
		p.sends("/token", p.redemption(v.answer.Get("code")), right).check(p.w.t, http.StatusBadRequest, "invalid_grant")
		p.shows(v.tokens.text("access_token"), right).check(p.w.t, http.StatusUnauthorized, "invalid_token")
	},
	"fapi2-security-profile-final-ensure-token-endpoint-fails-with-expired-auth-code": func(p strictParty) {
		code := p.code()
		p.w.pass(62 * time.Second)
		p.sends("/token", p.redemption(code), right).check(p.w.t, http.StatusBadRequest, "invalid_grant")
	},
	"fapi2-security-profile-final-refresh-token": func(p strictParty) {
		first := p.signsIn("scope", "openid offline_access", "prompt", "consent")
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.tokens.text("refresh_token")}}
		p.isRefused(p.sends("/token", form, how{unbound: true}))
		p.second.sends("/token", form, right).check(p.w.t, http.StatusBadRequest, "invalid_grant")
		p.sends("/token", form, how{anonymous: true}).check(p.w.t, http.StatusUnauthorized, "invalid_client")
		p.w.pass(time.Second)
		renewed := p.sends("/token", form, right)
		if id := p.reads(renewed, url.Values{}); id["auth_time"] != first.id["auth_time"] || id["sub"] != first.id["sub"] {
			p.w.t.Errorf("got %v after %v", id, first.id)
		}
		p.w.pass(30 * time.Second) // the answer may have been lost (FAPI 2.0 Security Profile §5.3.2.1)
		p.shows(p.sends("/token", form, right).text("access_token"), right).check(p.w.t, http.StatusOK, "")
	},

	"fapi2-security-profile-final-par-without-duplicate-parameters": func(p strictParty) { p.signsIn() }, // as every other here
	"fapi2-security-profile-final-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds": func(p strictParty) {
		taking := p.taking(p.pushes(right))
		if to, _, _ := p.b.get("/authorize?" + taking.Encode()); !strings.HasPrefix(to, "/sign-in?") {
			p.w.t.Errorf("led to %q", to)
		}
		p.visited(params(p.id), p.read(p.b.follow("/authorize?"+taking.Encode())))
	},
	"fapi2-security-profile-final-par-attempt-reuse-request_uri": func(p strictParty) {
		taking := p.taking(p.pushes(right))
		p.b.follow("/authorize?" + taking.Encode())
		p.isShown("invalid_request_uri", taking)
	},
	"fapi2-security-profile-final-par-attempt-to-use-expired-request_uri": func(p strictParty) {
		pushed := p.pushes(right)
		p.w.pass(time.Duration(pushed.body["expires_in"].(float64) * float64(time.Second)))
		p.isShown("invalid_request_uri", p.taking(pushed))
	},
	"fapi2-security-profile-final-par-attempt-to-use-request_uri-for-different-client": func(p strictParty) {
		taking := p.taking(p.pushes(right))
		taking.Set("client_id", p.second.id)
		p.isShown("invalid_request_uri", taking)
	},
	"fapi2-security-profile-final-par-authorization-request-containing-request_uri-form-param": func(p strictParty) {
		form := p.asking()
		form.Set("request_uri", requestURN+"x")
		p.sends("/par", form, right).check(p.w.t, http.StatusBadRequest, "invalid_request")
	},
	"fapi2-security-profile-final-par-attempt-invalid-http-method": func(p strictParty) {
		for _, method := range []string{http.MethodGet, http.MethodPut} {
			if got := p.w.status(must(http.NewRequestWithContext(p.w.t.Context(), method, p.w.issuer+"/par", nil))); got != http.StatusMethodNotAllowed {
				p.w.t.Errorf("%s: got %d", method, got)
			}
		}
	},

	"fapi2-security-profile-final-par-ensure-pkce-required": func(p strictParty) {
		p.cannotPush("invalid_request", "code_challenge", "", "code_challenge_method", "")
	},
	"fapi2-security-profile-final-par-plain-pkce-rejected": func(p strictParty) {
		p.cannotPush("invalid_request", "code_challenge", verifier, "code_challenge_method", "plain")
	},
	"fapi2-security-profile-final-ensure-pkce-code-verifier-required": func(p strictParty) {
		form := p.redemption(p.code())
		form.Del("code_verifier")
		p.sends("/token", form, right).check(p.w.t, http.StatusBadRequest, "invalid_grant")
	},
	"fapi2-security-profile-final-incorrect-pkce-code-verifier-rejected": func(p strictParty) {
		form := p.redemption(p.code())
		form.Set("code_verifier", strings.Repeat("x", 43))
		p.sends("/token", form, right).check(p.w.t, http.StatusBadRequest, "invalid_grant")
	},
}

// Those of the plan that are about private_key_jwt.
var byAssertion = plan[strictParty]{
	"fapi2-security-profile-final-ensure-signed-client-assertion-with-RS256-fails": func(p strictParty) { p.isNobody(how{weak: true}) },
	"fapi2-security-profile-final-ensure-client-assertion-in-token-endpoint":       func(p strictParty) { p.isNobody(how{anonymous: true}) },
	"fapi2-security-profile-final-ensure-client-assertion-with-wrong-aud-fails": func(p strictParty) {
		p.isNobody(saying("aud", "https://other.example"))
	},
	"fapi2-security-profile-final-ensure-client-assertion-with-no-sub-fails": func(p strictParty) { p.isNobody(saying("sub", nil)) },
	"fapi2-security-profile-final-par-test-array-as-audience-fails": func(p strictParty) {
		p.isNobody(saying("aud", []string{p.w.issuer, p.w.issuer + "/par"}))
	},
	"fapi2-security-profile-final-par-test-par-endpoint-url-as-audience-fails":   func(p strictParty) { p.isNobody(saying("aud", p.w.issuer+"/par")) },
	"fapi2-security-profile-final-par-test-token-endpoint-url-as-audience-fails": func(p strictParty) { p.isNobody(saying("aud", p.w.issuer+"/token")) },
	"fapi2-security-profile-final-ensure-client-assertion-with-exp-is-5-minutes-in-past-fails": func(p strictParty) {
		p.isNobody(saying("exp", p.w.at(-5*time.Minute)))
	},
	"fapi2-security-profile-final-par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted": func(p strictParty) {
		p.pushes(saying("nbf", p.w.at(8*time.Second))).check(p.w.t, http.StatusCreated, "")
	},
	"fapi2-security-profile-final-par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails": func(p strictParty) {
		p.isNobody(saying("nbf", p.w.at(61*time.Second)))
	},
}

// Those that are about DPoP.
var byProof = plan[strictParty]{
	"fapi2-security-profile-final-check-dpop-proof-nbf-exp": func(p strictParty) {
		p.proves("nbf", p.w.at(0), "exp", p.w.at(time.Minute))
	},
	"fapi2-security-profile-final-ensure-dpopproof-with-iat-10seconds-before-succeeds": func(p strictParty) { p.proves("iat", p.w.at(-10*time.Second)) },
	"fapi2-security-profile-final-ensure-dpopproof-with-iat-10seconds-after-succeeds":  func(p strictParty) { p.proves("iat", p.w.at(10*time.Second)) },
	"fapi2-security-profile-final-ensure-mismatched-dpop-jkt-fails": func(p strictParty) {
		p.pushes(how{binding: true}, "dpop_jkt", p.w.prover().jkt()).check(p.w.t, http.StatusBadRequest, "invalid_dpop_proof")
	},
	"fapi2-security-profile-final-ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt": func(p strictParty) {
		code := p.answered(p.pushes(how{binding: true})).Get("code")
		p.sends("/token", p.redemption(code), how{by: new(p.w.prover())}).check(p.w.t, http.StatusBadRequest, "invalid_grant")
	},
	"fapi2-security-profile-final-ensure-token-endpoint-fails-with-mismatched-dpop-jkt": func(p strictParty) {
		code := p.answered(p.pushes(right, "dpop_jkt", p.jkt())).Get("code")
		p.sends("/token", p.redemption(code), how{by: new(p.w.prover())}).check(p.w.t, http.StatusBadRequest, "invalid_grant")
	},
	"fapi2-security-profile-final-ensure-dpopproof-at-par-endpoint-binding-success": func(p strictParty) {
		p.visited(params(p.id), p.answered(p.pushes(how{binding: true})))
	},
	"fapi2-security-profile-final-ensure-dpop-auth-code-binding-success": func(p strictParty) {
		p.visited(params(p.id), p.answered(p.pushes(how{binding: true}, "dpop_jkt", p.jkt())))
	},
	"fapi2-security-profile-final-dpop-negative-tests": func(p strictParty) {
		access := p.signsIn().tokens.text("access_token")
		for name, h := range map[string]how{ // the rest of RFC 9449 §4.3 is held to in provider/api
			"as a bearer token": {scheme: "Bearer"},
			"without a proof":   {unbound: true},
			"by another's":      {by: new(p.w.prover())},
			"wrong ath":         {proof: []any{"ath", ath("other")}},
			"no ath":            {proof: []any{"ath", nil}},
			"wrong htm":         {proof: []any{"htm", "POST"}},
			"no htm":            {proof: []any{"htm", nil}},
			"wrong htu":         {proof: []any{"htu", p.w.issuer + "/token"}},
			"no htu":            {proof: []any{"htu", nil}},
			"no jti":            {proof: []any{"jti", nil}},
			"no iat":            {proof: []any{"iat", nil}},
			"iat an hour past":  {proof: []any{"iat", p.w.at(-time.Hour)}},
			"iat an hour ahead": {proof: []any{"iat", p.w.at(time.Hour)}},
		} {
			if got := p.shows(access, h); got.status != http.StatusUnauthorized || !strings.Contains(strings.Join(got.header["Www-Authenticate"], "\n"), "error=") {
				p.w.t.Errorf("%s: got %d %v", name, got.status, got.body)
			}
		}
		p.shows(access, how{proof: []any{"htu", p.w.issuer + "/userinfo?a=b#c"}}).check(p.w.t, http.StatusOK, "")
	},
}

// The plan fapi2-message-signing-final-test-plan asks the same of clients that sign what they ask, and this.
var messageSigning = plan[strictParty]{
	"fapi2-security-profile-final-ensure-request-object-with-multiple-aud-succeeds": func(p strictParty) {
		p.visited(params(p.id), p.answered(p.signs(object{changes: map[string]any{"aud": []string{"https://other.example", p.w.issuer}}})))
	},
	"fapi2-security-profile-final-ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted": func(p strictParty) {
		p.visited(params(p.id), p.answered(p.signs(object{changes: map[string]any{"nbf": p.w.at(8 * time.Second)}})))
	},
	"fapi2-security-profile-final-ensure-different-nonce-inside-and-outside-request-object": func(p strictParty) { p.ignores("nonce") },
	"fapi2-security-profile-final-ensure-different-state-inside-and-outside-request-object": func(p strictParty) { p.ignores("state") },
	"fapi2-security-profile-final-state-only-outside-request-object-not-used": func(p strictParty) {
		taking := p.taking(p.pushes(right, "state", ""))
		taking.Set("state", "outside")
		p.visited(params(p.id, "state", ""), p.read(p.b.follow("/authorize?"+taking.Encode())))
	},
	"fapi2-security-profile-final-ensure-request-object-without-exp-fails":          func(p strictParty) { p.cannotSign("exp", nil) },
	"fapi2-security-profile-final-ensure-request-object-without-nbf-fails":          func(p strictParty) { p.cannotSign("nbf", nil) },
	"fapi2-security-profile-final-ensure-request-object-with-bad-aud-fails":         func(p strictParty) { p.cannotSign("aud", "https://other.example") },
	"fapi2-security-profile-final-ensure-expired-request-object-fails":              func(p strictParty) { p.cannotSign("exp", p.w.at(-5*time.Minute)) },
	"fapi2-security-profile-final-ensure-request-object-with-exp-over-60-fails":     func(p strictParty) { p.cannotSign("exp", p.w.at(70*time.Minute)) },
	"fapi2-security-profile-final-ensure-request-object-with-nbf-over-60-fails":     func(p strictParty) { p.cannotSign("nbf", p.w.at(-70*time.Minute)) },
	"fapi2-security-profile-final-par-authorization-request-containing-request_uri": func(p strictParty) { p.cannotSign("request_uri", requestURN+"x") },
	"fapi2-security-profile-final-ensure-request-object-without-redirect-uri-fails": func(p strictParty) {
		p.cannotPush("invalid_request", "redirect_uri", "")
	},
	"fapi2-security-profile-final-ensure-signed-request-object-with-RS256-fails": func(p strictParty) {
		p.signs(object{alg: jose.RS256, key: p.weak}).check(p.w.t, http.StatusBadRequest, "invalid_request_object")
	},
	"fapi2-security-profile-final-ensure-matching-key-in-authorization-request": func(p strictParty) {
		p.signs(object{key: p.second.signing}).check(p.w.t, http.StatusBadRequest, "invalid_request_object")
	},
	"fapi2-security-profile-final-ensure-request-object-with-invalid-signature-fails": func(p strictParty) {
		p.sends("/par", url.Values{"request": {forged(p.asking().Get("request"))}}, right).check(p.w.t, http.StatusBadRequest, "invalid_request_object")
	},
	"fapi2-security-profile-final-ensure-request-object-signature-algorithm-is-not-none": func(p strictParty) {
		payload := strings.Split(p.asking().Get("request"), ".")[1]
		p.sends("/par", url.Values{"request": {"eyJhbGciOiJub25lIn0." + payload + "."}}, right).check(p.w.t, http.StatusBadRequest, "invalid_request_object")
	},
	"fapi2-security-profile-final-ensure-unsigned-request-at-par-endpoint-fails": func(p strictParty) {
		p.sends("/par", params(p.id), right).check(p.w.t, http.StatusBadRequest, "invalid_request")
	},
}

// A variant is how a client of FAPI 2.0 authenticates, what its tokens are bound to, and what is signed besides.
type variant struct {
	certified bool // authenticates by certificate; else by private_key_jwt
	bound     bool // has its tokens bound to its certificate; else to a key, by DPoP
	signed    bool // signs its requests (FAPI 2.0 Message Signing §5.3)
	answers   bool // has its answers signed (§5.4)
}

// ways are every way to authenticate with every way to bind tokens.
var ways = map[string]variant{
	"private_key_jwt, DPoP": {}, "private_key_jwt, mTLS": {bound: true},
	"mTLS, DPoP": {certified: true}, "mTLS, mTLS": {certified: true, bound: true},
}

// FAPI 2.0 Security Profile, in all its variants.
func TestFAPISecurityProfile(t *testing.T) {
	t.Parallel()
	for name, v := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v.certify(t, securityProfile)
		})
	}
}

// FAPI 2.0 Message Signing, in all its variants: of signed requests, and of signed answers besides.
func TestFAPIMessageSigning(t *testing.T) {
	t.Parallel()
	for name, v := range ways {
		for signs, answers := range map[string]bool{"JAR": false, "JAR, JARM": true} {
			t.Run(name+", "+signs, func(t *testing.T) {
				t.Parallel()
				signing := variant{certified: v.certified, bound: v.bound, signed: true, answers: answers}
				signing.certify(t, securityProfile, messageSigning)
			})
		}
	}
}

// certify plays the stories of a variant.
func (v variant) certify(t *testing.T, plans ...plan[strictParty]) {
	t.Helper()
	w := newWorld(t)
	modules := plan[strictParty]{}
	for _, p := range plans {
		maps.Copy(modules, p)
	}
	if !v.certified {
		maps.Copy(modules, byAssertion)
	}
	if !v.bound {
		maps.Copy(modules, byProof)
	}
	first, second := v.party(w, "first"), v.party(w, "second")
	first.second = &second
	certify(w, modules, func() strictParty {
		p := first
		p.b = w.browser()
		return p
	})
}

// A strictParty is a client of FAPI 2.0 as the conformance suite plays it, beside another one of its kind.
type strictParty struct {
	variant
	prover
	id      string
	b       *browser
	signing jose.JSONWebKey // its own, for assertions and requests
	weak    jose.JSONWebKey // of RSA, and registered too
	cert    *tls.Certificate
	second  *strictParty
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

// party registers a client of the variant.
func (v variant) party(w *world, id string) strictParty {
	w.t.Helper()
	own := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	p := strictParty{
		variant: v, prover: w.prover(), id: id,
		signing: jose.JSONWebKey{Key: own, KeyID: "k1"}, weak: jose.JSONWebKey{Key: rsaKey(), KeyID: "k2"},
		cert: w.ca.issue(w, own, func(c *x509.Certificate) { c.Subject.CommonName = id }),
	}
	m := clients.Metadata{
		Profile: clients.FAPI2, RedirectURIs: []string{callback}, FirstParty: true, GrantTypes: []string{"authorization_code", "refresh_token"},
		Scope: "openid profile phone offline_access", JWKS: &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{p.signing.Public(), p.weak.Public()}},
		CertificateBoundAccessTokens: v.bound, RequireSignedRequestObject: v.signed,
	}
	if v.certified {
		m.TokenEndpointAuthMethod, m.TLSClientAuthSubjectDN = "tls_client_auth", strings.Replace(dn, "Tax office", id, 1)
	}
	w.add(id, m)
	return p
}

// how a request differs from what it should be.
type how struct {
	claims    map[string]any // of the assertion, changed; nil takes one out
	weak      bool           // the assertion is of RS256
	anonymous bool           // without client authentication
	unbound   bool           // without proof or certificate
	binding   bool           // a pushed request has a proof too
	proof     []any          // members of the proof, changed
	by        *prover        // whose proof it is
	scheme    string         // of the access token
}

var right = how{}

func saying(claim string, value any) how { return how{claims: map[string]any{claim: value}} }

func (w *world) at(d time.Duration) int64 { return w.now().Add(d).Unix() }

// sends sends a form to an endpoint.
func (p strictParty) sends(path string, values url.Values, h how) answer {
	p.w.t.Helper()
	values = maps.Clone(values)
	if !values.Has("client_id") {
		values.Set("client_id", p.id)
	}
	if !p.certified && !h.anonymous {
		values.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		values.Set("client_assertion", p.assertion(h))
	}
	r := p.w.request(path, values)
	if path != "/par" || h.binding {
		p.bind(r, h)
	}
	return p.reach(r, p.certified && h.anonymous || p.bound && h.unbound)
}

// shows shows an access token at UserInfo.
func (p strictParty) shows(access string, h how) answer {
	p.w.t.Helper()
	scheme := h.scheme
	if scheme == "" {
		scheme = p.scheme()
	}
	r := p.w.me(scheme, access)
	h.proof = append([]any{"ath", ath(access)}, h.proof...)
	p.bind(r, h)
	return p.reach(r, p.bound && h.unbound)
}

func (p strictParty) scheme() string {
	if p.bound {
		return "Bearer"
	}
	return "DPoP"
}

// bind puts a proof beside a request of a client of DPoP.
func (p strictParty) bind(r *http.Request, h how) {
	p.w.t.Helper()
	by := &p.prover
	if h.by != nil {
		by = h.by
	}
	if !p.bound && !h.unbound {
		by.prove(r, h.proof...)
	}
}

// reach sends a request to the listener that is for the client.
func (p strictParty) reach(r *http.Request, bare bool) answer {
	p.w.t.Helper()
	switch {
	case !p.certified && !p.bound:
		return p.w.do(r)
	case bare:
		return p.w.reached(r, nil)
	}
	return p.w.reached(r, p.cert)
}

func (p strictParty) assertion(h how) string {
	p.w.t.Helper()
	claims := map[string]any{"iss": p.id, "sub": p.id, "aud": p.w.issuer, "jti": uuid.NewString(), "iat": p.w.at(0), "exp": p.w.at(time.Minute)}
	maps.Copy(claims, h.claims)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	by := jose.SigningKey{Algorithm: jose.ES256, Key: p.signing}
	if h.weak {
		by = jose.SigningKey{Algorithm: jose.RS256, Key: p.weak}
	}
	return must(jwt.Signed(must(jose.NewSigner(by, nil))).Claims(claims).Serialize())
}

// asking is the form of an authorization request: signed, where the client signs.
func (p strictParty) asking(changes ...string) url.Values {
	p.w.t.Helper()
	request := params(p.id, changes...)
	if !p.signed {
		return request
	}
	o := object{changes: map[string]any{}}
	for name := range params(p.id) {
		if !request.Has(name) {
			o.changes[name] = nil
		}
	}
	for name := range request {
		o.changes[name] = request.Get(name)
	}
	return url.Values{"request": {p.object(o)}}
}

// object makes a request object of the client.
func (p strictParty) object(o object) string {
	p.w.t.Helper()
	o.client = p.id
	if o.key == nil {
		o.key = p.signing
	}
	if p.answers {
		o.changes = maps.Clone(o.changes)
		if o.changes == nil {
			o.changes = map[string]any{}
		}
		o.changes["response_mode"] = "jwt"
	}
	return p.w.object(o)
}

func (p strictParty) pushes(h how, changes ...string) answer {
	p.w.t.Helper()
	return p.sends("/par", p.asking(changes...), h)
}

// signs pushes a request object.
func (p strictParty) signs(o object) answer {
	p.w.t.Helper()
	return p.sends("/par", url.Values{"request": {p.object(o)}}, right)
}

// taking are the parameters by which a pushed request is taken up: these two, and no others (RFC 9101 §5).
func (p strictParty) taking(pushed answer) url.Values {
	p.w.t.Helper()
	if pushed.check(p.w.t, http.StatusCreated, ""); p.w.t.Failed() {
		p.w.t.FailNow()
	}
	return url.Values{"client_id": {p.id}, "request_uri": {pushed.text("request_uri")}}
}

// answered takes up a pushed request, and gives the answer.
func (p strictParty) answered(pushed answer) url.Values {
	p.w.t.Helper()
	return p.read(p.b.follow("/authorize?" + p.taking(pushed).Encode()))
}

// read reads an answer, signed where the client has it so (JARM §2.1, §2.3).
func (p strictParty) read(led string) url.Values {
	p.w.t.Helper()
	query, ours := strings.CutPrefix(led, callback+"?")
	values := must(url.ParseQuery(query))
	if !ours || strings.Contains(led, "#") {
		p.w.t.Fatalf("led to %q", led)
	}
	if !p.answers {
		return values
	}
	_, claims := p.w.claims(values.Get("response"))
	if till, _ := claims["exp"].(float64); len(values) != 1 || claims["aud"] != p.id || till <= float64(p.w.at(0)) || till > float64(p.w.at(10*time.Minute)) {
		p.w.t.Errorf("the answer %v says %v", values, claims)
	}
	delete(claims, "aud")
	delete(claims, "exp")
	values = url.Values{}
	for name, value := range claims {
		values.Set(name, value.(string))
	}
	return values
}

func (p strictParty) redemption(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
}

func (p strictParty) code() string {
	p.w.t.Helper()
	return p.answered(p.pushes(right)).Get("code")
}

// signsIn signs the person in, by a request with changes.
func (p strictParty) signsIn(changes ...string) visit {
	p.w.t.Helper()
	return p.visited(params(p.id, changes...), p.answered(p.pushes(right, changes...)))
}

// visited takes up the answer to a request.
func (p strictParty) visited(request, led url.Values) visit {
	t := p.w.t
	t.Helper()
	if led.Get("code") == "" || led.Get("state") != request.Get("state") || led.Get("iss") != p.w.issuer {
		t.Fatalf("the answer is %v", led)
	}
	v := visit{answer: led, tokens: p.sends("/token", p.redemption(led.Get("code")), right)}
	v.id = p.reads(v.tokens, request)
	info := p.shows(v.tokens.text("access_token"), right)
	info.check(t, http.StatusOK, "")
	if v.info = info.body; v.info["sub"] != v.id["sub"] {
		t.Errorf("UserInfo tells of %v, the ID token of %v", v.info["sub"], v.id["sub"])
	}
	return v
}

// reads checks the tokens of an answer, and gives the claims of the ID token.
func (p strictParty) reads(tokens answer, request url.Values) map[string]any {
	p.w.t.Helper()
	return p.w.reads(tokens, p.scheme(), jose.ES256, p.id, request)
}

// hears has an answer be an error.
func (p strictParty) hears(code string, got url.Values) {
	p.w.t.Helper()
	if got.Get("error") != code || got.Get("state") != "st" || got.Get("iss") != p.w.issuer || got.Has("code") {
		p.w.t.Errorf("got %v, want %s", got, code)
	}
}

// isShown has a page say what is wrong, and nothing be sent anywhere.
func (p strictParty) isShown(code string, taking url.Values) {
	p.w.t.Helper()
	to, status, body := p.b.get("/authorize?" + taking.Encode())
	if to != "" || status != http.StatusBadRequest || !strings.Contains(body, code) {
		p.w.t.Errorf("got %d, leading to %q", status, to)
	}
}

// cannotPush has a request be refused when it is pushed.
func (p strictParty) cannotPush(code string, changes ...string) {
	p.w.t.Helper()
	p.pushes(right, changes...).check(p.w.t, http.StatusBadRequest, code)
}

// cannotSign has a request object be refused for one member; nil takes it out.
func (p strictParty) cannotSign(member string, value any) {
	p.w.t.Helper()
	p.signs(object{changes: map[string]any{member: value}}).check(p.w.t, http.StatusBadRequest, "invalid_request_object")
}

// ignores has a parameter beside a signed request count for nothing (RFC 9101 §6.3).
func (p strictParty) ignores(name string) {
	p.w.t.Helper()
	taking := p.taking(p.pushes(right))
	taking.Set(name, "outside")
	p.visited(params(p.id), p.read(p.b.follow("/authorize?"+taking.Encode())))
}

// isNobody has a client not be known, at whichever endpoint.
func (p strictParty) isNobody(h how) {
	p.w.t.Helper()
	p.pushes(h).check(p.w.t, http.StatusUnauthorized, "invalid_client")
	code := p.code()
	p.sends("/token", p.redemption(code), h).check(p.w.t, http.StatusUnauthorized, "invalid_client")
	p.sends("/token", p.redemption(code), right).check(p.w.t, http.StatusOK, "") // nothing was spent
}

// isRefused has an answer be one of those to whoever shows nothing that tokens could be bound to.
func (p strictParty) isRefused(got answer) {
	p.w.t.Helper()
	if got.status/100 != 4 || !slices.Contains([]string{"invalid_request", "invalid_grant", "invalid_dpop_proof", "invalid_client"}, got.text("error")) {
		p.w.t.Errorf("got %d %v", got.status, got.body)
	}
}

// proves has a proof be good that has these members.
func (p strictParty) proves(members ...any) {
	p.w.t.Helper()
	given := p.sends("/token", p.redemption(p.code()), how{proof: members})
	given.check(p.w.t, http.StatusOK, "")
	p.shows(given.text("access_token"), how{proof: members}).check(p.w.t, http.StatusOK, "")
}
