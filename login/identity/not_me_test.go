package identity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
)

// token is that of the link that was said last.
func token(t *testing.T, w *identitytest.World) string {
	t.Helper()
	token, ok := strings.CutPrefix(w.Said("Link"), "https://id.example/not-me/")
	if !ok || len(token) < 23 { // of five bits each: 112 at least
		t.Fatalf("the link is %q", w.Said("Link"))
	}
	return token
}

// Every warning lets whoever got it block, with nothing else in hand: once, for ten days, and only what is in use (resolution 792 ¶6).
func TestAWarningBlocks(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	ctx, hour := t.Context(), identitytest.Act(time.Hour)
	for name, act := range map[string]func(uuid.UUID) error{
		"of a change of the password": func(person uuid.UUID) error {
			return w.Registry.ChangePassword(ctx, person, identitytest.Static, recovered, hour)
		},
		"of a recovery": func(person uuid.UUID) error {
			return w.Registry.Recover(ctx, person, changedAt(t, w, person), recovered, hour)
		},
		"of another phone": func(person uuid.UUID) error {
			_, err := w.Registry.ChangePhone(ctx, person, w.Phone(t, 7000+w.Count(t, "identity")), hour)
			return err
		},
		"of a passkey": func(person uuid.UUID) error {
			tx, err := w.Pool.Begin(ctx)
			if err != nil {
				return err
			}
			return errors.Join(w.Registry.Tell(ctx, tx, person, "sms.passkey_added", hour), tx.Commit(ctx))
		},
		"of the first password": func(uuid.UUID) error { return nil },
	} {
		person, _ := w.Active(t)
		if err := act(person); err != nil {
			t.Fatal(err)
		}
		link, at := token(t, w), hour.At.Add(10*24*time.Hour-time.Minute)
		if name == "of the first password" {
			at = identitytest.Noon.Add(10 * 24 * time.Hour)
		}
		if of, err := w.Registry.Warned(ctx, link, at); err != nil || of.Word == "" || !of.At.Equal(at.Add(time.Minute-10*24*time.Hour)) && name != "of the first password" {
			t.Errorf("%s: told of %+v, %v", name, of, err)
		}
		w.BreakEach(t, func() error { return w.Registry.NotMe(ctx, link, identity.Act{At: at}) })
		if got := w.State(t, person); got != "blocked:self" {
			t.Errorf("%s: the identifier is %s", name, got)
		}
		if n := w.Count(t, `event WHERE kind = 'identifier.blocked' AND person_id = $1 AND detail->>'by' = 'warning'`, person); n != 1 {
			t.Errorf("%s: recorded %d times", name, n)
		}
		if err := w.Registry.NotMe(ctx, link, identity.Act{At: at}); !errors.Is(err, identity.ErrUnknown) {
			t.Errorf("%s, once more: got %v, want ErrUnknown", name, err)
		}
		if _, err := w.Registry.Warned(ctx, link, at); !errors.Is(err, identity.ErrUnknown) {
			t.Errorf("%s, looked at once more: got %v, want ErrUnknown", name, err)
		}
	}
}

// Whoever took the identifier over knows the password that would lift the block, and its citizen knows none: then the link leaves none, also the link
// of a later warning. Otherwise the citizen's own is kept.
func TestOnlyTheDeskGivesBackWhatWasTaken(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	ctx, hour := t.Context(), identitytest.Act(time.Hour)
	lifts := func(name string, id identity.Identifier, password string, want bool) {
		t.Helper()
		_, err := w.Registry.CheckBlocked(ctx, id, password, identity.AtHome, identitytest.Act(4*time.Hour))
		if got := err == nil; got != want {
			t.Errorf("%s: the password goes on to lift the block: %t, want %t (%v)", name, got, want, err)
		}
	}
	for name, taken := range map[string]struct {
		act      func(person uuid.UUID) error
		password string
		lifts    bool
	}{
		"a recovery": {func(person uuid.UUID) error {
			return w.Registry.Recover(ctx, person, changedAt(t, w, person), recovered, hour)
		}, recovered, false},
		"another phone": {func(person uuid.UUID) error {
			_, err := w.Registry.ChangePhone(ctx, person, w.Phone(t, 7500+w.Count(t, "identity")), hour)
			return err
		}, identitytest.Static, false},
		"an unblocking": {func(person uuid.UUID) error {
			if err := w.Registry.Block(ctx, person, identity.Self, identitytest.Act(time.Minute)); err != nil {
				return err
			}
			return w.Registry.UnblockSelf(ctx, person, changedAt(t, w, person), false, recovered, hour)
		}, recovered, false},
		"a passkey": {func(uuid.UUID) error { return nil }, identitytest.Static, true},
	} {
		for by, want := range map[string]bool{"code": taken.lifts, "password": true, "": true} {
			person, id := w.Active(t)
			if err := taken.act(person); err != nil {
				t.Fatal(err)
			}
			link, act := token(t, w), identitytest.Act(2*time.Hour)
			act.By = by
			if err := w.Registry.Block(ctx, person, identity.Self, act); err != nil {
				t.Fatal(err)
			}
			lifts(name+", then a block by "+by, id, taken.password, want)
			err := w.Registry.NotMe(ctx, link, identitytest.Act(3*time.Hour)) // the link is good after the block
			if got := err == nil; got != (want && !taken.lifts) {
				t.Errorf("%s, blocked by %q: the link says %v", name, by, err)
			}
			lifts(name+", then its link", id, taken.password, taken.lifts)
		}
		person, id := w.Active(t)
		if err := taken.act(person); err != nil {
			t.Fatal(err)
		}
		tx, err := w.Pool.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Registry.Tell(ctx, tx, person, "sms.passkey_added", hour), tx.Commit(ctx)); err != nil {
			t.Fatal(err)
		}
		if err := w.Registry.NotMe(ctx, token(t, w), identitytest.Act(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		lifts(name, id, taken.password, taken.lifts)
	}
}

// A link that is over or made up, or whose identifier is not in use, changes nothing; and of two who follow one, one blocks.
func TestAWarningBlocksOnceAndInTime(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, _ := w.Active(t)
	link := token(t, w)
	till := identitytest.Noon.Add(time.Minute + 240*time.Hour)
	before := w.Contents(t)
	for what, typed := range map[string]string{"made up": strings.Repeat("A", 26), "none": "", "late": link, "lower case": strings.ToLower(link)} {
		if err := w.Registry.NotMe(t.Context(), typed, identity.Act{At: till}); !errors.Is(err, identity.ErrUnknown) {
			t.Errorf("%s: got %v, want ErrUnknown", what, err)
		}
	}
	if strings.Contains(before, link) {
		t.Error("the token lies open")
	}
	if got := together(
		func() error { return w.Registry.NotMe(t.Context(), link, identitytest.Act(time.Hour)) },
		func() error { return w.Registry.NotMe(t.Context(), link, identitytest.Act(time.Hour)) },
	); !exactlyOne(got, identity.ErrUnknown) {
		t.Errorf("two who follow one link come to %v", got)
	}
	if got := w.State(t, person); got != "blocked:self" {
		t.Errorf("the identifier is %s", got)
	}
	if w.Contents(t) == before {
		t.Error("nothing was recorded")
	}
	other, _ := w.Active(t)
	link = token(t, w)
	if err := w.Registry.Block(t.Context(), other, identity.Desk, identitytest.Act(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := w.Registry.NotMe(t.Context(), link, identitytest.Act(2*time.Hour)); !errors.Is(err, identity.ErrState) || w.State(t, other) != "blocked:desk" {
		t.Errorf("of a blocked identifier: got %v, want ErrState", err)
	}
	// A later warning forgets the links that are over.
	third, _ := w.Active(t)
	for n, after := range []time.Duration{241 * time.Hour, 482 * time.Hour} {
		if _, err := w.Registry.ChangePhone(t.Context(), third, w.Phone(t, 7000+n), identitytest.Act(after)); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.Count(t, `not_me WHERE person_id = $1`, third); n != 1 {
		t.Errorf("%d links are kept, want the last", n)
	}
}
