package provider_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Whatever stands in whichever parameter of whichever endpoint, it is the sender's mistake and never ours: no 5xx, and every answer to a
// program is JSON (RFC 6749 §5.2).
func TestStrangeInputIsNeverOurFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	given := w.redeem("portal", b.code("portal", "scope", "openid cabinet.profile.read offline_access"))
	b.code("app")
	assertion := url.Values{"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {"a.b.c"}}
	all := params("relaxed", "response_mode", "query", "prompt", "none", "max_age", "1", "ui_locales", "be", "acr_values", "low", "claims", "{}",
		"id_token_hint", given.text("id_token"), "login_hint", "x", "dpop_jkt", strings.Repeat("a", 43), "resource", w.issuer, "display", "page")
	asked := w.askDevice("tv", "openid")
	rows := map[string]struct {
		path, client string
		values       url.Values
	}{
		"authorize":            {"GET /authorize", "", all},
		"authorize by POST":    {"POST /authorize", "", all},
		"authorize, an object": {"GET /authorize", "", url.Values{"client_id": {"relaxed"}, "request": {"a.b.c"}}},
		"authorize, pushed":    {"GET /authorize", "", url.Values{"client_id": {"relaxed"}, "request_uri": {requestURN + "x"}}},
		"authorize, waiting":   {"GET /authorize", "", url.Values{"interaction": {"x"}}},
		"logout": {"GET /logout", "", url.Values{
			"id_token_hint": {given.text("id_token")}, "client_id": {"portal"}, "post_logout_redirect_uri": {bye}, "state": {"s"}, "ui_locales": {"be"},
		}},
		"logout, waiting":  {"GET /logout", "", url.Values{"interaction": {"x"}}},
		"logout, decided":  {"POST /logout/decision", "", url.Values{"interaction": {"x"}, "decision": {"logout"}}},
		"device":           {"POST /device", "", url.Values{"user_code": {"BCDF-GHJK"}}},
		"device, complete": {"GET /device", "", url.Values{"user_code": {"BCDF-GHJK"}}},
		"par":              {"POST /par", "relaxed", all},
		"a code": {"POST /token", "relaxed", url.Values{
			"grant_type": {"authorization_code"}, "code": {"x"}, "redirect_uri": {callback}, "code_verifier": {verifier}, "resource": {w.issuer},
		}},
		"a refresh": {"POST /token", "portal", url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {given.text("refresh_token")}, "scope": {"openid"}, "resource": {w.issuer},
		}},
		"its own name":         {"POST /token", "cabinet", url.Values{"grant_type": {"client_credentials"}, "scope": {"changes:read"}, "resource": {management}}},
		"a device's code":      {"POST /token", "tv", url.Values{"grant_type": {deviceCode}, "device_code": {asked.text("device_code")}}},
		"an assertion":         {"POST /token", "", maps.Clone(assertion)},
		"a secret":             {"POST /token", "", url.Values{"client_id": {"service"}, "client_secret": {"x"}, "grant_type": {"client_credentials"}}},
		"introspect":           {"POST /introspect", "cabinet", url.Values{"token": {given.text("access_token")}, "token_type_hint": {"access_token"}}},
		"revoke":               {"POST /revoke", "portal", url.Values{"token": {"x"}, "token_type_hint": {"access_token"}}},
		"device_authorization": {"POST /device_authorization", "tv", url.Values{"scope": {"openid"}, "resource": {w.issuer}, "acr_values": {"low"}}},
		"userinfo":             {"POST /userinfo", "", url.Values{"access_token": {given.text("access_token")}}},
		"an exchange": {"POST /token", "relay", url.Values{
			"grant_type": {tokenExchange}, "subject_token": {given.text("access_token")}, "subject_token_type": {ofAccess}, "audience": {w.issuer},
			"scope": {"openid"}, "requested_token_type": {ofAccess}, "actor_token": {"x"}, "resource": {w.issuer},
		}},
	}
	strange := []string{"\x00", "\xff\xfe", "a\r\nb", strings.Repeat("a", 5000), "ё🙂\u202e", "%", "' OR 1=1 --", "[]", "-1", " ", "https://[::1", "null"}
	for name, row := range rows {
		method, path, _ := strings.Cut(row.path, " ")
		for parameter := range row.values {
			for _, value := range strange {
				values := maps.Clone(row.values)
				values.Set(parameter, value)
				r := w.from(row.client, path, values)
				if method == http.MethodGet {
					r = must(http.NewRequestWithContext(t.Context(), method, w.issuer+path+"?"+values.Encode(), nil))
				}
				if _, status, body := b.send(r); status >= http.StatusInternalServerError || row.client != "" && !strings.HasPrefix(body, "{") && body != "" {
					t.Errorf("%s, %s=%.20q: got %d %s", name, parameter, value, status, body)
				}
			}
		}
	}
	for header, strange := range map[string][]string{
		"Authorization":   {"Basic \xff", "Basic Og==", "Basic /w==", "Bearer \xff", "DPoP ", "Basic AAAAAA==", "Basic JTAwOiUwMA=="},
		"DPoP":            {"\xff", ".", strings.Repeat("a.", 5000), "eyJ0eXAiOiJkcG9wK2p3dCJ9.e30."},
		"Content-Type":    {"application/x-www-form-urlencoded; charset=\xff", "text/plain", ";", "application/x-www-form-urlencoded;a=b;a=b"},
		"Accept":          {"\xff", ";q=", strings.Repeat("a/b,", 2000)},
		"Cookie":          {"idp_session=\xff", "idp_waiting=" + strings.Repeat("a", 4000), "=;;="},
		"Accept-Language": {"\xff", strings.Repeat("be,", 2000), "*;q=NaN"},
		"User-Agent":      {"\xff\xfe", strings.Repeat("Mozilla ", 500)},
	} {
		for _, value := range strange {
			for _, path := range []string{"/token", "/introspect", "/userinfo", "/par", "/revoke", "/authorize", "/logout", "/device", "/register"} {
				r := w.request(path, all)
				r.Header.Set(header, value)
				if _, status, body := w.browser().send(r); status >= http.StatusInternalServerError {
					t.Errorf("%s, %s: %.20q: got %d %s", path, header, value, status, body)
				}
			}
		}
	}
}
