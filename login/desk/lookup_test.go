package desk_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"asoba.example/login/desk"
	"asoba.example/login/identity"
	"asoba.example/migrations/pgtest"
)

// documentOf is the number of the document that an identifier was issued by, which the world makes like the phone's.
func documentOf(t *testing.T, w *world, id identity.Identifier) string {
	t.Helper()
	phone := phoneOf(t, w, id).Reveal()
	return "mp 000" + phone[len(phone)-4:]
}

// Nobody is found by name, and whoever knows only a number hears one and the same of everybody.
func TestALookUpNeedsTheIdentifierAndTheDocument(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	person, id := d.Active(t)
	_, temporary := d.Issued(t)
	_, blocked := d.Active(t)
	_, none := d.Person(t)
	if _, err := d.desk.Block(t.Context(), d.by, visit(blocked)); err != nil {
		t.Fatal(err)
	}
	token := d.own(t, d.clerk, uuid.New())
	ask := func(id identity.Identifier, number, purpose string) map[string]any {
		return map[string]any{"identifier": id.Reveal(), "document": map[string]any{"number": number}, "purpose": purpose}
	}

	shown := d.asks(t, token, "POST", "/desk/lookups", ask(id, documentOf(t, d.world, id), "visit"), 200, map[string]any{"state": "active", "block_reason": nil, "password_till": nil})
	if phone, _ := shown["phone"].(string); phone != phoneOf(t, d.world, id).String() || len(shown) != 3 {
		t.Errorf("shown: %v", shown)
	}
	d.asks(t, token, "POST", "/desk/lookups", ask(temporary, documentOf(t, d.world, temporary), "complaint"), 200, map[string]any{"state": "temporary", "password_till": "2026-11-25T12:00:00Z"})
	d.asks(t, token, "POST", "/desk/lookups", ask(blocked, documentOf(t, d.world, blocked), "inquiry"), 200, map[string]any{"state": "blocked", "block_reason": "desk"})

	stranger, err := identity.ParseIdentifier("0000000A000PB2")
	if err != nil {
		t.Fatal(err)
	}
	for name, who := range map[string]identity.Identifier{"another document": blocked, "nobody's identifier": none, "nobody": stranger} {
		if answer := d.asks(t, token, "POST", "/desk/lookups", ask(who, documentOf(t, d.world, id), "visit"), 404, map[string]any{"code": "unknown_identifier"}); answer["instance"] != nil {
			t.Errorf("%s: %v", name, answer)
		}
	}
	d.asks(t, token, "POST", "/desk/lookups", ask(id, documentOf(t, d.world, id), "curiosity"), 422, map[string]any{"code": "invalid"})
	d.asks(t, token, "POST", "/desk/lookups", map[string]any{"name": "Каваленка", "purpose": "visit"}, 400, map[string]any{"code": "invalid_body"})
	d.asks(t, d.system, "POST", "/desk/lookups", ask(id, documentOf(t, d.world, id), "visit"), 403, map[string]any{"code": "clerk_required"})

	if n := d.Count(t, `event WHERE kind = 'desk.looked_up' AND person_id = $1 AND clerk_id IS NOT NULL AND office = 'Minsk-1' AND detail->>'purpose' = 'visit'`, person); n != 1 {
		t.Errorf("the person's journal has %d look-ups of one", n)
	}
	if n := d.Count(t, `event WHERE kind = 'desk.looked_up' AND person_id IS NULL`); n != 1 {
		t.Errorf("%d look-ups of nobody are recorded, of one", n)
	}
	if n := d.Count(t, `event WHERE kind = 'desk.looked_up' AND person_id IS NOT NULL AND detail->>'code' = 'unknown_identifier'`); n != 2 {
		t.Errorf("%d look-ups with a guessed document are in people's journals, of two", n)
	}
}

// What is not on record was not shown.
func TestNothingIsShownThatIsNotRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.Active(t)
	heal := pgtest.FailOn(t, w.Pool, "INSERT", "event")
	defer heal()
	i, err := w.desk.LookUp(t.Context(), w.by, id, documentOf(t, w, id), desk.InPerson)
	if err == nil || errors.Is(err, identity.ErrUnknown) || i.Person != uuid.Nil {
		t.Errorf("got %v, %v", i.State, err)
	}
}
