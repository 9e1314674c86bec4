package desk_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/desk"
	"asoba.example/login/desk/printed"
	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
	"asoba.example/login/policy"
	"asoba.example/login/throttle"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
	"asoba.example/provider/clients"
	"asoba.example/provider/fetch"
	"asoba.example/provider/manage"
)

// Doors are a world's, and whoever knocks at them.
type doors struct {
	*world
	mux *http.ServeMux
	key *ecdsa.PrivateKey

	clerk  identity.Identifier
	system string // the token of a desk's system
}

// openAPI is the document of the doors. It is long, and read once.
var openAPI = sync.OnceValues(func() (*api.Document, error) { return api.ReadDocument(manage.Document) })

func newDoors(t *testing.T) *doors { t.Helper(); return newDoorsOf(t, newWorld(t)) }

func newDoorsOf(t *testing.T, w *world) *doors {
	t.Helper()
	d := &doors{world: w, mux: http.NewServeMux()}
	var err error
	if d.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return d.now }
	registry, err := clients.New(t.Context(), clients.Config{Pool: d.Pool, Back: d.Pool, Key: make([]byte, 32), Caller: fetch.New(fetch.Config{AllowLoopback: true}), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	jwks := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: d.key.Public(), KeyID: "1", Algorithm: string(jose.ES256)}}}
	for id, method := range map[string]string{"page": "client_secret_basic", "post": "private_key_jwt", "bank": "private_key_jwt", "secret": "client_secret_basic"} {
		m := clients.Metadata{Scope: desk.Scope, GrantTypes: []string{"client_credentials"}, TokenEndpointAuthMethod: method}
		if method == "private_key_jwt" {
			m.JWKS = &jwks
		}
		if _, _, err := registry.Register(t.Context(), id, m, clients.By{At: d.now}); err != nil {
			t.Fatal(err)
		}
	}
	tokens := manage.Bearer{
		Verifier: api.Verifier{Keys: d, Issuer: "https://id.example", Audience: "https://manage.example", Now: now},
		Denials:  d.Denials, Clients: registry,
	}
	document, err := openAPI()
	if err != nil {
		t.Fatal(err)
	}
	press, err := printed.New()
	if err != nil {
		t.Fatal(err)
	}
	(&desk.Doors{Desk: d.desk, Press: press, Gate: clerk.Gate{Clerks: d.clerks, Tokens: tokens, Now: now}, Clients: registry, Feed: audit.NewFeed(d.Pool, d.Pool)}).Mount(document.Hold(d.mux))
	_, d.clerk = d.world.clerk(t, clerk.AtDesk)
	d.system = d.token(t, map[string]any{"sub": "post", "client_id": "post"})
	return d
}

// Key makes the doors' own key known.
func (d *doors) Key(context.Context, string) (jose.JSONWebKey, error) {
	return jose.JSONWebKey{Key: d.key.Public(), Algorithm: string(jose.ES256)}, nil
}

// token is an access token of our provider for the management API.
func (d *doors) token(t *testing.T, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: d.key}, (&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{
		"iss": "https://id.example", "aud": "https://manage.example", "scope": desk.Scope, "jti": uuid.NewString(),
		"iat": d.now.Unix(), "exp": d.now.Add(5 * time.Minute).Unix(),
	}
	for name, value := range claims {
		all[name] = value
	}
	token, err := jwt.Signed(signer).Claims(all).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// own is the token that a clerk's sign-in gave the desk's page.
func (d *doors) own(t *testing.T, id identity.Identifier, gid uuid.UUID) string {
	t.Helper()
	return d.token(t, map[string]any{
		"sub": id.Reveal(), "client_id": "page", "gid": gid.String(), "auth_time": d.now.Unix(), "acr": "substantial",
	})
}

// knock asks and gives the status and the answer's members.
func (d *doors) knock(t *testing.T, token, method, path string, body any) (int, map[string]any) {
	t.Helper()
	return d.knockBy(t, "", token, method, path, body)
}

// knockBy knocks with a request that has a key.
func (d *doors) knockBy(t *testing.T, key, token, method, path string, body any) (int, map[string]any) {
	t.Helper()
	var reader *strings.Reader
	if body == nil {
		reader = strings.NewReader("")
	} else {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		reader = strings.NewReader(string(text))
	}
	r := httptest.NewRequest(method, path, reader)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, r)
	for _, secret := range []string{d.Said("Password"), d.Said("Code")} {
		if secret != "" && strings.Contains(w.Body.String(), secret) {
			t.Errorf("%s %s answers with a secret: %s", method, path, w.Body)
		}
	}
	answer := map[string]any{}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%s %s answered %s", method, path, w.Body)
		}
	}
	return w.Code, answer
}

// asks knocks and wants a status and some members.
func (d *doors) asks(t *testing.T, token, method, path string, body any, status int, want map[string]any) map[string]any {
	t.Helper()
	got, answer := d.knock(t, token, method, path, body)
	if got != status {
		t.Errorf("%s %s: %d %v, want %d", method, path, got, answer, status)
	}
	for name, value := range want {
		if answer[name] != value {
			t.Errorf("%s %s: %s is %v, want %v", method, path, name, answer[name], value)
		}
	}
	return answer
}

// named is how a desk's system names a clerk, who works at an office.
func (d *doors) named(t *testing.T, office string) map[string]any {
	t.Helper()
	by, id := d.world.clerk(t, clerk.AtDesk)
	d.Exec(t, `UPDATE clerk SET office = $2 WHERE person_id = $1`, by.Person, office)
	return map[string]any{"clerk": id.Reveal(), "office": office}
}

// body is what the desk is asked with, plus or without some members.
func body(id identity.Identifier, more map[string]any) map[string]any {
	b := map[string]any{
		"identifier": id.Reveal(),
		"document":   map[string]any{"kind": "passport", "number": "mp 1234567", "valid_till": "2030-01-01"},
		"basis":      map[string]any{"number": "12-7", "date": "2026-11-22"},
	}
	for name, value := range more {
		b[name] = value
	}
	return b
}

func opening(id identity.Identifier, more map[string]any) map[string]any {
	b := body(id, map[string]any{
		"names":    map[string]any{"family": "Каваленка", "given": "Алена", "middle": "Пятроўна"},
		"phone":    "8 029 491-19-11",
		"attested": []string{"holder", "particulars", "phone"},
	})
	for name, value := range more {
		b[name] = value
	}
	return b
}

// The whole conversation of an issuance and of what follows, by a clerk with a token of their own.
func TestAClerkServesAPerson(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	person, id := d.Person(t)
	token := d.own(t, d.clerk, uuid.New())

	opened := d.asks(t, token, "POST", "/desk/issuances", opening(id, nil), 201, nil)
	at := "/desk/issuances/" + opened["id"].(string)
	d.asks(t, token, "GET", at, nil, 200, map[string]any{"stage": "opened"})
	if sent := d.Said("Code"); !regexp.MustCompile(`^\d{6}$`).MatchString(sent) {
		t.Fatalf("the code is %q", sent)
	}
	d.asks(t, token, "POST", at+"/phone", map[string]any{"code": "000000x"}, 422, map[string]any{"code": "wrong_code"})
	d.asks(t, token, "POST", at+"/phone", map[string]any{"code": d.Said("Code")}, 204, nil)
	d.asks(t, token, "POST", at+"/assign", nil, 200, map[string]any{"state": "temporary", "sms": "queued"})
	d.asks(t, token, "GET", at, nil, 200, map[string]any{"stage": "assigned", "sms": "queued"})
	d.asks(t, token, "POST", "/desk/issuances", opening(id, nil), 409, map[string]any{"code": "g2"})

	d.asks(t, token, "POST", "/desk/reissues", body(id, nil), 200, map[string]any{"state": "temporary", "sms": "queued"})
	d.asks(t, token, "POST", "/desk/unblocks", body(id, nil), 409, map[string]any{"code": "wrong_state"})
	done := d.asks(t, token, "POST", "/desk/blocks", body(id, nil), 200, map[string]any{"state": "blocked"})
	if n := d.Count(t, `desk_act WHERE id = $1 AND kind = 'block'`, done["act"]); n != 1 {
		t.Errorf("the act is not told: %v", done)
	}
	again := d.asks(t, token, "POST", "/desk/blocks", body(id, nil), 409, map[string]any{"code": "wrong_state"})
	if n := d.Count(t, `event WHERE kind = 'desk.refused' AND '/desk/refusals/' || id = $1`, again["instance"]); n != 1 {
		t.Errorf("the refusal is not named as it is recorded: %v", again)
	}
	d.asks(t, token, "POST", "/desk/unblocks", body(id, nil), 200, map[string]any{"state": "temporary", "sms": "queued"})

	i, err := d.Registry.Of(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	if i.Phone.Reveal() != "+375294911911" || i.Names.Full() != "Каваленка Алена Пятроўна" {
		t.Error("the phone or the names are not those of the visit")
	}
	if n := d.Count(t, `event WHERE person_id = $1 AND clerk_id IS NOT NULL AND office = 'Minsk-1' AND client_id = 'page'`, person); n != 9 {
		t.Errorf("%d of 9 steps are recorded with clerk, office and client", n) // three were refused
	}
}

// A person with another phone: the code goes to the new one, and the answer says whether a password did.
func TestAClerkChangesAPhone(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	_, temporary := d.Issued(t)
	_, active := d.Active(t)
	token := d.own(t, d.clerk, uuid.New())
	for _, row := range []struct {
		id    identity.Identifier
		phone string
		state string
		sms   any
	}{
		{temporary, "8 029 491-19-11", "temporary", "queued"},
		{active, "8 029 491-19-12", "active", nil},
	} {
		asked := body(row.id, map[string]any{"phone": row.phone, "attested": []string{"holder", "phone"}})
		opened := d.asks(t, token, "POST", "/desk/phone-changes", asked, 201, nil)
		sent := d.Said("Code")
		d.asks(t, token, "POST", "/desk/phone-changes", asked, 429, map[string]any{"code": "wait"})
		at := "/desk/phone-changes/" + opened["id"].(string)
		d.asks(t, token, "GET", at, nil, 200, map[string]any{"stage": "opened"})
		d.asks(t, token, "POST", at+"/code", nil, 429, map[string]any{"code": "wait"})
		d.asks(t, token, "POST", at+"/assign", nil, 409, map[string]any{"code": "g3"})
		d.asks(t, token, "POST", strings.Replace(at, "phone-changes", "issuances", 1)+"/phone",
			map[string]any{"code": sent}, 404, map[string]any{"code": "unknown_visit"})
		d.asks(t, token, "POST", at+"/phone", map[string]any{"code": sent}, 204, nil)
		d.asks(t, token, "POST", at+"/assign", nil, 200, map[string]any{"state": row.state, "sms": row.sms})
		d.asks(t, token, "GET", at, nil, 200, map[string]any{"stage": "assigned", "sms": row.sms})
		d.asks(t, token, "POST", "/desk/phone-changes", asked, 409, map[string]any{"code": "wrong_state"})
	}
	d.asks(t, token, "POST", "/desk/phone-changes", body(active, nil), 422, map[string]any{"code": "invalid"})
	d.asks(t, token, "POST", "/desk/phone-changes",
		body(active, map[string]any{"phone": "8 029 491-19-11", "attested": []string{"holder", "phone"}}), 409, map[string]any{"code": "g4"})
}

// With another phone an unblocking and another temporary password are visits; without one they are done at once.
func TestAClerkUnblocksWithAnotherPhone(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	_, id := d.Active(t)
	token := d.own(t, d.clerk, uuid.New())
	d.asks(t, token, "POST", "/desk/blocks", body(id, map[string]any{"attested": []string{}}), 409, map[string]any{"code": "g5"})
	d.asks(t, token, "POST", "/desk/blocks", body(id, nil), 200, nil)
	if n := d.Count(t, `desk_act WHERE kind = 'block' AND attested = '{holder,particulars}'`); n != 1 {
		t.Error("what was attested by asking is not kept")
	}
	for n, path := range []string{"/desk/unblocks", "/desk/reissues"} {
		asked := map[string]any{"phone": "8 029 491-19-1" + string(rune('1'+n)), "attested": []string{"holder", "particulars", "phone"}}
		opened := d.asks(t, token, "POST", path, body(id, asked), 201, nil)
		at := path + "/" + opened["id"].(string)
		sent := d.Said("Code")
		d.asks(t, token, "GET", at, nil, 200, map[string]any{"stage": "opened"})
		d.asks(t, token, "POST", at+"/assign", nil, 409, map[string]any{"code": "g3"})
		d.asks(t, token, "POST", "/desk/phone-changes/"+opened["id"].(string)+"/assign", nil, 404, map[string]any{"code": "unknown_visit"})
		d.asks(t, token, "POST", at+"/code", nil, 429, map[string]any{"code": "wait"})
		d.asks(t, token, "POST", at+"/phone", map[string]any{"code": sent}, 204, nil)
		d.asks(t, token, "POST", at+"/assign", nil, 200, map[string]any{"state": "temporary", "sms": "queued"})
		d.asks(t, token, "GET", at, nil, 200, map[string]any{"stage": "assigned", "sms": "queued"})
	}

	_, other := d.Active(t)
	d.asks(t, token, "POST", "/desk/blocks", body(other, nil), 200, nil)
	d.Exec(t, `UPDATE identity SET phone = NULL, phone_index = NULL WHERE person_id = (SELECT id FROM person WHERE identification_number = $1)`, other.Reveal())
	d.asks(t, token, "POST", "/desk/unblocks", body(other, nil), 409, map[string]any{"code": "g3"})
}

// Whoever sends an act without attested attests all that it needs (resolution 792 ¶3, ¶4); with it, all of that must be there.
// An issuance takes nobody's silence for a word.
func TestAnActIsAttestedWholeOrBySendingIt(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	token := d.own(t, d.clerk, uuid.New())
	phone := 10
	for name, row := range map[string]struct {
		path    string
		phone   bool
		stands  func(*testing.T) (uuid.UUID, identity.Identifier)
		lacking [][]string
		kept    string
	}{
		"issuance": {"/desk/issuances", true, d.Person, [][]string{nil, {"holder", "particulars"}, {"particulars", "phone"}, {"holder", "phone"}}, ""},
		"phone change": {
			"/desk/phone-changes", true, d.Active,
			[][]string{{}, {"phone"}, {"holder"}, {"holder", "particulars"}},
			"{holder,phone}",
		},
		"block":   {"/desk/blocks", false, d.Active, [][]string{{}, {"holder"}, {"particulars", "phone"}}, "{holder,particulars}"},
		"unblock": {"/desk/unblocks", false, d.blocked, [][]string{{}, {"holder"}, {"particulars", "phone"}}, "{holder,particulars}"},
		"unblock with another phone": {
			"/desk/unblocks", true, d.blocked,
			[][]string{{}, {"holder", "particulars"}, {"holder", "phone"}},
			"{holder,particulars,phone}",
		},
		"reissue": {"/desk/reissues", false, d.Issued, [][]string{{}, {"holder"}, {"particulars"}}, "{holder,particulars}"},
		"reissue with another phone": {
			"/desk/reissues", true, d.Issued,
			[][]string{{}, {"holder", "particulars"}, {"phone"}},
			"{holder,particulars,phone}",
		},
	} {
		person, id := row.stands(t)
		more := map[string]any{}
		if row.phone {
			phone++ // one's own: codes wait by the phone
			more["phone"] = fmt.Sprintf("8 029 491-19-%d", phone)
		}
		ask := body
		if name == "issuance" {
			ask = opening
		}
		for _, attested := range row.lacking {
			more["attested"] = attested
			d.asks(t, token, "POST", row.path, ask(id, more), 409, map[string]any{"code": "g5"})
		}
		if row.kept == "" {
			continue
		}
		delete(more, "attested")
		if status, answer := d.knock(t, token, "POST", row.path, body(id, more)); status != 200 && status != 201 {
			t.Errorf("%s: %d %v", name, status, answer)
		}
		const kept = `(SELECT person_id, attested FROM desk_act UNION ALL SELECT person_id, attested FROM issuance) AS kept
			WHERE person_id = $1 AND attested = $2::text[]`
		if n := d.Count(t, kept, person, row.kept); n == 0 {
			t.Errorf("%s: what was attested by sending it is not kept", name)
		}
	}
}

// A desk's system acts for a clerk whom it names, and for nobody without one.
func TestASystemActsForANamedClerk(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	_, id := d.Person(t)
	named := d.named(t, "Brest-3")

	before := d.Contents(t)
	for _, path := range []string{"/desk/issuances", "/desk/phone-changes", "/desk/blocks", "/desk/unblocks", "/desk/reissues"} {
		d.asks(t, d.system, "POST", path, body(id, nil), 403, map[string]any{"code": "clerk_required"})
	}
	if d.Contents(t) != before {
		t.Error("a bare system did something")
	}

	opened := d.asks(t, d.system, "POST", "/desk/issuances", opening(id, named), 201, nil)
	at := "/desk/issuances/" + opened["id"].(string)
	other := d.token(t, map[string]any{"sub": "bank", "client_id": "bank"})
	d.asks(t, other, "POST", at+"/phone", map[string]any{"code": d.Said("Code")}, 404, map[string]any{"code": "unknown_visit"})
	d.asks(t, d.system, "POST", at+"/phone", map[string]any{"code": d.Said("Code")}, 204, nil) // its clerk stands in the issuance
	d.asks(t, d.system, "POST", at+"/assign", named, 200, map[string]any{"state": "temporary"})
	if n := d.Count(t, `event WHERE kind = 'identifier.issued' AND office = 'Brest-3' AND client_id = 'post'`); n != 1 {
		t.Error("the record does not name the office and the system")
	}
}

// Whoever has copied a secret speaks for no clerk, and it is on record that they would have. A key cannot be copied from what lies
// with us (FAPI 2.0 Security Profile §5.3.2.1).
func TestOnlyASystemWithAKeyNamesAClerk(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	_, id := d.Active(t)
	named := d.named(t, "Brest-3")
	secret := d.token(t, map[string]any{"sub": "secret", "client_id": "secret"})
	opened := d.asks(t, d.system, "POST", "/desk/phone-changes", body(id, with(named, "phone", "8 029 491-19-11")), 201, nil)
	knocks := map[string]any{
		"/desk/issuances": opening(id, named), "/desk/blocks": body(id, named), "/desk/unblocks": body(id, named), "/desk/reissues": body(id, named),
		"/desk/phone-changes": body(id, with(named, "phone", "8 029 491-19-12")),
		"/desk/phone-changes/" + opened["id"].(string) + "/phone": with(named, "code", d.Said("Code")),
		"/desk/lookups":           with(named, "identifier", id.Reveal(), "document", map[string]any{"number": "MP1234567"}, "purpose", "visit"),
		"/desk/application-forms": with(named, "errand", "block"),
	}
	people := d.Count(t, `event WHERE person_id IS NOT NULL OR clerk_id IS NOT NULL`)
	for path, asked := range knocks {
		answer := d.asks(t, secret, "POST", path, asked, 403, map[string]any{"code": "key_required"})
		if answer["instance"] != nil {
			t.Errorf("%s: of nobody's errand there is a slip: %v", path, answer)
		}
	}
	d.asks(t, secret, "POST", "/desk/blocks", body(id, nil), 403, map[string]any{"code": "clerk_required"})
	d.asks(t, secret, "GET", "/desk/pending-issuances?office=Brest-3", nil, 403, map[string]any{"code": "key_required"})
	if n := d.Count(t, `event WHERE kind = 'desk.refused' AND client_id = 'secret' AND detail->>'code' = 'key_required'`); n != len(knocks)+1 {
		t.Errorf("%d of %d refusals are recorded", n, len(knocks)+1)
	}
	if n := d.Count(t, `event WHERE person_id IS NOT NULL OR clerk_id IS NOT NULL`); n != people {
		t.Error("something was done, or said of a clerk")
	}

	// Nobody fills the records so.
	limit := policy.ActsOfSystem.In(nil)
	acts := &throttle.Throttle{Redis: d.Redis, Key: []byte("key"), Now: func() time.Time { return d.now }}
	for range limit.Tries - len(knocks) - 1 {
		if _, err := acts.Take(t.Context(), throttle.Try{Limit: limit, By: "secret"}); err != nil {
			t.Fatal(err)
		}
	}
	events := d.Count(t, "event")
	d.asks(t, secret, "POST", "/desk/blocks", body(id, named), 429, map[string]any{"code": "too_many_acts"})
	if d.Count(t, "event") != events {
		t.Error("what is refused over the limit is recorded")
	}
}

// An act is of the clerk's own office, whatever is said beside: no clerk acts past the eyes of who supervises him.
func TestTheOfficeIsTheClerksOwn(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	_, id := d.Active(t)
	named := d.named(t, "Brest-3")
	own := d.own(t, d.clerk, uuid.New())
	before := d.Contents(t)
	for name, row := range map[string]struct {
		token string
		more  map[string]any
	}{
		"a system": {d.system, with(named, "office", "Minsk-1")},
		"a clerk":  {own, map[string]any{"office": "Brest-3"}},
	} {
		for _, path := range []string{"/desk/issuances", "/desk/phone-changes", "/desk/blocks", "/desk/unblocks", "/desk/reissues"} {
			if answer := d.asks(t, row.token, "POST", path, body(id, row.more), 403, map[string]any{"code": "not_this_office"}); t.Failed() {
				t.Fatalf("%s: %v", name, answer)
			}
		}
	}
	if d.Contents(t) != before {
		t.Error("something was done")
	}
	d.asks(t, d.system, "POST", "/desk/blocks", body(id, map[string]any{"clerk": named["clerk"]}), 200, nil)
	d.asks(t, own, "POST", "/desk/unblocks", body(id, map[string]any{"office": "Minsk-1"}), 200, nil)
	for kind, office := range map[string]string{"identifier.blocked": "Brest-3", "identifier.unblocked": "Minsk-1"} {
		if n := d.Count(t, `event WHERE kind = $1 AND office = $2`, kind, office); n != 1 {
			t.Errorf("%s is recorded %d times at %s", kind, n, office)
		}
	}
}

// with is some members and more of them, names and values in turn.
func with(members map[string]any, more ...any) map[string]any {
	all := maps.Clone(members)
	for i := 0; i < len(more); i += 2 {
		all[more[i].(string)] = more[i+1]
	}
	return all
}

func TestOnlyAClerkOnDutyIsLetIn(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	_, id := d.Person(t)
	_, citizen := d.Active(t)
	_, auditor := d.world.clerk(t, clerk.Auditor)
	_, removed := d.world.clerk(t, clerk.AtDesk)
	d.Exec(t, `UPDATE clerk SET removed_at = now() WHERE person_id = (SELECT id FROM person WHERE identification_number = $1)`, removed.Reveal())
	blockedBy, blocked := d.world.clerk(t, clerk.AtDesk)
	blockedToken := d.own(t, blocked, uuid.New())
	if err := d.Registry.Block(t.Context(), blockedBy.Person, identity.Self, identitytest.Act(time.Hour)); err != nil {
		t.Fatal(err)
	}
	signedOut := uuid.New()
	if err := d.Denials.Deny(t.Context(), signedOut); err != nil {
		t.Fatal(err)
	}
	endedBy, ended := d.world.clerk(t, clerk.AtDesk)
	d.Exec(t, `INSERT INTO ended (person_id, at, why) VALUES ($1, $2, 'password')`, endedBy.Person, d.now)

	before := d.Contents(t)
	for name, row := range map[string]struct {
		token, clerk string
		status       int
		code         string
	}{
		"a citizen":                           {d.own(t, citizen, uuid.New()), "", 403, "not_a_clerk"},
		"an auditor":                          {d.own(t, auditor, uuid.New()), "", 403, "wrong_role"},
		"a clerk who was removed":             {d.own(t, removed, uuid.New()), "", 403, "not_a_clerk"},
		"a clerk whose identifier is blocked": {blockedToken, "", 403, "not_a_clerk"},
		"a clerk whose sign-ins were ended":   {d.own(t, ended, uuid.New()), "", 403, "not_a_clerk"},
		"a clerk by a password alone":         {d.token(t, map[string]any{"sub": d.clerk.Reveal(), "client_id": "page", "gid": uuid.NewString(), "auth_time": d.now.Unix(), "acr": "low"}), "", 401, "insufficient_user_authentication"},
		"a clerk who signed out":              {d.own(t, d.clerk, signedOut), "", 401, "invalid_token"},
		"a clerk in another's name":           {d.own(t, d.clerk, uuid.New()), auditor.Reveal(), 403, "not_this_clerk"},
		"another scope":                       {d.token(t, map[string]any{"sub": "post", "client_id": "post", "scope": "openid"}), "", 403, "insufficient_scope"},
		"no token":                            {"", "", 401, "invalid_token"},
		"a system in a citizen's name":        {d.system, citizen.Reveal(), 403, "not_a_clerk"},
		"a system in nobody's name":           {d.system, "0000000A000PB2", 403, "not_a_clerk"},
		"a system in no name":                 {d.system, "the boss", 403, "not_a_clerk"},
	} {
		more := map[string]any{}
		if row.clerk != "" {
			more["clerk"] = row.clerk
		}
		status, answer := d.knock(t, row.token, "POST", "/desk/issuances", opening(id, more))
		if status != row.status || answer["code"] != row.code {
			t.Errorf("%s: %d %v, want %d %s", name, status, answer["code"], row.status, row.code)
		}
	}
	if d.Contents(t) != before {
		t.Error("something was done")
	}
}

func TestWhatIsBadlyWrittenIsToldByMember(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	_, id := d.Person(t)
	token := d.own(t, d.clerk, uuid.New())
	for date, code := range map[string]string{"1950-01-01": "too_old", "2026-08-23": "too_old", "2026-11-23": "not_a_basis"} {
		said := d.asks(t, token, "POST", "/desk/issuances", opening(id, map[string]any{"basis": map[string]any{"number": "1", "date": date}}), 422, nil)
		if got := fmt.Sprint(said["fields"]); got != "[map[code:"+code+" name:/basis]]" {
			t.Errorf("a paper of %s: %s", date, got)
		}
	}
	for pointer, more := range map[string]map[string]any{
		"/identifier": {"identifier": "7000001A00PB9"},
		"/phone":      {"phone": "+375172000000"},
		"/names":      {"names": map[string]any{"family": "<b>"}},
		"/basis":      {"basis": map[string]any{"number": "1", "date": "2026-11-23"}},
		"/attested":   {"attested": []string{"everything"}},
		"/language":   {"language": "la"},
		"/office":     {"office": strings.Repeat("x", 65)},
	} {
		status, answer := d.knock(t, token, "POST", "/desk/issuances", opening(id, more))
		fields, _ := answer["fields"].([]any)
		if status != 422 || answer["code"] != "invalid" || len(fields) != 1 || fields[0].(map[string]any)["name"] != pointer {
			t.Errorf("%s: %d %v", pointer, status, answer)
		}
	}
	d.asks(t, token, "POST", "/desk/issuances", opening(id, map[string]any{"document": map[string]any{"kind": "library card"}}), 409, map[string]any{"code": "g1"})
	d.asks(t, token, "POST", "/desk/issuances", opening(id, map[string]any{"password": "x"}), 400, map[string]any{"code": "invalid_body"})
	d.asks(t, token, "POST", "/desk/issuances/nonsense/assign", nil, 404, map[string]any{"code": "unknown_visit"})
	stranger, err := identity.ParseIdentifier("0000000A000PB2")
	if err != nil {
		t.Fatal(err)
	}
	d.asks(t, token, "POST", "/desk/blocks", body(stranger, nil), 404, map[string]any{"code": "unknown_identifier"})
	doubtful, err := identity.ParseIdentifier("7000001A000PB9") // waits for no edition, as others would whom the register does not know
	if err != nil {
		t.Fatal(err)
	}
	d.asks(t, token, "POST", "/desk/issuances", opening(doubtful, nil), 404, map[string]any{"code": "unknown_identifier"})
	lookup := map[string]any{"identifier": doubtful.Reveal(), "document": map[string]any{"number": "MP1234567"}, "purpose": "visit"}
	if said := d.asks(t, token, "POST", "/desk/lookups", lookup, 404, nil)["fields"]; fmt.Sprint(said) != "[map[code:doubtful name:/identifier]]" {
		t.Errorf("of a number with a wrong check digit a look-up says %v", said)
	}
}
