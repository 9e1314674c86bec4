package manage_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"asoba.example/provider/clients"
)

// An operator's system sees the ring and lets it turn; what it asks that cannot be is told, and moves no key.
func TestKeysAreManaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	metadata := w.operator.Metadata
	metadata.Scope = "keys:manage"
	if _, _, err := w.registry.Register(t.Context(), "keeper", metadata, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
	token := w.token(t, map[string]any{"client_id": "keeper", "sub": "keeper", "scope": "keys:manage"})
	states := func() string {
		_, answer := w.call(t, token, "GET", "/keys", "")
		var states []string
		for _, k := range answer["keys"].([]any) {
			if k := k.(map[string]any); k["alg"] == "RS256" {
				states = append(states, k["state"].(string))
			}
		}
		slices.Sort(states)
		return strings.Join(states, " ")
	}
	for _, test := range []struct {
		method, path, body string
		status             int
		code               string
		states             string // of the RS256 keys afterwards
	}{
		{"GET", "/keys", ``, 200, "", "active"},
		{"POST", "/keys/rotations", `{"alg":"RS256"}`, 409, "too_soon", "active next"},
		{"POST", "/keys/rotations", `{"alg":"HS256","compromised":true}`, 400, "invalid_body", "active next"},
		{"POST", "/keys/rotations", `{"compromised":true}`, 400, "invalid_body", "active next"},
		{"POST", "/keys/rotations", `{"ALG":"RS256","compromised":true}`, 400, "invalid_body", "active next"},
		{"POST", "/keys/rotations", `{"alg":"RS256","compromised":"yes"}`, 400, "invalid_body", "active next"},
		{"POST", "/keys/rotations", `{"alg":"RS256","compromised":true}`, 200, "", "active gone next"},
		{"POST", "/keys/rotations", `{"alg":"RS256","compromised":true,"kid":"one before"}`, 409, "turned", "active gone next"},
	} {
		status, answer := w.call(t, token, test.method, test.path, test.body)
		code, _ := answer["code"].(string)
		if status != test.status || code != test.code {
			t.Errorf("%s %s %s: got %d %v", test.method, test.path, test.body, status, answer)
		}
		if got := states(); got != test.states {
			t.Errorf("%s %s %s: the keys are %s, want %s", test.method, test.path, test.body, got, test.states)
		}
	}
	var by string
	if err := w.pool.QueryRow(t.Context(), `SELECT detail->>'by' FROM event WHERE kind = 'key.activated'`).Scan(&by); err != nil || by != "keeper" {
		t.Errorf("recorded as of %q, %v", by, err)
	}
	without := w.token(t, nil)
	if status, _ := w.call(t, without, "GET", "/keys", ""); status != http.StatusForbidden {
		t.Errorf("the keys without the scope: got %d", status)
	}
	if status, _ := w.call(t, without, "POST", "/keys/rotations", `{"alg":"ES256","compromised":true}`); status != http.StatusForbidden {
		t.Errorf("a rotation without the scope: got %d", status)
	}
}
