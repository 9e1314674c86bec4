package login_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"asoba.example/login/identity"
	"asoba.example/migrations/pgtest"
)

const ofFirefox = " Firefox, Linux"

// The temporary password opens one page, which forms the static one; then the person is signed in, and the browser is known.
func TestFirstSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person, temporary := w.issued(anna, "+375294911911")
	v := w.visitor()

	v.open("/security")
	v.want("/sign-in", http.StatusOK)
	v.submit("identifier", "1010130k-001рв9", "password", strings.ToLower(strings.Replace(temporary, "-", " ", 1)))
	v.want("/sign-in/password", http.StatusOK)
	forming := v.at.RequestURI()

	// Nothing else can be reached, and the page survives reload and Back.
	v.open(strings.Replace(forming, "/password", "/code", 1))
	v.want("/sign-in/password", http.StatusOK)
	v.open("/security")
	v.want("/sign-in", http.StatusOK)
	v.open("/security/password")
	v.want("/sign-in", http.StatusOK)
	v.open(forming)
	v.want("/sign-in/password", http.StatusOK)

	for _, refused := range []struct{ password, again, says string }{
		{"", "", "Enter a new password"},
		{password, "", "Enter the new password once more"},
		{password, another, "The passwords differ"},
		{"короткий", "короткий", "shorter than 12"},
		{temporary + "-мой", temporary + "-мой", "like the temporary one"},
	} {
		v.submit("new_password", refused.password, "new_password_again", refused.again)
		v.want("/sign-in/password", http.StatusUnprocessableEntity)
		v.sees(refused.says)
		if refused.password != "" && strings.Contains(v.body, refused.password) {
			t.Fatalf("the page repeats the password %q", refused.password)
		}
	}
	v.submit("new_password", password, "new_password_again", password)
	v.want("/security", http.StatusOK)
	v.sees("10…B9", "ends in 11", "with the password<", "Firefox, Linux")
	if got, want := w.events("signed_in", person), []string{"low" + ofFirefox}; !slices.Equal(got, want) {
		t.Errorf("recorded sign-ins: %q, want %q", got, want)
	}

	// Back to the page of a sign-in that is done leads on, not to a dead end.
	v.open(forming)
	v.want("/security", http.StatusOK)

	// The browser is known now: the static password is enough.
	v.submit()
	v.want("/sign-out", http.StatusOK)
	v.open("/security")
	v.want("/sign-in", http.StatusOK)
	v.submit("identifier", anna, "password", password)
	v.want("/security", http.StatusOK)
}

// Every page on the way of a sign-in, and the first of every errand, lets the person refuse it: the service that waits hears so, and what was
// proved so far is worth nothing (OpenID Connect Core §3.1.2.6). A page of ours has nobody to tell.
func TestASignInCanBeRefusedOnEveryPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	_, temporary := w.issued(boris, "+375294911912")
	for page, fields := range map[string][]string{
		"/sign-in":          nil,
		"/sign-in/code":     {"identifier", anna, "password", password},
		"/sign-in/password": {"identifier", boris, "password", temporary},
	} {
		v := w.visitor()
		v.open("/authorize")
		if fields != nil {
			v.submit(fields...)
		}
		v.want(page, http.StatusOK)
		v.sees(`name="decision" value="deny"`)
		at := v.at.RequestURI()
		v.submit("decision", "deny")
		v.want("/authorize", http.StatusOK)
		v.sees("authorize refuses")
		v.open(at)
		v.want("/sign-in", http.StatusOK)
	}
	for _, errand := range []string{"/recover", "/block", "/unblock"} {
		v := w.visitor()
		v.open("/authorize")
		v.open(errand + "?" + v.at.RawQuery)
		v.want(errand, http.StatusOK)
		v.sees(`name="decision" value="deny"`)
		v.submit("decision", "deny")
		v.want("/authorize", http.StatusOK)
		v.sees("authorize refuses")
	}
	v := w.visitor()
	v.open("/security")
	if strings.Contains(v.body, "deny") {
		t.Error("a page of ours can be refused")
	}
	v.submit("decision", "deny")
	v.want("/sign-in", http.StatusUnprocessableEntity)
}

// A browser never seen before for this person is asked a code, and known after it.
func TestUnknownBrowserIsAskedACode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	v := w.visitor()

	v.open("/authorize")
	v.want("/sign-in", http.StatusOK)
	v.sees("Sign in to continue to “Portal”")
	if policy := v.head.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https://portal.example") {
		t.Errorf("the form may not lead back to the client: %s", policy)
	}
	v.submit("identifier", anna, "password", password)
	v.want("/sign-in/code", http.StatusOK)
	v.sees("ends in 11", "good until 12:06", "in 60 seconds") // Minsk is three hours ahead
	digits, sent := w.lastCode()
	page := v.at.RequestURI()

	// Asking too early sends nothing; reload shows the same; Back and the password again send nothing either.
	w.clock.turn(15 * time.Second)
	v.submit("decision", "again")
	v.want("/sign-in/code", http.StatusOK)
	v.sees("in 45 seconds")
	v.open(strings.Replace(page, "/code", "", 1))
	v.want("/sign-in", http.StatusOK)
	v.submit("identifier", anna, "password", password)
	v.want("/sign-in/code", http.StatusOK)
	if _, again := w.lastCode(); again != sent {
		t.Fatalf("%d codes were sent, want %d", again, sent)
	}
	for typed, says := range map[string]string{"": "Enter the code", "12345": "6 digits", wrong(digits): "does not match"} {
		v.submit("code", typed)
		v.want("/sign-in/code", http.StatusUnprocessableEntity)
		v.sees(says)
	}
	v.submit("code", digits[:3]+" "+digits[3:])
	v.want("/authorize", http.StatusOK)
	v.open("/security")
	v.sees("with the password and a code by SMS")
	if got, want := w.events("signed_in", person), []string{"substantial" + ofFirefox}; !slices.Equal(got, want) {
		t.Errorf("recorded sign-ins: %q, want %q", got, want)
	}
	if got, want := w.events("sign_in.refused", person), []string{"code" + ofFirefox}; !slices.Equal(got, want) {
		t.Errorf("recorded refusals: %q, want %q", got, want)
	}

	// A known browser is asked a code only where the request asks for that level.
	v.submit()
	v.open("/authorize")
	v.submit("identifier", anna, "password", password)
	v.want("/authorize", http.StatusOK)
	v.open("/authorize?acr_values=substantial")
	v.submit("identifier", anna, "password", password)
	v.want("/sign-in/code", http.StatusOK)

	// Neither is the first sign-in spared it there.
	_, temporary := w.issued(vera, "+375331234567")
	v.open("/authorize?acr_values=substantial")
	v.submit("identifier", vera, "password", temporary)
	v.submit("new_password", password, "new_password_again", password)
	v.want("/sign-in/code", http.StatusOK)
	digits, _ = w.lastCode()
	v.submit("code", digits)
	v.want("/authorize", http.StatusOK)

	// For another person this browser is as strange as ever.
	w.active(boris, "+375291111111")
	v.open("/authorize")
	v.submit("identifier", boris, "password", password)
	v.want("/sign-in/code", http.StatusOK)
}

// Who is signed in, and is asked by a service to do so again, is told why and has no number to type; where nobody is, nobody's number stands.
func TestAServiceAsksWhoIsSignedInOnceMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v := w.visitor()
	v.signIn(anna)
	v.open("/authorize?acr_values=substantial")
	v.sees("sign in once more", `value="`+anna+`"`)
	v.open("/security")
	v.submit() // signs out
	v.open("/authorize")
	v.submit("identifier", anna, "password", password) // at a known browser, so by less
	v.open("/authorize?acr_values=substantial")
	v.sees("in one more way", `value="`+anna+`"`)
	v.open("/security")
	v.submit() // signs out
	v.open("/authorize?acr_values=substantial")
	if strings.Contains(v.body, `value="`+anna+`"`) || strings.Contains(v.body, "signed in already") {
		t.Errorf("a browser at which nobody is signed in is told\n%s", v.body)
	}
}

// wrong is a code, but not this one.
func wrong(digits string) string {
	if digits == "000000" {
		return "000001"
	}
	return "000000"
}

func TestFiveWrongCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v := w.visitor()
	v.open("/security")
	v.submit("identifier", anna, "password", password)
	digits, _ := w.lastCode()
	for range 4 {
		v.submit("code", wrong(digits))
		v.want("/sign-in/code", http.StatusUnprocessableEntity)
		v.sees("does not match")
	}
	for _, typed := range []string{wrong(digits), digits} {
		v.submit("code", typed)
		v.want("/sign-in/code", http.StatusUnprocessableEntity)
		v.sees("no longer good", "There is no good code right now")
	}
	w.clock.turn(time.Minute)
	v.submit("decision", "again")
	v.sees("good until")
	digits, _ = w.lastCode()
	v.submit("code", digits)
	v.want("/security", http.StatusOK)
}

// After the third wrong password strangers are told to wait, each time longer, for numbers of nobody too; the person at a known
// browser comes in meanwhile.
func TestTooManyTries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	own, stranger := w.visitor(), w.visitor()
	own.signIn(anna)
	own.submit()
	w.clock.turn(time.Hour)

	stranger.open("/security")
	for _, number := range []string{anna, nobody} {
		for range 2 {
			stranger.submit("identifier", number, "password", another)
			stranger.want("/sign-in", http.StatusUnprocessableEntity)
		}
		for _, pause := range []struct {
			retry, says string
		}{
			{"10", "Wait 10 seconds"},
			{"20", "Wait 20 seconds"},
			{"40", "Wait 40 seconds"},
			{"60", "Wait 60 seconds"},
			{"120", "Wait 2 minutes"},
			{"240", "Wait 4 minutes"},
			{"240", "Wait 4 minutes"},
		} {
			stranger.submit("identifier", number, "password", another)
			stranger.want("/sign-in", http.StatusUnprocessableEntity)
			stranger.submit("identifier", number, "password", password)
			stranger.want("/sign-in", http.StatusTooManyRequests)
			stranger.sees(pause.says)
			if got := stranger.head.Get("Retry-After"); got != pause.retry {
				t.Errorf("Retry-After: %q, want %s", got, pause.retry)
			}
			wait, err := time.ParseDuration(pause.retry + "s")
			if err != nil {
				t.Fatal(err)
			}
			w.clock.turn(wait)
		}
	}

	own.open("/security")
	for range 4 {
		own.submit("identifier", anna, "password", another)
		own.want("/sign-in", http.StatusUnprocessableEntity)
	}
	own.submit("identifier", anna, "password", password)
	own.want("/security", http.StatusOK)
	who, err := w.registry.Of(t.Context(), person)
	if err != nil || who.State != identity.Active {
		t.Fatalf("the identifier is %s, %v", who.State, err)
	}
}

// After fifty failures in a row the password is worth nothing at strange browsers, and as much as ever at a known one.
func TestFiftyFailuresStopStrangersOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	own, stranger := w.visitor(), w.visitor()
	own.signIn(anna)
	own.submit()
	for failures, want := range map[int]string{49: "/sign-in/code", 50: "/sign-in"} {
		if _, err := w.pool.Exec(t.Context(), `UPDATE identity SET failures = $1`, failures); err != nil {
			t.Fatal(err)
		}
		stranger.open("/authorize")
		stranger.submit("identifier", anna, "password", password)
		if stranger.at.Path != want {
			t.Fatalf("after %d failures a stranger with the password is at %s, want %s", failures, stranger.at.Path, want)
		}
	}
	own.signIn(anna)
	stranger.open("/authorize")
	stranger.submit("identifier", anna, "password", password)
	stranger.want("/sign-in/code", http.StatusOK)
}

// Whoever proves anew who they are proves no less than before: what a session has proved is not lowered by it.
func TestASignInAnewProvesNoLess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	v := w.visitor()
	v.signIn(anna) // with a code, for the browser is not known yet
	w.clock.turn(11 * time.Minute)
	v.open("/security/password")
	v.submit("identifier", anna, "password", password)
	v.want("/sign-in/code", http.StatusOK)
	digits, _ := w.lastCode()
	v.submit("code", digits)
	v.want("/security/password", http.StatusOK)
	v.open("/sign-out")
	v.submit()
	v.open("/security")
	v.submit("identifier", anna, "password", password) // it is another session, at a browser that is known
	v.want("/security", http.StatusOK)
	w.clock.turn(11 * time.Minute)
	v.open("/security/password")
	v.submit("identifier", anna, "password", password)
	v.want("/security/password", http.StatusOK)
	if got := w.events("signed_in", person); !slices.Equal(got, []string{"substantial Firefox, Linux", "substantial Firefox, Linux", "low Firefox, Linux", "low Firefox, Linux"}) {
		t.Errorf("signed in by %q", got)
	}
}

// A sign-in that waited too long, or is another browser's, begins again and says so; one that is done says that.
func TestGoneInteraction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v, other := w.visitor(), w.visitor()
	v.open("/security")
	address := v.at.RequestURI()
	other.open("/security")
	other.open(address)
	other.want("/sign-in", http.StatusOK)
	other.sees("could not wait for longer")

	v.submit("identifier", anna, "password", password)
	v.want("/sign-in/code", http.StatusOK)
	if err := w.redis.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	digits, _ := w.lastCode()
	v.submit("code", digits)
	v.want("/sign-in", http.StatusOK)
	v.sees("could not wait for longer")
	v.signIn(anna)
	v.open(address)
	v.want("/sign-in", http.StatusGone)
	v.sees(`href="/security"`)
}

// A password that was proved counts for nothing once the identifier was acted upon.
func TestAProvedPasswordDiesWithTheNextAct(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	act := func() identity.Act { return identity.Act{At: w.clock.now()} }
	known := w.active(anna, "+375294911911")
	fresh, temporary := w.issued(boris, "+375291111111")
	for name, proved := range map[string]struct {
		number, password, page string
		act                    func() error
	}{
		"change": {anna, password, "/sign-in/code", func() error {
			return w.registry.ChangePassword(t.Context(), known, password, another, act())
		}},
		"reissue": {boris, temporary, "/sign-in/password", func() error { return w.registry.Reissue(t.Context(), fresh, identity.Phone{}, act()) }},
	} {
		v := w.visitor()
		v.open("/security")
		v.submit("identifier", proved.number, "password", proved.password)
		v.want(proved.page, http.StatusOK)
		w.clock.turn(time.Second)
		if err := proved.act(); err != nil {
			t.Fatal(err)
		}
		if proved.page == "/sign-in/code" {
			digits, _ := w.lastCode()
			v.submit("code", digits)
		} else {
			v.submit("new_password", password, "new_password_again", password)
		}
		if v.want("/sign-in", http.StatusOK); t.Failed() {
			t.Fatal(name)
		}
	}
}

// A password takes its time to be checked. Who changes it meanwhile has shut the door, even if the sign-in by the old
// one comes to its end afterwards.
func TestAPasswordThatChangesWhileItIsCheckedOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	v := w.visitor()
	v.signIn(anna)
	v.open("/sign-in?interaction=") // signed in: on to /security
	v.submit()                      // the sign-out
	v.open("/security")
	v.submit("identifier", anna, "password", another) // a failure, which the sign-in will want to forgive

	tx, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	for _, sql := range []string{
		`UPDATE identity SET changed_at = $2 WHERE person_id = $1`,
		`INSERT INTO ended (person_id, at, why) VALUES ($1, $2, 'password')`,
	} {
		if _, err := tx.Exec(t.Context(), sql, person, w.clock.now()); err != nil {
			t.Fatal(err)
		}
	}
	changed := make(chan error, 1)
	go func() {
		const waits = `SELECT count(*) FROM pg_sleep(0.01), pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
		for n := 0; n == 0; {
			if err := w.pool.QueryRow(t.Context(), waits).Scan(&n); err != nil {
				changed <- err
				return
			}
		}
		w.clock.turn(time.Minute)
		changed <- tx.Commit(t.Context())
	}()
	v.submit("identifier", anna, "password", password)
	if err := <-changed; err != nil {
		t.Fatal(err)
	}
	v.want("/sign-in", http.StatusOK)
	v.open("/security")
	v.want("/sign-in", http.StatusOK)
}

// The password changes; this browser goes on; every other is signed out and strange.
func TestChangePassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	here, there := w.visitor(), w.visitor()
	here.signIn(anna)
	w.clock.turn(time.Minute)
	there.signIn(anna)

	here.open("/security/password")
	here.want("/security/password", http.StatusOK)
	for _, refused := range []struct{ current, password, again, says string }{
		{"", another, another, "Enter your current password"},
		{another, another, another, "current password does not match"},
		{password, "короткий", "короткий", "shorter than 12"},
		{password, another, password, "The passwords differ"},
	} {
		here.submit("password", refused.current, "new_password", refused.password, "new_password_again", refused.again)
		here.want("/security/password", http.StatusUnprocessableEntity)
		here.sees(refused.says)
	}
	here.submit("password", password, "new_password", another, "new_password_again", another)
	here.want("/security", http.StatusOK)
	here.sees("The password has been changed")
	there.open("/security")
	there.want("/sign-in", http.StatusOK)
	there.submit("identifier", anna, "password", password)
	there.want("/sign-in", http.StatusUnprocessableEntity)
	there.submit("identifier", anna, "password", another)
	there.want("/sign-in/code", http.StatusOK)
	here.open("/security")
	here.want("/security", http.StatusOK)
	if got := len(w.events("password.changed", person)); got != 1 {
		t.Errorf("%d changes recorded, want 1", got)
	}
}

// Beyond five a day a change of the password asks for a code first.
func TestManyChangesAskACode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v := w.visitor()
	v.signIn(anna)
	v.submit()
	v.signIn(anna) // known now, so of the lower level
	change := func(current, password string) {
		t.Helper()
		w.clock.turn(5 * time.Minute)
		v.open("/security/password")
		v.submit("password", current, "new_password", password, "new_password_again", password)
	}
	from, to := password, another
	for range 5 {
		change(from, to)
		v.want("/security", http.StatusOK)
		from, to = to, from
	}
	change(from, to)
	v.want("/sign-in", http.StatusOK)
	v.submit("identifier", anna, "password", from)
	v.want("/sign-in/code", http.StatusOK)
	digits, _ := w.lastCode()
	v.submit("code", digits)
	v.want("/security/password", http.StatusOK)
	v.submit("password", from, "new_password", to, "new_password_again", to)
	v.want("/security", http.StatusOK)
}

// Who blocks is signed out everywhere at once, and cannot come back in by any password.
func TestBlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	here, there := w.visitor(), w.visitor()
	here.signIn(anna)
	w.clock.turn(time.Minute)
	there.signIn(anna)

	here.open("/block")
	here.want("/block", http.StatusOK)
	here.sees("10…B9", "personal cabinet")
	here.submit("decision", "keep")
	here.want("/security", http.StatusOK)
	here.open("/security/password")
	here.submit("password", "x", "new_password", "x", "new_password_again", "x")
	here.want("/security/password", http.StatusUnprocessableEntity) // which nobody sees after that
	here.open("/block")
	here.submit("decision", "block")
	here.want("/block/done", http.StatusOK)
	here.sees("office that gave you the identifier")
	who, err := w.registry.Of(t.Context(), person)
	if err != nil || who.State != identity.Blocked || who.BlockReason != identity.Self {
		t.Fatalf("the identifier is %s, %s, %v", who.State, who.BlockReason, err)
	}
	for _, v := range []*visitor{here, there} {
		v.open("/block")
		v.want("/block", http.StatusOK)
		v.sees(`name="identifier"`) // whose it would be is to be proved now
		for _, path := range []string{"/security", "/security/password"} {
			v.open(path)
			v.want("/sign-in", http.StatusOK)
		}
		v.submit("identifier", anna, "password", password)
		v.want("/sign-in", http.StatusUnprocessableEntity)
		v.sees("does not match")
	}
}

// A blocked person is refused though Redis still knows the session: the database says so.
func TestASessionAloneOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v := w.visitor()
	v.signIn(anna)
	const block = `UPDATE identity SET state = 'blocked', block_reason = 'desk'`
	if _, err := w.pool.Exec(t.Context(), block); err != nil {
		t.Fatal(err)
	}
	v.open("/security")
	v.want("/sign-in", http.StatusOK)
}

// Grave acts ask for a sign-in of the last ten minutes; then the page that waited comes.
func TestGraveActsAskForAFreshSignIn(t *testing.T) {
	t.Parallel()
	const path = "/security/password"
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v := w.visitor()
	v.open(path)
	v.want("/sign-in", http.StatusOK)
	if strings.Contains(v.body, "sign in once more") {
		t.Error("who has not signed in is asked to once more")
	}
	v.signIn(anna)
	w.clock.turn(10 * time.Minute)
	v.open(path)
	v.want(path, http.StatusOK)
	form := *v
	w.clock.turn(time.Second)
	v.open("/security")
	v.want("/security", http.StatusOK)
	v.open(path)
	v.want("/sign-in", http.StatusOK)
	v.sees("sign in once more")
	v.proves(anna)
	v.want(path, http.StatusOK)

	// A form that was opened in time may be sent a while later, not for ever.
	*v = form
	w.clock.turn(21 * time.Minute)
	v.submit("password", password, "new_password", another, "new_password_again", another)
	v.want("/sign-in", http.StatusOK)
}

// No session without its record: when the record fails nobody is signed in, and a retry works.
func TestSignInLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct{ verb, table string }{{"INSERT", "known_browser"}, {"INSERT", "event"}, {"INSERT", "not_me"}} {
		t.Run(fault.verb+" "+fault.table, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.active(anna, "+375294911911")
			w.visitor().signIn(anna) // of the first nobody is warned
			v := w.visitor()
			v.open("/security")
			v.submit("identifier", anna, "password", password)
			digits, _ := w.lastCode()
			heal := pgtest.FailOn(t, w.pool, fault.verb, fault.table)
			v.submit("code", digits)
			v.want("/sign-in/code", http.StatusInternalServerError)
			v.open("/security")
			v.want("/sign-in", http.StatusOK)
			heal()
			w.clock.turn(time.Minute)
			v.signIn(anna)
		})
	}
}

// A sign-out ends the session, once, and says so in the record.
func TestSignOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	v := w.visitor()
	v.signIn(anna)
	v.open("/sign-out")
	v.want("/security", http.StatusOK)
	form := *v
	v.submit()
	v.want("/sign-out", http.StatusOK)
	*v = form
	v.submit()
	v.want("/sign-out", http.StatusOK)
	if got, want := w.events("signed_out", person), []string{"substantial" + ofFirefox}; !slices.Equal(got, want) {
		t.Errorf("recorded: %q, want %q", got, want)
	}
}

// Who proves anew who they are goes on with the session: clients know it by its sid, and hear by that of its end. Somebody else who signs
// in at the browser ends it.
func TestASessionGoesOnAsLongAsItsPersonIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.active(anna, "+375294911911")
	other := w.active(boris, "+375294911912")
	v := w.visitor()
	v.signIn(anna)
	w.clock.turn(11 * time.Minute)
	v.open("/security/password") // a grave act, for which that is too long ago
	v.want("/sign-in", http.StatusOK)
	v.proves(anna)
	v.want("/security/password", http.StatusOK)
	w.grant(one, "portal")
	v.open("/authorize?acr_values=substantial")
	v.submit("identifier", boris, "password", password)
	digits, _ := w.lastCode()
	v.submit("code", digits)
	v.sees("authorize goes on")
	if n := w.count(`(SELECT DISTINCT sid FROM event WHERE kind = 'signed_in' AND person_id = $1) AS sessions`, one); n != 1 {
		t.Errorf("one person's session has %d names", n)
	}
	if n := w.count(`(SELECT DISTINCT sid FROM event WHERE kind = 'signed_in') AS sessions`); n != 2 {
		t.Errorf("two people have %d sessions", n)
	}
	if out, told := w.events("signed_out", one), w.count(`logout_notice WHERE person_id = $1`, one); len(out) != 1 || told != 1 {
		t.Errorf("the end of the first session is recorded %d times, and told %d times", len(out), told)
	}
	if out := w.events("signed_out", other); len(out) != 0 {
		t.Errorf("the second session ended: %v", out)
	}
}

// A sign-out by our own button is told to clients as any other (OpenID Connect Front-Channel Logout §3, Back-Channel Logout §2.3).
func TestOurOwnSignOutIsToldToClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	v := w.visitor()
	v.signIn(anna)
	w.grant(person, "portal")
	v.submit()
	v.want("/sign-out", http.StatusOK)
	v.sees(`<iframe src="https://portal.example/out?iss=http%3A%2F%2Fidp.example&amp;sid=`)
	if policy := v.head.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-src https://portal.example") {
		t.Errorf("the policy is %s", policy)
	}
	if told := w.count(`logout_notice WHERE person_id = $1`, person); told != 1 {
		t.Errorf("told %d times", told)
	}
}

// A sign-in of another site's making is refused where the site is mounted with its protection; here the doors only
// promise that they change nothing on GET.
func TestGetChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v := w.visitor()
	v.signIn(anna)
	for _, path := range []string{"/sign-out", "/block?decision=block", "/security/password?password=x"} {
		v.open(path)
	}
	v.open("/security")
	v.want("/security", http.StatusOK)
}
