package desk_test

import (
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/desk"
)

// prints asks for a sheet, and gives its text.
func (d *doors) prints(t *testing.T, token, method, path string, body any) string {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(string(text)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, r)
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return html.UnescapeString(w.Body.String())
}

// The written application (resolution 792 ¶3, ¶6) is filled in with what is on the screen; what is not there is left to
// the pen, and what is not well written is told. Nothing is kept.
func TestAnApplicationIsFilledIn(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	_, id := d.Person(t)
	token := d.own(t, d.clerk, uuid.New())
	_, citizen := d.Active(t)
	named := d.named(t, "Brest-3")
	before := d.Contents(t)

	whole := opening(id, map[string]any{"errand": "issuance", "language": "be"})
	delete(whole, "attested")
	for _, by := range []string{token, d.system} {
		if by == d.system {
			maps.Copy(whole, named)
		}
		sheet := d.prints(t, by, "POST", "/desk/application-forms", whole)
		for _, written := range []string{
			`lang="be"`, "аб прызначэнні ўнікальнага ідэнтыфікатара", id.Reveal(), "MP1234567", "01.01.2030", "Каваленка Алена Пятроўна", "+375294911911", "12-7", "22.11.2026",
		} {
			if !strings.Contains(sheet, written) {
				t.Errorf("the application does not say %s", written)
			}
		}
		if office := map[string]string{token: "Minsk-1", d.system: "Brest-3"}[by]; !strings.Contains(sheet, office) {
			t.Errorf("the application is not for %s", office)
		}
	}
	for _, errand := range desk.Errands {
		d.prints(t, token, "POST", "/desk/application-forms", map[string]any{"errand": errand})
	}
	for pointer, more := range map[string]map[string]any{
		"/errand":     {"errand": "renounce"},
		"/identifier": {"identifier": "7000001A00PB9"},
		"/document":   {"document": map[string]any{"kind": "library card"}},
		"/names":      {"names": map[string]any{"family": "<b>"}},
		"/phone":      {"phone": "+375172000000"},
		"/basis":      {"basis": map[string]any{"number": "1"}},
		"/language":   {"language": "en"},
	} {
		asked := map[string]any{"errand": "block"}
		for name, value := range more {
			asked[name] = value
		}
		status, answer := d.knock(t, token, "POST", "/desk/application-forms", asked)
		fields, _ := answer["fields"].([]any)
		if status != 422 || len(fields) != 1 || fields[0].(map[string]any)["name"] != pointer {
			t.Errorf("%s: %d %v", pointer, status, answer)
		}
	}
	d.asks(t, d.own(t, citizen, uuid.New()), "POST", "/desk/application-forms", map[string]any{"errand": "block"}, 403, map[string]any{"code": "not_a_clerk"})
	d.asks(t, d.system, "POST", "/desk/application-forms", map[string]any{"errand": "block"}, 403, map[string]any{"code": "clerk_required"})
	d.asks(t, "", "POST", "/desk/application-forms", map[string]any{"errand": "block"}, 401, nil)
	if d.Contents(t) != before {
		t.Error("printing an application did something")
	}
}

// Who is refused takes a slip along: the number under which the refusal is on record, the reason, the way to appeal,
// and nothing about a person. It is given in the office that refused, and to the system that was refused.
func TestARefusalIsPrinted(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	_, id := d.Active(t)
	token := d.own(t, d.clerk, uuid.New())

	refused := d.asks(t, token, "POST", "/desk/issuances", opening(id, map[string]any{"phone": "8 029 491-19-99"}), 409, map[string]any{"code": "g2"})
	at := refused["instance"].(string) + "/slip"
	number := strings.TrimPrefix(refused["instance"].(string), "/desk/refusals/")
	for language, words := range map[string][]string{
		"":             {`lang="ru"`, "назначается он один раз"},
		"?language=be": {`lang="be"`, "прызначаецца ён адзін раз", "№ 433-З"},
	} {
		sheet := d.prints(t, token, "GET", at+language, nil)
		for _, said := range append(words, number, "Minsk-1", "22.11.2026 16:00", "<dd>g2</dd>") {
			if !strings.Contains(sheet, said) {
				t.Errorf("the slip in %q does not say %q", language, said)
			}
		}
		for _, personal := range []string{id.Reveal(), "Каваленка", "1234567", "4911999"} {
			if strings.Contains(sheet, personal) {
				t.Errorf("the slip says %q", personal)
			}
		}
	}

	named := d.named(t, "Brest-3")
	theirs := d.asks(t, d.system, "POST", "/desk/unblocks", body(id, named), 409, map[string]any{"code": "wrong_state"})["instance"].(string) + "/slip"
	d.prints(t, d.system, "GET", theirs, nil)

	elsewhere, other := d.world.clerk(t, clerk.AtDesk)
	d.Exec(t, `UPDATE clerk SET office = 'Homel-2' WHERE person_id = $1`, elsewhere.Person)
	_, citizen := d.Active(t)
	for who, row := range map[string]struct {
		token, path string
		status      int
		code        string
	}{
		"a clerk of another office":   {d.own(t, other, uuid.New()), at, 404, "unknown_refusal"},
		"a clerk of no other's":       {token, theirs, 404, "unknown_refusal"},
		"a citizen":                   {d.own(t, citizen, uuid.New()), at, 403, "not_a_clerk"},
		"another system":              {d.token(t, map[string]any{"sub": "bank", "client_id": "bank"}), theirs, 404, "unknown_refusal"},
		"of something else on record": {token, "/desk/refusals/" + d.another(t) + "/slip", 404, "unknown_refusal"},
		"of nothing":                  {token, "/desk/refusals/" + uuid.NewString() + "/slip", 404, "unknown_refusal"},
		"by a name that is none":      {token, "/desk/refusals/x/slip", 404, "unknown_refusal"},
		"in a language that is none":  {token, at + "?language=la", 400, "invalid_parameter"},
	} {
		if status, answer := d.knock(t, row.token, "GET", row.path, nil); status != row.status || answer["code"] != row.code {
			t.Errorf("%s: %d %v", who, status, answer)
		}
	}
}

// another is an event that is no refusal.
func (d *doors) another(t *testing.T) string {
	t.Helper()
	var id string
	if err := d.Pool.QueryRow(t.Context(), `SELECT id::text FROM event WHERE kind = 'identifier.issued' LIMIT 1`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}
