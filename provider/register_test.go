package provider_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"asoba.example/provider/clients"
)

// initial makes an initial access token for so many clients of these scopes, good for an hour.
func (w *world) initial(scope string, uses int) string {
	w.t.Helper()
	limits := clients.Initial{Scope: scope, Uses: uses, Till: w.now().Add(time.Hour)}
	return must(w.registry.IssueInitial(w.t.Context(), limits, clients.By{At: w.now()}, nil))
}

// json sends JSON with a token of registration; "" sends none.
func (w *world) json(method, address, token, body string) answer {
	w.t.Helper()
	return w.do(w.jsonOf(method, address, token, body))
}

func (w *world) jsonOf(method, address, token, body string) *http.Request {
	r := must(http.NewRequestWithContext(w.t.Context(), method, address, strings.NewReader(body)))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

const asked = `{"redirect_uris":["https://portal.example/cb"],"client_name":"Portal","scope":"openid phone","token_endpoint_auth_method":"client_secret_post","unknown":7}`

// Whoever has an initial access token registers a client, which then signs people in, asks them for consent, and manages
// itself (RFC 7591 §3, RFC 7592 §2).
func TestAClientRegistersAndManagesItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.json(http.MethodPost, w.issuer+"/register", w.initial("openid phone", 1), asked)
	id, token, uri := made.text("client_id"), made.text("registration_access_token"), made.text("registration_client_uri")
	if made.status != http.StatusCreated || id == "" || token == "" || uri != w.issuer+"/register/"+id || made.text("client_secret") == "" ||
		made.body["client_secret_expires_at"] != 0.0 || made.body["basis"] != "consent" || made.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("got %d %v", made.status, made.body)
	}
	if _, kept := made.body["unknown"]; kept {
		t.Error("an unknown member is said to be kept") // RFC 7591 §2
	}
	client := must(w.registry.Find(t.Context(), id))
	if client.Metadata.FirstParty || !client.HasSecret(made.text("client_secret"), w.now()) {
		t.Errorf("got %+v", client.Metadata)
	}
	if answer := w.browser().authorize(params(id)); !answer.Has("code") {
		t.Errorf("signed nobody in: %v", answer)
	}

	read := w.json(http.MethodGet, uri, token, "")
	if read.status != http.StatusOK || read.body["client_secret"] != nil || read.text("registration_access_token") != token || read.text("client_name") != "Portal" {
		t.Errorf("read: got %d %v", read.status, read.body)
	}
	changed := w.json(http.MethodPut, uri, token, `{"client_id":"`+id+`","client_secret":"`+made.text("client_secret")+`","redirect_uris":["https://new.example/cb"]}`)
	if changed.status != http.StatusOK || changed.body["client_name"] != nil || changed.text("scope") != "openid" {
		t.Errorf("changed: got %d %v", changed.status, changed.body)
	}
	if client := must(w.registry.Find(t.Context(), id)); !client.RedirectsTo("https://new.example/cb") || !client.HasSecret(made.text("client_secret"), w.now()) {
		t.Error("the change did not happen, or took the secret")
	}
	const one = `"redirect_uris":["https://new.example/cb"]`
	for what, body := range map[string]string{
		"without client_id":        `{` + one + `}`,
		"as another":               `{"client_id":"portal",` + one + `}`,
		"with a secret of its own": `{"client_id":"` + id + `","client_secret":"mine",` + one + `}`,
		"with its token":           `{"client_id":"` + id + `","registration_access_token":"` + token + `",` + one + `}`,
		"with an address":          `{"client_id":"` + id + `","registration_client_uri":"` + uri + `",` + one + `}`,
		"with a term":              `{"client_id":"` + id + `","client_secret_expires_at":0,` + one + `}`,
		"with a date":              `{"client_id":"` + id + `","client_id_issued_at":0,` + one + `}`,
		"with another scope":       `{"client_id":"` + id + `","scope":"openid profile",` + one + `}`,
		"with an official basis":   `{"client_id":"` + id + `","basis":"official",` + one + `}`,
		"as no object":             `[]`,
		"as no JSON":               `{`,
	} {
		if got := w.json(http.MethodPut, uri, token, body); got.status != http.StatusBadRequest || got.text("error") != "invalid_client_metadata" {
			t.Errorf("changed %s: got %d %v", what, got.status, got.body)
		}
	}
	// A token manages its own client only, and no client that is not in use; which it was is not told (RFC 7592 §2.1).
	other := w.json(http.MethodPost, w.issuer+"/register", w.initial("openid", 1), `{"redirect_uris":["https://portal.example/cb"]}`)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		w.json(method, uri, other.text("registration_access_token"), asked).check(t, http.StatusUnauthorized, "invalid_token")
		w.json(method, uri, "", asked).check(t, http.StatusUnauthorized, "invalid_token")
		w.json(method, w.issuer+"/register/portal", token, asked).check(t, http.StatusUnauthorized, "invalid_token")
		w.json(method, w.issuer+"/register/nobody", token, asked).check(t, http.StatusUnauthorized, "invalid_token")
	}
	if got := w.json(http.MethodDelete, uri, token, ""); got.status != http.StatusNoContent {
		t.Errorf("deleted: got %d %v", got.status, got.body)
	}
	w.json(http.MethodGet, uri, token, "").check(t, http.StatusUnauthorized, "invalid_token")
}

// A client may tie its own hands, and not untie them: neither what an operator has imposed, nor how people agreed to be known.
func TestAClientLoosensNothingForItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const one = `"redirect_uris":["https://portal.example/cb"]`
	made := w.json(http.MethodPost, w.issuer+"/register", w.initial("openid phone", 1), `{`+one+`,"scope":"openid phone"}`)
	id, token, uri := made.text("client_id"), made.text("registration_access_token"), made.text("registration_client_uri")
	_, _, err := w.registry.Replace(t.Context(), id, clients.Any, clients.Metadata{
		RedirectURIs: []string{"https://portal.example/cb"}, Scope: "openid", SubjectType: "pairwise",
		RequirePushedAuthorizationRequests: true, DPoPBoundAccessTokens: true,
	}, clients.By{At: w.now()})
	if err != nil {
		t.Fatal(err)
	}
	const held = `"client_id":"%s","subject_type":"pairwise","require_pushed_authorization_requests":true,"dpop_bound_access_tokens":true`
	for what, body := range map[string]string{
		"as public":            strings.Replace(held, `"pairwise"`, `"public"`, 1) + `,` + one,
		"of another sector":    held + `,"redirect_uris":["https://victim.example/cb"]`,
		"without pushing":      strings.Replace(held, `requests":true`, `requests":false`, 1) + `,` + one,
		"without proofs":       strings.Replace(held, `tokens":true`, `tokens":false`, 1) + `,` + one,
		"with its first scope": held + `,"scope":"openid phone",` + one,
		"with the device grant, which sends nothing to an address of its sector": held +
			`,"grant_types":["authorization_code","urn:ietf:params:oauth:grant-type:device_code"],` + one,
	} {
		if got := w.json(http.MethodPut, uri, token, `{`+fmt.Sprintf(body, id)+`}`); got.status != http.StatusBadRequest || got.text("error") != "invalid_client_metadata" {
			t.Errorf("%s: got %d %v", what, got.status, got.body)
		}
	}
	same := fmt.Sprintf(held, id) + `,"id_token_signed_response_alg":"ES256",` + one
	if got := w.json(http.MethodPut, uri, token, `{`+same+`}`); got.status != http.StatusOK {
		t.Errorf("held as before: got %d %v", got.status, got.body)
	}
}

// A client claims nothing for itself that is the operator's to give (RFC 7591 §5), and its mistakes are named as RFC 7591 §3.2.2 has it.
func TestAClientClaimsNothingForItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	initial := w.initial("openid phone", 1)
	for member, code := range map[string]string{
		`"first_party":true`:                      "invalid_client_metadata",
		`"basis":"official"`:                      "invalid_client_metadata",
		`"legal_basis":"The law"`:                 "invalid_client_metadata",
		`"legal_basis#be":"The law"`:              "invalid_client_metadata",
		`"require_pkce":false`:                    "invalid_client_metadata",
		`"resources":["` + cabinet + `"]`:         "invalid_client_metadata",
		`"resource_server":"` + cabinet + `"`:     "invalid_client_metadata",
		`"scope":"openid profile"`:                "invalid_client_metadata",
		`"scope":"clients:manage"`:                "invalid_client_metadata",
		`"client_id":"mine"`:                      "invalid_client_metadata",
		`"client_id":7`:                           "invalid_client_metadata",
		`"scope":"openid","scope":"openid"`:       "invalid_client_metadata",
		`"software_statement":"e30.e30."`:         "invalid_client_metadata",
		`"redirect_uris":["http://evil.example"]`: "invalid_redirect_uri",
		`"redirect_uris":["https://a.example#f"]`: "invalid_redirect_uri",
		`"redirect_uris":[]`:                      "invalid_redirect_uri",
	} {
		body := `{` + member + `}`
		if code == "invalid_client_metadata" {
			body = `{"redirect_uris":["https://portal.example/cb"],` + member + `}`
		}
		got := w.json(http.MethodPost, w.issuer+"/register", initial, body)
		got.check(t, http.StatusBadRequest, code)
		if got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: sent as %s", member, got.header.Get("Content-Type"))
		}
	}
	if got := w.json(http.MethodPost, w.issuer+"/register", initial, asked); got.status != http.StatusCreated {
		t.Errorf("the token was spent on mistakes: got %d %v", got.status, got.body)
	}
}

// A token of registration opens its own door and no other: neither does an initial one read or change a client, nor one of a client register
// others, and to the rest of the provider both are nobody's (RFC 7591 §3; RFC 7592 §1.1).
func TestATokenOfRegistrationOpensOneDoor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	initial := w.initial("openid phone", 2)
	made := w.json(http.MethodPost, w.issuer+"/register", initial, asked)
	uri, own := made.text("registration_client_uri"), made.text("registration_access_token")
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		w.json(method, uri, initial, asked).check(t, http.StatusUnauthorized, "invalid_token")
	}
	w.json(http.MethodPost, w.issuer+"/register", own, asked).check(t, http.StatusUnauthorized, "invalid_token")
	for name, token := range map[string]string{"initial": initial, "its own": own} {
		w.userinfo(token).check(t, http.StatusUnauthorized, "invalid_token")
		if got := w.introspect("cabinet", token); got.body["active"] != false || len(got.body) != 1 {
			t.Errorf("introspection of the %s token: got %v", name, got.body)
		}
		r := w.request("/token", url.Values{"grant_type": {"client_credentials"}})
		r.SetBasicAuth(made.text("client_id"), token)
		w.do(r).check(t, http.StatusUnauthorized, "invalid_client")
		w.do(w.request("/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {"app"}})).
			check(t, http.StatusBadRequest, "invalid_grant")
		w.call("/revoke", "portal", url.Values{"token": {token}}).check(t, http.StatusOK, "")
	}
	if got := w.json(http.MethodGet, uri, own, ""); got.status != http.StatusOK {
		t.Errorf("its own door: got %d %v", got.status, got.body)
	}
	if got := w.json(http.MethodPost, w.issuer+"/register", initial, asked); got.status != http.StatusCreated {
		t.Errorf("the initial token was spent: got %d %v", got.status, got.body)
	}
}

// What an operator has given a client beyond its limits it keeps when it changes itself.
func TestAClientKeepsWhatItWasGiven(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.json(http.MethodPost, w.issuer+"/register", w.initial("openid", 1), `{"redirect_uris":["https://portal.example/cb"]}`)
	m := must(w.registry.Find(t.Context(), made.text("client_id"))).Metadata
	m.Basis, m.Scope, m.LegalBasis = clients.BasisOfficial, "openid profile", clients.Texts{"": "The law"}
	if _, _, err := w.registry.Replace(t.Context(), made.text("client_id"), clients.Any, m, clients.By{At: w.now()}); err != nil {
		t.Fatal(err)
	}
	read := w.json(http.MethodGet, made.text("registration_client_uri"), made.text("registration_access_token"), "")
	for _, name := range []string{"registration_access_token", "registration_client_uri", "client_id_issued_at"} {
		delete(read.body, name)
	}
	read.body["client_name"] = "Portal"
	body := string(must(json.Marshal(read.body)))
	changed := w.json(http.MethodPut, made.text("registration_client_uri"), made.text("registration_access_token"), body)
	if changed.status != http.StatusOK || changed.text("basis") != "official" || changed.text("scope") != "openid profile" || changed.text("client_name") != "Portal" {
		t.Errorf("got %d %v", changed.status, changed.body)
	}
}

// An initial access token is good for so many clients and so long, however many come at once; of it only a digest is kept.
func TestAnInitialAccessTokenIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	initial := w.initial("openid phone", 3)
	var (
		registering sync.WaitGroup
		registered  atomic.Int32
	)
	for range 8 {
		registering.Go(func() {
			switch got := w.json(http.MethodPost, w.issuer+"/register", initial, asked); got.status {
			case http.StatusCreated:
				registered.Add(1)
			case http.StatusUnauthorized:
			default:
				t.Errorf("got %d %v", got.status, got.body)
			}
		})
	}
	registering.Wait()
	var rows int
	const count = `SELECT count(*) FROM client WHERE registration_hash IS NOT NULL`
	if err := w.pool.QueryRow(t.Context(), count).Scan(&rows); err != nil || registered.Load() != 3 || rows != 3 {
		t.Errorf("%d registered, %d rows, %v", registered.Load(), rows, err)
	}
	late := w.initial("openid phone", 1)
	w.pass(time.Hour)
	w.json(http.MethodPost, w.issuer+"/register", late, asked).check(t, http.StatusUnauthorized, "invalid_token")
	w.json(http.MethodPost, w.issuer+"/register", "idp_initial_forged", asked).check(t, http.StatusUnauthorized, "invalid_token")
	w.json(http.MethodPost, w.issuer+"/register", "", asked).check(t, http.StatusUnauthorized, "invalid_token")
	var readable int
	const find = `SELECT count(*) FROM initial_access_token WHERE position(convert_to($1, 'UTF8') IN token_hash) > 0`
	if err := w.pool.QueryRow(t.Context(), find, initial).Scan(&readable); err != nil || readable != 0 {
		t.Errorf("the token can be read in %d rows, %v", readable, err)
	}
}
