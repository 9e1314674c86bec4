package provider

import (
	"context"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"asoba.example/provider/clients"
)

const (
	skew         = 10 * time.Second // of other clocks, forgiven everywhere (FAPI 2.0 Security Profile §5.3.2.1)
	maxAssertion = 8 << 10
	maxJTI       = 256
	assertionFor = time.Hour // no assertion may be good for longer: its jti has to be remembered as long
)

// assertionClaims are those of a client assertion (RFC 7523 §3). Pointers and any tell what is missing from what is empty.
type assertionClaims struct {
	Issuer    string           `json:"iss"`
	Subject   string           `json:"sub"`
	Audience  any              `json:"aud"`
	Expiry    *jwt.NumericDate `json:"exp"`
	IssuedAt  *jwt.NumericDate `json:"iat"`
	NotBefore *jwt.NumericDate `json:"nbf"`
	ID        string           `json:"jti"`
}

// assertionCredentials learns from an assertion whose it claims to be. Nothing else in it is looked at before its signature is.
func assertionCredentials(c credentials) (credentials, error) {
	c.method = "private_key_jwt"
	if len(c.assertion) > maxAssertion {
		return c, refuse("invalid_client", "The client assertion is too long.")
	}
	parsed, err := jwt.ParseSigned(c.assertion, signingAlgs)
	if err != nil {
		return c, refuse("invalid_client", "The client assertion is not a JWT of an algorithm that is taken here.").because(err)
	}
	var claims assertionClaims
	if err := parsed.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return c, refuse("invalid_client", "The claims of the client assertion are malformed.").because(err)
	}
	if c.id != "" && c.id != claims.Subject || claims.Subject == "" {
		return c, refuse("invalid_client", "sub of the client assertion is not client_id.")
	}
	c.id, c.parsed = claims.Subject, parsed
	return c, nil
}

// checkAssertion verifies a client assertion (RFC 7523 §3; OpenID Connect Core §9), and gives its turn.
func (p *Provider) checkAssertion(ctx context.Context, client *clients.Client, assertion *jwt.JSONWebToken) (turn, error) {
	refused := func(what string) error {
		return refuse("invalid_client", "The client assertion is not accepted: "+what+".")
	}
	wrong := func(what string) (turn, error) { return turn{}, refused(what) }
	if !slices.Contains(policyOf(client).assertions, jose.SignatureAlgorithm(assertion.Headers[0].Algorithm)) {
		return wrong("it is not of the algorithm that the client is registered with")
	}
	var claims assertionClaims
	if err := p.signed(ctx, client, assertion, "invalid_client", &claims); err != nil {
		return turn{}, err
	}
	now := p.cfg.Now().Truncate(time.Second) // as whoever signed it tells the time
	switch {
	case claims.Issuer != client.ID || claims.Subject != client.ID:
		return wrong("iss and sub must be the client_id")
	case !p.isFor(policyOf(client), claims.Audience):
		return wrong("aud must be the issuer, as one string")
	case claims.Expiry == nil:
		return wrong("exp is missing")
	case now.After(claims.Expiry.Time().Add(skew)):
		return wrong("it has expired")
	case claims.Expiry.Time().After(now.Add(assertionFor + skew)):
		return wrong("exp is too far ahead")
	case claims.IssuedAt != nil && claims.IssuedAt.Time().After(now.Add(skew)):
		return wrong("iat is ahead")
	case claims.NotBefore != nil && claims.NotBefore.Time().After(now.Add(skew)):
		return wrong("nbf is ahead")
	case claims.ID == "" || len(claims.ID) > maxJTI:
		return wrong("jti is missing or too long")
	}
	return turn{
		place: "jti:{" + digest(client.ID+"\x00"+claims.ID) + "}",
		keep:  claims.Expiry.Time().Sub(now) + 2*skew,
		taken: refused("its jti was used before"),
	}, nil
}

// isFor tells whether aud names us and nobody else: an audience that others share could be carried on to them. That is the issuer, as one
// string; a token endpoint, which another provider can tell a client to be its own (CVE-2025-27370), only from clients that know no better,
// some of which write a list.
func (p *Provider) isFor(is policy, aud any) bool {
	if !is.tokenAud {
		return aud == p.cfg.Issuer
	}
	all, ok := aud.([]any)
	if !ok {
		all = []any{aud}
	}
	return len(all) > 0 && !slices.ContainsFunc(all, func(one any) bool { return one != p.cfg.Issuer && one != p.cfg.Issuer+"/token" })
}

// signed reads the claims of what one of the client's keys has signed; the algorithm is for the caller to allow. What none has signed is
// refused with the code.
func (p *Provider) signed(ctx context.Context, client *clients.Client, token *jwt.JSONWebToken, code string, claims ...any) error {
	header := token.Headers[0]
	keys, err := p.cfg.Clients.Keys(ctx, client, header.KeyID)
	if err != nil {
		return refuse(code, "The client's keys cannot be read at its jwks_uri.").because(err)
	}
	for _, key := range keys {
		if (key.Algorithm == "" || key.Algorithm == header.Algorithm) && token.Claims(key.Public(), claims...) == nil {
			return nil
		}
	}
	return refuse(code, "What was sent is not signed with a key of the client.")
}
