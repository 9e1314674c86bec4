package operator_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/identity"
	"asoba.example/login/operator"
	"asoba.example/login/register"
	"asoba.example/provider/pair"
)

// One proposes and another approves, on the act that proves it: then what the register said is taken back, the desk may lift the block, and the
// feed tells of it; or nothing is done. While the register goes on to say the very same, it is not listened to.
func TestTwoOperatorsRestoreSomebody(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	anna, boris := r.operators(t)
	person, id := r.Active(t)
	_, alive := r.Active(t)
	mistaken := file(1, "delta", id.Reveal()+",F,1956-03-08,BY,2025-01-02,record 7,,,,,,,,")
	if _, done := r.bring(t, "a system", "", mistaken); done["deactivated"] != 1.0 {
		t.Fatal(done)
	}
	restorations := &operator.Restorations{Pool: r.Pool, Register: r.register, Now: r.blocks.Now}
	if _, err := restorations.Propose(t.Context(), anna, alive.Reveal(), paper); !errors.Is(err, register.ErrAlive) {
		t.Errorf("of the living: %v", err)
	}
	if _, err := restorations.Propose(t.Context(), anna, "5311299B500PB0", paper); !errors.Is(err, register.ErrUnknown) {
		t.Errorf("of nobody: %v", err)
	}
	var p operator.Restoration
	r.BreakEach(t, func() (err error) {
		p, err = restorations.Propose(t.Context(), anna, id.Reveal(), paper)
		return err
	})
	if _, err := restorations.Propose(t.Context(), boris, id.Reveal(), paper); !errors.Is(err, operator.ErrRestoring) {
		t.Errorf("proposed twice: %v", err)
	}
	if _, err := restorations.Approve(t.Context(), anna, p.ID); !errors.Is(err, pair.ErrOwn) || r.State(t, person) != "blocked:register" {
		t.Errorf("their own: %v", err)
	}
	r.BreakEach(t, func() error {
		_, err := restorations.Approve(t.Context(), boris, p.ID)
		return err
	})
	if got := r.State(t, person); got != "blocked:desk" {
		t.Errorf("who is restored is %s", got)
	}
	known, err := register.Find(t.Context(), r.Pool, id.Reveal())
	if err != nil || known.Gone() {
		t.Errorf("%v: %v", err, known)
	}
	if n := r.Count(t, `event WHERE kind = 'person.changed' AND person_id = $1 AND edition = $2`, person, known.ChangedIn); n != 1 {
		t.Errorf("the feed tells of it %d times", n)
	}
	if again, err := restorations.Approve(t.Context(), boris, p.ID); err != nil || again.State != pair.Approved || *again.DecidedBy != boris.Person {
		t.Errorf("approved once more: %v: %+v", err, again)
	}
	if _, err := restorations.Refuse(t.Context(), boris, p.ID); !errors.Is(err, pair.ErrDecided) {
		t.Errorf("decided twice: %v", err)
	}
	if _, done := r.bring(t, "a system", "", file(2, "delta", id.Reveal()+",F,1956-03-08,BY,2025-01-02,record 7,,,,,,,,")); done["withheld"] != 1.0 || r.State(t, person) != "blocked:desk" {
		t.Errorf("the very same: %v", done)
	}
	if _, done := r.bring(t, "a system", "", file(3, "delta", id.Reveal()+",F,1956-03-08,BY,2025-01-02,record 8,,,,,,,,")); done["deactivated"] != 1.0 {
		t.Errorf("another record: %v", done)
	}
}

// Two undo a restoration that was a mistake, on an act: then what it took back holds again, the identifier is blocked, and the feed tells of it; or
// nothing is done. The register is listened to again.
func TestTwoOperatorsUndoARestoration(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	anna, boris := r.operators(t)
	r.register.DeactivatedShare = nil
	person, id := r.Active(t)
	row := func(facts string) string { return id.Reveal() + ",F,1956-03-08,BY," + facts }
	const dead, alive = "2025-01-02,record 7,,,2025-01-01,ruling 3,,,,", ",,,,,,,,,"
	r.bring(t, "a system", "", file(1, "delta", row(dead)))
	restorations := &operator.Restorations{Pool: r.Pool, Register: r.register, Now: r.blocks.Now}
	p, err := restorations.Propose(t.Context(), anna, id.Reveal(), paper)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := restorations.ProposeUndo(t.Context(), anna, p.ID, paper); !errors.Is(err, operator.ErrNotRestored) {
		t.Errorf("of what is open: %v", err)
	}
	if _, err := restorations.Approve(t.Context(), boris, p.ID); err != nil {
		t.Fatal(err)
	}
	if err := r.Registry.Unblock(t.Context(), person, identity.Phone{}, identity.Act{At: r.now}); err != nil {
		t.Fatal(err)
	}
	earlier := paper
	earlier.Date = "2025-01-01"
	if _, err := restorations.ProposeUndo(t.Context(), anna, p.ID, earlier); !errors.Is(err, register.ErrEarlier) {
		t.Errorf("by an act of an earlier day: %v", err)
	}
	var undo operator.Restoration
	r.BreakEach(t, func() (err error) {
		undo, err = restorations.ProposeUndo(t.Context(), anna, p.ID, paper)
		return err
	})
	if again, err := restorations.ProposeUndo(t.Context(), anna, p.ID, paper); err != nil || again.ID != undo.ID {
		t.Errorf("proposed again: %v: %+v", err, again)
	}
	if _, err := restorations.ProposeUndo(t.Context(), boris, p.ID, paper); !errors.Is(err, operator.ErrRestoring) {
		t.Errorf("proposed by both: %v", err)
	}
	if _, err := restorations.Approve(t.Context(), anna, undo.ID); !errors.Is(err, pair.ErrOwn) || r.State(t, person) != "temporary" {
		t.Errorf("their own: %v, who is restored is %s", err, r.State(t, person))
	}
	r.BreakEach(t, func() error {
		_, err := restorations.Approve(t.Context(), boris, undo.ID)
		return err
	})
	known, err := register.Find(t.Context(), r.Pool, id.Reveal())
	if err != nil || known.Death != (register.Fact{Date: "2025-01-02", Act: "record 7"}) || known.Missing.Date != "2025-01-01" || r.State(t, person) != "blocked:register" {
		t.Errorf("%v: dead by %v, missing by %v, and %s", err, known.Death, known.Missing, r.State(t, person))
	}
	for kind, want := range map[string]int{"person.changed": 1, "restoration.undone": 1, "restoration.approved": 0} {
		const told = `event WHERE kind = $1 AND person_id = $2 AND (edition = $3 OR detail->>'undoes' = $4)`
		if n := r.Count(t, told, kind, person, known.ChangedIn, p.ID.String()); n != want {
			t.Errorf("%s is on record %d times", kind, n)
		}
	}
	for _, id := range []uuid.UUID{p.ID, undo.ID} {
		if _, err := restorations.ProposeUndo(t.Context(), anna, id, paper); !errors.Is(err, operator.ErrNotRestored) {
			t.Errorf("undone twice: %v", err)
		}
	}
	for i, told := range []struct{ facts, counts string }{{dead, "same"}, {alive, "restored"}, {dead, "deactivated"}} {
		if _, done := r.bring(t, "a system", "", file(2+i, "delta", row(told.facts))); done[told.counts] != 1.0 {
			t.Errorf("the register says %s: %v", told.facts, done)
		}
	}
}

// What the register has told otherwise since a restoration stays so when that is undone; and so does who was deactivated because of incapacity.
func TestAnUndoneRestorationLeavesWhatTheRegisterSays(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	r.register.DeactivatedShare, r.register.DeactivateIncapable = nil, func() bool { return true }
	anna, boris := r.operators(t)
	restorations := &operator.Restorations{Pool: r.Pool, Register: r.register, Now: r.blocks.Now}
	number := 0
	for facts, want := range map[[2]string]string{ // what it tells before the restoration and since, and what holds once that is undone, or that it is over
		{"2025-01-02,record 7,,,2025-01-01,ruling 3,,,,", "2025-01-02,record 7,,,2025-02-01,ruling 4,,,,"}: "{2025-01-02 record 7} {2025-02-01 ruling 4}",
		{",,,,,,2025-01-02,ruling 5,,", ",,,,,,2025-01-02,ruling 5,,"}:                                     "{ } { }incapable",
		{",,,,,,2025-01-02,ruling 5,,", ",,,,,,,,,"}:                                                       "over",
	} {
		_, id := r.Active(t)
		tell := func(facts string) {
			number++
			r.bring(t, "a system", "", file(number, "delta", id.Reveal()+",F,1956-03-08,BY,"+facts))
		}
		approved := func(p operator.Restoration, err error) operator.Restoration {
			t.Helper()
			if err == nil {
				p, err = restorations.Approve(t.Context(), boris, p.ID)
			}
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		tell(facts[0])
		restored := approved(restorations.Propose(t.Context(), anna, id.Reveal(), paper))
		tell(facts[1])
		undo, err := restorations.ProposeUndo(t.Context(), anna, restored.ID, paper)
		if want == "over" {
			if !errors.Is(err, register.ErrUndone) {
				t.Errorf("of %v nothing is kept, and it is proposed to be undone: %v", facts, err)
			}
			continue
		}
		approved(undo, err)
		known, err := register.Find(t.Context(), r.Pool, id.Reveal())
		if got := fmt.Sprint(known.Death, known.Missing, known.DeactivatedFor); err != nil || got != want {
			t.Errorf("%v: of %v it is %q, want %q", err, facts, got, want)
		}
	}
}

// A proposal that waits takes back nothing that the register has come to tell of a later day than the act's.
func TestNoRestorationOutlivesWhatItIsAbout(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	r.staff(t, "anna", clerk.Operator)
	r.staff(t, "boris", clerk.Operator)
	_, id := r.Active(t)
	tell := func(number int, facts string) {
		r.bring(t, "a system", "", file(number, "delta", id.Reveal()+",F,1956-03-08,BY,"+facts))
	}
	tell(1, "2025-01-02,record 7,,,,,,,,")
	const path = "/register/restorations"
	at := path + "/" + r.asks(t, "anna", "POST", path, fmt.Sprintf(`{"identification_number":"%s","basis":{"number":"7/12","date":"2025-01-20"}}`, id.Reveal()), 201, "")["id"].(string)
	tell(2, ",,,,,,,,,")
	r.asks(t, "boris", "POST", at+"/approve", "", 409, "alive")
	tell(3, "2025-03-01,record 9,,,,,,,,") // the second death in a day
	r.asks(t, "boris", "POST", "/register/editions/3/release", "", 200, "")
	r.asks(t, "boris", "POST", at+"/approve", "", 409, "act_too_old")
	if known, err := register.Find(t.Context(), r.Pool, id.Reveal()); err != nil || known.Death.Act != "record 9" {
		t.Errorf("%v: dead by %q", err, known.Death.Act)
	}
	r.asks(t, "boris", "POST", at+"/refuse", "", 200, "")
}

// The doors say the same.
func TestTheDoorsOfRestorations(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	r.staff(t, "anna", clerk.Operator)
	r.staff(t, "boris", clerk.Operator)
	r.staff(t, "vera", clerk.Auditor)
	_, id := r.Active(t)
	_, alive := r.Active(t)
	r.bring(t, "a system", "", file(1, "delta", id.Reveal()+",F,1956-03-08,BY,,,,,2025-01-02,ruling,,,,"))
	const path = "/register/restorations"
	ask := func(number, date string) string {
		return fmt.Sprintf(`{"identification_number":"%s","basis":{"number":"7/12","date":"%s"}}`, number, date)
	}
	good := ask(id.Reveal(), "2026-11-20")
	for name, code := range map[string]string{"vera": "wrong_role", "a system": "not_a_clerk"} {
		r.asks(t, name, "POST", path, good, 403, code)
		r.asks(t, name, "GET", path, "", 403, code)
	}
	r.asks(t, "anna", "POST", path, ask(id.Reveal(), "2027-01-01"), 422, "invalid")
	r.asks(t, "anna", "POST", path, ask(id.Reveal(), "2025-01-01"), 422, "invalid") // it was not told yet
	r.asks(t, "anna", "POST", path, ask("5311299B500PB0", "2026-11-20"), 404, "unknown_person")
	r.asks(t, "anna", "POST", path, ask(alive.Reveal(), "2026-11-20"), 409, "alive")
	at := path + "/" + r.asks(t, "anna", "POST", path, good, 201, "")["id"].(string)
	if again := r.asks(t, "anna", "POST", path, good, 201, ""); path+"/"+again["id"].(string) != at {
		t.Errorf("proposed again: %v", again)
	}
	r.asks(t, "boris", "POST", path, good, 409, "open_proposal")
	r.asks(t, "anna", "POST", at+"/approve", "", 403, "own_proposal")
	r.asks(t, "vera", "POST", at+"/refuse", "", 403, "wrong_role")
	r.asks(t, "boris", "POST", path+"/none/approve", "", 404, "unknown_proposal")
	if refused := r.asks(t, "boris", "POST", at+"/refuse", "", 200, ""); refused["state"] != "refused" {
		t.Errorf("refused: %v", refused)
	}
	r.asks(t, "boris", "POST", at+"/refuse", "", 200, "")
	if told := r.asks(t, "boris", "POST", at+"/approve", "", 409, "decided"); !strings.HasPrefix(told["detail"].(string), "the proposal was decided: refused by ") {
		t.Errorf("decided before: %v", told)
	}
	at = path + "/" + r.asks(t, "anna", "POST", path, good, 201, "")["id"].(string)
	r.asks(t, "boris", "POST", at+"/withdraw", "", 403, "own_proposal")
	for range 2 {
		if withdrawn := r.asks(t, "anna", "POST", at+"/withdraw", "", 200, ""); withdrawn["state"] != "withdrawn" {
			t.Errorf("withdrawn: %v", withdrawn)
		}
	}
	r.asks(t, "boris", "POST", at+"/approve", "", 409, "decided")
	at = path + "/" + r.asks(t, "boris", "POST", path, good, 201, "")["id"].(string)
	if approved := r.asks(t, "anna", "POST", at+"/approve", "", 200, ""); approved["state"] != "approved" || approved["identification_number"] != id.Reveal() {
		t.Errorf("approved: %v", approved)
	}
	const act = `{"basis":{"number":"7/13","date":"2026-11-21"}}`
	r.asks(t, "anna", "POST", at+"/undo", `{"basis":{"number":"7/13","date":"2026-11-19"}}`, 422, "invalid")
	r.asks(t, "anna", "POST", at+"/undo", `{"basis":{"number":"7/13","date":"2027-01-01"}}`, 422, "invalid")
	r.asks(t, "vera", "POST", at+"/undo", act, 403, "wrong_role")
	r.asks(t, "anna", "POST", path+"/none/undo", act, 404, "unknown_proposal")
	undo := r.asks(t, "anna", "POST", at+"/undo", act, 201, "")
	r.asks(t, "boris", "POST", at+"/undo", act, 409, "open_proposal")
	r.asks(t, "anna", "POST", path+"/"+undo["id"].(string)+"/approve", "", 403, "own_proposal")
	if done := r.asks(t, "boris", "POST", path+"/"+undo["id"].(string)+"/approve", "", 200, ""); path+"/"+done["undoes"].(string) != at {
		t.Errorf("undone: %v", done)
	}
	r.asks(t, "boris", "POST", at+"/undo", act, 409, "not_restored")
	for i, told := range r.asks(t, "anna", "GET", path+"?state=approved", "", 200, "")["restorations"].([]any) { // what undoes, and what is undone
		if undone := told.(map[string]any)["undone_at"]; (undone != nil) != (i == 1) {
			t.Errorf("restoration %d was undone at %v", i, undone)
		}
	}
	for state, want := range map[string]int{"": 4, "?state=refused": 1, "?state=withdrawn": 1, "?state=open": 0} {
		if all := r.asks(t, "anna", "GET", path+state, "", 200, "")["restorations"].([]any); len(all) != want {
			t.Errorf("%q: %v", state, all)
		}
	}
}
