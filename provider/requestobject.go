package provider

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"asoba.example/provider/clients"
)

// A request object is an authorization request that its client has signed (RFC 9101). Only what is inside counts then; what stands beside
// it in the clear, anybody on the way could have written.

const (
	maxObject = 16 << 10
	objectFor = time.Hour // from nbf to exp, and since nbf (FAPI 2.0 Message Signing §5.3.1)
)

// objectTypes are the values of typ: RFC 9101 §10.8 names the first, objects from before it have the others.
var objectTypes = []string{"oauth-authz-req+jwt", "jwt", ""}

// objectClaims are those of a request object that are not parameters of the request.
type objectClaims struct {
	Issuer    string           `json:"iss"`
	Subject   string           `json:"sub"`
	Audience  jwt.Audience     `json:"aud"`
	Expiry    *jwt.NumericDate `json:"exp"`
	NotBefore *jwt.NumericDate `json:"nbf"`
	IssuedAt  *jwt.NumericDate `json:"iat"`
	ID        string           `json:"jti"`
	ClientID  string           `json:"client_id"`
}

// notParameters are the members by which an object speaks of itself.
var notParameters = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}

// checkObject opens the request object, if there is one, and from then on the request is what is inside. While it has not opened, what
// stands outside is all there is, and that is who hears of it.
func (p *Provider) checkObject(ctx context.Context, q *request) error {
	sent := q.values["request"]
	if len(sent) == 0 {
		return nil
	}
	inside, err := p.open(ctx, q, sent)
	if err != nil {
		if p.checkRedirectURI(ctx, q) == nil { // whose refusal says less
			_ = p.checkResponseMode(ctx, q)
		}
		return err
	}
	q.values, q.signed = inside, true
	return nil
}

// open verifies a request object and gives the parameters inside.
func (p *Provider) open(ctx context.Context, q *request, sent []string) (url.Values, error) {
	wrong := func(what string) *refusal {
		return refuse("invalid_request_object", "The request object is not accepted: "+what+".")
	}
	if len(sent) > 1 || len(sent[0]) > maxObject {
		return nil, wrong("it was sent more than once, or is too long")
	}
	object, err := jwt.ParseSigned(sent[0], signingAlgs)
	if alg, ok := errors.AsType[*jose.ErrUnexpectedSignatureAlgorithm](err); ok && alg.Got == "none" && !q.pushing {
		// What is not signed is worth no more than the same in the query (OpenID Connect Core §6.1).
		return nil, refuse("request_not_supported", "Request objects must be signed.")
	}
	if err != nil {
		return nil, wrong("it is not a JWT of an algorithm that is taken here").because(err)
	}
	header := object.Headers[0]
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	var (
		claims  objectClaims
		members map[string]json.RawMessage
	)
	switch {
	case !slices.Contains(objectTypes, strings.TrimPrefix(strings.ToLower(typ), "application/")):
		return nil, wrong("its typ is that of something else")
	case !slices.Contains(q.policy.objects, jose.SignatureAlgorithm(header.Algorithm)):
		return nil, wrong("it is not of the algorithm that the client is registered with")
	}
	if err := p.signed(ctx, q.client, object, "invalid_request_object", &claims, &members); err != nil {
		return nil, err
	}
	if what := p.wrongObject(q, claims, members); what != "" {
		return nil, wrong(what)
	}
	return parametersOf(q.client, members), nil
}

// wrongObject tells what is wrong with the claims of an object, or "". What an object may leave out, one of a client that must sign may not:
// without an end to its term it would be good for ever.
func (p *Provider) wrongObject(q *request, c objectClaims, members map[string]json.RawMessage) string {
	now := p.cfg.Now()
	_, byReference := members["request_uri"]
	_, nested := members["request"]
	state := members["state"]
	switch strict := q.policy.signed; {
	case c.Issuer != q.client.ID && (strict || c.Issuer != ""):
		return "iss must be the client_id"
	case c.ClientID != q.client.ID && (strict || c.ClientID != ""):
		return "client_id is not that of the request"
	case c.Subject == q.client.ID:
		return "it has the sub of a client assertion" // RFC 9101 §10.8
	case !c.Audience.Contains(p.cfg.Issuer) && (strict || len(c.Audience) > 0):
		return "aud must have the issuer"
	case nested || byReference:
		return "it refers to another request" // RFC 9101 §4
	case state != nil && state[0] != '"' && string(state) != "null":
		return "state is not a string" // RFC 9101 §4; it could not be given back as it came
	case strict && (c.Expiry == nil || c.NotBefore == nil):
		return "exp or nbf is missing"
	case c.Expiry != nil && now.After(c.Expiry.Time().Add(skew)):
		return "it has expired"
	case c.NotBefore != nil && c.NotBefore.Time().After(now.Add(skew)):
		return "nbf is ahead"
	case c.IssuedAt != nil && c.IssuedAt.Time().After(now.Add(skew)):
		return "iat is ahead"
	case strict && now.Sub(c.NotBefore.Time()) > objectFor:
		return "nbf is too long past"
	case strict && c.Expiry.Time().Sub(c.NotBefore.Time()) > objectFor:
		return "exp is too long after nbf"
	}
	return ""
}

// parametersOf gives the members of an object as parameters: a text as it is, of resource each, and what else JSON can say, numbers and
// objects, as it is written.
func parametersOf(client *clients.Client, members map[string]json.RawMessage) url.Values {
	values := url.Values{}
	for name, member := range members {
		var (
			text  string
			texts []string
		)
		switch {
		case slices.Contains(notParameters, name) || string(member) == "null":
		case json.Unmarshal(member, &text) == nil:
			values.Set(name, text)
		case name == "resource" && json.Unmarshal(member, &texts) == nil:
			values[name] = texts
		default:
			values.Set(name, string(member))
		}
	}
	values.Set("client_id", client.ID)
	return present(values)
}
