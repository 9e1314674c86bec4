package login_test

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/migrations/pgtest"
)

// due does what is due by now, as the job does, and tells how long it would wait.
func (w *world) due(person uuid.UUID) time.Duration {
	w.Helper()
	changer := &identity.PhoneChanger{Registry: w.registry, Now: w.clock.now}
	err := changer.Work(w.Context(), &river.Job[identity.PhoneChangeDue]{Args: identity.PhoneChangeDue{Person: person}})
	if early, ok := errors.AsType[*river.JobSnoozeError](err); ok {
		return early.Duration
	}
	if err != nil {
		w.Fatal(err)
	}
	return 0
}

// phoneOf is somebody's number.
func (w *world) phoneOf(person uuid.UUID) string {
	w.Helper()
	who, err := w.registry.Of(w.Context(), person)
	if err != nil {
		w.Fatal(err)
	}
	return who.Phone.Reveal()
}

// asksForPhone goes from the page of the phone to that of the code to a new number.
func (v *visitor) asksForPhone(number string) {
	v.w.Helper()
	v.want("/security/phone", http.StatusOK)
	v.submit("phone", number)
	v.want("/security/phone", http.StatusOK)
}

// A citizen has another phone by a code to it, and a day after the present one was warned, who can still cancel.
func TestACitizenChangesThePhone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	v := w.visitor()
	v.signInFor("/security/phone", anna)
	for number, word := range map[string]string{
		"": "Enter the new number", "+48 601 123 456": "not a mobile number", "+375 29 491-19-11": "your present number",
	} {
		v.submit("phone", number)
		v.want("/security/phone", http.StatusUnprocessableEntity)
		v.sees(word, strings.TrimPrefix(number, "+")) // what was typed is not lost
	}
	v.submit("phone", "8 029 491-19-77")
	v.want("/security/phone", http.StatusOK)
	v.open(v.at.RequestURI()) // a reload
	v.sees("new number that ends in 77")
	digits, _ := w.lastCode()
	if to := w.phones.sent[len(w.phones.sent)-1].Phone.Reveal(); to != "+375294911977" {
		t.Errorf("the code went to %s", to)
	}
	v.submit("code", "000000")
	v.want("/security/phone", http.StatusUnprocessableEntity)
	v.sees("does not match")
	v.submit("code", digits)
	v.want("/security/phone", http.StatusOK)
	v.sees("From 13 May 2026, 12:01", "ends in 77")
	told := w.phones.sent[len(w.phones.sent)-1]
	if told.Phone.Reveal() != "+375294911911" || !strings.Contains(told.Text, "will be replaced 13.05 12:01") {
		t.Errorf("told %s %q", told.Phone.Reveal(), told.Text)
	}
	v.submit("phone", "+375294911999", "code", digits) // from a window that was left open
	v.sees("ends in 77")

	w.clock.turn(24*time.Hour - time.Second)
	if wait := w.due(person); wait != time.Second {
		t.Errorf("by a clock that is a second behind, it waits %s", wait)
	}
	if got := w.phoneOf(person); got != "+375294911911" {
		t.Fatalf("changed too early, to %s", got)
	}
	w.clock.turn(time.Second)
	for range 2 {
		w.due(person)
	}
	if got := w.phoneOf(person); got != "+375294911977" {
		t.Errorf("the phone is %s", got)
	}
	told = w.phones.sent[len(w.phones.sent)-1]
	if told.Phone.Reveal() != "+375294911911" || !strings.Contains(told.Text, "was replaced") {
		t.Errorf("told %s %q", told.Phone.Reveal(), told.Text)
	}
	if n := w.count(`phone_change`); n != 0 {
		t.Error("something is left of it")
	}
	if n := w.count(`event WHERE kind IN ('phone_change.asked', 'phone.changed')`); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
}

// Of two windows that change the phone each is told what was refused of its own form, beside that form.
func TestTwoWindowsChangeThePhone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v := w.visitor()
	v.signInFor("/security/phone", anna)
	other := *v
	other.open(v.at.RequestURI() + "&other")
	v.asksForPhone("+375294911977")
	other.submit("phone", "12")
	other.want("/security/phone", http.StatusUnprocessableEntity)
	other.sees("not a mobile number", `value="12"`)
	v.submit("code", "000000")
	v.want("/security/phone", http.StatusUnprocessableEntity)
	other.send("decision", "cancel")
	other.want("/security/phone", http.StatusOK)
	v.open(v.at.RequestURI())
	v.want("/security/phone", http.StatusOK) // no code is asked for
	w.clock.turn(time.Minute)                // another code may be sent
	v.asksForPhone("+375294911978")
	digits, _ := w.lastCode()
	v.submit("code", digits)
	v.sees("From 13 May 2026")
	other.submit("phone", "12")
	other.want("/security/phone", http.StatusOK)
	other.sees("From 13 May 2026")
	other.open("/security/history")
	other.sees("another number, which ends in 77", "another number, which ends in 78")
}

// A code to a new phone counts against what one address may ask for, less while all messages together cost too much, and the page says from when one
// can be sent.
func TestACodeToANewPhoneCountsAsOneOfASignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	w.settled(map[string]string{"sms.in_all": "1000 in 10m"})
	v := w.visitor()
	v.from = "192.0.2.1"
	w.leaves(1, policy.CodesOfNetwork, v.from+"/32")
	w.leaves(1, policy.BrakedCodesOfNetwork, v.from+"/32")
	w.leaves(0, policy.MessagesInAll, "")
	v.signInFor("/security/phone", anna)
	v.asksForPhone("+375294911977")
	v.sees("There is no good code right now", "in 60 minutes")
	w.clock.turn(10 * time.Minute) // there are fewer messages now
	v.submit("decision", "again")
	v.sees("We have sent a code", "in 50 minutes")
	if _, n := w.lastCode(); n != 2 {
		t.Errorf("%d codes were sent, want one to each phone", n)
	}
}

// A confirmation that breaks changes nothing and costs no code: the same one confirms, once it can be done.
func TestACodeOutlivesAConfirmationThatBreaks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	v := w.visitor()
	v.signInFor("/security/phone", anna)
	v.asksForPhone("+375294911977")
	digits, _ := w.lastCode()
	form := *v
	for _, fault := range []struct{ verb, table string }{{"UPDATE", "phone_change"}, {"INSERT", "event"}, {"INSERT", "river_job"}, {"INSERT", "not_me"}} {
		heal := pgtest.FailOn(t, w.pool, fault.verb, fault.table)
		*v = form
		v.submit("code", digits)
		v.want("/security/phone", http.StatusInternalServerError)
		heal()
		if n := w.count(`phone_change WHERE due_at IS NOT NULL`); n != 0 {
			t.Errorf("%s %s broke, and the change is pending", fault.verb, fault.table)
		}
	}
	*v = form
	v.submit("code", digits)
	v.want("/security/phone", http.StatusOK)
	v.sees("Cancel the change")
	if got := w.events("phone_change.asked", person); len(got) != 1 {
		t.Errorf("recorded: %q", got)
	}
}

// What was asked for is given up by its citizen, by a block, by a recovery and by a change at the desk; then nothing is due any more.
func TestAPendingPhoneIsGivenUp(t *testing.T) {
	t.Parallel()
	for story, giveUp := range map[string]func(w *world, v *visitor, person uuid.UUID) error{
		"self": func(_ *world, v *visitor, _ uuid.UUID) error { v.submit("decision", "cancel"); return nil },
		"blocked": func(w *world, _ *visitor, person uuid.UUID) error {
			return w.registry.Block(w.Context(), person, identity.Self, identity.Act{At: w.clock.now()})
		},
		"recovered": func(w *world, _ *visitor, person uuid.UUID) error {
			who, err := w.registry.Of(w.Context(), person)
			if err != nil {
				return err
			}
			return w.registry.Recover(w.Context(), person, who.ChangedAt, another, identity.Act{At: w.clock.now()})
		},
		"desk": func(w *world, _ *visitor, person uuid.UUID) error {
			_, err := w.registry.ChangePhone(w.Context(), person, w.phone("+375294911933"), identity.Act{At: w.clock.now()})
			return err
		},
	} {
		t.Run(story, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			person := w.active(anna, "+375294911911")
			v := w.visitor()
			v.signInFor("/security/phone", anna)
			v.asksForPhone("+375294911977")
			digits, _ := w.lastCode()
			v.submit("code", digits)
			v.sees("ends in 77")
			w.clock.turn(time.Minute)
			if err := giveUp(w, v, person); err != nil {
				t.Fatal(err)
			}
			before := w.phoneOf(person)
			w.clock.turn(25 * time.Hour)
			w.due(person)
			if got := w.phoneOf(person); got != before || got == "+375294911977" {
				t.Errorf("the phone is %s", got)
			}
			if n := w.count(`event WHERE kind = 'phone_change.cancelled' AND detail->>'why' = $1`, story); n != 1 {
				t.Errorf("recorded %d times, want once", n)
			}
		})
	}
}

// That a number is another's is told to whoever has the phone, and to nobody else: the page goes on alike until the code was right.
func TestNobodyLearnsWhoseANumberIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	blocked := w.active(boris, "+375294911912")
	w.active(vera, "+375294911913")
	if err := w.registry.Block(t.Context(), blocked, identity.Self, identity.Act{At: w.clock.now()}); err != nil {
		t.Fatal(err)
	}
	holder := w.visitor()
	holder.signInFor("/security/phone", vera)
	holder.asksForPhone("+375294911955")
	digits, _ := w.lastCode()
	holder.submit("code", digits)
	v := w.visitor()
	v.signIn(anna)
	var alike string
	within := regexp.MustCompile(`interaction=\w+`)
	for _, number := range []string{"+375294911912", "+375294911913", "+375294911955", "+375294911900"} {
		w.clock.turn(61 * time.Minute) // so many codes go in an hour
		v.open("/sign-out")
		v.submit()
		v.open("/security/phone")
		v.submit("identifier", anna, "password", password)
		digits, _ = w.lastCode()
		v.send("code", digits)
		v.want("/security/phone", http.StatusOK)
		v.submit("phone", number)
		soon, later := w.clock.now().Add(5*time.Minute).In(identity.Minsk), w.clock.now().Add(15*time.Minute).In(identity.Minsk)
		page := strings.NewReplacer("ends in "+number[11:], "ends in NN", soon.Format("15:04"), "SOON", later.Format("15:04"), "LATER").Replace(v.body)
		page = within.ReplaceAllString(page, "")
		if alike == "" {
			alike = page
		}
		if page != alike {
			t.Errorf("%s is told apart\n%s\n%s", number, page, alike)
		}
		digits, _ = w.lastCode()
		v.submit("code", digits)
		if number == "+375294911900" {
			v.want("/security/phone", http.StatusOK)
			v.sees("ends in 00")
			break
		}
		v.want("/security/phone", http.StatusConflict)
		v.sees("cannot be used here")
	}
	// Nor can a desk give away what is pending.
	other, _ := w.issued(nobody, "+375294911988")
	_, err := w.registry.ChangePhone(t.Context(), other, w.phone("+375294911955"), identity.Act{At: w.clock.now()})
	if !errors.Is(err, identity.ErrPhoneTaken) {
		t.Errorf("a pending number was given away: %v", err)
	}
}
