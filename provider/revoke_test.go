package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// What we did not make ends nothing, though it names a grant of the client's that lives; and the client hears no more than of garbage
// (RFC 7009 §2.2).
func TestAForgedTokenRevokesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tokens := w.offline("openid")
	access, refresh := tokens.text("access_token"), tokens.text("refresh_token")
	parts := strings.Split(access, ".")
	other := strings.Split(w.offline("openid").text("access_token"), ".")
	for name, forged := range map[string]string{
		"an access token with another's signature": parts[0] + "." + parts[1] + "." + other[2],
		"an unsigned access token":                 "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + parts[1] + ".",
		"an access token cut short":                access[:len(access)-4],
		"a refresh token with the grant's id":      refresh[:32] + strings.Repeat("A", len(refresh)-32),
		"a refresh token cut short":                refresh[:len(refresh)-1],
		"a refresh token for a code":               "code_" + strings.TrimPrefix(refresh, "refresh_"),
		"an ID token":                              tokens.text("id_token"),
	} {
		if got := w.call("/revoke", "app", url.Values{"token": {forged}}); got.status != http.StatusOK {
			t.Errorf("%s: got %d %v", name, got.status, got.body)
		}
		if got := w.userinfo(access); got.status != http.StatusOK {
			t.Fatalf("%s ended the grant", name)
		}
	}
	w.refresh("app", refresh).check(t, http.StatusOK, "")
}
