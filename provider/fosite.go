package provider

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/pkce"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
	"asoba.example/provider/tokens"
)

// fosite is the skeleton under /authorize and /token: it validates parameters and leads through the grants. It holds nothing and decides
// nothing about people: what it would store is the ticket of the request, what it would look up the ticket has, and what has to be
// written is written in one round trip, between its two halves.

// A ticket is what one request at /authorize or /token is about. fosite carries it along as its session.
type ticket struct {
	client *clients.Client  // who asks, authenticated
	bound  api.Confirmation // what they have shown that the access token is bound to
	now    time.Time

	grant       grant.Grant // what it is about; zero where a client asks for itself
	code        string      // that is redeemed
	nonce       string
	redirectURI string
	challenge   string
	key         string // that the code is bound to; "" for none
	interaction string // that led to the code and is over with it
	pushed      string // digest of the request_uri that led to it, and is used up

	refresh grant.Refresh // the refresh token that is used; zero at a code
	used    string        // itself

	issued
}

// issued is what is given for a ticket. Each grant type settles that.
type issued struct {
	subject  string // sub and sid, as the client knows them
	sid      string
	claims   map[string]any // of the person, for the ID token
	scopes   []string       // of the access token: the grant's, or fewer
	audience []string
	next     string     // the refresh token; "" for none
	act      *api.Actor // who acts, by a token that was exchanged
	via      []string   // and the clients that had it before
}

// What fosite.Session asks. Terms are ours to keep, by our own clock.
var _ fosite.Session = (*ticket)(nil)

func (*ticket) SetExpiresAt(fosite.TokenType, time.Time)          {}
func (*ticket) GetExpiresAt(fosite.TokenType) (_ time.Time)       { return }
func (*ticket) GetUsername() string                               { return "" }
func (t *ticket) GetSubject() string                              { return t.subject }
func (t *ticket) Clone() fosite.Session                           { return t }
func ticketOf(r interface{ GetSession() fosite.Session }) *ticket { return r.GetSession().(*ticket) }

// request is the request behind a code or a refresh token, as fosite would have stored it.
func (t *ticket) request(of *clients.Client, form url.Values) fosite.Requester {
	return &fosite.Request{
		ID: t.grant.ID.String(), Client: fositeClient{of}, Session: t, Form: form,
		RequestedScope: t.grant.Scopes, GrantedScope: t.grant.Scopes,
	}
}

// fositeClient is a client as fosite sees one. It is no fosite.OpenIDConnectClient on purpose: fosite would parse JWTs with a library
// that checks no algorithms.
type fositeClient struct{ *clients.Client }

func (c fositeClient) GetID() string             { return c.ID }
func (c fositeClient) GetHashedSecret() []byte   { return nil }
func (c fositeClient) GetRedirectURIs() []string { return c.Metadata.RedirectURIs }
func (c fositeClient) GetGrantTypes() (all fosite.Arguments) {
	for _, g := range grantTypes {
		if allows(c.Client, g) {
			all = append(all, g)
		}
	}
	return all
}
func (c fositeClient) GetResponseTypes() fosite.Arguments { return responseTypes }
func (c fositeClient) GetScopes() fosite.Arguments        { return strings.Fields(c.Metadata.Scope) }
func (c fositeClient) IsPublic() bool                     { return c.Public() }
func (c fositeClient) GetAudience() fosite.Arguments      { return nil } // resources are aimed at by ours

// newFosite puts fosite together, with nothing left to its defaults but how long things are good: what it says of that a ticket does not
// hear (SetExpiresAt).
func (p *Provider) newFosite() *fosite.Fosite {
	config := &fosite.Config{
		ScopeStrategy:               fosite.ExactScopeStrategy,
		AudienceMatchingStrategy:    fosite.ExactAudienceMatchingStrategy,
		RedirectSecureChecker:       fosite.IsRedirectURISecureStrict,
		RefreshTokenScopes:          []string{"offline_access"},
		EnforcePKCEForPublicClients: true, // of others checkChallenge asks it, each by its policy
		OmitRedirectScopeParam:      true,
		ClientAuthenticationStrategy: func(ctx context.Context, _ *http.Request, _ url.Values) (fosite.Client, error) {
			return fositeClient{ticketOf(ctx.Value(fosite.AccessRequestContextKey).(*fosite.AccessRequest)).client}, nil
		},
	}
	books := books{p}
	code := &oauth2.AuthorizeExplicitGrantHandler{
		AccessTokenStrategy: books, RefreshTokenStrategy: books, AuthorizeCodeStrategy: books,
		CoreStorage: books, TokenRevocationStorage: books, Config: config,
	}
	config.AuthorizeEndpointHandlers = fosite.AuthorizeEndpointHandlers{code}
	config.TokenEndpointHandlers = fosite.TokenEndpointHandlers{
		code,
		&pkce.Handler{AuthorizeCodeStrategy: books, Storage: books, Config: config},
		&oauth2.RefreshTokenGrantHandler{
			AccessTokenStrategy: books, RefreshTokenStrategy: books, TokenRevocationStorage: books, Config: config,
		},
		&oauth2.ClientCredentialsGrantHandler{
			HandleHelper: &oauth2.HandleHelper{AccessTokenStrategy: books, AccessTokenStorage: books, Config: config}, Config: config,
		},
	}
	return &fosite.Fosite{Store: books, Config: config}
}

// books are fosite's store and strategies. A "signature" of fosite's is here the whole token, or "" for one that we never made: only the
// digest of a token is looked up, so that no part of one opens another's door.
type books struct{ p *Provider }

var (
	_ fosite.Storage                = books{}
	_ oauth2.CoreStorage            = books{}
	_ oauth2.TokenRevocationStorage = books{}
	_ pkce.PKCERequestStorage       = books{}
	_ oauth2.CoreStrategy           = books{}
)

// GetClient finds the client of an authorization request.
func (b books) GetClient(ctx context.Context, id string) (fosite.Client, error) {
	client, err := b.p.cfg.Clients.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	return fositeClient{client}, nil
}

// Codes.

func (b books) GenerateAuthorizeCode(_ context.Context, r fosite.Requester) (token, signature string, err error) {
	code := b.p.opaque.New(tokens.Code, ticketOf(r).grant.ID)
	return code, code, nil
}

func (b books) AuthorizeCodeSignature(_ context.Context, token string) string {
	if _, ours := b.p.opaque.Open(tokens.Code, token); !ours {
		return ""
	}
	return token
}

func (b books) CreateAuthorizeCodeSession(ctx context.Context, code string, r fosite.Requester) error {
	return b.p.keepCode(ctx, code, ticketOf(r))
}

// GetAuthorizeCodeSession redeems the code when it is first asked, and afterwards gives what it redeemed.
func (b books) GetAuthorizeCodeSession(ctx context.Context, code string, session fosite.Session) (fosite.Requester, error) {
	t := session.(*ticket)
	if t.code == "" {
		if err := b.p.redeem(ctx, code, t); err != nil {
			return nil, err
		}
	}
	of := t.client
	if t.grant.ClientID != of.ID {
		of = &clients.Client{ID: t.grant.ClientID}
	}
	return t.request(of, url.Values{"redirect_uri": {t.redirectURI}}), nil
}

// GetPKCERequestSession gives the challenge that the code was made with.
func (b books) GetPKCERequestSession(_ context.Context, _ string, session fosite.Session) (fosite.Requester, error) {
	t := session.(*ticket)
	if t.challenge == "" {
		return nil, fosite.ErrNotFound
	}
	return t.request(t.client, url.Values{"code_challenge": {t.challenge}, "code_challenge_method": {"S256"}}), nil
}

// Refresh tokens.

func (b books) GenerateRefreshToken(_ context.Context, r fosite.Requester) (token, signature string, err error) {
	next := ticketOf(r).next
	return next, next, nil
}

func (b books) RefreshTokenSignature(_ context.Context, token string) string {
	if _, ours := b.p.opaque.Open(tokens.Refresh, token); !ours {
		return ""
	}
	return token
}

func (b books) GetRefreshTokenSession(ctx context.Context, token string, session fosite.Session) (fosite.Requester, error) {
	t := session.(*ticket)
	if err := b.p.findRefresh(ctx, token, t); err != nil {
		return nil, err
	}
	return t.request(t.client, nil), nil
}

// Access tokens.

func (b books) GenerateAccessToken(_ context.Context, r fosite.Requester) (token, signature string, err error) {
	token, err = b.p.accessToken(ticketOf(r))
	return token, "", err
}

// The rest is written between the halves, or needs no writing. Terms are checked where the record is read.

func (books) AccessTokenSignature(context.Context, string) string { return "" }

func (books) ValidateAccessToken(context.Context, fosite.Requester, string) error   { return errUnused }
func (books) ValidateRefreshToken(context.Context, fosite.Requester, string) error  { return nil }
func (books) ValidateAuthorizeCode(context.Context, fosite.Requester, string) error { return nil }
func (books) InvalidateAuthorizeCodeSession(context.Context, string) error          { return nil }
func (books) CreatePKCERequestSession(context.Context, string, fosite.Requester) error {
	return errUnused
}

func (books) DeletePKCERequestSession(context.Context, string) error { return nil }

func (books) CreateAccessTokenSession(context.Context, string, fosite.Requester) error { return nil }

func (books) DeleteAccessTokenSession(context.Context, string) error { return errUnused }

func (books) CreateRefreshTokenSession(context.Context, string, string, fosite.Requester) error {
	return nil
}
func (books) DeleteRefreshTokenSession(context.Context, string) error        { return errUnused }
func (books) RotateRefreshToken(context.Context, string, string) error       { return nil }
func (books) RevokeRefreshToken(context.Context, string) error               { return errUnused }
func (books) RevokeAccessToken(context.Context, string) error                { return errUnused }
func (books) ClientAssertionJWTValid(context.Context, string) error          { return errUnused }
func (books) SetClientAssertionJWT(context.Context, string, time.Time) error { return errUnused }
func (books) GetAccessTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, errUnused
}

// errUnused marks a way through fosite that we do not take: it fails rather than letting anything through.
var errUnused = errors.New("not a way that is used here")
