package login_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/identity"
	"asoba.example/migrations/pgtest"
)

func (w *world) state(person uuid.UUID) string {
	w.Helper()
	i, err := w.registry.Of(w.Context(), person)
	if err != nil {
		w.Fatal(err)
	}
	return strings.Trim(string(i.State)+":"+string(i.BlockReason), ":")
}

// Who cannot or will not sign in blocks with one factor: the password, or a code to the phone (NIST SP 800-63B-4 §4.3). A temporary
// password blocks nothing, and the answer to it is that to a wrong one.
func TestABlockNeedsOneFactor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	byPassword, byCode := w.active(anna, "+375294911911"), w.active(boris, "+375291111111")
	_, temporary := w.issued(vera, "+375331234567")
	home := w.visitor()
	home.signIn(anna)
	v := w.visitor()
	v.open("/authorize")
	v.open(v.link("Block the identifier"))
	v.want("/block", http.StatusOK)
	if _, codes := w.lastCode(); codes != 1 {
		t.Fatal("a code was sent to whom nobody has named")
	}
	v.submit("identifier", anna, "password", another)
	v.want("/block", http.StatusUnprocessableEntity)
	v.sees("does not match", `value="`+anna+`"`)
	v.submit("identifier", vera, "password", temporary)
	v.want("/block", http.StatusUnprocessableEntity)
	v.sees("does not match")
	v.submit("identifier", "", "password", "")
	v.sees("Enter your unique identifier", "Enter your password")
	v.submit("identifier", anna, "password", password)
	v.want("/block/done", http.StatusOK)
	home.open("/security")
	home.want("/sign-in", http.StatusOK)

	v = w.visitor()
	v.open("/block")
	v.submit("identifier", "0000000A000PB", "decision", "code")
	v.want("/block", http.StatusUnprocessableEntity)
	v.submit("identifier", boris, "decision", "code")
	v.want("/block/code", http.StatusOK)
	v.sees("If what you entered is right", ">Block<")
	digits, _ := w.lastCode()
	v.submit("code", wrong(digits))
	v.want("/block/code", http.StatusUnprocessableEntity)
	v.submit("code", digits)
	v.want("/block/done", http.StatusOK)
	for person, by := range map[uuid.UUID]string{byPassword: "password", byCode: "code"} {
		if got := w.state(person); got != "blocked:self" {
			t.Errorf("by %s: the identifier is %s", by, got)
		}
		if n := w.count(`event WHERE kind = 'identifier.blocked' AND person_id = $1 AND detail->>'by' = $2`, person, by); n != 1 {
			t.Errorf("by %s: recorded %d times", by, n)
		}
		if n := w.count(`ended WHERE person_id = $1`, person); n != 1 {
			t.Errorf("by %s: the sign-ins have not ended", by)
		}
	}
}

// The tries at a password are the same wherever it is typed, so that a stranger who blocks guesses no faster than one who signs in.
func TestTriesToBlockAreTriesToSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v := w.visitor()
	v.open("/block")
	for range 3 {
		v.submit("identifier", anna, "password", another)
		v.want("/block", http.StatusUnprocessableEntity)
	}
	v.submit("identifier", anna, "password", password)
	v.want("/block", http.StatusTooManyRequests)
	v.open("/security")
	v.submit("identifier", anna, "password", password)
	v.want("/sign-in", http.StatusTooManyRequests)
	if n := w.count(`identity WHERE failures = 3`); n != 1 {
		t.Error("the failures are not counted")
	}
}

// Whoever knows a number uses up nobody's block: each network has codes of its own, and the browser of whose
// it is; and after the last of a day that all strangers may have sent, the phone has a link that blocks. No more than that is sent.
func TestStrangersUseUpNobodysBlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	home := w.visitor()
	home.signIn(anna)
	home.submit()
	sends := func(v *visitor, from string, want bool) {
		t.Helper()
		_, before := w.lastCode()
		v.from = from
		v.open("/block")
		v.submit("identifier", anna, "decision", "code")
		v.want("/block/code", http.StatusOK)
		if _, after := w.lastCode(); (after > before) != want {
			t.Fatalf("from %s: %d codes were sent, want some: %t", from, after-before, want)
		}
		v.sees("The password blocks at once")
		w.clock.turn(5 * time.Minute)
	}
	offers := func() (links []string) {
		for _, m := range w.phones.sent {
			if strings.Contains(m.Text, "no more codes to block") {
				links = append(links, regexp.MustCompile(`/not-me/\w+$`).FindString(m.Text))
			}
		}
		return links
	}
	for line := range 4 { // of one customer
		sends(w.visitor(), fmt.Sprintf("[2001:db8:0:%d::1]", line), line < 3)
	}
	for network := range 3 {
		from := fmt.Sprintf("192.0.2.%d", network)
		for range 3 {
			sends(w.visitor(), from, true)
		}
		sends(w.visitor(), from, false)
	}
	if links := offers(); len(links) != 0 {
		t.Errorf("a link was sent before the last code: %q", links)
	}
	for network := range 3 {
		sends(w.visitor(), fmt.Sprintf("192.0.2.%d", 74+network), true)
	}
	last := w.visitor()
	sends(last, "192.0.2.77", false) // fifteen of them in a day
	last.sees("in 23 hours")
	sends(home, "192.0.2.1", true)
	w.clock.turn(22*time.Hour + 15*time.Minute)
	for range 3 { // those of whom the day is over
		sends(w.visitor(), "192.0.2.78", true)
	}
	links := offers()
	if len(links) != 1 {
		t.Fatalf("links were sent %d times in a day, want once", len(links))
	}
	own := w.visitor()
	own.open(links[0])
	own.sees("asked for too often", "nothing has happened")
	own.submit("decision", "block")
	own.want("/block/done", http.StatusOK)
	if got := w.state(person); got != "blocked:self" {
		t.Errorf("the identifier is %s", got)
	}
}

// With the last code that strangers may have sent goes a link, and for nobody the work of that (OWASP ASVS 5.0 6.3.8); and where it cannot be kept, no
// code goes.
func TestTheOfferOfABlockTellsNobodyApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settled(map[string]string{"recovery.codes_elsewhere": "5 in 24h"})
	w.active(anna, "+375294911911")
	var did []string
	for _, number := range []string{anna, nobody} {
		for n := range 5 {
			v := w.visitor()
			v.from = fmt.Sprintf("192.0.2.%d", n)
			v.open("/block")
			calls, heard := w.calls.hear(), w.trips.Hear()
			v.submit("identifier", number, "decision", "code")
			v.want("/block/code", http.StatusOK)
			v.sees("good until")
			statements := strings.Join(heard(), "\n")
			if offered := strings.Contains(statements, "INSERT INTO not_me"); offered != (n == 4) {
				t.Errorf("of code %d of %s a link was offered: %t", n, number, offered)
			}
			did = append(did, fmt.Sprint(len(calls()))+" calls of Redis\n"+statements)
		}
	}
	if did[4] != did[9] {
		t.Errorf("of somebody\n%s\nof nobody\n%s", did[4], did[9])
	}
	w.clock.turn(25 * time.Hour)
	v := w.visitor()
	for n := range 5 {
		v.from = fmt.Sprintf("192.0.2.%d", n)
		v.open("/block")
		if n < 4 {
			v.submit("identifier", anna, "decision", "code")
		}
	}
	_, before := w.lastCode()
	heal := pgtest.FailOn(t, w.pool, "INSERT", "not_me")
	form := *v
	v.submit("identifier", anna, "decision", "code")
	if _, sent := w.lastCode(); v.status != http.StatusInternalServerError || sent != before {
		t.Errorf("got %d, and %d codes", v.status, sent-before)
	}
	heal()
	*v = form
	v.submit("identifier", anna, "decision", "code")
	v.sees("good until")
}

// Whoever knows a number ends no code that its person has asked for elsewhere; where it was asked for, only the latest is right.
func TestACodeAskedForElsewhereEndsNobodys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	own, stranger := w.visitor(), w.visitor()
	own.from, stranger.from = "192.0.2.1", "192.0.2.2"
	asks := func(v *visitor) string {
		v.open("/block")
		v.submit("identifier", anna, "decision", "code")
		v.want("/block/code", http.StatusOK)
		digits, _ := w.lastCode()
		return digits
	}
	first := asks(own)
	w.clock.turn(time.Minute)
	latest := asks(own)
	elsewhere := asks(stranger)
	for range 5 {
		stranger.submit("code", wrong(elsewhere))
	}
	own.submit("code", first)
	own.want("/block/code", http.StatusUnprocessableEntity)
	own.sees("only the latest code asked for here is right")
	own.submit("code", latest)
	own.want("/block/done", http.StatusOK)
	if got := w.state(person); got != "blocked:self" {
		t.Errorf("the identifier is %s", got)
	}
}

// A warning's link blocks by one press, signs nobody in, says what was done and nothing of whom, and does nothing by being looked at. Whoever else is
// signed in at that browser stays so.
func TestTheLinkInAWarning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	w.active(boris, "+375291111111")
	if err := w.registry.ChangePassword(t.Context(), person, password, another, identity.Act{At: w.clock.now(), Language: "en"}); err != nil {
		t.Fatal(err)
	}
	w.phones.last(t, identity.NoticeMessage, `^Single sign-in: your password was changed 12.05 12:02. Not by you\? Block your identifier: http://idp.example/not-me/\w{26}$`)
	link, _ := w.phones.last(t, identity.NoticeMessage, `/not-me/\w+$`)

	v := w.visitor()
	v.signIn(boris)
	w.trips.Take()
	v.open(link)
	v.want("/not-me/"+strings.TrimPrefix(link, "/not-me/"), http.StatusOK)
	if n := w.trips.Take(); n != 1 {
		t.Errorf("%d questions to the database by looking, want 1", n)
	}
	v.sees("The password was changed")
	v.sees("12 May 2026, 12:02")
	page := *v
	if regexp.MustCompile(`10…|\+375|ends in`).MatchString(v.body) {
		t.Error("the page speaks of somebody")
	}
	v.submit()
	v.want(link, http.StatusOK) // nothing was decided
	if got := w.state(person); got != "active" {
		t.Fatalf("the identifier is %s", got)
	}
	v.submit("decision", "block")
	v.want("/block/done", http.StatusOK)
	if got := w.state(person); got != "blocked:self" {
		t.Errorf("the identifier is %s", got)
	}
	v.open("/security")
	v.want("/security", http.StatusOK)

	// Once more, from the page as it was: at once, what was asked for is so, and later the link works no more. Neither tells how the identifier
	// stands then.
	for _, later := range []struct {
		by     time.Duration
		path   string
		status int
	}{{0, "/block/done", http.StatusOK}, {2 * time.Minute, link, http.StatusGone}} {
		w.clock.turn(later.by)
		for _, state := range []string{`state = 'active', block_reason = NULL`, `state = 'blocked', block_reason = 'self'`} {
			if _, err := w.pool.Exec(t.Context(), `UPDATE identity SET `+state+` WHERE person_id = $1`, person); err != nil {
				t.Fatal(err)
			}
			*v = page
			v.submit("decision", "block")
			v.want(later.path, later.status)
		}
	}
	if got := w.events("identifier.blocked", person); len(got) != 1 {
		t.Errorf("two presses leave %q", got)
	}
	v.open(link)
	v.want(link, http.StatusGone)
	v.open("/not-me/AAAAAAAAAAAAAAAAAAAAAAAAAA")
	v.want("/not-me/AAAAAAAAAAAAAAAAAAAAAAAAAA", http.StatusGone)
}
