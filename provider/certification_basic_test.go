package provider_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"asoba.example/provider/clients"
)

// The plan oidcc-basic-certification-test-plan, of a client without PKCE.
var basic = plan[party]{
	"oidcc-server": func(p party) { p.signsIn() },
	"oidcc-server-client-secret-post": func(p party) {
		p.id, p.pkce = "service", true
		p.signsIn()
	},
	"oidcc-response-type-missing": func(p party) {
		p.refused("unsupported_response_type", "response_type", "")
	},
	"oidcc-idtoken-signature": func(p party) { p.signsIn() }, // every sign-in of these plans is checked so
	"oidcc-idtoken-unsigned": func(p party) {
		m := clients.Metadata{RedirectURIs: []string{callback}, IDTokenSignedResponseAlg: "none"}
		if _, _, err := p.w.registry.Register(p.w.t.Context(), "unsigned", m, clients.By{At: p.w.now()}); err == nil {
			p.w.t.Error("a client is registered that wants its ID tokens unsigned")
		}
	},

	"oidcc-userinfo-get": func(p party) { p.signsIn() },
	"oidcc-userinfo-post-header": func(p party) {
		r := p.w.request("/userinfo", url.Values{})
		r.Header.Set("Authorization", "Bearer "+p.signsIn().tokens.text("access_token"))
		p.w.do(r).check(p.w.t, http.StatusOK, "")
	},
	"oidcc-userinfo-post-body": func(p party) {
		access := p.signsIn().tokens.text("access_token")
		p.w.do(p.w.request("/userinfo", url.Values{"access_token": {access}})).check(p.w.t, http.StatusOK, "")
	},

	"oidcc-scope-profile": func(p party) { p.isTold("openid profile", "name") },
	"oidcc-scope-phone":   func(p party) { p.isTold("openid phone", "phone_number", "phone_number_verified") },
	"oidcc-scope-email":   func(p party) { p.isTold("openid email") }, // nobody's is kept: it is not offered, and ignored
	"oidcc-scope-address": func(p party) { p.isTold("openid address") },
	"oidcc-scope-all": func(p party) {
		p.isTold("openid profile phone email address", "name", "phone_number", "phone_number_verified")
	},
	"oidcc-claims-essential": func(p party) {
		if v := p.signsIn("claims", `{"userinfo":{"name":{"essential":true}}}`); v.info["name"] != "Anna" {
			p.w.t.Errorf("UserInfo tells %v", v.info)
		}
	},

	"oidcc-alternate-happy-flow": func(p party) {
		request := p.request("scope", "phone profile openid")
		names := strings.Split(request.Encode(), "&")
		slices.Reverse(names)
		v := p.visited(request, p.led("/authorize?"+strings.Join(names, "&")))
		if v.info["name"] == nil || v.info["phone_number"] == nil {
			p.w.t.Errorf("UserInfo tells %v", v.info)
		}
	},
	"oidcc-ensure-request-without-nonce-succeeds-for-code-flow": func(p party) { p.signsIn("nonce", "") },
	"oidcc-ensure-request-with-unknown-parameter-succeeds":      func(p party) { p.signsIn("extra", "foobar") },
	"oidcc-ensure-request-with-valid-pkce-succeeds": func(p party) {
		p.pkce = true
		p.signsIn()
	},
	"oidcc-ensure-request-with-acr-values-succeeds": func(p party) {
		if v := p.signsIn("acr_values", "urn:other substantial"); v.id["acr"] != "substantial" {
			p.w.t.Errorf("got acr %v", v.id["acr"])
		}
	},
	"oidcc-ensure-post-request-succeeds": func(p party) {
		to, _, _ := p.b.post("/authorize", p.request())
		p.visited(p.request(), p.led(to))
	},
	"oidcc-display-page":   func(p party) { p.signsIn("display", "page") },
	"oidcc-display-popup":  func(p party) { p.signsIn("display", "popup") },
	"oidcc-login-hint":     func(p party) { p.signsIn("login_hint", "somebody@portal.example") },
	"oidcc-ui-locales":     func(p party) { p.signsIn("ui_locales", "se") },
	"oidcc-claims-locales": func(p party) { p.signsIn("claims_locales", "se") },

	"oidcc-prompt-none-not-logged-in": func(p party) { p.refused("login_required", "prompt", "none") },
	"oidcc-prompt-none-logged-in": func(p party) {
		first := p.signsIn()
		p.w.pass(time.Second)
		p.sameSignIn(first, "prompt", "none")
	},
	"oidcc-id-token-hint": func(p party) {
		first := p.signsIn()
		p.w.pass(time.Second)
		p.sameSignIn(first, "prompt", "none", "id_token_hint", first.tokens.text("id_token"))
	},
	"oidcc-prompt-login": func(p party) {
		first := p.signsIn()
		p.w.pass(time.Second)
		p.newSignIn(first, "prompt", "login")
	},
	"oidcc-max-age-1": func(p party) {
		first := p.signsIn()
		p.w.pass(2 * time.Second)
		p.newSignIn(first, "max_age", "1")
	},
	"oidcc-max-age-10000": func(p party) {
		first := p.signsIn("max_age", "10000")
		p.w.pass(time.Second)
		p.sameSignIn(first, "max_age", "10000")
	},

	"oidcc-codereuse":           func(p party) { p.replays(0) },
	"oidcc-codereuse-30seconds": func(p party) { p.replays(30 * time.Second) },
	"oidcc-refresh-token": func(p party) {
		first := p.signsIn("scope", "openid offline_access", "prompt", "consent")
		token := first.tokens.text("refresh_token")
		p.w.pass(time.Second)
		p.w.refresh("portal", token).check(p.w.t, http.StatusBadRequest, "invalid_grant")
		renewed := p.w.refresh(p.id, token)
		renewed.check(p.w.t, http.StatusOK, "")
		id := p.reads(renewed, url.Values{})
		for _, claim := range []string{"iss", "sub", "aud", "auth_time"} { // OpenID Connect Core §12.2
			if id[claim] != first.id[claim] {
				p.w.t.Errorf("%s was %v and is %v", claim, first.id[claim], id[claim])
			}
		}
		p.w.userinfo(renewed.text("access_token")).check(p.w.t, http.StatusOK, "")
	},

	"oidcc-ensure-registered-redirect-uri": func(p party) {
		to, status, body := p.b.get("/authorize?" + p.request("redirect_uri", callback+"/other").Encode())
		if to != "" || status != http.StatusBadRequest || !strings.Contains(body, "redirect_uri") {
			p.w.t.Errorf("got %d, leading to %q", status, to)
		}
	},
	"oidcc-ensure-request-object-with-redirect-uri": func(p party) {
		p.pkce = true // as inside
		o := object{client: p.id, changes: map[string]any{"response_mode": p.mode}}
		if p.mode == "" {
			o.changes = nil
		}
		p.visited(p.request(), p.led("/authorize?"+p.request("request", p.w.object(o), "redirect_uri", "https://evil.example/cb").Encode()))
	},
	"oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported": func(p party) {
		p.refused("request_uri_not_supported", "request_uri", "https://portal.example/request")
	},
	"oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported": func(p party) {
		p.refused("request_not_supported", "request", "eyJhbGciOiJub25lIn0.e30.")
	},
}

// Basic OP.
func TestBasicOP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	certify(w, basic, func() party { return party{w: w, b: w.browser(), id: "relaxed"} })
}

// Form Post OP is Basic OP with another way for the answers (OAuth 2.0 Form Post Response Mode §2).
func TestFormPostOP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	certify(w, basic, func() party { return party{w: w, b: w.browser(), id: "relaxed", mode: "form_post"} })
}

// refused has the party hear an error, with its state and the issuer, and no code (OpenID Connect Core §3.1.2.6; RFC 9207 §2).
func (p party) refused(code string, changes ...string) {
	p.w.t.Helper()
	got := p.asks(changes...)
	if got.Get("error") != code || got.Get("state") != "st" || got.Get("iss") != p.w.issuer || got.Has("code") {
		p.w.t.Errorf("got %v, want %s", got, code)
	}
}

// isTold has UserInfo tell the claims of the scopes, and nothing else of the person; the ID token tells none of them (OpenID Connect Core §5.4).
func (p party) isTold(scope string, claims ...string) {
	p.w.t.Helper()
	v := p.signsIn("scope", scope)
	for _, claim := range claims {
		if v.info[claim] == nil || v.id[claim] != nil {
			p.w.t.Errorf("UserInfo tells of the %s %v, the ID token %v", claim, v.info[claim], v.id[claim])
		}
	}
	if len(v.info) != 1+len(claims) {
		p.w.t.Errorf("UserInfo tells %v", v.info)
	}
}

// sameSignIn has the party led back at once, with what it knows of the sign-in before.
func (p party) sameSignIn(first visit, changes ...string) {
	p.w.t.Helper()
	if to, _, _ := p.b.get("/authorize?" + p.request(changes...).Encode()); strings.HasPrefix(to, "/") {
		p.w.t.Errorf("a page is shown: %s", to)
	}
	again := p.signsIn(changes...)
	if again.id["sub"] != first.id["sub"] || !p.w.authTime(again).Equal(p.w.authTime(first)) {
		p.w.t.Errorf("got %v after %v", again.id, first.id)
	}
}

// newSignIn has the person sign in anew.
func (p party) newSignIn(first visit, changes ...string) {
	p.w.t.Helper()
	again := p.signsIn(changes...)
	if again.id["sub"] != first.id["sub"] || !p.w.authTime(again).After(p.w.authTime(first)) {
		p.w.t.Errorf("got %v after %v", again.id, first.id)
	}
}

// replays shows a code again after a while: it gives nothing, and what it gave is over (RFC 6749 §4.1.2).
func (p party) replays(after time.Duration) {
	p.w.t.Helper()
	v := p.signsIn()
	p.w.pass(after)
	p.redeem(v.answer.Get("code")).check(p.w.t, http.StatusBadRequest, "invalid_grant")
	p.w.userinfo(v.tokens.text("access_token")).check(p.w.t, http.StatusUnauthorized, "invalid_token")
}
