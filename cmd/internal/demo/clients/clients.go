// Package clients is the demo's relying parties: what they register as, and the credentials that come of it.
package clients

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"asoba.example/cmd/internal/demo/management"
)

// Credentials are a registered client as testers need it.
type Credentials struct {
	Key          string           `json:"-"` // names the client in words
	Registered   json.RawMessage  `json:"-"` // as what
	ClientID     string           `json:"client_id"`
	ClientSecret string           `json:"client_secret,omitempty"`
	JWK          *jose.JSONWebKey `json:"jwk,omitempty"` // the private key
	AuthMethod   string           `json:"token_endpoint_auth_method"`
	RedirectURIs []string         `json:"redirect_uris"`
	Scope        string           `json:"scope"`
	Resource     string           `json:"resource,omitempty"`
	About        string           `json:"about"`
}

// Addresses are where the parts of the system are.
type Addresses struct {
	Issuer, Management, Cabinet, EService, Workbench string
}

// The clients, by key.
const (
	Operator     = "operator"      // the whole management API
	Desk         = "desk"          // a desk's own system
	DeskPage     = "desk_page"     // the desk page of the workbench, where the staff signs in
	Follower     = "workbench"     // the workbench, which follows the feed
	Cabinet      = "cabinet"       // the web cabinet and the cabinet's API
	EService     = "eservice"      // the sample e-service
	Test         = "test"          // for testers' own relying parties: a secret
	TestKey      = "test_key"      // the same with a key
	TestPublic   = "test_public"   // the same without either
	TestOfficial = "test_official" // one that asks on an official basis
	Draft        = "draft"         // a body's, in the sandbox
)

// OperatorScope is all of the management API: whoever registers others gives them no scope that it has not itself.
const OperatorScope = "clients:manage keys:manage desk:act operator:act register:manage policy:manage audit:read changes:read"

// testScope is all that concerns a citizen.
const testScope = "openid profile phone citizenship identification_number offline_access " +
	"cabinet.profile cabinet.services cabinet.cases cabinet.inbox cabinet.journal " +
	"cabinet.profile.read cabinet.services.read cabinet.cases.read cabinet.inbox.read cabinet.journal.read"

// testRedirects are where testers' relying parties listen.
var testRedirects = []string{"http://127.0.0.1:3901/cb", "http://localhost:3901/cb"}

// Metadata is what a client registers (RFC 7591 §2), with the provider's own members.
type Metadata map[string]any

// OperatorMetadata is the first client of all: it registers the others, but for those that speak for clerks, since it has but a secret.
func OperatorMetadata(at Addresses) Metadata {
	return Metadata{
		"client_name": "Оператор", "client_name#en": "Operator",
		"grant_types": []string{"client_credentials"}, "response_types": []string{},
		"token_endpoint_auth_method": "client_secret_basic", "scope": OperatorScope,
		"resources": []string{at.Management},
	}
}

// A wanted client.
type wanted struct {
	key      string
	metadata Metadata
	keyed    bool // authenticates by a key of its own
}

// first are the clients that the operator's command registers.
func first(at Addresses) []wanted {
	return []wanted{
		{key: Operator, metadata: OperatorMetadata(at)},
		{key: Desk, keyed: true, metadata: Metadata{
			"client_name": "Система пункта выдачи", "client_name#be": "Сістэма пункта выдачы", "client_name#en": "Desk system",
			"grant_types": []string{"client_credentials"}, "response_types": []string{},
			"token_endpoint_auth_method": "private_key_jwt", "scope": "desk:act", // it names clerks
			"resources": []string{at.Management},
		}},
		{key: DeskPage, metadata: Metadata{
			"client_name": "Рабочее место пункта выдачи", "client_name#be": "Працоўнае месца пункта выдачы", "client_name#en": "Desk page",
			"redirect_uris": []string{at.Workbench + "/desk/callback"}, "post_logout_redirect_uris": []string{at.Workbench + "/desk"},
			"grant_types": []string{"authorization_code"}, "token_endpoint_auth_method": "client_secret_basic",
			"scope": "openid desk:act operator:act register:manage", "resources": []string{at.Management}, "first_party": true,
		}},
	}
}

// others are those that the operator's client registers.
func others(at Addresses) []wanted {
	test := func(name string, more Metadata) Metadata {
		m := Metadata{
			"client_name": name, "redirect_uris": testRedirects,
			"post_logout_redirect_uris": []string{"http://127.0.0.1:3901/", "http://localhost:3901/", "http://127.0.0.1:3901/cb"},
			"grant_types":               []string{"authorization_code", "refresh_token"},
			"scope":                     testScope, "resources": []string{at.Cabinet},
			"purpose": "Проба", "purpose#be": "Спроба", "purpose#en": "A trial",
		}
		maps.Copy(m, more)
		return m
	}
	return []wanted{
		{key: Follower, metadata: Metadata{
			"client_name": "Демонстрационный стенд", "client_name#be": "Дэманстрацыйны стэнд", "client_name#en": "Workbench",
			"grant_types": []string{"client_credentials"}, "response_types": []string{},
			"token_endpoint_auth_method": "client_secret_basic", "scope": "changes:read",
			"resources": []string{at.Management},
		}},
		{key: Cabinet, keyed: true, metadata: Metadata{
			"client_name": "Личный кабинет", "client_name#be": "Асабісты кабінет", "client_name#en": "Personal cabinet",
			"redirect_uris": []string{at.Cabinet + "/callback"}, "post_logout_redirect_uris": []string{at.Cabinet + "/"},
			"backchannel_logout_uri": at.Cabinet + "/back-channel-logout",
			"grant_types":            []string{"authorization_code", "client_credentials"}, "token_endpoint_auth_method": "private_key_jwt",
			"scope":     "openid profile phone cabinet.profile cabinet.journal changes:read",
			"resources": []string{at.Cabinet, at.Management}, "resource_server": at.Cabinet, "first_party": true,
		}},
		{key: EService, metadata: Metadata{
			"client_name": "Пример электронной услуги", "client_name#be": "Прыклад электроннай паслугі", "client_name#en": "Sample e-service",
			"redirect_uris": []string{at.EService + "/callback"}, "post_logout_redirect_uris": []string{at.EService + "/"},
			"grant_types": []string{"authorization_code"}, "token_endpoint_auth_method": "client_secret_basic",
			"scope": "openid profile phone cabinet.profile.read", "resources": []string{at.Cabinet}, "basis": "consent",
			"purpose":    "Показать, какие сведения получает электронная услуга",
			"purpose#be": "Паказаць, якія звесткі атрымлівае электронная паслуга",
			"purpose#en": "To show what an e-service is given",
			"client_uri": at.EService, "backchannel_logout_uri": at.EService + "/back-channel-logout",
		}},
		{key: Test, metadata: test("Проба с секретом", Metadata{"token_endpoint_auth_method": "client_secret_basic"})},
		{key: TestKey, keyed: true, metadata: test("Проба с ключом", Metadata{"token_endpoint_auth_method": "private_key_jwt"})},
		{key: TestPublic, metadata: test("Проба без секрета", Metadata{"token_endpoint_auth_method": "none", "application_type": "native"})},
		{key: TestOfficial, metadata: test("Проба на официальном основании", Metadata{
			"token_endpoint_auth_method": "client_secret_basic", "basis": "official",
			"legal_basis": "Постановление о пробе, п. 1", "legal_basis#be": "Пастанова аб спробе, п. 1",
			"legal_basis#en": "Resolution on trials, p. 1",
		})},
	}
}

// A Registrar registers a client, or makes the one of an id something else, and tells its id, and a secret where a new one was made.
type Registrar func(ctx context.Context, id string, m Metadata) (Told, error)

// Told is what is told of a client once.
type Told struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

// ByAPI registers by the management API.
func ByAPI(api management.Caller) Registrar {
	return func(ctx context.Context, id string, m Metadata) (told Told, err error) {
		method, path := http.MethodPost, "/clients"
		if id != "" {
			method, path = http.MethodPut, "/clients/"+id
		}
		err = api.Call(ctx, method, path, m, &told)
		return told, err
	}
}

// Found registers the first clients, as Register does the others.
func Found(ctx context.Context, by Registrar, at Addresses, known []Credentials, keep func(Credentials) error) error {
	return register(ctx, by, first(at), known, keep)
}

// Register registers every client but the first ones that is not among those known, and those anew that are known as something else: the demo
// may have been moved, or be a later one. It calls keep after each.
func Register(ctx context.Context, by Registrar, at Addresses, known []Credentials, keep func(Credentials) error) error {
	return register(ctx, by, others(at), known, keep)
}

func register(ctx context.Context, by Registrar, all []wanted, known []Credentials, keep func(Credentials) error) error {
	kept := map[string]Credentials{}
	for _, c := range known {
		kept[c.Key] = c
	}
	for _, w := range all {
		c, changed, err := w.register(ctx, by, kept[w.key])
		if err != nil {
			return fmt.Errorf("register the client %s: %w", w.key, err)
		}
		if !changed {
			continue
		}
		if err := keep(c); err != nil {
			return err
		}
	}
	return nil
}

// register makes the client what is wanted; before is what it was, or zero.
func (w wanted) register(ctx context.Context, by Registrar, before Credentials) (after Credentials, changed bool, err error) {
	key, secret := before.JWK, before.ClientSecret
	if w.keyed {
		secret = ""
		if key == nil {
			private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				return after, false, err
			}
			key = &jose.JSONWebKey{Key: private, KeyID: w.key, Algorithm: string(jose.ES256), Use: "sig"}
		}
		w.metadata["jwks"] = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}}
	}
	after = With(w.key, before.ClientID, secret, key, w.metadata)
	if bytes.Equal(after.Registered, before.Registered) {
		return before, false, nil
	}
	told, err := by(ctx, before.ClientID, w.metadata)
	if err != nil {
		return after, false, err
	}
	after.ClientID, after.ClientSecret = told.ID, cmp.Or(told.Secret, secret)
	return after, true, nil
}

// Caller calls the management API as a client with a secret or a key, with all that it may ask for.
func (c Credentials) Caller(at Addresses) management.Caller {
	tokens := tokens{Credentials: c, issuer: at.Issuer}
	tokens.outgoing = context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Timeout: time.Minute})
	return management.Caller{URL: at.Management, HTTP: oauth2.NewClient(tokens.outgoing, oauth2.ReuseTokenSource(nil, tokens))}
}

// tokens are those that a client gets in its own name.
type tokens struct {
	Credentials
	issuer   string
	outgoing context.Context
}

// Token gets one.
func (t tokens) Token() (*oauth2.Token, error) {
	config := clientcredentials.Config{
		ClientID: t.ClientID, ClientSecret: t.ClientSecret, TokenURL: t.issuer + "/token",
		Scopes: strings.Fields(t.Scope), AuthStyle: oauth2.AuthStyleInHeader,
	}
	if t.JWK != nil {
		assertion, err := t.assert(t.issuer, time.Now())
		if err != nil {
			return nil, err
		}
		config.AuthStyle = oauth2.AuthStyleInParams
		config.EndpointParams = url.Values{
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion},
		}
	}
	return config.Token(t.outgoing)
}

// assert proves by the key that it is the client who asks a provider: once, within a minute (RFC 7523 §3).
func (c Credentials) assert(issuer string, now time.Time) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: c.JWK}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: c.ClientID, Subject: c.ClientID, Audience: jwt.Audience{issuer}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute)),
	}).Serialize()
}

// With makes credentials of what was registered and what came of it.
func With(key, id, secret string, jwk *jose.JSONWebKey, m Metadata) Credentials {
	c := Credentials{Key: key, ClientID: id, ClientSecret: secret, JWK: jwk}
	c.Registered, _ = json.Marshal(m) // strings, lists of them and public keys always marshal
	c.AuthMethod, _ = m["token_endpoint_auth_method"].(string)
	c.Scope, _ = m["scope"].(string)
	c.RedirectURIs, _ = m["redirect_uris"].([]string)
	if c.RedirectURIs == nil {
		c.RedirectURIs = []string{}
	}
	if resources, _ := m["resources"].([]string); len(resources) > 0 {
		c.Resource = resources[0]
	}
	return c
}
