package identity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
)

// selfBlocked is somebody who has blocked the identifier.
func selfBlocked(t *testing.T, w *identitytest.World) (uuid.UUID, identity.Identifier) {
	t.Helper()
	person, id := w.Active(t)
	if err := w.Registry.Block(t.Context(), person, identity.Self, identitytest.Act(time.Hour)); err != nil {
		t.Fatal(err)
	}
	return person, id
}

// Who lifts a block of his own forms another password than there was (resolution 792 ¶7); the former one is worth nothing.
func TestWhoUnblocksHimselfFormsAnotherPassword(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, id := selfBlocked(t, w)
	later := identitytest.Act(2 * time.Hour)
	var weak *identity.WeakError
	err := w.Registry.UnblockSelf(t.Context(), person, changedAt(t, w, person), false, identitytest.Static, later)
	if !errors.As(err, &weak) || weak.Word != "password.same" {
		t.Errorf("with the password that there was: %v", err)
	}
	if err := w.Registry.UnblockSelf(t.Context(), person, changedAt(t, w, person), false, recovered, later); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Registry.Check(t.Context(), id, identitytest.Static, identity.Elsewhere, later); !errors.Is(err, identity.ErrWrong) {
		t.Errorf("the former password: got %v, want ErrWrong", err)
	}
	i, err := w.Registry.Check(t.Context(), id, recovered, identity.Elsewhere, later)
	if err != nil || i.State != identity.Active {
		t.Errorf("the new password: %s, %v", i.State, err)
	}
	if n := w.Count(t, `event WHERE kind = 'identifier.unblocked' AND person_id = $1 AND clerk_id IS NULL`, person); n != 1 {
		t.Errorf("recorded %d times", n)
	}
}

// A block of one's own that was there when the register told of a death stays: nobody lifts it in that person's place (order 82, p. 10).
func TestNobodyUnblocksTheDead(t *testing.T) {
	t.Parallel()
	for _, fact := range []string{"death_date", "declared_dead_date", "missing_date"} {
		w := identitytest.New(t)
		person, _ := selfBlocked(t, w)
		w.Exec(t, `UPDATE person SET `+fact+` = '2026-11-01' WHERE id = $1`, person)
		if err := w.Registry.UnblockSelf(t.Context(), person, changedAt(t, w, person), false, recovered, identitytest.Act(2*time.Hour)); !errors.Is(err, identity.ErrState) {
			t.Errorf("%s: %v", fact, err)
		}
		if got := w.State(t, person); got != "blocked:self" {
			t.Errorf("%s: the state is %s", fact, got)
		}
	}
}

// After so many failures in a row an unknown browser lifts the block no more for a day (eIDAS 2015/1502, annex 2.2.3), however many follow; a known one
// does, and so does the desk. The next block begins anew.
func TestFailuresCloseOnesOwnWayBack(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, _ := selfBlocked(t, w)
	for n := range 7 {
		if err := w.Registry.CountUnblock(t.Context(), person, identitytest.Noon.Add(time.Hour+time.Duration(n)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	before := w.Contents(t)
	if err := w.Registry.UnblockSelf(t.Context(), person, changedAt(t, w, person), false, recovered, identitytest.Act(2*time.Hour)); !errors.Is(err, identity.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if w.Contents(t) != before {
		t.Error("it changed something")
	}
	who, err := w.Registry.Of(t.Context(), person)
	if want := identitytest.Noon.Add(25*time.Hour + 4*time.Minute); err != nil || !who.ClosedTill.Equal(want) {
		t.Errorf("closed till %v, want %v (%v)", who.ClosedTill, want, err)
	}
	w.ClosedFor = 36 * time.Hour
	if who, err = w.Registry.Of(t.Context(), person); err != nil || !who.Closed(identitytest.Noon.Add(36*time.Hour)) {
		t.Errorf("where more is settled: closed till %v (%v)", who.ClosedTill, err)
	}
	if err := w.Registry.UnblockSelf(t.Context(), person, changedAt(t, w, person), true, identitytest.Static, identitytest.Act(2*time.Hour)); !errors.Is(err, identity.ErrWeak) {
		t.Errorf("a known browser: %v, want no more than another password", err)
	}
	if err := w.Registry.Unblock(t.Context(), person, identity.Phone{}, identitytest.Act(3*time.Hour)); err != nil {
		t.Errorf("the desk: %v", err)
	}
	other, _ := w.Active(t) // whose identifier is in use loses nothing by it
	for range 5 {
		if err := w.Registry.CountUnblock(t.Context(), other, identitytest.Noon); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Registry.Block(t.Context(), other, identity.Self, identitytest.Act(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := w.Registry.UnblockSelf(t.Context(), other, changedAt(t, w, other), false, recovered, identitytest.Act(2*time.Hour)); err != nil {
		t.Errorf("after failures while it was in use: %v", err)
	}
}

// The password that is kept over a block proves who may lift it, and only there; of a block by others none is kept, and a temporary one
// unblocks nothing.
func TestWhosePasswordProvesABlockedIdentifier(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	for _, reason := range []identity.BlockReason{identity.Self, identity.Desk, identity.Security, ""} {
		person, id := w.Active(t)
		if reason != "" {
			if err := w.Registry.Block(t.Context(), person, reason, identitytest.Act(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		_, err := w.Registry.CheckBlocked(t.Context(), id, identitytest.Static, identity.Elsewhere, identitytest.Act(2*time.Hour))
		if right := reason == identity.Self || reason == ""; (err == nil) != right || !right && !errors.Is(err, identity.ErrWrong) {
			t.Errorf("blocked by %q: %v", reason, err)
		}
	}
	_, id := w.Issued(t)
	if _, err := w.Registry.CheckBlocked(t.Context(), id, w.Said("Password"), identity.Elsewhere, identitytest.Act(time.Hour)); !errors.Is(err, identity.ErrWrong) {
		t.Errorf("a temporary password: %v", err)
	}
}
