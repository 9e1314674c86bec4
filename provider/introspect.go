package provider

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
	"asoba.example/provider/keys"
)

// An introspection is what a resource server hears of a token (RFC 7662 §2.2). The zero one says that it is of no use there, and nothing else.
type introspection struct {
	Active    bool     `json:"active"`
	Issuer    string   `json:"iss,omitempty"`
	Subject   string   `json:"sub,omitempty"`
	Audience  []string `json:"aud,omitempty"`
	ClientID  string   `json:"client_id,omitempty"`
	Scope     string   `json:"scope,omitempty"`
	TokenType string   `json:"token_type,omitempty"`
	Expiry    int64    `json:"exp,omitempty"`
	IssuedAt  int64    `json:"iat,omitempty"`
	ID        string   `json:"jti,omitempty"`
	AuthTime  int64    `json:"auth_time,omitempty"`
	ACR       string   `json:"acr,omitempty"`
	GID       string   `json:"gid,omitempty"`
	SID       string   `json:"sid,omitempty"`

	Act   *api.Actor       `json:"act,omitempty"` // RFC 8693 §4.1
	Bound api.Confirmation `json:"cnf,omitzero"`

	SignedIn *bool `json:"signed_in,omitempty"` // of a token that is over: see remember
}

// introspect handles POST /introspect (RFC 7662; RFC 9701 for signed answers).
func (p *Provider) introspect(w http.ResponseWriter, r *http.Request) error {
	client, values, err := p.asked(w, r)
	if err != nil {
		return err
	}
	if client.Public() {
		return refuse("invalid_client", "A public client may not introspect tokens.")
	}
	if !values.Has("token") {
		return refuse("invalid_request", "token is missing.")
	}
	answer, err := p.inspect(r.Context(), client, values.Get("token"))
	if err != nil {
		return err
	}
	server := client.Metadata.ResourceServer
	if server == "" || !wantsSigned(r, client) {
		answerJSON(w, http.StatusOK, answer)
		return nil
	}
	if !answer.Active {
		answer = introspection{} // RFC 9701 §5 lets it say nothing else
	}
	signed, err := p.tokens.Introspection(policyOf(client).introspect, []string{server, client.ID}, answer, p.cfg.Now())
	if err != nil {
		return err
	}
	return answerPrivate(w, typeIntrospection, []byte(signed))
}

// typeIntrospection is the media type of a signed answer, which a resource server asks for (RFC 9701 §4).
const typeIntrospection = "application/token-introspection+jwt"

// wantsSigned tells whether a resource server asks for a signed answer, now or by its registration (RFC 9701 §4, §6).
func wantsSigned(r *http.Request, client *clients.Client) bool {
	return client.Metadata.IntrospectionSignedResponseAlg != "" || strings.Contains(r.Header.Get("Accept"), typeIntrospection)
}

// inspect tells about a token. Only a resource server learns something, and only of tokens that are meant for it: of all others it hears the
// same as of garbage.
func (p *Provider) inspect(ctx context.Context, client *clients.Client, raw string) (introspection, error) {
	verifier := p.verifier()
	verifier.Keys = pastKeys{p.cfg.Keys}
	token, err := verifier.Inspect(ctx, raw)
	switch server := client.Metadata.ResourceServer; {
	case errors.Is(err, api.ErrExpired) && token.ClientID == client.ID && slices.Contains(token.Audience, server) && !token.ByClient():
		return p.remember(ctx, token)
	case errors.Is(err, api.ErrToken), err == nil && (server == "" || !slices.Contains(token.Audience, server)):
		return introspection{}, nil
	case err != nil:
		return introspection{}, err
	}
	if denied, err := p.denied(ctx, token); err != nil || denied {
		return introspection{}, err
	}
	answer := introspection{
		Active: true, Issuer: token.Issuer, Subject: token.Subject, Audience: token.Audience, ClientID: token.ClientID,
		Scope: strings.Join(token.Scopes, " "), TokenType: token.Bound.Scheme(), Expiry: token.Expiry.Unix(), IssuedAt: token.IssuedAt.Unix(),
		ID: token.ID, ACR: token.ACR, GID: token.GID, SID: token.SID, Act: token.Act,
		Bound: token.Bound,
	}
	if !token.AuthTime.IsZero() {
		answer.AuthTime = token.AuthTime.Unix()
	}
	return answer, nil
}

// pastKeys has the keys that are published no more as well: whatever those have signed is over.
type pastKeys struct{ ring *keys.Ring }

func (k pastKeys) Key(_ context.Context, kid string) (jose.JSONWebKey, error) {
	return k.ring.PastKey(kid)
}

// remember tells a client that is its own resource server, as the cabinet is, of a token that is over whether the sign-in is good which gave it that:
// it lasts longer there. A third party is to hear nothing of such a token (RFC 7662 §2.2), but this is whose it was.
func (p *Provider) remember(ctx context.Context, token api.Token) (introspection, error) {
	denied, err := p.denied(ctx, token)
	if err != nil {
		return introspection{}, err
	}
	gid, err := uuid.Parse(token.GID)
	if err != nil {
		return introspection{}, err
	}
	stands, err := grant.Stands(ctx, p.cfg.Pool, gid)
	if err != nil {
		return introspection{}, err
	}
	return introspection{SignedIn: new(stands && !denied)}, nil
}
