package identity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
)

// signIn signs a person in and gives the time that the sign-in bears.
func signIn(t *testing.T, w *identitytest.World, person uuid.UUID, at time.Time) (authTime time.Time) {
	t.Helper()
	who, err := w.Registry.Of(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	err = pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) (err error) {
		authTime, _, err = identity.SignIn(t.Context(), tx, person, who.ChangedAt, at)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return authTime
}

// ended is the moment to which the end of a person's sign-ins reaches.
func ended(t *testing.T, w *identitytest.World, person uuid.UUID) (at time.Time) {
	t.Helper()
	if err := w.Pool.QueryRow(t.Context(), `SELECT at FROM ended WHERE person_id = $1`, person).Scan(&at); err != nil {
		t.Fatal(err)
	}
	return at
}

// Whatever the time of the end was, the sign-in after it counts, and so does its time in whole seconds.
func TestASignInCountsAfterTheEnd(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	noon := identitytest.Noon.Add(time.Hour)
	for name, c := range map[string]struct{ now, ended, before, want time.Time }{
		"never ended":                {now: noon.Add(time.Millisecond), want: noon.Add(time.Millisecond)},
		"ended long ago":             {now: noon.Add(time.Millisecond), ended: noon.Add(-time.Hour), want: noon.Add(time.Millisecond)},
		"ended this very moment":     {now: noon, ended: noon, want: noon.Add(time.Second)},
		"ended in this second":       {now: noon.Add(900 * time.Millisecond), ended: noon.Add(100 * time.Millisecond), want: noon.Add(time.Second)},
		"ended in the last one":      {now: noon.Add(time.Millisecond), ended: noon.Add(-time.Millisecond), want: noon.Add(time.Millisecond)},
		"ended by another clock":     {now: noon, ended: noon.Add(300 * time.Millisecond), want: noon.Add(time.Second)},
		"signed in by another clock": {now: noon, before: noon.Add(3 * time.Second), want: noon.Add(3 * time.Second)},
	} {
		person, _ := w.Active(t)
		if !c.ended.IsZero() {
			w.Exec(t, `INSERT INTO ended (person_id, at, why) VALUES ($1, $2, 'password')`, person, c.ended)
		}
		if !c.before.IsZero() {
			signIn(t, w, person, c.before)
		}
		got := signIn(t, w, person, c.now)
		if !got.Equal(c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
		if !got.Truncate(time.Second).After(c.ended) {
			t.Errorf("%s: in whole seconds it counts for nothing", name)
		}
	}
}

// A sign-in may bear a later time than the act that ends it: the next second, or another node's, or the act was asked
// for earlier and had to wait. The end reaches to it, and so to every sign-in there was.
func TestAnEndReachesEverySignInBeforeIt(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	for name, end := range map[string]func(uuid.UUID, identity.Act) error{
		"a change of the password": func(person uuid.UUID, act identity.Act) error {
			return w.Registry.ChangePassword(t.Context(), person, identitytest.Static, identitytest.Static+" і 8", act)
		},
		"a block": func(person uuid.UUID, act identity.Act) error {
			return w.Registry.Block(t.Context(), person, identity.Desk, act)
		},
	} {
		person, _ := w.Active(t)
		w.Exec(t, `INSERT INTO ended (person_id, at, why) VALUES ($1, $2, 'password')`, person, identitytest.Noon.Add(300*time.Millisecond))
		meanwhile := signIn(t, w, person, identitytest.Noon.Add(600*time.Millisecond))
		if err := end(person, identitytest.Act(500*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if got := ended(t, w, person); got.Before(meanwhile) {
			t.Errorf("%s ended at %v, and a sign-in bears %v", name, got, meanwhile)
		}
		if n := w.Count(t, `event WHERE kind = 'sessions.ended' AND person_id = $1 AND at = $2`, person, meanwhile); n != 1 {
			t.Errorf("%s: the feed tells of %d ends that reach the sign-in", name, n)
		}
	}
}

// However often sign-ins are ended where there were none, nobody has to wait for the clock to get in again.
func TestEndsAloneDoNotRunAhead(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, _ := w.Active(t)
	for i := range 20 {
		act := identitytest.Act(time.Hour + time.Duration(i)*time.Millisecond)
		if err := w.Registry.Block(t.Context(), person, identity.Desk, act); err != nil {
			t.Fatal(err)
		}
		if err := w.Registry.Unblock(t.Context(), person, identity.Phone{}, act); err != nil {
			t.Fatal(err)
		}
	}
	if got, latest := ended(t, w, person), identitytest.Noon.Add(time.Hour+time.Second); got.After(latest) {
		t.Errorf("ended at %v, later than %v", got, latest)
	}
}

// What was proved before an act upon the identifier lets nobody in after it.
func TestNobodySignsInByWhatWasProvedBefore(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, _ := w.Active(t)
	who, err := w.Registry.Of(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Registry.ChangePassword(t.Context(), person, identitytest.Static, identitytest.Static+" і 8", identitytest.Act(time.Hour)); err != nil {
		t.Fatal(err)
	}
	err = pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error {
		_, _, err := identity.SignIn(t.Context(), tx, person, who.ChangedAt, identitytest.Noon.Add(2*time.Hour))
		return err
	})
	if !errors.Is(err, identity.ErrState) {
		t.Errorf("got %v", err)
	}
}
