package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/ory/fosite"

	"asoba.example/provider/grant"
	"asoba.example/provider/tokens"
)

// token handles POST /token (RFC 6749 §3.2).
func (p *Provider) token(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	values, err := form(w, r)
	if err != nil {
		return err
	}
	if err := once(values); err != nil {
		return err
	}
	values.Del("audience") // not a parameter here, but fosite would take it for one
	grantType := values.Get("grant_type")
	switch {
	case grantType == "":
		return refuse("invalid_request", "grant_type is missing.")
	case !slices.Contains(grantTypes, grantType):
		return refuse("unsupported_grant_type", "grant_type must be one of: "+strings.Join(grantTypes, ", ")+".")
	}
	client, err := p.authenticate(ctx, r, values)
	if err != nil {
		return err
	}
	t := &ticket{client: client, policy: policyOf(client), now: p.cfg.Now()}
	if !allows(client, grantType) {
		return refuse("unauthorized_client", "The client is not registered for this grant type.")
	}
	if grantType == "client_credentials" {
		if err := p.ownScopes(t, values); err != nil {
			return err
		}
	}
	asked, err := p.fosite.NewAccessRequest(ctx, r, t)
	if err != nil {
		return err
	}
	if err := p.settle(ctx, t, grantType, values); err != nil {
		return err
	}
	response, err := p.fosite.NewAccessResponse(ctx, asked)
	if err != nil {
		return err
	}
	return p.answerToken(ctx, w, t, grantType, response)
}

// settle does what has to be done in the database before tokens are made, in one round trip, and says what the access token is about.
func (p *Provider) settle(ctx context.Context, t *ticket, grantType string, values url.Values) error {
	if grantType == "client_credentials" {
		return nil
	}
	if err := p.narrow(t, grantType, values); err != nil {
		return err
	}
	var (
		b        pgx.Batch
		standing Standing
		given    bool
	)
	p.cfg.Accounts.Standing(&b, t.grant.Person, &standing)
	if grantType == "authorization_code" {
		var digest []byte
		if offline(t.grant.Scopes) {
			t.next = p.opaque.New(tokens.Refresh, t.grant.ID)
			digest = tokens.Digest(t.next)
		}
		grant.Give(&b, t.grant, digest, &given)
	} else {
		var digest []byte // of the token that takes the place of this one; none where a client keeps its token
		if t.policy.rotate {
			t.next = p.opaque.New(tokens.Refresh, t.grant.ID)
			digest = tokens.Digest(t.next)
		}
		grant.Renew(&b, t.refresh, t.digest, digest, t.now, &given)
	}
	if err := p.cfg.Pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("settle a token request: %w", err)
	}
	switch holds := standing.Holds(t.grant.AuthTime); {
	case !given && holds && grantType == "authorization_code": // Redis forgot that the code was used
		return p.reused(ctx, t.grant.ID, t.now)
	case !given || !holds:
		return refuse("invalid_grant", "What was granted is over.")
	}
	t.subject = standing.Identifier
	return nil
}

// narrow gives the access token the scopes and audience of the grant, or the fewer that the request asks for: scope at a refresh (RFC 6749
// §6), resource always (RFC 8707 §2.2). More is refused.
func (p *Provider) narrow(t *ticket, grantType string, values url.Values) error {
	t.scopes = t.grant.Scopes
	if asked := strings.Fields(values.Get("scope")); len(asked) > 0 && grantType == "refresh_token" {
		for _, s := range asked {
			if !slices.Contains(t.grant.Scopes, s) {
				return refuse("invalid_scope", "A scope was asked for that was not granted.")
			}
		}
		t.scopes = asked
	}
	t.audience = t.grant.Audience
	if asked := values["resource"]; len(asked) > 0 {
		t.audience = slices.Compact(slices.Sorted(slices.Values(asked)))
	} else if fewer := common(t.grant.Audience, p.audiences(t.scopes)); len(fewer) > 0 && len(t.scopes) < len(t.grant.Scopes) {
		t.audience = fewer
	}
	if len(common(t.audience, t.grant.Audience)) < len(t.audience) {
		return refuse("invalid_target", "The resource was not granted.")
	}
	t.scopes = p.within(t.audience, t.scopes)
	return nil
}

// ownScopes says what a client gets that asks for itself (RFC 6749 §4.4): the scopes of APIs, for there is no person that those of
// identity could be about.
func (p *Provider) ownScopes(t *ticket, values url.Values) (err error) {
	asked := strings.Fields(values.Get("scope"))
	if len(asked) == 0 {
		asked = slices.DeleteFunc(strings.Fields(t.client.Metadata.Scope), func(s string) bool {
			return p.audienceOf(s) == p.cfg.Issuer
		})
	}
	for _, s := range asked {
		switch {
		case !t.client.Allows(s):
			return refuse("invalid_scope", "The client is not registered for a scope that it asks for.")
		case p.audienceOf(s) == p.cfg.Issuer:
			return refuse("invalid_scope", "A scope is about a person, and none has a part in this grant.")
		}
	}
	if t.audience, err = p.aim(t.client, asked, values["resource"]); err != nil {
		return err
	}
	if len(t.audience) == 0 {
		return refuse("invalid_scope", "The client is not registered for the scope of any API.")
	}
	t.scopes, t.subject = p.within(t.audience, asked), t.client.ID
	return nil
}

// findRefresh looks a refresh token up and gives the ticket the grant behind it. Another client's token is left alone. A used one ends the
// grant (RFC 9700 §4.14.2).
func (p *Provider) findRefresh(ctx context.Context, token string, t *ticket) error {
	unknown := refuse("invalid_grant", "The refresh token is unknown, over, or another client's.")
	if token == "" {
		return unknown
	}
	t.digest = tokens.Digest(token)
	found, err := grant.FindRefresh(ctx, p.cfg.Pool, t.digest)
	switch {
	case errors.Is(err, grant.ErrUnknown):
		return unknown
	case err != nil:
		return err
	case found.Grant.ClientID != t.client.ID, found.Ended, !t.now.Before(found.Till):
		return unknown
	case found.Used:
		return p.reused(ctx, found.Grant.ID, t.now)
	}
	t.refresh, t.grant, t.next = found, found.Grant, token
	return nil
}

// accessToken makes the access token of a ticket.
func (p *Provider) accessToken(t *ticket) (string, error) {
	g := t.grant
	return p.tokens.Access(tokens.Access{
		Subject: t.subject, ClientID: t.client.ID, Audience: t.audience, Scopes: t.scopes,
		GID: g.ID, SID: g.SID, AuthTime: g.AuthTime, ACR: g.ACR, AMR: g.AMR,
		Till: p.till(t),
	}, t.now)
}

// till is when an access token ends: never later than its grant.
func (p *Provider) till(t *ticket) time.Time {
	till := t.now.Add(p.cfg.AccessTokenFor)
	if !t.grant.Till.IsZero() && t.grant.Till.Before(till) {
		return t.grant.Till
	}
	return till
}

// answerToken answers with the tokens (RFC 6749 §5.1; OpenID Connect Core §3.1.3.3).
func (p *Provider) answerToken(ctx context.Context, w http.ResponseWriter, t *ticket, grantType string, made fosite.AccessResponder) (err error) {
	var answer struct {
		AccessToken  string `json:"access_token"`
		TokenType    string `json:"token_type"`
		ExpiresIn    int64  `json:"expires_in"`
		Scope        string `json:"scope"`
		RefreshToken string `json:"refresh_token,omitempty"`
		IDToken      string `json:"id_token,omitempty"`
	}
	answer.AccessToken, answer.TokenType = made.GetAccessToken(), "Bearer"
	answer.ExpiresIn = int64(p.till(t).Sub(t.now) / time.Second)
	answer.Scope = strings.Join(t.scopes, " ")
	answer.RefreshToken, _ = made.GetExtra("refresh_token").(string)
	if slices.Contains(t.scopes, "openid") && grantType != "client_credentials" {
		g := t.grant
		answer.IDToken, err = p.tokens.ID(t.policy.idToken, tokens.ID{
			Subject: t.subject, ClientID: t.client.ID, Nonce: t.nonce, AuthTime: g.AuthTime, ACR: g.ACR, AMR: g.AMR, SID: g.SID,
		}, answer.AccessToken, t.now)
		if err != nil {
			return err
		}
	}
	if grantType == "client_credentials" {
		p.cfg.Log.InfoContext(ctx, "issued", "client", t.client.ID, "scope", answer.Scope)
	}
	answerJSON(w, http.StatusOK, answer)
	return nil
}

// common gives those of a that are in b too.
func common(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return !slices.Contains(b, s) })
}

// offline tells whether scopes give a refresh token (OpenID Connect Core §11).
func offline(scopes []string) bool { return slices.Contains(scopes, "offline_access") }
