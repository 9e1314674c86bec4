package provider_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"asoba.example/provider/api/prooftest"
	"asoba.example/provider/tokens"
)

// A prover makes DPoP proofs with a key of its own.
type prover struct {
	w *world
	prooftest.Prover
}

func (w *world) prover() prover { return prover{w, prooftest.New(w.t)} }

// jkt is the thumbprint of the key.
func (p prover) jkt() string { return p.Thumbprint(p.w.t) }

// proof makes a proof for a request, with changes to what would be right; nil takes a claim out.
func (p prover) proof(r *http.Request, changes ...any) string {
	p.w.t.Helper()
	return p.Prove(p.w.t, r.Method, p.w.issuer+r.URL.Path, "", p.w.now(), changes...)
}

// prove puts a proof beside a request.
func (p prover) prove(r *http.Request, changes ...any) *http.Request {
	p.w.t.Helper()
	r.Header.Set("DPoP", p.proof(r, changes...))
	return r
}

// redemption is the request that redeems a code.
func (w *world) redemption(client, code string) *http.Request {
	w.t.Helper()
	v := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
	if client == "app" {
		v.Set("redirect_uri", "http://127.0.0.1:4711/cb")
	}
	return w.from(client, "/token", v)
}

func (w *world) refreshing(client, token string) *http.Request {
	w.t.Helper()
	return w.from(client, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// me asks UserInfo, showing an access token by a scheme.
func (w *world) me(scheme, token string) *http.Request {
	r := must(http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.issuer+"/userinfo", nil))
	r.Header.Set("Authorization", scheme+" "+token)
	return r
}

func ath(token string) string { return base64.RawURLEncoding.EncodeToString(tokens.Digest(token)) }

// A token is bound to the key of the proof that it was asked with (RFC 9449 §5, §6): at the code, at each refresh and in a client's own name;
// it is no bearer token (§7), and introspection tells (§6.2).
func TestDPoPBindsAccessTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	holder := w.prover()
	bound := func(name string, got answer, to prover) {
		t.Helper()
		got.check(t, http.StatusOK, "")
		_, claims := w.claims(got.text("access_token"))
		cnf, _ := claims["cnf"].(map[string]any)
		if got.text("token_type") != "DPoP" || len(cnf) != 1 || cnf["jkt"] != to.jkt() {
			t.Errorf("%s: got a %s token with cnf %v", name, got.text("token_type"), cnf)
		}
	}
	given := w.do(holder.prove(w.redemption("portal", w.browser().code("portal", "scope", "openid cabinet.profile.read offline_access"))))
	bound("code", given, holder)
	bound("client_credentials", w.do(holder.prove(w.from("signer", "/token", url.Values{"grant_type": {"client_credentials"}}))), holder)
	another := w.prover()
	bound("refresh by another key, of a client with credentials (RFC 9449 §5)",
		w.do(another.prove(w.refreshing("portal", given.text("refresh_token")))), another)
	w.refresh("portal", given.text("refresh_token")).check(t, http.StatusBadRequest, "invalid_grant") // nor does it become a bearer's

	access := given.text("access_token")
	w.do(holder.prove(w.me("dPoP", access), "ath", ath(access))).check(t, http.StatusOK, "")
	post := w.from("", "/userinfo", url.Values{})
	post.Header.Set("Authorization", "DPoP "+access)
	w.do(holder.prove(post, "ath", ath(access))).check(t, http.StatusOK, "")
	used := holder.prove(w.me("DPoP", access), "ath", ath(access))
	w.do(used).check(t, http.StatusOK, "")
	two := holder.prove(w.me("DPoP", access), "ath", ath(access))
	two.Header.Add("DPoP", holder.proof(two, "ath", ath(access)))
	for name, r := range map[string]*http.Request{
		"invalid_token as a bearer token":                 w.me("Bearer", access),
		"invalid_token by another key":                    another.prove(w.me("DPoP", access), "ath", ath(access)),
		"invalid_token in a form":                         w.request("/userinfo", url.Values{"access_token": {access}}),
		"invalid_dpop_proof without a proof":              w.me("DPoP", access),
		"invalid_dpop_proof two of them":                  two,
		"invalid_dpop_proof without ath":                  holder.prove(w.me("DPoP", access)),
		"invalid_dpop_proof for the token endpoint":       holder.prove(w.me("DPoP", access), "ath", ath(access), "htu", w.issuer+"/token"),
		"invalid_dpop_proof used before (RFC 9449 §11.1)": used,
	} {
		code, _, _ := strings.Cut(name, " ")
		got := w.do(r)
		challenges := strings.Join(got.header["Www-Authenticate"], "\n")
		if got.status != http.StatusUnauthorized || got.text("error") != code ||
			!strings.Contains(challenges, `error="`+code+`"`) || !strings.Contains(challenges, `algs="PS256 ES256 EdDSA RS256"`) {
			t.Errorf("%s: got %d %v, %s", name, got.status, got.body, challenges)
		}
	}

	told := w.introspect("cabinet", access)
	if cnf, _ := told.body["cnf"].(map[string]any); told.text("token_type") != "DPoP" || cnf["jkt"] != holder.jkt() {
		t.Errorf("introspection: got %v", told.body)
	}
}

// A proof that is not right is refused before anything is used up; the code is still good (RFC 9449 §5).
func TestAWrongProofSpendsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	holder := w.prover()
	code := w.browser().code("bound")
	used := holder.prove(w.from("signer", "/token", url.Values{"grant_type": {"client_credentials"}})).Header.Get("DPoP")
	first := w.from("signer", "/token", url.Values{"grant_type": {"client_credentials"}})
	first.Header.Set("DPoP", used)
	w.do(first).check(t, http.StatusOK, "")
	for name, spoil := range map[string]func(*http.Request){
		"none, where the client is registered for DPoP": func(*http.Request) {},
		"for another endpoint":                          func(r *http.Request) { holder.prove(r, "htu", w.issuer+"/userinfo") },
		"for another method":                            func(r *http.Request) { holder.prove(r, "htm", "GET") },
		"two":                                           func(r *http.Request) { holder.prove(r).Header.Add("DPoP", holder.proof(r)) },
		"garbage":                                       func(r *http.Request) { r.Header.Set("DPoP", "x") },
		"used before":                                   func(r *http.Request) { r.Header.Set("DPoP", used) },
	} {
		r := w.redemption("bound", code)
		spoil(r)
		if got := w.do(r); got.status != http.StatusBadRequest || got.text("error") != "invalid_dpop_proof" {
			t.Errorf("%s: got %d %v", name, got.status, got.body)
		}
	}
	w.do(holder.prove(w.redemption("bound", code))).check(t, http.StatusOK, "")
}

// Whoever's clock is wrong gets a nonce, and is served with it at the second try: by the same code, and the same client assertion
// (RFC 9449 §8).
func TestANonceSpendsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	holder := w.prover()
	retry := func(name string, send func(nonce string) answer) {
		t.Helper()
		got := send("stale")
		got.check(t, http.StatusBadRequest, "use_dpop_nonce")
		nonce := got.header.Get("DPoP-Nonce")
		if got = send(nonce); nonce == "" || got.status != http.StatusOK {
			t.Errorf("%s: with the nonce %q: got %d %v", name, nonce, got.status, got.body)
		}
	}
	code := w.browser().code("bound")
	retry("code", func(nonce string) answer { return w.do(holder.prove(w.redemption("bound", code), "nonce", nonce)) })
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_assertion": {w.assertion(nil)},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}
	retry("assertion", func(nonce string) answer { return w.do(holder.prove(w.request("/token", form), "nonce", nonce)) })
	w.do(holder.prove(w.request("/token", form))).check(t, http.StatusUnauthorized, "invalid_client") // now it is used up
}

// A code is bound to the key that dpop_jkt names (RFC 9449 §10).
func TestDPoPBindsCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	holder := w.prover()
	redeem := func(by *prover) answer {
		r := w.redemption("portal", b.code("portal", "dpop_jkt", holder.jkt()))
		if by != nil {
			by.prove(r)
		}
		return w.do(r)
	}
	redeem(&holder).check(t, http.StatusOK, "")
	thief := w.prover()
	redeem(&thief).check(t, http.StatusBadRequest, "invalid_grant")
	redeem(nil).check(t, http.StatusBadRequest, "invalid_grant")

	// A proof beside a pushed request does the same (RFC 9449 §10.1).
	pushed := w.do(holder.prove(w.from("portal", "/par", params("portal"))))
	pushed.check(t, http.StatusCreated, "")
	push := url.Values{"client_id": {"portal"}, "request_uri": {pushed.text("request_uri")}, "redirect_uri": {callback}}
	w.do(thief.prove(w.redemption("portal", b.authorize(push).Get("code")))).check(t, http.StatusBadRequest, "invalid_grant")
	w.do(thief.prove(w.from("portal", "/par", params("portal", "dpop_jkt", holder.jkt())))).check(t, http.StatusBadRequest, "invalid_dpop_proof")
	if got := b.authorize(params("portal", "dpop_jkt", "x")); got.Get("error") != "invalid_request" {
		t.Errorf("a thumbprint that is none: got %v", got)
	}
}

// A public client's refresh token is bound to the key that the code was redeemed with (RFC 9449 §5): to a thief it is worth nothing, and
// the client keeps it.
func TestDPoPBindsAPublicClientsRefreshTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	holder, thief := w.prover(), w.prover()
	token := w.do(holder.prove(w.redemption("app", w.browser().code("app", "scope", "openid offline_access")))).text("refresh_token")
	w.do(thief.prove(w.refreshing("app", token))).check(t, http.StatusBadRequest, "invalid_grant")
	w.refresh("app", token).check(t, http.StatusBadRequest, "invalid_grant")
	for range 2 {
		got := w.do(holder.prove(w.refreshing("app", token)))
		if got.check(t, http.StatusOK, ""); got.text("token_type") != "DPoP" {
			t.Errorf("got a %s token", got.text("token_type"))
		}
		token = got.text("refresh_token")
	}
}

// Of fifty who redeem a code at once, each with a proof of its own, exactly one has it; of fifty with one proof, too.
func TestACodeIsGoodOnceBesideProofs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	holder := w.prover()
	for name, same := range map[string]bool{"a proof each": false, "one proof": true} {
		code := w.browser().code("bound")
		proof := holder.proof(w.redemption("bound", code))
		var (
			won  atomic.Int64
			race sync.WaitGroup
		)
		for range 50 {
			race.Go(func() {
				r := holder.prove(w.redemption("bound", code))
				if same {
					r.Header.Set("DPoP", proof)
				}
				if got := w.do(r); got.status == http.StatusOK {
					won.Add(1)
				} else if code := got.text("error"); code != "invalid_grant" && code != "invalid_dpop_proof" {
					t.Errorf("%s: got %d %v", name, got.status, got.body)
				}
			})
		}
		race.Wait()
		if won.Load() != 1 {
			t.Errorf("%s: %d redemptions succeeded, want 1", name, won.Load())
		}
	}
}

// What is good once is remembered in one trip more, however much of it there is; where Redis does not answer, nothing is given.
func TestProofsCostOneTrip(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	holder := w.prover()
	access := w.do(holder.prove(w.redemption("bound", w.browser().code("bound")))).text("access_token")
	w.do(holder.prove(w.me("DPoP", access), "ath", ath(access))).check(t, http.StatusOK, "") // the first makes the deny list anew
	w.hook.take()
	w.do(holder.prove(w.from("signer", "/token", url.Values{"grant_type": {"client_credentials"}}))).check(t, http.StatusOK, "")
	if n := w.hook.take(); n != 1 {
		t.Errorf("%d trips to Redis for a proof and an assertion, want 1", n)
	}
	w.do(holder.prove(w.me("DPoP", access), "ath", ath(access))).check(t, http.StatusOK, "")
	if n := w.hook.take(); n != 2 {
		t.Errorf("%d trips to Redis at UserInfo, want 2", n)
	}
	w.hook.broken.Store(true)
	w.do(holder.prove(w.from("signer", "/token", url.Values{"grant_type": {"client_credentials"}}))).
		check(t, http.StatusServiceUnavailable, "temporarily_unavailable")
	w.do(holder.prove(w.me("DPoP", access), "ath", ath(access))).check(t, http.StatusServiceUnavailable, "temporarily_unavailable")
	w.hook.broken.Store(false)
}
