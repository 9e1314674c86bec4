package desk_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/desk"
	"asoba.example/login/identity"
)

// An assignment counts when its visit is opened, and again each time that it is refused.
func TestRefusedAssignmentsAreLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.Person(t)
	opened, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, w.opening(t, id, 9001))
	if err != nil {
		t.Fatal(err)
	}
	guard, rate := new(desk.GuardError), new(desk.RateError)
	for errors.As(err, &guard) || err == nil { // the phone is not confirmed
		_, err = w.desk.Assign(t.Context(), w.by, desk.Issuance, opened)
	}
	if n := w.Count(t, `event WHERE kind = 'desk.refused'`); n != 119 || !errors.As(err, &rate) {
		t.Errorf("%d are refused and recorded, and then: %v", n, err)
	}
}

// A person is sent three temporary passwords anew in a day, whatever for and by whichever way. The fourth is refused with
// the time from which it is not, on record and with a slip, and nothing is done or sent.
func TestAPersonIsSentSoManyTemporaryPasswordsInADay(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	token := d.own(t, d.clerk, uuid.New())
	change := func(id identity.Identifier, phone string) string {
		t.Helper()
		attested := map[string]any{"phone": phone, "attested": []string{"holder", "phone"}}
		at := "/desk/phone-changes/" + d.asks(t, token, "POST", "/desk/phone-changes", body(id, attested), 201, nil)["id"].(string)
		d.asks(t, token, "POST", at+"/phone", map[string]any{"code": d.Said("Code")}, 204, nil)
		return at + "/assign"
	}
	_, id := d.Issued(t)
	d.asks(t, token, "POST", "/desk/reissues", body(id, nil), 200, nil)
	d.now = d.now.Add(time.Hour)
	token = d.own(t, d.clerk, uuid.New())
	d.asks(t, token, "POST", change(id, "8 029 491-19-21"), nil, 200, map[string]any{"state": "temporary"})
	d.now = d.now.Add(2 * time.Minute)
	late := change(id, "8 029 491-19-22")
	d.asks(t, token, "POST", "/desk/blocks", body(id, nil), 200, nil)
	d.asks(t, token, "POST", "/desk/unblocks", body(id, nil), 200, nil)

	const recorded = `event WHERE kind = 'desk.refused' AND detail->>'code' = 'too_many_reissues'`
	refused := func(path string, asked any) {
		t.Helper()
		content, err := json.Marshal(asked)
		if err != nil {
			t.Fatal(err)
		}
		if asked == nil {
			content = nil
		}
		before, refusals := d.Count(t, "desk_act")+d.Count(t, "issuance")+d.Count(t, "sms_message"), d.Count(t, recorded)
		w := d.send(t, token, "POST", path, "application/json", content)
		if w.Code != 429 || w.Header().Get("Retry-After") != "82681" || !strings.Contains(w.Body.String(), `"too_many_reissues"`) || !strings.Contains(w.Body.String(), `"/desk/refusals/`) {
			t.Errorf("%s: %d %s after %s", path, w.Code, w.Body, w.Header().Get("Retry-After"))
		}
		if d.Count(t, "desk_act")+d.Count(t, "issuance")+d.Count(t, "sms_message") != before || d.Count(t, recorded) != refusals+1 {
			t.Errorf("%s: something was done, or the refusal is not recorded", path)
		}
	}
	refused("/desk/reissues", body(id, nil))
	refused("/desk/reissues", opening(id, nil))
	refused("/desk/phone-changes", body(id, map[string]any{"phone": "8 029 491-19-23", "attested": []string{"holder", "phone"}}))
	refused(late, nil) // it was opened when two were sent
	d.asks(t, token, "POST", "/desk/blocks", body(id, nil), 200, nil)
	refused("/desk/unblocks", body(id, nil))

	// A change of phone by whoever has a static password sends none, and does not count.
	_, active := d.Active(t)
	d.asks(t, token, "POST", change(active, "8 029 491-19-24"), nil, 200, map[string]any{"state": "active"})
	d.asks(t, token, "POST", "/desk/blocks", body(active, nil), 200, nil)
	for _, path := range []string{"/desk/unblocks", "/desk/reissues", "/desk/reissues"} {
		d.asks(t, token, "POST", path, body(active, nil), 200, nil)
	}

	d.now = d.now.Add(23 * time.Hour)
	token = d.own(t, d.clerk, uuid.New())
	d.asks(t, token, "POST", "/desk/unblocks", body(id, nil), 200, nil)
}
