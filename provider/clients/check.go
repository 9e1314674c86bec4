package clients

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/text/language"

	"asoba.example/provider/api"
)

// Limits that no honest client meets.
const (
	maxURI     = 2000
	maxURIs    = 50
	maxText    = 500
	maxKeys    = 20
	minRSABits = 2048 // FAPI 2.0 Security Profile §5.4.1
)

const (
	deviceCode    = "urn:ietf:params:oauth:grant-type:device_code"    // RFC 8628 §3.4
	tokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange" // RFC 8693 §2.1
)

// The values that members may have, of which the provider tells in discovery.
var (
	GrantTypes  = []string{"authorization_code", "refresh_token", "client_credentials", deviceCode, tokenExchange}
	AuthMethods = []string{
		"client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth", "none",
	}
	SigningAlgs = []string{"PS256", "ES256", "EdDSA", "RS256"}
)

// The values that members may have; the first is the default.
var (
	applicationTypes = []string{"web", "native"}
	idTokenAlgs      = []string{"RS256", "ES256", "PS256", "EdDSA"} // OpenID Connect Registration §2
	algsOrAny        = append([]string{""}, SigningAlgs...)
	profiles         = []string{Baseline, FAPI2}
	bases            = []string{BasisConsent, BasisOfficial}
)

// checked gives the metadata with every default filled in, or a *MetadataError for each check that it does not pass.
func (m Metadata) checked() (Metadata, error) {
	m.tighten()
	var all []error
	for _, member := range []struct {
		name  string
		value *string
		known []string
	}{
		{"application_type", &m.ApplicationType, applicationTypes},
		{"token_endpoint_auth_method", &m.TokenEndpointAuthMethod, AuthMethods},
		{"subject_type", &m.SubjectType, SubjectTypes},
		{"id_token_signed_response_alg", &m.IDTokenSignedResponseAlg, idTokenAlgs},
		{"userinfo_signed_response_alg", &m.UserinfoSignedResponseAlg, algsOrAny},
		{"token_endpoint_auth_signing_alg", &m.TokenEndpointAuthSigningAlg, algsOrAny},
		{"introspection_signed_response_alg", &m.IntrospectionSignedResponseAlg, algsOrAny},
		{"request_object_signing_alg", &m.RequestObjectSigningAlg, algsOrAny},
		{"authorization_signed_response_alg", &m.AuthorizationSignedResponseAlg, algsOrAny},
		{"profile", &m.Profile, profiles},
		{"basis", &m.Basis, bases},
	} {
		if *member.value == "" {
			*member.value = member.known[0]
		}
		if !slices.Contains(member.known, *member.value) {
			all = append(all, wrong(member.name, "is none of "+strings.Join(member.known, ", ")))
		}
	}
	for _, check := range []func(*Metadata) error{
		(*Metadata).checkGrants, (*Metadata).checkScope, (*Metadata).checkRedirects, (*Metadata).checkPKCE, (*Metadata).checkSubject,
		(*Metadata).checkKeys, (*Metadata).checkCertificate, (*Metadata).checkResources, (*Metadata).checkExchange, (*Metadata).checkDefaults,
		(*Metadata).checkLinks, (*Metadata).checkLogout, (*Metadata).checkTexts, (*Metadata).checkProfile,
	} {
		all = append(all, check(&m))
	}
	return m, errors.Join(all...)
}

func wrong(member, reason string) error {
	return &MetadataError{Code: InvalidClientMetadata, Member: member, Reason: reason}
}

func (m *Metadata) checkGrants() error {
	if len(m.GrantTypes) == 0 {
		m.GrantTypes = []string{"authorization_code"}
	}
	for _, g := range m.GrantTypes {
		if !slices.Contains(GrantTypes, g) {
			return wrong("grant_types", "has one that is none of "+strings.Join(GrantTypes, ", "))
		}
	}
	code := slices.Contains(m.GrantTypes, "authorization_code")
	switch {
	case !code && !slices.Contains(m.GrantTypes, deviceCode) && slices.Contains(m.GrantTypes, "refresh_token"):
		return wrong("grant_types", "has refresh_token without a grant that gives one")
	case m.public() && slices.Contains(m.GrantTypes, "client_credentials"):
		return wrong("grant_types", "has client_credentials, which needs credentials")
	}
	if len(m.ResponseTypes) == 0 && code {
		m.ResponseTypes = []string{"code"}
	}
	for _, t := range m.ResponseTypes {
		if t != "code" {
			return wrong("response_types", "has one that is not code")
		}
		if !code {
			return wrong("response_types", "has code without the grant type authorization_code")
		}
	}
	return nil
}

func (m *Metadata) checkScope() error {
	scopes := strings.Fields(m.Scope)
	if len(scopes) == 0 && (slices.Contains(m.GrantTypes, "authorization_code") || slices.Contains(m.GrantTypes, deviceCode)) {
		scopes = []string{"openid"}
	}
	for i, s := range scopes {
		if !known(s) {
			return wrong("scope", fmt.Sprintf("has %.40q, which there is not", s))
		}
		if slices.Contains(scopes[:i], s) {
			return wrong("scope", "has one twice")
		}
	}
	m.Scope = strings.Join(scopes, " ")
	return nil
}

func (m *Metadata) checkRedirects() error {
	if len(m.RedirectURIs) == 0 && slices.Contains(m.GrantTypes, "authorization_code") {
		return &MetadataError{InvalidRedirectURI, "redirect_uris", "is empty"}
	}
	if len(m.RedirectURIs) > maxURIs {
		return &MetadataError{InvalidRedirectURI, "redirect_uris", "has too many"}
	}
	for _, uri := range m.RedirectURIs {
		if reason := landing(uri); reason != "" {
			return &MetadataError{InvalidRedirectURI, "redirect_uris", reason}
		}
		if name := answered(uri); name != "" {
			return &MetadataError{InvalidRedirectURI, "redirect_uris", "has " + name + " in its query, which is for the answer"}
		}
	}
	if len(m.PostLogoutRedirectURIs) > maxURIs {
		return wrong("post_logout_redirect_uris", "has too many")
	}
	for _, uri := range m.PostLogoutRedirectURIs {
		if reason := landing(uri); reason != "" {
			return wrong("post_logout_redirect_uris", reason)
		}
	}
	return nil
}

// answered tells a parameter of the answer that a redirect URI has itself: a client would not know which of the two is ours.
func answered(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	for _, name := range []string{"code", "state", "iss", "error", "error_description", "response"} {
		if u.Query().Has(name) {
			return name
		}
	}
	return ""
}

// landing tells why a browser cannot be sent to uri, or "". Plain http is for a
// loopback address, where nobody is on the way (RFC 8252 §8.3).
func landing(uri string) (reason string) {
	u, reason := absolute(uri)
	switch {
	case reason != "":
		return reason
	case u.Scheme == "https":
		return ""
	case u.Scheme == "http" && (loopback(u.Hostname()) || u.Hostname() == "localhost"):
		return ""
	}
	return "has one that is neither https nor http on a loopback address"
}

func absolute(uri string) (u *url.URL, reason string) {
	u, err := url.Parse(uri)
	switch {
	case len(uri) > maxURI:
		return nil, "has one that is too long"
	case err != nil, !u.IsAbs(), strings.ContainsFunc(uri, notPrintable):
		return nil, "has one that is not an absolute URI"
	case u.Hostname() == "": // also of an application's own scheme (RFC 8252 §7.1)
		return nil, "has one without a host"
	case strings.Contains(uri, "#"):
		return nil, "has one with a fragment" // RFC 6749 §3.1.2
	case u.User != nil:
		return nil, "has one with user information"
	case strings.Contains(u.Host, "*"):
		return nil, "has one with a wildcard"
	case !strings.HasPrefix(uri, u.Scheme+"://"):
		return nil, "has one whose scheme is not in lower case"
	}
	return u, ""
}

// notPrintable also finds the characters that browsers and parsers read apart.
func notPrintable(c rune) bool { return c <= ' ' || c >= 0x7f || c == '\\' }

// loopback tells an address of the machine itself (RFC 8252 §7.3).
func loopback(host string) bool {
	return host == net.IPv4(127, 0, 0, 1).String() || host == net.IPv6loopback.String()
}

func (m *Metadata) checkPKCE() error {
	if m.RequirePKCE == nil {
		m.RequirePKCE = new(true)
	}
	if !*m.RequirePKCE && m.public() {
		return wrong("require_pkce", "is always true for a client without credentials") // RFC 9700 §2.1.1
	}
	return nil
}

func (m *Metadata) checkKeys() error {
	switch {
	case m.JWKSURI != "" && m.JWKS != nil:
		return wrong("jwks_uri", "does not go with jwks") // RFC 7591 §2
	case m.JWKSURI != "":
		if reason := landing(m.JWKSURI); reason != "" {
			return wrong("jwks_uri", reason)
		}
		return nil
	case (m.TokenEndpointAuthMethod == "private_key_jwt" || m.TokenEndpointAuthMethod == "self_signed_tls_client_auth") &&
		(m.JWKS == nil || len(m.JWKS.Keys) == 0):
		return wrong("jwks", "is missing, and jwks_uri too: "+m.TokenEndpointAuthMethod+" needs one of them")
	case m.RequireSignedRequestObject && (m.JWKS == nil || len(m.JWKS.Keys) == 0):
		return wrong("jwks", "is missing, and jwks_uri too: require_signed_request_object needs one of them")
	case m.JWKS == nil:
		return nil
	case len(m.JWKS.Keys) > maxKeys:
		return wrong("jwks", "has too many keys")
	}
	seen := map[string]bool{}
	for _, key := range m.JWKS.Keys {
		if reason := verifying(key); reason != "" {
			return wrong("jwks", reason)
		}
		if key.KeyID != "" && seen[key.KeyID] {
			return wrong("jwks", "has a kid twice")
		}
		seen[key.KeyID] = true
	}
	return nil
}

// verifying tells why we cannot verify with a client's key, or "".
func verifying(key jose.JSONWebKey) (reason string) {
	switch k := key.Key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSABits {
			return "has an RSA key of less than 2048 bits"
		}
	case *ecdsa.PublicKey, ed25519.PublicKey:
	default:
		return "has a key that is not public" // a private one that was sent is no secret any more, a symmetric one never was
	}
	if !key.Valid() {
		return "has a key that is not valid"
	}
	if key.Use != "" && key.Use != "sig" {
		return "has a key that is not for signatures"
	}
	if strings.ContainsFunc(key.KeyID+key.Algorithm, unprinted) {
		return "has a key whose kid or alg has characters that are not printed"
	}
	return ""
}

func (m *Metadata) checkResources() error {
	if len(m.Resources) > maxURIs {
		return wrong("resources", "has too many")
	}
	for _, uri := range m.Resources {
		if _, reason := absolute(uri); reason != "" { // RFC 8707 §2
			return wrong("resources", reason)
		}
	}
	if m.ResourceServer == "" {
		return nil
	}
	if _, reason := absolute(m.ResourceServer); reason != "" {
		return wrong("resource_server", reason)
	}
	if m.public() {
		return wrong("resource_server", "needs credentials") // RFC 7662 §2.1
	}
	return nil
}

// checkExchange holds that tokens are exchanged by whoever is shown them, and as it is said here (RFC 8693 §1.1).
func (m *Metadata) checkExchange() error {
	switch registered := slices.Contains(m.GrantTypes, tokenExchange); {
	case registered != (len(m.TokenExchange) > 0):
		return wrong("token_exchange", "goes with the grant type "+tokenExchange)
	case registered && m.ResourceServer == "":
		return wrong("token_exchange", "needs resource_server")
	case len(m.TokenExchange) > maxURIs:
		return wrong("token_exchange", "has too many")
	}
	for i, e := range m.TokenExchange {
		if _, reason := absolute(e.Audience); reason != "" {
			return wrong("token_exchange", reason)
		}
		if slices.ContainsFunc(m.TokenExchange[:i], func(other Exchange) bool { return other.Audience == e.Audience }) {
			return wrong("token_exchange", "has an audience twice")
		}
		scopes := strings.Fields(e.Scope)
		if len(scopes) == 0 {
			return wrong("token_exchange", "has one without a scope")
		}
		for _, s := range scopes {
			if !known(s) || s == "offline_access" {
				return wrong("token_exchange", fmt.Sprintf("has the scope %.40q, which is none of a token", s))
			}
		}
	}
	return nil
}

// checkDefaults checks what stands for a parameter that a request leaves out.
func (m *Metadata) checkDefaults() error {
	if age := m.DefaultMaxAge; age != nil && (*age < 0 || *age > math.MaxInt32) {
		return wrong("default_max_age", "is not a number of seconds")
	}
	for _, acr := range m.DefaultACRValues {
		if !slices.Contains(api.Levels, acr) {
			return wrong("default_acr_values", "has one that is none of "+strings.Join(api.Levels, ", "))
		}
	}
	return nil
}

func (m *Metadata) checkLinks() error {
	if uri := m.InitiateLoginURI; uri != "" && !strings.HasPrefix(uri, "https://") { // OpenID Connect Core §4
		return wrong("initiate_login_uri", "is not https")
	}
	for name, uri := range map[string]string{
		"initiate_login_uri": m.InitiateLoginURI, "client_uri": m.ClientURI, "logo_uri": m.LogoURI, "policy_uri": m.PolicyURI, "tos_uri": m.TOSURI,
	} {
		if uri != "" {
			if reason := landing(uri); reason != "" {
				return wrong(name, reason)
			}
		}
	}
	return nil
}

// checkLogout holds what a client hears a sign-out at to what a browser may be sent to. The address that a browser is to load in a frame
// is one of the client's own: it shares scheme, host and port with a redirect URI (OpenID Connect Front-Channel Logout §2).
func (m *Metadata) checkLogout() error {
	if m.BackchannelLogoutURI != "" {
		if reason := landing(m.BackchannelLogoutURI); reason != "" {
			return wrong("backchannel_logout_uri", reason)
		}
	}
	if m.FrontchannelLogoutURI == "" {
		return nil
	}
	if reason := landing(m.FrontchannelLogoutURI); reason != "" {
		return wrong("frontchannel_logout_uri", reason)
	}
	own := origin(m.FrontchannelLogoutURI)
	if !slices.ContainsFunc(m.RedirectURIs, func(uri string) bool { return origin(uri) == own }) {
		return wrong("frontchannel_logout_uri", "has not the scheme, host and port of a redirect URI")
	}
	return nil
}

// origin is the scheme, host and port of an address that was checked (RFC 6454 §4).
func origin(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	port := cmp.Or(u.Port(), map[string]string{"https": "443", "http": "80"}[u.Scheme])
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

// checkTexts keeps what a person will read as words of the client: of bounded
// length, in a language, and without characters that turn or hide a text.
func (m *Metadata) checkTexts() error {
	var all []error
	for name, texts := range m.texts() {
		for tag, text := range *texts {
			member := name
			if tag != "" {
				member += "#" + tag
				if _, err := language.Parse(tag); err != nil {
					all = append(all, wrong(name, "has a language that is none (BCP 47)"))
				}
			}
			switch {
			case utf8.RuneCountInString(text) > maxText:
				all = append(all, wrong(member, "is too long"))
			case !utf8.ValidString(text), strings.ContainsFunc(text, unprinted):
				all = append(all, wrong(member, "has characters that are not printed"))
			}
		}
	}
	return errors.Join(all...)
}

// unprinted finds what turns or hides a text, and U+0000, which PostgreSQL cannot hold.
func unprinted(c rune) bool { return !unicode.IsPrint(c) }

func (m *Metadata) public() bool { return m.TokenEndpointAuthMethod == "none" }
