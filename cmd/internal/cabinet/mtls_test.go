package cabinet

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"asoba.example/cabinet/issuer/issuertest"
	"asoba.example/cmd/internal/settings"
	"asoba.example/provider/api"
)

// Certificates are asked for where there is the API alone, and a token that is bound to one is taken there, from whoever shows it
// (RFC 8705 §3). No citizen's browser is to show a dialog.
func TestCitizensAreNotAskedForCertificates(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	p := issuertest.New(t, time.Now)
	given := settingsFor(t, p)
	public, mtls := "https://"+given["CABINET_LISTEN"], freeAddress(t)
	given["CABINET_URL"], given["CABINET_MTLS_LISTEN"], given["CABINET_MTLS_URL"] = public, mtls, "https://"+mtls
	given["CABINET_TLS_CERT_FILE"], given["CABINET_TLS_KEY_FILE"] = file("cert.pem", "CERTIFICATE", raw), file("key.pem", "PRIVATE KEY", private)
	cfg, err := settings.Read[Config](environ(given))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := Serve(ctx, cfg, slog.New(slog.DiscardHandler)); err != nil {
			t.Error(err)
		}
	})
	defer serving.Wait()
	defer stop()

	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	client := func(shown ...tls.Certificate) *http.Client {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: shown}}
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport}
	}
	owner, thief := client(tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}), client()
	token := p.AccessToken(public, map[string]any{
		"sub": "0000000A000PB2", "scope": "cabinet.profile", "acr": "low", "auth_time": time.Now().Unix(),
		"cnf": map[string]string{"x5t#S256": api.CertificateThumbprint(leaf)},
	})
	eventually(t, func() error { return get(owner, "https://"+mtls+"/readyz", "", "ok") })
	err = errors.Join(
		get(owner, "https://"+mtls+"/api/v1/profile", token, "no_cabinet_yet"), // the token is good
		get(thief, "https://"+mtls+"/api/v1/profile", token, "invalid_token"),
		get(owner, public+"/api/v1/profile", token, "invalid_token"), // nobody asked
		get(owner, "https://"+mtls+"/profile", "", "no_such_path"),
	)
	if err != nil {
		t.Error(err)
	}
}
