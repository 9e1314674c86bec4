package desk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/code"
	"asoba.example/login/desk"
	"asoba.example/login/document"
	"asoba.example/login/identity"
)

// An asking is somebody at the desk, and what a clerk asks for upon them: it gives the act or the visit, and what is told of it.
type asking struct {
	person uuid.UUID
	ask    func(context.Context, desk.By) (uuid.UUID, string, error)
}

// askings are one of everything that a desk does, with somebody new in each.
func (w *world) askings(t *testing.T, d *documents) map[string]func() asking {
	t.Helper()
	somebody := map[desk.Errand]func(*testing.T) (uuid.UUID, identity.Identifier){
		desk.Issuance: w.Person, desk.PhoneChange: w.Issued, desk.Block: w.Active, desk.Unblock: w.blocked, desk.Reissue: w.Issued,
	}
	told := func(o desk.Outcome, err error) (uuid.UUID, string, error) {
		return o.Act, fmt.Sprint(o.State, " ", o.SMS), err
	}
	at := func(e desk.Errand, do func(context.Context, desk.By, desk.Papers) (desk.Outcome, error)) func() asking {
		return func() asking {
			person, id := somebody[e](t)
			return asking{person, func(ctx context.Context, by desk.By) (uuid.UUID, string, error) { return told(do(ctx, by, visit(id))) }}
		}
	}
	visiting := func(e desk.Errand) (uuid.UUID, func(context.Context, desk.By) (uuid.UUID, string, error)) {
		person, id := somebody[e](t)
		o := w.opening(t, id, 9000+w.Count(t, "person"))
		return person, func(ctx context.Context, by desk.By) (uuid.UUID, string, error) {
			visit, stage, err := w.desk.Open(ctx, by, e, o)
			return visit, string(stage), err
		}
	}
	opened := func(e desk.Errand) (person, visit uuid.UUID) {
		person, open := visiting(e)
		visit, _, err := open(t.Context(), w.by)
		if err != nil {
			t.Fatal(err)
		}
		return person, visit
	}
	all := map[string]func() asking{
		"block": at(desk.Block, w.desk.Block), "unblock": at(desk.Unblock, w.desk.Unblock), "reissue": at(desk.Reissue, w.desk.Reissue),
		"write down what waits for a register": func() asking {
			person, open := visiting(desk.Issuance)
			return asking{person, func(ctx context.Context, by desk.By) (uuid.UUID, string, error) {
				d.say("")
				defer d.say(document.Valid)
				return open(ctx, by)
			}}
		},
		"resume": func() asking {
			d.say("")
			person, visit := opened(desk.Issuance)
			d.say(document.Valid)
			return asking{person, func(ctx context.Context, by desk.By) (uuid.UUID, string, error) {
				stage, err := w.desk.Resume(ctx, by, visit, []desk.Attestation{desk.Holder, desk.Particulars, desk.PhoneUse})
				return visit, string(stage), err
			}}
		},
		"withdraw": func() asking {
			d.say("")
			defer d.say(document.Valid)
			person, visit := opened(desk.Issuance)
			return asking{person, func(ctx context.Context, by desk.By) (uuid.UUID, string, error) {
				return visit, "", w.desk.Withdraw(ctx, by, visit)
			}}
		},
		"keep the paper": func() asking {
			person, id := w.Active(t)
			done, err := w.desk.Block(t.Context(), w.by, visit(id))
			if err != nil {
				t.Fatal(err)
			}
			act, err := w.desk.FindAct(t.Context(), done.Act)
			if err != nil {
				t.Fatal(err)
			}
			return asking{person, func(ctx context.Context, by desk.By) (uuid.UUID, string, error) {
				number, err := w.desk.KeepPaper(ctx, by, act, scan(t, 10))
				return done.Act, fmt.Sprint(number), err
			}}
		},
	}
	for _, e := range []desk.Errand{desk.Issuance, desk.PhoneChange, desk.Unblock, desk.Reissue} {
		all["open, "+string(e)] = func() asking {
			person, open := visiting(e)
			return asking{person, open}
		}
		all["confirm the phone, "+string(e)] = func() asking {
			person, visit := opened(e)
			typed := w.Said("Code")
			return asking{person, func(ctx context.Context, by desk.By) (uuid.UUID, string, error) {
				return visit, "", w.desk.ConfirmPhone(ctx, by, e, visit, typed)
			}}
		}
		all["another code, "+string(e)] = func() asking {
			person, visit := opened(e)
			w.now = w.now.Add(time.Minute)
			return asking{person, func(ctx context.Context, by desk.By) (uuid.UUID, string, error) {
				sent, err := w.desk.Resend(ctx, by, e, visit)
				return visit, fmt.Sprint(sent.Till.Sub(w.now), sent.Again.Sub(w.now)), err
			}}
		}
		all["assign, "+string(e)] = func() asking {
			person, visit := opened(e)
			if err := w.desk.ConfirmPhone(t.Context(), w.by, e, visit, w.Said("Code")); err != nil {
				t.Fatal(err)
			}
			return asking{person, func(ctx context.Context, by desk.By) (uuid.UUID, string, error) {
				return told(w.desk.Assign(ctx, by, e, visit))
			}}
		}
	}
	return all
}

// Done but reported failed: whatever a desk does, who asks again, by the same key or in the same visit, is told of it, and it is done once.
// Only what is told is recorded each time: a look-up, a paper that is read.
func TestWhoDidNotHearTheAnswerAsksAgain(t *testing.T) {
	t.Parallel()
	w, documents := asked(t)
	for name, anew := range w.askings(t, documents) {
		t.Run(name, func(t *testing.T) {
			w.by, _ = w.clerk(t, clerk.AtDesk) // one does not do so many in an hour
			w.LoseEach(t, func() (func() (uuid.UUID, string, error), func() string) {
				a, by := anew(), w.by
				by.Key = uuid.NewString()
				return func() (uuid.UUID, string, error) { return a.ask(t.Context(), by) }, func() string { return w.Left(t, a.person) }
			})
		})
	}
}

// A code that has gone out with a visit whose opening was reported failed confirms the phone, and no other is sent at once.
func TestACodeThatHasGoneIsGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.Person(t)
	by := w.by
	by.Key = "one"
	open := func() (uuid.UUID, error) {
		visit, _, err := w.desk.Open(t.Context(), by, desk.Issuance, w.opening(t, id, 9001))
		return visit, err
	}
	mend := w.Trips.LoseCommit(2) // the first is of a look at the guards
	if _, err := open(); err == nil || !mend() {
		t.Fatalf("the answer was heard: %v", err)
	}
	sent := w.Said("Code")
	visit, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.desk.Resend(t.Context(), w.by, desk.Issuance, visit); !errors.Is(err, code.ErrWait) {
		t.Errorf("another code at once: %v", err)
	}
	if err := w.desk.ConfirmPhone(t.Context(), by, desk.Issuance, visit, sent); err != nil {
		t.Errorf("the code that has gone: %v", err)
	}
	if n := w.Count(t, `sms_message WHERE kind = 'code'`); n != 1 {
		t.Errorf("%d codes were sent", n)
	}
}

// Another code that has gone is told of for as long as it is good. Without the key, or by another one, it is another code that is asked for.
func TestAnotherCodeIsToldOfByItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.Person(t)
	opened, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, w.opening(t, id, 9001))
	if err != nil {
		t.Fatal(err)
	}
	keyed, other := w.by, w.by
	keyed.Key, other.Key = "one", "two"
	resend := func(by desk.By) (code.Sent, error) { return w.desk.Resend(t.Context(), by, desk.Issuance, opened) }
	if _, err := resend(keyed); !errors.Is(err, code.ErrWait) {
		t.Fatalf("another code at once: %v", err)
	}
	w.now = w.now.Add(time.Minute)
	sent, err := resend(keyed)
	if err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	if again, err := resend(keyed); err != nil || again != sent {
		t.Errorf("asked again: %v, %v, want %v", again, err, sent)
	}
	for _, by := range []desk.By{w.by, other} {
		if _, err := resend(by); !errors.Is(err, code.ErrWait) {
			t.Errorf("by the key %q: %v", by.Key, err)
		}
	}
	_, active := w.Active(t)
	if _, err := w.desk.Block(t.Context(), keyed, visit(active)); !errors.Is(err, desk.ErrReused) {
		t.Errorf("another act by its key: %v", err)
	}
	if _, err := w.desk.Block(t.Context(), other, visit(active)); err != nil {
		t.Error(err)
	}
	if _, err := resend(other); !errors.Is(err, desk.ErrReused) {
		t.Errorf("another code by the key of an act: %v", err)
	}
	if n := w.Count(t, `sms_message WHERE kind = 'code'`); n != 2 {
		t.Errorf("%d codes were sent", n)
	}
	w.now = sent.Till
	if _, err := resend(keyed); !errors.Is(err, code.ErrOver) {
		t.Errorf("once it is over: %v", err)
	}
}

// What was done before is told again to whoever has used up what they may do in an hour: it is no act.
func TestWhatIsToldAgainCountsAgainstNoRate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.Active(t)
	_, another := w.Active(t)
	by := w.by
	by.Key = "one"
	done, err := w.desk.Block(t.Context(), by, visit(id))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = w.desk.Block(t.Context(), by, visit(id)) // counts nothing
		if err == nil {
			err = w.desk.Admit(t.Context(), by, "block")
		}
	}
	rate := func(err error) bool { _, ok := errors.AsType[*desk.RateError](err); return ok }
	if !rate(err) || w.Count(t, `event WHERE kind = 'desk.alerted' AND detail->>'pattern' = 'too_many_acts'`) != 1 {
		t.Fatal(err)
	}
	if again, err := w.desk.Block(t.Context(), by, visit(id)); err != nil || again != done {
		t.Errorf("asked again: %v, %v, want %v", again, err, done)
	}
	by.Key = "two"
	if _, err := w.desk.Block(t.Context(), by, visit(another)); !rate(err) {
		t.Errorf("another act: %v", err)
	}
}

// A key is of one request of one clerk's: another request is refused, and another clerk's key is another. Without one, what is done is done.
func TestAKeyIsOfOneRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person, id := w.Active(t)
	_, another := w.Active(t)
	by := w.by
	by.Key = "one"
	done, err := w.desk.Block(t.Context(), by, visit(id))
	if err != nil {
		t.Fatal(err)
	}
	other := visit(id)
	other.Basis.Number = "12-8"
	before := w.Contents(t)
	for name, ask := range map[string]func() error{
		"another person": func() error { _, err := w.desk.Block(t.Context(), by, visit(another)); return err },
		"another paper":  func() error { _, err := w.desk.Block(t.Context(), by, other); return err },
		"another act":    func() error { _, err := w.desk.Unblock(t.Context(), by, visit(id)); return err },
		"another visit": func() error {
			_, _, err := w.desk.Open(t.Context(), by, desk.Unblock, w.opening(t, id, 9001))
			return err
		},
	} {
		if err := ask(); !errors.Is(err, desk.ErrReused) {
			t.Errorf("%s: got %v, want ErrReused", name, err)
		}
	}
	if again, err := w.desk.Block(t.Context(), by, visit(id)); err != nil || again != done {
		t.Errorf("asked again: %v, %v, want %v", again, err, done)
	}
	if w.Contents(t) != before {
		t.Error("asking again did something")
	}
	theirs, _ := w.clerk(t, clerk.AtDesk)
	theirs.Key = by.Key
	page := by
	page.ClientID = "post"
	for name, by := range map[string]desk.By{"another clerk's": theirs, "through another client": page, "without a key": w.by} {
		if _, err := w.desk.Block(t.Context(), by, visit(id)); !errors.Is(err, identity.ErrState) {
			t.Errorf("%s: got %v, want ErrState", name, err)
		}
	}
	if n := w.Count(t, `event WHERE kind = 'identifier.blocked' AND person_id = $1`, person); n != 1 {
		t.Errorf("blocked %d times", n)
	}
}

// The same request twice at one moment is one act, of which both are told.
func TestTheSameRequestTwiceAtOnceIsOneAct(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	by := w.by
	for name, anew := range w.askings(t, new(documents)) {
		if name != "block" && name != "unblock" && name != "reissue" {
			continue
		}
		a := anew()
		by.Key = name
		sent := w.Count(t, `sms_message WHERE person_id = $1`, a.person)
		var (
			ids  [2]uuid.UUID
			errs [2]error
			both sync.WaitGroup
		)
		for n := range ids {
			both.Go(func() { ids[n], _, errs[n] = a.ask(t.Context(), by) })
		}
		both.Wait()
		if errs[0] != nil || errs[1] != nil || ids[0] != ids[1] {
			t.Errorf("%s: %v, %v", name, ids, errs)
		}
		if n := w.Count(t, `event WHERE kind = 'desk.refused'`); n != 0 {
			t.Errorf("%s: %d refusals are recorded", name, n)
		}
		if n := w.Count(t, `sms_message WHERE person_id = $1`, a.person); n != sent+1 {
			t.Errorf("%s: %d messages went", name, n-sent)
		}
	}
}

// The doors take the key from the request's head (draft-ietf-httpapi-idempotency-key-header): of everything that begins something or is done at once.
func TestARequestWithAKeyIsAnsweredTheSame(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	token := d.own(t, d.clerk, uuid.New())
	_, fresh := d.Person(t)
	_, active := d.Active(t)
	_, temporary := d.Issued(t)
	for n, row := range []struct {
		path string
		body map[string]any
	}{
		{"/desk/issuances", opening(fresh, map[string]any{"phone": "8 029 491-19-11"})},
		{"/desk/phone-changes", opening(active, map[string]any{"phone": "8 029 491-19-12"})},
		{"/desk/blocks", body(active, nil)},
		{"/desk/unblocks", body(active, nil)},
		{"/desk/reissues", body(temporary, nil)},
		{"/desk/reissues", opening(temporary, map[string]any{"phone": "8 029 491-19-13"})},
	} {
		key := fmt.Sprint(n)
		status, said := d.knockBy(t, key, token, "POST", row.path, row.body)
		if status >= 300 {
			t.Fatalf("%s: %d %v", row.path, status, said)
		}
		sent := d.Count(t, "sms_message")
		if again, told := d.knockBy(t, key, token, "POST", row.path, row.body); again != status || fmt.Sprint(told) != fmt.Sprint(said) {
			t.Errorf("%s: %d %v, want %d %v", row.path, again, told, status, said)
		}
		if n := d.Count(t, "sms_message"); n != sent {
			t.Errorf("%s: %d more messages", row.path, n-sent)
		}
		row.body["basis"] = map[string]any{"number": "12-9", "date": "2026-11-22"}
		if status, said := d.knockBy(t, key, token, "POST", row.path, row.body); status != 422 || said["code"] != "idempotency_key_reused" {
			t.Errorf("%s: another request: %d %v", row.path, status, said)
		}
	}
	if status, said := d.knockBy(t, strings.Repeat("k", 256), token, "POST", "/desk/blocks", body(active, nil)); status != 400 || said["code"] != "invalid_idempotency_key" {
		t.Errorf("a long key: %d %v", status, said)
	}
}

// With a visit stands what has confirmed its phone: when, which code, and which number. What comes after that changes nothing of it.
func TestWhatConfirmedThePhoneStandsWithTheVisit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person, id := w.Person(t)
	visit, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, w.opening(t, id, 9001))
	if err != nil {
		t.Fatal(err)
	}
	resend := func() {
		t.Helper()
		w.now = w.now.Add(time.Minute)
		if _, err := w.desk.Resend(t.Context(), w.by, desk.Issuance, visit); err != nil {
			t.Fatal(err)
		}
	}
	shown := func() int {
		return w.Count(t, `issuance AS i JOIN event AS e ON e.id = i.code_id
			WHERE i.id = $1 AND e.kind = 'code.sent' AND e.person_id = $2 AND e.at = $3 AND i.phone_index IS NOT NULL`, visit, person, w.now)
	}
	if shown() != 1 {
		t.Error("the first code does not stand with the visit")
	}
	resend()
	if shown() != 1 {
		t.Error("the second does not")
	}
	if err := w.desk.ConfirmPhone(t.Context(), w.by, desk.Issuance, visit, w.Said("Code")); err != nil {
		t.Fatal(err)
	}
	confirmed := w.now
	w.now = w.now.Add(time.Hour / 4)
	resend()
	if w.now = confirmed; shown() != 1 {
		t.Error("a code that came later has taken the place of the one that confirmed the phone")
	}
}
