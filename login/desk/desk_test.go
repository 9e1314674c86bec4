package desk_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"asoba.example/login/clerk"
	"asoba.example/login/code"
	"asoba.example/login/desk"
	"asoba.example/login/document"
	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
	"asoba.example/login/sms"
	"asoba.example/login/throttle"
)

// A world with a desk in it and a clerk at the desk.
type world struct {
	*identitytest.World
	desk   *desk.Desk
	clerks *clerk.Clerks

	metrics *prometheus.Registry

	by  desk.By
	now time.Time
}

func newWorld(t *testing.T) *world { t.Helper(); return newWorldWith(t, nil) }

// newWorldWith is a world in which documents are asked about.
func newWorldWith(t *testing.T, documents *document.Register) *world {
	t.Helper()
	w := &world{World: identitytest.New(t), now: identitytest.Noon.Add(time.Hour), metrics: prometheus.NewRegistry()}
	now := func() time.Time { return w.now }
	var err error
	w.desk, err = desk.New(desk.Config{
		Pool: w.Pool, Box: w.Box, Registry: w.Registry, Outbox: w.Outbox, Documents: documents, Now: now,
		Throttle: &throttle.Throttle{Redis: w.Redis, Key: []byte("key"), Now: now}, Metrics: w.metrics,
		Codes: &code.Codes{Redis: w.Redis, Key: []byte("key"), Outbox: w.Outbox, Pool: w.Pool, Say: w.Say, Now: now},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.clerks = &clerk.Clerks{Pool: w.Pool}
	w.by, _ = w.clerk(t, clerk.AtDesk)
	return w
}

// clerk makes somebody a clerk.
func (w *world) clerk(t *testing.T, role clerk.Role) (desk.By, identity.Identifier) {
	t.Helper()
	person, id := w.Active(t)
	c := clerk.Clerk{Person: person, Office: "Minsk-1", Role: role}
	if err := w.clerks.Add(t.Context(), c, uuid.Nil, identitytest.Noon); err != nil {
		t.Fatal(err)
	}
	return desk.By{Clerk: c, ClientID: "desk"}, id
}

// visit is somebody who comes with all that is needed.
func visit(id identity.Identifier) desk.Papers {
	return desk.Papers{
		Identifier: id,
		Document:   identity.Document{Kind: "passport", Number: "MP1234567", ValidTill: "2026-11-22"},
		Attested:   []desk.Attestation{desk.Holder, desk.Particulars, desk.PhoneUse},
		Basis:      identity.Basis{Number: "12-7", Date: "2026-11-22"},
		Language:   "be",
	}
}

func (w *world) opening(t *testing.T, id identity.Identifier, phone int) desk.Opening {
	t.Helper()
	return desk.Opening{
		Papers: visit(id), Names: identity.Names{Family: "Каваленка", Given: "Алена"}, Phone: w.Phone(t, phone),
	}
}

// confirmed is an issuance whose phone is confirmed.
func (w *world) confirmed(t *testing.T, id identity.Identifier, phone int) uuid.UUID {
	t.Helper()
	issuance, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, w.opening(t, id, phone))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.desk.ConfirmPhone(t.Context(), w.by, desk.Issuance, issuance, w.Said("Code")); err != nil {
		t.Fatal(err)
	}
	return issuance
}

// refused tells whether the error is a guard's refusal with the code, and is recorded as often as it was made.
func (w *world) refused(t *testing.T, err error, code string, times int) {
	t.Helper()
	var refusal *desk.GuardError
	if !errors.As(err, &refusal) || refusal.Code != code {
		t.Errorf("got %v, want a refusal %s", err, code)
	}
	if n := w.Count(t, `event WHERE kind = 'desk.refused' AND detail->>'code' = $1 AND clerk_id = $2 AND office = 'Minsk-1'`,
		code, w.by.Person); n != times {
		t.Errorf("the refusal %s is recorded %d times, want %d", code, n, times)
	}
}

// The guards of resolution 792 ¶4, one broken at a time, before anything is kept of the visit.
func TestAnIssuanceIsOpenedUnderGuards(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.Person(t)
	_, issued := w.Issued(t)
	_, blocked := w.Active(t)
	if _, err := w.desk.Block(t.Context(), w.by, visit(blocked)); err != nil {
		t.Fatal(err)
	}
	gone := map[string]identity.Identifier{}
	for _, fact := range []string{"death", "declared_dead", "missing"} {
		person, who := w.Person(t)
		w.Exec(t, `UPDATE person SET `+fact+`_date = '2026-01-01' WHERE id = $1`, person)
		gone[fact] = who
	}
	children := map[string]identity.Identifier{}
	for _, born := range []string{"2012-11-23", "2012-11", "2012"} {
		person, who := w.Person(t)
		w.Exec(t, `UPDATE person SET birth_date = $2 WHERE id = $1`, person, born)
		children[born] = who
	}
	_, himself := w.clerk(t, clerk.AtDesk)
	own, err := w.clerks.OnDuty(t.Context(), himself, time.Time{})
	if err != nil {
		t.Fatal(err)
	}

	seen := map[string]int{}
	for name, row := range map[string]struct {
		code   string
		change func(*desk.Opening)
	}{
		"no document":              {"g1", func(o *desk.Opening) { o.Document = identity.Document{} }},
		"a document that is over":  {"g1", func(o *desk.Opening) { o.Document.ValidTill = "2026-11-21" }},
		"a temporary identifier":   {"g2", func(o *desk.Opening) { o.Identifier = issued }},
		"a blocked identifier":     {"g2", func(o *desk.Opening) { o.Identifier = blocked }},
		"another's phone":          {"g4", func(o *desk.Opening) { o.Phone = phoneOf(t, w, issued) }},
		"holder not attested":      {"g5", func(o *desk.Opening) { o.Attested = []desk.Attestation{desk.Particulars, desk.PhoneUse} }},
		"particulars not attested": {"g5", func(o *desk.Opening) { o.Attested = []desk.Attestation{desk.Holder, desk.PhoneUse} }},
		"phone not attested":       {"g5", func(o *desk.Opening) { o.Attested = []desk.Attestation{desk.Holder, desk.Particulars} }},
		"dead":                     {"g6", func(o *desk.Opening) { o.Identifier = gone["death"] }},
		"declared dead":            {"g6", func(o *desk.Opening) { o.Identifier = gone["declared_dead"] }},
		"a day too young":          {"g8", func(o *desk.Opening) { o.Identifier = children["2012-11-23"] }},
		"perhaps some days":        {"g8", func(o *desk.Opening) { o.Identifier = children["2012-11"] }},
		"perhaps some months":      {"g8", func(o *desk.Opening) { o.Identifier = children["2012"] }},
		"missing":                  {"g6", func(o *desk.Opening) { o.Identifier = gone["missing"] }},
	} {
		o := w.opening(t, id, 9001)
		row.change(&o)
		_, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, o)
		seen[row.code]++
		w.refused(t, err, row.code, seen[row.code])
		if t.Failed() {
			t.Fatalf("the case was: %s", name)
		}
	}
	w.by.Clerk = own
	_, _, err = w.desk.Open(t.Context(), w.by, desk.Issuance, w.opening(t, himself, 9001))
	w.refused(t, err, "g9", 1)

	if n := w.Count(t, "issuance"); n != 0 {
		t.Errorf("%d issuances are kept of refusals", n)
	}
	if n := w.Count(t, `sms_message WHERE kind = 'code'`); n != 0 {
		t.Errorf("%d codes were sent", n)
	}
}

func phoneOf(t *testing.T, w *world, id identity.Identifier) identity.Phone {
	t.Helper()
	i, err := w.Registry.Find(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return i.Phone
}

// Between the beginning and the end of a visit the world goes on: every guard is looked at again.
func TestAssigningLooksAtEveryGuardAgain(t *testing.T) {
	t.Parallel()
	for code, meanwhile := range map[string]func(*testing.T, *world, uuid.UUID, uuid.UUID){
		"g1": func(_ *testing.T, w *world, _, _ uuid.UUID) { w.now = w.now.Add(time.Hour) }, // past midnight
		"g2": func(t *testing.T, w *world, person, _ uuid.UUID) {
			t.Helper()
			if err := w.Registry.Issue(t.Context(), w.Assignment(t, person, 77), identitytest.Act(0)); err != nil {
				t.Fatal(err)
			}
		},
		"g3": func(t *testing.T, w *world, _, issuance uuid.UUID) {
			t.Helper()
			w.Exec(t, `UPDATE issuance SET phone_confirmed_at = NULL WHERE id = $1`, issuance)
		},
		"g4": func(t *testing.T, w *world, _, _ uuid.UUID) {
			t.Helper()
			other, _ := w.Person(t)
			if err := w.Registry.Issue(t.Context(), w.Assignment(t, other, 9001), identitytest.Act(0)); err != nil {
				t.Fatal(err)
			}
		},
		"g8": func(t *testing.T, w *world, person, _ uuid.UUID) { // the register has corrected the date of birth
			t.Helper()
			w.Exec(t, `UPDATE person SET birth_date = '2020-01-01' WHERE id = $1`, person)
		},
		"g6": func(t *testing.T, w *world, person, _ uuid.UUID) {
			t.Helper()
			w.Exec(t, `UPDATE person SET death_date = '2026-11-22' WHERE id = $1`, person)
		},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.now = time.Date(2026, 11, 22, 20, 30, 0, 0, time.UTC) // 23:30 in Minsk
			person, id := w.Person(t)
			issuance := w.confirmed(t, id, 9001)
			meanwhile(t, w, person, issuance)
			_, err := w.desk.Assign(t.Context(), w.by, desk.Issuance, issuance)
			w.refused(t, err, code, 1)
			if n := w.Count(t, `issuance WHERE assigned_at IS NOT NULL`); n != 0 {
				t.Error("the issuance is taken for assigned")
			}
		})
	}
}

func TestAssigningBrokenAnywhereLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person, id := w.Person(t)
	issuance := w.confirmed(t, id, 9001)
	w.BreakEach(t, func() error { _, err := w.desk.Assign(t.Context(), w.by, desk.Issuance, issuance); return err })
	if got := w.State(t, person); got != "temporary" {
		t.Errorf("the state is %s", got)
	}

	// Who did not hear the answer asks again, and is told the same; nothing more is sent.
	before := w.Contents(t)
	if done, err := w.desk.Assign(t.Context(), w.by, desk.Issuance, issuance); err != nil || done.SMS != sms.Queued {
		t.Errorf("asked again: %v, %v", done, err)
	}
	if w.Contents(t) != before {
		t.Error("asking again changed something")
	}
}

func TestActsOfTheDeskBrokenAnywhereLeaveNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person, id := w.Active(t)
	w.BreakEach(t, func() error { _, err := w.desk.Block(t.Context(), w.by, visit(id)); return err })
	if got := w.State(t, person); got != "blocked:desk" {
		t.Errorf("after the block the state is %s", got)
	}
	w.BreakEach(t, func() error { _, err := w.desk.Unblock(t.Context(), w.by, visit(id)); return err })
	w.BreakEach(t, func() error { _, err := w.desk.Reissue(t.Context(), w.by, visit(id)); return err })
	if got := w.State(t, person); got != "temporary" {
		t.Errorf("at last the state is %s", got)
	}
	if n := w.Count(t, `desk_act WHERE person_id = $1 AND clerk_id = $2 AND basis_number = '12-7'`, person, w.by.Person); n != 3 {
		t.Errorf("%d papers of three acts", n)
	}
}

// Two desks, one second: the person gets one identifier, the phone goes to one person (resolution 792 ¶4).
func TestOfTwoDesksOneAssigns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, one := w.Person(t)
	_, other := w.Person(t)
	_, third := w.Person(t)
	for _, row := range []struct {
		what      string
		issuances [2]uuid.UUID
		code      string
	}{
		{"one person", [2]uuid.UUID{w.confirmed(t, one, 9001), w.confirmed(t, one, 9002)}, "g2"},
		{"one phone", [2]uuid.UUID{w.confirmed(t, other, 9003), w.confirmed(t, third, 9003)}, "g4"},
	} {
		before := w.Count(t, "identity")
		var (
			errs  [2]error
			start = make(chan struct{})
			both  sync.WaitGroup
		)
		for n, issuance := range row.issuances {
			both.Go(func() {
				<-start
				_, errs[n] = w.desk.Assign(t.Context(), w.by, desk.Issuance, issuance)
			})
		}
		close(start)
		both.Wait()
		if errs[0] != nil {
			errs[0], errs[1] = errs[1], errs[0]
		}
		if errs[0] != nil {
			t.Errorf("%s: neither assigned: %v", row.what, errs)
		}
		w.refused(t, errs[1], row.code, 1)
		if n := w.Count(t, "identity"); n != before+1 {
			t.Errorf("%s: %d assigned", row.what, n-before)
		}
	}
}

// A phone is confirmed by the code of this visit, while it lasts.
func TestAPhoneIsConfirmedByItsCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.Person(t)
	if _, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, w.opening(t, id, 9001)); err != nil {
		t.Fatal(err)
	}
	codeOfFirst := w.Said("Code")
	w.now = w.now.Add(61 * time.Second)
	second, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, w.opening(t, id, 9002))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.desk.ConfirmPhone(t.Context(), w.by, desk.Issuance, second, codeOfFirst); !errors.Is(err, code.ErrWrong) {
		t.Errorf("the code of another visit: %v", err)
	}
	if err := w.desk.ConfirmPhone(t.Context(), w.by, desk.Issuance, second, "12345"); !errors.Is(err, code.ErrWrong) {
		t.Errorf("no code: %v", err)
	}
	_, err = w.desk.Assign(t.Context(), w.by, desk.Issuance, second)
	w.refused(t, err, "g3", 1)
	if _, err := w.desk.Resend(t.Context(), w.by, desk.Issuance, second); !errors.Is(err, code.ErrWait) {
		t.Errorf("another code at once: %v", err)
	}
	w.now = w.now.Add(2 * time.Minute)
	if _, err := w.desk.Resend(t.Context(), w.by, desk.Issuance, second); err != nil {
		t.Errorf("another code two minutes later: %v", err)
	}
	typed := w.Said("Code")[:3] + " " + w.Said("Code")[3:]
	if err := w.desk.ConfirmPhone(t.Context(), w.by, desk.Issuance, second, typed); err != nil {
		t.Errorf("the right code: %v", err)
	}
	if stage, _, err := w.desk.Stage(t.Context(), w.by, desk.Issuance, second); err != nil || stage != desk.Confirmed {
		t.Errorf("the stage is %s, %v", stage, err)
	}
	another, _ := w.clerk(t, clerk.AtDesk)
	if _, err := w.desk.Assign(t.Context(), another, desk.Issuance, second); !errors.Is(err, desk.ErrNoVisit) {
		t.Errorf("another clerk's issuance: %v", err)
	}
	w.now = w.now.Add(2 * time.Hour)
	if _, err := w.desk.Assign(t.Context(), w.by, desk.Issuance, second); !errors.Is(err, desk.ErrOver) {
		t.Errorf("after the visit: %v", err)
	}
	if n := w.Count(t, `event WHERE kind = 'phone.confirmed'`); n != 1 {
		t.Errorf("%d confirmations are recorded", n)
	}
}

// The code that came to the phone is not lost with a confirmation that broke: the same one confirms. Where that was done but not heard, it is
// told as done.
func TestAConfirmationBrokenAnywhereLeavesItsCodeGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for phone := range 2 {
		_, id := w.Person(t)
		visit, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, w.opening(t, id, 9001+phone))
		if err != nil {
			t.Fatal(err)
		}
		sent := w.Said("Code")
		confirm := func() error { return w.desk.ConfirmPhone(t.Context(), w.by, desk.Issuance, visit, sent) }
		if phone == 0 {
			w.BreakEach(t, confirm)
		} else if mend := w.Trips.LoseCommit(1); confirm() == nil || !mend() {
			t.Error("the answer to COMMIT was heard")
		}
		if err := confirm(); err != nil {
			t.Errorf("asked again: %v", err)
		}
		if stage, _, err := w.desk.Stage(t.Context(), w.by, desk.Issuance, visit); err != nil || stage != desk.Confirmed {
			t.Errorf("the stage is %s, %v", stage, err)
		}
	}
	if n := w.Count(t, `event WHERE kind = 'phone.confirmed'`); n != 2 {
		t.Errorf("%d confirmations of two are recorded", n)
	}
}

// Where no code may go to the phone yet, nothing is left of what was asked for: whoever waits asks again.
func TestAVisitIsOpenedWithItsCodeOrNotAtAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.Person(t)
	_, another := w.Person(t)
	_, active := w.Active(t)
	open := func(e desk.Errand, id identity.Identifier, phone int) error {
		_, _, err := w.desk.Open(t.Context(), w.by, e, w.opening(t, id, phone))
		return err
	}
	w.BreakEach(t, func() error { return open(desk.Issuance, id, 9001) })
	before := w.Contents(t)
	for what, err := range map[string]error{
		"for the same person":                     open(desk.Issuance, id, 9002),
		"to the same phone":                       open(desk.Issuance, another, 9001),
		"to the same phone, for something else":   open(desk.PhoneChange, active, 9001),
		"to the same phone, and the person's own": open(desk.Issuance, id, 9001),
	} {
		if !errors.Is(err, code.ErrWait) {
			t.Errorf("another code %s: %v", what, err)
		}
	}
	if w.Contents(t) != before {
		t.Error("an opening that was refused leaves something")
	}
	w.now = w.now.Add(time.Minute)
	if err := open(desk.Issuance, id, 9002); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

// What serving somebody else needs is needed for blocks and unblocks too.
func TestActsOfTheDeskAreGuarded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person, id := w.Active(t)
	over := visit(id)
	over.Document.ValidTill = "2026-11-21"
	_, err := w.desk.Block(t.Context(), w.by, over)
	w.refused(t, err, "g1", 1)

	refusals := 0
	_, temporary := w.Issued(t)
	for _, attested := range [][]desk.Attestation{nil, {desk.Holder, desk.PhoneUse}, {desk.Particulars}} {
		for act, do := range map[string]func(desk.Papers) error{
			"block":   func(v desk.Papers) error { _, err := w.desk.Block(t.Context(), w.by, v); return err },
			"unblock": func(v desk.Papers) error { _, err := w.desk.Unblock(t.Context(), w.by, v); return err },
			"reissue": func(v desk.Papers) error { _, err := w.desk.Reissue(t.Context(), w.by, v); return err },
		} {
			v := visit(temporary)
			v.Attested = attested
			refusals++
			w.refused(t, do(v), "g5", refusals)
			if t.Failed() {
				t.Fatalf("the act was: %s, with %v attested", act, attested)
			}
		}
	}

	own, himself := w.clerk(t, clerk.Supervisor)
	w.by = own
	_, err = w.desk.Block(t.Context(), own, visit(himself))
	w.refused(t, err, "g9", 1)

	w.Exec(t, `UPDATE person SET missing_date = '2026-11-22' WHERE id = $1`, person)
	if _, err := w.desk.Block(t.Context(), w.by, visit(id)); err != nil {
		t.Errorf("blocking somebody missing: %v", err)
	}
	_, err = w.desk.Unblock(t.Context(), w.by, visit(id))
	w.refused(t, err, "g6", 1)
	if got := w.State(t, person); got != "blocked:desk" {
		t.Errorf("the state is %s", got)
	}
}
