package login_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"asoba.example/login/identity"
	"asoba.example/login/register"
)

// emptied runs an act as often as it asks Redis for something, and each time Redis has lost all before another of these calls; at
// last it loses nothing.
func (w *world) emptied(act func(n int)) {
	w.Helper()
	at := w.redis.(*redis.Client).Options()
	bare := redis.NewClient(&redis.Options{Network: at.Network, Addr: at.Addr, DB: at.DB})
	defer bare.Close()
	for n := 1; n < 100; n++ {
		w.calls.loseAt(n, func() {
			if err := bare.FlushDB(w.Context()).Err(); err != nil {
				w.Error(err)
			}
		})
		act(n)
		if !w.calls.lost() {
			return
		}
		w.clock.turn(24 * time.Hour)
	}
	w.Fatal("the act never ends")
}

// walk sends the forms that a browser meets, as long as it meets them where they are expected. Whatever was lost, no page is a failure.
func (v *visitor) walk(steps ...step) {
	v.w.Helper()
	v.open("/security")
	for _, s := range steps {
		if v.status >= http.StatusInternalServerError {
			v.w.Fatalf("%s answers %d\n%s", v.at.Path, v.status, v.body)
		}
		if v.at.Path != s.at || v.status == http.StatusGone {
			return
		}
		v.submit(s.fields()...)
	}
}

type step struct {
	at     string
	fields func() []string
}

func types(fields ...string) func() []string { return func() []string { return fields } }

// isIn tells whether somebody is signed in at the browser.
func (v *visitor) isIn() bool {
	v.open("/security")
	return v.at.Path == "/security"
}

// Redis may lose all that it holds at any moment of a sign-in: nobody who lacks the phone gets in by that, no page is a failure, and
// whose password and phone it is begins again and gets in.
func TestRedisLosesASignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	code := func() []string {
		digits, _ := w.lastCode()
		return []string{"code", digits}
	}
	not := func() []string {
		digits, _ := w.lastCode()
		return []string{"code", wrong(digits)}
	}
	proves := step{"/sign-in", types("identifier", anna, "password", password)}
	for name, act := range map[string]struct {
		steps []step
		in    bool // where nothing is lost
	}{
		"with the phone": {[]step{proves, {"/sign-in/code", code}}, true},
		"without the phone": {[]step{
			proves, {"/sign-in/code", not}, {"/sign-in/code", types("decision", "again")}, proves, {"/sign-in/code", not},
		}, false},
		"without the password": {[]step{{"/sign-in", types("identifier", anna, "password", another)}, {"/sign-in/code", code}}, false},
	} {
		w.emptied(func(n int) {
			v := w.visitor()
			v.walk(act.steps...)
			if lost := w.calls.lost(); v.isIn() && !act.in || !lost && v.isIn() != act.in {
				t.Fatalf("%s, all lost before call %d: signed in %t", name, n, v.isIn())
			}
			w.clock.turn(24 * time.Hour)
			if act.in {
				w.visitor().signIn(anna)
			}
		})
	}
}

// Nor is the service lost that waits: whenever Redis is emptied, its person comes to it by the forms and links of the pages alone.
func TestRedisLosesNoService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &wayfarer{password: password}
	f.visitor = w.visitor()
	f.isActive()
	w.emptied(func(int) {
		f.visitor = w.visitor()
		f.open("/authorize")
		f.goes(func() bool { return strings.Contains(f.body, "authorize goes on") })
	})

	// A pushed request is good once (RFC 9126 §7.3), so there the way leads to the service itself, and not to what waits in another tab. No other browser
	// is told of it.
	v := w.visitor()
	v.open("/authorize?request_uri=pushed")
	tab := *v
	tab.open("/authorize")
	if err := w.redis.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	v.submit("identifier", anna, "password", password)
	v.want("/sign-in", http.StatusGone)
	v.sees(`href="https://portal.example/"`, "Portal")
	tab.submit("identifier", anna, "password", password)
	tab.want("/sign-in/code", http.StatusOK)
	stranger := w.visitor()
	stranger.open("/recover")
	stranger.open(v.at.RequestURI())
	stranger.want("/sign-in", http.StatusOK)
	if strings.Contains(stranger.body, "Portal") {
		t.Error("another browser is told of the service")
	}
}

// Nor is a first password half formed: the identifier is active by it, or waits for it as before, and either way its owner begins again.
func TestRedisLosesAFirstSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.emptied(func(n int) {
		number := fmt.Sprintf("2010130K%03dPB", n)
		number += string(register.CheckDigit(number))
		person, temporary := w.issued(number, fmt.Sprintf("+37529491%04d", n))
		forms := []step{
			{"/sign-in", types("identifier", number, "password", temporary)},
			{"/sign-in/password", types("new_password", password, "new_password_again", password)},
		}
		v := w.visitor()
		v.walk(forms...)
		w.calls.lost()
		if v = w.visitor(); w.stands(person) == identity.Active {
			v.signIn(number)
			return
		}
		v.walk(forms...)
		if !v.isIn() {
			t.Fatalf("all lost before call %d: the first sign-in does not begin again", n)
		}
	})
}

// Failures in a row outlive Redis: whoever has it emptied over and over still has fifty tries, and so has everybody.
func TestRedisLosesNoFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	home, stranger := w.visitor(), w.visitor()
	home.signIn(anna)
	home.submit()
	const before = 44 // so that few need to be hashed
	if _, err := w.pool.Exec(t.Context(), `UPDATE identity SET failures = $2 WHERE person_id = $1`, person, before); err != nil {
		t.Fatal(err)
	}
	for range 50 - before {
		stranger.open("/security")
		stranger.submit("identifier", anna, "password", another)
		stranger.want("/sign-in", http.StatusUnprocessableEntity)
		if err := w.redis.FlushDB(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	stranger.open("/security")
	stranger.submit("identifier", anna, "password", password)
	stranger.want("/sign-in", http.StatusUnprocessableEntity)
	home.signIn(anna)
}

// stands is the state of somebody's identifier.
func (w *world) stands(person uuid.UUID) identity.State {
	w.Helper()
	who, err := w.registry.Of(w.Context(), person)
	if err != nil {
		w.Fatal(err)
	}
	return who.State
}

// Whose errand is done is led on, though Redis fails to forget it.
func TestWhatIsDoneIsToldThoughItsErrandStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	w.issued(boris, "+375294911922")
	w.active(vera, "+375294911933")
	w.redis.AddHook(forgetful{w.calls})
	for _, errand := range []struct {
		begin, done string
		forms       [][]string
	}{
		{"/recover", "/recover/sent", [][]string{{"identifier", boris, "document_number", document(boris)}, {"code"}}},
		{
			"/recover", "/security",
			[][]string{{"identifier", anna, "document_number", document(anna)}, {"code"}, {"new_password", another, "new_password_again", another}},
		},
		{"/block", "/block/done", [][]string{{"identifier", vera, "decision", "code"}, {"code"}}},
		{"/unblock", "/security", [][]string{{"identifier", vera, "password", password}, {"code"}, {"new_password", another, "new_password_again", another}}},
	} {
		w.clock.turn(time.Hour)
		v := w.visitor()
		v.open(errand.begin)
		for _, form := range errand.forms {
			if form[0] == "code" {
				digits, _ := w.lastCode()
				form = []string{"code", digits}
			}
			v.submit(form...)
		}
		v.want(errand.done, http.StatusOK)
	}
}

// forgetful has Redis fail to forget errands.
type forgetful struct{ *calls }

func (forgetful) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		if args := command.Args(); command.Name() == "del" && strings.HasPrefix(fmt.Sprint(args[1]), "errand:") {
			err := errors.New("connection reset by peer")
			command.SetErr(err)
			return err
		}
		return next(ctx, command)
	}
}
