// Package issuertest is a provider for tests of those who know one only from outside: it speaks the documented
// protocol over HTTP, and is as strict as the real one about what a client has to send.
package issuertest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"asoba.example/cabinet/issuer"
)

// ClientID is the only client.
const ClientID = "cabinet"

// A Provider signs anybody in without a question.
type Provider struct {
	URL   string
	Mux   *http.ServeMux // for what else the test's provider does
	Now   func() time.Time
	Scope string // what was asked for last, at any endpoint

	mu        sync.Mutex
	signedIn  map[string]any // claims
	name      string
	refusal   string
	down      bool
	inactive  bool
	signedOut bool
	asked     int
	codes     map[string]url.Values // authorization requests, by code
	proofs    map[string]bool       // client assertions seen, by jti

	client  jose.JSONWebKey
	signing jose.JSONWebKey
	next    int // numbers the signing keys
}

// New starts a provider that ends with the test.
func New(t testing.TB, now func() time.Time) *Provider {
	t.Helper()
	p := &Provider{
		Mux: http.NewServeMux(), Now: now,
		codes: map[string]url.Values{}, proofs: map[string]bool{},
		client: newKey(t, "client"),
	}
	p.Rotate(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.down {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		p.Mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.URL = server.URL
	p.Mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	p.Mux.HandleFunc("GET /jwks", p.jwks)
	p.Mux.HandleFunc("GET /authorize", p.authorize)
	p.Mux.HandleFunc("POST /token", p.token)
	p.Mux.HandleFunc("GET /userinfo", p.userinfo)
	p.Mux.HandleFunc("POST /introspect", p.introspect)
	return p
}

func newKey(t testing.TB, kid string) jose.JSONWebKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: kid, Algorithm: string(jose.ES256), Use: "sig"}
}

// ClientKey is the client's private key, as its file holds it.
func (p *Provider) ClientKey(t testing.TB) []byte {
	t.Helper()
	text, err := json.Marshal(p.client)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Issuer makes the provider as the client sees it.
func (p *Provider) Issuer(t testing.TB, redirectURI string) *issuer.Issuer {
	t.Helper()
	key, err := issuer.ParseKey(p.ClientKey(t))
	if err != nil {
		t.Fatal(err)
	}
	i, err := issuer.New(issuer.Config{
		URL: p.URL, ClientID: ClientID, Key: key, RedirectURI: redirectURI, HTTP: http.DefaultClient, Now: p.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// Follow goes to the authorization endpoint as a browser does, and gives what comes back to the client.
func Follow(ctx context.Context, address string) (url.Values, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	back, err := answer.Location()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", answer.Status, err)
	}
	return back.Query(), nil
}

// Rotate puts another signing key in the place of the last.
func (p *Provider) Rotate(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	p.signing = newKey(t, "signing-"+string(rune('0'+p.next)))
}

// SignIn has the next authorization requests answered for this person; name is the claim given_name, "" for none.
func (p *Provider) SignIn(claims map[string]any, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.signedIn, p.name, p.refusal = claims, name, ""
}

// Refuse has the next authorization requests refused.
func (p *Provider) Refuse(code string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusal = code
}

// Down makes it answer nothing but 502.
func (p *Provider) Down(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// Inactive makes introspection know no token.
func (p *Provider) Inactive(inactive bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inactive = inactive
}

// SignOut has introspection tell of tokens that are over that whoever had them has signed out since.
func (p *Provider) SignOut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.signedOut = true
}

// Asked is how many tokens were introspected so far.
func (p *Provider) Asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// AccessToken signs an access token (RFC 9068) for an audience; claims come on top of what every token has.
func (p *Provider) AccessToken(audience string, claims map[string]any) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accessToken(audience, claims)
}

func (p *Provider) accessToken(audience string, claims map[string]any) string {
	all := map[string]any{
		"iss": p.URL, "aud": audience, "iat": p.Now().Unix(), "exp": p.Now().Add(5 * time.Minute).Unix(),
		"jti": rand.Text(), "client_id": "service",
	}
	maps.Copy(all, claims)
	return p.sign("at+jwt", all)
}

// LogoutToken signs a Logout Token (OpenID Connect Back-Channel Logout §2.4), or what is none: claims come on top of what every one has,
// and one that is nil is left out.
func (p *Provider) LogoutToken(typ string, claims map[string]any) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[string]any{
		"iss": p.URL, "aud": ClientID, "iat": p.Now().Unix(), "exp": p.Now().Add(2 * time.Minute).Unix(), "jti": rand.Text(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}},
	}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return p.sign(typ, all)
}

func (p *Provider) sign(typ string, claims map[string]any) string {
	options := (&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("kid", p.signing.KeyID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: p.signing.Key}, options)
	if err != nil {
		panic(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		panic(err)
	}
	return text
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	write(w, map[string]any{
		"issuer": p.URL, "jwks_uri": p.URL + "/jwks", "authorization_endpoint": p.URL + "/authorize",
		"token_endpoint": p.URL + "/token", "userinfo_endpoint": p.URL + "/userinfo",
		"introspection_endpoint": p.URL + "/introspect", "end_session_endpoint": p.URL + "/end-session",
		"id_token_signing_alg_values_supported": []string{"ES256"},
	})
}

func (p *Provider) jwks(w http.ResponseWriter, _ *http.Request) {
	write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{p.signing.Public()}})
}

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	for _, name := range []string{"state", "nonce", "code_challenge", "redirect_uri", "ui_locales"} {
		if q.Get(name) == "" {
			http.Error(w, "no "+name, http.StatusBadRequest)
			return
		}
	}
	if q.Get("client_id") != ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" {
		http.Error(w, "another request than a client of ours sends", http.StatusBadRequest)
		return
	}
	p.Scope = q.Get("scope")
	back := url.Values{"state": {q.Get("state")}, "iss": {p.URL}}
	if p.refusal != "" {
		back.Set("error", p.refusal)
	} else {
		code := rand.Text()
		p.codes[code] = q
		back.Set("code", code)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusSeeOther)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	if err := p.authenticate(r); err != nil {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	if r.PostFormValue("grant_type") == "client_credentials" {
		p.Scope = r.PostFormValue("scope")
		write(w, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 300})
		return
	}
	code := r.PostFormValue("code")
	asked, ok := p.codes[code]
	delete(p.codes, code)
	verifier := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || asked.Get("redirect_uri") != r.PostFormValue("redirect_uri") ||
		asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(verifier[:]) {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	base, err := url.Parse(asked.Get("redirect_uri"))
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	claims := maps.Clone(p.signedIn)
	claims["client_id"], claims["scope"] = ClientID, asked.Get("scope")
	access := p.accessToken("http://"+base.Host, claims)
	hash := sha256.Sum256([]byte(access))
	id := map[string]any{
		"iss": p.URL, "aud": ClientID, "iat": p.Now().Unix(), "exp": p.Now().Add(5 * time.Minute).Unix(),
		"nonce": asked.Get("nonce"), "sub": p.signedIn["sub"], "auth_time": p.signedIn["auth_time"],
		"at_hash": base64.RawURLEncoding.EncodeToString(hash[:16]),
	}
	write(w, map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": p.sign("JWT", id),
	})
}

func (p *Provider) userinfo(w http.ResponseWriter, _ *http.Request) {
	claims := map[string]any{"sub": p.signedIn["sub"]}
	if p.name != "" {
		claims["given_name"] = p.name
	}
	write(w, claims)
}

func (p *Provider) introspect(w http.ResponseWriter, r *http.Request) {
	if err := p.authenticate(r); err != nil {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	p.asked++
	token := r.PostFormValue("token")
	answer := map[string]any{"active": !p.inactive && token != ""}
	if p.isOver(token) {
		answer["active"] = false
		if !p.inactive {
			answer["signed_in"] = !p.signedOut
		}
	}
	write(w, answer)
}

// isOver tells whether a token is one that the client had for itself and whose time is over.
func (p *Provider) isOver(token string) bool {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return false
	}
	var claims struct {
		jwt.Claims
		ClientID string `json:"client_id"`
	}
	return parsed.Claims(p.signing.Public().Key, &claims) == nil && claims.ClientID == ClientID && p.Now().After(claims.Expiry.Time())
}

// authenticate checks private_key_jwt (OpenID Connect Core §9): the issuer is the audience, and a proof is good once.
func (p *Provider) authenticate(r *http.Request) error {
	if r.PostFormValue("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return errors.New("no assertion")
	}
	parsed, err := jwt.ParseSigned(r.PostFormValue("client_assertion"), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return err
	}
	var (
		claims jwt.Claims
		raw    map[string]any
	)
	if err := parsed.Claims(p.client.Public().Key, &claims, &raw); err != nil {
		return err
	}
	if err := claims.ValidateWithLeeway(jwt.Expected{Issuer: ClientID, Subject: ClientID, Time: p.Now()}, 0); err != nil {
		return err
	}
	if raw["aud"] != p.URL || claims.Expiry == nil || claims.ID == "" || p.proofs[claims.ID] {
		return errors.New("another audience, no end, or not the first time")
	}
	p.proofs[claims.ID] = true
	return nil
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code})
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
