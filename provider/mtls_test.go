package provider_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net/http"
	"net/url"
	"testing"
	"time"

	"asoba.example/provider/tokens"
)

// An authority issues certificates.
type authority struct {
	w    *world
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func (w *world) authority() authority {
	a := authority{w: w, key: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: w.now().Add(-time.Hour), NotAfter: w.now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert = must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key))))
	return a
}

// issue makes a certificate of a client; by itself where the authority is the zero one.
func (a authority) issue(w *world, key *ecdsa.PrivateKey, change func(*x509.Certificate)) *tls.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Tax office", Organization: []string{"Ministry, of taxes"}, Country: []string{"BY"}},
		NotBefore: w.now().Add(-time.Hour), NotAfter: w.now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(template)
	}
	parent, signer := template, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	raw := must(x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer))
	return &tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

// dn is the subject of those certificates, as RFC 4514 writes it.
const dn = `CN=Tax office, O=Ministry\, of taxes,C=BY`

// reached gives the answer of the listener that asks for certificates to a client that shows one, or none.
func (w *world) reached(r *http.Request, cert *tls.Certificate) answer {
	w.t.Helper()
	config := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}
	if cert != nil {
		config.Certificates = []tls.Certificate{*cert}
	}
	transport := &http.Transport{TLSClientConfig: config}
	defer transport.CloseIdleConnections()
	r.URL.Scheme, r.URL.Host = "https", w.mtls.Listener.Addr().String()
	return w.doBy(&http.Client{Transport: transport}, r)
}

func (w *world) own(client string) *http.Request {
	return w.request("/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {client}})
}

// A certificate tells which client it is: the one whom the authority's certificate names, or the one that registered this very one
// (RFC 8705 §2.1, §2.2). All else is invalid_client.
func TestClientsAuthenticateByCertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	right := w.ca.issue(w, key, nil)
	itself := authority{}.issue(w, w.key, nil)
	stranger := w.authority()
	for name, row := range map[string]struct {
		client string
		cert   *tls.Certificate
		status int
	}{
		"issued to the subject":     {"named", right, 200},
		"issued to the address":     {"addressed", w.ca.issue(w, key, func(c *x509.Certificate) { c.DNSNames = []string{"TAX.example"} }), 200},
		"registered by itself":      {"own-certificate", itself, 200},
		"none":                      {"named", nil, 401},
		"none of its own":           {"own-certificate", nil, 401},
		"of another subject":        {"named", w.ca.issue(w, key, func(c *x509.Certificate) { c.Subject.CommonName = "Tax" }), 401},
		"of more than the subject":  {"named", w.ca.issue(w, key, func(c *x509.Certificate) { c.Subject.OrganizationalUnit = []string{"x"} }), 401},
		"of another address":        {"addressed", right, 401},
		"of a strange authority":    {"named", stranger.issue(w, key, nil), 401},
		"of no authority":           {"named", authority{}.issue(w, key, nil), 401},
		"not for clients":           {"named", w.ca.issue(w, key, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), 401},
		"expired":                   {"named", w.ca.issue(w, key, func(c *x509.Certificate) { c.NotAfter = w.now().Add(-time.Minute) }), 401},
		"another's own":             {"own-certificate", authority{}.issue(w, key, nil), 401},
		"of its own, and expired":   {"own-certificate", authority{}.issue(w, w.key, func(c *x509.Certificate) { c.NotAfter = w.now().Add(-time.Minute) }), 401},
		"of a client with a secret": {"cabinet", right, 401},
	} {
		if got := w.reached(w.own(row.client), row.cert); got.status != row.status || row.status == 401 && got.text("error") != "invalid_client" {
			t.Errorf("%s: got %d %v, want %d", name, got.status, got.body, row.status)
		}
	}
	w.do(w.own("named")).check(t, http.StatusUnauthorized, "invalid_client") // at the other listener nobody shows any
}

// A token is bound to the certificate of the connection that it was asked by, and worth nothing on any other (RFC 8705 §3).
func TestCertificatesBindAccessTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	itself := authority{}.issue(w, w.key, nil)
	x5t := base64.RawURLEncoding.EncodeToString(tokens.Digest(string(itself.Certificate[0])))
	code := w.browser().code("own-certificate", "scope", "openid cabinet.profile.read offline_access")
	redeem := func(cert *tls.Certificate) answer {
		v := url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}, "client_id": {"own-certificate"},
		}
		return w.reached(w.request("/token", v), cert)
	}
	redeem(nil).check(t, http.StatusUnauthorized, "invalid_client")
	given := redeem(itself)
	renewed := w.reached(w.request("/token", url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {given.text("refresh_token")}, "client_id": {"own-certificate"},
	}), itself)
	for _, got := range []answer{given, renewed} {
		got.check(t, http.StatusOK, "")
		_, claims := w.claims(got.text("access_token"))
		if cnf, _ := claims["cnf"].(map[string]any); len(cnf) != 1 || cnf["x5t#S256"] != x5t || got.text("token_type") != "Bearer" {
			t.Errorf("got a %s token with cnf %v", got.text("token_type"), claims["cnf"])
		}
	}
	access := given.text("access_token")
	w.reached(w.me("Bearer", access), itself).check(t, http.StatusOK, "")
	w.reached(w.me("Bearer", access), nil).check(t, http.StatusUnauthorized, "invalid_token")
	w.reached(w.me("Bearer", access), authority{}.issue(w, w.key, nil)).check(t, http.StatusUnauthorized, "invalid_token") // of the same key
	w.userinfo(access).check(t, http.StatusUnauthorized, "invalid_token")
	told := w.introspect("cabinet", access)
	if cnf, _ := told.body["cnf"].(map[string]any); cnf["x5t#S256"] != x5t {
		t.Errorf("introspection: got %v", told.body)
	}
}
