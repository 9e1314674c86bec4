package run_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"asoba.example/cmd/internal/run"
)

// One part's failure stops the others, and All tells it when all have ended.
func TestAllStopsTogether(t *testing.T) {
	defer goleak.VerifyNone(t)
	broken := errors.New("broken")
	stopped := false
	err := run.All(t.Context(),
		func(context.Context) error { return broken },
		func(ctx context.Context) error {
			<-ctx.Done()
			stopped = true
			return nil
		})
	if !errors.Is(err, broken) || !stopped {
		t.Errorf("got %v, others stopped: %v; want %v, true", err, stopped, broken)
	}
}

// A body is bounded, but where its door bounds it.
func TestOnlyAStreamBringsMuch(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := run.Server{
		Listener: listener,
		Log:      slog.New(slog.NewTextHandler(t.Output(), nil)),
		Streams:  func(r *http.Request) bool { return r.URL.Path == "/stream" },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, n, " ", err == nil)
		}),
	}
	ctx, stop := context.WithCancel(t.Context())
	err = run.All(ctx, server.Run, func(context.Context) error {
		defer stop()
		for path, want := range map[string]string{"/stream": "1048576 true", "/other": "131072 false"} {
			resp, err := http.Post("http://"+listener.Addr().String()+path, "text/csv", bytes.NewReader(make([]byte, 1<<20)))
			if err != nil {
				return err
			}
			got, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || string(got) != want {
				t.Errorf("%s: got %s, %v, want %s", path, got, err, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A request that was begun is answered after the stop, while /readyz sends others away.
func TestServerDrains(t *testing.T) {
	defer goleak.VerifyNone(t)
	begun, end := make(chan struct{}), make(chan struct{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := run.Server{
		Listener: listener,
		Log:      slog.New(slog.NewTextHandler(t.Output(), nil)),
		Notice:   time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(begun)
			<-end
			fmt.Fprint(w, "answered")
		}),
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(path string) (int, string) {
		resp, err := client.Get("http://" + listener.Addr().String() + path)
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Error(err)
		}
		return resp.StatusCode, string(body)
	}

	ctx, stop := context.WithCancel(t.Context())
	err = run.All(ctx, server.Run,
		func(context.Context) error {
			if status, body := get("/slow"); status != http.StatusOK || body != "answered" {
				t.Errorf("the request begun before the stop: got %d %q", status, body)
			}
			return nil
		},
		func(ctx context.Context) error {
			<-begun
			if status, _ := get("/readyz"); status != http.StatusOK {
				t.Errorf("ready before the stop: got %d", status)
			}
			stop()
			<-ctx.Done()
			for status := http.StatusOK; status == http.StatusOK; {
				if status, _ = get("/readyz"); status != http.StatusOK && status != http.StatusServiceUnavailable {
					t.Errorf("ready after the stop: got %d", status)
				}
			}
			close(end)
			return nil
		})
	if err != nil {
		t.Error(err)
	}
}

// A listener is plain where nobody names a certificate, and never by mistake.
func TestACertificateIsReadOrRefused(t *testing.T) {
	if plain, err := run.Certificate("", ""); plain != nil || err != nil {
		t.Errorf("none named: %v, %v", plain, err)
	}
	for _, named := range [][2]string{{"missing.pem", "missing.key"}, {"missing.pem", ""}, {"", "missing.key"}} {
		if secure, err := run.Certificate(named[0], named[1]); secure != nil || err == nil {
			t.Errorf("%q: %v, %v", named, secure, err)
		}
	}
}

// A listener prefers TLS 1.3, takes nothing below 1.2, and in 1.2 no suite but ECDHE with AES-GCM (RFC 9325 §3.1.1, §4.2; FAPI 2.0 Security
// Profile §5.2).
func TestAListenerSpeaksModernTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for path, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config, err := run.Certificate(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	shake := func(offered *tls.Config) (version uint16, err error) {
		offered.InsecureSkipVerify = true
		here, there := net.Pipe()
		defer here.Close()
		defer there.Close()
		var serving sync.WaitGroup
		serving.Go(func() { _ = tls.Server(there, config).HandshakeContext(t.Context()); _ = there.Close() })
		client := tls.Client(here, offered)
		err = client.HandshakeContext(t.Context())
		_ = here.Close()
		serving.Wait()
		return client.ConnectionState().Version, err
	}
	if version, err := shake(&tls.Config{}); version != tls.VersionTLS13 || err != nil {
		t.Errorf("got %s, %v", tls.VersionName(version), err)
	}
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		if _, err := shake(&tls.Config{MinVersion: version, MaxVersion: version}); err == nil {
			t.Errorf("%s is taken", tls.VersionName(version))
		}
	}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if suite.SupportedVersions[0] == tls.VersionTLS13 || !strings.Contains(suite.Name, "_ECDSA_") { // the others are for another key
			continue
		}
		_, err := shake(&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite.ID}})
		if good := strings.Contains(suite.Name, "_ECDHE_ECDSA_WITH_AES_") && strings.Contains(suite.Name, "_GCM_"); good != (err == nil) {
			t.Errorf("%s: %v", suite.Name, err)
		}
	}
}
