package provider_test

import (
	"crypto/rsa"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// discoveryIsWhole is the plan oidcc-config-certification-test-plan: what the provider says of itself is registered, of the right type, and
// enough for a client that knows nothing else (OpenID Connect Discovery §3–4; RFC 8414 §2).
func discoveryIsWhole(p party) {
	t, metadata := p.w.t, p.w.discovered()
	if metadata["issuer"] != p.w.issuer {
		t.Errorf("issuer is %v", metadata["issuer"])
	}
	list := func(name string) []string {
		var all []string
		for _, v := range metadata[name].([]any) {
			all = append(all, v.(string))
		}
		return all
	}
	for name, value := range metadata {
		switch {
		case !slices.Contains(registeredMetadata, name): // RFC 8414 §7.1
			t.Errorf("%s is not registered", name)
		case name == "issuer" || strings.HasSuffix(name, "_endpoint") || strings.HasSuffix(name, "_uri"):
			u, err := url.Parse(value.(string))
			if err != nil || !u.IsAbs() || u.RawQuery != "" || u.Fragment != "" {
				t.Errorf("%s is %v", name, value)
			}
		case strings.HasSuffix(name, "_supported"):
			if _, flag := value.(bool); !flag && len(list(name)) == 0 {
				t.Errorf("%s is empty", name)
			}
		}
		if strings.HasSuffix(name, "_alg_values_supported") && slices.Contains(list(name), "none") {
			t.Errorf("%s has none", name)
		}
	}
	for name, want := range map[string][]string{
		"response_types_supported":                    {"code"},
		"scopes_supported":                            {"openid"},
		"subject_types_supported":                     {"public"},
		"grant_types_supported":                       {"authorization_code", "refresh_token"},
		"id_token_signing_alg_values_supported":       {"RS256"}, // OpenID Connect Discovery §3
		"request_object_signing_alg_values_supported": {"RS256"}, // the same
		"token_endpoint_auth_methods_supported":       {"client_secret_basic", "client_secret_post"},
		"code_challenge_methods_supported":            {"S256"},
		"claims_supported":                            {"sub"},
	} {
		for _, value := range want {
			if !slices.Contains(list(name), value) {
				t.Errorf("%s lacks %s", name, value)
			}
		}
	}
	for _, name := range []string{"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"} {
		if metadata[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	for name, want := range map[string]bool{ // said, since silence would say otherwise
		"claims_parameter_supported": true, "request_parameter_supported": true, "request_uri_parameter_supported": false,
	} {
		if metadata[name] != want {
			t.Errorf("%s is %v", name, metadata[name])
		}
	}
	for _, tag := range list("ui_locales_supported") {
		if parsed, err := language.Parse(tag); err != nil || parsed.String() != tag {
			t.Errorf("%s is not in canonical form: %v", tag, err)
		}
	}
	keys := p.w.published().Keys
	for _, key := range keys {
		if !key.IsPublic() || !key.Valid() || key.KeyID == "" {
			t.Errorf("the key %q is not to be published", key.KeyID)
		}
		if public, ok := key.Key.(*rsa.PublicKey); ok && public.N.BitLen() < 2048 {
			t.Errorf("the key %s has %d bits", key.KeyID, public.N.BitLen())
		}
	}
	if len(keys) == 0 {
		t.Error("no keys")
	}
}

// registeredMetadata are the names of IANA's registry of OAuth Authorization Server Metadata that are of use here: none is for encryption.
var registeredMetadata = strings.Fields(`
	issuer authorization_endpoint token_endpoint userinfo_endpoint jwks_uri registration_endpoint revocation_endpoint introspection_endpoint
	pushed_authorization_request_endpoint device_authorization_endpoint end_session_endpoint mtls_endpoint_aliases
	scopes_supported response_types_supported response_modes_supported grant_types_supported acr_values_supported subject_types_supported
	display_values_supported claim_types_supported claims_supported claims_locales_supported ui_locales_supported prompt_values_supported
	code_challenge_methods_supported token_endpoint_auth_methods_supported token_endpoint_auth_signing_alg_values_supported
	revocation_endpoint_auth_methods_supported revocation_endpoint_auth_signing_alg_values_supported
	introspection_endpoint_auth_methods_supported introspection_endpoint_auth_signing_alg_values_supported
	introspection_signing_alg_values_supported id_token_signing_alg_values_supported userinfo_signing_alg_values_supported
	request_object_signing_alg_values_supported authorization_signing_alg_values_supported dpop_signing_alg_values_supported
	claims_parameter_supported request_parameter_supported request_uri_parameter_supported require_request_uri_registration
	require_signed_request_object require_pushed_authorization_requests authorization_response_iss_parameter_supported
	tls_client_certificate_bound_access_tokens
	backchannel_logout_supported backchannel_logout_session_supported frontchannel_logout_supported frontchannel_logout_session_supported
	service_documentation op_policy_uri op_tos_uri`)
