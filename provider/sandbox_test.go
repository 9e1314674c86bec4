package provider_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/uuid"

	"asoba.example/provider/clients"
)

// draft registers a body's draft under a name that tests know.
func (w *world) draft(id string, m clients.Metadata) {
	w.t.Helper()
	owner := uuid.Must(uuid.NewV7())
	w.exec(`INSERT INTO body (id, names, added_at) VALUES ($1, '{"": "Office"}', now())`, owner)
	w.add(id, m)
	w.exec(`UPDATE client SET stage = 'draft', owner_id = $2, owned_at = $3, version = version + 1, changed_at = $3 WHERE client_id = $1`, id, owner, w.now())
	if err := w.registry.Refresh(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// specimen gives a made-up person, active like anybody.
func (w *world) specimen() uuid.UUID {
	w.t.Helper()
	person := uuid.Must(uuid.NewV7())
	w.exec(`INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in) VALUES ($1, '0000000A000PB2', 'F', '1956', 'BY', 1)`, person)
	w.exec(`INSERT INTO identity (person_id, state, phone, phone_index, issued_at, changed_at) VALUES ($1, 'active', '\x00', '\x01', now(), now())`, person)
	return person
}

// Only made-up people sign in at a draft, and nobody made up at a live client: the client hears access_denied (RFC 6749 §4.1.2.1), whether
// it asks by a browser or by a device (RFC 8628 §3.5), and even a code from before it went live gives nothing.
func TestTheSandboxIsApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	both := []string{"authorization_code", "refresh_token", deviceCode}
	w.draft("draft", clients.Metadata{RedirectURIs: []string{callback}, GrantTypes: both, Scope: "openid phone offline_access"})
	citizen, specimen := w.person, w.specimen()

	for name, test := range map[string]struct {
		person uuid.UUID
		client string
		error  string
	}{
		"a citizen at a draft":        {citizen, "draft", "access_denied"},
		"a specimen at a draft":       {specimen, "draft", ""},
		"a citizen at a live client":  {citizen, "portal", ""},
		"a specimen at a live client": {specimen, "portal", "access_denied"},
	} {
		w.person = test.person
		answer := w.browser().authorize(params(test.client))
		if answer.Get("error") != test.error || answer.Has("code") != (test.error == "") || test.error != "" && answer.Get("error_description") == "" {
			t.Errorf("%s: got %v", name, answer)
		}
	}

	w.person = specimen
	tokens := w.redeem("draft", w.browser().code("draft", "scope", "openid offline_access", "prompt", "consent"))
	tokens.check(t, http.StatusOK, "")
	w.refresh("draft", tokens.text("refresh_token")).check(t, http.StatusOK, "")

	w.person = citizen
	asked := w.askDevice("draft", "openid")
	b := w.browser()
	to, _, _ := b.post("/device", url.Values{"user_code": {asked.text("user_code")}})
	if at := b.until(to); at != "/device?refused" {
		t.Errorf("a citizen with a draft's device is at %s", at)
	}
	w.poll("draft", asked).check(t, http.StatusBadRequest, "access_denied")

	w.person = specimen
	code := w.browser().code("draft")
	w.exec(`UPDATE client SET stage = 'live', version = version + 1, changed_at = $1 WHERE client_id = 'draft'`, w.now())
	w.redeem("draft", code).check(t, http.StatusBadRequest, "invalid_grant") // at a node that has not heard yet
}

// A draft gets nothing in its own name, nor by others' tokens: all that it has is what a specimen lets it have.
func TestADraftGetsNothingInItsOwnName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.draft("draft", clients.Metadata{
		GrantTypes: []string{"client_credentials", tokenExchange}, Scope: "cabinet.inbox", ResourceServer: cabinet,
		TokenExchange: []clients.Exchange{{Audience: w.issuer, Scope: "openid phone"}},
	})
	w.call("/token", "draft", url.Values{"grant_type": {"client_credentials"}}).check(t, http.StatusBadRequest, "unauthorized_client")
	token := w.redeem("portal", w.browser().code("portal", "scope", "openid phone cabinet.profile.read")).text("access_token")
	w.call("/token", "draft", url.Values{
		"grant_type": {tokenExchange}, "subject_token": {token}, "audience": {w.issuer},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
	}).check(t, http.StatusBadRequest, "unauthorized_client")
}
