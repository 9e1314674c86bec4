package clients_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"asoba.example/provider/clients"
)

const (
	publicKey  = `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","kid":"1"}`
	privateKey = `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}`
	weakKey    = `{"kty":"RSA","e":"AQAB","n":"sZJ-k0hfl6rgiBEzd0F0SjtYxUKLTA3hdAj6RXtFO4HxnLvZbTBpqUYPBQyvXNeYcs_W4dqZVTAKVlJCaGnmFHX5uCEM6bg5JcSzbJ9bxoHOlZRQ1DGbUJgKvXvx3Dz1R5yGXvNIMSOVfSjM9LMUKgtzy1BLuRMCrUyCGQsR7bc"}`
	secretKey  = `{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}`
)

// What is registered comes back as it was given, with the strict value for all that was left open.
func TestMetadataIsKeptAndCompleted(t *testing.T) {
	t.Parallel()
	registry, _ := newRegistry(t)
	c, _ := register(t, registry, `{"redirect_uris":["https://portal.example/cb?a=1"],"client_name":"Портал","client_name#be":"Партал",
		"purpose#en":"A trial","unheard_of":{"a":1},"jwks":{"keys":[`+publicKey+`]},"jwks_uri":null,"subject_type":"public"}`)
	got, err := json.Marshal(c.Metadata)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"application_type":"web","basis":"consent","client_name":"Портал","client_name#be":"Партал",` +
		`"grant_types":["authorization_code"],"id_token_signed_response_alg":"RS256",` +
		`"jwks":{"keys":[{"crv":"P-256","kid":"1","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]},` +
		`"profile":"baseline","purpose#en":"A trial","redirect_uris":["https://portal.example/cb?a=1"],"require_pkce":true,` +
		`"response_types":["code"],"scope":"openid","subject_type":"public","token_endpoint_auth_method":"client_secret_basic"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for language, want := range map[string]string{"be": "Партал", "ru": "Портал", "en": "Портал"} {
		if got := c.Name(language); got != want {
			t.Errorf("%s: %s", language, got)
		}
	}
}

// A client of FAPI 2.0 need say no more than that: what it left open has the value that the profile demands (FAPI 2.0 Security Profile
// §5.3.2.1–2, §5.4.1).
func TestAFAPIClientIsStrictByDefault(t *testing.T) {
	t.Parallel()
	registry, _ := newRegistry(t)
	c, secret := register(t, registry, `{"redirect_uris":["https://portal.example/cb"],"profile":"fapi2","jwks":{"keys":[`+publicKey+`]},
		"require_pushed_authorization_requests":false,"dpop_bound_access_tokens":false}`)
	m := c.Metadata
	if secret != "" || m.TokenEndpointAuthMethod != "private_key_jwt" || !*m.RequirePKCE || !m.RequirePushedAuthorizationRequests ||
		!m.DPoPBoundAccessTokens || m.IDTokenSignedResponseAlg != "ES256" {
		t.Errorf("got %+v", m)
	}
	c, _ = register(t, registry, `{"redirect_uris":["https://portal.example/cb"],"profile":"fapi2",
		"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_dns":"portal.example","tls_client_certificate_bound_access_tokens":true}`)
	if m := c.Metadata; m.DPoPBoundAccessTokens || !m.CertificateBoundAccessTokens {
		t.Errorf("bound by its certificate alone: got %+v", m)
	}
}

// A wrong member is named, with the error that RFC 7591 §3.2.2 has for it; so is what we do not offer.
func TestWrongMetadataIsRefusedByName(t *testing.T) {
	t.Parallel()
	const uri, meta = clients.InvalidRedirectURI, clients.InvalidClientMetadata
	const cb = `"redirect_uris":["https://portal.example/cb"],`
	const exchange, server = `"grant_types":["urn:ietf:params:oauth:grant-type:token-exchange"],`, `"resource_server":"https://own.example",`
	const fapi2 = `"profile":"fapi2","jwks":{"keys":[` + publicKey + `]},`
	redirect := func(uri string) string {
		text, _ := json.Marshal(uri)
		return `"redirect_uris":[` + string(text) + `]`
	}
	for _, test := range []struct{ members, code, member string }{
		{``, uri, "redirect_uris"},
		{redirect("http://portal.example/cb"), uri, "redirect_uris"},
		{redirect("http://127.0.0.1.portal.example/cb"), uri, "redirect_uris"},
		{redirect("https://portal.example/cb#f"), uri, "redirect_uris"},
		{redirect("https://portal.example/cb#"), uri, "redirect_uris"},
		{redirect("https://user@portal.example/cb"), uri, "redirect_uris"},
		{redirect("https://*.portal.example/cb"), uri, "redirect_uris"},
		{redirect(`https://portal.example\@evil.example/cb`), uri, "redirect_uris"},
		{redirect("https://portal.example/c b"), uri, "redirect_uris"},
		{redirect("https://пример.example/cb"), uri, "redirect_uris"},
		{redirect("https:///cb"), uri, "redirect_uris"},
		{redirect("https:portal.example"), uri, "redirect_uris"},
		{redirect("HTTPS://portal.example/cb"), uri, "redirect_uris"},
		{redirect("javascript:alert(1)"), uri, "redirect_uris"},
		{cb + `"jwks":{"keys":[` + strings.Replace(publicKey, `"kid":"1"`, `"kid":"\u0000"`, 1) + `]}`, meta, "jwks"},
		{cb + `"jwks":{"keys":[` + strings.Replace(publicKey, `"kid":"1"`, `"alg":"\u0000"`, 1) + `]}`, meta, "jwks"},
		{cb + `"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_dns":"a\u0000.example"`, meta, "tls_client_auth_san_dns"},
		{redirect("data://portal.example/cb"), uri, "redirect_uris"},
		{redirect("by.portal:/cb"), uri, "redirect_uris"},
		{redirect("/cb"), uri, "redirect_uris"},
		{redirect("https://portal.example/" + strings.Repeat("a", 2000)), uri, "redirect_uris"},
		{`"redirect_uris":"https://portal.example/cb"`, meta, "redirect_uris"},
		{cb + `"post_logout_redirect_uris":["http://portal.example/"]`, meta, "post_logout_redirect_uris"},
		{cb + `"grant_types":["implicit"]`, meta, "grant_types"},
		{cb + `"grant_types":["refresh_token"]`, meta, "grant_types"},
		{cb + `"grant_types":["authorization_code","client_credentials"],"token_endpoint_auth_method":"none"`, meta, "grant_types"},
		{cb + `"response_types":["code id_token"]`, meta, "response_types"},
		{`"grant_types":["client_credentials"],"response_types":["code"]`, meta, "response_types"},
		{cb + `"scope":"openid email"`, meta, "scope"},
		{cb + `"scope":"OPENID"`, meta, "scope"},
		{cb + `"scope":"openid openid"`, meta, "scope"},
		{cb + `"token_endpoint_auth_method":"client_secret_jwt"`, meta, "token_endpoint_auth_method"},
		{cb + `"token_endpoint_auth_method":"private_key_jwt"`, meta, "jwks"},
		{cb + `"jwks":{"keys":[` + privateKey + `]}`, meta, "jwks"},
		{cb + `"jwks":{"keys":[` + weakKey + `]}`, meta, "jwks"},
		{cb + `"jwks":{"keys":[` + secretKey + `]}`, meta, "jwks"},
		{cb + `"jwks":{"keys":[` + publicKey + `,` + publicKey + `]}`, meta, "jwks"},
		{cb + `"jwks":{"keys":[{"kty":"EC"}]}`, meta, "jwks"},
		{cb + `"jwks":{"keys":1}`, meta, "jwks"},
		{cb + `"id_token_signed_response_alg":"none"`, meta, "id_token_signed_response_alg"},
		{cb + `"id_token_signed_response_alg":"HS256"`, meta, "id_token_signed_response_alg"},
		{cb + `"token_exchange":[{"audience":"https://api.example","scope":"openid"}]`, meta, "token_exchange"},
		{exchange + `"token_exchange":[]`, meta, "token_exchange"},
		{exchange + `"token_exchange":[{"audience":"https://api.example","scope":"openid"}]`, meta, "token_exchange"},
		{exchange + server + `"token_exchange":[{"audience":"api","scope":"openid"}]`, meta, "token_exchange"},
		{exchange + server + `"token_exchange":[{"audience":"https://api.example","scope":""}]`, meta, "token_exchange"},
		{exchange + server + `"token_exchange":[{"audience":"https://api.example","scope":"openid email"}]`, meta, "token_exchange"},
		{exchange + server + `"token_exchange":[{"audience":"https://api.example","scope":"offline_access"}]`, meta, "token_exchange"},
		{exchange + server + `"token_exchange":{"audience":"https://api.example"}`, meta, "token_exchange"},
		{cb + `"introspection_signed_response_alg":"none"`, meta, "introspection_signed_response_alg"},
		{cb + `"require_pkce":false,"token_endpoint_auth_method":"none"`, meta, "require_pkce"},
		{cb + `"require_pkce":"no"`, meta, "require_pkce"},
		{cb + `"require_pushed_authorization_requests":"yes"`, meta, "require_pushed_authorization_requests"},
		{cb + `"require_signed_request_object":true`, meta, "jwks"},
		{cb + `"request_object_signing_alg":"none"`, meta, "request_object_signing_alg"},
		{cb + `"authorization_signed_response_alg":"HS256"`, meta, "authorization_signed_response_alg"},
		{cb + `"authorization_encrypted_response_alg":"RSA-OAEP"`, meta, "authorization_encrypted_response_alg"},
		{cb + `"basis":"none"`, meta, "basis"},
		{cb + `"profile":"fapi1"`, meta, "profile"},
		{cb + `"profile":"fapi2"`, meta, "jwks"},
		{cb + fapi2 + `"token_endpoint_auth_method":"none"`, meta, "token_endpoint_auth_method"},
		{cb + fapi2 + `"token_endpoint_auth_method":"client_secret_basic"`, meta, "token_endpoint_auth_method"},
		{cb + fapi2 + `"token_endpoint_auth_signing_alg":"RS256"`, meta, "token_endpoint_auth_signing_alg"},
		{cb + fapi2 + `"id_token_signed_response_alg":"RS256"`, meta, "id_token_signed_response_alg"},
		{cb + fapi2 + `"request_object_signing_alg":"RS256"`, meta, "request_object_signing_alg"},
		{cb + fapi2 + `"authorization_signed_response_alg":"RS256"`, meta, "authorization_signed_response_alg"},
		{cb + fapi2 + `"userinfo_signed_response_alg":"RS256"`, meta, "userinfo_signed_response_alg"},
		{cb + fapi2 + `"token_endpoint_as_audience":true`, meta, "token_endpoint_as_audience"},
		{cb + fapi2 + `"require_pkce":false`, meta, "require_pkce"},
		{`"redirect_uris":["http://127.0.0.1:3901/cb"],` + fapi2, meta, "redirect_uris"},
		{cb + `"resources":["cabinet"]`, meta, "resources"},
		{cb + `"resource_server":"https://api.example","token_endpoint_auth_method":"none"`, meta, "resource_server"},
		{cb + `"client_uri":"http://portal.example"`, meta, "client_uri"},
		{cb + `"policy_uri":"javascript:alert(1)"`, meta, "policy_uri"},
		{cb + `"client_name":7`, meta, "client_name"},
		{cb + `"client_name#":"a","client_name#not a language":"a"`, meta, "client_name"},
		{cb + `"client_name":"` + "\u202e" + `latrop"`, meta, "client_name"},
		{cb + `"purpose#be":"` + strings.Repeat("я", 501) + `"`, meta, "purpose#be"},
		{cb + `"jwks_uri":"http://portal.example/keys"`, meta, "jwks_uri"},
		{cb + `"jwks_uri":"https://portal.example/keys","jwks":{"keys":[` + publicKey + `]}`, meta, "jwks_uri"},
		{cb + `"subject_type":"secret"`, meta, "subject_type"},
		{`"subject_type":"pairwise","redirect_uris":["https://portal.example/cb","https://other.example/cb"]`, meta, "sector_identifier_uri"},
		{`"subject_type":"pairwise","redirect_uris":["http://127.0.0.1/cb"],"application_type":"native"`, meta, "sector_identifier_uri"},
		{`"subject_type":"pairwise","grant_types":["client_credentials"]`, meta, "sector_identifier_uri"},
		{cb + `"subject_type":"pairwise","scope":"openid cabinet.profile.read"`, meta, "scope"},
		{cb + `"subject_type":"pairwise","scope":"openid audit:read"`, meta, "scope"},
		{cb + `"sector_identifier_uri":"http://portal.example/sector"`, meta, "sector_identifier_uri"},
		{cb + `"userinfo_signed_response_alg":"HS256"`, meta, "userinfo_signed_response_alg"},
		{cb + `"userinfo_signed_response_alg":"none"`, meta, "userinfo_signed_response_alg"},
		{cb + `"initiate_login_uri":"http://127.0.0.1/sign-in"`, meta, "initiate_login_uri"},
		{cb + `"initiate_login_uri":"https://portal.example/#sign-in"`, meta, "initiate_login_uri"},
		{cb + `"default_max_age":-1`, meta, "default_max_age"},
		{cb + `"default_max_age":1.5`, meta, "default_max_age"},
		{cb + `"default_max_age":"60"`, meta, "default_max_age"},
		{cb + `"default_acr_values":["high"]`, meta, "default_acr_values"},
		{cb + `"token_endpoint_auth_method":"tls_client_auth"`, meta, "tls_client_auth_subject_dn"},
		{cb + `"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject_dn":"Tax office"`, meta, "tls_client_auth_subject_dn"},
		{cb + `"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject_dn":"CN=a,=b"`, meta, "tls_client_auth_subject_dn"},
		{cb + `"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject_dn":"CN=a","tls_client_auth_san_dns":"a.example"`, meta, "tls_client_auth_subject_dn"},
		{cb + `"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_ip":"a.example"`, meta, "tls_client_auth_san_ip"},
		{cb + `"tls_client_auth_san_dns":"a.example"`, meta, "tls_client_auth_san_dns"},
		{cb + `"token_endpoint_auth_method":"self_signed_tls_client_auth"`, meta, "jwks"},
		{cb + `"dpop_bound_access_tokens":"yes"`, meta, "dpop_bound_access_tokens"},
		{cb + `"backchannel_logout_uri":"http://portal.example/out"`, meta, "backchannel_logout_uri"},
		{cb + `"backchannel_logout_uri":"https://portal.example/out#now"`, meta, "backchannel_logout_uri"},
		{cb + `"backchannel_logout_session_required":"yes"`, meta, "backchannel_logout_session_required"},
		{cb + `"frontchannel_logout_uri":"/out"`, meta, "frontchannel_logout_uri"},
		{cb + `"frontchannel_logout_uri":"https://other.example/out"`, meta, "frontchannel_logout_uri"},
		{cb + `"frontchannel_logout_uri":"https://portal.example:8443/out"`, meta, "frontchannel_logout_uri"},
		{cb + `"frontchannel_logout_uri":"http://portal.example/out"`, meta, "frontchannel_logout_uri"},
	} {
		var m clients.Metadata
		err := json.Unmarshal([]byte(`{`+strings.TrimSuffix(test.members, ",")+`}`), &m)
		if err == nil {
			registry := new(clients.Registry) // refuses before it looks at any store
			_, _, err = registry.Register(t.Context(), "", m, clients.By{})
		}
		wrong := new(clients.MetadataError)
		if !errors.As(err, &wrong) || wrong.Code != test.code || wrong.Member != test.member {
			t.Errorf("%s: got %v, want %s of %s", test.members, err, test.code, test.member)
		}
	}
}

// The reason tells whoever registers what to do otherwise.
func TestARefusalOfMetadataSaysWhy(t *testing.T) {
	t.Parallel()
	for members, want := range map[string]string{
		`"redirect_uris":["https://portal.example/cb"],"scope":"openid email"`: `scope has "email", which there is not`,
		`"redirect_uris":["http://portal.example/cb"]`:                         "redirect_uris has one that is neither https nor http on a loopback address",
		`"redirect_uris":["by.portal:/cb"]`:                                    "redirect_uris has one without a host",
		`"redirect_uris":["portal.example/cb"]`:                                "redirect_uris has one that is not an absolute URI",
	} {
		var m clients.Metadata
		if err := json.Unmarshal([]byte(`{`+members+`}`), &m); err != nil {
			t.Fatal(err)
		}
		_, _, err := new(clients.Registry).Register(t.Context(), "", m, clients.By{})
		if wrong, ok := errors.AsType[*clients.MetadataError](err); !ok || wrong.Member+" "+wrong.Reason != want {
			t.Errorf("%s: got %v, want %s", members, err, want)
		}
	}
}

// A redirect URI is a registered one, character for character; native clients choose the port of a loopback address.
func TestARedirectURIMatchesExactly(t *testing.T) {
	t.Parallel()
	registry, _ := newRegistry(t)
	const uris = `"redirect_uris":["https://portal.example/cb?a=1","http://127.0.0.1:3901/cb","http://[::1]/cb","http://localhost:3901/cb"]`
	web, _ := register(t, registry, `{`+uris+`}`)
	native, _ := register(t, registry, `{`+uris+`,"application_type":"native","token_endpoint_auth_method":"none"}`)
	for uri, want := range map[string]struct{ web, native bool }{
		"https://portal.example/cb?a=1":     {true, true},
		"https://portal.example/cb":         {},
		"https://portal.example/cb?a=1&b=2": {},
		"https://portal.example/CB?a=1":     {},
		"https://Portal.example/cb?a=1":     {},
		"https://portal.example:443/cb?a=1": {},
		"https://portal.example:8443/cb":    {},
		"http://portal.example/cb?a=1":      {},
		"http://127.0.0.1:3901/cb":          {true, true},
		"http://127.0.0.1:50000/cb":         {false, true},
		"http://127.0.0.1/cb":               {false, true},
		"http://[::1]:50000/cb":             {false, true},
		"http://127.0.0.1:50000/cb/":        {},
		"http://127.0.0.1:50000/other":      {},
		"http://127.0.0.1:50000/cb?a=1":     {},
		"http://127.0.0.1:50000@evil/cb":    {},
		"http://127.0.0.1.evil.example/cb":  {},
		"https://127.0.0.1:3901/cb":         {},
		"http://localhost:3901/cb":          {true, true},
		"http://localhost:50000/cb":         {},
		"":                                  {},
	} {
		if got := web.RedirectsTo(uri); got != want.web {
			t.Errorf("web to %q: %t", uri, got)
		}
		if got := native.RedirectsTo(uri); got != want.native {
			t.Errorf("native to %q: %t", uri, got)
		}
	}
}

// An answer goes to a registered address and to no other, whatever is sent; a native client's loopback address may have any port and nothing
// else (RFC 8252 §7.3).
func FuzzRedirectURI(f *testing.F) {
	const web = "https://portal.example/cb?a=b"
	for _, sent := range []string{
		web, web + "#", "https://portal.example:443/cb?a=b", "HTTPS://portal.example/cb?a=b", "http://127.0.0.1:50123/cb?a=b", "http://[::1]:1/cb?a=b",
		"http://127.0.0.1:1@evil.example/cb?a=b", "http://127.0.0.1:x/cb?a=b", "http://127.0.0.1.evil.example/cb?a=b", "http://[::1%25eth0]/cb?a=b",
		"http://127.0.0.1:80\\@evil.example/cb?a=b", "http://127.1/cb?a=b", "http://127.0.0.1:1/cb?a=b\n",
	} {
		f.Add(sent)
	}
	loopback := regexp.MustCompile(`^http://(127\.0\.0\.1|\[::1\])(:[0-9]*)?/cb\?a=b$`)
	registered := []string{web, "http://127.0.0.1/cb?a=b", "http://[::1]/cb?a=b"}
	f.Fuzz(func(t *testing.T, sent string) {
		for kind, matches := range map[string]bool{"web": false, "native": loopback.MatchString(sent)} {
			c := clients.Client{Metadata: clients.Metadata{RedirectURIs: registered, ApplicationType: kind}}
			if got := c.RedirectsTo(sent); got && !matches && !slices.Contains(registered, sent) {
				t.Errorf("a %s client is led to %q", kind, sent)
			}
		}
	})
}

// Whatever is registered is refused, or kept as it is read back; and then every address is one that a browser or we may be sent to, and
// nothing is left unsigned (OpenID Connect Registration §2–3).
func FuzzMetadata(f *testing.F) {
	for _, document := range []string{
		`{"redirect_uris":["https://portal.example/cb"],"client_name#be":"Партал","jwks":{"keys":[` + publicKey + `]}}`,
		`{"redirect_uris":["http://127.0.0.1/cb"],"application_type":"native","token_endpoint_auth_method":"none"}`,
		`{"redirect_uris":["https://portal.example/cb#f"],"id_token_signed_response_alg":"none","require_pkce":false}`,
		`{"redirect_uris":["https://portal.example/cb"],"profile":"fapi2","jwks_uri":"https://portal.example/keys","default_max_age":-1}`,
		`{"redirect_uris":["https://a.example/cb"],"backchannel_logout_uri":"https://b.example/out","frontchannel_logout_uri":"https://a.example/out"}`,
		`{"redirect_uris":null,"jwks":{"keys":[` + privateKey + `]}}`, `{"jwks":{"keys":[null]}}`, `[]`, `{"client_name":{}}`,
	} {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		var asked, read clients.Metadata
		if json.Unmarshal(document, &asked) != nil {
			return
		}
		kept, err := clients.Checked(asked)
		if err != nil {
			if !errors.Is(err, clients.ErrMetadata) {
				t.Errorf("%s: %v", document, err)
			}
			return
		}
		text, err := json.Marshal(kept)
		if err != nil {
			t.Fatalf("%s: %v", document, err)
		}
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatalf("%s is kept as %s: %v", document, text, err)
		}
		if read, err = clients.Checked(read); err != nil {
			t.Fatalf("%s is kept as %s: %v", document, text, err)
		}
		if again, err := json.Marshal(read); err != nil || !bytes.Equal(text, again) {
			t.Errorf("%s is read back as %s: %v", text, again, err)
		}
		for _, uri := range append(slices.Concat(kept.RedirectURIs, kept.PostLogoutRedirectURIs), kept.FrontchannelLogoutURI, kept.InitiateLoginURI) {
			if u, err := url.Parse(uri); uri != "" && (err != nil || u.Hostname() == "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http") {
				t.Errorf("%s: browsers would be sent to %q", document, uri)
			}
		}
		if strings.Contains(strings.ReplaceAll(string(text), `\\`, ""), `\u0000`) {
			t.Errorf("%s is kept as %s, which PostgreSQL cannot hold", document, text)
		}
		if bytes.Contains(text, []byte(`_alg":"none"`)) || kept.Profile == clients.FAPI2 && !kept.RequirePushedAuthorizationRequests {
			t.Errorf("%s is kept as %s", document, text)
		}
	})
}
