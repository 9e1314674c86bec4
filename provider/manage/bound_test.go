package manage_test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"asoba.example/migrations/redistest"
	"asoba.example/provider/api"
	"asoba.example/provider/api/prooftest"
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
	byKey := w.token(t, map[string]any{"cnf": map[string]any{"jkt": mine.Thumbprint(t)}})
	byCertificate := w.token(t, map[string]any{"cnf": map[string]any{"x5t#S256": api.CertificateThumbprint(mine.certificate)}})
	used := mine.Prove(t, http.MethodGet, server.URL+"/clients", byKey, noon)
	for _, row := range []struct {
		name, scheme, token, proof string
		cert                       *holder
		status                     int
	}{
		{"by its key", "DPoP", byKey, used, nil, http.StatusOK},
		{"by a proof that was used", "DPoP", byKey, used, nil, http.StatusUnauthorized},
		{"by another's key", "DPoP", byKey, theirs.Prove(t, http.MethodGet, server.URL+"/clients", byKey, noon), nil, http.StatusUnauthorized},
		{"by a proof for another door", "DPoP", byKey, mine.Prove(t, http.MethodGet, server.URL+"/changes", byKey, noon), nil, http.StatusUnauthorized},
		{"by a proof for another token", "DPoP", byKey, mine.Prove(t, http.MethodGet, server.URL+"/clients", byCertificate, noon), nil, http.StatusUnauthorized},
		{"without a proof", "DPoP", byKey, "", nil, http.StatusUnauthorized},
		{"as a bearer token", "Bearer", byKey, "", nil, http.StatusUnauthorized},
		{"by its certificate", "Bearer", byCertificate, "", mine, http.StatusOK},
		{"by another's certificate", "Bearer", byCertificate, "", theirs, http.StatusUnauthorized},
		{"without a certificate", "Bearer", byCertificate, "", nil, http.StatusUnauthorized},
	} {
		config := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		if row.cert != nil {
			config.Certificates = []tls.Certificate{{Certificate: [][]byte{row.cert.certificate.Raw}, PrivateKey: row.cert.Key}}
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
	prooftest.Prover
	certificate *x509.Certificate
}

func newHolder(t *testing.T) *holder {
	t.Helper()
	prover := prooftest.New(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, prover.Key.Public(), prover.Key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{prover, certificate}
}
