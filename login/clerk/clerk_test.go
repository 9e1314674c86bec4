package clerk_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/clerk"
	"asoba.example/login/identity"
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
	if c, err := clerks.OnDuty(t.Context(), id, time.Time{}); err != nil || c.Person != person || !c.May(clerk.Serve) {
		t.Errorf("OnDuty gave %v, %v", c, err)
	}
	if err := clerks.Add(t.Context(), clerk.Clerk{Person: person, Office: "Brest-3", Role: clerk.Supervisor}, uuid.Nil, identitytest.Noon); !errors.Is(err, clerk.ErrAlready) {
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

// Who is moved acts from elsewhere, who is removed acts no more, and each of it is recorded or not done.
func TestClerksAreMovedAndRemoved(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	clerks := &clerk.Clerks{Pool: w.Pool}
	operator, _ := w.Active(t)
	person, id := w.Active(t)
	add := func(person uuid.UUID, role clerk.Role, by uuid.UUID) func() error {
		return func() error {
			return clerks.Add(t.Context(), clerk.Clerk{Person: person, Office: "Minsk-1", Role: role}, by, identitytest.Noon)
		}
	}
	w.BreakEach(t, add(operator, clerk.Operator, uuid.Nil))
	w.BreakEach(t, add(person, clerk.AtDesk, operator))
	to := clerk.Clerk{Person: person, Office: "Brest-3", Role: clerk.Supervisor}
	w.BreakEach(t, func() error { return clerks.Move(t.Context(), to, operator, identitytest.Noon) })
	if c, err := clerks.OnDuty(t.Context(), id, time.Time{}); err != nil || c != to {
		t.Errorf("OnDuty gave %v, %v", c, err)
	}
	w.BreakEach(t, func() error { return clerks.Remove(t.Context(), person, operator, identitytest.Noon) })
	if _, err := clerks.OnDuty(t.Context(), id, time.Time{}); !errors.Is(err, clerk.ErrUnknown) {
		t.Errorf("on duty after the removal: %v", err)
	}
	before := w.Contents(t)
	if err := clerks.Remove(t.Context(), uuid.New(), operator, identitytest.Noon); !errors.Is(err, clerk.ErrUnknown) {
		t.Errorf("removed somebody who never was a clerk: %v", err)
	}
	if err := clerks.Move(t.Context(), to, operator, identitytest.Noon); !errors.Is(err, clerk.ErrUnknown) {
		t.Errorf("moved after the removal: %v", err)
	}
	if w.Contents(t) != before {
		t.Error("something was done to somebody who is no clerk")
	}
	w.BreakEach(t, add(person, clerk.Auditor, operator)) // taken back
	if n := w.Count(t, `event WHERE kind LIKE 'clerk.%' AND person_id = $1 AND clerk_id = $2`, person, operator); n != 4 {
		t.Errorf("%d records of four", n)
	}
	staff, err := clerks.List(t.Context())
	if err != nil || len(staff) != 2 || staff[1].Identifier != id || staff[1].Role != clerk.Auditor {
		t.Errorf("the staff is %v, %v", staff, err)
	}
}

// Done but reported failed: who says the same again of a clerk hears that it is so, and it is recorded once.
func TestWhoDidNotHearOfAClerkSaysTheSameAgain(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	clerks := &clerk.Clerks{Pool: w.Pool}
	operator, _ := w.Active(t)
	if err := clerks.Add(t.Context(), clerk.Clerk{Person: operator, Office: "Centre", Role: clerk.Operator}, uuid.Nil, identitytest.Noon); err != nil {
		t.Fatal(err)
	}
	at := clerk.Clerk{Office: "Minsk-1", Role: clerk.AtDesk}
	for name, act := range map[string]func(clerk.Clerk) error{
		"add": func(c clerk.Clerk) error { return clerks.Add(t.Context(), c, operator, identitytest.Noon) },
		"move": func(c clerk.Clerk) error {
			c.Office, c.Role = "Brest-3", clerk.Supervisor
			return clerks.Move(t.Context(), c, operator, identitytest.Noon)
		},
		"remove": func(c clerk.Clerk) error { return clerks.Remove(t.Context(), c.Person, operator, identitytest.Noon) },
	} {
		t.Run(name, func(t *testing.T) {
			w.LoseEach(t, func() (func() (uuid.UUID, string, error), func() string) {
				c := at
				c.Person, _ = w.Active(t)
				if name != "add" {
					if err := clerks.Add(t.Context(), c, operator, identitytest.Noon); err != nil {
						t.Fatal(err)
					}
				}
				return func() (uuid.UUID, string, error) { return c.Person, "", act(c) },
					func() string { return w.Left(t, c.Person) }
			})
		})
	}
}

// With made-up people anybody signs in who tries a draft: whatever they are made, they are of no staff.
func TestSpecimensAreOfNoStaff(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	clerks := &clerk.Clerks{Pool: w.Pool}
	person, id := w.Active(t)
	if err := clerks.Add(t.Context(), clerk.Clerk{Person: person, Office: "Centre", Role: clerk.Operator}, uuid.Nil, identitytest.Noon); err != nil {
		t.Fatal(err)
	}
	acts := func() (onDuty, holds error) {
		_, onDuty = clerks.OnDuty(t.Context(), id, time.Time{})
		return onDuty, pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error { return clerk.Hold(t.Context(), tx, person, clerk.Settle) })
	}
	if onDuty, holds := acts(); onDuty != nil || holds != nil {
		t.Fatalf("an operator: %v, %v", onDuty, holds)
	}
	specimen, err := identity.ParseIdentifier("0000001A001PB2")
	if err != nil {
		t.Fatal(err)
	}
	w.Exec(t, `UPDATE person SET identification_number = $2 WHERE id = $1`, person, specimen.Reveal())
	id = specimen
	if onDuty, holds := acts(); !errors.Is(onDuty, clerk.ErrUnknown) || !errors.Is(holds, clerk.ErrRole) {
		t.Errorf("a specimen: %v, %v", onDuty, holds)
	}

	other, _ := w.Active(t)
	w.Exec(t, `UPDATE person SET identification_number = '0000002A002PB2' WHERE id = $1`, other)
	before := w.Contents(t)
	if err := clerks.Add(t.Context(), clerk.Clerk{Person: other, Office: "Centre", Role: clerk.Auditor}, uuid.Nil, identitytest.Noon); !errors.Is(err, clerk.ErrUnfit) {
		t.Errorf("added: %v", err)
	}
	if w.Contents(t) != before {
		t.Error("something remains")
	}
}

// At the terminal somebody is named who need not sign in: whose identifier is blocked, and be it that they are dead, is named in vain.
func TestWhoseIdentifierIsBlockedIsOfNoStaff(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	clerks := &clerk.Clerks{Pool: w.Pool}
	dead, _ := w.Active(t)
	fresh, _ := w.Issued(t)
	for _, person := range []uuid.UUID{dead, fresh} {
		if err := clerks.Add(t.Context(), clerk.Clerk{Person: person, Office: "Centre", Role: clerk.Operator}, uuid.Nil, identitytest.Noon); err != nil {
			t.Fatal(err)
		}
	}
	holds := func(person uuid.UUID) error {
		return pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error { return clerk.Hold(t.Context(), tx, person, clerk.Import) })
	}
	if alive, unused := holds(dead), holds(fresh); alive != nil || unused != nil {
		t.Fatalf("alive, and before the first sign-in: %v, %v", alive, unused)
	}
	err := pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error {
		return w.Registry.Deactivate(t.Context(), tx, []uuid.UUID{dead}, identitytest.Noon)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := holds(dead); !errors.Is(err, clerk.ErrRole) {
		t.Errorf("dead: %v", err)
	}
}

// Whoever could make an operator would be two people in one: not even operators can, but at the terminal.
func TestOnlyTheTerminalMakesAndUnmakesOperators(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	clerks := &clerk.Clerks{Pool: w.Pool}
	staff := map[clerk.Role]uuid.UUID{}
	for _, role := range []clerk.Role{clerk.AtDesk, clerk.Supervisor, clerk.Operator, clerk.Auditor} {
		staff[role], _ = w.Active(t)
		if err := clerks.Add(t.Context(), clerk.Clerk{Person: staff[role], Office: "Centre", Role: role}, uuid.Nil, identitytest.Noon); err != nil {
			t.Fatal(err)
		}
	}
	citizen, _ := w.Active(t)
	other := clerk.Clerk{Person: staff[clerk.AtDesk], Office: "Brest-3", Role: clerk.AtDesk}
	before := w.Contents(t)
	for name, act := range map[string]func() error{
		"an operator adds an operator": func() error {
			return clerks.Add(t.Context(), clerk.Clerk{Person: citizen, Office: "x", Role: clerk.Operator}, staff[clerk.Operator], identitytest.Noon)
		},
		"an operator makes a clerk one": func() error {
			return clerks.Move(t.Context(), clerk.Clerk{Person: other.Person, Office: "x", Role: clerk.Operator}, staff[clerk.Operator], identitytest.Noon)
		},
		"an operator removes an operator": func() error {
			return clerks.Remove(t.Context(), staff[clerk.Operator], staff[clerk.Operator], identitytest.Noon)
		},
		"a supervisor adds a clerk": func() error {
			return clerks.Add(t.Context(), clerk.Clerk{Person: citizen, Office: "x", Role: clerk.AtDesk}, staff[clerk.Supervisor], identitytest.Noon)
		},
		"an auditor moves a clerk": func() error { return clerks.Move(t.Context(), other, staff[clerk.Auditor], identitytest.Noon) },
		"a clerk removes a supervisor": func() error {
			return clerks.Remove(t.Context(), staff[clerk.Supervisor], staff[clerk.AtDesk], identitytest.Noon)
		},
		"a citizen moves a clerk": func() error { return clerks.Move(t.Context(), other, citizen, identitytest.Noon) },
	} {
		if err := act(); !errors.Is(err, clerk.ErrRole) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w.Contents(t) != before {
		t.Error("something was done")
	}
	if err := clerks.Remove(t.Context(), staff[clerk.Operator], uuid.Nil, identitytest.Noon); err != nil {
		t.Errorf("at the terminal: %v", err)
	}
}
