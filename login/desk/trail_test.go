package desk_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/desk"
	"asoba.example/provider/audit"
)

// What is recorded of a person an auditor reads, by name and for a purpose, and the person sees in the journal that it was read. Nobody
// else reads it, and no system.
func TestATrailIsReadForAPurpose(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	person, _ := d.Active(t)
	tokens := map[string]string{"a system": d.system}
	for _, role := range []clerk.Role{clerk.AtDesk, clerk.Supervisor, clerk.Operator, clerk.Auditor} {
		_, id := d.world.clerk(t, role)
		tokens[string(role)] = d.own(t, id, uuid.New())
	}
	sealer := audit.Sealer{Pool: d.Pool}
	if err := sealer.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	at := "/desk/people/" + person.String() + "/events"
	for story, row := range map[string]struct {
		who, path string
		status    int
		code      string
	}{
		"a system":                   {"a system", at + "?purpose=inquiry", 403, "not_a_clerk"},
		"a clerk":                    {"clerk", at + "?purpose=inquiry", 403, "wrong_role"},
		"a supervisor":               {"supervisor", at + "?purpose=inquiry", 403, "wrong_role"},
		"an operator":                {"operator", at + "?purpose=inquiry", 403, "wrong_role"},
		"for no purpose":             {"auditor", at, 400, "invalid_parameter"},
		"for a purpose that is none": {"auditor", at + "?purpose=curiosity", 400, "invalid_parameter"},
		"after what is no cursor":    {"auditor", at + "?purpose=inquiry&after=x", 400, "invalid_cursor"},
		"after what has not come":    {"auditor", at + "?purpose=inquiry&after=99999", 400, "invalid_cursor"},
		"of nobody":                  {"auditor", "/desk/people/" + uuid.NewString() + "/events?purpose=inquiry", 404, "unknown_identifier"},
		"of what is nobody's id":     {"auditor", "/desk/people/x/events?purpose=inquiry", 404, "unknown_identifier"},
	} {
		if status, answer := d.knock(t, tokens[row.who], "GET", row.path, nil); status != row.status || answer["code"] != row.code {
			t.Errorf("%s: %d %v, want %d %s", story, status, answer, row.status, row.code)
		}
	}
	const read = `event WHERE kind = 'trail.read'`
	if n := d.Count(t, read); n != 0 {
		t.Errorf("%d readings are recorded that were none", n)
	}

	d.Exec(t, `INSERT INTO former_citizenship (person_id, at, citizenship) SELECT $1::uuid, $2::timestamptz, unnest('{PL,stateless}'::text[])`, person, d.now)
	answer := d.asks(t, tokens["auditor"], "GET", at+"?purpose=inquiry", nil, 200, map[string]any{"more": false})
	if was, ok := answer["former_citizenships"].([]any); !ok || len(was) != 2 || was[0].(map[string]any)["citizenship"] != "PL" {
		t.Errorf("the citizenships there were: %v", answer["former_citizenships"])
	}
	events := answer["events"].([]any)
	if len(events) != d.Count(t, `event WHERE place > 0 AND person_id = $1`, person) || len(events) == 0 {
		t.Errorf("read: %v", events)
	}
	if n := d.Count(t, read+` AND person_id = $1 AND clerk_id IS NOT NULL AND office <> '' AND detail->>'purpose' = 'inquiry'`, person); n != 1 {
		t.Errorf("%d readings are recorded", n)
	}
	d.Exec(t, `INSERT INTO event (id, kind, at, person_id) SELECT gen_random_uuid(), 'signed_in', $2::timestamptz, $1::uuid FROM generate_series(1, 200)`, person, d.now)
	if err := sealer.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	answer = d.asks(t, tokens["auditor"], "GET", at+"?purpose=inquiry&after="+answer["cursor"].(string), nil, 200, map[string]any{"more": true})
	if events := answer["events"].([]any); len(events) != 100 {
		t.Errorf("%d events at once", len(events))
	}
}

// What cannot be recorded is not read; and nobody reads what is recorded of himself.
func TestATrailIsNotReadUnseen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	auditor, _ := w.clerk(t, clerk.Auditor)
	person, _ := w.Active(t)
	feed := audit.NewFeed(w.Pool, w.Pool)
	read := func(person uuid.UUID) error {
		_, err := w.desk.ReadTrail(t.Context(), feed, auditor, person, 0, desk.Inquiry)
		return err
	}
	for n := 1; n <= 4; n++ { // who it is, what is recorded, which citizenships were theirs, and that it was read
		w.Trips.FailAt(n)
		err := read(person)
		w.Trips.FailAt(0)
		if err == nil || w.Count(t, `event WHERE kind = 'trail.read'`) != 0 {
			t.Errorf("read over a broken statement %d: %v", n, err)
		}
	}
	if err := read(person); err != nil || w.Count(t, `event WHERE kind = 'trail.read' AND person_id = $1`, person) != 1 {
		t.Errorf("read: %v", err)
	}
	if err := read(auditor.Person); !errors.Is(err, desk.ErrGuard) || w.Count(t, `event WHERE kind = 'desk.refused' AND clerk_id = $1 AND detail->>'code' = 'g9'`, auditor.Person) != 1 {
		t.Errorf("one's own: %v", err)
	}
}
