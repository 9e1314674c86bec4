package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"asoba.example/provider/api"
)

// That a signature is known to be good excuses nothing else about a token (RFC 9068 §4), and no other signature.
//
// It runs by itself, since it counts allocations.
func TestAKnownSignatureExcusesNothingElse(t *testing.T) {
	began := time.Date(2026, time.November, 25, 12, 0, 0, 0, time.UTC)
	ours, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: ours, KeyID: "ours"}},
		new(jose.SignerOptions).WithType("at+jwt"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(map[string]any{
		"iss": "https://idp.example", "aud": "https://cabinet.example", "sub": "0000000A000PB2", "client_id": "eservice", "jti": "1", "scope": "openid",
		"iat": began.Unix(), "exp": began.Add(5 * time.Minute).Unix(),
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	now, keys := began, keySource{"ours": {Key: ours.Public(), KeyID: "ours", Algorithm: "ES256"}}
	verifier := api.Verifier{
		Keys: keys, Issuer: "https://idp.example", Audience: "https://cabinet.example",
		Verified: new(api.Verified), Now: func() time.Time { return now },
	}
	check := func(what, token string, want error) {
		t.Helper()
		if _, err := verifier.Check(t.Context(), token); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", what, err, want)
		}
	}
	check("the first time", token, nil)
	check("the second time", token, nil)
	for i := range token {
		forged := []byte(token)
		if forged[i] ^= 1; forged[i] == '.' || token[i] == '.' {
			continue // of another shape: refused before anything is read
		}
		for range 2 { // nor does it become known by being shown
			check("with another byte", string(forged), api.ErrToken)
		}
	}
	known, err := verifier.Check(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	known.Audience[0], known.Scopes[0] = "https://desk.example", "desk:act" // whoever asks next is told what the issuer said
	if again, err := verifier.Check(t.Context(), token); err != nil || again.Audience[0] != "https://cabinet.example" || again.Scopes[0] != "openid" {
		t.Errorf("told %v, %v of a token that somebody else was told of before, %v", again.Audience, again.Scopes, err)
	}
	// Nor is it read again.
	if n := testing.AllocsPerRun(100, func() { check("once more", token, nil) }); n > 20 {
		t.Errorf("a token that is known takes %v allocations", n)
	}
	verifier.Audience = "https://desk.example"
	check("for another audience", token, api.ErrToken)
	verifier.Audience, verifier.Issuer = "https://cabinet.example", "https://other.example"
	check("of another issuer", token, api.ErrToken)
	verifier.Issuer = "https://idp.example"
	now = began.Add(6 * time.Minute)
	check("after its end", token, api.ErrToken)
	now = began
	check("again", token, nil)
	delete(keys, "ours")
	check("whose key is believed no more", token, api.ErrToken)
}
