package provider

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
	"asoba.example/provider/tokens"
)

// findRefresh looks a refresh token up and gives the ticket the grant behind it (RFC 6749 §6). Another client's token is left alone. One that
// was used, and not just now, ends the grant (RFC 9700 §4.14.2).
func (p *Provider) findRefresh(ctx context.Context, token string, t *ticket) error {
	unknown := refuse("invalid_grant", "The refresh token is unknown, over, or another client's.")
	if _, ours := p.opaque.Open(tokens.Refresh, token); !ours {
		return unknown
	}
	found, err := grant.FindRefresh(ctx, p.cfg.Pool, tokens.Digest(token))
	switch {
	case errors.Is(err, grant.ErrUnknown):
		return unknown
	case err != nil:
		return err
	case found.Grant.ClientID != t.client.ID, found.Ended, !t.now.Before(found.Till):
		return unknown
	case !renews(t.client, found.Grant.Bound, t.bound):
		return refuse("invalid_grant", "The refresh token must come with the proof or certificate that it is bound to.")
	case found.Used() && !t.now.Before(found.UsedAt.Add(grant.Grace)):
		return p.reused(ctx, found.Grant.ID, t.now)
	}
	t.refresh, t.grant, t.used = found, found.Grant, token
	t.grant.Claims = claimsWithin(t.grant.Claims, strings.Fields(t.client.Metadata.Scope)) // it may be registered for less since
	return nil
}

// renews tells whether a client may renew a grant. A public client shows the very key or certificate that the code was redeemed with
// (RFC 9449 §5; RFC 8705 §4); one that authenticates may bring another, but turns no bound grant into a bearer's.
func renews(client *clients.Client, was, is api.Confirmation) bool {
	if client.Public() {
		return was == is || was == (api.Confirmation{})
	}
	return (was.Key == "" || is.Key != "") && (was.Certificate == "" || is.Certificate != "")
}

// settleRefresh renews what was granted. The access token may be for fewer scopes than that, never for more. A client keeps its refresh token
// unless its policy is to rotate. The successor follows from the token: whoever had no answer asks again and is given the same one, so that a
// lost answer signs nobody out.
func (p *Provider) settleRefresh(ctx context.Context, t *ticket, values url.Values) (issued, error) {
	scopes := t.grant.Scopes
	if asked := strings.Fields(values.Get("scope")); len(asked) > 0 {
		if len(common(asked, scopes)) < len(asked) {
			return issued{}, refuse("invalid_scope", "A scope was asked for that was not granted.")
		}
		scopes = asked
	}
	i, err := p.aimAt(t.grant, scopes, values["resource"])
	if err != nil {
		return i, err
	}
	i.next = t.used
	var next []byte
	if policyOf(t.client).rotate {
		i.next = p.opaque.Successor(tokens.Refresh, t.used)
		next = tokens.Digest(i.next)
	}
	var (
		b       pgx.Batch
		renewed bool
	)
	grant.Renew(&b, t.refresh, tokens.Digest(t.used), next, t.now, &renewed)
	holds, err := p.send(ctx, t, &b, &i)
	switch {
	case err != nil:
		return i, err
	case !renewed && t.refresh.Used(): // and its successor too
		return i, p.reused(ctx, t.grant.ID, t.now)
	case !renewed, !holds:
		return i, refuse("invalid_grant", "What was granted is over, or another request has just used the refresh token.")
	}
	return i, nil
}
