package api_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"asoba.example/migrations/redistest"
	"asoba.example/provider/api"
)

var noon = time.Date(2026, time.November, 3, 12, 0, 0, 999_000_000, time.UTC) // within a second, as nearly always

func atNoon() time.Time { return noon }

// A proof is what goes into a DPoP proof.
type proof struct {
	header map[string]any
	claims map[string]any
	alg    jose.SignatureAlgorithm
	key    any
}

// rightProof is one for GET https://api.example/v1/me.
func rightProof(t testing.TB) *proof {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &proof{
		header: map[string]any{"typ": "dpop+jwt", "jwk": jose.JSONWebKey{Key: key.Public()}},
		claims: map[string]any{"jti": rand.Text(), "htm": "GET", "htu": "https://api.example/v1/me", "iat": noon.Unix()},
		alg:    jose.ES256,
		key:    key,
	}
}

func (p *proof) signedBy(alg jose.SignatureAlgorithm, key, public any) {
	p.alg, p.key, p.header["jwk"] = alg, key, jose.JSONWebKey{Key: public}
}

// sign makes the JWT by hand: no library makes all the wrong ones.
func (p *proof) sign(t testing.TB) string {
	t.Helper()
	p.header["alg"] = p.alg
	text := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	options := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{}}
	for name, value := range p.header {
		if name != "alg" {
			options.ExtraHeaders[jose.HeaderKey(name)] = value
		}
	}
	if p.alg == "none" {
		return text(p.header) + "." + text(p.claims) + "."
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: p.alg, Key: p.key}, options)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := json.Marshal(p.claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// A proof is good when everything in it is (RFC 9449 §4.3); each wrong thing alone is enough.
func TestProofs(t *testing.T) {
	t.Parallel()
	rsaKey := func(bits int) *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	strong, weak := rsaKey(2048), rsaKey(1024)
	ed, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	stranger := rightProof(t)
	nonces := api.NewNonces([]byte("a key of thirty-two bytes or more"))
	proofs := &api.Proofs{URLs: []string{"https://api.example", "https://mtls.api.example:8443"}, Nonces: nonces, Now: atNoon}

	for name, row := range map[string]struct {
		spoil func(*proof)
		want  error
	}{
		"right":                                 {func(*proof) {}, nil},
		"PS256":                                 {func(p *proof) { p.signedBy(jose.PS256, strong, strong.Public()) }, nil},
		"RS256":                                 {func(p *proof) { p.signedBy(jose.RS256, strong, strong.Public()) }, nil},
		"EdDSA":                                 {func(p *proof) { p.signedBy(jose.EdDSA, edKey, ed) }, nil},
		"10 s behind":                           {func(p *proof) { p.claims["iat"] = noon.Unix() - 10 }, nil},
		"10 s ahead":                            {func(p *proof) { p.claims["iat"] = noon.Unix() + 10 }, nil},
		"11 s behind":                           {func(p *proof) { p.claims["iat"] = noon.Unix() - 11 }, api.ErrNonce},
		"11 s ahead":                            {func(p *proof) { p.claims["iat"] = noon.Unix() + 11 }, api.ErrNonce},
		"an hour off, with our nonce":           {func(p *proof) { p.claims["iat"], p.claims["nonce"] = noon.Unix()-3600, nonces.At(noon) }, nil},
		"with the nonce of a minute ago":        {func(p *proof) { p.claims["nonce"] = nonces.At(noon.Add(-time.Minute)) }, nil},
		"with a stale nonce":                    {func(p *proof) { p.claims["nonce"] = nonces.At(noon.Add(-2 * time.Minute)) }, api.ErrNonce},
		"with a nonce of its own":               {func(p *proof) { p.claims["nonce"] = "x" }, api.ErrNonce},
		"members that nobody knows":             {func(p *proof) { p.claims["foo"], p.header["bar"] = "x", "y" }, nil},
		"htu with query and fragment":           {func(p *proof) { p.claims["htu"] = "https://api.example/v1/me?a=b#c" }, nil},
		"htu in another case, with the port":    {func(p *proof) { p.claims["htu"] = "HTTPS://API.Example:443/v1/me" }, nil},
		"htu at the other address":              {func(p *proof) { p.claims["htu"] = "https://mtls.api.example:8443/v1/me" }, nil},
		"nbf and exp that hold":                 {func(p *proof) { p.claims["nbf"], p.claims["exp"] = noon.Unix(), noon.Unix()+1 }, nil},
		"expired":                               {func(p *proof) { p.claims["exp"] = noon.Unix() - 11 }, api.ErrProof},
		"not yet good":                          {func(p *proof) { p.claims["nbf"] = noon.Unix() + 11 }, api.ErrProof},
		"no iat":                                {func(p *proof) { delete(p.claims, "iat") }, api.ErrProof},
		"an iat that is no time":                {func(p *proof) { p.claims["iat"] = "noon" }, api.ErrProof},
		"no jti":                                {func(p *proof) { delete(p.claims, "jti") }, api.ErrProof},
		"a jti longer than any":                 {func(p *proof) { p.claims["jti"] = strings.Repeat("x", 257) }, api.ErrProof},
		"no htm":                                {func(p *proof) { delete(p.claims, "htm") }, api.ErrProof},
		"another method":                        {func(p *proof) { p.claims["htm"] = "POST" }, api.ErrProof},
		"the method in another case":            {func(p *proof) { p.claims["htm"] = "get" }, api.ErrProof},
		"no htu":                                {func(p *proof) { delete(p.claims, "htu") }, api.ErrProof},
		"another path":                          {func(p *proof) { p.claims["htu"] = "https://api.example/v1/you" }, api.ErrProof},
		"another path by case":                  {func(p *proof) { p.claims["htu"] = "https://api.example/V1/me" }, api.ErrProof},
		"another host":                          {func(p *proof) { p.claims["htu"] = "https://evil.example/v1/me" }, api.ErrProof},
		"another port":                          {func(p *proof) { p.claims["htu"] = "https://api.example:8443/v1/me" }, api.ErrProof},
		"another scheme":                        {func(p *proof) { p.claims["htu"] = "http://api.example/v1/me" }, api.ErrProof},
		"a path alone":                          {func(p *proof) { p.claims["htu"] = "/v1/me" }, api.ErrProof},
		"no typ":                                {func(p *proof) { delete(p.header, "typ") }, api.ErrProof},
		"an access token for a proof":           {func(p *proof) { p.header["typ"] = "at+jwt" }, api.ErrProof},
		"no jwk":                                {func(p *proof) { delete(p.header, "jwk") }, api.ErrProof},
		"another's jwk":                         {func(p *proof) { p.header["jwk"] = stranger.header["jwk"] }, api.ErrProof},
		"a private jwk":                         {func(p *proof) { p.header["jwk"] = jose.JSONWebKey{Key: p.key} }, api.ErrProof},
		"a shared jwk":                          {func(p *proof) { p.header["jwk"] = jose.JSONWebKey{Key: make([]byte, 32)} }, api.ErrProof},
		"a jwk that is weak":                    {func(p *proof) { p.signedBy(jose.PS256, weak, weak.Public()) }, api.ErrProof},
		"unsigned":                              {func(p *proof) { p.alg = "none" }, api.ErrProof},
		"an algorithm of shared keys":           {func(p *proof) { p.signedBy(jose.HS256, make([]byte, 32), make([]byte, 32)) }, api.ErrProof},
		"a header that we would have to follow": {func(p *proof) { p.header["crit"], p.header["exp"] = []string{"exp"}, 1 }, api.ErrProof},
		"longer than any":                       {func(p *proof) { p.claims["foo"] = strings.Repeat("x", 8<<10) }, api.ErrProof},
	} {
		p := rightProof(t)
		row.spoil(p)
		r := httptest.NewRequest(http.MethodGet, "/v1/me?q=1", nil)
		r.Header.Set("dpop", p.sign(t))
		got, err := proofs.Read(r)
		if !errors.Is(err, row.want) || (got == nil) != (row.want != nil) {
			t.Errorf("%s: got %v, want %v", name, err, row.want)
		}
	}

	for name, sent := range map[string][]string{
		"two": {rightProof(t).sign(t), rightProof(t).sign(t)}, "garbage": {"a.b.c"}, "nothing": {""}, "many dots": {strings.Repeat(".", 5000)},
	} {
		r := httptest.NewRequest(http.MethodGet, "/v1/me", nil)
		r.Header["Dpop"] = sent
		if _, err := proofs.Read(r); !errors.Is(err, api.ErrProof) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if got, err := proofs.Read(httptest.NewRequest(http.MethodGet, "/v1/me", nil)); got != nil || err != nil {
		t.Errorf("none: got %v, %v", got, err)
	}
	own := &api.Proofs{URLs: proofs.URLs, Now: atNoon} // hands out no nonces, so looks for none
	late := rightProof(t)
	late.claims["iat"], late.claims["nonce"] = noon.Unix()-11, "x"
	r := httptest.NewRequest(http.MethodGet, "/v1/me", nil)
	r.Header.Set("DPoP", late.sign(t))
	if _, err := own.Read(r); !errors.Is(err, api.ErrProof) {
		t.Errorf("late, where there are no nonces: got %v", err)
	}
}

// A token that is bound to a key is good beside a proof of that key for that token, once, and for nobody who merely bears it
// (RFC 9449 §7).
func TestABoundTokenNeedsItsKey(t *testing.T) {
	t.Parallel()
	ours, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	verifier := api.Verifier{
		Keys: keySource{"ours": {Key: ours.Public(), KeyID: "ours", Algorithm: "ES256"}}, Issuer: "https://idp.example",
		Audience: "https://api.example", Now: atNoon,
		Proofs: &api.Proofs{URLs: []string{"https://api.example"}, Nonces: api.NewNonces(make([]byte, 32)), Redis: redistest.New(t), Now: atNoon},
	}
	holder := rightProof(t)
	jkt := func(p *proof) string {
		key := p.header["jwk"].(jose.JSONWebKey)
		sum, err := key.Thumbprint(crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(sum)
	}
	issue := func(cnf map[string]any) string {
		k := proof{alg: jose.ES256, key: jose.JSONWebKey{Key: ours, KeyID: "ours"}, header: map[string]any{"typ": "at+jwt"}, claims: map[string]any{
			"iss": "https://idp.example", "aud": "https://api.example", "sub": "s", "client_id": "c", "jti": "1",
			"iat": noon.Unix(), "exp": noon.Unix() + 300, "scope": "read", "cnf": cnf,
		}}
		return k.sign(t)
	}
	bound, free := issue(map[string]any{"jkt": jkt(holder)}), issue(nil)
	// beside makes a proof of a key for a token.
	beside := func(by *proof, token string) *proof {
		sum := sha256.Sum256([]byte(token))
		p := rightProof(t)
		p.key, p.header["jwk"] = by.key, by.header["jwk"]
		p.claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
		return p
	}
	used := beside(holder, bound).sign(t)
	late := beside(holder, bound)
	late.claims["iat"] = noon.Unix() - 3600
	other := beside(holder, bound)
	delete(other.claims, "ath")

	for _, row := range []struct {
		story, authorization string
		proofs               []string
		want                 string // an error code; "" for none
	}{
		{"with its proof", "DPoP " + bound, []string{used}, ""},
		{"with a proof used before", "DPoP " + bound, []string{used}, "invalid_dpop_proof"},
		{"the scheme in another case", "dPOP " + bound, []string{beside(holder, bound).sign(t)}, ""},
		{"as a bearer token", "Bearer " + bound, nil, "invalid_token"},
		{"as a bearer token with its proof", "Bearer " + bound, []string{beside(holder, bound).sign(t)}, "invalid_token"},
		{"without a proof", "DPoP " + bound, nil, "invalid_dpop_proof"},
		{"with two proofs", "DPoP " + bound, []string{beside(holder, bound).sign(t), beside(holder, bound).sign(t)}, "invalid_dpop_proof"},
		{"with another's proof", "DPoP " + bound, []string{beside(rightProof(t), bound).sign(t)}, "invalid_token"},
		{"with the proof of another token", "DPoP " + bound, []string{beside(holder, free).sign(t)}, "invalid_dpop_proof"},
		{"without ath", "DPoP " + bound, []string{other.sign(t)}, "invalid_dpop_proof"},
		{"by a wrong clock", "DPoP " + bound, []string{late.sign(t)}, "use_dpop_nonce"},
		{"a free token as a bound one", "DPoP " + free, []string{beside(holder, free).sign(t)}, "invalid_token"},
		{"a free token", "Bearer " + free, nil, ""},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/v1/me", nil)
		r.Header.Set("Authorization", row.authorization)
		r.Header["Dpop"] = row.proofs
		_, err := verifier.Require(w, r, "read")
		problem := new(api.Problem)
		if errors.As(err, &problem); problem.Code != row.want || row.want != "" && problem.Status != http.StatusUnauthorized {
			t.Errorf("%s: got %v, want %s", row.story, err, row.want)
		}
		scheme, _ := api.Credentials(r)
		challenges := strings.Join(w.Header()["Www-Authenticate"], "\n")
		if row.want != "" && !strings.Contains(challenges, scheme+` error="`+row.want+`"`) ||
			row.want != "" && !strings.Contains(challenges, `algs="PS256 ES256 EdDSA RS256"`) {
			t.Errorf("%s: got WWW-Authenticate %s", row.story, challenges)
		}
		if (w.Header().Get("DPoP-Nonce") != "") != (row.want == "use_dpop_nonce") {
			t.Errorf("%s: got DPoP-Nonce %q", row.story, w.Header().Get("DPoP-Nonce"))
		}
	}
}

// Whatever strangers send for a proof, it is read without a panic, and only one that is whole proves something.
func FuzzProof(f *testing.F) {
	f.Add(rightProof(f).sign(f))
	spoilt := rightProof(f)
	spoilt.claims["htu"] = "https://[::1%25]/"
	f.Add(spoilt.sign(f))
	f.Add("eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6Im5vbmUifQ.e30.")
	f.Add("..")
	proofs := &api.Proofs{URLs: []string{"https://api.example"}, Now: atNoon}
	f.Fuzz(func(t *testing.T, sent string) {
		r := httptest.NewRequest(http.MethodGet, "/v1/me", nil)
		r.Header["Dpop"] = []string{sent}
		proof, err := proofs.Read(r)
		if (proof == nil) != errors.Is(err, api.ErrProof) || proof != nil && (len(proof.Thumbprint) != 43 || proof.For <= 0) {
			t.Errorf("%q: got %+v, %v", sent, proof, err)
		}
	})
}
