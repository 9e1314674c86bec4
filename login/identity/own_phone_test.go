package identity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
	"asoba.example/migrations/pgtest"
)

// Each step of a citizen's change of phone is done whole, or not at all, and then can be done again.
func TestAPhoneChangeLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	const wait = 24 * time.Hour
	for step, faults := range map[string][]struct{ verb, table string }{
		"ask":     {{"INSERT", "phone_change"}},
		"confirm": {{"UPDATE", "phone_change"}, {"INSERT", "event"}, {"INSERT", "river_job"}, {"INSERT", "not_me"}, {"INSERT", "sms_message"}},
		"cancel":  {{"DELETE", "phone_change"}, {"INSERT", "event"}},
		"due":     {{"DELETE", "phone_change"}, {"UPDATE", "identity"}, {"INSERT", "event"}, {"INSERT", "not_me"}, {"INSERT", "sms_message"}},
	} {
		for _, fault := range faults {
			t.Run(step+" "+fault.verb+" "+fault.table, func(t *testing.T) {
				t.Parallel()
				w := identitytest.New(t)
				person, _ := w.Active(t)
				old, next := phoneOf(t, w, person), w.Phone(t, 7777)
				act := identitytest.Act(time.Hour)
				steps := []struct {
					name string
					do   func() error
				}{
					{"ask", func() error { return w.Registry.AskPhone(t.Context(), person, next, act) }},
					{"confirm", func() error { return w.Registry.ConfirmPhone(t.Context(), person, next, wait, act) }},
					{"cancel", func() error { return w.Registry.CancelPhone(t.Context(), person, act) }},
					{"due", func() error { return due(t, w, person, act.At.Add(wait)) }},
				}
				tell := func() [4]int {
					t.Helper()
					return [4]int{
						w.Count(t, `phone_change`), w.Count(t, `phone_change WHERE due_at IS NOT NULL`), w.Count(t, `sms_message`),
						w.Count(t, `event WHERE kind LIKE 'phone%'`),
					}
				}
				for _, s := range steps {
					if s.name == "cancel" && step == "due" || s.name == "due" && step == "cancel" {
						continue
					}
					if s.name != step {
						if err := s.do(); err != nil {
							t.Fatal(err)
						}
						continue
					}
					before := tell()
					heal := pgtest.FailOn(t, w.Pool, fault.verb, fault.table)
					if err := s.do(); err == nil {
						t.Fatal("done over a broken table")
					}
					heal()
					if after := tell(); after != before || phoneOf(t, w, person) != old {
						t.Fatalf("half done: %v, was %v", after, before)
					}
					if err := s.do(); err != nil {
						t.Fatal("not done again:", err)
					}
					if step == "due" && phoneOf(t, w, person) != next {
						t.Error("the phone is not changed")
					}
					return
				}
			})
		}
	}
}

// A number that somebody else was given at a desk meanwhile is not taken away again: the change is given up, and its person told so, once, in
// one act or not at all.
func TestAPhoneChangeThatIsOvertakenIsTold(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, _ := w.Active(t)
	old, act := phoneOf(t, w, person), identitytest.Act(time.Hour)
	other, _ := w.Active(t)
	if err := w.Registry.AskPhone(t.Context(), person, w.Phone(t, 7777), act); err != nil {
		t.Fatal(err)
	}
	if err := w.Registry.ConfirmPhone(t.Context(), person, w.Phone(t, 7777), time.Hour, act); err != nil {
		t.Fatal(err)
	}
	// At the moment of the confirmation, or else the desk is refused.
	w.Exec(t, `UPDATE identity SET phone_index = (SELECT phone_index FROM phone_change) WHERE person_id = $1`, other)
	told := w.Count(t, `sms_message`)
	for n := 1; ; n++ {
		w.Trips.FailAt(n)
		err := due(t, w, person, act.At.Add(time.Hour))
		w.Trips.FailAt(0)
		if err == nil {
			break
		}
		if w.Count(t, `phone_change`) != 1 || w.Count(t, `sms_message`) != told || w.Count(t, `event WHERE kind = 'phone_change.cancelled'`) != 0 {
			t.Fatalf("statement %d broke, and something is done", n)
		}
	}
	if err := due(t, w, person, act.At.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := phoneOf(t, w, person); got != old {
		t.Errorf("the phone is %s", got)
	}
	if n := w.Count(t, `event WHERE kind = 'phone_change.cancelled' AND detail->>'why' = 'taken'`); n != 1 || w.Count(t, `sms_message`) != told+1 {
		t.Errorf("recorded %d times, told %d times", n, w.Count(t, `sms_message`)-told)
	}
}

func due(t *testing.T, w *identitytest.World, person uuid.UUID, at time.Time) error {
	t.Helper()
	changer := &identity.PhoneChanger{Registry: w.Registry, Now: func() time.Time { return at }}
	return changer.Work(t.Context(), &river.Job[identity.PhoneChangeDue]{Args: identity.PhoneChangeDue{Person: person}})
}

// Of two who prove one number at the same moment one has it; and of who is frozen after a recovery, nothing is asked.
func TestAPendingPhoneIsHeldForOne(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	next, act := w.Phone(t, 7777), identitytest.Act(time.Hour)
	errs := make(chan error)
	for range 4 {
		person, _ := w.Active(t)
		if err := w.Registry.AskPhone(t.Context(), person, next, act); err != nil {
			t.Fatal(err)
		}
		go func() { errs <- w.Registry.ConfirmPhone(t.Context(), person, next, time.Hour, act) }()
	}
	held := 0
	for range 4 {
		switch err := <-errs; {
		case err == nil:
			held++
		case !errors.Is(err, identity.ErrPhoneTaken):
			t.Error(err)
		}
	}
	if held != 1 {
		t.Errorf("held for %d, want one", held)
	}

	frozen, _ := w.Active(t)
	who, err := w.Registry.Of(t.Context(), frozen)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Registry.Recover(t.Context(), frozen, who.ChangedAt, identitytest.Static+" снова", identitytest.Act(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]error{25 * time.Hour: identity.ErrState, 27 * time.Hour: nil} {
		if err := w.Registry.AskPhone(t.Context(), frozen, w.Phone(t, 7778), identitytest.Act(after)); !errors.Is(err, want) {
			t.Errorf("after %s: got %v, want %v", after, err, want)
		}
	}
}
