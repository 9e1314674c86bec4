package clerk_test

import (
	"errors"
	"testing"
	"time"

	"asoba.example/login/clerk"
	"asoba.example/login/identity/identitytest"
)

// The first clerk has nobody who could issue an identifier: the operator's act does both, or neither.
func TestTheFirstClerkIsAppointed(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	clerks := &clerk.Clerks{Pool: w.Pool}
	person, id := w.Person(t)
	post := clerk.Clerk{Office: "Minsk-1", Role: clerk.AtDesk}
	a := w.Assignment(t, person, 1)
	w.BreakEach(t, func() error { return clerks.Appoint(t.Context(), w.Registry, a, post, identitytest.Noon) })
	if got := w.State(t, person); got != "temporary" {
		t.Errorf("the state is %s", got)
	}
	if n := w.Count(t, `event WHERE kind IN ('identifier.issued', 'clerk.added') AND person_id = $1 AND clerk_id IS NULL`, person); n != 2 {
		t.Errorf("%d records of two", n)
	}

	// Not on duty before the first sign-in has made the identifier active.
	if _, err := clerks.OnDuty(t.Context(), id, time.Time{}); !errors.Is(err, clerk.ErrUnknown) {
		t.Errorf("on duty with a temporary password: %v", err)
	}
	if err := w.Registry.Activate(t.Context(), person, identitytest.Static, identitytest.Act(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if c, err := clerks.OnDuty(t.Context(), id, time.Time{}); err != nil || c.Person != person || !c.Serves() {
		t.Errorf("OnDuty gave %v, %v", c, err)
	}
	if err := clerks.Add(t.Context(), clerk.Clerk{Person: person, Office: "Brest-3", Role: clerk.Supervisor}, identitytest.Noon); !errors.Is(err, clerk.ErrAlready) {
		t.Errorf("added again: %v", err)
	}
}

func TestNobodyIsAppointedWhoMayNotHaveAnIdentifier(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	clerks := &clerk.Clerks{Pool: w.Pool}
	gone, _ := w.Person(t)
	w.Exec(t, `UPDATE person SET death_date = '2026-01-01' WHERE id = $1`, gone)
	present, _ := w.Person(t)
	over := w.Assignment(t, present, 2)
	over.Document.ValidTill = "2026-11-21"
	before := w.Contents(t)
	if err := clerks.Appoint(t.Context(), w.Registry, w.Assignment(t, gone, 1), clerk.Clerk{Office: "x", Role: clerk.AtDesk}, identitytest.Noon); !errors.Is(err, clerk.ErrUnfit) {
		t.Errorf("somebody dead: %v", err)
	}
	if err := clerks.Appoint(t.Context(), w.Registry, over, clerk.Clerk{Office: "x", Role: clerk.AtDesk}, identitytest.Noon); !errors.Is(err, clerk.ErrUnfit) {
		t.Errorf("with a document that is over: %v", err)
	}
	if w.Contents(t) != before {
		t.Error("something remains")
	}
}
