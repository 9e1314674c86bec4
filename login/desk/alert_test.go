package desk_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/desk"
	"asoba.example/migrations/pgtest"
)

// alerted wants so many alerts of a pattern about the world's clerk.
func (w *world) alerted(t *testing.T, p desk.Pattern, times int) {
	t.Helper()
	if n := w.Count(t, `event WHERE kind = 'desk.alerted' AND detail->>'pattern' = $1 AND clerk_id = $2 AND office = 'Minsk-1' AND person_id IS NULL`,
		string(p), w.by.Person); n != times {
		t.Errorf("%d alerts of %s, want %d", n, p, times)
	}
}

// issue issues an identifier to somebody new, with the nth phone.
func (w *world) issue(t *testing.T, phone int) {
	t.Helper()
	_, id := w.Person(t)
	o := w.opening(t, id, phone)
	o.Document.ValidTill = "2030-01-01"
	issuance, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, o)
	if err == nil {
		err = w.desk.ConfirmPhone(t.Context(), w.by, desk.Issuance, issuance, w.Said("Code"))
	}
	if err == nil {
		_, err = w.desk.Assign(t.Context(), w.by, desk.Issuance, issuance)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A worker tries to issue to himself: refused, alert. So is every other act upon himself.
func TestAClerkWhoWouldServeHimselfIsRefusedAndSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own, id := w.clerk(t, clerk.AtDesk)
	w.by = own
	before := w.Count(t, `identity WHERE state <> 'active'`)
	_, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, w.opening(t, id, 9001))
	w.refused(t, err, "g9", 1)
	w.alerted(t, desk.OwnIdentifier, 1)
	_, err = w.desk.Block(t.Context(), w.by, visit(id))
	w.refused(t, err, "g9", 2)
	_, err = w.desk.Unblock(t.Context(), w.by, visit(id))
	w.refused(t, err, "g9", 3)
	_, err = w.desk.LookUp(t.Context(), w.by, id, documentOf(t, w, id), desk.InPerson)
	w.refused(t, err, "g9", 4)
	w.alerted(t, desk.OwnIdentifier, 1) // once an hour
	w.now = w.now.Add(time.Hour)
	_, err = w.desk.Reissue(t.Context(), w.by, visit(id))
	w.refused(t, err, "g9", 5)
	w.alerted(t, desk.OwnIdentifier, 2)
	if n := w.Count(t, `identity WHERE state <> 'active'`); n != before {
		t.Error("something was done")
	}
}

// Numbers that stand side by side were bought together; people come one by one.
func TestARunOfPhoneNumbersIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.issue(t, 100)
	w.issue(t, 109)
	w.alerted(t, desk.NeighbouringPhones, 0)
	w.issue(t, 120) // eleven away: nobody's neighbour
	w.alerted(t, desk.NeighbouringPhones, 0)
	w.issue(t, 105)
	w.alerted(t, desk.NeighbouringPhones, 1)

	w.now = w.now.Add(25 * time.Hour) // the others are of yesterday
	w.issue(t, 106)
	w.alerted(t, desk.NeighbouringPhones, 1)
}

func TestManyIssuancesInAnHourAreSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 14 {
		w.issue(t, 100*n)
	}
	w.alerted(t, desk.ManyIssuances, 0)
	w.issue(t, 1500)
	w.alerted(t, desk.ManyIssuances, 1)
	w.issue(t, 1600)
	w.alerted(t, desk.ManyIssuances, 1) // once an hour
	w.now = w.now.Add(2 * time.Hour)
	w.issue(t, 1700)
	w.alerted(t, desk.ManyIssuances, 1)
}

func TestAnIssuanceAtNightIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n, row := range []struct {
		at   time.Time
		seen int
	}{
		{time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC), 0}, // eight in Minsk
		{time.Date(2026, 11, 23, 16, 59, 0, 0, time.UTC), 0},
		{time.Date(2026, 11, 23, 17, 0, 0, 0, time.UTC), 1},
		{time.Date(2026, 11, 24, 4, 59, 0, 0, time.UTC), 2},
	} {
		w.now = row.at
		w.issue(t, 100*n)
		w.alerted(t, desk.OutOfHours, row.seen)
	}
}

// An alert is of what was done: it is in the act's transaction, and without it nothing is issued.
func TestAnAlertIsPartOfTheAct(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.now = time.Date(2026, 11, 22, 19, 0, 0, 0, time.UTC) // ten in Minsk
	person, id := w.Person(t)
	issuance := w.confirmed(t, id, 9001)
	w.BreakEach(t, func() error {
		_, err := w.desk.Assign(t.Context(), w.by, desk.Issuance, issuance)
		return err
	})
	w.alerted(t, desk.OutOfHours, 1)
	if got := w.State(t, person); got != "temporary" {
		t.Errorf("the state is %s", got)
	}
}

// Over the limit a clerk waits, an alert is raised, and another clerk goes on; over the office's, nobody there does.
func TestActsAreLimitedPerClerkAndPerOffice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	over := func(by desk.By) bool {
		t.Helper()
		err := w.desk.Admit(t.Context(), by)
		rate, ok := errors.AsType[*desk.RateError](err)
		if err != nil && (!ok || rate.Wait <= 0 || rate.Wait > time.Hour) {
			t.Fatal(err)
		}
		return ok
	}
	for range 120 {
		if over(w.by) {
			t.Fatal("refused within the limit")
		}
	}
	if !over(w.by) {
		t.Fatal("admitted over the limit")
	}
	w.alerted(t, desk.TooManyActs, 1)
	for n := range 9 {
		other := w.by
		other.Person = uuid.New()
		for range 120 {
			if over(other) {
				t.Fatalf("clerk %d waits for another one", n)
			}
		}
	}
	other := w.by
	other.Person = uuid.New()
	if !over(other) {
		t.Error("admitted over the office's limit")
	}
	other.Office = "Brest-3"
	if over(other) {
		t.Error("an office waits for another one")
	}
	w.now = w.now.Add(time.Hour)
	if over(w.by) {
		t.Error("refused an hour later")
	}
}

// Without a record of the alert the refusal is an error of ours, and still a refusal.
func TestNobodyPassesTheLimitBecauseItCannotBeRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 120 {
		if err := w.desk.Admit(t.Context(), w.by); err != nil {
			t.Fatal(err)
		}
	}
	heal := pgtest.FailOn(t, w.Pool, "INSERT", "event")
	if err := w.desk.Admit(t.Context(), w.by); err == nil {
		t.Error("admitted")
	}
	heal()
}
