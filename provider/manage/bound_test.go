package manage_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"asoba.example/migrations/redistest"
	"asoba.example/provider/api"
	"asoba.example/provider/manage"
)

// A token that is bound opens a door to whoever holds the key or the certificate, and to nobody else; over HTTP, as operators come
// (RFC 9449 §7.1; RFC 8705 §3).
func TestABoundTokenIsItsHolders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := httptest.NewUnstartedServer(nil)
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	doors, err := manage.New(manage.Config{
		Bearer: manage.Bearer{
			Verifier: api.Verifier{
				Keys: w.ring, Issuer: issuer, Audience: audience, Now: now,
				Proofs: &api.Proofs{URLs: []string{server.URL}, Redis: redistest.New(t), Now: now},
			},
			Denials: w.denials, Clients: w.registry,
		},
		Clients: w.registry, Answers: w.answers, Keys: w.ring, Feed: w.feed, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := &routes{ServeMux: http.NewServeMux()}
	doors.Mount(mux)
	server.Config.Handler = mux

	mine, theirs := newHolder(t), newHolder(t)
	byKey := w.token(t, map[string]any{"cnf": map[string]any{"jkt": mine.jkt(t)}})
	byCertificate := w.token(t, map[string]any{"cnf": map[string]any{"x5t#S256": api.CertificateThumbprint(mine.certificate)}})
	used := mine.proof(t, server.URL+"/clients", byKey)
	for _, row := range []struct {
		name, scheme, token, proof string
		cert                       *holder
		status                     int
	}{
		{"by its key", "DPoP", byKey, used, nil, http.StatusOK},
		{"by a proof that was used", "DPoP", byKey, used, nil, http.StatusUnauthorized},
		{"by another's key", "DPoP", byKey, theirs.proof(t, server.URL+"/clients", byKey), nil, http.StatusUnauthorized},
		{"by a proof for another door", "DPoP", byKey, mine.proof(t, server.URL+"/changes", byKey), nil, http.StatusUnauthorized},
		{"by a proof for another token", "DPoP", byKey, mine.proof(t, server.URL+"/clients", byCertificate), nil, http.StatusUnauthorized},
		{"without a proof", "DPoP", byKey, "", nil, http.StatusUnauthorized},
		{"as a bearer token", "Bearer", byKey, "", nil, http.StatusUnauthorized},
		{"by its certificate", "Bearer", byCertificate, "", mine, http.StatusOK},
		{"by another's certificate", "Bearer", byCertificate, "", theirs, http.StatusUnauthorized},
		{"without a certificate", "Bearer", byCertificate, "", nil, http.StatusUnauthorized},
	} {
		config := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		if row.cert != nil {
			config.Certificates = []tls.Certificate{{Certificate: [][]byte{row.cert.certificate.Raw}, PrivateKey: row.cert.key}}
		}
		transport := &http.Transport{TLSClientConfig: config}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/clients", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", row.scheme+" "+row.token)
		if row.proof != "" {
			r.Header.Set("DPoP", row.proof)
		}
		answer, err := (&http.Client{Transport: transport}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		transport.CloseIdleConnections()
		challenged := strings.Contains(strings.Join(answer.Header["Www-Authenticate"], " "), "error=")
		if answer.StatusCode != row.status || challenged != (row.status == http.StatusUnauthorized) {
			t.Errorf("%s: got %d, %v", row.name, answer.StatusCode, answer.Header["Www-Authenticate"])
		}
	}
}

// A holder has a key, for proofs, and a certificate of it.
type holder struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

func newHolder(t *testing.T) *holder {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{key, certificate}
}

func (h *holder) jkt(t *testing.T) string {
	t.Helper()
	thumbprint, err := (&jose.JSONWebKey{Key: h.key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(thumbprint)
}

// proof makes a DPoP proof for a GET.
func (h *holder) proof(t *testing.T, address, token string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: h.key}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	if err != nil {
		t.Fatal(err)
	}
	sum := crypto.SHA256.New()
	sum.Write([]byte(token))
	proof, err := jwt.Signed(signer).Claims(map[string]any{
		"jti": rand.Text(), "htm": http.MethodGet, "htu": address, "iat": noon.Unix(), "ath": base64.RawURLEncoding.EncodeToString(sum.Sum(nil)),
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return proof
}
