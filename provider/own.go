package provider

import (
	"context"
	"net/url"
	"slices"
	"strings"
)

// settleOwn says what a client gets that asks for itself, by client_credentials (RFC 6749 §4.4): the scopes of APIs, for there is no person
// that the others could be about. Nothing is stored, so the log keeps that it happened.
func (p *Provider) settleOwn(ctx context.Context, t *ticket, values url.Values) (i issued, err error) {
	asked := strings.Fields(values.Get("scope"))
	if len(asked) == 0 {
		asked = slices.DeleteFunc(strings.Fields(t.client.Metadata.Scope), func(s string) bool {
			return p.audienceOf(s) == p.cfg.Issuer
		})
	}
	for _, s := range asked {
		switch {
		case !t.client.Allows(s):
			return i, refuse("invalid_scope", "The client is not registered for a scope that it asks for.")
		case p.audienceOf(s) == p.cfg.Issuer:
			return i, refuse("invalid_scope", "A scope is about a person, and none has a part in this grant.")
		}
	}
	if i.audience, err = p.aim(t.client, asked, values["resource"]); err != nil {
		return i, err
	}
	if len(i.audience) == 0 {
		return i, refuse("invalid_scope", "The client is not registered for the scope of any API.")
	}
	i.scopes, i.subject = p.within(i.audience, asked), t.client.ID
	p.cfg.Log.InfoContext(ctx, "issued", "client", t.client.ID, "scope", strings.Join(i.scopes, " "))
	return i, nil
}
