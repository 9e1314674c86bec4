package operator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
	"asoba.example/login/operator"
	"asoba.example/provider/api"
)

// A world with the operator's doors and the staff before them.
type world struct {
	*identitytest.World
	clerks *clerk.Clerks
	blocks *operator.Blocks
	mux    *http.ServeMux
	now    time.Time
	tokens map[string]api.Token // by what is said in the header
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{World: identitytest.New(t), mux: http.NewServeMux(), now: identitytest.Noon.Add(time.Hour), tokens: map[string]api.Token{}}
	w.clerks = &clerk.Clerks{Pool: w.Pool}
	w.blocks = &operator.Blocks{Pool: w.Pool, Registry: w.Registry, Now: func() time.Time { return w.now }}
	gate := clerk.Gate{Clerks: w.clerks, Tokens: w, Now: func() time.Time { return w.now }}
	(&operator.Doors{Blocks: w.blocks, Gate: gate, Registry: w.Registry}).Mount(w.mux)
	return w
}

// Require believes the header; manage.Bearer, which does not, has tests of its own.
func (w *world) Require(_ http.ResponseWriter, r *http.Request, scope string) (api.Token, error) {
	token, ok := w.tokens[r.Header.Get("Authorization")]
	if !ok || scope != operator.Scope && scope != operator.RegisterScope {
		return api.Token{}, api.Refuse(http.StatusUnauthorized, "invalid_token", nil)
	}
	return token, nil
}

// staff is one of the staff, who has signed in just now, by name.
func (w *world) staff(t *testing.T, name string, role clerk.Role) (uuid.UUID, identity.Identifier) {
	t.Helper()
	person, id := w.Active(t)
	if role != "" {
		if err := w.clerks.Add(t.Context(), clerk.Clerk{Person: person, Office: "Centre", Role: role}, uuid.Nil, identitytest.Noon); err != nil {
			t.Fatal(err)
		}
	}
	w.tokens[name] = api.Token{Subject: id.Reveal(), ClientID: "console", GID: uuid.NewString(), ACR: "substantial", AuthTime: w.now, Scheme: api.Bearer}
	return person, id
}

// asks knocks in somebody's name, and wants a status and a code, or any answer with "".
func (w *world) asks(t *testing.T, name, method, path, body string, status int, code string) map[string]any {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", name)
	r.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	w.mux.ServeHTTP(answer, r)
	members := map[string]any{}
	if answer.Body.Len() > 0 {
		if err := json.Unmarshal(answer.Body.Bytes(), &members); err != nil {
			t.Fatalf("%s %s answered %s", method, path, answer.Body)
		}
	}
	if answer.Code != status || code != "" && members["code"] != code {
		t.Errorf("%s: %s %s: %d %v, want %d %s", name, method, path, answer.Code, members, status, code)
	}
	return members
}

func TestTheOperatorSaysWhoIsAClerk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.staff(t, "anna", clerk.Operator)
	w.staff(t, "vera", clerk.Auditor)
	person, id := w.Active(t)
	_, none := w.Person(t)
	post := func(id, office, role string) string {
		return `{"identifier":"` + id + `","office":"` + office + `","role":"` + role + `"}`
	}
	at := "/clerks/" + person.String()
	w.asks(t, "anna", "POST", "/clerks", post(id.Reveal(), "Minsk-1", "clerk"), 201, "")
	w.asks(t, "anna", "POST", "/clerks", post(id.Reveal(), "Minsk-1", "clerk"), 201, "")
	w.asks(t, "anna", "POST", "/clerks", post(id.Reveal(), "Brest-3", "clerk"), 409, "clerk_already")
	w.asks(t, "anna", "POST", "/clerks", post(none.Reveal(), "Minsk-1", "clerk"), 404, "unknown_identifier")
	w.asks(t, "anna", "POST", "/clerks", post("0000000A000PB", " ", "boss"), 422, "invalid")
	specimen, _ := w.Active(t)
	w.Exec(t, `UPDATE person SET identification_number = '0000001A001PB2' WHERE id = $1`, specimen)
	w.asks(t, "anna", "POST", "/clerks", post("0000001A001PB2", "Minsk-1", "clerk"), 422, "invalid")
	w.asks(t, "anna", "PUT", at, `{"office":"Brest-3","role":"operator"}`, 403, "wrong_role")
	w.asks(t, "anna", "PUT", at, `{"office":"Brest-3","role":"supervisor"}`, 204, "")
	all := w.asks(t, "vera", "GET", "/clerks", "", 200, "")["clerks"].([]any)
	if c := all[0].(map[string]any); len(all) != 3 || c["person"] != person.String() || c["office"] != "Brest-3" || c["role"] != "supervisor" || c["identifier"] != id.Reveal() {
		t.Errorf("the staff is %v", all)
	}
	w.asks(t, "anna", "DELETE", at, "", 204, "")
	w.asks(t, "anna", "DELETE", at, "", 204, "")
	w.asks(t, "anna", "DELETE", "/clerks/"+uuid.NewString(), "", 404, "unknown_clerk")
	w.asks(t, "anna", "PUT", "/clerks/nobody", `{"office":"x","role":"clerk"}`, 404, "unknown_clerk")
}

// Of the staff only operators act here, with a sign-in of a moment ago by more than a password (RFC 9470 §3).
func TestOnlyOperatorsWhoHaveJustSignedInAct(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.staff(t, "a citizen", "")
	w.staff(t, "a clerk", clerk.AtDesk)
	w.staff(t, "a supervisor", clerk.Supervisor)
	w.staff(t, "an auditor", clerk.Auditor)
	w.staff(t, "an operator", clerk.Operator)
	as := func(name string, change func(*api.Token)) {
		token := w.tokens["an operator"]
		change(&token)
		w.tokens[name] = token
	}
	as("a system", func(t *api.Token) { t.GID, t.Subject = "", "console" })
	as("by a password alone", func(t *api.Token) { t.ACR = "low" })
	as("of this morning", func(t *api.Token) { t.AuthTime = w.now.Add(-time.Hour) })
	target, _ := w.staff(t, "somebody", clerk.AtDesk)

	before := w.Contents(t)
	for name, want := range map[string]struct {
		act, read  int
		code, also string
	}{
		"a citizen":           {403, 403, "not_a_clerk", "not_a_clerk"},
		"a clerk":             {403, 403, "wrong_role", "wrong_role"},
		"a supervisor":        {403, 403, "wrong_role", "wrong_role"},
		"an auditor":          {403, 200, "wrong_role", ""},
		"a system":            {403, 403, "not_a_clerk", "not_a_clerk"},
		"by a password alone": {401, 401, "insufficient_user_authentication", "insufficient_user_authentication"},
		"of this morning":     {401, 200, "insufficient_user_authentication", ""},
		"nobody":              {401, 401, "invalid_token", "invalid_token"},
	} {
		at := "/clerks/" + target.String()
		w.asks(t, name, "POST", "/clerks", `{}`, want.act, want.code)
		w.asks(t, name, "PUT", at, `{"office":"x","role":"clerk"}`, want.act, want.code)
		w.asks(t, name, "DELETE", at, "", want.act, want.code)
		w.asks(t, name, "GET", "/clerks", "", want.read, want.also)
	}
	if w.Contents(t) != before {
		t.Error("something was done")
	}
}
