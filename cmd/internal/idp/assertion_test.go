package idp

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// An assertion says who asks whom, once and for a minute (RFC 7523 §3), by an algorithm of FAPI 2.0 Security Profile §5.4.1; the key
// itself is never told, nor is what is none.
func TestAnAssertionProvesThatAClientAsks(t *testing.T) {
	t.Parallel()
	sign := func(key string) (string, error) {
		var told bytes.Buffer
		err := Run(t.Context(), nil, strings.NewReader(key), &told, "client", "assertion", "https://id.example", "desk", "-")
		return strings.TrimSpace(told.String()), err
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for alg, key := range map[jose.SignatureAlgorithm]crypto.Signer{jose.ES256: ec, jose.PS256: rs, jose.EdDSA: ed} {
		private, err := json.Marshal(jose.JSONWebKey{Key: key, KeyID: "k"})
		if err != nil {
			t.Fatal(err)
		}
		told, err := sign(string(private))
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		parsed, err := jwt.ParseSigned(told, []jose.SignatureAlgorithm{alg})
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		var claims struct {
			jwt.Claims
			Audience any `json:"aud"`
		}
		if err := parsed.Claims(key.Public(), &claims); err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		if c := claims; c.Issuer != "desk" || c.Subject != "desk" || c.Audience != "https://id.example" || c.ID == "" || parsed.Headers[0].KeyID != "k" ||
			c.Expiry.Time().Sub(c.IssuedAt.Time()).Minutes() != 1 {
			t.Errorf("%s: %+v", alg, claims)
		}
		public, err := json.Marshal(jose.JSONWebKey{Key: key.Public()})
		if err != nil {
			t.Fatal(err)
		}
		if told, err := sign(string(public)); err == nil {
			t.Errorf("%s: by the public half: %s", alg, told)
		}
	}
	for _, none := range []string{"", "null", "{}", `{"kty":"EC","crv":"P-256","d":"my secret"}`, `{"kty":"oct","k":"c2VjcmV0"}`} {
		if told, err := sign(none); err == nil || strings.Contains(err.Error(), "my secret") {
			t.Errorf("%s: %s, %v", none, told, err)
		}
	}
}
