package clients

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Every member of the metadata is either registered with IANA, so that a client may set it for itself, or given by the
// operator: one of ours that nobody has thought about is nobody's to claim.
func TestMembersOfOursAreTheOperators(t *testing.T) {
	t.Parallel()
	registered := strings.Fields(`
		redirect_uris token_endpoint_auth_method grant_types response_types client_name client_uri logo_uri scope contacts tos_uri
		policy_uri jwks_uri jwks software_id software_version application_type sector_identifier_uri subject_type
		id_token_signed_response_alg id_token_encrypted_response_alg id_token_encrypted_response_enc userinfo_signed_response_alg
		userinfo_encrypted_response_alg userinfo_encrypted_response_enc request_object_signing_alg request_object_encryption_alg
		request_object_encryption_enc token_endpoint_auth_signing_alg default_max_age require_auth_time default_acr_values
		initiate_login_uri request_uris frontchannel_logout_uri frontchannel_logout_session_required backchannel_logout_uri
		backchannel_logout_session_required post_logout_redirect_uris authorization_signed_response_alg
		authorization_encrypted_response_alg authorization_encrypted_response_enc introspection_signed_response_alg
		introspection_encrypted_response_alg introspection_encrypted_response_enc tls_client_certificate_bound_access_tokens
		tls_client_auth_subject_dn tls_client_auth_san_dns tls_client_auth_san_uri tls_client_auth_san_ip tls_client_auth_san_email
		require_signed_request_object require_pushed_authorization_requests dpop_bound_access_tokens authorization_details_types`)
	// Anybody may be held to a stricter profile.
	registered = append(registered, "profile")
	for i := range reflect.TypeFor[Metadata]().NumField() {
		member, _, _ := strings.Cut(reflect.TypeFor[Metadata]().Field(i).Tag.Get("json"), ",")
		if _, given := granted[member]; member != "-" && given == slices.Contains(registered, member) {
			t.Errorf("%s: given by the operator: %t, registered: %[2]t", member, given)
		}
	}
}
