package cmd_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/jackc/pgx/v5"
	"golang.org/x/oauth2"

	"asoba.example/cmd/internal/demo/walk"
)

// later is an edition of the next month in which the citizen has died, by mistake.
const later = `# country BY
# edition 2
# period 2025-12
# kind full
# rows 3
identification_number,sex,birth_date,citizenship,death_date,death_act,declared_dead_date,declared_dead_act,missing_date,missing_act,incapable_date,incapable_act,limited_date,limited_act
1010130K001PB9,M,1830-01-01,BY,,,,,,,,,,
2311299B500PB9,F,1899-12,BY,2025-12-03,act record 12,,,,,,,,
2290296M000BA3,F,1896-02-29,UA,,,,,,,,,,
`

// An edition tells of a death: the identifier is blocked, the sign-ins are over, the e-services are told, and the cabinet is deactivated. The
// same edition again is nothing. Then the register takes it back: the cabinet is there again with all that was in it, not activated, and
// nobody signs in until the desk has acted (order 82, p. 8 and 10). And a number becomes another one.
func TestTheRegisterEndsAndRestores(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	c.errand("idp", "migrate")
	c.errand("cabinet", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	c.registerCabinet()
	metadata := c.eserviceMetadata()
	metadata["first_party"] = true
	eservice := c.register(metadata)
	c.env = append(c.env, "ESERVICE_CLIENT_ID="+eservice.ID, "ESERVICE_CLIENT_SECRET="+eservice.Secret)
	tokens := make(chan string, 10)
	library := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { tokens <- r.PostFormValue("logout_token") }))
	t.Cleanup(library.Close)
	metadata["client_name"], metadata["backchannel_logout_uri"], metadata["redirect_uris"] = "Library", library.URL, []string{c.issuer + "/nowhere"}
	metadata["grant_types"], metadata["scope"] = []string{"authorization_code", "refresh_token"}, "openid offline_access"
	second := c.register(metadata)
	private, jwks := newKey(t, "importer")
	importer := c.register(map[string]any{
		"client_name": "Importer", "grant_types": []string{"client_credentials"}, "response_types": []string{},
		"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks, "scope": "register:manage", "resources": []string{c.management},
	})
	c.serve("idp", c.issuer)
	c.serve("cabinet", c.cabinet)
	c.serve("eservice", c.eservice)
	store, err := pgx.Connect(t.Context(), c.setting("CABINET_DATABASE_URL"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close(t.Context()) })
	cabinet := func(want string) {
		t.Helper()
		const read = `SELECT concat_ws(' ', state, state_reason) FROM cabinet WHERE identification_number = $1`
		eventually(t, "the cabinet is "+want, func() error {
			var state string
			err := store.QueryRow(t.Context(), read, citizenNumber).Scan(&state)
			if err == nil && state != want {
				err = fmt.Errorf("it is %s", state)
			}
			return err
		})
	}
	kept := func() (entries int) {
		t.Helper()
		const count = `SELECT count(*) FROM journal j JOIN cabinet c USING (person_id) WHERE c.identification_number = $1 AND j.kind = 'grant.given'`
		if err := store.QueryRow(t.Context(), count, citizenNumber).Scan(&entries); err != nil {
			t.Fatal(err)
		}
		return entries
	}

	// The citizen is signed in at two e-services.
	desk := c.desk()
	person := c.signIn(citizenNumber, desk.issue(citizenNumber, citizenPhone), c.eservice+"/sign-in", c.eservice+"/")
	rp := oauth2.Config{
		ClientID: second.ID, ClientSecret: second.Secret, RedirectURL: c.issuer + "/nowhere", Scopes: []string{"openid", "offline_access"},
		Endpoint: oauth2.Endpoint{AuthURL: c.issuer + "/authorize", TokenURL: c.issuer + "/token", AuthStyle: oauth2.AuthStyleInHeader},
	}
	browser := &http.Client{Jar: person.Cookies(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	authorize := func(verifier string) *url.URL {
		t.Helper()
		res, err := browser.Get(rp.AuthCodeURL("state-of-this-test", oauth2.S256ChallengeOption(verifier)))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		leads, err := res.Location()
		if err != nil {
			t.Fatalf("authorize answers %s: %v", res.Status, err)
		}
		return leads
	}
	verifier := oauth2.GenerateVerifier()
	token, err := rp.Exchange(t.Context(), authorize(verifier).Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	me := func() (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.eservice+"/api/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		said, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(said)
	}
	if status, said := me(); status != http.StatusOK {
		t.Fatalf("the first e-service says %d %s", status, said)
	}
	cabinet("activated")
	eventually(t, "both sign-ins are in the journal", func() error {
		if n := kept(); n != 2 {
			return fmt.Errorf("%d are", n)
		}
		return nil
	})

	// They have died, says the register.
	file := c.file("later.csv", later)
	if report := c.errand("idp", "register", "import", file); !strings.Contains(report, "deactivated 1") {
		t.Errorf("the import says:\n%s", report)
	}
	eventually(t, "the first e-service is told", func() error {
		if status, said := me(); status != http.StatusUnauthorized {
			return fmt.Errorf("it says %d %s", status, said)
		}
		return nil
	})
	provider, err := oidc.NewProvider(t.Context(), c.issuer)
	if err != nil {
		t.Fatal(err)
	}
	var logout *oidc.IDToken
	eventually(t, "the second e-service is told", func() error {
		select {
		case raw := <-tokens:
			logout, err = provider.Verifier(&oidc.Config{ClientID: second.ID}).Verify(t.Context(), raw)
			return err
		default:
			return fmt.Errorf("not yet")
		}
	})
	if logout.Subject != citizenNumber {
		t.Errorf("the logout token is about %s", logout.Subject)
	}
	if leads := authorize(oauth2.GenerateVerifier()); !strings.HasSuffix(leads.Path, "/sign-in") {
		t.Errorf("the session leads to %s", leads.Path)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.issuer+"/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	token.SetAuthHeader(req)
	if status := exchange(t, req, new(map[string]any)); status != http.StatusUnauthorized {
		t.Errorf("userinfo answers %d", status)
	}
	cabinet("deactivated death")
	papers := map[string]any{"identifier": citizenNumber, "document": document, "basis": basis, "attested": attested}
	if refused := desk.act("/desk/unblocks", http.StatusConflict, papers); refused["code"] != "g6" {
		t.Errorf("the desk is told %v", refused)
	}

	// The same again.
	if report := c.errand("idp", "register", "import", file); !strings.HasSuffix(report, "; nothing to do.\n") {
		t.Errorf("the import says:\n%s", report)
	}

	// It was a mistake.
	system := c.caller(importer.ID, c.file("importer.jwk", private), "register:manage")
	event := map[string]any{"id": "2026-01-1", "at": "2026-01-20T10:00:00+03:00", "person": map[string]any{
		"identification_number": citizenNumber, "sex": "F", "birth_date": "1899-12", "citizenship": "BY",
	}}
	if told := system.post("/register/events", http.StatusCreated, event); told["changed"] != true {
		t.Errorf("the event: %v", told)
	}
	cabinet("not_activated")
	if n := kept(); n != 2 {
		t.Errorf("%d entries of 2 are there", n)
	}
	again, err := walk.New()
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Open(t.Context(), c.issuer+"/sign-in"); err != nil {
		t.Fatal(err)
	}
	if err := again.Walk(t.Context(), c.issuer+"/security", walk.Wallet{Identifier: citizenNumber, Password: strong}); err == nil {
		t.Error("they sign in without the desk")
	}
	desk.act("/desk/unblocks", http.StatusOK, papers)
	c.signIn(citizenNumber, password(t, c.phone.next(t, "temporary_password")), c.eservice+"/sign-in", c.eservice+"/")
	cabinet("activated")

	// The register gives them another number: they are told, and sign in by it; the one before is nobody's.
	const fresh = "5311299B500PB0"
	event = map[string]any{"id": "2026-01-2", "at": "2026-01-21T10:00:00+03:00", "former_number": citizenNumber, "person": map[string]any{
		"identification_number": fresh, "sex": "F", "birth_date": "1899-12", "citizenship": "BY",
	}}
	system.post("/register/events", http.StatusCreated, event)
	c.phone.next(t, "notice", "новый идентификационный номер")
	signIn := func(number string) error {
		t.Helper()
		b, err := walk.New()
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Open(t.Context(), c.issuer+"/sign-in"); err != nil {
			t.Fatal(err)
		}
		return b.Walk(t.Context(), c.issuer+"/security", walk.Wallet{
			Identifier: number, Password: strong, Code: func(context.Context) (string, error) { return code(t, c.phone.next(t, "code")), nil },
		})
	}
	if err := signIn(citizenNumber); err == nil {
		t.Error("the number of before signs in")
	}
	if err := signIn(fresh); err != nil {
		t.Errorf("the new number: %v", err)
	}
	if said := c.errand("cabinet", "verify"); said != "3 people: every cabinet is as the provider says.\n" {
		t.Errorf("verify says: %s", said)
	}
}
