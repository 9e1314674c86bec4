package operator_test

import (
	"fmt"
	"strings"
	"testing"

	"asoba.example/login/clerk"
)

// A system, or an operator, tells what the register says of one person: whoever has died is blocked at once, whose number becomes another one
// is found by it; and what is wrong is named.
func TestAnEventComesInByTheAPI(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	r.staff(t, "anna", clerk.Operator)
	r.staff(t, "vera", clerk.Auditor)
	person, id := r.Active(t)
	const fresh = "5311299B500PB0"
	event := func(id, at, number, more string) string {
		return fmt.Sprintf(`{"id":"%s","at":"%s","person":{"identification_number":"%s","sex":"F","birth_date":"1956-03-08","citizenship":"BY"%s}}`, id, at, number, more)
	}
	const at, path = "2026-11-20T10:00:00+03:00", "/register/events"
	dead := event("1", at, id.Reveal(), `,"death_date":"2026-11-19"`)
	r.asks(t, "vera", "POST", path, dead, 403, "wrong_role")
	r.asks(t, "nobody", "POST", path, dead, 401, "invalid_token")
	if told := r.asks(t, "a system", "POST", path, dead, 201, ""); told["person"] != person.String() || told["changed"] != true || r.State(t, person) != "blocked:register" {
		t.Errorf("told: %v, who has died is %s", told, r.State(t, person))
	}
	if told := r.asks(t, "anna", "POST", path, dead, 200, ""); told["again"] != true {
		t.Errorf("again: %v", told)
	}
	r.asks(t, "a system", "POST", path, event("1", at, id.Reveal(), ""), 409, "other_event")
	r.asks(t, "a system", "POST", path, event("2", "2026-11-20T09:59:59+03:00", id.Reveal(), ""), 409, "older_event")
	r.asks(t, "a system", "POST", path, event("2", "2026-11-23T10:00:00Z", id.Reveal(), ""), 422, "invalid")
	r.asks(t, "a system", "POST", path, event("2", "soon", id.Reveal(), ""), 400, "invalid_body")
	r.asks(t, "a system", "POST", path, event("2", at, id.Reveal(), `,"name":"Anna"`), 400, "invalid_body")
	r.asks(t, "a system", "POST", path, event("", at, id.Reveal(), ""), 400, "invalid_body")
	bad := r.asks(t, "a system", "POST", path, event("2", at, id.Reveal(), `,"missing_date":"yesterday"`), 422, "invalid")
	if f := fmt.Sprint(bad["fields"]); f != "[map[code:date name:/person/missing_date]]" {
		t.Errorf("what is wrong: %s", f)
	}
	renamed := `{"former_number":"` + id.Reveal() + `",` + event("3", "2026-11-21T10:00:00Z", fresh, "")[1:]
	if told := r.asks(t, "anna", "POST", path, renamed, 201, ""); told["person"] != person.String() || r.State(t, person) != "blocked:desk" {
		t.Errorf("renamed: %v, who is found alive is %s", told, r.State(t, person))
	}
	_, other := r.Active(t)
	taken := `{"former_number":"` + other.Reveal() + `",` + event("4", "2026-11-21T11:00:00Z", fresh, "")[1:]
	r.asks(t, "a system", "POST", path, taken, 409, "two_people")
	r.asks(t, "a system", "POST", path, strings.Replace(taken, fresh, id.Reveal(), 1), 409, "number_taken")
	gap := `{"former_number":"` + id.Reveal() + `",` + event("5", "2026-11-21T12:00:00Z", "5311299H123PB7", "")[1:]
	r.asks(t, "a system", "POST", path, gap, 409, "unknown_former")
}
