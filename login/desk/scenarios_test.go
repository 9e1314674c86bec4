package desk_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/identity"
	"asoba.example/provider/audit"
)

// comes is somebody who has come to a desk with a phone and has confirmed it: the visit's address.
func (d *doors) comes(t *testing.T, token string, id identity.Identifier, phone string) string {
	t.Helper()
	opened := d.asks(t, token, "POST", "/desk/issuances", opening(id, map[string]any{"phone": phone}), 201, nil)
	at := "/desk/issuances/" + opened["id"].(string)
	d.asks(t, token, "POST", at+"/phone", map[string]any{"code": d.Said("Code")}, 204, nil)
	return at
}

// Two desks issue for the same person at the same second: exactly one succeeds (resolution 792 ¶4).
func TestTwoDesksIssueForOnePersonAtTheSameSecond(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	_, colleague := d.world.clerk(t, clerk.AtDesk)
	for range 5 {
		person, id := d.Person(t)
		here, there := d.own(t, d.clerk, uuid.New()), d.own(t, colleague, uuid.New())
		visits := map[string]string{here: d.comes(t, here, id, "8 029 491-19-11"), there: d.comes(t, there, id, "8 029 491-19-12")}
		var (
			mu    sync.Mutex
			told  []string // under mu
			start = make(chan struct{})
			both  sync.WaitGroup
		)
		for token, at := range visits {
			both.Go(func() {
				<-start
				_, answer := d.knock(t, token, "POST", at+"/assign", nil)
				mu.Lock()
				defer mu.Unlock()
				for _, name := range []string{"state", "code"} {
					if said, ok := answer[name].(string); ok {
						told = append(told, said)
					}
				}
			})
		}
		close(start)
		both.Wait()
		slices.Sort(told)
		if !slices.Equal(told, []string{"g2", "temporary"}) || d.State(t, person) != "temporary" {
			t.Errorf("the desks are told %v, and the identifier is %s", told, d.State(t, person))
		}
		for from, want := range map[string]int{
			`identity WHERE person_id = $1`: 1, `sms_message WHERE person_id = $1 AND kind = 'temporary_password'`: 1,
			`event WHERE person_id = $1 AND kind = 'identifier.issued'`: 1, `event WHERE person_id = $1 AND kind = 'desk.refused' AND detail->>'code' = 'g2'`: 1,
		} {
			if n := d.Count(t, from, person); n != want {
				t.Errorf("%d of %s", n, from)
			}
		}
		d.asks(t, d.own(t, d.clerk, uuid.New()), "POST", "/desk/blocks", body(id, map[string]any{"attested": []string{"holder", "particulars"}}), 200, nil)
	}
}

// The same phone for two people: the second is refused with g4 (resolution 792 ¶4), whether it was given to the first before the
// second came or while both stood there, and however it is written.
func TestTheSamePhoneForTwoPeople(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	token := d.own(t, d.clerk, uuid.New())
	_, first := d.Person(t)
	second, late := d.Person(t)
	one, another := d.comes(t, token, first, "8 029 491-19-11"), d.comes(t, token, late, "+375 29 491 19 11")

	d.asks(t, token, "POST", one+"/assign", nil, 200, map[string]any{"state": "temporary"})
	d.asks(t, token, "POST", another+"/assign", nil, 409, map[string]any{"code": "g4"})
	before := d.Count(t, "sms_message")
	for _, spelling := range []string{"80294911911", "375 (29) 491-19-11", "+375294911911"} {
		d.asks(t, token, "POST", "/desk/issuances", opening(late, map[string]any{"phone": spelling}), 409, map[string]any{"code": "g4"})
	}
	if got := d.State(t, second); got != "none" || d.Count(t, "sms_message") != before {
		t.Errorf("the second is %s, and messages went out: %t", got, d.Count(t, "sms_message") != before)
	}
	if n := d.Count(t, `event WHERE person_id = $1 AND kind = 'desk.refused' AND detail->>'code' = 'g4'`, second); n != 4 {
		t.Errorf("%d of 4 refusals are recorded", n)
	}
}

// A clerk tries to issue to himself: refused, and who supervises him is alerted.
func TestAClerkTriesToIssueToHimself(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	_, supervisor := d.world.clerk(t, clerk.Supervisor)
	before := d.Count(t, "sms_message")
	d.asks(t, d.own(t, d.clerk, uuid.New()), "POST", "/desk/issuances", opening(d.clerk, nil), 409, map[string]any{"code": "g9"})
	d.asks(t, d.system, "POST", "/desk/issuances", opening(d.clerk, map[string]any{"clerk": strings.ToLower(d.clerk.Reveal())}), 409, map[string]any{"code": "g9"})
	if n := d.Count(t, "issuance"); n != 0 || d.Count(t, "sms_message") != before {
		t.Errorf("%d visits were opened, and messages went out: %t", n, d.Count(t, "sms_message") != before)
	}
	if err := (&audit.Sealer{Pool: d.Pool}).Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, answer := d.knock(t, d.own(t, supervisor, uuid.New()), "GET", "/desk/alerts", nil)
	alerts, _ := answer["alerts"].([]any)
	if len(alerts) != 1 { // once an hour
		t.Fatalf("the supervisor is told %v", answer)
	}
	if alert := alerts[0].(map[string]any); alert["pattern"] != "own_identifier" || alert["act"] != "issuance" || alert["identifier"] != d.clerk.Reveal() {
		t.Errorf("the supervisor is told %v", alert)
	}
}
