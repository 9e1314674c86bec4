package cmd_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"asoba.example/login/register"
)

// BenchmarkSingleSignOn walks single sign-on over HTTP against the built program:
// authorize with a live session, code, token, userinfo. Beside the time of a walk
// it prints what a walk costs.
//
//	go test -run NONE -bench SingleSignOn ./cmd
func BenchmarkSingleSignOn(b *testing.B) {
	f := newFair(b)
	before := f.costs(f.idp)
	for b.Loop() {
		token := f.tokens(f.ordinary, f.code(f.ordinary, 0))
		f.call(b, f.userinfo(token.AccessToken))
	}
	f.costs(f.idp).report(b, before, float64(b.N), "walk")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "walks/s")
}

// BenchmarkEndpoints calls one endpoint after another of the built program, by 1, 16
// and 64 clients at once, and prints what a call costs. What a call uses up, a code,
// is made ready before the clock starts. What the program and its stores do in the
// background, the sealer of events among it, is in the costs.
//
//	go test -run NONE -bench Endpoints -benchtime 2s ./cmd
func BenchmarkEndpoints(b *testing.B) {
	f := newFair(b)
	for _, operation := range []struct {
		name  string
		ready func(n int) func(i int) *http.Request
	}{
		{"client_credentials/secret", f.byThemselves(f.bySecret)},
		{"client_credentials/private_key_jwt", f.byThemselves(f.byKey)},
		{"code/RS256", f.codes(f.ordinary)},
		{"code/ES256", f.codes(f.light)},
		{"refresh/ES256", f.refreshes(f.light)},
		{"introspection", f.introspections},
		{"userinfo", f.userinfos},
		{"jwks", f.reads("/jwks")},
		{"discovery", f.reads("/.well-known/openid-configuration")},
	} {
		for _, clients := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/clients=%d", operation.name, clients), func(b *testing.B) {
				request := operation.ready(b.N)
				took := make([]time.Duration, b.N)
				before := f.costs(f.idp)
				b.ResetTimer()
				together(clients, b.N, func(i int) {
					began := time.Now()
					f.call(b, request(i))
					took[i] = time.Since(began)
				})
				b.StopTimer()
				f.costs(f.idp).report(b, before, float64(b.N), "op")
				slices.Sort(took)
				for _, percent := range []int{50, 99} {
					b.ReportMetric(took[(b.N-1)*percent/100].Seconds()*1000, fmt.Sprintf("p%d-ms", percent))
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
			})
		}
	}
}

// BenchmarkSignatures is a yardstick: so much of a call is arithmetic, on this machine.
//
//	go test -run NONE -bench Signatures ./cmd
func BenchmarkSignatures(b *testing.B) {
	slow, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	quick, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("a token"))
	sign := func(key crypto.Signer) func(*testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("RS256/sign", sign(slow))
	b.Run("ES256/sign", sign(quick))
	b.Run("ES256/verify", func(b *testing.B) {
		signature, err := ecdsa.SignASN1(rand.Reader, quick, digest[:])
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if !ecdsa.VerifyASN1(&quick.PublicKey, digest[:], signature) {
				b.Fatal("a good signature is not good")
			}
		}
	})
}

// together has clients share n calls.
func together(clients, n int, call func(i int)) {
	var (
		taken atomic.Int64
		group sync.WaitGroup
	)
	for range clients {
		group.Go(func() {
			for i := int(taken.Add(1)) - 1; i < n; i = int(taken.Add(1)) - 1 {
				call(i)
			}
		})
	}
	group.Wait()
}

// A fair is a country whose idp is visited by many: people who are signed in, and clients of each kind.
type fair struct {
	*country
	b                *testing.B
	idp              *program
	people           []*http.Client // browsers with a session each
	client           *http.Client   // calls for all clients
	ordinary, light  credentials    // e-services, with ID tokens in RS256 and ES256
	bySecret, server credentials
	byKey            credentials
	key              jose.Signer
}

// visitors is how many people come: 16 calls at once do not wait for one row.
const visitors = 16

// visitor is the identification number of one of them.
func visitor(i int) string {
	number := fmt.Sprintf("1010130K%03dPB", 100+i)
	return number + string(register.CheckDigit(number))
}

func newFair(b *testing.B) *fair {
	c := newCountry(b)
	c.errand("idp", "migrate")
	month := strings.Replace(edition, "# rows 4", fmt.Sprintf("# rows %d", 4+visitors), 1)
	for i := range visitors {
		month += visitor(i) + ",M,1830-01-01,BY,,,,,,,,,,\n"
	}
	c.errand("idp", "register", "import", c.file("edition.csv", month))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	f := &fair{country: c, b: b}
	if f.key, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil); err != nil {
		b.Fatal(err)
	}
	relying := c.eserviceMetadata()
	relying["first_party"] = true
	f.ordinary = c.register(relying)
	relying["id_token_signed_response_alg"] = "ES256"
	relying["grant_types"] = []string{"authorization_code", "refresh_token"}
	relying["scope"] = relying["scope"].(string) + " offline_access"
	f.light = c.register(relying)
	system := map[string]any{
		"grant_types": []string{"client_credentials"}, "response_types": []string{},
		"scope": "changes:read", "resources": []string{c.management}, "resource_server": c.cabinet,
	}
	f.bySecret = c.register(system)
	f.server = f.bySecret
	system["token_endpoint_auth_method"] = "private_key_jwt"
	system["jwks"] = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}}
	f.byKey = c.register(system)

	c.set("IDP_RELAXED", "true") // what a call costs is asked of one client far more often than it may call
	f.idp = c.serve("idp", c.issuer)
	desk := c.desk()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	f.client = &http.Client{Transport: transport}
	for i := range visitors {
		number := visitor(i)
		temporary := desk.issue(number, fmt.Sprintf("+3752949120%02d", i))
		person := c.signIn(number, temporary, c.issuer+"/security", c.issuer+"/security")
		f.people = append(f.people, &http.Client{
			Jar: person.Cookies(), Transport: transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		})
	}
	return f
}

// A spoil is a code and what redeems it.
type spoil struct{ code, verifier string }

// code gets a code for a client by the session of one of the people.
func (f *fair) code(client credentials, i int) spoil {
	verifier := oauth2.GenerateVerifier()
	rp := oauth2.Config{
		ClientID: client.ID, RedirectURL: f.eservice + "/callback", Scopes: []string{"openid", "profile", "cabinet.profile.read"},
		Endpoint: oauth2.Endpoint{AuthURL: f.issuer + "/authorize"},
	}
	if client == f.light {
		rp.Scopes = append(rp.Scopes, "offline_access")
	}
	res, err := f.people[i%visitors].Get(rp.AuthCodeURL("state-of-the-benchmark", oauth2.S256ChallengeOption(verifier)))
	if err != nil {
		f.b.Error(err)
		return spoil{}
	}
	res.Body.Close()
	to, err := res.Location()
	if err != nil || to.Query().Get("code") == "" {
		f.b.Errorf("authorize answers %s %v: %v", res.Status, to, err)
		return spoil{}
	}
	return spoil{to.Query().Get("code"), verifier}
}

func (f *fair) redemption(client credentials, s spoil) *http.Request {
	return f.post("/token", &client, url.Values{
		"grant_type": {"authorization_code"}, "code": {s.code}, "code_verifier": {s.verifier}, "redirect_uri": {f.eservice + "/callback"},
	})
}

func (f *fair) tokens(client credentials, s spoil) (token oauth2.Token) {
	if status := exchange(f.b, f.redemption(client, s), &token); status != http.StatusOK {
		f.b.Fatalf("a code is answered with %d", status)
	}
	return token
}

// codes are made ready, one for each call.
func (f *fair) codes(client credentials) func(int) func(int) *http.Request {
	return func(n int) func(int) *http.Request {
		spoils := make([]spoil, n)
		together(16, n, func(i int) { spoils[i] = f.code(client, i) })
		return func(i int) *http.Request { return f.redemption(client, spoils[i]) }
	}
}

// refreshes are of as many sign-ins as there are clients at most.
func (f *fair) refreshes(client credentials) func(int) func(int) *http.Request {
	return func(n int) func(int) *http.Request {
		tokens := make([]string, min(n, 64))
		for i := range tokens {
			tokens[i] = f.tokens(client, f.code(client, i)).RefreshToken
		}
		return func(i int) *http.Request {
			return f.post("/token", &client, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens[i%len(tokens)]}})
		}
	}
}

func (f *fair) introspections(int) func(int) *http.Request {
	token := f.tokens(f.ordinary, f.code(f.ordinary, 0)).AccessToken
	return func(int) *http.Request { return f.post("/introspect", &f.server, url.Values{"token": {token}}) }
}

func (f *fair) userinfos(int) func(int) *http.Request {
	token := f.tokens(f.ordinary, f.code(f.ordinary, 0)).AccessToken
	return func(int) *http.Request { return f.userinfo(token) }
}

// byThemselves are tokens that a client asks for in its own name.
func (f *fair) byThemselves(client credentials) func(int) func(int) *http.Request {
	return func(int) func(int) *http.Request {
		return func(int) *http.Request {
			values := url.Values{"grant_type": {"client_credentials"}}
			if client.Secret != "" {
				return f.post("/token", &client, values)
			}
			now := time.Now()
			assertion, err := jwt.Signed(f.key).Claims(jwt.Claims{
				Issuer: client.ID, Subject: client.ID, ID: rand.Text(),
				IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute)),
			}).Claims(map[string]any{"aud": f.issuer}).Serialize()
			if err != nil {
				f.b.Error(err)
			}
			values.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
			values.Set("client_assertion", assertion)
			return f.post("/token", nil, values)
		}
	}
}

func (f *fair) reads(path string) func(int) func(int) *http.Request {
	return func(int) func(int) *http.Request {
		return func(int) *http.Request { return f.request(http.MethodGet, path, nil) }
	}
}

func (f *fair) userinfo(token string) *http.Request {
	req := f.request(http.MethodGet, "/userinfo", nil)
	req.Header.Set("Authorization", "Bearer "+token)
	return req
}

func (f *fair) post(path string, client *credentials, values url.Values) *http.Request {
	req := f.request(http.MethodPost, path, strings.NewReader(values.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if client != nil {
		req.SetBasicAuth(url.QueryEscape(client.ID), url.QueryEscape(client.Secret))
	}
	return req
}

func (f *fair) request(method, path string, body io.Reader) *http.Request {
	req, err := http.NewRequestWithContext(f.b.Context(), method, f.issuer+path, body)
	if err != nil {
		f.b.Fatal(err)
	}
	return req
}

// call sends a request that must be answered well.
func (f *fair) call(b *testing.B, req *http.Request) {
	res, err := f.client.Do(req)
	if err != nil {
		b.Error(err)
		return
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
		b.Errorf("%s is answered with %s, %v", req.URL.Path, res.Status, err)
	}
}
