package provider_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"asoba.example/provider/clients"
)

// UserInfo is signed for a client that is registered so, with iss and aud and without nonce (OpenID Connect Core §5.3.2); and what was signed
// there is no ID token.
func TestUserInfoIsSigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, alg := range clients.SigningAlgs {
		w.add(alg, clients.Metadata{
			RedirectURIs: []string{callback}, Scope: "openid profile", FirstParty: true, UserinfoSignedResponseAlg: alg,
		})
		b := w.browser()
		tokens := w.redeem(alg, b.code(alg, "scope", "openid profile"))
		r := must(http.NewRequestWithContext(t.Context(), http.MethodGet, w.issuer+"/userinfo", nil))
		r.Header.Set("Authorization", "Bearer "+tokens.text("access_token"))
		response := must(http.DefaultClient.Do(r))
		signed := string(must(io.ReadAll(response.Body)))
		response.Body.Close()
		if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/jwt" ||
			response.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: got %d, %v, %s", alg, response.StatusCode, response.Header, signed)
		}
		typ, claims := w.claims(signed)
		if claims["iss"] != w.issuer || claims["aud"] != alg || claims["sub"] != identifier || claims["name"] != "Anna" || len(claims) != 4 {
			t.Errorf("%s: %v", alg, claims)
		}
		if got := b.authorize(params(alg, "prompt", "none", "id_token_hint", signed)).Get("error"); typ == "JWT" || got != "invalid_request" {
			t.Errorf("%s: as a hint, of typ %s: got %q", alg, typ, got)
		}
	}
}

// A claim that the person has no value of is left out, neither null nor "", however it was asked for (OpenID Connect Core §5.3.2, §5.5.1).
func TestUserInfoLeavesOutWhatHasNoValue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := `{"userinfo":{"middle_name":{"essential":true},"gender":null},"id_token":{"middle_name":{"essential":true},"gender":null}}`
	tokens := w.redeem("portal", w.browser().code("portal", "scope", "openid profile", "claims", asked))
	_, id := w.claims(tokens.text("id_token"))
	for where, claims := range map[string]map[string]any{"UserInfo": w.userinfo(tokens.text("access_token")).body, "the ID token": id} {
		for _, name := range []string{"middle_name", "gender"} {
			if value, told := claims[name]; told {
				t.Errorf("%s tells %s as %v", where, name, value)
			}
		}
	}
}

// What a client has registered as its default stands where a request says nothing of it (OpenID Connect Registration §2).
func TestDefaultsOfAClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("careful", clients.Metadata{
		RedirectURIs: []string{callback}, FirstParty: true, DefaultMaxAge: new(int64(600)), DefaultACRValues: []string{"substantial"},
	})
	b := w.browser()
	b.code("portal")
	silently := func(changes ...string) string {
		return b.authorize(params("careful", append(changes, "prompt", "none")...)).Get("error")
	}
	if got := silently(); got != "login_required" {
		t.Errorf("a low session without acr_values: got %q", got)
	}
	if got := silently("acr_values", "low"); got != "" {
		t.Errorf("acr_values that says otherwise: got %q", got)
	}
	_, claims := w.claims(w.redeem("careful", b.code("careful")).text("id_token"))
	if claims["acr"] != "substantial" {
		t.Errorf("got acr %v", claims["acr"])
	}
	w.pass(601 * time.Second)
	if got := silently(); got != "login_required" {
		t.Errorf("an old session without max_age: got %q", got)
	}
	if got := silently("max_age", "3600"); got != "" {
		t.Errorf("max_age that says otherwise: got %q", got)
	}
}

// Whoever was signed out without an address to go to may begin again where the client begins a sign-in (OpenID Connect Core §4).
func TestSignedOutLeadsToInitiateLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("inviting", clients.Metadata{
		RedirectURIs: []string{callback}, FirstParty: true, InitiateLoginURI: "https://portal.example/sign-in?from=idp",
	})
	b := w.browser()
	hint := w.redeem("inviting", b.code("inviting")).text("id_token")
	_, _, body := b.get("/logout?" + url.Values{"id_token_hint": {hint}}.Encode())
	if want := "https://portal.example/sign-in?from=idp&amp;iss=" + url.QueryEscape(w.issuer); !strings.Contains(body, `href="`+want+`"`) {
		t.Errorf("no link to %s in %s", want, body)
	}
}
