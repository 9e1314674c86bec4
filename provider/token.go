package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/provider/grant"
	"asoba.example/provider/tokens"
)

// spends is the parameter that holds what a grant type turns into tokens.
var spends = map[string]string{"authorization_code": "code", "refresh_token": "refresh_token", deviceCode: "device_code", tokenExchange: "subject_token"}

// token handles POST /token (RFC 6749 §3.2). Each grant has a file of its own: code.go, refresh.go, own.go, device.go,
// exchange.go.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	values, err := form(w, r)
	if err != nil {
		return err
	}
	if err := once(values); err != nil {
		return err
	}
	grantType := values.Get("grant_type")
	if grantType != tokenExchange {
		values.Del("audience") // not a parameter here, but fosite would take it for one
	}
	switch {
	case grantType == "":
		return refuse("invalid_request", "grant_type is missing.")
	case !slices.Contains(grantTypes, grantType):
		return refuse("unsupported_grant_type", "grant_type must be one of: "+strings.Join(grantTypes, ", ")+".")
	}
	client, bound, err := p.caller(w, r, values)
	if err != nil {
		return err
	}
	if !allows(client, grantType) {
		return refuse("unauthorized_client", "The client is not registered for this grant type.")
	}
	if client.IsDraft() && (grantType == "client_credentials" || grantType == tokenExchange) {
		return refuse("unauthorized_client", "The client is a draft: it gets tokens by the sign-in of a specimen only.")
	}
	if name, ok := spends[grantType]; ok && values.Get(name) == "" {
		return refuse("invalid_request", name+" is missing.") // RFC 6749 §5.2
	}
	if err := constrain(client, bound); err != nil {
		return err
	}
	t := &ticket{client: client, bound: bound, now: p.cfg.Now()}
	access, err := p.issue(ctx, r, t, grantType, values)
	if err != nil {
		return err
	}
	return p.answerToken(w, t, access)
}

// issue makes the access token of a grant.
func (p *Provider) issue(ctx context.Context, r *http.Request, t *ticket, grantType string, values url.Values) (string, error) {
	var err error
	switch grantType { // those that fosite does not know
	case deviceCode:
		t.issued, err = p.settleDevice(ctx, t, values)
	case tokenExchange:
		t.issued, err = p.settleExchange(ctx, t, values)
	default:
		return p.issueByFosite(ctx, r, t, grantType, values)
	}
	if err != nil {
		return "", err
	}
	return p.accessToken(t)
}

// issueByFosite settles a grant between the two halves of fosite.
func (p *Provider) issueByFosite(ctx context.Context, r *http.Request, t *ticket, grantType string, values url.Values) (string, error) {
	request, err := p.fosite.NewAccessRequest(ctx, r, t)
	if err != nil {
		return "", err
	}
	switch grantType {
	case "authorization_code":
		t.issued, err = p.settleCode(ctx, t, values)
	case "refresh_token":
		t.issued, err = p.settleRefresh(ctx, t, values)
	case "client_credentials":
		t.issued, err = p.settleOwn(ctx, t, values)
	}
	if err != nil {
		return "", err
	}
	made, err := p.fosite.NewAccessResponse(ctx, request)
	if err != nil {
		return "", err
	}
	return made.GetAccessToken(), nil
}

// send makes the round trip in which a grant is settled: how the person stands, and what is queued beside it. It says who that is to the
// client, and tells whether the sign-in that the grant rests on is still worth something.
func (p *Provider) send(ctx context.Context, t *ticket, b *pgx.Batch, to *issued) (holds bool, err error) {
	var standing Standing
	p.cfg.Accounts.Standing(b, t.grant.Person, &standing)
	if names := t.grant.Claims.IDToken; len(names) > 0 {
		p.cfg.Accounts.Claims(b, t.grant.Person, scopesOf(names), &to.claims)
	}
	if err := p.cfg.Pool.SendBatch(ctx, b).Close(); err != nil {
		return false, fmt.Errorf("settle a token request: %w", err)
	}
	to.subject, to.sid = p.cfg.Subjects.Of(t.client, standing), p.cfg.Subjects.SID(t.client, t.grant.SID)
	return standing.Holds(t.grant.AuthTime), nil
}

// aimAt gives the access token scopes of the grant and its audience: the resources that are asked for (RFC 8707 §2.2); or the grant's, as far
// as fewer scopes lead to them.
func (p *Provider) aimAt(g grant.Grant, scopes, resources []string) (i issued, err error) {
	i.audience = g.Audience
	if len(resources) > 0 {
		i.audience = slices.Compact(slices.Sorted(slices.Values(resources)))
		if len(common(i.audience, g.Audience)) < len(i.audience) {
			return i, refuse("invalid_target", "A resource was asked for that was not granted.")
		}
	} else if len(scopes) < len(g.Scopes) {
		if fewer := common(g.Audience, p.audiences(scopes)); len(fewer) > 0 {
			i.audience = fewer
		}
	}
	i.scopes = p.within(i.audience, scopes)
	return i, nil
}

// accessToken makes the access token of a ticket.
func (p *Provider) accessToken(t *ticket) (string, error) {
	g := t.grant
	token, err := p.tokens.Access(tokens.Access{
		Subject: t.subject, ClientID: t.client.ID, Audience: t.audience, Scopes: t.scopes, Claims: g.Claims.UserInfo,
		GID: g.ID, SID: t.sid, AuthTime: g.AuthTime, ACR: g.ACR, AMR: g.AMR,
		Act: t.act, Via: t.via, Bound: t.bound, Till: p.till(t),
	}, t.now)
	if err == nil {
		p.verified.Add(token)
	}
	return token, err
}

// till is when an access token ends: never later than its grant.
func (p *Provider) till(t *ticket) time.Time {
	till := t.now.Add(p.cfg.AccessTokenFor())
	if !t.grant.Till.IsZero() && t.grant.Till.Before(till) {
		return t.grant.Till
	}
	return till
}

// answerToken answers with the tokens (RFC 6749 §5.1; OpenID Connect Core §3.1.3.3).
func (p *Provider) answerToken(w http.ResponseWriter, t *ticket, access string) (err error) {
	var answer struct {
		AccessToken  string `json:"access_token"`
		TokenType    string `json:"token_type"`
		ExpiresIn    int64  `json:"expires_in"`
		Scope        string `json:"scope"`
		RefreshToken string `json:"refresh_token,omitempty"`
		IDToken      string `json:"id_token,omitempty"`
		IssuedType   string `json:"issued_token_type,omitempty"` // RFC 8693 §2.2.1
	}
	answer.AccessToken, answer.TokenType, answer.RefreshToken = access, t.bound.Scheme(), t.next
	answer.ExpiresIn = int64(p.till(t).Sub(t.now) / time.Second)
	answer.Scope = strings.Join(t.scopes, " ")
	switch {
	case t.act != nil:
		answer.IssuedType = ofAccess
	case slices.Contains(t.scopes, "openid"):
		g := t.grant
		answer.IDToken, err = p.tokens.ID(policyOf(t.client).idToken, tokens.ID{
			Subject: t.subject, ClientID: t.client.ID, Nonce: t.nonce, AuthTime: g.AuthTime, ACR: g.ACR, AMR: g.AMR, SID: t.sid,
			Claims: only(t.claims, g.Claims.IDToken),
		}, answer.AccessToken, t.now)
		if err != nil {
			return err
		}
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
