package clients_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"asoba.example/provider/clients"
)

// Keys at an address of the client's are found by their kid; others beside them are left out (RFC 7517 §5). What is not there is looked for
// again, and what was there will do for an hour while it cannot be read (OpenID Connect Core §10.1.1).
func TestKeysAtAnAddress(t *testing.T) {
	t.Parallel()
	registry, _ := newRegistry(t)
	var published atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(published.Load().(string)))
	}))
	t.Cleanup(server.Close)
	c, _ := register(t, registry, `{"redirect_uris":["https://portal.example/cb"],"jwks_uri":"`+server.URL+`"}`)

	key := func(kid string) string {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(jose.JSONWebKey{Key: private.Public(), KeyID: kid})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	set := func(keys string) string { return `{"keys":[` + keys + `]}` }
	one, two, nameless := key("one"), key("two"), key("")
	const encryption = `{"kty":"EC","crv":"P-256","use":"enc","kid":"enc","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`
	const later = `{"kty":"AKP","alg":"ML-DSA-44","kid":"later","pub":"AAAA"}`

	for _, step := range []struct {
		name      string
		pass      time.Duration
		published string
		kid       string
		want      []string // kids; nil for keys that cannot be read
	}{
		{"nothing was ever there", 0, `<html>`, "one", nil},
		{"nor is it asked for again at once", time.Second, set(one), "one", nil},
		{"a key by its name", 10 * time.Second, set(one + "," + later + "," + encryption + "," + weakKey + "," + secretKey + "," + privateKey), "one", []string{"one"}},
		{"every key where none is named", 0, `gone`, "", []string{"one"}},
		{"a key that has just been published", 10 * time.Second, set(one + "," + two + "," + nameless), "two", []string{"two", ""}},
		{"a key that was taken back", 10 * time.Minute, set(two), "one", []string{}},
		{"an address that does not answer", 59 * time.Minute, `{}`, "two", []string{"two"}},
		{"for too long", time.Minute, `[]`, "two", nil},
	} {
		registry.pass(step.pass)
		published.Store(step.published)
		keys, err := registry.Keys(t.Context(), c, step.kid)
		got := []string{}
		for _, key := range keys {
			got = append(got, key.KeyID)
		}
		if !slices.Equal(got, step.want) || (step.want == nil) != errors.Is(err, clients.ErrKeys) {
			t.Errorf("%s: got %v, %v, want %v", step.name, got, err, step.want)
		}
	}
}

// A certificate that a client has just published is known at once (RFC 8705 §2.2.2): its new key needs no wait.
func TestACertificateThatHasJustBeenPublished(t *testing.T) {
	t.Parallel()
	registry, _ := newRegistry(t)
	var published atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(published.Load().(string)))
	}))
	t.Cleanup(server.Close)
	c, _ := register(t, registry, `{"redirect_uris":["https://portal.example/cb"],"jwks_uri":"`+server.URL+`"}`)
	certificate := func() (*x509.Certificate, string) {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1)}
		raw, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), Certificates: []*x509.Certificate{cert}}}})
		if err != nil {
			t.Fatal(err)
		}
		return cert, string(text)
	}
	first, firstSet := certificate()
	second, secondSet := certificate()
	for _, step := range []struct {
		published string
		cert      *x509.Certificate
		want      bool
	}{{firstSet, first, true}, {firstSet, second, false}, {secondSet, second, true}, {secondSet, first, false}} {
		published.Store(step.published)
		registry.pass(10 * time.Second) // the pause between two calls
		if got, err := registry.HasCertificate(t.Context(), c, step.cert); got != step.want || err != nil {
			t.Errorf("got %t, %v, want %t", got, err, step.want)
		}
	}
}

// What a client publishes is read without harm, and nothing that is kept of it can sign or is weak.
func FuzzKeys(f *testing.F) {
	for _, seed := range []string{publicKey, privateKey, weakKey, secretKey} {
		f.Add([]byte(`{"keys":[` + seed + `]}`))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		keys, _ := clients.ParseKeys(document)
		for _, key := range keys {
			if !key.IsPublic() || !key.Valid() {
				t.Errorf("%v was kept", key)
			}
		}
	})
}
