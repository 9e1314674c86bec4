package cmd_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/redis/go-redis/v9"

	"asoba.example/cmd/internal/demo/walk"
)

// The made-up people of the journeys. Their dates of birth are in the 1800s and
// in the future, so that they are nobody's.
const (
	clerkNumber   = "1010130K001PB9"
	clerkPhone    = "+375294911911"
	citizenNumber = "2311299B500PB9"
	citizenPhone  = "+375294911912"
	strong        = "семь зелёных яблок на столе"
	stronger      = "восемь синих слив под окном"
)

// edition is a month of the register, with one row that cannot be taken.
const edition = `# country BY
# edition 1
# period 2025-11
# rows 4
identification_number,sex,birth_date,citizenship,death_date,death_act,declared_dead_date,declared_dead_act,missing_date,missing_act,incapable_date,incapable_act,limited_date,limited_act
1010130K001PB9,M,1830-01-01,BY,,,,,,,,,,
2311299B500PB9,F,1899-12,BY,,,,,,,,,,
2290296M000BA3,F,1896-02-29,UA,,,,,,,,,,
123,M,1830-01-01,BY,,,,,,,,,,
`

type credentials struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

// register registers a client as an operator does at the command line.
func (c *country) register(metadata map[string]any) credentials {
	c.t.Helper()
	raw, err := json.Marshal(metadata)
	if err != nil {
		c.t.Fatal(err)
	}
	var registered credentials
	if err := json.Unmarshal([]byte(c.errand("idp", "client", "add", c.file("client.json", string(raw)))), &registered); err != nil {
		c.t.Fatal(err)
	}
	return registered
}

// newKey makes a key for a client: the private JWK, and what is registered of it.
func newKey(t testing.TB, id string) (private string, registered jose.JSONWebKeySet) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwk := jose.JSONWebKey{Key: key, KeyID: id, Algorithm: string(jose.ES256), Use: "sig"}
	raw, err := jwk.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(raw), jose.JSONWebKeySet{Keys: []jose.JSONWebKey{jwk.Public()}}
}

// registerCabinet makes the cabinet's key and tells the provider its public half.
func (c *country) registerCabinet() {
	c.t.Helper()
	private, jwks := newKey(c.t, "cabinet")
	cabinet := c.register(map[string]any{
		"client_name":                "Personal cabinet",
		"redirect_uris":              []string{c.cabinet + "/callback"},
		"post_logout_redirect_uris":  []string{c.cabinet + "/"},
		"backchannel_logout_uri":     c.cabinet + "/back-channel-logout",
		"grant_types":                []string{"authorization_code", "client_credentials"},
		"token_endpoint_auth_method": "private_key_jwt",
		"jwks":                       jwks,
		"scope":                      "openid profile phone cabinet.profile cabinet.journal changes:read",
		"resources":                  []string{c.cabinet, c.management},
		"resource_server":            c.cabinet,
		"first_party":                true,
	})
	c.env = append(c.env, "CABINET_CLIENT_ID="+cabinet.ID, "CABINET_CLIENT_KEY_FILE="+c.file("cabinet.jwk", private))
}

// eserviceMetadata is what the sample e-service registers.
func (c *country) eserviceMetadata() map[string]any {
	return map[string]any{
		"client_name":                "Tax office",
		"redirect_uris":              []string{c.eservice + "/callback"},
		"post_logout_redirect_uris":  []string{c.eservice + "/"},
		"backchannel_logout_uri":     c.eservice + "/back-channel-logout",
		"grant_types":                []string{"authorization_code"},
		"token_endpoint_auth_method": "client_secret_basic",
		"scope":                      "openid profile phone cabinet.profile.read",
		"resources":                  []string{c.cabinet},
		"purpose":                    "to show your tax account",
	}
}

// told is how many logout notices were delivered, as the provider's metrics say.
func (c *country) told() int {
	c.t.Helper()
	response, err := http.Get(c.management + "/metrics")
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^idp_logout_notices_total\{state="delivered"\} (\d+)$`).FindSubmatch(text)
	if found == nil {
		return 0
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// sessionsAtCabinet are those that the web cabinet keeps, and that are not over.
func (c *country) sessionsAtCabinet() (open []string) {
	c.t.Helper()
	options, err := redis.ParseURL(c.setting("CABINET_REDIS_URL"))
	if err != nil {
		c.t.Fatal(err)
	}
	store := redis.NewClient(options)
	defer store.Close()
	keys, err := store.Keys(c.t.Context(), "cabinet:session:*").Result()
	for _, key := range keys {
		said, of := store.Get(c.t.Context(), key).Result()
		if err = errors.Join(err, of); said != "over" {
			open = append(open, key)
		}
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return open
}

// A desk is a desk's information system that speaks for a clerk.
type desk struct {
	*caller
	country *country
}

// document and basis are what the visitor brings.
var (
	document = map[string]any{"kind": "passport", "number": "MP0000002", "valid_till": "2099-01-01"}
	basis    = map[string]any{"number": "17", "date": "2026-11-20"}
	attested = []string{"holder", "particulars", "phone"}
)

// desk opens the desk: its system is registered, and its first clerk is made by the
// operator and signs in once. idp must be serving.
func (c *country) desk() *desk {
	c.t.Helper()
	private, jwks := newKey(c.t, "desk")
	registered := c.register(map[string]any{
		"client_name": "Desk 1", "grant_types": []string{"client_credentials"}, "response_types": []string{},
		"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks, "scope": "desk:act", "resources": []string{c.management},
	})
	c.errand("idp", "clerk", "add", "--identifier", clerkNumber, "--phone", clerkPhone, "--office", "Desk 1", "--role", "clerk",
		"--family", "Работнікава", "--given", "Ганна", "--document", "MP0000001", "--valid-till", "2099-01-01")
	c.signIn(clerkNumber, password(c.t, c.phone.next(c.t, "temporary_password")), c.issuer+"/security", c.issuer+"/security")
	return &desk{c.caller(registered.ID, c.file("desk.jwk", private), "desk:act"), c}
}

// act sends what the desk does, in the name of its clerk.
func (d *desk) act(path string, want int, members map[string]any) map[string]any {
	d.t.Helper()
	named := map[string]any{"clerk": clerkNumber, "office": "Desk 1"}
	for k, v := range members {
		named[k] = v
	}
	return d.post(path, want, named)
}

// open begins an issuance and gives its address.
func (d *desk) open(identifier, phone string) string {
	d.t.Helper()
	opened := d.act("/desk/issuances", http.StatusCreated, map[string]any{
		"identifier": identifier, "document": document, "phone": phone, "attested": attested, "basis": basis,
		"names": map[string]any{"family": "Прыкладная", "given": "Алеся", "middle": "Янаўна"},
	})
	return "/desk/issuances/" + opened["id"].(string)
}

// issue goes through a whole issuance and gives the temporary password, which only the phone was told.
func (d *desk) issue(identifier, phone string) string {
	d.t.Helper()
	issuance := d.open(identifier, phone)
	d.act(issuance+"/phone", http.StatusNoContent, map[string]any{"code": code(d.t, d.country.phone.next(d.t, "code"))})
	d.act(issuance+"/assign", http.StatusOK, nil)
	return password(d.t, d.country.phone.next(d.t, "temporary_password"))
}

// signIn takes a person who has just been given a temporary password to an address that asks for a sign-in.
func (c *country) signIn(identifier, temporary, address, to string) *walk.Browser {
	c.t.Helper()
	b, err := walk.New()
	if err != nil {
		c.t.Fatal(err)
	}
	wallet := walk.Wallet{
		Identifier: identifier, Password: temporary, NewPassword: strong,
		Code: func(context.Context) (string, error) { return code(c.t, c.phone.next(c.t, "code")), nil },
	}
	if err := b.Open(c.t.Context(), address); err != nil {
		c.t.Fatal(err)
	}
	if err := b.Walk(c.t.Context(), to, wallet); err != nil {
		c.t.Fatal(err)
	}
	return b
}

// The forms of codes and of temporary passwords, which are as long as the rules in force say.
const (
	codeForm     = `\b\d{6,8}\b`
	passwordForm = `\b[0-9A-Z]{5}-[0-9A-Z]{5}(?:-[0-9A-Z]{1,5})?\b`
)

// code finds the code in a message: its only run of so many digits.
func code(t testing.TB, text string) string {
	t.Helper()
	return find(t, codeForm, text)
}

// password finds the temporary password in a message.
func password(t testing.TB, text string) string {
	t.Helper()
	return find(t, passwordForm, text)
}

func find(t testing.TB, pattern, text string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindAllString(text, -1)
	if len(found) != 1 {
		t.Fatalf("%q holds %s %d times", text, pattern, len(found))
	}
	return found[0]
}
