package desk_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/desk"
	"asoba.example/login/desk/printed"
	"asoba.example/login/identity"
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/manage"
)

// Whoever is refused at the counter takes a slip home, which says why in both languages of the state. What decides of nobody has none: it is
// the clerk's to put right, or passes by itself.
func TestEveryRefusalOfAPersonHasASlip(t *testing.T) {
	t.Parallel()
	want := map[string]bool{
		"g1": true, "g2": true, "g3": true, "g4": true, "g5": true, "g6": true, "g7": true, "g8": true, "g9": true,
		"wrong_state": true, "unknown_identifier": true, "too_many_reissues": true,
		"unknown_visit": false, "visit_over": false, "unknown_refusal": false, "unknown_act": false, "no_paper": false, "not_a_scan": false, "too_many_papers": false,
		"wrong_code": false, "code_over": false, "idempotency_key_reused": false, "invalid_cursor": false,
		"wait": false, "too_many_acts": false, "register_away": false, "busy": false,
	}
	if got := desk.Slips(); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	press, err := printed.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range printed.Languages {
		paragraphs := func(code string) int {
			w := httptest.NewRecorder()
			if err := press.Slip(w, language, printed.Slip{Errand: "reissue", Code: code}); err != nil {
				t.Fatal(err)
			}
			return strings.Count(w.Body.String(), "<p>")
		}
		none := paragraphs("")
		for code, slip := range want {
			if told := paragraphs(code) - none; (told == 2) != slip || (told == 0) == slip { // why, and what can be done
				t.Errorf("the slip of %s in %s has %d paragraphs of its own", code, language, told)
			}
		}
	}
	for code := range want {
		if !bytes.Contains(manage.Document, []byte(code)) && !strings.HasPrefix(code, "g") {
			t.Errorf("the document does not tell of %s", code)
		}
	}
}

// An identifier that is nobody's is refused on record too, about nobody, with a slip that does not repeat it.
func TestWhoIsNobodyTakesASlipHome(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	token := d.own(t, d.clerk, uuid.New())
	stranger, err := identity.ParseIdentifier("0000000A000PB2")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/desk/blocks", "/desk/unblocks", "/desk/reissues"} {
		refused := d.asks(t, token, "POST", path, body(stranger, nil), 404, map[string]any{"code": "unknown_identifier"})
		at, _ := refused["instance"].(string)
		if sheet := d.prints(t, token, "GET", at+"/slip", nil); !strings.Contains(sheet, "<dd>unknown_identifier</dd>") || strings.Contains(sheet, stranger.Reveal()) {
			t.Errorf("%s: the slip is %s", path, sheet)
		}
	}
	if n := d.Count(t, `event WHERE kind = 'desk.refused' AND person_id IS NULL AND detail->>'code' = 'unknown_identifier'`); n != 3 {
		t.Errorf("%d of 3 refusals are recorded", n)
	}
}

// Who did not hear a refusal asks again by the same key, twice at once too, and takes home the one slip there is. By another key, or without
// one, it is another refusal. What can be done by then is done.
func TestARefusalIsToldAgain(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	token := d.own(t, d.clerk, uuid.New())
	person, id := d.Active(t)
	_, another := d.Active(t)
	ask := func(key string, id identity.Identifier) string {
		status, said := d.knockBy(t, key, token, "POST", "/desk/unblocks", body(id, nil))
		if status != 409 || said["code"] != "wrong_state" {
			t.Errorf("by the key %q: %d %v", key, status, said)
		}
		return fmt.Sprint(said["instance"])
	}
	recorded := func(want int) {
		t.Helper()
		if n := d.Count(t, `event WHERE kind = 'desk.refused'`); n != want {
			t.Errorf("%d refusals are recorded, want %d", n, want)
		}
	}
	var (
		told [2]string
		both sync.WaitGroup
	)
	for n := range told {
		both.Go(func() { told[n] = ask("one", id) })
	}
	both.Wait()
	d.now = d.now.Add(time.Minute)
	if again := ask("one", id); told[0] != told[1] || again != told[0] {
		t.Errorf("one refusal is told as %s and %s, and then as %s", told[0], told[1], again)
	}
	recorded(1)
	d.prints(t, token, "GET", told[0]+"/slip", nil)
	others := map[string]bool{told[0]: true, ask("two", id): true, ask("", id): true, ask("", id): true, ask("one", another): true}
	if len(others) != 5 {
		t.Errorf("five refusals are told as %d", len(others))
	}
	recorded(5)

	d.asks(t, token, "POST", "/desk/blocks", body(id, nil), 200, nil)
	for range 2 {
		if status, said := d.knockBy(t, "one", token, "POST", "/desk/unblocks", body(id, nil)); status != 200 {
			t.Errorf("what can be done by now: %d %v", status, said)
		}
	}
	if n := d.Count(t, `event WHERE kind = 'identifier.unblocked' AND person_id = $1`, person); n != 1 {
		t.Errorf("unblocked %d times", n)
	}
}

// A refusal is on record, or it is told as none: broken anywhere it leaves nothing, and the retry finds its place free.
func TestARefusalBrokenAnywhereLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.Active(t)
	by := w.by
	by.Key = "one"
	for _, table := range []string{"desk_refusal", "event"} {
		heal := pgtest.FailOn(t, w.Pool, "INSERT", table)
		before := w.Contents(t)
		if _, err := w.desk.Unblock(t.Context(), by, visit(id)); err == nil || errors.Is(err, identity.ErrState) {
			t.Errorf("over a broken %s: %v", table, err)
		}
		if w.Contents(t) != before {
			t.Errorf("over a broken %s something is left", table)
		}
		heal()
	}
	for range 2 {
		if _, err := w.desk.Unblock(t.Context(), by, visit(id)); !errors.Is(err, identity.ErrState) {
			t.Error(err)
		}
	}
	if n := w.Count(t, `event WHERE kind = 'desk.refused'`); n != 1 {
		t.Errorf("%d refusals are recorded", n)
	}
}
