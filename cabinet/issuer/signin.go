package issuer

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

// scopes are what the web cabinet asks for: who it is, a name to greet by where one is known, and its own API.
var scopes = []string{oidc.ScopeOpenID, oidc.ScopeProfile, "cabinet.profile", "cabinet.journal"}

// algorithms of the provider's tokens that we take. What a token's header says is never enough by itself.
var algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.RS256, jose.EdDSA}

// A Request is one try to sign in: what has to come back, and what only we know.
type Request struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // PKCE (RFC 7636)
}

// NewRequest makes a Request of fresh random values.
func NewRequest() Request {
	return Request{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
}

// A SignIn is what the provider says about a citizen who came back.
type SignIn struct {
	Subject     string
	AuthTime    time.Time
	Name        string // given name, to greet by; often unknown
	AccessToken string // for our own API
}

// SignInURL is where a browser goes to sign in (OpenID Connect Core §3.1.2.1).
func (i *Issuer) SignInURL(ctx context.Context, q Request, language string) (string, error) {
	p, err := i.provider(ctx)
	if err != nil {
		return "", err
	}
	return i.oauth(p).AuthCodeURL(q.State, oidc.Nonce(q.Nonce), oauth2.S256ChallengeOption(q.Verifier),
		oauth2.SetAuthURLParam("ui_locales", language)), nil
}

// Redeem exchanges a code for who signed in (OpenID Connect Core §3.1.3).
func (i *Issuer) Redeem(ctx context.Context, q Request, code string) (SignIn, error) {
	p, err := i.provider(ctx)
	if err != nil {
		return SignIn{}, err
	}
	proof, err := i.assertion()
	if err != nil {
		return SignIn{}, err
	}
	ctx = oidc.ClientContext(ctx, i.cfg.HTTP)
	answer, err := i.oauth(p).Exchange(ctx, code, oauth2.VerifierOption(q.Verifier),
		oauth2.SetAuthURLParam("client_assertion_type", assertionType),
		oauth2.SetAuthURLParam("client_assertion", proof))
	if refused := (*oauth2.RetrieveError)(nil); errors.As(err, &refused) {
		return SignIn{}, fmt.Errorf("redeem a code: %s", refused.ErrorCode) // its text quotes the answer
	}
	if err != nil {
		return SignIn{}, fmt.Errorf("redeem a code: %w: %w", ErrAway, err)
	}
	raw, ok := answer.Extra("id_token").(string)
	if !ok {
		return SignIn{}, errors.New("redeem a code: no ID token in the answer")
	}
	id, err := i.verifier().Verify(ctx, raw)
	if err != nil {
		return SignIn{}, fmt.Errorf("check an ID token: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(q.Nonce)) != 1 {
		return SignIn{}, errors.New("check an ID token: another nonce")
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(answer.AccessToken); err != nil {
			return SignIn{}, fmt.Errorf("check an ID token: %w", err)
		}
	}
	var claims struct {
		AuthTime int64 `json:"auth_time"`
	}
	if err := id.Claims(&claims); err != nil {
		return SignIn{}, fmt.Errorf("check an ID token: %w", err)
	}
	s := SignIn{
		Subject: id.Subject, AuthTime: time.Unix(claims.AuthTime, 0),
		AccessToken: answer.AccessToken,
	}
	// A name is a courtesy: without one, or without an answer, the citizen is greeted all the same.
	if info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(answer)); err == nil && info.Subject == s.Subject {
		var named struct {
			GivenName string `json:"given_name"`
		}
		if info.Claims(&named) == nil {
			s.Name = strings.TrimSpace(named.GivenName)
		}
	}
	return s, nil
}

// EndSession is where a browser goes to sign out (OpenID Connect RP-Initiated Logout §2).
func (i *Issuer) EndSession(ctx context.Context) (string, error) {
	p, err := i.provider(ctx)
	if err != nil {
		return "", err
	}
	return p.endpoints.EndSession, nil
}

func (i *Issuer) oauth(p *provider) *oauth2.Config {
	endpoint := p.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInParams // the client_id; there is no secret
	return &oauth2.Config{ClientID: i.cfg.ClientID, Endpoint: endpoint, RedirectURL: i.cfg.RedirectURI, Scopes: scopes}
}

// keySet checks ID tokens and Logout Tokens by the keys that access tokens are checked by.
type keySet struct{ *Issuer }

var _ oidc.KeySet = keySet{}

// VerifySignature implements oidc.KeySet.
func (k keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, err
	}
	key, err := k.Key(ctx, signed.Signatures[0].Protected.KeyID)
	if err != nil {
		return nil, err
	}
	if key.Algorithm != "" && key.Algorithm != signed.Signatures[0].Protected.Algorithm {
		return nil, errors.New("signed by another algorithm than the key is for")
	}
	return signed.Verify(key)
}

func names(algorithms []jose.SignatureAlgorithm) []string {
	var all []string
	for _, a := range algorithms {
		all = append(all, string(a))
	}
	return all
}
