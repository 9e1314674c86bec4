package idp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Only the listener for clients, and the management API's, ask for certificates: no citizen's browser is to show a dialog. In TLS 1.2
// there are but the suites of RFC 9325 §4.2.
func TestCitizensAreNotAskedForCertificates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	free := func() string {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "localhost:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().String()
	}
	public, management, mtls := free(), free(), free()
	environ := append(errandEnviron(t),
		"IDP_ISSUER=https://"+public, "IDP_LISTEN="+public, "IDP_MANAGEMENT_LISTEN="+management, "IDP_MTLS_LISTEN="+mtls, "IDP_MTLS_URL=https://"+mtls,
		"IDP_TLS_CERT_FILE="+file("cert.pem", "CERTIFICATE", cert), "IDP_TLS_KEY_FILE="+file("key.pem", "PRIVATE KEY", private),
		"IDP_MTLS_CA_FILE="+filepath.Join(dir, "cert.pem"),
	)
	ctx, stop := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		defer stop()
		if err := Run(ctx, environ, nil, io.Discard, "serve"); err != nil {
			t.Error(err)
		}
	})
	defer serving.Wait()
	defer stop()

	for address, want := range map[string]bool{public: false, management: true, mtls: true} {
		asked := false
		config := &tls.Config{
			InsecureSkipVerify: true,
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				asked = true
				return &tls.Certificate{}, nil
			},
		}
		dial := func(config *tls.Config) error {
			c, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", address)
			if err != nil {
				return err
			}
			return c.Close()
		}
		for err := dial(config); err != nil; err = dial(config) { // it is still coming up
			if ctx.Err() != nil {
				t.Fatal(err)
			}
		}
		if asked != want {
			t.Errorf("%s: asked for a certificate: %v, want %v", address, asked, want)
		}
		config = config.Clone()
		config.MaxVersion, config.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
		if dial(config) == nil {
			t.Errorf("%s: took a suite that RFC 9325 advises against", address)
		}
	}
}
