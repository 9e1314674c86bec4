package identity_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
)

// changedAt is when a person's identifier was last acted upon.
func changedAt(t *testing.T, w *identitytest.World, person uuid.UUID) time.Time {
	t.Helper()
	i, err := w.Registry.Of(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	return i.ChangedAt
}

const recovered = "жаўрук спявае над полем"

// The lost password is worth nothing any more, the row of failures is over, and grave acts wait for a day.
func TestARecoveredPasswordReplacesTheLostOne(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, id := w.Active(t)
	w.Exec(t, `UPDATE identity SET failures = 60 WHERE person_id = $1`, person)
	before, err := w.Registry.Of(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	if before.Frozen(identitytest.Noon.Add(time.Hour)) {
		t.Error("frozen before any recovery")
	}
	act := identitytest.Act(time.Hour)
	if err := w.Registry.Recover(t.Context(), person, before.ChangedAt, recovered, act); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Registry.Check(t.Context(), id, identitytest.Static, identity.Elsewhere, act); !errors.Is(err, identity.ErrWrong) {
		t.Errorf("the lost password: got %v, want ErrWrong", err)
	}
	i, err := w.Registry.Check(t.Context(), id, recovered, identity.Elsewhere, act)
	if err != nil {
		t.Fatalf("the new password: %v", err)
	}
	if !i.Frozen(act.At) || !i.Frozen(act.At.Add(24*time.Hour-1)) || i.Frozen(act.At.Add(24*time.Hour)) {
		t.Errorf("frozen till %v, want for a day", i.FrozenTill)
	}
	// A change of the password afterwards thaws nothing.
	if err := w.Registry.ChangePassword(t.Context(), person, recovered, identitytest.Static, identitytest.Act(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if i, err = w.Registry.Of(t.Context(), person); err != nil || !i.Frozen(act.At.Add(23*time.Hour)) {
		t.Errorf("thawed by a change of the password: %v, %v", i.FrozenTill, err)
	}
	// A desk has seen whose it is, and forms another password.
	act = identitytest.Act(3 * time.Hour)
	if err := w.Registry.Block(t.Context(), person, identity.Self, act); err != nil {
		t.Fatal(err)
	}
	if err := w.Registry.Unblock(t.Context(), person, identity.Phone{}, act); err != nil {
		t.Fatal(err)
	}
	if i, err = w.Registry.Of(t.Context(), person); err != nil || i.Frozen(act.At) {
		t.Errorf("frozen after a desk gave access anew: %v, %v", i.FrozenTill, err)
	}
}

// What was proved counts for the identifier as it stood then: of a recovery and any act in between, the act wins.
func TestARecoveryRestsOnWhatWasProved(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	for name, between := range map[string]func(uuid.UUID) error{
		"a block": func(person uuid.UUID) error {
			return w.Registry.Block(t.Context(), person, identity.Self, identitytest.Act(time.Hour))
		},
		"a change": func(person uuid.UUID) error {
			return w.Registry.ChangePassword(t.Context(), person, identitytest.Static, recovered, identitytest.Act(time.Hour))
		},
		"another recovery": func(person uuid.UUID) error {
			return w.Registry.Recover(t.Context(), person, changedAt(t, w, person), recovered, identitytest.Act(time.Hour))
		},
	} {
		for moment, within := range map[string]bool{"before": false, "while the password is hashed": true} {
			person, _ := w.Active(t)
			act, changed := identitytest.Act(2*time.Hour), changedAt(t, w, person)
			if within {
				act.Within = func(context.Context, pgx.Tx) error { return between(person) }
			} else if err := between(person); err != nil {
				t.Fatal(err)
			}
			err := w.Registry.Recover(t.Context(), person, changed, "трэцяя песня пра бусла", act)
			if !errors.Is(err, identity.ErrState) {
				t.Errorf("after %s %s: got %v, want ErrState", name, moment, err)
			}
		}
	}
}

// A recovered password is held to what every static one is.
func TestARecoveredPasswordIsNotWeak(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, _ := w.Active(t)
	before := w.Contents(t)
	if err := w.Registry.Recover(t.Context(), person, changedAt(t, w, person), "каваленка алена", identitytest.Act(time.Hour)); !errors.Is(err, identity.ErrWeak) {
		t.Errorf("got %v, want ErrWeak", err)
	}
	if w.Contents(t) != before {
		t.Error("it changed something")
	}
}
