package identity_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
)

// Each act is whole or not at all, wherever it is broken, and can be done again.
func TestAnActBrokenAnywhereLeavesNothing(t *testing.T) {
	for name, act := range map[string]func(*testing.T, *identitytest.World) func() error{
		"issue": func(t *testing.T, w *identitytest.World) func() error {
			t.Helper()
			person, _ := w.Person(t)
			a := w.Assignment(t, person, 1)
			return func() error { return w.Registry.Issue(t.Context(), a, identitytest.Act(0)) }
		},
		"reissue": func(t *testing.T, w *identitytest.World) func() error {
			t.Helper()
			person, _ := w.Issued(t)
			return func() error {
				return w.Registry.Reissue(t.Context(), person, identity.Phone{}, identitytest.Act(time.Hour))
			}
		},
		"activate": func(t *testing.T, w *identitytest.World) func() error {
			t.Helper()
			person, _ := w.Issued(t)
			return func() error {
				return w.Registry.Activate(t.Context(), person, identitytest.Static, identitytest.Act(time.Hour))
			}
		},
		"change password": func(t *testing.T, w *identitytest.World) func() error {
			t.Helper()
			person, _ := w.Active(t)
			return func() error {
				return w.Registry.ChangePassword(t.Context(), person, identitytest.Static, "жаўрук спявае над полем", identitytest.Act(time.Hour))
			}
		},
		"unblock by self": func(t *testing.T, w *identitytest.World) func() error {
			t.Helper()
			person, _ := w.Active(t)
			if err := w.Registry.Block(t.Context(), person, identity.Self, identitytest.Act(time.Hour)); err != nil {
				t.Fatal(err)
			}
			changed := changedAt(t, w, person)
			return func() error {
				return w.Registry.UnblockSelf(t.Context(), person, changed, false, recovered, identitytest.Act(2*time.Hour))
			}
		},
		"recover": func(t *testing.T, w *identitytest.World) func() error {
			t.Helper()
			person, _ := w.Active(t)
			changed := changedAt(t, w, person)
			return func() error {
				return w.Registry.Recover(t.Context(), person, changed, "жаўрук спявае над полем", identitytest.Act(time.Hour))
			}
		},
		"renumber": func(t *testing.T, w *identitytest.World) func() error {
			t.Helper()
			person, _ := w.Active(t)
			return func() error {
				return pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error {
					return w.Registry.Renumber(t.Context(), tx, []uuid.UUID{person}, identitytest.Act(time.Hour).At)
				})
			}
		},
		"incapacitate": func(t *testing.T, w *identitytest.World) func() error {
			t.Helper()
			person, _ := w.Active(t)
			return func() error {
				return pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error {
					return w.Registry.Incapacitate(t.Context(), tx, []uuid.UUID{person}, identitytest.Act(time.Hour).At)
				})
			}
		},
		"change phone": func(t *testing.T, w *identitytest.World) func() error {
			t.Helper()
			person, _ := w.Issued(t)
			return func() error {
				_, err := w.Registry.ChangePhone(t.Context(), person, w.Phone(t, 9001), identitytest.Act(time.Hour))
				return err
			}
		},
		"block": func(t *testing.T, w *identitytest.World) func() error {
			t.Helper()
			person, _ := w.Active(t)
			return func() error {
				return w.Registry.Block(t.Context(), person, identity.Self, identitytest.Act(time.Hour))
			}
		},
		"unblock": func(t *testing.T, w *identitytest.World) func() error {
			t.Helper()
			person, _ := w.Active(t)
			if err := w.Registry.Block(t.Context(), person, identity.Desk, identitytest.Act(time.Hour)); err != nil {
				t.Fatal(err)
			}
			return func() error {
				return w.Registry.Unblock(t.Context(), person, identity.Phone{}, identitytest.Act(2*time.Hour))
			}
		},
		"deactivate": func(t *testing.T, w *identitytest.World) func() error {
			t.Helper()
			person, _ := w.Active(t)
			return func() error {
				return pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error {
					return w.Registry.Deactivate(t.Context(), tx, []uuid.UUID{person}, identitytest.Act(time.Hour).At)
				})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := identitytest.New(t)
			w.BreakEach(t, act(t, w))
		})
	}
}

// The whole life as doc.go draws it: what is not drawn is refused and changes nothing.
func TestNoMoveExistsButThoseDrawn(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	ctx, hour := t.Context(), identitytest.Act(time.Hour)

	stances := map[string]func() uuid.UUID{
		"none":      func() uuid.UUID { person, _ := w.Person(t); return person },
		"temporary": func() uuid.UUID { person, _ := w.Issued(t); return person },
		"active":    func() uuid.UUID { person, _ := w.Active(t); return person },
	}
	for _, reason := range []identity.BlockReason{identity.Self, identity.Desk, identity.Security} {
		stances["blocked:"+string(reason)] = func() uuid.UUID {
			person, _ := w.Active(t)
			if err := w.Registry.Block(ctx, person, reason, identitytest.Act(2*time.Minute)); err != nil {
				t.Fatal(err)
			}
			return person
		}
	}
	deactivate := func(person uuid.UUID) error {
		return pgx.BeginFunc(ctx, w.Pool, func(tx pgx.Tx) error {
			return w.Registry.Deactivate(ctx, tx, []uuid.UUID{person}, hour.At)
		})
	}
	stances["blocked:register"] = func() uuid.UUID {
		person, _ := w.Active(t)
		if err := deactivate(person); err != nil {
			t.Fatal(err)
		}
		return person
	}

	stances["temporary, over"] = func() uuid.UUID { // its password
		person, _ := w.Person(t)
		if err := w.Registry.Issue(ctx, w.Assignment(t, person, 8000+w.Count(t, "identity")), identitytest.Act(-72*time.Hour)); err != nil {
			t.Fatal(err)
		}
		return person
	}
	stances["blocked:desk, without a phone"] = func() uuid.UUID { // another person has it now
		former, phone := blocked(t, w)
		_, take := takers(t, w)["issue"](phone)
		if err := take(); err != nil {
			t.Fatal(err)
		}
		return former
	}

	phone := 9000
	acts := map[string]func(person uuid.UUID) error{
		"Issue": func(person uuid.UUID) error {
			phone++
			return w.Registry.Issue(ctx, w.Assignment(t, person, phone), hour)
		},
		"Reissue": func(person uuid.UUID) error { return w.Registry.Reissue(ctx, person, identity.Phone{}, hour) },
		"Activate": func(person uuid.UUID) error {
			return w.Registry.Activate(ctx, person, identitytest.Static, hour)
		},
		"ChangePassword": func(person uuid.UUID) error {
			return w.Registry.ChangePassword(ctx, person, identitytest.Static, identitytest.Static+"!", hour)
		},
		"UnblockSelf": func(person uuid.UUID) error {
			return w.Registry.UnblockSelf(ctx, person, changedAt(t, w, person), false, recovered, hour)
		},
		"Recover": func(person uuid.UUID) error {
			return w.Registry.Recover(ctx, person, changedAt(t, w, person), identitytest.Static+"!", hour)
		},
		"ChangePhone": func(person uuid.UUID) error {
			phone++
			_, err := w.Registry.ChangePhone(ctx, person, w.Phone(t, phone), hour)
			return err
		},
		"Unblock":        func(person uuid.UUID) error { return w.Registry.Unblock(ctx, person, identity.Phone{}, hour) },
		"Block register": func(person uuid.UUID) error { return w.Registry.Block(ctx, person, identity.Register, hour) },
		"Deactivate":     deactivate,
		"Restore": func(person uuid.UUID) error {
			return pgx.BeginFunc(ctx, w.Pool, func(tx pgx.Tx) error {
				return w.Registry.Restore(ctx, tx, []uuid.UUID{person}, hour.At)
			})
		},
	}
	for _, reason := range []identity.BlockReason{identity.Self, identity.Desk, identity.Security} {
		acts["Block "+string(reason)] = func(person uuid.UUID) error { return w.Registry.Block(ctx, person, reason, hour) }
	}

	drawn := map[string]string{
		"none Issue":                     "temporary",
		"temporary Reissue":              "temporary",
		"temporary, over Reissue":        "temporary",
		"temporary, over ChangePhone":    "temporary",
		"temporary, over Block desk":     "blocked:desk",
		"temporary, over Block security": "blocked:security",
		"temporary, over Deactivate":     "blocked:register",
		"temporary ChangePhone":          "temporary",
		"temporary Activate":             "active",
		"temporary Block desk":           "blocked:desk",
		"temporary Block security":       "blocked:security",
		"temporary Deactivate":           "blocked:register",
		"active ChangePassword":          "active",
		"active Recover":                 "active",
		"active ChangePhone":             "active",
		"active Block self":              "blocked:self",
		"active Block desk":              "blocked:desk",
		"active Block security":          "blocked:security",
		"active Deactivate":              "blocked:register",
		"blocked:self Unblock":           "temporary",
		"blocked:self UnblockSelf":       "active",
		"blocked:self Deactivate":        "blocked:register",
		"blocked:desk Unblock":           "temporary",
		"blocked:security Unblock":       "temporary",
		"blocked:register Restore":       "blocked:desk",
	}
	for from, person := range stances {
		for name, act := range acts {
			who := person()
			err := act(who)
			to, ok := drawn[from+" "+name]
			switch {
			case ok && err != nil:
				t.Errorf("%s from %s: %v", name, from, err)
			case !ok && name != "Deactivate" && name != "Restore" &&
				!errors.Is(err, identity.ErrState) && !errors.Is(err, identity.ErrAssigned) && !errors.Is(err, identity.ErrNoPhone):
				t.Errorf("%s from %s: got %v, want a refusal", name, from, err)
			}
			if !ok {
				to, _, _ = strings.Cut(from, ",")
			}
			if got := w.State(t, who); got != to {
				t.Errorf("%s from %s: got to %s, want %s", name, from, got, to)
			}
		}
	}
}

// A password that is tried too often stops working for a time or for strangers; it never blocks, and never moves a
// state (resolution 792 ¶6 tells who blocks).
func TestNoWrongPasswordMovesAState(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	const kept = `(SELECT to_jsonb(i) - 'failures' AS row FROM identity i WHERE person_id = $1) AS kept WHERE row = $2`
	somebody := map[string]func() (uuid.UUID, identity.Identifier){
		"temporary": func() (uuid.UUID, identity.Identifier) { return w.Issued(t) },
		"active":    func() (uuid.UUID, identity.Identifier) { return w.Active(t) },
	}
	for _, reason := range []identity.BlockReason{identity.Self, identity.Desk, identity.Security} {
		somebody["blocked:"+string(reason)] = func() (uuid.UUID, identity.Identifier) {
			person, id := w.Active(t)
			if err := w.Registry.Block(t.Context(), person, reason, identitytest.Act(2*time.Minute)); err != nil {
				t.Fatal(err)
			}
			return person, id
		}
	}
	for stance, who := range somebody {
		person, id := who()
		w.Exec(t, `UPDATE identity SET failures = 48 WHERE person_id = $1`, person)
		var before []byte
		if err := w.Pool.QueryRow(t.Context(), `SELECT to_jsonb(i) - 'failures' FROM identity i WHERE person_id = $1`, person).Scan(&before); err != nil {
			t.Fatal(err)
		}
		for n := range 4 {
			if _, err := w.Registry.Check(t.Context(), id, "not this one", []identity.From{identity.Elsewhere, identity.AtHome}[n%2], identity.Act{At: identitytest.Noon.Add(time.Hour)}); !errors.Is(err, identity.ErrWrong) {
				t.Errorf("%s: got %v, want ErrWrong", stance, err)
			}
		}
		if n := w.Count(t, `identity WHERE person_id = $1 AND failures = 52`, person); n != 1 {
			t.Errorf("%s: the failures are not counted", stance)
		}
		if n := w.Count(t, kept, person, before); n != 1 || w.State(t, person) != stance {
			t.Errorf("%s became %s", stance, w.State(t, person))
		}
	}
}

// No act without its record, none that ends sign-ins without their end, and the citizen is told.
func TestEveryActIsRecordedAndTold(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, _ := w.Person(t)
	clerk := uuid.Must(uuid.NewV7())
	ctx, after := t.Context(), time.Duration(0)
	for _, row := range []struct {
		act    func(identity.Act) error
		record string
		told   identity.MessageKind
		ends   bool
	}{
		{func(a identity.Act) error { return w.Registry.Issue(ctx, w.Assignment(t, person, 1), a) }, "identifier.issued", identity.TemporaryPasswordMessage, false},
		{func(a identity.Act) error { return w.Registry.Reissue(ctx, person, identity.Phone{}, a) }, "password.reissued", identity.TemporaryPasswordMessage, false},
		{func(a identity.Act) error { return w.Registry.Activate(ctx, person, identitytest.Static, a) }, "identifier.activated", identity.NoticeMessage, false},
		{func(a identity.Act) error {
			return w.Registry.ChangePassword(ctx, person, identitytest.Static, "жаўрук спявае над полем", a)
		}, "password.changed", identity.NoticeMessage, true},
		{func(a identity.Act) error {
			return w.Registry.Recover(ctx, person, changedAt(t, w, person), "жаваранак спявае над полем", a)
		}, "password.recovered", identity.NoticeMessage, true},
		{func(a identity.Act) error {
			_, err := w.Registry.ChangePhone(ctx, person, w.Phone(t, 2), a)
			return err
		}, "phone.changed", identity.NoticeMessage, false},
		{func(a identity.Act) error { return w.Registry.Block(ctx, person, identity.Security, a) }, "identifier.blocked", identity.NoticeMessage, true},
		{func(a identity.Act) error { return w.Registry.Unblock(ctx, person, identity.Phone{}, a) }, "identifier.unblocked", identity.TemporaryPasswordMessage, true},
	} {
		after += time.Minute
		act := identitytest.Act(after)
		act.Clerk, act.Office, act.ClientID, act.Agent, act.Language = clerk, "Minsk-1", "desk", "Firefox, Linux", "be"
		if err := row.act(act); err != nil {
			t.Fatalf("%s: %v", row.record, err)
		}
		if n := w.Count(t, `event WHERE kind = $1 AND person_id = $2 AND at = $3 AND clerk_id = $4
			AND office = 'Minsk-1' AND client_id = 'desk' AND agent = 'Firefox, Linux'`, row.record, person, act.At, clerk); n != 1 {
			t.Errorf("%s is recorded %d times", row.record, n)
		}
		if n := w.Count(t, `sms_message WHERE kind = $1 AND person_id = $2 AND queued_at = $3`, row.told, person, act.At); n != 1 {
			t.Errorf("of %s the citizen is told %d times", row.record, n)
		}
		if ended := w.Count(t, `ended WHERE person_id = $1 AND at = $2`, person, act.At) == 1; ended != row.ends {
			t.Errorf("%s ends sign-ins: %v", row.record, ended)
		}
	}
}

func TestAnIdentifierAndAPhoneAreGivenOnce(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	one, _ := w.Person(t)
	other, _ := w.Person(t)

	if got := together(
		func() error {
			return w.Registry.Issue(t.Context(), w.Assignment(t, one, 1), identitytest.Act(0))
		},
		func() error {
			return w.Registry.Issue(t.Context(), w.Assignment(t, one, 2), identitytest.Act(0))
		},
	); !exactlyOne(got, identity.ErrAssigned) {
		t.Errorf("two assignments to one person came to %v", got)
	}
	w.Exec(t, `DELETE FROM sms_message`)
	w.Exec(t, `DELETE FROM identity`)
	if got := together(
		func() error {
			return w.Registry.Issue(t.Context(), w.Assignment(t, one, 3), identitytest.Act(0))
		},
		func() error {
			return w.Registry.Issue(t.Context(), w.Assignment(t, other, 3), identitytest.Act(0))
		},
	); !exactlyOne(got, identity.ErrPhoneTaken) {
		t.Errorf("two assignments with one phone came to %v", got)
	}
	if n := w.Count(t, "sms_message"); n != 1 {
		t.Errorf("%d messages for one assignment", n)
	}
}

// together does things at the same moment.
func together(acts ...func() error) []error {
	var (
		errs  = make([]error, len(acts))
		start = make(chan struct{})
		all   sync.WaitGroup
	)
	for i, act := range acts {
		all.Go(func() { <-start; errs[i] = act() })
	}
	close(start)
	all.Wait()
	return errs
}

func exactlyOne(errs []error, others error) bool {
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if !errors.Is(err, others) {
			return false
		}
	}
	return done == 1
}

func TestAPasswordIsProvedOnlyWhileItIsGood(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, id := w.Issued(t)
	temporary := w.Said("Password")
	check := func(password string, after time.Duration) error {
		t.Helper()
		i, err := w.Registry.Check(t.Context(), id, password, identity.Elsewhere, identity.Act{At: identitytest.Noon.Add(after)})
		if err == nil && i.Person != person {
			t.Errorf("Check gave %s, want %s", i.Person, person)
		}
		return err
	}
	right := func(what, password string, after time.Duration) {
		t.Helper()
		if err := check(password, after); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	wrong := func(what, password string, after time.Duration) {
		t.Helper()
		if err := check(password, after); !errors.Is(err, identity.ErrWrong) {
			t.Errorf("%s: got %v, want ErrWrong", what, err)
		}
	}

	right("as in the SMS", temporary, 0)
	right("without the hyphen, in small letters", strings.ToLower(strings.ReplaceAll(temporary, "-", "")), 0)
	wrong("another", "AAAAA-AAAAA", 0)
	right("after a wrong one", temporary, 72*time.Hour-time.Second)
	wrong("past its term", temporary, 72*time.Hour)
	if got := w.State(t, person); got != "temporary" {
		t.Errorf("a wrong password moved the state to %s", got)
	}

	if err := w.Registry.Activate(t.Context(), person, identitytest.Static, identitytest.Act(time.Hour)); err != nil {
		t.Fatal(err)
	}
	right("the static one", identitytest.Static, 2*time.Hour)
	wrong("the temporary one after use", temporary, 2*time.Hour)
	wrong("the static one in capitals", strings.ToUpper(identitytest.Static), 2*time.Hour)
	for range 60 {
		w.Exec(t, `UPDATE identity SET failures = failures + 1`)
	}
	wrong("the static one after sixty wrong ones, at a strange browser", identitytest.Static, 2*time.Hour)
	if _, err := w.Registry.Check(t.Context(), id, identitytest.Static, identity.AtHome, identity.Act{At: identitytest.Noon.Add(2 * time.Hour)}); err != nil {
		t.Errorf("the static one after sixty wrong ones, at a known browser: %v", err)
	}
	right("the static one after that", identitytest.Static, 2*time.Hour)
	if n := w.Count(t, `identity WHERE failures <> 0`); n != 0 {
		t.Error("a right password did not end the row of failures")
	}

	if err := w.Registry.Block(t.Context(), person, identity.Self, identitytest.Act(3*time.Hour)); err != nil {
		t.Fatal(err)
	}
	wrong("the static one of a blocked identifier", identitytest.Static, 4*time.Hour)

	nobody, err := identity.ParseIdentifier("0000000A000PB2")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Registry.Check(t.Context(), nobody, identitytest.Static, identity.Elsewhere, identity.Act{At: identitytest.Noon}); !errors.Is(err, identity.ErrWrong) {
		t.Errorf("of nobody: got %v, want ErrWrong", err)
	}
	_, noIdentifier := w.Person(t)
	if _, err := w.Registry.Check(t.Context(), noIdentifier, identitytest.Static, identity.Elsewhere, identity.Act{At: identitytest.Noon}); !errors.Is(err, identity.ErrWrong) {
		t.Errorf("of somebody without an identifier: got %v, want ErrWrong", err)
	}
}

// A temporary password whose term is over is destroyed, and no other one: whoever types it hears what everybody hears, and is sent another.
func TestATemporaryPasswordThatIsOverIsDestroyed(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, id := w.Issued(t)
	over := w.Said("Password")
	later, _ := w.Issued(t)
	if err := w.Registry.Reissue(t.Context(), later, identity.Phone{}, identitytest.Act(time.Hour)); err != nil {
		t.Fatal(err)
	}
	w.Active(t)
	blocked, _ := w.Active(t)
	if err := w.Registry.Block(t.Context(), blocked, identity.Self, identitytest.Act(time.Hour)); err != nil {
		t.Fatal(err)
	}
	const good = `identity WHERE password_hash IS NOT NULL`
	before := w.Count(t, good)
	till := identitytest.Act(72 * time.Hour)
	w.Trips.FailAt(1)
	if err := w.Registry.Expire(t.Context(), till.At); err == nil {
		t.Error("destroyed over a broken statement")
	}
	w.Trips.FailAt(0)
	if err := w.Registry.Expire(t.Context(), till.At.Add(-time.Microsecond)); err != nil || w.Count(t, good) != before {
		t.Errorf("destroyed before its time: %v", err)
	}
	for range 2 {
		if err := w.Registry.Expire(t.Context(), till.At); err != nil {
			t.Fatal(err)
		}
		if n := w.Count(t, good); n != before-1 || w.Count(t, good+` AND person_id = $1`, person) != 0 || w.State(t, person) != "temporary" {
			t.Errorf("%d passwords of %d are left; it is %s", n, before, w.State(t, person))
		}
	}
	if _, err := w.Registry.Check(t.Context(), id, over, identity.Elsewhere, till); !errors.Is(err, identity.ErrWrong) {
		t.Errorf("the password that is over: %v", err)
	}
	if err := w.Registry.Activate(t.Context(), person, identitytest.Static, till); !errors.Is(err, identity.ErrState) {
		t.Errorf("activated by it: %v", err)
	}
	if err := w.Registry.Reissue(t.Context(), person, identity.Phone{}, till); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Registry.Check(t.Context(), id, w.Said("Password"), identity.Elsewhere, till); err != nil {
		t.Errorf("the one that was sent then: %v", err)
	}
}

// The temporary password can never become the static one (resolution 792 ¶5).
func TestTheTemporaryPasswordNeverBecomesStatic(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, _ := w.Issued(t)
	temporary := w.Said("Password")
	back := []byte(strings.ReplaceAll(temporary, "-", ""))
	slices.Reverse(back)
	for _, password := range []string{
		temporary + "!", // it is too short by itself
		temporary + temporary,
		"пароль " + temporary,
		strings.ToLower(temporary) + "2026",
		strings.ReplaceAll(temporary, "-", "") + "ab",
		string(back) + "..",
	} {
		var weak *identity.WeakError
		err := w.Registry.Activate(t.Context(), person, password, identitytest.Act(time.Hour))
		// By chance it looks like the number of a document, or a service's word is in it; and one of them says it again.
		if !errors.As(err, &weak) || !slices.Contains([]string{"password.like_temporary", "password.personal", "password.words", "password.simple"}, weak.Word) {
			t.Errorf("Activate with %q: %v", strings.ReplaceAll(password, temporary, "TTTTT-TTTTT"), err)
		}
	}
	if got := w.State(t, person); got != "temporary" {
		t.Errorf("the state is %s", got)
	}
}

// A static password formed while the desk sends another temporary one: one of the two wins, not both.
func TestActivateRestsOnTheTemporaryPasswordThatWasProved(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, _ := w.Issued(t)
	act := identitytest.Act(time.Hour)
	act.Within = func(ctx context.Context, _ pgx.Tx) error {
		return w.Registry.Reissue(ctx, person, identity.Phone{}, identitytest.Act(time.Hour))
	}
	if err := w.Registry.Activate(t.Context(), person, identitytest.Static, act); !errors.Is(err, identity.ErrState) {
		t.Errorf("got %v, want ErrState", err)
	}
}

// What must not outlive a block: the temporary password, and every password but the citizen's own that he may return with.
func TestABlockTakesThePasswordAway(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	for _, reason := range []identity.BlockReason{identity.Self, identity.Desk, identity.Security} {
		person, _ := w.Active(t)
		if err := w.Registry.Block(t.Context(), person, reason, identitytest.Act(time.Hour)); err != nil {
			t.Fatal(err)
		}
		kept := w.Count(t, `identity WHERE person_id = $1 AND password_hash IS NOT NULL`, person) == 1
		if kept != (reason == identity.Self) {
			t.Errorf("blocked by %s: password kept: %v", reason, kept)
		}
	}
}

// A block stands, and says so, even when Redis cannot be reached; the job cleans it later.
func TestABlockDoesNotNeedRedis(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, _ := w.Active(t)
	before := w.Count(t, `river_job WHERE kind = 'grant_clean_up'`)
	if err := w.Redis.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Registry.Block(t.Context(), person, identity.Self, identitytest.Act(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n := w.Count(t, `ended WHERE person_id = $1`, person); n != 1 {
		t.Error("the sign-ins are not ended")
	}
	if n := w.Count(t, `river_job WHERE kind = 'grant_clean_up'`); n != before+1 {
		t.Error("no job is left to clean Redis")
	}
}

// The dead are sent nothing.
func TestNobodyIsToldOfADeactivation(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, _ := w.Active(t)
	without, _ := w.Person(t)
	before := w.Count(t, "sms_message")
	err := pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error {
		return w.Registry.Deactivate(t.Context(), tx, []uuid.UUID{person, without}, identitytest.Act(time.Hour).At)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.State(t, person); got != "blocked:register" {
		t.Errorf("the state is %s", got)
	}
	if n := w.Count(t, "sms_message"); n != before {
		t.Error("a message was sent")
	}
	if n := w.Count(t, `event WHERE kind = 'identifier.blocked' AND person_id = $1 AND detail->>'reason' = 'register'`, person); n != 1 {
		t.Errorf("%d records of the block", n)
	}
}

// That somebody is gone is told of whomever the desk, security or they themselves had blocked before, too, though their block may stay as it is.
func TestADeactivationIsToldOfTheBlocked(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	for reason, stays := range map[identity.BlockReason]string{identity.Desk: "blocked:desk", identity.Security: "blocked:security", identity.Self: "blocked:register"} {
		person, _ := w.Active(t)
		if err := w.Registry.Block(t.Context(), person, reason, identitytest.Act(time.Minute)); err != nil {
			t.Fatal(err)
		}
		err := pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error {
			return w.Registry.Deactivate(t.Context(), tx, []uuid.UUID{person}, identitytest.Act(time.Hour).At)
		})
		if err != nil {
			t.Fatal(err)
		}
		told := w.Count(t, `event WHERE kind = 'sessions.ended' AND person_id = $1 AND detail->>'why' = 'deactivated'`, person)
		if got := w.State(t, person); got != stays || told != 1 {
			t.Errorf("blocked by %s: it is %s, and told %d times", reason, got, told)
		}
	}
}

// Nothing that was still to be sent goes to the phone of somebody who is dead, who was blocked before or not.
func TestADeactivationTakesMessagesBack(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, _ := w.Issued(t) // with a password on its way
	blocked, _ := w.Active(t)
	if err := w.Registry.Block(t.Context(), blocked, identity.Self, identitytest.Act(time.Minute)); err != nil { // with word of that
		t.Fatal(err)
	}
	err := pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error {
		people, at := []uuid.UUID{person, blocked}, identitytest.Act(time.Hour).At
		return errors.Join(w.Registry.Renumber(t.Context(), tx, people, at), w.Registry.Deactivate(t.Context(), tx, people, at))
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := w.Count(t, `sms_message WHERE person_id IN ($1, $2) AND (state = 'queued' OR phone IS NOT NULL)`, person, blocked); n != 0 {
		t.Errorf("%d messages go out", n)
	}
}

// Whose number becomes another one is told, signs in anew, and by the new one alone; the password stays.
func TestAnotherNumberEndsSignIns(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, old := w.Active(t)
	without, _ := w.Person(t)
	gone, _ := w.Active(t)
	before := w.Count(t, `sms_message`)
	err := pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error {
		at := identitytest.Act(time.Hour).At
		if err := w.Registry.Deactivate(t.Context(), tx, []uuid.UUID{gone}, at); err != nil {
			return err
		}
		return w.Registry.Renumber(t.Context(), tx, []uuid.UUID{person, without, gone}, at.Add(time.Minute))
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Exec(t, `UPDATE person SET identification_number = '5311299B500PB0' WHERE id = $1`, person)
	if n := w.Count(t, `sms_message`) - before; n != 1 {
		t.Errorf("%d were told", n)
	}
	if n := w.Count(t, `ended WHERE why = 'renumbered' AND person_id IN ($1, $2)`, person, gone); n != 2 {
		t.Errorf("the sign-ins of %d ended", n)
	}
	fresh, err := identity.ParseIdentifier("5311299B500PB0")
	if err != nil {
		t.Fatal(err)
	}
	check := func(id identity.Identifier) error {
		_, err := w.Registry.Check(t.Context(), id, identitytest.Static, identity.Elsewhere, identitytest.Act(2*time.Hour))
		return err
	}
	if err := check(fresh); err != nil {
		t.Errorf("by the new one: %v", err)
	}
	if err := check(old); !errors.Is(err, identity.ErrWrong) && !errors.Is(err, identity.ErrUnknown) {
		t.Errorf("by the old one: %v", err)
	}
}

// Nothing personal lies open in the database.
func TestNothingPersonalIsReadable(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, _ := w.Active(t)
	all := w.Contents(t)
	i, err := w.Registry.Of(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{i.Phone.Reveal(), i.Phone.Reveal()[4:], i.Names.Family, i.Names.Given, "MP0000001", w.Said("Password"), identitytest.Static} {
		if strings.Contains(all, secret) {
			t.Errorf("%q lies open", secret)
		}
	}
}

// A temporary password stands for a code to the phone that it was sent to; a static one has nothing to do with it.
func TestATemporaryPasswordDoesNotOutliveItsPhone(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, id := w.Issued(t)
	former := w.Said("Password")
	check := func(password string) error {
		_, err := w.Registry.Check(t.Context(), id, password, identity.Elsewhere, identity.Act{At: identitytest.Noon.Add(2 * time.Hour)})
		return err
	}
	if _, err := w.Registry.ChangePhone(t.Context(), person, w.Phone(t, 9001), identitytest.Act(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := check(former); !errors.Is(err, identity.ErrWrong) {
		t.Errorf("the password that the former phone has: %v", err)
	}
	if err := check(w.Said("Password")); err != nil {
		t.Errorf("the password that the new phone has: %v", err)
	}
	if err := w.Registry.Activate(t.Context(), person, identitytest.Static, identitytest.Act(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Registry.ChangePhone(t.Context(), person, w.Phone(t, 9002), identitytest.Act(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := check(identitytest.Static); err != nil {
		t.Errorf("the static password: %v", err)
	}
	if n := w.Count(t, `sms_message WHERE kind = 'temporary_password'`); n != 2 {
		t.Errorf("%d temporary passwords were sent, want 2", n)
	}
}

// The phone that is there is no change, and of two who take one phone one gets it.
func TestAPhoneIsChangedToOneThatIsFree(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	one, _ := w.Active(t)
	other, _ := w.Active(t)
	change := func(person uuid.UUID) error {
		_, err := w.Registry.ChangePhone(t.Context(), person, w.Phone(t, 9001), identitytest.Act(time.Hour))
		return err
	}
	if got := together(
		func() error { return change(one) },
		func() error { return change(other) },
	); !exactlyOne(got, identity.ErrPhoneTaken) {
		t.Errorf("two changes to one phone came to %v", got)
	}
	before := w.Contents(t)
	for _, person := range []uuid.UUID{one, other} {
		i, err := w.Registry.Of(t.Context(), person)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Registry.ChangePhone(t.Context(), person, i.Phone, identitytest.Act(time.Hour)); !errors.Is(err, identity.ErrState) {
			t.Errorf("a change to the present phone: %v", err)
		}
	}
	if w.Contents(t) != before {
		t.Error("a change to the present phone changed something")
	}
}

// The present password is no new one: who thinks that it has changed would be wrong.
func TestChangeToThePresentPasswordIsRefused(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, _ := w.Active(t)
	var weak *identity.WeakError
	err := w.Registry.ChangePassword(t.Context(), person, identitytest.Static, identitytest.Static, identitytest.Act(time.Hour))
	if !errors.As(err, &weak) || weak.Word != "password.same" {
		t.Errorf("got %v, want password.same", err)
	}
}

// Whoever acts upon several people holds them in one order, so that of two none waits for the other for ever.
func TestPeopleAreHeldInOneOrder(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	first, _ := w.Person(t)
	second, _ := w.Issued(t) // lies first in the table
	if err := w.Registry.Issue(t.Context(), w.Assignment(t, first, 9000), identitytest.Act(0)); err != nil {
		t.Fatal(err)
	}
	const waiting = `SELECT count(*) FROM pg_sleep(0.01), pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	for name, act := range map[string]func(pgx.Tx) error{
		"deactivate": func(tx pgx.Tx) error {
			return w.Registry.Deactivate(t.Context(), tx, []uuid.UUID{second, first}, identitytest.Noon)
		},
		"block for security": func(tx pgx.Tx) error {
			_, err := w.Registry.Secure(t.Context(), tx, []uuid.UUID{second, first}, identitytest.Act(0))
			return err
		},
	} {
		holder, err := w.Pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := identity.Hold(t.Context(), holder, first); err != nil {
			t.Fatal(err)
		}
		undone := errors.New("taken back")
		var other sync.WaitGroup
		other.Go(func() {
			err = pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error { return errors.Join(act(tx), undone) })
		})
		for count := 0; count == 0; {
			if err := w.Pool.QueryRow(t.Context(), waiting).Scan(&count); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := holder.Exec(t.Context(), `SELECT FROM identity WHERE person_id = $1 FOR UPDATE NOWAIT`, second); err != nil {
			t.Errorf("%s holds the second before the first: %v", name, err)
		}
		if err := holder.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		other.Wait()
		if !errors.Is(err, undone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
