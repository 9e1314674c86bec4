package login_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

// unheard is the browser as it stands, which follows no answer: with the cookies that they bring, or without where they are lost as well.
func (v *visitor) unheard(lost bool) *visitor {
	v.w.Helper()
	u := *v
	u.client = &http.Client{Jar: v.client.Jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if lost {
		jar, err := cookiejar.New(nil)
		if err != nil {
			v.w.Fatal(err)
		}
		jar.SetCookies(v.at, v.client.Jar.Cookies(v.at))
		u.client.Jar = jar
	}
	return &u
}

// A form that is sent again leads where it led: its button was pressed twice, of which a browser gives up the first answer, or the line died before that came,
// and with it maybe its cookies. Nothing is done a second time, and no session is left that nobody holds.
func TestAFormThatIsSentAgainLeadsOn(t *testing.T) {
	t.Parallel()
	const goesOn, changed, blocked = "authorize goes on", "The password has been changed", "The identifier is blocked"
	for page, story := range map[string]struct {
		from   string
		before func(*wayfarer)
		says   string
	}{
		"/sign-in/code":           {"/sign-in", (*wayfarer).isActive, goesOn},
		"/sign-in/authenticator":  {"/sign-in", (*wayfarer).takesApp, goesOn},
		"/sign-in/password":       {"/sign-in", (*wayfarer).isNew, goesOn},
		"/recover/password":       {"/recover", (*wayfarer).isActive, goesOn},
		"/unblock/password":       {"/unblock", (*wayfarer).isBlocked, goesOn},
		"/block/code":             {"/block", (*wayfarer).isActive, blocked},
		"/security/password":      {"", (*wayfarer).isActive, changed},
		"/block":                  {"", (*wayfarer).isActive, blocked},
		"/security/authenticator": {"", (*wayfarer).isActive, "You have an authenticator app"},
		"/security/passkeys":      {"", (*wayfarer).isActive, "You have 1 passkey"},
		"/security/sessions":      {"", (*wayfarer).isActive, "You are signed out"},
	} {
		for mishap, lost := range map[string]bool{"pressed twice": false, "lost with its cookies": true} {
			t.Run(page+" "+mishap, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				f := &wayfarer{visitor: w.visitor(), password: password}
				story.before(f)
				from := page
				if story.from != "" {
					f.open("/authorize")
					from = story.from + "?" + f.at.RawQuery
				} else {
					f.signIn(anna)
				}
				f.open(from)
				f.goes(func() bool { return f.at.Path == page })
				first := *f
				first.visitor = f.unheard(lost)
				switch page {
				case "/block":
					first.send("decision", "block")
				case "/security/sessions":
					first.send("decision", "end_all")
				default:
					first.answers()
				}
				first.want(page, http.StatusSeeOther)
				done, open := w.count("event"), len(w.keys("session:*"))
				f.send(first.sent...)
				f.sees(story.says)
				if n := w.count("event"); n != done {
					t.Errorf("%d events more", n-done)
				}
				if n := len(w.keys("session:*")); n != open {
					t.Errorf("%d sessions, and there were %d", n, open)
				}
			})
		}
	}
}

// What is done goes on to its end though its browser has given up, and the same form waits for it.
func TestTheSecondPressWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	v := w.visitor()
	v.open("/recover")
	v.recovers(anna)
	v.want("/recover/password", http.StatusOK)
	held, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := held.Exec(t.Context(), `SELECT FROM identity WHERE person_id = $1 FOR UPDATE`, person); err != nil {
		t.Fatal(err)
	}
	form := url.Values{"new_password": {another}, "new_password_again": {another}}
	ctx, giveUp := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, v.at.String(), strings.NewReader(form.Encode()))
		if err == nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			_, err = (&http.Client{Jar: v.client.Jar}).Do(r)
		}
		first <- err
	}()
	until := func(what string, is func() bool) {
		t.Helper()
		for till := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
			if time.Now().After(till) {
				t.Fatal(what)
			}
		}
	}
	waits := func() bool {
		return w.count(`pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == 1
	}
	until("the first act does not wait for its person", waits)
	giveUp()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	heard := w.calls.hear()
	second := make(chan struct{})
	go func() {
		defer close(second)
		v.do(http.MethodPost, v.at.String(), form)
	}()
	looks := 0
	until("the second press does not wait for the first", func() bool {
		for _, call := range heard() {
			if strings.HasPrefix(call, "set") && strings.Contains(call, ":outcome:") {
				looks++
			}
		}
		heard = w.calls.hear()
		return looks >= 4
	})
	if !waits() {
		t.Error("the first act was broken off")
	}
	if err := held.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-second
	v.want("/security", http.StatusOK)
	v.sees("The password has been changed")
	if got := w.events("password.recovered", person); len(got) != 1 {
		t.Errorf("the password was recovered %d times", len(got))
	}
}

// A form is not the same once its page was opened anew, though all that is in it is: what was undone meanwhile is done again.
func TestAFormOfAPageThatIsOpenedAnewIsAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	v := w.visitor()
	for range 2 {
		v.signIn(anna)
		v.open("/block")
		v.submit("decision", "block")
		v.want("/block/done", http.StatusOK)
		if got := w.state(person); got != "blocked:self" {
			t.Errorf("the identifier is %s", got)
		}
		if _, err := w.pool.Exec(t.Context(), `UPDATE identity SET state = 'active', block_reason = NULL WHERE person_id = $1`, person); err != nil {
			t.Fatal(err)
		}
		w.clock.turn(time.Hour)
	}
}
