package foreign

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/pkg/client"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	httphelper "github.com/zitadel/oidc/v3/pkg/http"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"
)

type (
	zitadelTokens = oidc.Tokens[*oidc.IDTokenClaims]
	zitadelParty  = rp.RelyingParty
)

// zitadel is a relying party of zitadel/oidc with a site of its own.
type zitadel struct {
	t     *testing.T
	site  *httptest.Server
	party zitadelParty
	nonce string // the one to expect: what is refreshed has none (OpenID Connect Core §12.2)

	tokens *zitadelTokens // of the last sign-in
	about  *oidc.UserInfo
}

const device = "urn:ietf:params:oauth:grant-type:device_code"

// newZitadel registers one, by more than others register, and configures it with more than it needs.
func newZitadel(t *testing.T, more map[string]any, options ...rp.Option) *zitadel {
	t.Helper()
	mux := http.NewServeMux()
	z := &zitadel{t: t, site: httptest.NewServer(mux)}
	t.Cleanup(z.site.Close)
	more["redirect_uris"], more["post_logout_redirect_uris"] = []string{z.site.URL + "/callback"}, []string{z.site.URL + "/bye"}
	more["grant_types"] = []string{"authorization_code", "refresh_token", device}
	registered := land.register(t, more)
	key := []byte("0123456789abcdef")
	options = append(options,
		rp.WithPKCE(httphelper.NewCookieHandler(key, key, httphelper.WithUnsecure())),
		rp.WithSigningAlgsFromDiscovery(), rp.WithAuthStyle(oauth2.AuthStyleInParams), // where it refreshes, it knows no other style
		rp.WithVerifierOpts(rp.WithNonce(func(context.Context) string { return z.nonce })),
	)
	z.party = must[zitadelParty](t)(rp.NewRelyingPartyOIDC(t.Context(), land.issuer, registered.ID, registered.Secret, z.site.URL+"/callback",
		scopes, options...))
	mux.Handle("/login", rp.AuthURLHandler(func() string { return "the state" }, z.party, rp.WithURLParam("nonce", "a nonce")))
	mux.Handle("/callback", rp.CodeExchangeHandler(rp.UserinfoCallback(
		func(_ http.ResponseWriter, _ *http.Request, tokens *zitadelTokens, _ string, _ zitadelParty, about *oidc.UserInfo) {
			z.tokens, z.about = tokens, about
		}), z.party))
	mux.HandleFunc("/bye", func(http.ResponseWriter, *http.Request) {})
	return z
}

var scopes = []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeOfflineAccess}

func (z *zitadel) signIn(b *browser) *zitadelTokens {
	z.t.Helper()
	z.tokens, z.nonce = nil, "a nonce"
	if b.open(z.site.URL+"/login").Path != "/callback" || z.tokens == nil {
		z.t.Fatalf("the sign-in ends at %s: %s", b.at, b.text)
	}
	if z.tokens.IDTokenClaims.Nonce != z.nonce || z.about.Subject != land.citizen.Identifier || z.about.FamilyName == "" {
		z.t.Errorf("got %v and %v", z.tokens.IDTokenClaims, z.about)
	}
	return z.tokens
}

// refresh refreshes by the secret, or where the client has a key, by an assertion.
func (z *zitadel) refresh(token string) (*zitadelTokens, error) {
	z.t.Helper()
	var assertion, kind string
	if signer := z.party.Signer(); signer != nil {
		kind = oidc.ClientAssertionTypeJWTAssertion
		assertion = must[string](z.t)(client.SignedJWTProfileAssertion(z.party.OAuthConfig().ClientID, []string{land.issuer}, time.Hour, signer))
	}
	z.nonce = ""
	return rp.RefreshTokens[*oidc.IDTokenClaims](z.t.Context(), z.party, token, assertion, kind)
}

// verify holds an ID token to what the library holds it to, and asks what its access token gives.
func (z *zitadel) verify(id, access, nonce string) {
	z.t.Helper()
	z.nonce = nonce
	must[*oidc.IDTokenClaims](z.t)(rp.VerifyTokens[*oidc.IDTokenClaims](z.t.Context(), access, id, z.party.IDTokenVerifier()))
	must[*oidc.UserInfo](z.t)(rp.Userinfo[*oidc.UserInfo](z.t.Context(), access, "Bearer", land.citizen.Identifier, z.party))
}

func TestZitadel(t *testing.T) {
	private, public := pair(t)
	for way, of := range map[string]func(*testing.T) *zitadel{
		"a secret": func(t *testing.T) *zitadel {
			return newZitadel(t, map[string]any{"token_endpoint_auth_method": "client_secret_post"})
		},
		"a key": func(t *testing.T) *zitadel {
			return newZitadel(t, map[string]any{
				"token_endpoint_auth_method": "private_key_jwt", "jwks": public, "token_endpoint_as_audience": true, // its aud is a list
			}, rp.WithJWTProfile(rp.SignerFromKeyAndKeyID(private, "k1")))
		},
	} {
		t.Run(way, func(t *testing.T) {
			z := of(t)
			b := newBrowser(t)
			before := z.signIn(b)
			refreshed := must[*zitadelTokens](t)(z.refresh(before.RefreshToken))
			z.verify(refreshed.IDToken, refreshed.AccessToken, "")

			land.rotate(t)
			z.verify(before.IDToken, before.AccessToken, "a nonce")
			after := z.signIn(b)
			if kid(t, before.IDToken) == kid(t, after.IDToken) {
				t.Error("the key is the same after a rotation")
			}

			waits := must[*oidc.DeviceAuthorizationResponse](t)(rp.DeviceAuthorization(t.Context(), scopes, z.party, nil))
			if b.open(waits.VerificationURIComplete); !strings.HasSuffix(b.at.String(), "/device?connected") {
				t.Fatalf("the device ends at %s: %s", b.at, b.text)
			}
			got := must[*oidc.AccessTokenResponse](t)(rp.DeviceAccessToken(t.Context(), waits.DeviceCode, time.Second, z.party))
			z.verify(got.IDToken, got.AccessToken, "")

			if err := rp.RevokeToken(t.Context(), z.party, refreshed.RefreshToken, "refresh_token"); err != nil {
				t.Errorf("revocation: %v", err)
			}
			if _, err := z.refresh(refreshed.RefreshToken); err == nil {
				t.Error("a refresh token is good after it was revoked")
			}
			leads, err := rp.EndSession(t.Context(), z.party, after.IDToken, z.site.URL+"/bye", "bye", "", nil)
			if err != nil {
				t.Fatal(err)
			}
			if bye := b.open(leads.String()); bye.String() != z.site.URL+"/bye?state=bye" {
				t.Errorf("sign-out leads to %s: %s", bye, b.text)
			}
		})
	}
}
