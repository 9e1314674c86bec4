package cmd_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"asoba.example/provider/api/prooftest"
)

// The whole demo speaks TLS by the settings of its programs, on the certificate of an authority that nobody but it knows. A citizen signs in
// at the cabinet; and of two e-services that then read the profile each does so by what its tokens are bound to, and by nothing else: one
// by its certificate (RFC 8705 §3), the other by its key (RFC 9449 §7).
func TestDemoUnderTLS(t *testing.T) {
	t.Parallel()
	d := newSecureDemo(t)
	home := startBrowser(t, chromedp.Flag("ignore-certificate-errors-spki-list", d.pin))
	citizen := d.citizen()
	home.open(d.cabinet + "/sign-in")
	home.at(d.issuer + "/sign-in")
	home.fill("username", citizen.Identifier)
	home.fill("current-password", citizen.Password)
	home.submit()
	home.at(d.issuer + "/sign-in/code")
	home.fill("one-time-code", d.code(citizen.Phone))
	home.submit()
	home.at(d.cabinet)
	home.open(d.cabinet + "/profile")
	home.see(citizen.Identifier)

	own, another := d.ca.issue(t, "service.example"), d.ca.issue(t, "service.example") // one name, two keys
	byCertificate := d.register(map[string]any{
		"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "service.example", "tls_client_certificate_bound_access_tokens": true,
	})
	access := d.access(home, byCertificate, d.idpMTLS, d.client(own))
	for _, read := range []struct {
		story, at string
		client    *http.Client
		want      int
	}{
		{"with the certificate", d.cabinetMTLS, d.client(own), http.StatusOK},
		{"with another one", d.cabinetMTLS, d.client(another), http.StatusUnauthorized},
		{"without one", d.cabinetMTLS, d.client(), http.StatusUnauthorized},
		{"where nobody asks for one", d.cabinet, d.client(own), http.StatusUnauthorized},
	} {
		d.read(read.story, read.client, read.at, "Bearer "+access, "", read.want)
	}

	byKey := d.register(map[string]any{"token_endpoint_auth_method": "client_secret_basic", "dpop_bound_access_tokens": true})
	key, thief := prooftest.New(t), prooftest.New(t)
	access = d.access(home, byKey, d.issuer, &http.Client{Transport: proving{key, t, d.client().Transport}})
	profile := d.cabinet + "/api/v1/profile"
	proof := key.Prove(t, http.MethodGet, profile, access, time.Now())
	for _, read := range []struct {
		story, scheme, proof string
		want                 int
	}{
		{"with a proof", "DPoP ", proof, http.StatusOK},
		{"with the same proof again", "DPoP ", proof, http.StatusUnauthorized},
		{"with a proof of another key", "DPoP ", thief.Prove(t, http.MethodGet, profile, access, time.Now()), http.StatusUnauthorized},
		{"without a proof", "DPoP ", "", http.StatusUnauthorized},
		{"as if it were not bound", "Bearer ", "", http.StatusUnauthorized},
	} {
		d.read(read.story, d.client(), d.cabinet, read.scheme+access, read.proof, read.want)
	}
}

// A secureDemo is the built demo under TLS.
type secureDemo struct {
	t                                                            *testing.T
	ca                                                           *authority
	pin                                                          string // of the key by which the programs are known
	callback                                                     string
	came                                                         chan string // codes
	issuer, management, idpMTLS, cabinet, cabinetMTLS, workbench string
}

func newSecureDemo(t *testing.T) *secureDemo {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	free := func() string { return "https" + strings.TrimPrefix(freeAddress(t), "http") }
	d := &secureDemo{
		t: t, ca: newAuthority(t),
		issuer: free(), management: free(), idpMTLS: free(), cabinet: free(), cabinetMTLS: free(), workbench: freeAddress(t),
		came: make(chan string, 1),
	}
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if code := r.FormValue("code"); code != "" {
			d.came <- code
		}
	}))
	t.Cleanup(service.Close)
	d.callback = service.URL + "/cb"
	shown := d.ca.issue(t, "localhost")
	leaf, err := x509.ParseCertificate(shown.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(shown.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	pin := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	d.pin = base64.StdEncoding.EncodeToString(pin[:])
	ca, cert, key := write("ca.pem", "CERTIFICATE", d.ca.cert.Raw), write("cert.pem", "CERTIFICATE", leaf.Raw), write("key.pem", "PRIVATE KEY", private)
	eservice := freeAddress(t)
	cmd := exec.Command(filepath.Join(binaries, "demo"), "--relaxed")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "SSL_CERT_FILE=" + ca, "IDP_MTLS_CA_FILE=" + ca}
	for name, value := range map[string]string{
		"IDP_ISSUER": d.issuer, "IDP_MANAGEMENT_URL": d.management, "IDP_MTLS_URL": d.idpMTLS, "CABINET_URL": d.cabinet,
		"CABINET_MTLS_URL": d.cabinetMTLS, "ESERVICE_URL": eservice, "DEMO_URL": d.workbench,
	} {
		_, address, _ := strings.Cut(value, "://")
		listens := strings.TrimSuffix(strings.TrimSuffix(name, "_URL"), "_ISSUER") + "_LISTEN"
		cmd.Env = append(cmd.Env, name+"="+value, listens+"="+address)
	}
	for _, program := range []string{"IDP", "CABINET"} {
		cmd.Env = append(cmd.Env, program+"_TLS_CERT_FILE="+cert, program+"_TLS_KEY_FILE="+key)
	}
	p := &program{t, cmd, new(bytes.Buffer)}
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); p.cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		<-ended
		if t.Failed() {
			t.Logf("the demo said:\n%s", p.log)
		}
	})
	patiently(t, 3*time.Minute, "the demo is ready", func() error {
		select {
		case <-ended:
			t.Fatal("the demo ended")
		default:
		}
		return answers(d.workbench + "/readyz")
	})
	return d
}

// client is an HTTP client that knows the authority, and shows a certificate where it has one.
func (d *secureDemo) client(shown ...tls.Certificate) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(d.ca.cert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: shown}}
	d.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// ask asks the workbench.
func (d *secureDemo) ask(path string, answer any) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.workbench+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	if status := exchange(d.t, r, answer); status != http.StatusOK {
		d.t.Fatalf("%s: %d", path, status)
	}
}

type demoCitizen struct{ Identifier, State, Phone, Password string }

// citizen is one who has formed a static password.
func (d *secureDemo) citizen() demoCitizen {
	d.t.Helper()
	var all []demoCitizen
	d.ask("/api/citizens", &all)
	for _, c := range all {
		if c.State == "active" {
			return c
		}
	}
	d.t.Fatal("nobody can sign in")
	return demoCitizen{}
}

// code waits for the one-time code on a phone.
func (d *secureDemo) code(phone string) (found string) {
	d.t.Helper()
	eventually(d.t, "a code", func() error {
		var messages []struct{ Kind, Text string }
		d.ask("/api/sms?phone="+url.QueryEscape(phone), &messages)
		if len(messages) == 0 || messages[0].Kind != "code" {
			return fmt.Errorf("%v", messages)
		}
		found = code(d.t, messages[0].Text)
		return nil
	})
	return found
}

// register registers an e-service at the management API, as the operator.
func (d *secureDemo) register(members map[string]any) (registered credentials) {
	d.t.Helper()
	metadata := map[string]any{
		"client_name": "Tax office", "redirect_uris": []string{d.callback}, "scope": "openid cabinet.profile.read",
		"resources": []string{d.cabinet}, "first_party": true,
	}
	for name, value := range members {
		metadata[name] = value
	}
	var clients []struct {
		credentials
		Scope string
	}
	d.ask("/api/clients", &clients)
	ctx := context.WithValue(d.t.Context(), oauth2.HTTPClient, d.client())
	for _, c := range clients {
		if !strings.Contains(c.Scope, "clients:manage") {
			continue
		}
		operator := clientcredentials.Config{ClientID: c.ID, ClientSecret: c.Secret, TokenURL: d.issuer + "/token", Scopes: []string{"clients:manage"}}
		raw, err := json.Marshal(metadata)
		if err != nil {
			d.t.Fatal(err)
		}
		answer, err := operator.Client(ctx).Post(d.management+"/clients", "application/json", bytes.NewReader(raw))
		if err != nil {
			d.t.Fatal(err)
		}
		defer answer.Body.Close()
		if err := json.NewDecoder(answer.Body).Decode(&registered); err != nil || answer.StatusCode != http.StatusCreated {
			d.t.Fatalf("register: %s, %v", answer.Status, err)
		}
		return registered
	}
	d.t.Fatal("there is no operator")
	return registered
}

// access has the citizen, who is signed in, come by an e-service, which redeems the code at an address and gives the access token.
func (d *secureDemo) access(home *browser, c credentials, at string, client *http.Client) string {
	d.t.Helper()
	config := oauth2.Config{
		ClientID: c.ID, ClientSecret: c.Secret, RedirectURL: d.callback, Scopes: []string{"openid", "cabinet.profile.read"},
		Endpoint: oauth2.Endpoint{AuthURL: d.issuer + "/authorize", TokenURL: at + "/token", AuthStyle: oauth2.AuthStyleInHeader},
	}
	if c.Secret == "" {
		config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	verifier := oauth2.GenerateVerifier()
	home.open(config.AuthCodeURL(rand.Text(), oauth2.S256ChallengeOption(verifier)))
	var code string
	select {
	case code = <-d.came:
	case <-time.After(10 * time.Second):
		d.t.Fatalf("nobody came by:\n%s", home.page())
	}
	token, err := config.Exchange(context.WithValue(d.t.Context(), oauth2.HTTPClient, client), code, oauth2.VerifierOption(verifier))
	if err != nil {
		d.t.Fatal(err)
	}
	return token.AccessToken
}

// read reads the profile.
func (d *secureDemo) read(story string, client *http.Client, at, authorization, proof string, want int) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, at+"/api/v1/profile", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Authorization", authorization)
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	answer, err := client.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != want {
		d.t.Errorf("%s: got %s, want %d", story, answer.Status, want)
	}
}

// An authority issues certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{key, cert}
}

// issue makes a key and a certificate of it, for one end of a connection or the other.
func (a *authority) issue(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

// proving sends a proof with each request.
type proving struct {
	prooftest.Prover
	t    *testing.T
	next http.RoundTripper
}

func (p proving) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("DPoP", p.Prove(p.t, r.Method, r.URL.String(), "", time.Now()))
	return p.next.RoundTrip(r)
}
