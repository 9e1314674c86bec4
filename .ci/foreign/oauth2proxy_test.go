package foreign

import (
	"errors"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestOAuth2Proxy(t *testing.T) {
	build := exec.CommandContext(t.Context(), "go", "build", "-o", programs+"/oauth2-proxy", "github.com/oauth2-proxy/oauth2-proxy/v7")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build oauth2-proxy: %v\n%s", err, said)
	}
	g := guide(t)
	client := land.register(t, map[string]any{
		"redirect_uris": []string{g.at + "/oauth2/callback"}, "post_logout_redirect_uris": []string{g.at + "/"},
	})
	config := g.file(t, "oauth2-proxy.cfg", strings.Replace(g.block(t, "toml", 0, client), `"4m"`, `"1s"`, 1)+`
cookie_secure = false # for plain http
pass_access_token = true # so that the test sees what the proxy holds
pass_authorization_header = true
skip_jwt_bearer_tokens = true
`)
	serve(t, exec.Command(filepath.Join(programs, "oauth2-proxy"), "--config", config, "--http-address", strings.TrimPrefix(g.at, "http://")), g.at+"/ping")

	b := newBrowser(t)
	b.open(g.at + "/")
	if user := b.header("X-Forwarded-User"); user != land.citizen.Identifier {
		t.Errorf("signed in: got %q", user)
	}
	before := b.header("Authorization")
	access := b.header("X-Forwarded-Access-Token")
	eventually(t, func() error { // a second passes
		if b.open(g.at + "/"); b.header("X-Forwarded-Access-Token") == access {
			return errors.New("it has not refreshed")
		}
		return nil
	})

	land.rotate(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.at+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+before)
	if got := must[*http.Response](t)(patient.Do(r)); got.StatusCode != http.StatusOK {
		t.Errorf("an ID token from before the rotation: got %s", got.Status)
	}
	other := newBrowser(t)
	other.open(g.at + "/")
	if after := other.header("Authorization"); kid(t, after) == kid(t, before) {
		t.Error("the key is the same after a rotation")
	}

	signOut := regexp.MustCompile("`(/oauth2/sign_out[^`]*)`").FindStringSubmatch(g.text)
	if b.open(g.at + signOut[1]); b.signedIn != 2 {
		t.Errorf("after sign-out nobody asks who is there: %s %s", b.at, b.text)
	}
}
