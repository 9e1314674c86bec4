package login_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"asoba.example/login"
	"asoba.example/login/clerk"
	"asoba.example/login/identity/identitytest"
	"asoba.example/login/policy"
	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/fetch"
	"asoba.example/provider/manage"
)

// Two of the operator's staff settle a value; nobody else does, and what is wrong is told by its code.
func TestTheOperatorsStaffSettlesPolicies(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	now := identitytest.Noon.Add(2 * time.Hour)
	policies, err := policy.New(t.Context(), w.Pool, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	clerks := &clerk.Clerks{Pool: w.Pool}
	staff := func(n int, role clerk.Role) string {
		person, id := w.Person(t)
		if err := w.Registry.Issue(t.Context(), w.Assignment(t, person, n), identitytest.Act(0)); err != nil {
			t.Fatal(err)
		}
		if err := w.Registry.Activate(t.Context(), person, identitytest.Static, identitytest.Act(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if err := clerks.Add(t.Context(), clerk.Clerk{Person: person, Office: "Centre", Role: role}, uuid.Nil, identitytest.Noon); err != nil {
			t.Fatal(err)
		}
		return id.Reveal()
	}
	anna, boris, atDesk := staff(1, clerk.Operator), staff(2, clerk.Operator), staff(3, clerk.AtDesk)
	clock := func() time.Time { return now }
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	registry, err := clients.New(t.Context(), clients.Config{
		Pool: w.Pool, Back: w.Pool, Key: make([]byte, 32), Caller: fetch.New(fetch.Config{}), Sectors: fetch.New(fetch.Config{}), Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := registry.Register(t.Context(), "centre", clients.Metadata{Scope: "policy:manage", GrantTypes: []string{"client_credentials"}}, clients.By{At: now}); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	login.Rulings{Policies: policies, Gate: clerk.Gate{Clerks: clerks, Now: clock, Tokens: manage.Bearer{
		Verifier: api.Verifier{Keys: publicKey(key.PublicKey), Issuer: "https://idp.example", Audience: "https://management.example", Now: clock},
		Denials:  w.Denials, Clients: registry,
	}}}.Mount(mux)
	acr, signedIn := api.Substantial, now.Add(-time.Minute)
	call := func(by, method, path, body string) (int, string) {
		claims := map[string]any{
			"iss": "https://idp.example", "aud": "https://management.example", "sub": by, "client_id": "centre",
			"jti": uuid.NewString(), "iat": now.Unix(), "exp": now.Unix() + 300, "scope": "policy:manage",
		}
		if by != "centre" {
			claims["gid"], claims["auth_time"], claims["acr"] = uuid.NewString(), signedIn.Unix(), acr
		}
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType("at+jwt"))
		if err != nil {
			t.Fatal(err)
		}
		token, err := jwt.Signed(signer).Claims(claims).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		answer, r := httptest.NewRecorder(), httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		mux.ServeHTTP(answer, r)
		return answer.Code, answer.Body.String()
	}
	const ground = `,"ground":{"title":"Regulation","number":"17","date":"2026-11-01"}`
	const good = `{"name":"code.for","value":"4m","in_force_from":"2026-11-01T00:00:00Z"` + ground + `}`
	refused := func(by, method, path, body string, status int, code string) {
		t.Helper()
		if got, answer := call(by, method, path, body); got != status || !strings.Contains(answer, `"code":"`+code+`"`) {
			t.Errorf("%s %s %s: got %d %s, want %d %s", method, path, body, got, answer, status, code)
		}
	}
	refused(atDesk, "POST", "/policies/proposals", good, http.StatusForbidden, "wrong_role")
	refused("centre", "POST", "/policies/proposals", good, http.StatusForbidden, "not_a_clerk")
	refused(anna, "POST", "/policies/proposals", strings.Replace(good, "code.for", "code.form", 1), http.StatusNotFound, "unknown_policy")
	refused(anna, "POST", "/policies/proposals", strings.Replace(good, "4m", "4h", 1), http.StatusUnprocessableEntity, "invalid")
	refused(anna, "POST", "/policies/proposals", strings.Replace(good, "2026-11-01\"}", "soon\"}", 1), http.StatusUnprocessableEntity, "invalid")
	refused(anna, "POST", "/policies/proposals", strings.Replace(good, "17", "", 1), http.StatusUnprocessableEntity, "invalid")
	acr = api.Low
	refused(anna, "POST", "/policies/proposals", good, http.StatusUnauthorized, "insufficient_user_authentication")
	acr, signedIn = api.Substantial, now.Add(-21*time.Minute)
	refused(anna, "POST", "/policies/proposals", good, http.StatusUnauthorized, "insufficient_user_authentication")
	signedIn = now.Add(-time.Minute)
	refused(anna, "POST", "/policies/proposals/none/approve", ``, http.StatusNotFound, "unknown_policy")

	status, answer := call(anna, "POST", "/policies/proposals", good)
	if status != http.StatusCreated || !strings.Contains(answer, `"state":"open"`) {
		t.Fatalf("%d %s", status, answer)
	}
	history, err := policies.History(t.Context())
	if err != nil || len(history) != 1 {
		t.Fatalf("%v, %v", history, err)
	}
	at := "/policies/proposals/" + history[0].ID.String()
	refused(anna, "POST", at+"/approve", ``, http.StatusForbidden, "own_proposal")
	refused(atDesk, "POST", at+"/approve", ``, http.StatusForbidden, "wrong_role")
	refused(boris, "POST", "/policies/proposals/"+uuid.NewString()+"/approve", ``, http.StatusNotFound, "unknown_policy")
	if status, answer := call(boris, "POST", at+"/approve", ``); status != http.StatusOK || !strings.Contains(answer, `"state":"approved"`) {
		t.Errorf("%d %s", status, answer)
	}
	refused(boris, "POST", at+"/refuse", ``, http.StatusConflict, "decided")
	if got := policy.CodeFor.In(policies); got != 4*time.Minute {
		t.Errorf("codes are good for %s", got)
	}
	if status, answer := call("centre", "GET", "/policies", ``); status != http.StatusOK || !strings.Contains(answer, `{"name":"code.for","default":"5m0s","in_force":"4m"}`) {
		t.Errorf("%d %s", status, answer)
	}
}

// Everybody reads what is in force, in words of their language: since when, on what ground, and that two have settled it.
func TestTheRulesInForceAreReadByEverybody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settled(map[string]string{policy.CodeFor.Name(): "4m"})
	for language, texts := range map[string][]string{
		"ru": {"<h2 class=\"govuk-heading-m\">Попытки входа</h2>", "не более 10 за 15 минут", "не более 300 за 1 час", "4 минуты", "утвердил другой, "}, "be": {"не больш за 10 за 15 хвілін", "не больш за 120 за 1 гадзіну", "4 хвіліны", "зацвердзіў іншы, "},
		"en": {"no more than 10 in 15 minutes", "4 minutes", "approved by another on "},
	} {
		v := w.visitor()
		v.open("/rules?language=" + language)
		v.want("/rules", http.StatusOK)
		for _, text := range texts {
			v.sees(text)
		}
	}
}
