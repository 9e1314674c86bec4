package login_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"asoba.example/login/code"
	"asoba.example/login/identity"
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/audit"
)

// signedIn tells whether somebody is signed in at the browser.
func (v *visitor) signedIn() bool {
	v.w.Helper()
	v.open("/security")
	return v.at.Path == "/security"
}

// A session that is ended from another browser is over at once: its services are told and lose what they had, for offline use too, and
// nobody else's session is touched. To ask for it again changes nothing (OWASP ASVS 5.0 7.5.2).
func TestASessionIsEndedFromAnotherBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	w.active(boris, "+375294911912")
	home, away, other := w.visitor(), w.visitor(), w.visitor()
	other.signIn(boris)
	other.open("/security/sessions")
	foreign := other.hidden("browser")
	away.signIn(anna)
	w.grant(person, "portal")
	w.clock.turn(2 * time.Minute)
	home.signIn(anna)

	home.open("/security/sessions")
	home.sees("(this browser)", "Minsk, Belarus", "12 May 2026, 12:02", "last used 12 May 2026, 12:0")
	if n := strings.Count(home.body, `name="session"`); n != 1 {
		t.Fatalf("%d sessions can be ended, want the other one\n%s", n, home.body)
	}
	sid := home.hidden("session")
	for range 2 {
		home.send("decision", "end", "session", sid)
		home.want("/security/sessions", http.StatusOK)
		home.sees("Done.")
	}
	if away.signedIn() || !home.signedIn() {
		t.Error("the wrong session is over")
	}
	if n := w.count(`client_grant WHERE ended_why = 'signed_out'`); n != 1 {
		t.Errorf("%d grants have ended, want 1", n)
	}
	if n := w.count(`logout_notice`); n != 1 {
		t.Errorf("%d services are told, want 1", n)
	}
	if n := w.count(`event WHERE kind = 'signed_out' AND sid = $1 AND detail->>'from' = 'elsewhere'`, sid); n != 1 {
		t.Errorf("recorded %d times, want once", n)
	}

	// What is another's is out of reach.
	home.open("/security/sessions")
	home.send("decision", "forget", "browser", foreign)
	home.open("/security/sessions")
	home.send("decision", "end", "session", "another's")
	if !other.signedIn() || w.count(`known_browser`) != 3 {
		t.Error("somebody else was reached")
	}
}

// All others end, those of closed browsers with them whose services have something left; this one goes on, without a new sign-in.
func TestAllOtherSessionsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	closed, away, home := w.visitor(), w.visitor(), w.visitor()
	closed.signIn(anna)
	w.grant(person, "portal")
	if err := w.redis.FlushDB(t.Context()).Err(); err != nil { // its session is lost, and what it gave is not
		t.Fatal(err)
	}
	away.signIn(anna)
	home.signIn(anna)
	home.open("/security/sessions")
	home.send("decision", "end_others")
	home.want("/security/sessions", http.StatusOK)
	if away.signedIn() || !home.signedIn() {
		t.Error("the wrong session is over")
	}
	if n := w.count(`client_grant WHERE ended_at IS NULL`); n != 0 {
		t.Errorf("%d grants live on", n)
	}
	if n := w.count(`event WHERE kind = 'signed_out'`); n != 2 {
		t.Errorf("%d ends are recorded, want 2", n)
	}
}

// They end as often as it is asked: by the same form, and as soon as it comes, what has begun since.
func TestOtherSessionsEndOnceMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	home := w.visitor()
	home.signIn(anna)
	home.open("/security/sessions")
	form := *home
	for range 2 {
		away := w.visitor()
		away.signIn(anna)
		*home = form
		home.send("decision", "end_others")
		home.want("/security/sessions", http.StatusOK)
		home.sees("Done.")
		if away.signedIn() || !home.signedIn() {
			t.Error("the wrong session is over")
		}
	}
}

// All end, this one with them.
func TestAllSessionsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	away, home := w.visitor(), w.visitor()
	away.signIn(anna)
	home.signIn(anna)
	w.grant(person, "portal")
	home.open("/security/sessions")
	home.send("decision", "end_all")
	home.want("/sign-out", http.StatusOK)
	home.sees("signed out", "portal.example/out") // the services that want to hear of it there
	home.open("/sign-out")                        // as by a reload
	home.sees("signed out")
	if away.signedIn() || home.signedIn() {
		t.Error("a session goes on")
	}
	if n := w.count(`ended WHERE person_id = $1 AND why = 'everywhere'`, person); n != 1 {
		t.Error("the end is not written")
	}
}

// A browser that is forgotten is signed out and a stranger: the next sign-in there asks a code.
func TestAForgottenBrowserIsAStranger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	away, home := w.visitor(), w.visitor()
	away.signIn(anna)
	home.signIn(anna)
	home.open("/security/sessions")
	found := strings.Split(home.body, `name="browser" value="`)
	here, there := strings.Split(found[1], `"`)[0], strings.Split(found[2], `"`)[0]

	w.clock.turn(21 * time.Minute) // a stolen session of a while ago makes nobody a stranger
	form := *home
	home.send("decision", "forget", "browser", there)
	home.want("/sign-in", http.StatusOK)
	home.proves(anna)
	home.want("/security/sessions", http.StatusOK)
	*home = form
	home.send("decision", "forget", "browser", there)
	home.want("/security/sessions", http.StatusOK)
	if away.signedIn() || !home.signedIn() {
		t.Error("the wrong session is over")
	}
	home.open("/security/sessions")
	home.send("decision", "forget", "browser", here)
	home.want("/sign-out", http.StatusOK)
	for _, v := range []*visitor{away, home} {
		v.open("/security")
		v.submit("identifier", anna, "password", password)
		v.want("/sign-in/code", http.StatusOK)
	}
	if n := w.count(`event WHERE kind = 'browser.forgotten'`); n != 2 {
		t.Errorf("recorded %d times, want 2", n)
	}
}

// A session ends with its record and its notices, or goes on.
func TestEndingASessionLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct{ verb, table string }{
		{"INSERT", "signed_out"}, {"INSERT", "event"}, {"UPDATE", "client_grant"}, {"INSERT", "logout_notice"}, {"INSERT", "river_job"},
	} {
		t.Run(fault.verb+" "+fault.table, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			person := w.active(anna, "+375294911911")
			away, home := w.visitor(), w.visitor()
			away.signIn(anna)
			w.grant(person, "portal")
			home.signIn(anna)
			home.open("/security/sessions")
			form := *home
			for _, decision := range []string{"end", "end_others", "forget"} {
				*home = form
				heal := pgtest.FailOn(t, w.pool, fault.verb, fault.table)
				home.send("decision", decision, "session", form.hidden("session"), "browser", strings.Split(strings.Split(form.body, `name="browser" value="`)[2], `"`)[0])
				heal()
				home.want("/security/sessions", http.StatusInternalServerError)
				if !away.signedIn() {
					t.Fatalf("%s: ended without a trace", decision)
				}
				for _, of := range []string{`signed_out`, `logout_notice`, `client_grant WHERE ended_at IS NOT NULL`, `event WHERE kind IN ('signed_out', 'browser.forgotten')`} {
					if n := w.count(of); n != 0 {
						t.Errorf("%s: %d of %s", decision, n, of)
					}
				}
			}
			*home = form
			home.submit("decision", "end", "session", form.hidden("session"))
			if away.signedIn() {
				t.Error("a retry ends nothing")
			}
		})
	}
}

// The history tells a person what happened around their sign-ins, the latest first and page by page, in the time of Minsk.
func TestTheHistoryOfSignIns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v, stranger := w.visitor(), w.visitor()
	stranger.from = "203.0.113.7"
	for _, v := range []*visitor{stranger, v} {
		v.open("/security")
		v.submit("identifier", anna, "password", another)
	}
	v.signIn(anna)
	v.open("/security/history")
	v.want("/security/history", http.StatusOK)
	order := []string{"password and a code by SMS", "A code for signing in was sent to your phone", "the password was wrong", "password of your own was chosen"}
	v.sees(append(order, "12 May 2026, 12:01", "Firefox, Linux", "Minsk, Belarus", "2 times on this day", "Other countries: Poland")...)
	at := make([]int, len(order))
	for i, text := range order {
		at[i] = strings.Index(v.body, text)
	}
	if !slices.IsSorted(at) {
		t.Errorf("not the latest first: %v", at)
	}
	if strings.Contains(v.body, "Earlier") {
		t.Error("there is an earlier page of nothing")
	}

	for range 12 { // a sign-out and a sign-in each
		v.open("/sign-out")
		v.submit()
		v.signIn(anna)
	}
	v.open("/security/history")
	first := v.body
	v.open(regexp.MustCompile(`/security/history\?before=\d+`).FindString(v.body))
	v.sees("To the latest")
	for _, text := range order[1:] {
		if strings.Contains(first, text) || !strings.Contains(v.body, text) {
			t.Errorf("%q does not stand on the second page alone", text)
		}
	}
	v.open("/security/history?before=nonsense")
	v.want("/security/history", http.StatusNotFound)
}

// Of a code it tells what for, and to whose phone: that of a visit to the desk goes to the one that is named there.
func TestTheHistoryTellsWhatACodeWasFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	for _, purpose := range []code.Purpose{code.SignIn, code.ConfirmPhone, code.Recover, code.Block, code.Unblock, code.ChangePhone} {
		sent := audit.Event{Kind: audit.CodeSent, At: w.clock.now(), Person: person, Detail: map[string]string{"purpose": string(purpose)}}
		if err := audit.Record(t.Context(), w.pool, sent); err != nil {
			t.Fatal(err)
		}
	}
	v := w.visitor()
	v.signIn(anna)
	v.open("/security/history")
	v.want("/security/history", http.StatusOK)
	v.sees("to confirm the phone number at the issuing office", "replacing the lost password", "blocking the identifier", "unblocking the identifier", "to another number")
}

// What is refused at a browser of the person's own stands apart from what strangers do: whatever was wrong there, before the password and after it.
func TestRefusalsTellWhetherTheBrowserIsKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	home := w.visitor()
	home.signIn(anna)
	home.submit()
	for v, want := range map[*visitor]int{w.visitor(): 0, home: 3} {
		w.clock.turn(time.Hour)
		v.open("/authorize?acr_values=substantial")
		v.submit("identifier", anna, "password", another)
		v.submit("identifier", anna, "password", password)
		digits, _ := w.lastCode()
		v.submit("code", wrong(digits))
		v.want("/sign-in/code", http.StatusUnprocessableEntity)
		v.open("/block")
		v.submit("identifier", anna, "decision", "code")
		digits, _ = w.lastCode()
		v.submit("code", wrong(digits))
		v.want("/block/code", http.StatusUnprocessableEntity)
		const of = `event WHERE kind = 'sign_in.refused' AND at >= $1`
		if all, known := w.count(of, w.clock.now()), w.count(of+` AND detail->>'browser' = 'known'`, w.clock.now()); all != 3 || known != want {
			t.Errorf("%d refusals, %d of them at a known browser, want 3 and %d", all, known, want)
		}
	}
}

// The phone is told of a sign-in at a browser that was not known, and from where; not of the first of all, not where a change of the password
// has told it already; and of all that come within a while of it once more, at its end.
func TestThePhoneIsToldOfANewBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, temporary := w.issued(anna, "+375294911911")
	told := func(want int) {
		t.Helper()
		var got []string
		for _, m := range w.phones.sent {
			if strings.Contains(m.Text, "new browser") {
				got = append(got, m.Text)
			}
		}
		if len(got) != want {
			t.Fatalf("told %d times, want %d: %q", len(got), want, got)
		}
		for _, text := range got {
			if !strings.Contains(text, "(Firefox, Linux; Minsk, Belarus)") && !strings.Contains(text, "more sign-ins") {
				t.Errorf("told %q", text)
			}
		}
	}
	own := w.visitor()
	own.open("/security")
	own.submit("identifier", anna, "password", temporary)
	own.submit("new_password", password, "new_password_again", password)
	own.want("/security", http.StatusOK)
	told(0)
	w.clock.turn(time.Minute)
	first := w.clock.now()
	for _, want := range []int{1, 2, 2} {
		w.visitor().signIn(anna)
		told(want)
		w.clock.turn(19 * time.Minute)
	}
	last := w.phones.sent[slices.IndexFunc(w.phones.sent, func(m identity.Message) bool { return strings.Contains(m.Text, "more sign-ins") })]
	if !last.At.Equal(first.Add(time.Hour)) || !strings.Contains(last.Text, "after "+first.In(identity.Minsk).Format("02.01 15:04")) {
		t.Errorf("the others are told at %s: %q", last.At, last.Text)
	}
	w.clock.turn(5 * time.Minute)
	w.visitor().signIn(anna)
	told(3)
	own.open("/security/password")
	own.submit("identifier", anna, "password", password)
	own.want("/security/password", http.StatusOK)
	own.submit("password", password, "new_password", another, "new_password_again", another)
	own.want("/security", http.StatusOK)
	told(3)
}
