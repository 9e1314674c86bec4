package foreign

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/pkg/client/rp"
	httphelper "github.com/zitadel/oidc/v3/pkg/http"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"
)

type zitadelTokens = oidc.Tokens[*oidc.IDTokenClaims]

func TestZitadel(t *testing.T) {
	nonce := "a nonce" // the one to expect: what is refreshed has none (OpenID Connect Core §12.2)
	var (
		party rp.RelyingParty
		told  *zitadelTokens
		about *oidc.UserInfo
	)
	mux := http.NewServeMux()
	site := httptest.NewServer(mux)
	defer site.Close()
	client := land.register(t, map[string]any{
		"redirect_uris": []string{site.URL + "/callback"}, "post_logout_redirect_uris": []string{site.URL + "/bye"},
		"grant_types":                []string{"authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"},
		"token_endpoint_auth_method": "client_secret_post", // where it refreshes, the library knows no other
	})
	cookies := httphelper.NewCookieHandler([]byte("0123456789abcdef"), []byte("0123456789abcdef"), httphelper.WithUnsecure())
	scopes := []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeOfflineAccess}
	party = must[rp.RelyingParty](t)(rp.NewRelyingPartyOIDC(t.Context(), land.issuer, client.ID, client.Secret, site.URL+"/callback", scopes,
		rp.WithPKCE(cookies), rp.WithSigningAlgsFromDiscovery(), rp.WithAuthStyle(oauth2.AuthStyleInParams),
		rp.WithVerifierOpts(rp.WithNonce(func(context.Context) string { return nonce }))))
	mux.Handle("/login", rp.AuthURLHandler(func() string { return "the state" }, party, rp.WithURLParam("nonce", nonce)))
	mux.Handle("/callback", rp.CodeExchangeHandler(rp.UserinfoCallback(
		func(_ http.ResponseWriter, _ *http.Request, tokens *zitadelTokens, _ string, _ rp.RelyingParty, info *oidc.UserInfo) {
			told, about = tokens, info
		}), party))
	mux.HandleFunc("/bye", func(http.ResponseWriter, *http.Request) {})
	signIn := func(b *browser) *zitadelTokens {
		t.Helper()
		nonce = "a nonce"
		if told = nil; b.open(site.URL+"/login").Path != "/callback" || told == nil {
			t.Fatalf("the sign-in ends at %s: %s", b.at, b.text)
		}
		if told.IDTokenClaims.Nonce != nonce || about.Subject != land.citizen.Identifier || about.FamilyName == "" {
			t.Errorf("got %v and %v", told.IDTokenClaims, about)
		}
		return told
	}
	verify := func(token string, with string) {
		t.Helper()
		nonce = with
		must[*oidc.IDTokenClaims](t)(rp.VerifyIDToken[*oidc.IDTokenClaims](t.Context(), token, party.IDTokenVerifier()))
	}

	b := newBrowser(t)
	before := signIn(b)
	nonce = ""
	refreshed := must[*zitadelTokens](t)(rp.RefreshTokens[*oidc.IDTokenClaims](t.Context(), party, before.RefreshToken, "", ""))
	verify(refreshed.IDToken, "")

	land.rotate(t)
	verify(before.IDToken, "a nonce")
	must[*oidc.UserInfo](t)(rp.Userinfo[*oidc.UserInfo](t.Context(), before.AccessToken, "Bearer", about.Subject, party))
	after := signIn(b)
	if kid(t, before.IDToken) == kid(t, after.IDToken) {
		t.Error("the key is the same after a rotation")
	}

	t.Run("a device", func(t *testing.T) {
		device := must[*oidc.DeviceAuthorizationResponse](t)(rp.DeviceAuthorization(t.Context(), scopes, party, nil))
		if b.open(device.VerificationURIComplete); !strings.HasSuffix(b.at.String(), "/device?connected") {
			t.Fatalf("the device ends at %s: %s", b.at, b.text)
		}
		tokens := must[*oidc.AccessTokenResponse](t)(rp.DeviceAccessToken(t.Context(), device.DeviceCode, time.Second, party))
		verify(tokens.IDToken, "")
		must[*oidc.UserInfo](t)(rp.Userinfo[*oidc.UserInfo](t.Context(), tokens.AccessToken, "Bearer", about.Subject, party))
	})

	if err := rp.RevokeToken(t.Context(), party, refreshed.RefreshToken, "refresh_token"); err != nil {
		t.Errorf("revocation: %v", err)
	}
	if _, err := rp.RefreshTokens[*oidc.IDTokenClaims](t.Context(), party, refreshed.RefreshToken, "", ""); err == nil {
		t.Error("a refresh token is good after it was revoked")
	}
	leads, err := rp.EndSession(t.Context(), party, after.IDToken, site.URL+"/bye", "bye", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if bye := b.open(leads.String()); bye.String() != site.URL+"/bye?state=bye" {
		t.Errorf("sign-out leads to %s: %s", bye, b.text)
	}
}
