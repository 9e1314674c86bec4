package provider

import (
	"slices"

	"asoba.example/provider/clients"
)

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
