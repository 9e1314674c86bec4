package foreign

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

var base64URL = base64.RawURLEncoding

// goOIDC is a relying party of coreos/go-oidc and x/oauth2.
type goOIDC struct {
	t        *testing.T
	provider *oidc.Provider
	config   oauth2.Config
	verifier *oidc.IDTokenVerifier
}

// signIn signs the browser's citizen in, by PKCE and with a nonce, and verifies the ID token.
func (g goOIDC) signIn(b *browser, more ...oauth2.AuthCodeOption) (*oauth2.Token, *oidc.IDToken) {
	g.t.Helper()
	verifier, nonce := oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	options := append(more, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier))
	answer := b.open(g.config.AuthCodeURL("the state", options...)).Query()
	if answer.Get("state") != "the state" || answer.Get("iss") != land.issuer {
		g.t.Fatalf("got %v", answer)
	}
	tokens := must[*oauth2.Token](g.t)(g.config.Exchange(g.t.Context(), answer.Get("code"), oauth2.VerifierOption(verifier)))
	id := g.verify(tokens)
	if id.Nonce != nonce || id.Subject != land.citizen.Identifier {
		g.t.Errorf("got nonce %q of %q", id.Nonce, id.Subject)
	}
	if err := id.VerifyAccessToken(tokens.AccessToken); err != nil {
		g.t.Errorf("at_hash: %v", err)
	}
	return tokens, id
}

func (g goOIDC) verify(tokens *oauth2.Token) *oidc.IDToken {
	g.t.Helper()
	raw, _ := tokens.Extra("id_token").(string)
	return must[*oidc.IDToken](g.t)(g.verifier.Verify(g.t.Context(), raw))
}

// claims asks for what a token gives.
func (g goOIDC) claims(tokens *oauth2.Token) map[string]any {
	g.t.Helper()
	info := must[*oidc.UserInfo](g.t)(g.provider.UserInfo(g.t.Context(), oauth2.StaticTokenSource(tokens)))
	claims := map[string]any{}
	if err := info.Claims(&claims); err != nil {
		g.t.Fatal(err)
	}
	return claims
}

// refresh refreshes as the library does once the access token is over.
func (g goOIDC) refresh(ctx context.Context, tokens *oauth2.Token) (*oauth2.Token, error) {
	return g.config.TokenSource(ctx, &oauth2.Token{RefreshToken: tokens.RefreshToken, Expiry: time.Unix(1, 0)}).Token()
}

func TestGoOIDC(t *testing.T) {
	loggedOut := make(chan string, 1)
	var g goOIDC
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := g.verifier.VerifyLogout(r.Context(), r.PostFormValue("logout_token"))
		if err != nil {
			t.Errorf("back-channel logout: %v", err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		loggedOut <- token.SessionID
	}))
	defer service.Close()
	for _, method := range []string{"client_secret_basic", "client_secret_post", "none"} {
		t.Run(method, func(t *testing.T) {
			client := land.register(t, map[string]any{
				"redirect_uris": []string{nobody + "cb"}, "post_logout_redirect_uris": []string{nobody + "bye"},
				"token_endpoint_auth_method": method, "backchannel_logout_uri": service.URL,
			})
			provider := must[*oidc.Provider](t)(oidc.NewProvider(t.Context(), land.issuer))
			g = goOIDC{t, provider, oauth2.Config{
				ClientID: client.ID, ClientSecret: client.Secret, Endpoint: provider.Endpoint(), RedirectURL: nobody + "cb",
				Scopes: []string{oidc.ScopeOpenID, "profile", "phone", oidc.ScopeOfflineAccess},
			}, provider.Verifier(&oidc.Config{ClientID: client.ID})}
			b := newBrowser(t)

			before, id := g.signIn(b)
			if claims := g.claims(before); claims["sub"] != id.Subject || claims["name"] == nil || claims["phone_number"] == nil {
				t.Errorf("userinfo: got %v", claims)
			}
			refreshed := must[*oauth2.Token](t)(g.refresh(t.Context(), before))
			g.verify(refreshed)

			land.rotate(t)
			g.verify(before)
			g.claims(refreshed)
			after, _ := g.signIn(b, oauth2.SetAuthURLParam("response_mode", "form_post"))
			if old, now := kid(t, before.Extra("id_token").(string)), kid(t, after.Extra("id_token").(string)); old == now {
				t.Error("the key is the same after a rotation")
			}

			var more struct {
				EndSession string `json:"end_session_endpoint"`
			}
			if err := provider.Claims(&more); err != nil {
				t.Fatal(err)
			}
			bye := b.open(more.EndSession + "?" + url.Values{
				"id_token_hint": {before.Extra("id_token").(string)}, "post_logout_redirect_uri": {nobody + "bye"}, "state": {"bye"},
			}.Encode())
			if bye.String() != nobody+"bye?state=bye" {
				t.Errorf("sign-out leads to %s: %s", bye, b.text)
			}
			var session struct{ SID string }
			if err := id.Claims(&session); err != nil {
				t.Fatal(err)
			}
			if got := <-loggedOut; got != session.SID {
				t.Errorf("the session that is over: got %q, want %q", got, session.SID)
			}
			g.claims(must[*oauth2.Token](t)(g.refresh(t.Context(), after))) // offline access stays (Back-Channel Logout §2.7)
			if answer := b.open(g.config.AuthCodeURL("", oauth2.SetAuthURLParam("prompt", "none"), oauth2.S256ChallengeOption("x"))).Query(); answer.Get("error") != "login_required" {
				t.Errorf("after sign-out: got %v", answer)
			}
		})
	}
}
