package provider

import (
	"cmp"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
)

// What the provider offers, once: discovery tells it, and the endpoints take nothing else. What is registered with is what can be
// registered (clients).
var (
	responseTypes    = []string{"code"}
	responseModes    = []string{"query", "form_post", "jwt", "query.jwt", "form_post.jwt"} // jwt is query.jwt (JARM §2.3.4)
	promptValues     = []string{"none", "login", "consent", "select_account"}
	acrValues        = clients.ACRValues
	challengeMethods = []string{"S256"}
	grantTypes       = clients.GrantTypes
	authMethods      = clients.AuthMethods
	signingAlgs      = algs(clients.SigningAlgs...)
)

// claimsBy is what the scopes about a person give at UserInfo. Scopes of APIs are in Config.Resources.
var claimsBy = map[string][]string{
	"openid":                {"sub"},
	"profile":               {"name", "family_name", "given_name", "middle_name", "gender", "birthdate", "updated_at"},
	"phone":                 {"phone_number", "phone_number_verified"},
	"citizenship":           {"citizenship"},
	"identification_number": {"identification_number"},
}

// Limits on what a client sends along. What is longer is refused whole, never cut.
const (
	maxState = 2048     // also of every other parameter that is kept
	maxBody  = 64 << 10 // of a form
)

// A policy is what one client is held to. Where a column says registered, the strict value stands unless the client has registered another
// one (clients).
//
//	            public   confidential
//	pkce        always   registered     a code_challenge is required (RFC 9700 §2.1.1); one that is sent is always enforced
//	pushed      registered              authorization requests must be pushed (RFC 9126 §6)
//	signed      registered              and must come in a request object (RFC 9101 §10.5)
//	rotate      always   never          a refresh token is good once (RFC 9700 §4.14.2)
//	assertions  -        registered     the algorithms of its client assertions (RFC 7523 §3)
//	objects     registered              those of its request objects
//	idToken     registered              the algorithm of its ID tokens (OpenID Connect Core §15.1)
//	introspect  -        registered     the algorithm of signed answers about tokens (RFC 9701 §6)
//	userinfo    registered              the algorithm of what UserInfo tells it (OpenID Connect Core §5.3.2)
//	response    registered              that of answers that it wants signed (JARM §3)
//	exchange    never    registered     what it may exchange tokens for that it is shown (RFC 8693)
//	dpop        registered              no token without a DPoP proof (RFC 9449 §5.2); one that is sent always binds
//	proofs      any                     the algorithms of its proofs
//	mtls        registered              no token that is not bound to its certificate (RFC 8705 §3.4)
type policy struct {
	pkce, pushed, signed          bool
	rotate, dpop, mtls            bool
	assertions, objects, proofs   []jose.SignatureAlgorithm
	idToken, introspect, response jose.SignatureAlgorithm
	userinfo                      jose.SignatureAlgorithm // "": not signed
	exchange                      []clients.Exchange
}

func policyOf(c *clients.Client) policy {
	m := c.Metadata
	return policy{
		pkce:       c.Public() || *m.RequirePKCE,
		pushed:     m.RequirePushedAuthorizationRequests,
		signed:     m.RequireSignedRequestObject,
		rotate:     c.Public(),
		assertions: registered(m.TokenEndpointAuthSigningAlg, signingAlgs),
		objects:    registered(m.RequestObjectSigningAlg, signingAlgs),
		idToken:    jose.SignatureAlgorithm(m.IDTokenSignedResponseAlg),
		introspect: jose.SignatureAlgorithm(cmp.Or(m.IntrospectionSignedResponseAlg, "RS256")),
		response:   cmp.Or(jose.SignatureAlgorithm(m.AuthorizationSignedResponseAlg), jose.RS256),
		exchange:   m.TokenExchange,
		dpop:       m.DPoPBoundAccessTokens,
		proofs:     api.ProofAlgorithms,
		userinfo:   jose.SignatureAlgorithm(m.UserinfoSignedResponseAlg),
		mtls:       m.CertificateBoundAccessTokens,
	}
}

// registered gives the algorithm that a client has registered, or all there are to one that has left it open.
func registered(alg string, all []jose.SignatureAlgorithm) []jose.SignatureAlgorithm {
	if alg == "" {
		return all
	}
	return algs(alg)
}

func algs(names ...string) []jose.SignatureAlgorithm {
	all := make([]jose.SignatureAlgorithm, len(names))
	for i, name := range names {
		all[i] = jose.SignatureAlgorithm(name)
	}
	return all
}

// allows tells whether a client is registered for a grant type.
func allows(c *clients.Client, grantType string) bool {
	return slices.Contains(c.Metadata.GrantTypes, grantType)
}

// without gives all but one.
func without[T comparable](all []T, one T) []T {
	return slices.DeleteFunc(slices.Clone(all), func(t T) bool { return t == one })
}
