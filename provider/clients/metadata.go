package clients

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// ErrMetadata is wrapped by every *MetadataError.
var ErrMetadata = errors.New("client metadata is not acceptable")

// The errors of RFC 7591 §3.2.2.
const (
	InvalidRedirectURI    = "invalid_redirect_uri"
	InvalidClientMetadata = "invalid_client_metadata"
)

// A MetadataError says which member is not acceptable, and why, in words for the integrator.
type MetadataError struct {
	Code   string // InvalidRedirectURI or InvalidClientMetadata
	Member string
	Reason string
}

func (e *MetadataError) Error() string {
	return fmt.Sprintf("%v: %s %s", ErrMetadata, e.Member, e.Reason)
}

// Unwrap gives ErrMetadata.
func (e *MetadataError) Unwrap() error { return ErrMetadata }

// Wrong gives all that an error says of metadata which is not acceptable; none for another error.
func Wrong(err error) (all []*MetadataError) {
	type joined interface {
		error
		Unwrap() []error
	}
	if several, ok := errors.AsType[joined](err); ok {
		for _, err := range several.Unwrap() {
			all = append(all, Wrong(err)...)
		}
		return all
	}
	if wrong, ok := errors.AsType[*MetadataError](err); ok {
		all = append(all, wrong)
	}
	return all
}

// Bases on which values are released to a client.
const (
	BasisOfficial = "official" // on a legal basis: the person is informed
	BasisConsent  = "consent"  // the person agrees
)

// Metadata is what a client registers: RFC 7591 §2, and ours after it.
type Metadata struct {
	ClientName                  Texts               `json:"-"`                          // client_name, client_name#be, …
	ApplicationType             string              `json:"application_type,omitempty"` // web (default) or native
	RedirectURIs                []string            `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs      []string            `json:"post_logout_redirect_uris,omitempty"`
	GrantTypes                  []string            `json:"grant_types,omitempty"`
	ResponseTypes               []string            `json:"response_types,omitempty"`
	Scope                       string              `json:"scope,omitempty"`
	TokenEndpointAuthMethod     string              `json:"token_endpoint_auth_method,omitempty"`
	TokenEndpointAuthSigningAlg string              `json:"token_endpoint_auth_signing_alg,omitempty"` // "": any that we take
	TokenEndpointAsAudience     bool                `json:"token_endpoint_as_audience,omitempty"`      // assertions may name its URL in place of the issuer
	JWKS                        *jose.JSONWebKeySet `json:"jwks,omitempty"`
	JWKSURI                     string              `json:"jwks_uri,omitempty"`     // where the keys lie instead
	SubjectType                 string              `json:"subject_type,omitempty"` // public (default) or pairwise
	SectorIdentifierURI         string              `json:"sector_identifier_uri,omitempty"`
	IDTokenSignedResponseAlg    string              `json:"id_token_signed_response_alg,omitempty"`
	UserinfoSignedResponseAlg   string              `json:"userinfo_signed_response_alg,omitempty"` // "": plain JSON
	DefaultMaxAge               *int64              `json:"default_max_age,omitempty"`              // in seconds
	DefaultACRValues            []string            `json:"default_acr_values,omitempty"`
	InitiateLoginURI            string              `json:"initiate_login_uri,omitempty"` // where a sign-in may begin (OpenID Connect Core §4)

	RequirePushedAuthorizationRequests bool   `json:"require_pushed_authorization_requests,omitempty"` // RFC 9126 §6
	RequireSignedRequestObject         bool   `json:"require_signed_request_object,omitempty"`         // RFC 9101 §10.5
	RequestObjectSigningAlg            string `json:"request_object_signing_alg,omitempty"`            // "": any that we take
	AuthorizationSignedResponseAlg     string `json:"authorization_signed_response_alg,omitempty"`     // JARM §3; "": RS256

	DPoPBoundAccessTokens        bool `json:"dpop_bound_access_tokens,omitempty"`                   // RFC 9449 §5.2
	CertificateBoundAccessTokens bool `json:"tls_client_certificate_bound_access_tokens,omitempty"` // RFC 8705 §3.4

	ClientURI string `json:"client_uri,omitempty"`
	LogoURI   string `json:"logo_uri,omitempty"` // shown nowhere: its host would learn who is about to sign in
	PolicyURI string `json:"policy_uri,omitempty"`
	TOSURI    string `json:"tos_uri,omitempty"`

	// Whom the certificate of tls_client_auth names: exactly one of the five (RFC 8705 §2.1.2).
	TLSClientAuthSubjectDN string `json:"tls_client_auth_subject_dn,omitempty"`
	TLSClientAuthSANDNS    string `json:"tls_client_auth_san_dns,omitempty"`
	TLSClientAuthSANURI    string `json:"tls_client_auth_san_uri,omitempty"`
	TLSClientAuthSANIP     string `json:"tls_client_auth_san_ip,omitempty"`
	TLSClientAuthSANEmail  string `json:"tls_client_auth_san_email,omitempty"`

	IntrospectionSignedResponseAlg string `json:"introspection_signed_response_alg,omitempty"` // "": signed only where it is asked for

	BackchannelLogoutURI              string `json:"backchannel_logout_uri,omitempty"`
	BackchannelLogoutSessionRequired  bool   `json:"backchannel_logout_session_required,omitempty"` // a sid is always told
	FrontchannelLogoutURI             string `json:"frontchannel_logout_uri,omitempty"`
	FrontchannelLogoutSessionRequired bool   `json:"frontchannel_logout_session_required,omitempty"` // iss and sid are always told

	Profile        string   `json:"profile,omitempty"` // Baseline (default) or FAPI2
	RequirePKCE    *bool    `json:"require_pkce,omitempty"`
	FirstParty     bool     `json:"first_party,omitempty"`     // asks no consent
	Basis          string   `json:"basis,omitempty"`           // official or consent (default)
	Purpose        Texts    `json:"-"`                         // why the values are asked: purpose, purpose#be, …
	LegalBasis     Texts    `json:"-"`                         // the law that lets the client ask: legal_basis, legal_basis#be, …
	Resources      []string `json:"resources,omitempty"`       // audiences it may ask tokens for (RFC 8707)
	ResourceServer string   `json:"resource_server,omitempty"` // the audience it serves, and so may introspect

	TokenExchange []Exchange `json:"token_exchange,omitempty"`
}

// An Exchange is what a resource server may exchange the tokens for that it is shown (RFC 8693): tokens for another audience, with those of
// these scopes that the exchanged one has.
type Exchange struct {
	Audience string `json:"audience"`
	Scope    string `json:"scope"`
}

// Texts say one thing in several languages; "" is the one for all others (RFC 7591 §2.2).
type Texts map[string]string

// In gives the text in the language, or else the one for all others, or else any: a person is never shown nothing
// where something was said.
func (t Texts) In(language string) string {
	for _, l := range []string{language, "", "ru", "be", "en"} {
		if text := t[l]; text != "" {
			return text
		}
	}
	return ""
}

// texts are the members that are said in languages.
func (m *Metadata) texts() map[string]*Texts {
	return map[string]*Texts{"client_name": &m.ClientName, "purpose": &m.Purpose, "legal_basis": &m.LegalBasis}
}

// plain is Metadata without its languages.
type plain Metadata

// MarshalJSON writes the texts as members of their own, client_name#be.
func (m Metadata) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(plain(m))
	if err != nil {
		return nil, err
	}
	members := map[string]any{}
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	for name, texts := range m.texts() {
		for language, text := range *texts {
			if language == "" {
				members[name] = text
			} else {
				members[name+"#"+language] = text
			}
		}
	}
	return json.Marshal(members)
}

// UnmarshalJSON reads a client's metadata. Members that we do not know are left out.
func (m *Metadata) UnmarshalJSON(b []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil {
		return &MetadataError{InvalidClientMetadata, "", "is not a JSON object"}
	}
	if err := offered(members); err != nil {
		return err
	}
	*m = Metadata{}
	if err := json.Unmarshal(b, (*plain)(m)); err != nil {
		if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) {
			member, _, _ := strings.Cut(wrong.Field, ".")
			return &MetadataError{InvalidClientMetadata, member, "has the wrong type"}
		}
		return &MetadataError{InvalidClientMetadata, "jwks", "is not a set of keys that we know"} // the one member that reads itself
	}
	texts := m.texts()
	for member, value := range members {
		name, language, _ := strings.Cut(member, "#")
		into, ok := texts[name]
		if !ok {
			continue
		}
		var text string
		if json.Unmarshal(value, &text) != nil {
			return &MetadataError{InvalidClientMetadata, member, "is not a text"}
		}
		if *into == nil {
			*into = Texts{}
		}
		(*into)[language] = text
	}
	return nil
}

// notOffered are registered members that change what a client relies on and that
// we do not honour. A value that asks for nothing (the second one, null) passes.
var notOffered = map[string]string{
	"request_uris":                         `[]`,
	"software_statement":                   ``,
	"id_token_encrypted_response_alg":      ``,
	"id_token_encrypted_response_enc":      ``,
	"userinfo_encrypted_response_alg":      ``,
	"userinfo_encrypted_response_enc":      ``,
	"request_object_encryption_alg":        ``,
	"request_object_encryption_enc":        ``,
	"authorization_encrypted_response_alg": ``,
	"authorization_encrypted_response_enc": ``,
	"introspection_encrypted_response_alg": ``,
	"introspection_encrypted_response_enc": ``,
}

func offered(members map[string]json.RawMessage) error {
	for member, value := range members {
		harmless, ok := notOffered[member]
		if ok && string(value) != harmless && string(value) != "null" {
			return &MetadataError{InvalidClientMetadata, member, "is not offered by this provider"}
		}
	}
	return nil
}
