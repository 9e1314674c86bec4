package identity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
)

// blocked is somebody whose identifier is blocked, and the phone that is kept for it.
func blocked(t *testing.T, w *identitytest.World) (uuid.UUID, identity.Phone) {
	t.Helper()
	person, _ := w.Active(t)
	if err := w.Registry.Block(t.Context(), person, identity.Desk, identitytest.Act(2*time.Minute)); err != nil {
		t.Fatal(err)
	}
	return person, phoneOf(t, w, person)
}

func phoneOf(t *testing.T, w *identitytest.World, person uuid.UUID) identity.Phone {
	t.Helper()
	i, err := w.Registry.Of(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	return i.Phone
}

// takers are the acts by which a phone comes to somebody, who is given with each.
func takers(t *testing.T, w *identitytest.World) map[string]func(identity.Phone) (uuid.UUID, func() error) {
	t.Helper()
	ctx, hour := t.Context(), identitytest.Act(time.Hour)
	return map[string]func(identity.Phone) (uuid.UUID, func() error){
		"issue": func(phone identity.Phone) (uuid.UUID, func() error) {
			person, _ := w.Person(t)
			a := w.Assignment(t, person, 9000)
			a.Phone = phone
			return person, func() error { return w.Registry.Issue(ctx, a, hour) }
		},
		"reissue": func(phone identity.Phone) (uuid.UUID, func() error) {
			person, _ := w.Issued(t)
			return person, func() error { return w.Registry.Reissue(ctx, person, phone, hour) }
		},
		"change phone": func(phone identity.Phone) (uuid.UUID, func() error) {
			person, _ := w.Active(t)
			return person, func() error { _, err := w.Registry.ChangePhone(ctx, person, phone, hour); return err }
		},
		"unblock": func(phone identity.Phone) (uuid.UUID, func() error) {
			person, _ := blocked(t, w)
			return person, func() error { return w.Registry.Unblock(ctx, person, phone, hour) }
		},
	}
}

// A number that the operator gave to somebody else goes to whoever has proved it; the identifier that had it is blocked
// without one, and nothing more is sent there for its owner.
func TestThePhoneOfABlockedIdentifierGoesToWhoeverProvesIt(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	for name, taker := range takers(t, w) {
		former, phone := blocked(t, w)
		person, take := taker(phone)
		w.BreakEach(t, take)
		if phoneOf(t, w, person) != phone {
			t.Errorf("%s: the phone did not come to the one who proved it", name)
		}
		if phoneOf(t, w, former) != (identity.Phone{}) {
			t.Errorf("%s: the blocked identifier has a phone", name)
		}
		if got := w.State(t, former); got != "blocked:desk" {
			t.Errorf("%s: the blocked identifier is %s", name, got)
		}
		if n := w.Count(t, `event WHERE kind = 'phone.released' AND person_id = $1`, former); n != 1 {
			t.Errorf("%s: the release is recorded %d times", name, n)
		}
		if n := w.Count(t, `sms_message WHERE state = 'queued' AND person_id = $1`, former); n != 0 {
			t.Errorf("%s: %d messages are still to be sent to the former owner", name, n)
		}
	}
}

// Resolution 792 ¶4: the phone of an identifier in use is nobody else's.
func TestThePhoneOfAnIdentifierInUseIsNotTaken(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	for state, somebody := range map[string]func(*testing.T) (uuid.UUID, identity.Identifier){"temporary": w.Issued, "active": w.Active} {
		for name, taker := range takers(t, w) {
			owner, _ := somebody(t)
			phone := phoneOf(t, w, owner)
			_, take := taker(phone)
			before := w.Contents(t)
			if err := take(); !errors.Is(err, identity.ErrPhoneTaken) {
				t.Errorf("%s, of an identifier that is %s: got %v, want ErrPhoneTaken", name, state, err)
			}
			if w.Contents(t) != before {
				t.Errorf("%s, of an identifier that is %s, changed something", name, state)
			}
		}
	}
}

// An identifier without a phone is not unblocked without another one, to which the password goes.
func TestAnIdentifierWithoutAPhoneIsUnblockedWithAnother(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	former, phone := blocked(t, w)
	_, take := takers(t, w)["issue"](phone)
	if err := take(); err != nil {
		t.Fatal(err)
	}
	later := identitytest.Act(2 * time.Hour)
	before := w.Contents(t)
	if err := w.Registry.Unblock(t.Context(), former, identity.Phone{}, later); !errors.Is(err, identity.ErrNoPhone) {
		t.Errorf("got %v, want ErrNoPhone", err)
	}
	if w.Contents(t) != before {
		t.Error("it changed something")
	}
	w.BreakEach(t, func() error { return w.Registry.Unblock(t.Context(), former, w.Phone(t, 9001), later) })
	if got := w.State(t, former); got != "temporary" || phoneOf(t, w, former) != w.Phone(t, 9001) {
		t.Errorf("the state is %s", got)
	}
	if n := w.Count(t, `sms_message WHERE person_id = $1 AND queued_at = $2`, former, later.At); n != 1 {
		t.Errorf("%d messages, want the password alone: there is no former phone to tell", n)
	}
}

// With another phone the former one is told; the phone that is there is no change.
func TestAnUnblockWithAnotherPhoneTellsTheFormer(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	for name, row := range map[string]struct {
		phone   func(identity.Phone) identity.Phone
		changes int
	}{
		"another":  {func(identity.Phone) identity.Phone { return w.Phone(t, 9001) }, 1},
		"the same": {func(former identity.Phone) identity.Phone { return former }, 0},
		"none":     {func(identity.Phone) identity.Phone { return identity.Phone{} }, 0},
	} {
		person, phone := blocked(t, w)
		act := identitytest.Act(time.Hour)
		if err := w.Registry.Unblock(t.Context(), person, row.phone(phone), act); err != nil {
			t.Fatal(err)
		}
		if n := w.Count(t, `event WHERE kind = 'phone.changed' AND person_id = $1`, person); n != row.changes {
			t.Errorf("%s: recorded %d times", name, n)
		}
		if n := w.Count(t, `sms_message WHERE kind = 'notice' AND person_id = $1 AND queued_at = $2`, person, act.At); n != row.changes {
			t.Errorf("%s: %d phones are told", name, n)
		}
	}
}

// Whoever comes first; the other is told, and neither waits for ever.
func TestOfTwoWhoTakeAReservedPhoneOneGetsIt(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	for range 4 {
		for name, taker := range takers(t, w) {
			_, phone := blocked(t, w)
			_, one := taker(phone)
			_, rival := takers(t, w)["change phone"](phone)
			if got := together(one, rival); !exactlyOne(got, identity.ErrPhoneTaken) {
				t.Errorf("%s and a change of phone came to %v", name, got)
			}
			owner, kept := blocked(t, w)
			_, one = taker(kept)
			back := func() error {
				return w.Registry.Unblock(t.Context(), owner, identity.Phone{}, identitytest.Act(time.Hour))
			}
			got := together(one, back)
			if errors.Is(got[1], identity.ErrNoPhone) {
				got[1] = identity.ErrPhoneTaken
			}
			if !exactlyOne(got, identity.ErrPhoneTaken) {
				t.Errorf("%s and the return of the owner came to %v", name, got)
			}
		}
		first, a := blocked(t, w)
		second, b := blocked(t, w)
		for n, err := range together(
			func() error { return w.Registry.Unblock(t.Context(), first, b, identitytest.Act(time.Hour)) },
			func() error { return w.Registry.Unblock(t.Context(), second, a, identitytest.Act(time.Hour)) },
		) {
			if err != nil {
				t.Errorf("of two who take each other's phone, %d: %v", n, err)
			}
		}
	}
}

// Of two temporary passwords the later one is good: the earlier is not sent after it. What warns of a former act is.
func TestASupersededTemporaryPasswordIsTakenBack(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	hour := identitytest.Act(time.Hour)
	for name, act := range map[string]func(uuid.UUID) error{
		"reissue": func(person uuid.UUID) error { return w.Registry.Reissue(t.Context(), person, identity.Phone{}, hour) },
		"unblock": func(person uuid.UUID) error {
			if err := w.Registry.Block(t.Context(), person, identity.Desk, identitytest.Act(time.Minute)); err != nil {
				return err
			}
			return w.Registry.Unblock(t.Context(), person, identity.Phone{}, hour)
		},
	} {
		person, _ := w.Issued(t)
		if err := act(person); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if n := w.Count(t, `sms_message WHERE person_id = $1 AND kind = 'temporary_password' AND state = 'queued'`, person); n != 1 {
			t.Errorf("%s: %d temporary passwords are to be sent", name, n)
		}
		if n := w.Count(t, `sms_message WHERE person_id = $1 AND kind = 'temporary_password' AND state = 'queued' AND queued_at = $2`, person, hour.At); n != 1 {
			t.Errorf("%s: it is not the later one that is to be sent", name)
		}
		if n := w.Count(t, `sms_message WHERE person_id = $1 AND kind = 'notice' AND state = 'failed'`, person); n != 0 {
			t.Errorf("%s: %d notices were taken back", name, n)
		}
	}
}
