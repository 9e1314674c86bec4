package manage_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/body"
	"asoba.example/provider/clients"
)

// whose knows people by what the register has of them.
func (w *world) whose(ctx context.Context, identifier string) (person uuid.UUID, err error) {
	err = w.pool.QueryRow(ctx, `SELECT id FROM person WHERE identification_number = $1`, identifier).Scan(&person)
	if errors.Is(err, pgx.ErrNoRows) {
		err = body.ErrNobody
	}
	return person, err
}

func (w *world) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := w.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// A person of the tests has an identifier and a grant of the client by which representatives work.
type person struct {
	id    uuid.UUID
	token string
}

func (w *world) person(t *testing.T, number string) person {
	t.Helper()
	p, gid := person{id: uuid.Must(uuid.NewV7())}, uuid.Must(uuid.NewV7())
	w.exec(t, `INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in) VALUES ($1, $2, 'F', '1856', 'BY', 1)`, p.id, number)
	w.exec(t, `INSERT INTO client_grant (id, person_id, client_id, sid, scopes, audience, auth_time, acr, amr, given_at, till)
		VALUES ($1, $2, 'desktop', 's', '{clients:own}', '{}', $3, 'substantial', '{}', $3, $4)`, gid, p.id, noon, noon.Add(time.Hour))
	p.token = w.token(t, map[string]any{"sub": number, "client_id": "desktop", "scope": "clients:own", "gid": gid, "acr": "substantial", "auth_time": noon.Unix()})
	return p
}

// office is a body with two representatives, and the client by which they work.
func (w *world) office(t *testing.T) (path string, anna, boris person) {
	t.Helper()
	if _, _, err := w.registry.Register(t.Context(), "desktop", clients.Metadata{
		RedirectURIs: []string{"https://desktop.example/cb"}, Scope: "openid clients:own",
	}, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
	operator := w.token(t, nil)
	anna, boris = w.person(t, "3080356A001PB5"), w.person(t, "1010130K001PB9")
	status, added := w.call(t, operator, "POST", "/bodies", `{"name":"Налоговая","name#en":"Tax office"}`)
	if status != http.StatusCreated || added["name#en"] != "Tax office" {
		t.Fatalf("got %d %v", status, added)
	}
	path = "/bodies/" + added["id"].(string)
	for _, number := range []string{"3080356A001PB5", "1010130K001PB9"} {
		if status, answer := w.call(t, operator, "POST", path+"/representatives", fmt.Sprintf(`{"identifier":%q}`, number)); status != http.StatusCreated {
			t.Fatalf("got %d %v", status, answer)
		}
	}
	return path, anna, boris
}

// A body's client from its registration to citizens, by the people who represent it; strangers hear that there is none.
func TestABodyTakesItsClientLive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	office, anna, boris := w.office(t)
	stranger := w.person(t, "2290296M000BA3")
	const (
		metadata = `{"redirect_uris":["https://portal.example/cb"],"client_name":"Портал"}`
		changed  = `{"redirect_uris":["https://portal.example/cb"],"client_name":"Портал","scope":"openid phone"}`
	)
	made, draft := w.ask(t, anna.token, "POST", office+"/clients", metadata, "Idempotency-Key", "one")
	again, same := w.ask(t, anna.token, "POST", office+"/clients", metadata, "Idempotency-Key", "one")
	if made.Code != http.StatusCreated || draft["stage"] != "draft" || office != "/bodies/"+fmt.Sprint(draft["owner"]) || again.Code != made.Code || same["client_secret"] != draft["client_secret"] {
		t.Fatalf("got %d %v, then %d %v", made.Code, draft, again.Code, same)
	}
	path := "/clients/" + draft["client_id"].(string)

	if status, _ := w.call(t, boris.token, "PUT", path, changed, "If-Match", `"1"`); status != http.StatusOK {
		t.Errorf("a draft is changed: got %d", status)
	}
	if status, answer := w.call(t, boris.token, "POST", path+"/secrets", ""); status != http.StatusCreated || answer["client_secret"] == nil || !strings.Contains(fmt.Sprint(answer["warnings"]), "previous_client_secret") {
		t.Errorf("a new secret: got %d %v", status, answer)
	}
	if status, answer := w.call(t, anna.token, "PUT", path, `{"redirect_uris":["https://portal.example/cb"],"first_party":true}`); status != 400 || answer["code"] != "invalid_client_metadata" {
		t.Errorf("claims to be ours: got %d %v", status, answer)
	}
	status, proposed := w.call(t, anna.token, "POST", path+"/proposals", "", "If-Match", `"3"`)
	if status != http.StatusCreated || proposed["proposed_by"] != anna.id.String() || proposed["metadata"].(map[string]any)["scope"] != "openid phone" {
		t.Fatalf("got %d %v", status, proposed)
	}
	at := path + "/proposals/" + proposed["id"].(string)
	for who, row := range map[string]struct {
		token string
		want  int
	}{"an operator's system": {w.token(t, nil), 1}, "the other one": {boris.token, 1}, "a stranger": {stranger.token, 0}} {
		if status, answer := w.call(t, row.token, "GET", "/proposals", ""); status != http.StatusOK || len(answer["proposals"].([]any)) != row.want {
			t.Errorf("%s is told that there waits: %d %v", who, status, answer)
		}
	}
	for _, test := range []struct {
		who                       person
		method, path, body, match string
		status                    int
		code                      string
	}{
		{boris, "POST", path + "/proposals", changed, `"3"`, 409, "open_proposal"},
		{boris, "POST", path + "/proposals", changed, "*", 428, "version_required"},
		{boris, "POST", path + "/proposals", changed, "", 428, "version_required"},
		{boris, "POST", path + "/proposals", changed, `"2"`, 412, "stale"},
		{anna, "POST", at + "/approve", "", "", 403, "own_proposal"},
		{anna, "POST", at + "/refuse", `{"reason":"no"}`, "", 403, "own_proposal"},
		{boris, "POST", at + "/withdraw", "", "", 403, "own_proposal"},
		{boris, "POST", at + "/refuse", `{"reason":" "}`, "", 400, "invalid_body"},
		{boris, "POST", at + "/refuse", ``, "", 400, "invalid_body"},
		{boris, "POST", path + "/proposals/one/approve", "", "", 404, "unknown_proposal"},
		{boris, "POST", path + "/proposals/" + uuid.NewString() + "/approve", "", "", 404, "unknown_proposal"},
		{stranger, "GET", path, "", "", 404, "unknown_client"},
		{stranger, "GET", path + "/history", "", "", 404, "unknown_client"},
		{stranger, "GET", path + "/proposals", "", "", 404, "unknown_client"},
		{stranger, "PUT", path, changed, "*", 404, "unknown_client"},
		{stranger, "DELETE", path, "", "*", 404, "unknown_client"},
		{stranger, "POST", path + "/secrets", "", "*", 404, "unknown_client"},
		{stranger, "POST", path + "/proposals", "", `"3"`, 404, "unknown_client"},
		{stranger, "POST", at + "/approve", "", "", 404, "unknown_client"},
		{stranger, "POST", at + "/refuse", `{"reason":"no"}`, "", 404, "unknown_client"},
		{stranger, "POST", office + "/clients", metadata, "", 404, "unknown_body"},
		{stranger, "GET", office + "/clients", "", "", 404, "unknown_body"},
		{stranger, "GET", office + "/representatives", "", "", 404, "unknown_body"},
	} {
		header := []string{"If-Match", test.match}
		if test.match == "" {
			header = nil
		}
		if status, answer := w.call(t, test.who.token, test.method, test.path, test.body, header...); status != test.status || answer["code"] != test.code {
			t.Errorf("%s %s: got %d %v, want %d %s", test.method, test.path, status, answer, test.status, test.code)
		}
	}
	approved, live := w.ask(t, boris.token, "POST", at+"/approve", "")
	if approved.Code != http.StatusOK || live["stage"] != "live" {
		t.Fatalf("got %d %v", approved.Code, live)
	}
	now := []string{"If-Match", approved.Header().Get("ETag")}
	for who, token := range map[string]string{"a representative": anna.token, "a system": w.token(t, nil)} {
		for _, method := range []string{"PUT", "DELETE"} {
			if status, answer := w.call(t, token, method, path, changed); status != http.StatusConflict || answer["code"] != "live" {
				t.Errorf("%s of a live one by %s alone: got %d %v", method, who, status, answer)
			}
		}
	}
	if status, answer := w.call(t, boris.token, "POST", at+"/approve", ""); status != http.StatusOK || answer["stage"] != "live" || answer["client_secret"] != nil {
		t.Errorf("approved again, by who has not heard of it: got %d %v", status, answer)
	}
	if status, answer := w.call(t, anna.token, "POST", at+"/approve", ""); status != http.StatusConflict || answer["code"] != "decided" {
		t.Errorf("approved again, by another: got %d %v", status, answer)
	}
	_, second := w.call(t, boris.token, "POST", path+"/proposals", metadata, now...)
	if status, refused := w.call(t, anna.token, "POST", path+"/proposals/"+second["id"].(string)+"/refuse", `{"reason":"Телефон нужен"}`); status != http.StatusOK || refused["state"] != "refused" || refused["reason"] != "Телефон нужен" {
		t.Errorf("got %d %v", status, refused)
	}
	_, third := w.call(t, boris.token, "POST", path+"/proposals", metadata, now...)
	if status, withdrawn := w.call(t, boris.token, "POST", path+"/proposals/"+third["id"].(string)+"/withdraw", ""); status != http.StatusOK || withdrawn["state"] != "withdrawn" {
		t.Errorf("got %d %v", status, withdrawn)
	}
	_, listed := w.call(t, w.token(t, nil), "GET", path+"/proposals", "")
	var states []string
	for _, p := range listed["proposals"].([]any) {
		states = append(states, p.(map[string]any)["state"].(string))
	}
	if got, want := strings.Join(states, " "), "withdrawn refused approved"; got != want {
		t.Errorf("proposed %s, want %s", got, want)
	}
	w.seal(t)
	_, history := w.call(t, anna.token, "GET", path+"/history", "")
	var went bool
	for _, c := range history["changes"].([]any) {
		change := c.(map[string]any)
		after, _ := change["after"].(map[string]any)
		went = went || after["stage"] == "live" && change["person"] == boris.id.String() && change["by"] == "desktop"
	}
	if !went {
		t.Errorf("nobody took it live: %v", history)
	}
	_, bodies := w.call(t, anna.token, "GET", "/bodies", "")
	_, owned := w.call(t, anna.token, "GET", office+"/clients", "")
	_, none := w.call(t, stranger.token, "GET", "/bodies", "")
	if len(bodies["bodies"].([]any)) != 1 || len(owned["clients"].([]any)) != 1 || len(none["bodies"].([]any)) != 0 {
		t.Errorf("got %v, %v, %v", bodies, owned, none)
	}
}

// An operator gives a client to a body and takes it back, names its people and removes them: they are strangers from then on.
func TestAnOperatorSaysWhoseAClientIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	office, anna, boris := w.office(t)
	operator := w.token(t, nil)
	_, own := w.call(t, operator, "POST", "/clients", `{"redirect_uris":["https://portal.example/cb"]}`)
	path, id := "/clients/"+own["client_id"].(string), strings.TrimPrefix(office, "/bodies/")
	sees := func(who person) int {
		t.Helper()
		status, _ := w.call(t, who.token, "GET", path, "")
		return status
	}
	if own["stage"] != "live" || sees(anna) != http.StatusNotFound {
		t.Errorf("registered as %v, and Anna gets %d", own["stage"], sees(anna))
	}
	if status, answer := w.call(t, operator, "PUT", path+"/owner", `{"body":"`+id+`"}`, "If-Match", `"1"`); status != http.StatusOK || answer["owner"] != id || sees(anna) != http.StatusOK {
		t.Errorf("given: got %d %v", status, answer)
	}
	if status, _ := w.call(t, operator, "DELETE", office+"/representatives/"+boris.id.String(), ""); status != http.StatusNoContent || sees(boris) != http.StatusNotFound {
		t.Errorf("removed: got %d", status)
	}
	if status, answer := w.call(t, operator, "DELETE", office+"/representatives/"+boris.id.String(), ""); status != http.StatusNotFound || answer["code"] != "unknown_person" {
		t.Errorf("removed again: got %d %v", status, answer)
	}
	_, people := w.call(t, operator, "GET", office+"/representatives", "")
	if left := people["representatives"].([]any); len(left) != 1 || left[0].(map[string]any)["person"] != anna.id.String() {
		t.Errorf("left are %v", people)
	}
	if status, _ := w.call(t, operator, "PUT", path+"/owner", `{"body":null}`); status != http.StatusOK || sees(anna) != http.StatusNotFound {
		t.Errorf("taken back: got %d", status)
	}
	_, draft := w.call(t, operator, "POST", office+"/clients", `{"redirect_uris":["https://portal.example/cb"],"first_party":true}`)
	if status, answer := w.call(t, operator, "PUT", "/clients/"+draft["client_id"].(string)+"/owner", `{"body":null}`); status != http.StatusConflict || answer["code"] != "ownerless" {
		t.Errorf("a draft of nobody's: got %d %v", status, answer)
	}
	if status, answer := w.call(t, operator, "PUT", path+"/owner", `{}`); status != http.StatusBadRequest || answer["code"] != "invalid_body" {
		t.Errorf("no word of whose: got %d %v", status, answer)
	}
	for number, code := range map[string]string{"0000000A000PB2": "unknown_person", "5311299B500PB0": "unknown_person"} {
		w.exec(t, `INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in) VALUES ($1, '0000000A000PB2', 'F', '1856', 'BY', 1) ON CONFLICT DO NOTHING`, uuid.New())
		if status, answer := w.call(t, operator, "POST", office+"/representatives", fmt.Sprintf(`{"identifier":%q}`, number)); status != http.StatusNotFound || answer["code"] != code {
			t.Errorf("%s: got %d %v", number, status, answer)
		}
	}
}

// Who acts for a body is a person, who signed in by more than a password (RFC 9470 §3), and whose grant still holds.
func TestOnlyAPersonActsForABody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	office, anna, _ := w.office(t)
	var gid string
	if err := w.pool.QueryRow(t.Context(), `SELECT id FROM client_grant WHERE person_id = $1`, anna.id).Scan(&gid); err != nil {
		t.Fatal(err)
	}
	right := map[string]any{"sub": "3080356A001PB5", "client_id": "desktop", "scope": "clients:own", "gid": gid, "acr": "substantial", "auth_time": noon.Unix()}
	for name, test := range map[string]struct {
		change map[string]any
		status int
		code   string
	}{
		"as it should be":             {nil, 200, ""},
		"by a password alone":         {map[string]any{"acr": "low"}, 401, "insufficient_user_authentication"},
		"of a grant that there isn't": {map[string]any{"gid": uuid.NewString()}, 401, "invalid_token"},
		"for something else":          {map[string]any{"scope": "openid"}, 403, "insufficient_scope"},
		"to manage all clients":       {map[string]any{"scope": "clients:manage"}, 403, "insufficient_scope"},
		"a system's":                  {map[string]any{"gid": "", "sub": "desktop"}, 403, "insufficient_scope"},
	} {
		claims := map[string]any{}
		for _, from := range []map[string]any{right, test.change} {
			for claim, value := range from {
				claims[claim] = value
			}
		}
		got, answer := w.ask(t, w.token(t, claims), "GET", office+"/clients", "")
		if code, _ := answer["code"].(string); got.Code != test.status || code != test.code {
			t.Errorf("a token %s: got %d %v", name, got.Code, answer)
		}
		if challenge := strings.Join(got.Header().Values("WWW-Authenticate"), " "); test.code == "insufficient_user_authentication" && !strings.Contains(challenge, `acr_values="substantial"`) {
			t.Errorf("challenged by %s", challenge)
		}
	}
	// What another person or a running service relies on is done by who has just signed in.
	right["auth_time"] = noon.Add(-21 * time.Minute).Unix()
	_, draft := w.call(t, anna.token, "POST", office+"/clients", `{"redirect_uris":["https://portal.example/cb"]}`)
	path := "/clients/" + draft["client_id"].(string)
	for act, body := range map[string]string{
		"/secrets": "", "/proposals": "", "/proposals/" + uuid.NewString() + "/approve": "", "/proposals/" + uuid.NewString() + "/refuse": `{"reason":"no"}`,
	} {
		got, answer := w.ask(t, w.token(t, right), "POST", path+act, body, "If-Match", `"1"`)
		if challenge := strings.Join(got.Header().Values("WWW-Authenticate"), " "); answer["code"] != "insufficient_user_authentication" || !strings.Contains(challenge, `max_age="1200"`) {
			t.Errorf("%s: got %d %v, challenged by %s", act, got.Code, answer, challenge)
		}
	}
	if status, answer := w.call(t, w.token(t, map[string]any{"client_id": "desktop", "scope": "clients:own", "gid": ""}), "POST", "/clients/operator/proposals", ""); status != 403 || answer["code"] != "person_required" {
		t.Errorf("a system proposes: got %d %v", status, answer)
	}
	w.exec(t, `UPDATE client_grant SET ended_at = now(), ended_why = 'blocked' WHERE id = $1`, gid)
	if status, _ := w.call(t, anna.token, "GET", office+"/clients", ""); status != http.StatusUnauthorized {
		t.Errorf("after its end: got %d", status)
	}
}

// One of a body's people does not end the secret of a running service, and once they are removed they are not told again what they were told.
func TestOnePersonStopsNoService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	office, anna, boris := w.office(t)
	made, draft := w.ask(t, anna.token, "POST", office+"/clients", `{"redirect_uris":["https://portal.example/cb"]}`)
	path := "/clients/" + draft["client_id"].(string)
	_, p := w.call(t, anna.token, "POST", path+"/proposals", "", "If-Match", made.Header().Get("ETag"))
	w.call(t, boris.token, "POST", path+"/proposals/"+p["id"].(string)+"/approve", "")
	if status, answer := w.call(t, anna.token, "POST", path+"/secrets", `{"overlap":3600}`); status != http.StatusBadRequest || answer["code"] != "invalid_overlap" {
		t.Errorf("an hour: got %d %v", status, answer)
	}
	if status, answer := w.call(t, anna.token, "POST", path+"/secrets", `{"overlap":86400}`, "Idempotency-Key", "k"); status != http.StatusCreated {
		t.Errorf("a day: got %d %v", status, answer)
	}
	c, err := w.registry.Find(t.Context(), draft["client_id"].(string))
	if err != nil || !c.HasSecret(draft["client_secret"].(string), noon.Add(23*time.Hour)) {
		t.Errorf("the service's secret is over: %v", err)
	}
	w.call(t, w.token(t, nil), "DELETE", office+"/representatives/"+anna.id.String(), "")
	if status, answer := w.call(t, anna.token, "POST", path+"/secrets", `{"overlap":86400}`, "Idempotency-Key", "k"); status != http.StatusNotFound || answer["client_secret"] != nil {
		t.Errorf("removed, and again: got %d %v", status, answer)
	}
}

// The people of a client's new owner read what was done since it is theirs, and nothing of the owner before.
func TestTheHistoryOfAnotherBodyIsNotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	office, anna, boris := w.office(t)
	operator := w.token(t, nil)
	made, draft := w.ask(t, anna.token, "POST", office+"/clients", `{"redirect_uris":["https://portal.example/cb"]}`)
	id := draft["client_id"].(string)
	_, p := w.call(t, anna.token, "POST", "/clients/"+id+"/proposals", "", "If-Match", made.Header().Get("ETag"))
	w.call(t, boris.token, "POST", "/clients/"+id+"/proposals/"+p["id"].(string)+"/refuse", `{"reason":"secret of the first"}`)
	_, second := w.call(t, operator, "POST", "/bodies", `{"name":"Другое"}`)
	to := uuid.MustParse(second["id"].(string))
	if _, err := w.bodies.Give(t.Context(), id, clients.Any, &to, clients.By{At: noon.Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	carol := w.person(t, "2290296M000BA3")
	if err := w.bodies.Name(t.Context(), to, carol.id, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
	w.seal(t)
	_, proposals := w.call(t, carol.token, "GET", "/clients/"+id+"/proposals", "")
	_, history := w.call(t, carol.token, "GET", "/clients/"+id+"/history", "")
	if got, want := len(proposals["proposals"].([]any)), 0; got != want {
		t.Errorf("reads %d proposals: %v", got, proposals)
	}
	if got, want := len(history["changes"].([]any)), 1; got != want { // that it is theirs
		t.Errorf("reads %d changes: %v", got, history)
	}
	_, all := w.call(t, operator, "GET", "/clients/"+id+"/history", "")
	if got, want := len(all["changes"].([]any)), 4; got != want {
		t.Errorf("the operator reads %d changes, want %d", got, want)
	}
}
