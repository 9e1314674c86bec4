package eservice

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// signInFor is how long a citizen may take at the provider's pages.
const signInFor = 15 * time.Minute

// signIn sends the browser to the provider (OpenID Connect Core §3.1.2.1). Three random values guard the way back,
// kept in a cookie of this browser, one for each sign-in begun, so that two tabs do not disturb each other:
//
//	state     the answer belongs to a request of this browser (RFC 6749 §10.12)
//	nonce     the ID token was made for this request          (OpenID Connect Core §15.5.2)
//	verifier  the code is of use to nobody else               (PKCE, RFC 7636)
func (s *service) signIn(w http.ResponseWriter, r *http.Request) error {
	d, err := s.provider.discover(r.Context())
	if err != nil {
		return refuse(http.StatusServiceUnavailable, "provider_down", err)
	}
	state, nonce, verifier := random(), random(), oauth2.GenerateVerifier()
	http.SetCookie(w, s.cookie("sign_in_"+state, nonce+"."+verifier, signInFor))
	http.Redirect(w, r, d.oauth2.AuthCodeURL(state,
		oidc.Nonce(nonce),
		oauth2.S256ChallengeOption(verifier),
		oauth2.SetAuthURLParam("ui_locales", s.readerLanguage(r)),
	), http.StatusSeeOther)
	return nil
}

// callback takes the provider's answer. Nothing in it is believed before it is checked, and in this order:
// state, issuer, the provider's refusal, the code at the token endpoint, the ID token.
func (s *service) callback(w http.ResponseWriter, r *http.Request) error {
	d, err := s.provider.discover(r.Context())
	if err != nil {
		return refuse(http.StatusServiceUnavailable, "provider_down", err)
	}
	answer := r.URL.Query()
	begun, err := r.Cookie(s.cookieName("sign_in_" + answer.Get("state")))
	if err != nil {
		return refuse(http.StatusBadRequest, "not_begun_here", err)
	}
	s.clear(w, "sign_in_"+answer.Get("state")) // good once
	nonce, verifier, _ := strings.Cut(begun.Value, ".")

	// Another provider's answer must not be taken for this one's (RFC 9207 §2.4).
	if iss := answer.Get("iss"); iss != s.cfg.Issuer && (iss != "" || d.more.SaysIss) {
		return refuse(http.StatusBadRequest, "not_begun_here", errors.New("the answer is another issuer's"))
	}
	switch refusal := answer.Get("error"); refusal {
	case "":
	case "access_denied":
		return refuse(http.StatusForbidden, "declined", errors.New(refusal))
	default:
		return refuse(http.StatusBadGateway, "provider_refused", fmt.Errorf("%s: %s", refusal, answer.Get("error_description")))
	}

	ctx := s.provider.client(r.Context())
	token, err := d.oauth2.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		return refuse(http.StatusBadGateway, "provider_refused", fmt.Errorf("exchange the code: %w", err))
	}
	raw, _ := token.Extra("id_token").(string)
	idToken, err := d.verifier.Verify(ctx, raw) // signature, iss, aud, exp
	if err != nil {
		return refuse(http.StatusBadGateway, "provider_refused", fmt.Errorf("verify the ID token: %w", err))
	}
	if idToken.Nonce != nonce {
		return refuse(http.StatusBadRequest, "not_begun_here", errors.New("the ID token's nonce is not ours"))
	}
	v := visit{idToken: raw, token: token, at: time.Now()}
	if err := idToken.Claims(&v.claims); err != nil {
		return fmt.Errorf("read the ID token: %w", err)
	}

	// Names and phone are at userinfo, not in the ID token (OpenID Connect Core §5.4).
	info, err := d.oidc.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return refuse(http.StatusBadGateway, "provider_refused", fmt.Errorf("ask userinfo: %w", err))
	}
	if info.Subject != idToken.Subject { // must be compared (OpenID Connect Core §5.3.2)
		return refuse(http.StatusBadGateway, "provider_refused", errors.New("userinfo is about somebody else"))
	}
	if err := info.Claims(&v.userinfo); err != nil {
		return fmt.Errorf("read userinfo: %w", err)
	}

	http.SetCookie(w, s.cookie("visit", s.visits.begin(v), visitFor))
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
