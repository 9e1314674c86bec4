package clients

import (
	"cmp"
	"slices"
	"strings"
)

// The profiles that a client may be held to. FAPI2 is the FAPI 2.0 Security Profile; a client that also must sign its requests and has its
// answers signed is one of FAPI 2.0 Message Signing.
const (
	Baseline = "baseline"
	FAPI2    = "fapi2"
)

// StrictAlgs are the algorithms of FAPI 2.0 Security Profile §5.4.1.
var StrictAlgs = []string{"PS256", "ES256", "EdDSA"}

// byKey are the methods of authentication that leave no secret with us (FAPI 2.0 Security Profile §5.3.2.1).
var byKey = []string{"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"}

// tighten gives what a client of FAPI 2.0 left open the value that its profile demands, before it gets the one that others have.
func (m *Metadata) tighten() {
	if m.Profile != FAPI2 {
		return
	}
	m.TokenEndpointAuthMethod = cmp.Or(m.TokenEndpointAuthMethod, byKey[0])
	m.IDTokenSignedResponseAlg = cmp.Or(m.IDTokenSignedResponseAlg, "ES256")
	m.RequirePushedAuthorizationRequests = true
	m.DPoPBoundAccessTokens = m.DPoPBoundAccessTokens || !m.CertificateBoundAccessTokens
}

// checkProfile refuses what contradicts the profile (FAPI 2.0 Security Profile §5.3.2.1–2, §5.4.1).
func (m *Metadata) checkProfile() error {
	if m.Profile != FAPI2 {
		return nil
	}
	for _, member := range []struct{ name, alg string }{
		{"id_token_signed_response_alg", m.IDTokenSignedResponseAlg},
		{"token_endpoint_auth_signing_alg", m.TokenEndpointAuthSigningAlg},
		{"request_object_signing_alg", m.RequestObjectSigningAlg},
		{"authorization_signed_response_alg", m.AuthorizationSignedResponseAlg},
		{"introspection_signed_response_alg", m.IntrospectionSignedResponseAlg},
		{"userinfo_signed_response_alg", m.UserinfoSignedResponseAlg},
	} {
		if member.alg != "" && !slices.Contains(StrictAlgs, member.alg) {
			return wrong(member.name, "is none of "+strings.Join(StrictAlgs, ", ")+", as fapi2 demands")
		}
	}
	switch {
	case !slices.Contains(byKey, m.TokenEndpointAuthMethod):
		return wrong("token_endpoint_auth_method", "is none of "+strings.Join(byKey, ", ")+", as fapi2 demands")
	case m.TokenEndpointAsAudience:
		return wrong("token_endpoint_as_audience", "is true, which fapi2 forbids")
	case !*m.RequirePKCE:
		return wrong("require_pkce", "is false, which fapi2 forbids")
	case m.ApplicationType != "native" && slices.ContainsFunc(m.RedirectURIs, func(uri string) bool { return !strings.HasPrefix(uri, "https://") }):
		return wrong("redirect_uris", "has one without https, which fapi2 leaves to native clients")
	}
	return nil
}
