package desk_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/clerk"
	"asoba.example/login/code"
	"asoba.example/login/desk"
	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
)

// confirmedChange is a change of phone whose new phone is confirmed.
func (w *world) confirmedChange(t *testing.T, id identity.Identifier, phone int) uuid.UUID {
	t.Helper()
	change, _, err := w.desk.Open(t.Context(), w.by, desk.PhoneChange, w.change(t, id, phone))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.desk.ConfirmPhone(t.Context(), w.by, desk.PhoneChange, change, w.Said("Code")); err != nil {
		t.Fatal(err)
	}
	return change
}

// change is somebody who comes for another phone.
func (w *world) change(t *testing.T, id identity.Identifier, phone int) desk.Opening {
	t.Helper()
	v := visit(id)
	v.Attested = []desk.Attestation{desk.Holder, desk.PhoneUse}
	return desk.Opening{Papers: v, Phone: w.Phone(t, phone)}
}

// notices counts those that went to a phone.
func (w *world) notices(t *testing.T, phone identity.Phone) (n int) {
	t.Helper()
	const read = `SELECT id, phone FROM sms_message WHERE kind = 'notice'`
	var (
		id     uuid.UUID
		sealed []byte
	)
	rows, _ := w.Pool.Query(t.Context(), read)
	_, err := pgx.ForEachRow(rows, []any{&id, &sealed}, func() error {
		e164, err := w.Box.Open("sms_message:phone:"+id.String(), sealed)
		if string(e164) == phone.Reveal() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What is refused is refused before a code goes anywhere, and keeps nothing of the visit.
func TestAPhoneChangeIsOpenedUnderGuards(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.Active(t)
	_, other := w.Active(t)
	gone, dead := w.Active(t)
	w.Exec(t, `UPDATE person SET death_date = '2026-01-01' WHERE id = $1`, gone)
	_, blocked := w.Active(t)
	if _, err := w.desk.Block(t.Context(), w.by, visit(blocked)); err != nil {
		t.Fatal(err)
	}
	_, without := w.Person(t)
	stranger, err := identity.ParseIdentifier("0000000A000PB2")
	if err != nil {
		t.Fatal(err)
	}

	asking, _ := w.Active(t)
	act := identity.Act{At: w.now}
	if err := w.Registry.AskPhone(t.Context(), asking, w.Phone(t, 9002), act); err != nil {
		t.Fatal(err)
	}
	if err := w.Registry.ConfirmPhone(t.Context(), asking, w.Phone(t, 9002), 24*time.Hour, act); err != nil {
		t.Fatal(err)
	}

	seen := map[string]int{}
	for name, row := range map[string]struct {
		code   string
		change func(*desk.Opening)
	}{
		"a document that is over":       {"g1", func(o *desk.Opening) { o.Document.ValidTill = "2026-11-21" }},
		"what another has asked for":    {"g4", func(o *desk.Opening) { o.Phone = w.Phone(t, 9002) }},
		"another's phone":               {"g4", func(o *desk.Opening) { o.Phone = phoneOf(t, w, other) }},
		"the use of phone not attested": {"g5", func(o *desk.Opening) { o.Attested = []desk.Attestation{desk.Holder, desk.Particulars} }},
		"dead":                          {"g6", func(o *desk.Opening) { o.Identifier = dead }},
		"not in the register":           {"g6", func(o *desk.Opening) { o.Identifier = stranger }},
	} {
		o := w.change(t, id, 9001)
		row.change(&o)
		_, _, err := w.desk.Open(t.Context(), w.by, desk.PhoneChange, o)
		seen[row.code]++
		w.refused(t, err, row.code, seen[row.code])
		if t.Failed() {
			t.Fatalf("the case was: %s", name)
		}
	}
	for name, change := range map[string]func(*desk.Opening){
		"a blocked identifier": func(o *desk.Opening) { o.Identifier = blocked },
		"no identifier":        func(o *desk.Opening) { o.Identifier = without },
		"the present phone":    func(o *desk.Opening) { o.Phone = phoneOf(t, w, id) },
	} {
		o := w.change(t, id, 9001)
		change(&o)
		if _, _, err := w.desk.Open(t.Context(), w.by, desk.PhoneChange, o); !errors.Is(err, identity.ErrState) {
			t.Errorf("%s: got %v, want ErrState", name, err)
		}
	}
	own, himself := w.clerk(t, clerk.AtDesk)
	w.by = own
	_, _, err = w.desk.Open(t.Context(), w.by, desk.PhoneChange, w.change(t, himself, 9001))
	w.refused(t, err, "g9", 1)

	if n := w.Count(t, "issuance"); n != 0 {
		t.Errorf("%d visits are kept of refusals", n)
	}
	if n := w.Count(t, `sms_message WHERE kind = 'code'`); n != 0 {
		t.Errorf("%d codes were sent", n)
	}
}

// Between the beginning and the end of a visit the world goes on: every guard is looked at again.
func TestChangingAPhoneLooksAtEveryGuardAgain(t *testing.T) {
	t.Parallel()
	for code, meanwhile := range map[string]func(*testing.T, *world, uuid.UUID, uuid.UUID){
		"g3": func(t *testing.T, w *world, _, change uuid.UUID) {
			t.Helper()
			w.Exec(t, `UPDATE issuance SET phone_confirmed_at = NULL WHERE id = $1`, change)
		},
		"g4": func(t *testing.T, w *world, _, _ uuid.UUID) {
			t.Helper()
			other, _ := w.Person(t)
			if err := w.Registry.Issue(t.Context(), w.Assignment(t, other, 9001), identitytest.Act(0)); err != nil {
				t.Fatal(err)
			}
		},
		"g6": func(t *testing.T, w *world, person, _ uuid.UUID) {
			t.Helper()
			w.Exec(t, `UPDATE person SET death_date = '2026-11-22' WHERE id = $1`, person)
		},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			person, id := w.Active(t)
			former := phoneOf(t, w, id)
			change := w.confirmedChange(t, id, 9001)
			meanwhile(t, w, person, change)
			_, err := w.desk.Assign(t.Context(), w.by, desk.PhoneChange, change)
			w.refused(t, err, code, 1)
			if phoneOf(t, w, id) != former {
				t.Error("the phone is changed")
			}
		})
	}
}

// Resolution 792 ¶6: a blocked identifier is unblocked first.
func TestABlockInBetweenStopsAPhoneChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.Active(t)
	change := w.confirmedChange(t, id, 9001)
	if _, err := w.desk.Block(t.Context(), w.by, visit(id)); err != nil {
		t.Fatal(err)
	}
	_, err := w.desk.Assign(t.Context(), w.by, desk.PhoneChange, change)
	if !errors.Is(err, identity.ErrState) {
		t.Errorf("got %v, want ErrState", err)
	}
	recorded := new(desk.RefusedError)
	if !errors.As(err, &recorded) || w.Count(t, `event WHERE kind = 'desk.refused' AND detail->>'code' = 'wrong_state' AND id = $1`, recorded.ID) != 1 {
		t.Error("the refusal is not on record")
	}
	if w.Count(t, `event WHERE kind = 'phone.changed'`)+w.Count(t, `issuance WHERE assigned_at IS NOT NULL`) != 0 {
		t.Error("something was done")
	}
}

func TestAPhoneChangeBrokenAnywhereLeavesNothing(t *testing.T) {
	t.Parallel()
	for state, somebody := range map[identity.State]func(*world) (uuid.UUID, identity.Identifier){
		identity.Temporary: func(w *world) (uuid.UUID, identity.Identifier) { return w.Issued(t) },
		identity.Active:    func(w *world) (uuid.UUID, identity.Identifier) { return w.Active(t) },
	} {
		w := newWorld(t)
		person, id := somebody(w)
		former, notices := phoneOf(t, w, id), w.notices(t, phoneOf(t, w, id))
		change := w.confirmedChange(t, id, 9001)
		act := func() error { _, err := w.desk.Assign(t.Context(), w.by, desk.PhoneChange, change); return err }
		w.BreakEach(t, act)
		if got := w.State(t, person); got != string(state) {
			t.Errorf("%s became %s", state, got)
		}
		if phoneOf(t, w, id) != w.Phone(t, 9001) {
			t.Errorf("%s: the phone is not the new one", state)
		}
		if got := w.notices(t, former); got != notices+1 {
			t.Errorf("%s: the former phone was told %d times", state, got-notices)
		}
		if n := w.Count(t, `event WHERE kind = 'phone.changed' AND person_id = $1 AND clerk_id = $2 AND office = 'Minsk-1'`, person, w.by.Person); n != 1 {
			t.Errorf("%s: recorded %d times", state, n)
		}

		// Who did not hear the answer asks again, and is told the same; nothing more is sent.
		before := w.Contents(t)
		got, err := w.desk.Assign(t.Context(), w.by, desk.PhoneChange, change)
		if err != nil || got.Act != change || got.State != state || (got.SMS != "") != (state == identity.Temporary) {
			t.Errorf("%s, asked again: %v, %v", state, got, err)
		}
		if w.Contents(t) != before {
			t.Errorf("%s: asking again changed something", state)
		}
	}
}

// Two desks, one second: the phone goes to one person (resolution 792 ¶4).
func TestOfTwoDesksOneGivesAPhone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, one := w.Active(t)
	_, other := w.Active(t)
	changes := [2]uuid.UUID{w.confirmedChange(t, one, 9001), w.confirmedChange(t, other, 9001)}
	var (
		errs  [2]error
		start = make(chan struct{})
		both  sync.WaitGroup
	)
	for n, change := range changes {
		both.Go(func() {
			<-start
			_, errs[n] = w.desk.Assign(t.Context(), w.by, desk.PhoneChange, change)
		})
	}
	close(start)
	both.Wait()
	if errs[0] != nil {
		errs[0], errs[1] = errs[1], errs[0]
	}
	if errs[0] != nil {
		t.Errorf("neither has the phone: %v", errs)
	}
	w.refused(t, errs[1], "g4", 1)
}

// A visit is good for its own errand.
func TestAPhoneChangeIsNoIssuance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.Active(t)
	change := w.confirmedChange(t, id, 9001)
	_, fresh := w.Person(t)
	issuance := w.confirmed(t, fresh, 9002)
	if _, err := w.desk.Assign(t.Context(), w.by, desk.Issuance, change); !errors.Is(err, desk.ErrNoVisit) {
		t.Errorf("an issuance by a change of phone: %v", err)
	}
	if _, err := w.desk.Assign(t.Context(), w.by, desk.PhoneChange, issuance); !errors.Is(err, desk.ErrNoVisit) {
		t.Errorf("a change of phone by an issuance: %v", err)
	}
	if err := w.desk.ConfirmPhone(t.Context(), w.by, desk.PhoneChange, issuance, "123456"); !errors.Is(err, desk.ErrNoVisit) || errors.Is(err, code.ErrWrong) {
		t.Errorf("a code of an issuance for a change of phone: %v", err)
	}
}
