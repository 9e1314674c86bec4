package cabinet

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"asoba.example/cabinet/access"
	"asoba.example/cabinet/profile"
)

// update is registered by pagetest.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// described reads the document, which has to be right by itself.
func described(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return doc
}

// Where there is no door is a problem: none of that path, or none of that method (RFC 9110 §15.5.5–6).
func TestWhereTheAPIHasNoDoorIsAProblem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for asked, want := range map[string]struct {
		status int
		allow  string
	}{
		"POST /api/v1/profile":   {http.StatusMethodNotAllowed, "GET, HEAD"},
		"DELETE /api/v1/journal": {http.StatusMethodNotAllowed, "GET, HEAD"},
		"POST /openapi.json":     {http.StatusMethodNotAllowed, "GET, HEAD"},
		"GET /api/v1/nothing":    {http.StatusNotFound, ""},
		"POST /api/":             {http.StatusNotFound, ""},
	} {
		method, path, _ := strings.Cut(asked, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, w.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want.status || answer.Header.Get("Allow") != want.allow || answer.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d, %v", asked, answer.StatusCode, answer.Header)
		}
	}
}

// What is described is there, and what is there is described.
func TestDocumentAndRoutesAgree(t *testing.T) {
	t.Parallel()
	var want []string
	for path, item := range described(t).Paths.Map() {
		for method := range item.Operations() {
			want = append(want, method+" "+path)
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(new(Cabinet).api())); !slices.Equal(got, want) {
		t.Errorf("routes:\n%v\ndescribed:\n%v", got, want)
	}
}

// call reads the API and holds the answer to the document.
func (w *world) call(t *testing.T, path, token string) (*http.Response, []byte) {
	t.Helper()
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "bearer "+token)
	}
	return w.send(t, path, header)
}

func (w *world) send(t *testing.T, path string, header http.Header) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	doc := described(t)
	doc.Servers = openapi3.Servers{{URL: w.url}}
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	route, params, err := router.FindRoute(r)
	if err != nil {
		t.Fatal(err)
	}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route},
		Status:                 answer.StatusCode, Header: answer.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		t.Errorf("%s: the answer is not as described: %v", path, err)
	}
	return answer, body
}

// Who may read a profile, who may not, and what each is told.
func TestWhoIsLetIn(t *testing.T) {
	t.Parallel()
	with := func(name string, value any) map[string]any {
		claims := signIn()
		claims[name] = value
		return claims
	}
	for name, c := range map[string]struct {
		claims    map[string]any // nil for no token
		audience  string
		prepare   func(t *testing.T, w *world)
		status    int
		code      string
		challenge string
	}{
		"a citizen's token":        {claims: signIn(), status: 200},
		"the narrower scope":       {claims: with("scope", "cabinet.profile.read"), status: 200},
		"no token":                 {status: 401, code: "token_required", challenge: "Bearer"},
		"another audience":         {claims: signIn(), audience: "https://elsewhere.example", status: 401, code: "invalid_token", challenge: `Bearer error="invalid_token"`},
		"the scope to write":       {claims: with("scope", "cabinet.profile.write"), status: 403, code: "insufficient_scope", challenge: `Bearer error="insufficient_scope", scope="cabinet.profile.read"`},
		"a client's own token":     {claims: map[string]any{"sub": "service", "scope": "cabinet.profile"}, status: 403, code: "person_required"},
		"somebody not yet here":    {claims: with("sub", "7000000A000PB1"), status: 503, code: "no_cabinet_yet"},
		"deactivated":              {claims: signIn(), prepare: func(t *testing.T, w *world) { w.register(t, profile.DeclaredDead) }, status: 403, code: "cabinet_deactivated"},
		"signed in before a block": {claims: signIn(), prepare: func(t *testing.T, w *world) { w.end(t, access.Ended{ID: anna, At: noon}) }, status: 401, code: "invalid_token", challenge: `Bearer error="invalid_token"`},
		"signed in after a block":  {claims: signIn(), prepare: func(t *testing.T, w *world) { w.end(t, access.Ended{ID: anna, At: noon.Add(-2 * time.Minute)}) }, status: 200},
		"signed out of the client": {claims: signIn(), prepare: func(t *testing.T, w *world) { w.end(t, access.Ended{ID: grant, At: noon}) }, status: 401, code: "invalid_token", challenge: `Bearer error="invalid_token"`},
		"the feed is silent":       {claims: signIn(), prepare: silence, status: 200},
		"silent, and not active": {claims: signIn(), prepare: func(t *testing.T, w *world) {
			silence(t, w)
			w.provider.Inactive(true)
		}, status: 401, code: "invalid_token", challenge: `Bearer error="invalid_token"`},
		"silent, and nobody tells": {claims: signIn(), prepare: func(t *testing.T, w *world) {
			w.call(t, "/api/v1/profile", w.provider.AccessToken(w.url, nil)) // so that the keys are known
			silence(t, w)
			w.provider.Down(true)
		}, status: 503, code: "provider_away"},
		"the keys were never read": {claims: signIn(), prepare: func(t *testing.T, w *world) { w.provider.Down(true) }, status: 503, code: "keys_unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if c.prepare != nil {
				c.prepare(t, w)
			}
			token := ""
			if c.claims != nil {
				audience := w.url
				if c.audience != "" {
					audience = c.audience
				}
				token = w.provider.AccessToken(audience, c.claims)
			}
			answer, body := w.call(t, "/api/v1/profile", token)
			var problem struct{ Code string }
			if err := json.Unmarshal(body, &problem); err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != c.status || problem.Code != c.code {
				t.Errorf("got %d %q, want %d %q", answer.StatusCode, problem.Code, c.status, c.code)
			}
			if got := answer.Header.Get("WWW-Authenticate"); got != c.challenge {
				t.Errorf("WWW-Authenticate: got %q, want %q", got, c.challenge)
			}
			if strings.Contains(string(body), annasNumber) && c.status != http.StatusOK {
				t.Errorf("a refusal names the citizen: %s", body)
			}
		})
	}
}

func silence(t *testing.T, w *world) { w.hear(t, noon.Add(-access.Silence)) }

// What e-services read, whole; the citizen sees in the journal who read it.
func TestAnswersAreAsBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.provider.AccessToken(w.url, signIn())
	for _, c := range []struct{ name, path string }{
		{"profile", "/api/v1/profile"},
		{"journal", "/api/v1/journal"},
		{"journal-page", "/api/v1/journal?limit=1"},
		{"journal-wrong", "/api/v1/journal?limit=0"},
	} {
		_, body := w.call(t, c.path, token)
		// Ids, and the place made of one, are new each time.
		body = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`).ReplaceAll(body, []byte("018f0000-0000-7000-8000-000000000000"))
		body = regexp.MustCompile(`"next":"[^"]+"`).ReplaceAll(body, []byte(`"next":"…"`))
		var got bytes.Buffer
		if err := json.Indent(&got, body, "", "  "); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", "api-"+c.name+".json")
		if updating() {
			if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: got:\n%s\nwant:\n%s", c.path, got.Bytes(), want)
		}
	}
}

// A read is one round trip to PostgreSQL, with the check, the citizen's journal and all.
func TestReadIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.provider.AccessToken(w.url, signIn())
	for _, path := range []string{"/api/v1/profile", "/api/v1/journal"} {
		w.trips.Take()
		if answer, _ := w.call(t, path, token); answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", path, answer.Status)
		}
		if got := w.trips.Take(); got != 1 {
			t.Errorf("%s: %d round trips, want 1", path, got)
		}
	}
}

// A token that is bound to a key opens a cabinet beside a proof of that key, once, and to nobody who merely bears it (RFC 9449 §7).
func TestABoundTokenNeedsItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := jose.JSONWebKey{Key: key.Public()}
	jkt, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	claims := signIn()
	claims["cnf"] = map[string]string{"jkt": base64.RawURLEncoding.EncodeToString(jkt)}
	token := w.provider.AccessToken(w.url, claims)
	ath := sha256.Sum256([]byte(token))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	if err != nil {
		t.Fatal(err)
	}
	proof, err := jwt.Signed(signer).Claims(map[string]any{
		"jti": "1", "htm": "GET", "htu": w.url + "/api/v1/profile", "iat": noon.Unix(), "ath": base64.RawURLEncoding.EncodeToString(ath[:]),
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		story, scheme, proof string
		status               int
	}{
		{"as a bearer token", "Bearer", proof, http.StatusUnauthorized},
		{"without a proof", "DPoP", "", http.StatusUnauthorized},
		{"with its proof", "DPoP", proof, http.StatusOK},
		{"with its proof a second time", "DPoP", proof, http.StatusUnauthorized},
	} {
		answer, _ := w.send(t, "/api/v1/profile", http.Header{"Authorization": {row.scheme + " " + token}, "Dpop": {row.proof}})
		if answer.StatusCode != row.status {
			t.Errorf("%s: got %s, want %d", row.story, answer.Status, row.status)
		}
	}
}
