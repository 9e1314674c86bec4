package foreign

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// base is what Debian's own configuration of Apache has around the guide's, at an address and in a directory of the test's.
const base = `
ServerRoot /usr/lib/apache2
ServerName localhost
Listen %[1]s
DefaultRuntimeDir %[2]s
PidFile %[2]s/pid
ErrorLog %[2]s/log
User www-data
Group www-data
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authn_core_module modules/mod_authn_core.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule authz_user_module modules/mod_authz_user.so
LoadModule auth_openidc_module modules/mod_auth_openidc.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
ProxyPass / %[3]s/
OIDCInfoHook access_token userinfo
OIDCPassIDTokenAs claims serialized
<Location /bye>
    Require all granted
</Location>
%[4]s`

func TestModAuthOpenIDC(t *testing.T) {
	for _, way := range []string{"a secret", "a key"} {
		t.Run(way, func(t *testing.T) {
			g := guide(t)
			metadata := map[string]any{
				"redirect_uris": []string{g.at + "/callback"}, "post_logout_redirect_uris": []string{g.at + "/bye"},
				"backchannel_logout_uri": g.at + "/callback?logout=backchannel",
			}
			if way == "a key" {
				metadata["token_endpoint_auth_method"], metadata["token_endpoint_as_audience"] = "private_key_jwt", true
				metadata["jwks_uri"] = g.at + "/callback?jwks=rsa"
				private, public := pair(t)
				g.file(t, "private.pem", string(private))
				der := must[[]byte](t)(x509.MarshalPKIXPublicKey(public.Keys[0].Key))
				g.file(t, "public.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
			}
			client := land.register(t, metadata)
			config := g.block(t, "apache", 0, client)
			if way == "a key" {
				config = strings.Replace(config, "OIDCClientSecret "+client.Secret, g.block(t, "apache", 1, client), 1)
				config += "OIDCResponseMode form_post\n"
			}
			config = fmt.Sprintf(base, strings.TrimPrefix(g.at, "http://localhost:"), g.dir, g.echo, config)
			serve(t, exec.Command("apache2", "-f", g.file(t, "apache.conf", config), "-DFOREGROUND"), g.at+"/bye")
			t.Cleanup(func() {
				if log, err := os.ReadFile(g.dir + "/log"); err == nil && t.Failed() {
					t.Logf("%s", log)
				}
			})

			b := newBrowser(t)
			b.open(g.at + "/")
			if user := b.header("Oidc_claim_sub"); user != land.citizen.Identifier {
				t.Errorf("signed in: got %q", user)
			}
			signed := kid(t, b.header("Oidc_id_token"))
			before := b.told(g)
			if before.Info["family_name"] == nil {
				t.Errorf("userinfo: got %v", before.Info)
			}
			eventually(t, func() error { // a second passes
				if b.told(g).Access == before.Access {
					return errors.New("it has not refreshed")
				}
				return nil
			})

			land.rotate(t)
			eventually(t, func() error {
				b.told(g) // refreshes
				if b.open(g.at + "/"); kid(t, b.header("Oidc_id_token")) == signed {
					return errors.New("the key is the same after a rotation")
				}
				return nil
			})
			other := newBrowser(t)
			other.open(g.at + "/")
			if other.told(g).Info == nil {
				t.Error("nobody is signed in after a rotation")
			}

			bye := g.at + "/callback?logout=" + url.QueryEscape(g.at+"/bye")
			if at := b.open(bye); at.String() != g.at+"/bye" {
				t.Errorf("sign-out leads to %s: %s", at, b.text)
			}
			if b.open(g.at + "/"); b.signedIn != 2 {
				t.Errorf("after sign-out nobody asks who is there: %s %s", b.at, b.text)
			}

			// Somewhere else the same session ends: Apache hears of it.
			if got := other.open(land.issuer + "/logout"); len(other.forms) > 0 {
				other.decide("logout")
			} else {
				t.Errorf("sign-out at the provider: %s", got)
			}
			eventually(t, func() error {
				if other.open(g.at + "/"); other.signedIn != 2 {
					return errors.New("Apache has not heard of the sign-out")
				}
				return nil
			})
		})
	}
}

// told is what mod_auth_openidc tells of the browser's session, refreshed where the tokens are a second old.
func (b *browser) told(g guided) (told struct {
	Access string         `json:"access_token"`
	Info   map[string]any `json:"userinfo"`
},
) {
	b.t.Helper()
	b.open(g.at + "/callback?info=json&access_token_refresh_interval=0")
	if err := json.Unmarshal([]byte(b.text), &told); err != nil {
		b.t.Fatalf("%v: %s", err, b.text)
	}
	return told
}
