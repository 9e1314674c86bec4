package provider

import (
	"net/http"
	"strconv"

	"github.com/go-jose/go-jose/v4"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/keys"
	"asoba.example/provider/page"
)

// metadata is what discovery tells (OpenID Connect Discovery §3; RFC 8414 §2). Every member is registered, and none is left to a default
// that would say otherwise.
type metadata struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	JWKSURI               string `json:"jwks_uri"`
	EndSessionEndpoint    string `json:"end_session_endpoint"`
	RegistrationEndpoint  string `json:"registration_endpoint"`
	addresses

	ScopesSupported        []string `json:"scopes_supported"`
	ClaimsSupported        []string `json:"claims_supported"`
	ClaimTypesSupported    []string `json:"claim_types_supported"`
	ResponseTypesSupported []string `json:"response_types_supported"`
	ResponseModesSupported []string `json:"response_modes_supported"`
	GrantTypesSupported    []string `json:"grant_types_supported"`
	ACRValuesSupported     []string `json:"acr_values_supported"`
	SubjectTypesSupported  []string `json:"subject_types_supported"`
	PromptValuesSupported  []string `json:"prompt_values_supported"`
	DisplayValuesSupported []string `json:"display_values_supported"`
	UILocalesSupported     []string `json:"ui_locales_supported"`

	CodeChallengeMethodsSupported          []string                  `json:"code_challenge_methods_supported"`
	IDTokenSigningAlgValuesSupported       []jose.SignatureAlgorithm `json:"id_token_signing_alg_values_supported"`
	RequestObjectSigningAlgs               []jose.SignatureAlgorithm `json:"request_object_signing_alg_values_supported"`
	AuthorizationSigningAlgs               []jose.SignatureAlgorithm `json:"authorization_signing_alg_values_supported"`
	UserinfoSigningAlgValuesSupported      []jose.SignatureAlgorithm `json:"userinfo_signing_alg_values_supported"`
	TokenEndpointAuthMethodsSupported      []string                  `json:"token_endpoint_auth_methods_supported"`
	TokenEndpointAuthSigningAlgs           []jose.SignatureAlgorithm `json:"token_endpoint_auth_signing_alg_values_supported"`
	IntrospectionEndpointAuthMethods       []string                  `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionEndpointAuthSigningAlgs   []jose.SignatureAlgorithm `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	IntrospectionSigningAlgValuesSupported []jose.SignatureAlgorithm `json:"introspection_signing_alg_values_supported"`
	RevocationEndpointAuthMethodsSupported []string                  `json:"revocation_endpoint_auth_methods_supported"`
	RevocationEndpointAuthSigningAlgs      []jose.SignatureAlgorithm `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	DPoPSigningAlgValuesSupported          []jose.SignatureAlgorithm `json:"dpop_signing_alg_values_supported"`

	ClaimsParameterSupported     bool `json:"claims_parameter_supported"`
	RequestParameterSupported    bool `json:"request_parameter_supported"`
	RequestURIParameterSupported bool `json:"request_uri_parameter_supported"`
	RequirePushedRequests        bool `json:"require_pushed_authorization_requests"`
	RequireSignedRequestObject   bool `json:"require_signed_request_object"`
	ResponseIssParameter         bool `json:"authorization_response_iss_parameter_supported"`

	BackchannelLogoutSupported         bool `json:"backchannel_logout_supported"`
	BackchannelLogoutSessionSupported  bool `json:"backchannel_logout_session_supported"`
	FrontchannelLogoutSupported        bool `json:"frontchannel_logout_supported"`
	FrontchannelLogoutSessionSupported bool `json:"frontchannel_logout_session_supported"`

	CertificateBoundAccessTokens bool       `json:"tls_client_certificate_bound_access_tokens,omitempty"`
	MTLSEndpointAliases          *addresses `json:"mtls_endpoint_aliases,omitempty"`
}

func (p *Provider) metadata() metadata {
	scopes := p.scopes()
	claims := append(claimsOf(scopes), "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid")
	return metadata{
		Issuer:                p.cfg.Issuer,
		AuthorizationEndpoint: p.cfg.Issuer + "/authorize",
		JWKSURI:               p.cfg.Issuer + "/jwks",
		EndSessionEndpoint:    p.cfg.Issuer + "/logout",
		RegistrationEndpoint:  p.cfg.Issuer + "/register",
		addresses:             addressesAt(p.cfg.Issuer),

		ScopesSupported:        scopes,
		ClaimsSupported:        claims,
		ClaimTypesSupported:    []string{"normal"},
		ResponseTypesSupported: responseTypes,
		ResponseModesSupported: responseModes,
		GrantTypesSupported:    grantTypes,
		ACRValuesSupported:     acrValues,
		SubjectTypesSupported:  clients.SubjectTypes,
		PromptValuesSupported:  promptValues,
		DisplayValuesSupported: []string{"page"},
		UILocalesSupported:     page.Languages[:],

		CodeChallengeMethodsSupported:          challengeMethods,
		IDTokenSigningAlgValuesSupported:       keys.Algorithms,
		RequestObjectSigningAlgs:               signingAlgs,
		AuthorizationSigningAlgs:               keys.Algorithms,
		UserinfoSigningAlgValuesSupported:      keys.Algorithms,
		TokenEndpointAuthMethodsSupported:      p.authMethods(),
		TokenEndpointAuthSigningAlgs:           signingAlgs,
		IntrospectionEndpointAuthMethods:       without(p.authMethods(), "none"),
		IntrospectionEndpointAuthSigningAlgs:   signingAlgs,
		IntrospectionSigningAlgValuesSupported: keys.Algorithms,
		RevocationEndpointAuthMethodsSupported: p.authMethods(),
		RevocationEndpointAuthSigningAlgs:      signingAlgs,
		DPoPSigningAlgValuesSupported:          api.ProofAlgorithms,

		ClaimsParameterSupported:  true,
		RequestParameterSupported: true,
		ResponseIssParameter:      true,

		BackchannelLogoutSupported:         true,
		BackchannelLogoutSessionSupported:  true,
		FrontchannelLogoutSupported:        true,
		FrontchannelLogoutSessionSupported: true,

		CertificateBoundAccessTokens: p.cfg.MTLSURL != "",
		MTLSEndpointAliases:          p.aliases(),
	}
}

// discovery handles GET /.well-known/openid-configuration and /.well-known/oauth-authorization-server.
func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) error {
	return answerPublic(w, "application/json", p.discovered)
}

// jwks handles GET /jwks. Nobody may keep it for longer than a key is published before it signs.
func (p *Provider) jwks(w http.ResponseWriter, _ *http.Request) error {
	return answerPublic(w, "application/jwk-set+json", p.cfg.Keys.JWKS())
}

// answerPublic answers with what anybody may know, and keep for a while.
func answerPublic(w http.ResponseWriter, kind string, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("X-Content-Type-Options", "nosniff")
	_, err := w.Write(body)
	return err
}
