package provider

import (
	"slices"

	"github.com/go-jose/go-jose/v4"

	"asoba.example/provider/clients"
)

// What the provider offers, once: discovery tells it, and the endpoints take nothing else.
var (
	responseTypes    = []string{"code"}
	responseModes    = []string{"query", "form_post"}
	grantTypes       = []string{"authorization_code", "refresh_token", "client_credentials"}
	promptValues     = []string{"none", "login", "consent", "select_account"}
	acrValues        = []string{Low, Substantial}
	challengeMethods = []string{"S256"}
	authMethods      = []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"}
	assertionAlgs    = []jose.SignatureAlgorithm{jose.PS256, jose.ES256, jose.EdDSA, jose.RS256}
)

// claimsBy is what the scopes about a person give at UserInfo. Scopes of APIs are in Config.Resources.
var claimsBy = map[string][]string{
	"openid":                {"sub"},
	"profile":               {"name", "family_name", "given_name", "middle_name", "gender", "birthdate", "updated_at"},
	"phone":                 {"phone_number", "phone_number_verified"},
	"citizenship":           {"citizenship"},
	"identification_number": {"identification_number"},
}

// Limits on what a client sends along. What is longer is refused whole, never cut.
const (
	maxState = 2048     // also of every other parameter that is kept
	maxBody  = 64 << 10 // of a form
)

// A policy is what one client is held to.
//
//	              pkce        rotate  assertions
//	public        always      yes     -
//	confidential  registered  no      the registered one, or any
type policy struct {
	pkce       bool                      // a code_challenge is required (RFC 9700 §2.1.1); one that is sent is always enforced
	rotate     bool                      // a refresh token is good once (RFC 9700 §4.14.2)
	assertions []jose.SignatureAlgorithm // that may sign its client assertions
	idToken    jose.SignatureAlgorithm   // that signs its ID tokens
}

func policyOf(c *clients.Client) policy {
	m := c.Metadata
	p := policy{
		pkce:       c.Public() || *m.RequirePKCE,
		rotate:     c.Public(),
		assertions: assertionAlgs,
		idToken:    jose.SignatureAlgorithm(m.IDTokenSignedResponseAlg),
	}
	if alg := m.TokenEndpointAuthSigningAlg; alg != "" {
		p.assertions = []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)}
	}
	return p
}

// A Resource is an API that takes our access tokens: its identifier is their audience (RFC 8707), and its scopes are for nobody else.
type Resource struct {
	Identifier string
	Scopes     []string
}

// scopes are all that are offered: those about a person first.
func (p *Provider) scopes() []string {
	all := slices.Clone(clients.IdentityScopes)
	for _, r := range p.cfg.Resources {
		all = append(all, r.Scopes...)
	}
	return all
}

// audienceOf gives the audience that a scope leads to: an API's, or for the scopes of identity the issuer, whose UserInfo takes the token.
func (p *Provider) audienceOf(scope string) string {
	for _, r := range p.cfg.Resources {
		if slices.Contains(r.Scopes, scope) {
			return r.Identifier
		}
	}
	return p.cfg.Issuer
}

// audiences gives those that scopes lead to, in the scopes' order.
func (p *Provider) audiences(scopes []string) []string {
	var all []string
	for _, s := range scopes {
		if a := p.audienceOf(s); !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
}

// aim gives the audience of a token: the resources asked for (RFC 8707 §2), each of which the scopes lead to or the client is registered
// for; all that the scopes lead to where none is asked for.
func (p *Provider) aim(c *clients.Client, scopes, resources []string) ([]string, error) {
	audience := p.audiences(scopes)
	if len(resources) == 0 {
		return audience, nil
	}
	var aimed []string
	for _, r := range resources {
		if !slices.Contains(audience, r) && !slices.Contains(c.Metadata.Resources, r) {
			return nil, refuse("invalid_target", "The client may not ask for tokens for this resource.")
		}
		if !slices.Contains(aimed, r) {
			aimed = append(aimed, r)
		}
	}
	return aimed, nil
}

// within gives the scopes that mean something to the audience: those of other APIs are left out of the token.
func (p *Provider) within(audience, scopes []string) []string {
	return slices.DeleteFunc(slices.Clone(scopes), func(s string) bool {
		a := p.audienceOf(s)
		return a != p.cfg.Issuer && !slices.Contains(audience, a)
	})
}

// claimsOf gives the claims that scopes give at UserInfo.
func claimsOf(scopes []string) []string {
	var all []string
	for _, s := range scopes {
		all = append(all, claimsBy[s]...)
	}
	return all
}

// allows tells whether a client is registered for a grant type.
func allows(c *clients.Client, grantType string) bool {
	return slices.Contains(c.Metadata.GrantTypes, grantType)
}

// without gives all but one.
func without[T comparable](all []T, one T) []T {
	return slices.DeleteFunc(slices.Clone(all), func(t T) bool { return t == one })
}
