package clients_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/prometheus/client_golang/prometheus"

	"asoba.example/provider/clients"
)

// certified is a key whose certificate ends then.
func certified(t *testing.T, kid string, till time.Time) jose.JSONWebKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: kid}, NotBefore: noon.Add(-time.Hour), NotAfter: till}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key.Public(), KeyID: kid, Algorithm: "ES256", Certificates: []*x509.Certificate{cert}}
}

// Whoever reads a client is told what of it ends within thirty days, and the operator is told each day.
func TestWhatEndsSoonIsToldInTime(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	n, pool := newRegistry(t)
	m := metadata(t, portal)
	m.JWKS = &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		certified(t, "over", noon.Add(-time.Minute)), certified(t, "soon", noon.Add(30*day-time.Minute)), certified(t, "later", noon.Add(30*day+time.Minute)),
	}}
	c, _, err := n.Register(t.Context(), "portal", m, by)
	if err != nil {
		t.Fatal(err)
	}
	if c, _, err = n.Rotate(t.Context(), c.ID, clients.Any, day, by); err != nil {
		t.Fatal(err)
	}
	for _, till := range []time.Duration{day, 40 * day} {
		if _, err := n.IssueInitial(t.Context(), clients.Initial{Scope: "openid", Uses: 1, Till: noon.Add(till)}, by, nil); err != nil {
			t.Fatal(err)
		}
	}
	told := func(now time.Time) (all string) {
		for _, w := range c.Warnings(now) {
			all += w.What + " " + w.KeyID + ", "
		}
		return all
	}
	if got, want := told(noon), "previous_client_secret , certificate over, certificate soon, "; got != want {
		t.Errorf("at noon: got %s", got)
	}
	if got, want := told(noon.Add(day)), "certificate over, certificate soon, certificate later, "; got != want {
		t.Errorf("a day later: got %s", got)
	}
	published := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
			certified(t, "published, soon", noon.Add(day)), certified(t, "published, later", noon.Add(31*day)),
		}})
	}))
	t.Cleanup(published.Close)
	for id, uri := range map[string]string{"publishing": published.URL, "silent": "http://localhost:1/"} {
		m := metadata(t, portal)
		m.JWKSURI = uri
		if _, _, err := n.Register(t.Context(), id, m, by); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	metrics := prometheus.NewRegistry()
	expiry, err := clients.NewExpiry(newNode(t, pool).Registry, slog.New(slog.NewTextHandler(&log, nil)), metrics)
	if err != nil {
		t.Fatal(err)
	}
	if err := expiry.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]float64{}
	for _, metric := range families[0].GetMetric() {
		counts[metric.GetLabel()[0].GetValue()] = metric.GetGauge().GetValue()
	}
	if counts["certificate"] != 3 || counts["previous_client_secret"] != 1 || counts["initial_access_token"] != 1 {
		t.Errorf("counted %v", counts)
	}
	if got := strings.Count(log.String(), "client=portal"); got != 3 {
		t.Errorf("logged %d times:\n%s", got, &log)
	}
	for _, line := range []string{`"ends soon" client=publishing`, `"keys cannot be read" client=silent`} {
		if strings.Count(log.String(), line) != 1 {
			t.Errorf("not logged once: %s\n%s", line, &log)
		}
	}
}
