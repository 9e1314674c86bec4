package api_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"asoba.example/provider/api"
)

type keySource map[string]jose.JSONWebKey

func (s keySource) Key(_ context.Context, kid string) (jose.JSONWebKey, error) {
	switch key, ok := s[kid]; {
	case kid == "unreachable":
		return jose.JSONWebKey{}, errors.New("no answer")
	case !ok:
		return jose.JSONWebKey{}, api.ErrUnknownKey
	default:
		return key, nil
	}
}

// A token is good when everything in it is (RFC 9068 §4); each wrong thing alone is enough.
func TestVerify(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 3, 12, 0, 0, 0, time.UTC)
	ours, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	slow, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	verifier := api.Verifier{
		Keys: keySource{
			"ours": {Key: ours.Public(), KeyID: "ours", Algorithm: "ES256"},
			"slow": {Key: slow.Public(), KeyID: "slow", Algorithm: "RS256"},
		},
		Issuer:   "https://idp.example",
		Audience: "https://cabinet.example",
		Now:      func() time.Time { return now },
	}

	type token struct {
		typ, kid string
		alg      jose.SignatureAlgorithm
		key      any
		claims   map[string]any
	}
	for name, spoil := range map[string]func(*token){
		"200 good":                            func(*token) {},
		"200 several audiences":               func(k *token) { k.claims["aud"] = []string{"https://idp.example", "https://cabinet.example"} },
		"200 just expired":                    func(k *token) { k.claims["exp"] = now.Add(-9 * time.Second).Unix() },
		"401 expired":                         func(k *token) { k.claims["exp"] = now.Add(-11 * time.Second).Unix() },
		"401 never expires":                   func(k *token) { delete(k.claims, "exp") },
		"401 of the future":                   func(k *token) { k.claims["nbf"] = now.Add(time.Minute).Unix() },
		"401 another issuer":                  func(k *token) { k.claims["iss"] = "https://idp.example/" },
		"401 another audience":                func(k *token) { k.claims["aud"] = "https://idp.example" },
		"401 nobody's":                        func(k *token) { delete(k.claims, "sub") },
		"401 no client":                       func(k *token) { delete(k.claims, "client_id") },
		"401 an ID token":                     func(k *token) { k.typ = "JWT" },
		"401 another's key":                   func(k *token) { k.key = theirs },
		"401 unknown key":                     func(k *token) { k.kid = "theirs" },
		"401 algorithm not allowed":           func(k *token) { k.alg, k.key, k.kid = jose.RS256, slow, "slow" },
		"401 the public key as a shared one":  func(k *token) { k.alg, k.key = jose.HS256, []byte(strings.Repeat("public", 8)) },
		"401 longer than any token":           func(k *token) { k.claims["scope"] = strings.Repeat("scope ", 2000) },
		"503 the keys cannot be had just now": func(k *token) { k.kid = "unreachable" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := token{typ: "at+jwt", kid: "ours", alg: jose.ES256, key: ours, claims: map[string]any{
				"iss": "https://idp.example", "aud": "https://cabinet.example", "sub": "0000000A000PB2",
				"client_id": "eservice", "jti": "1", "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
				"scope": "openid cabinet.profile", "auth_time": now.Unix(), "gid": "g",
			}}
			spoil(&k)
			signer, err := jose.NewSigner(
				jose.SigningKey{Algorithm: k.alg, Key: jose.JSONWebKey{Key: k.key, KeyID: k.kid}},
				(&jose.SignerOptions{}).WithType(jose.ContentType(k.typ)))
			if err != nil {
				t.Fatal(err)
			}
			raw, err := jwt.Signed(signer).Claims(k.claims).Serialize()
			if err != nil {
				t.Fatal(err)
			}
			w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Authorization", "Bearer "+raw)
			api.Handler(func(w http.ResponseWriter, r *http.Request) error {
				token, err := verifier.Require(w, r, "cabinet.profile")
				if err == nil && (token.Subject != "0000000A000PB2" || !token.AuthTime.Equal(now) || token.GID != "g") {
					t.Errorf("the token says %+v", token)
				}
				return err
			}).ServeHTTP(w, r)
			if got, want := w.Result().Status[:3], name[:3]; got != want {
				t.Errorf("got %s %s, want %s", got, w.Body, want)
			}
			challenge := w.Header().Get("WWW-Authenticate")
			if (w.Code == http.StatusUnauthorized) != (challenge == `Bearer error="invalid_token"`) {
				t.Errorf("status %d with WWW-Authenticate %q", w.Code, challenge)
			}
		})
	}

	t.Run("without a token (RFC 6750 §3.1)", func(t *testing.T) {
		t.Parallel()
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
		if _, err := verifier.Require(w, r, "desk:act"); err == nil || w.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("without a token: %v, %v", err, w.Header())
		}
	})
}

// Whatever our key has signed, an access token is good only if it is whole: for us, for now, of somebody, through a client (RFC 9068 §4);
// and what our key has not signed is none.
func FuzzToken(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, (&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		f.Fatal(err)
	}
	verifier := api.Verifier{
		Keys:   keySource{"k": {Key: key.Public(), KeyID: "k", Algorithm: "ES256"}},
		Issuer: "https://idp.example", Audience: "https://cabinet.example", Now: atNoon,
	}
	const claims = `"iss":"https://idp.example","sub":"1","client_id":"c","jti":"j","iat":1793620800`
	f.Add("eyJhbGciOiJub25lIn0.e30.", `{`+claims+`,"aud":"https://cabinet.example","exp":1793620860,"scope":"openid","act":{"sub":"a"}}`)
	f.Add("a.b.c", `{`+claims+`,"aud":["https://cabinet.example"],"exp":9223372036854775807}`)
	f.Add(strings.Repeat(".", 99), `{`+claims+`,"aud":{},"exp":"soon","cnf":{"jkt":1},"userinfo":[null]}`)
	f.Add("", `{"SUB":"1","sub":null,"aud":null,"exp":-1e308,"auth_time":1e400}`)
	f.Fuzz(func(t *testing.T, unsigned, payload string) {
		if token, err := verifier.Check(t.Context(), unsigned); !errors.Is(err, api.ErrToken) {
			t.Errorf("%q: %+v, %v", unsigned, token, err)
		}
		signed, err := signer.Sign([]byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		token, err := verifier.Check(t.Context(), raw)
		switch {
		case err != nil && !errors.Is(err, api.ErrToken):
			t.Errorf("%s: %v", payload, err)
		case err == nil && (token.Subject == "" || token.ClientID == "" || token.ID == "" || token.Expiry.Before(noon.Add(-10*time.Second)) ||
			token.Issuer != verifier.Issuer || !slices.Contains(token.Audience, verifier.Audience)):
			t.Errorf("%s is good: %+v", payload, token)
		}
	})
}

// A stronger sign-in satisfies who asks for a weaker one, a weaker one does not, and a level that nobody knows is none (RFC 9470 §3).
func TestAStrongerSignInIsEnough(t *testing.T) {
	t.Parallel()
	for place, acr := range append(api.Levels, "", "unknown") {
		for asked, needed := range api.Levels {
			w := httptest.NewRecorder()
			err := api.Token{ACR: acr, Scheme: api.Bearer}.RequireSignIn(w, needed, 0, time.Time{})
			if got, want := err == nil, place >= asked && place < len(api.Levels); got != want {
				t.Errorf("%q where %s is asked: %v", acr, needed, err)
			}
		}
	}
}
