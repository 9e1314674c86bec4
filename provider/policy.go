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
	acrValues        = api.Levels
	challengeMethods = []string{"S256"}
	grantTypes       = clients.GrantTypes
	authMethods      = clients.AuthMethods
	signingAlgs      = algs(clients.SigningAlgs...)
	strictAlgs       = algs(clients.StrictAlgs...)
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
// one; a client of FAPI 2.0 can register nothing less than its column (clients).
//
//	            public   confidential   fapi2
//	pkce        always   registered     always         a code_challenge is required (RFC 9700 §2.1.1); one that is sent is always enforced
//	pushed      if registered           always         authorization requests must be pushed (RFC 9126 §6)
//	signed      if registered           if registered  and must come in a request object (RFC 9101 §10.5)
//	rotate      always   never          never          a refresh token is good once (RFC 9700 §4.14.2)
//	dpop        if registered           this or mtls   no token without a DPoP proof (RFC 9449 §5.2); one that is sent always binds
//	mtls        -        if registered  this or dpop   no token that is not bound to its certificate (RFC 8705 §3.4)
//	assertions  -        registered     strict         the algorithms of its client assertions (RFC 7523 §3)
//	tokenAud    never    if registered  never          they may name the token endpoint in place of the issuer (OpenID Connect Core §9)
//	objects     registered              strict         those of its request objects (RFC 9101 §6.2)
//	proofs      any                     strict         those of its proofs (RFC 9449 §4.3)
//	idToken     RS256, or registered    strict         the algorithm of its ID tokens (OpenID Connect Core §15.1)
//	introspect  -        registered     strict         the algorithm of signed answers about tokens (RFC 9701 §6)
//	userinfo    registered              strict         the algorithm of what UserInfo tells it (OpenID Connect Core §5.3.2)
//	response    RS256, or registered    strict         that of answers that it wants signed (JARM §3)
//	exchange    never    registered     registered     what it may exchange tokens for that it is shown (RFC 8693)
//
// strict: PS256, ES256 or EdDSA (FAPI 2.0 Security Profile §5.4.1). A code is good for Config.CodeFor, whoever the client is.
type policy struct {
	pkce, pushed, signed          bool
	rotate, dpop, mtls, tokenAud  bool
	assertions, objects, proofs   []jose.SignatureAlgorithm
	idToken, introspect, response jose.SignatureAlgorithm
	userinfo                      jose.SignatureAlgorithm // "": not signed
	exchange                      []clients.Exchange
}

func policyOf(c *clients.Client) policy {
	m := c.Metadata
	all, proofs, ours := signingAlgs, api.ProofAlgorithms, "RS256"
	if m.Profile == clients.FAPI2 {
		all, proofs, ours = strictAlgs, strictAlgs, "ES256"
	}
	return policy{
		pkce:       c.Public() || *m.RequirePKCE,
		pushed:     m.RequirePushedAuthorizationRequests,
		signed:     m.RequireSignedRequestObject,
		rotate:     c.Public(),
		dpop:       m.DPoPBoundAccessTokens,
		mtls:       m.CertificateBoundAccessTokens,
		tokenAud:   m.TokenEndpointAsAudience,
		assertions: registered(m.TokenEndpointAuthSigningAlg, all),
		objects:    registered(m.RequestObjectSigningAlg, all),
		proofs:     proofs,
		idToken:    jose.SignatureAlgorithm(m.IDTokenSignedResponseAlg),
		introspect: jose.SignatureAlgorithm(cmp.Or(m.IntrospectionSignedResponseAlg, ours)),
		response:   jose.SignatureAlgorithm(cmp.Or(m.AuthorizationSignedResponseAlg, ours)),
		userinfo:   jose.SignatureAlgorithm(m.UserinfoSignedResponseAlg),
		exchange:   m.TokenExchange,
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
