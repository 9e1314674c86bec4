package provider

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"asoba.example/provider/api"
	"asoba.example/provider/audit"
	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
)

// A resource server that must ask another one to do what it was asked for does not pass the token on that it was shown: it exchanges it
// for one that is for the other alone, for no more than it needs, and that says who acts (RFC 8693 §1.1). Nobody may, unless the client's
// registration says with whom and for what (token_exchange).

// tokenExchange is the grant type (RFC 8693 §2.1).
const tokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange"

// ofAccess is the type of what is exchanged, and of what is given (RFC 8693 §3).
const ofAccess = "urn:ietf:params:oauth:token-type:access_token"

// maxActors is how many may act one for another; a longer chain is a circle.
const maxActors = 3

// settleExchange gives a resource server a token for another one, by a token that it was shown.
func (p *Provider) settleExchange(ctx context.Context, t *ticket, values url.Values) (i issued, err error) {
	token, err := p.readSubject(ctx, t, values)
	if err != nil {
		return i, err
	}
	if i.audience, i.scopes, err = aimExchange(t.client, token, values); err != nil {
		return i, err
	}
	i.act, i.via = &api.Actor{Subject: t.client.ID, Act: token.Act}, token.Clients()
	over := refuse("invalid_request", "What the subject token was made from is over.")
	switch denied, err := p.denied(ctx, token); {
	case err != nil:
		return i, err
	case denied:
		return i, over
	}
	gid, err := denialID(token)
	if err != nil {
		return i, err
	}
	t.grant, err = grant.Find(ctx, p.cfg.Pool, gid)
	if errors.Is(err, grant.ErrUnknown) {
		return i, over
	}
	if err != nil {
		return i, err
	}
	if token.Expiry.Before(t.grant.Till) {
		t.grant.Till = token.Expiry // nothing outlives what it was made from
	}
	var b pgx.Batch
	audit.Event{
		Kind: audit.TokenExchanged, At: t.now, Person: t.grant.Person, ClientID: t.client.ID, SID: t.grant.SID, GID: gid,
		Detail: map[string]string{"scope": strings.Join(i.scopes, " ")},
	}.QueueIf(&b, grant.Lives)
	holds, err := p.send(ctx, t, &b, &i)
	if err != nil {
		return i, err
	}
	if !holds {
		return i, over
	}
	i.subject, i.sid = token.Subject, token.SID
	return i, nil
}

// readSubject reads what is exchanged: an access token of a person's that the client was shown as a resource server. A token that is not
// good is invalid_request (RFC 8693 §2.2.2).
func (p *Provider) readSubject(ctx context.Context, t *ticket, values url.Values) (api.Token, error) {
	switch {
	case values.Get("subject_token_type") != ofAccess:
		return api.Token{}, refuse("invalid_request", "subject_token_type must be "+ofAccess+".")
	case values.Has("requested_token_type") && values.Get("requested_token_type") != ofAccess:
		return api.Token{}, refuse("invalid_request", "requested_token_type must be "+ofAccess+".")
	case values.Has("actor_token"):
		return api.Token{}, refuse("invalid_request", "actor_token is not taken: it is the client who acts.")
	}
	token, err := p.verifier().Inspect(ctx, values.Get("subject_token"))
	switch server := t.client.Metadata.ResourceServer; {
	case errors.Is(err, api.ErrToken), err == nil && (!slices.Contains(token.Audience, server) || !t.now.Before(token.Expiry)):
		return api.Token{}, refuse("invalid_request", "The subject token is not good, or not for this client.").because(err)
	case err != nil:
		return api.Token{}, err
	case token.ByClient():
		return api.Token{}, refuse("invalid_request", "The subject token is nobody's: a client has it in its own name.")
	case token.Bound != (api.Confirmation{}) && t.bound == (api.Confirmation{}):
		return api.Token{}, refuse("invalid_request", "The subject token is bound to a key, so the new one must be: send a DPoP proof.")
	case token.Act.Depth() >= maxActors:
		return api.Token{}, refuse("invalid_request", "Too many act one for another already.")
	}
	return token, nil
}

// aimExchange gives the new token its audience and scopes: none but what the client's registration names, and the subject token has.
func aimExchange(client *clients.Client, token api.Token, values url.Values) (audience, scopes []string, err error) {
	targets := append(slices.Clone(values["audience"]), values["resource"]...)
	if len(targets) == 0 {
		return nil, nil, refuse("invalid_request", "audience is missing.")
	}
	if slices.Sort(targets); len(slices.Compact(targets)) > 1 {
		return nil, nil, refuse("invalid_target", "A token is exchanged for one audience.")
	}
	for _, e := range policyOf(client).exchange {
		if e.Audience != targets[0] {
			continue
		}
		allowed := common(strings.Fields(e.Scope), token.Scopes)
		asked := strings.Fields(values.Get("scope"))
		if len(asked) == 0 {
			asked = allowed
		}
		if len(asked) == 0 || len(common(asked, allowed)) < len(asked) {
			return nil, nil, refuse("invalid_scope", "A scope is asked for that the subject token has not, or that the client may not exchange.")
		}
		return targets[:1], common(allowed, asked), nil
	}
	return nil, nil, refuse("invalid_target", "The client may not exchange tokens for this audience.")
}
