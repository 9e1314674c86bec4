package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"asoba.example/provider/clients"
)

// A disabled client gets nothing anywhere: no page and no redirect, no token, no answer, and what it was given is good
// nowhere (RFC 6749 §4.1.2.1, §5.2; RFC 7662 §2.2; RFC 6750 §3.1). Enabled, it goes on where it was.
func TestADisabledClientGetsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	offline := []string{"scope", "openid offline_access cabinet.profile.read"}
	given := w.redeem("portal", b.code("portal", offline...))
	access, refresh := given.text("access_token"), given.text("refresh_token")
	code := b.code("portal")
	if _, err := w.registry.Disable(t.Context(), "portal", clients.Any, clients.By{At: w.now()}); err != nil {
		t.Fatal(err)
	}
	to, status, page := b.get("/authorize?" + params("portal").Encode())
	if to != "" || status != http.StatusBadRequest || !strings.Contains(page, "unauthorized_client") {
		t.Errorf("authorize: got %d, led to %q", status, to)
	}
	w.redeem("portal", code).check(t, http.StatusUnauthorized, "invalid_client")
	w.refresh("portal", refresh).check(t, http.StatusUnauthorized, "invalid_client")
	w.call("/revoke", "portal", url.Values{"token": {refresh}}).check(t, http.StatusUnauthorized, "invalid_client")
	if got := w.introspect("cabinet", access); got.status != http.StatusOK || got.body["active"] != false || len(got.body) != 1 {
		t.Errorf("introspection of its token: got %d %v", got.status, got.body)
	}
	if got := w.userinfo(access); got.status != http.StatusUnauthorized {
		t.Errorf("userinfo: got %d %v", got.status, got.body)
	}
	if _, err := w.registry.Disable(t.Context(), "cabinet", clients.Any, clients.By{At: w.now()}); err != nil {
		t.Fatal(err)
	}
	w.introspect("cabinet", access).check(t, http.StatusUnauthorized, "invalid_client")

	for _, id := range []string{"portal", "cabinet"} {
		if _, err := w.registry.Enable(t.Context(), id, clients.Any, clients.By{At: w.now()}); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.refresh("portal", refresh); got.status != http.StatusOK {
		t.Errorf("enabled: got %d %v", got.status, got.body)
	}
	if got := w.introspect("cabinet", access); got.body["active"] != true {
		t.Errorf("enabled: got %v", got.body)
	}
}
