package login_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/factor/factortest"
	"asoba.example/migrations/pgtest"
)

// An app is an authenticator app: its key, at the world's clock.
type app struct {
	w   *world
	key string
}

// shows gives what it shows now.
func (a app) shows() string {
	a.w.Helper()
	return factortest.Shows(a.w, a.key, a.w.clock.now())
}

// takes gives an app the key on the page.
func (v *visitor) takes() app {
	v.w.Helper()
	found := regexp.MustCompile(`<strong>([A-Z2-7 ]+)</strong>`).FindStringSubmatch(v.body)
	if found == nil {
		v.w.Fatalf("no key\n%s", v.body)
	}
	return app{v.w, strings.ReplaceAll(found[1], " ", "")}
}

// withApp is a browser of somebody who has just bound an app, by password and code.
func (w *world) withApp(number string) (*visitor, app) {
	w.Helper()
	v := w.visitor()
	v.signInFor("/security/authenticator", number)
	a := v.takes()
	v.submit("code", a.shows())
	v.want("/security/factors", http.StatusOK)
	w.clock.turn(time.Minute)
	return v, a
}

// codes makes recovery codes on the page, and keeps them.
func (v *visitor) codes() []string {
	v.w.Helper()
	v.want("/security/recovery-codes", http.StatusOK)
	v.submit("replaced", v.hidden("replaced"))
	codes := regexp.MustCompile(`[A-Z2-7]{4}(-[A-Z2-7]{4}){3}`).FindAllString(v.body, -1)
	if len(codes) != 10 {
		v.w.Fatalf("%d codes\n%s", len(codes), v.body)
	}
	return codes
}

// Whoever presses twice is shown what came of the first by the second; whoever sends the form later is told.
func TestTwoPressesMakeOneSetOfRecoveryCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	v := w.visitor()
	v.signInFor("/security/recovery-codes", anna)
	before := v.hidden("replaced")
	codes := v.codes()
	v.send("replaced", before)
	v.want("/security/recovery-codes", http.StatusOK)
	v.sees(codes...)
	v.open(v.at.RequestURI())
	if strings.Contains(v.body, codes[0]) {
		t.Error("the codes are shown to a reload")
	}
	w.clock.turn(time.Minute)
	v.submit("replaced", before)
	v.want("/security/recovery-codes", http.StatusConflict)
	v.sees("made already")
	if n := w.count(`event WHERE kind = 'recovery_codes.made' AND person_id = $1`, person); n != 1 {
		t.Errorf("%d sets were made", n)
	}
}

// amr is how the last sign-in was proved, as sessions tell it to services.
func (w *world) by(person uuid.UUID) (by string) {
	w.Helper()
	const last = `SELECT coalesce(detail->>'by', '') FROM event WHERE kind = 'signed_in' AND person_id = $1 ORDER BY id DESC LIMIT 1`
	if err := w.pool.QueryRow(w.Context(), last, person).Scan(&by); err != nil {
		w.Fatal(err)
	}
	return by
}

// The key waits for its app through a session that ends meanwhile: who has given it to the app and signs in again at this browser is shown the same. At
// another browser it is another's.
func TestTheKeyOfAnAppOutlastsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v, other := w.visitor(), w.visitor()
	v.signInFor("/security/authenticator", anna)
	a := v.takes()
	w.clock.turn(time.Minute)
	other.signInFor("/security/authenticator", anna)
	if other.takes() == a {
		t.Error("another browser is shown the key")
	}
	v.open("/security")
	v.submit() // signs out
	w.clock.turn(time.Minute)
	v.signInFor("/security/authenticator", anna)
	v.submit("code", a.shows())
	v.want("/security/factors", http.StatusOK)
	v.sees("You have an authenticator app")
}

// From the key to the last digits: an app is bound by what it shows, asked for in place of a message, and removed by one as strong.
func TestAnAuthenticator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	v := w.visitor()
	v.signInFor("/security/authenticator", anna)
	a := v.takes()
	if policy := v.head.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || strings.Contains(policy, "data:") {
		t.Errorf("the page allows %s", policy)
	}
	for typed, says := range map[string]string{"": "Enter the code", "12345": "six digits", "000000": "does not match"} {
		v.submit("code", typed)
		v.want("/security/authenticator", http.StatusUnprocessableEntity)
		v.sees(says)
		if again := v.takes(); again != a {
			t.Error("the page shows another key")
		}
	}
	v.submit("code", a.shows())
	v.want("/security/factors", http.StatusOK)
	v.sees("You have an authenticator app")
	_, sent := w.lastCode()

	w.clock.turn(time.Minute)
	stranger := w.visitor()
	stranger.open("/authorize")
	stranger.submit("identifier", anna, "password", password)
	stranger.want("/sign-in/authenticator", http.StatusOK)
	stranger.submit("code", "000000")
	stranger.want("/sign-in/authenticator", http.StatusUnprocessableEntity)
	stranger.sees("does not match")
	stranger.submit("code", a.shows())
	stranger.sees("authorize goes on")
	if by := w.by(person); by != "authenticator" {
		t.Errorf("the sign-in is recorded as by %q", by)
	}
	if got := w.events("sign_in.refused", person); !slices.Equal(got, []string{"authenticator" + ofFirefox}) {
		t.Errorf("refusals recorded: %q", got)
	}
	stranger.open("/security")
	stranger.sees("a code from the app")

	// Each step is good once (RFC 6238 §5.2).
	other := w.visitor()
	other.open("/authorize")
	other.submit("identifier", anna, "password", password)
	other.submit("code", a.shows())
	other.want("/sign-in/authenticator", http.StatusUnprocessableEntity)
	if _, n := w.lastCode(); n != sent {
		t.Errorf("%d messages were spent", n-sent)
	}

	stranger.open("/security/authenticator")
	stranger.submit("identifier", anna, "password", password)
	w.clock.turn(time.Minute)
	stranger.submit("code", a.shows())
	stranger.sees("Remove the app")
	stranger.submit("decision", "remove")
	stranger.want("/security/factors", http.StatusOK)
	if n := w.count(`authenticator`); n != 0 {
		t.Error("it is still bound")
	}
	if n := w.count(`event WHERE kind IN ('authenticator.added', 'authenticator.removed') AND detail->>'where' = 'BY'`); n != 2 {
		t.Errorf("of %d of the two acts it is recorded where", n)
	}
}

// A code by SMS stays the fallback, with its risk told (NIST SP 800-63B-4 §3.2.9), and so does a recovery code, once.
func TestThereAreOtherWaysThanTheApp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	v, a := w.withApp(anna)
	v.open("/security/recovery-codes") // the session came by SMS, which is less than the app now
	v.want("/sign-in", http.StatusOK)
	v.submit("identifier", anna, "password", password)
	v.want("/sign-in/authenticator", http.StatusOK)
	if strings.Contains(v.body, "code by SMS") {
		t.Error("where the strongest is asked, less is offered")
	}
	v.open("/sign-in/code?" + v.at.RawQuery)
	v.want("/sign-in/authenticator", http.StatusOK)
	v.submit("code", a.shows())
	v.want("/security/recovery-codes", http.StatusOK)
	codes := v.codes()

	stranger := func() *visitor {
		s := w.visitor()
		s.open("/authorize?acr_values=substantial")
		s.submit("identifier", anna, "password", password)
		s.want("/sign-in/authenticator", http.StatusOK)
		return s
	}
	s := stranger()
	s.open(s.link("Get a code by SMS"))
	s.sees("take over the number")
	s.submit("decision", "again")
	digits, _ := w.lastCode()
	s.submit("code", digits)
	s.sees("authorize goes on")

	s = stranger()
	s.open(s.link("Use a recovery code"))
	for typed, says := range map[string]string{"": "Enter a recovery code", "ABCD": "sixteen", "AAAA-BBBB-CCCC-DDDD": "does not match"} {
		s.submit("recovery_code", typed)
		s.want("/sign-in/recovery-code", http.StatusUnprocessableEntity)
		s.sees(says)
	}
	s.submit("recovery_code", strings.ToLower(codes[4]))
	s.sees("authorize goes on")
	if by := w.by(person); by != "recovery_code" {
		t.Errorf("the sign-in is recorded as by %q", by)
	}
	w.phones.last(t, "notice", "recovery code was used")

	// Whoever has lost the app comes by a recovery code, which is as strong, and gives the app up.
	s.open("/security/factors")
	s.sees("9 codes are left")
	s.open("/security/authenticator")
	s.submit("identifier", anna, "password", password)
	s.open(s.link("Use a recovery code"))
	s.submit("recovery_code", codes[5])
	s.sees("Remove the app")
	s = stranger()
	s.open(s.link("Use a recovery code"))
	s.submit("recovery_code", codes[4])
	s.want("/sign-in/recovery-code", http.StatusUnprocessableEntity)
}

// Tries at the app are few at a time; a stranger who has the password uses up nothing of a known browser's, nor the other ways.
func TestWrongCodesOfAnAppAreCountedByPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	own, a := w.withApp(anna)
	for range 2 { // another browser is not another budget
		stranger := w.visitor()
		stranger.open("/authorize")
		stranger.submit("identifier", anna, "password", password)
		for range 5 {
			stranger.submit("code", "000000")
		}
		stranger.submit("code", "000000")
		stranger.want("/sign-in/authenticator", http.StatusTooManyRequests)
		if stranger.head.Get("Retry-After") == "" {
			t.Error("it is not told how long to wait")
		}
	}
	own.open("/authorize?acr_values=substantial")
	own.submit("identifier", anna, "password", password)
	own.submit("code", a.shows())
	own.sees("authorize goes on")
}

// A fresh sign-in is asked of the person, not of whoever sits at their browser: who has bound a factor shows it (OpenID Connect Core
// §3.1.2.1), and where the factor is an app the password is changed by no less.
func TestWhoHasAFactorIsAskedForIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v, a := w.withApp(anna)
	v.open("/security")
	v.submit()
	v.open("/security")
	v.submit("identifier", anna, "password", password) // at a known browser
	v.want("/security", http.StatusOK)
	for _, path := range []string{"/security/password", "/security/authenticator", "/security/passkeys", "/security/recovery-codes"} {
		v.open(path)
		v.want("/sign-in", http.StatusOK)
	}
	v.open("/block") // the way out needs no more than it did
	v.want("/block", http.StatusOK)
	v.open("/security/password")
	v.submit("identifier", anna, "password", password)
	v.want("/sign-in/authenticator", http.StatusOK)
	v.submit("code", a.shows())
	v.want("/security/password", http.StatusOK)
}

// Whoever has a passkey gives up nothing by less, nor adds anything.
func TestAnAppDoesNotStandForAPasskey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v, a := w.withApp(anna)
	v.open("/security/passkeys")
	v.submit("identifier", anna, "password", password)
	v.submit("code", a.shows())
	device := w.device()
	v.adds(device, "")
	v.open("/security/authenticator")
	v.want("/sign-in", http.StatusOK)
	v.submit("identifier", anna, "password", password)
	v.want("/sign-in/code", http.StatusOK)
	v.sees("Here only your passkey will do")
	_, sent := w.lastCode()
	v.send("decision", "again")
	if _, n := w.lastCode(); n != sent {
		t.Error("a message was sent that leads nowhere")
	}
	v.open("/sign-in/authenticator?" + v.at.RawQuery)
	v.want("/sign-in/code", http.StatusOK)
	v.use(device)
	v.want("/security/authenticator", http.StatusOK)
}

// For a day after a recovery nothing is given up that was bound before it; it may be used.
func TestNothingIsGivenUpAfterARecovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	v, a := w.withApp(anna)
	v.open("/security/recovery-codes")
	v.submit("identifier", anna, "password", password)
	v.submit("code", a.shows())
	v.codes()
	w.clock.turn(time.Minute)
	v.open("/security/authenticator")
	v.submit("identifier", anna, "password", password)
	v.submit("code", a.shows())
	query := "?" + v.at.RawQuery
	if _, err := w.pool.Exec(t.Context(), `UPDATE identity SET recovered_at = $2 WHERE person_id = $1`, person, w.clock.now()); err != nil {
		t.Fatal(err)
	}
	for path, decision := range map[string]string{"/security/authenticator": "remove", "/security/recovery-codes": "make"} {
		v.open(path + query)
		v.send("decision", decision)
		v.want(path, http.StatusConflict)
		v.sees("recovered lately")
	}
	if n := w.count(`authenticator`); n != 1 {
		t.Error("the app is gone")
	}
}

// No session begins without what it rests on being used up, and on record.
func TestASignInByTypedFactorLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct{ verb, table string }{{"UPDATE", "authenticator"}, {"INSERT", "event"}} {
		t.Run(fault.verb+" "+fault.table, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.active(anna, "+375294911911")
			_, a := w.withApp(anna)
			v := w.visitor()
			v.open("/security")
			v.submit("identifier", anna, "password", password)
			form := *v
			heal := pgtest.FailOn(t, w.pool, fault.verb, fault.table)
			v.submit("code", a.shows())
			v.want("/sign-in/authenticator", http.StatusInternalServerError)
			heal()
			*v = form
			v.submit("code", a.shows())
			v.want("/security", http.StatusOK)
		})
	}
}
