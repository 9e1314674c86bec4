package login_test

import (
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/factor/factortest"
	"asoba.example/login/identity"
)

// What was proved waits an hour, and a service's request a day. Whoever comes later begins with the password: the page says so and has kept the
// number, and behind it the service waits as ever.
func TestWhoTakesTooLongBeginsAgainForTheSameService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v := w.visitor()
	v.open("/authorize")
	v.submit("identifier", anna, "password", password)
	v.want("/sign-in/code", http.StatusOK)
	digits, _ := w.lastCode()
	for _, key := range w.keys("sign_in:*") { // as Redis does after that hour
		if err := w.redis.Del(t.Context(), key).Err(); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.turn(time.Hour)
	v.submit("code", digits)
	v.want("/sign-in", http.StatusOK)
	v.sees(`value="`+anna+`"`, "could not wait for longer", "Portal")
	v.submit("identifier", anna, "password", "not the password")
	if v.want("/sign-in", http.StatusUnprocessableEntity); strings.Contains(v.body, "could not wait") {
		t.Error("what is refused is also said to have waited too long")
	}
	v.submit("identifier", anna, "password", password)
	digits, _ = w.lastCode()
	v.submit("code", digits)
	v.sees("authorize goes on")
}

// Whose browser keeps no cookies is told what they would need, and not that they are late.
func TestWhoseBrowserKeepsNoCookies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/authorize", "/sign-in", "/security", "/recover", "/block", "/unblock"} {
		v := w.visitor()
		v.client.Jar = nil
		v.open(path)
		for range 2 {
			if v.status != http.StatusGone {
				t.Errorf("%s is answered with %d", path, v.status)
			}
			v.sees("allow cookies")
			v.do(http.MethodPost, v.at.String(), url.Values{"identifier": {anna}, "password": {password}})
		}
	}
}

// So does whoever takes too long on an errand, or whose Redis has lost all: it begins again with the number that was typed, and says so.
func TestAnErrandThatTakesTooLongBeginsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	for _, errand := range []string{"/recover", "/block", "/unblock"} {
		for _, of := range []struct{ number, lost string }{{anna, "errand:*"}, {nobody, "errand:*"}, {anna, "*"}} {
			if errand == "/unblock" && of.number == nobody {
				continue // nobody comes so far
			}
			f := &wayfarer{visitor: w.visitor(), password: password}
			f.open("/authorize")
			f.open(errand + "?" + f.at.RawQuery)
			begins := f.at.RequestURI()
			f.submit("identifier", of.number, "password", password, "document_number", document(anna), "decision", "code")
			f.want(errand+"/code", http.StatusOK)
			for _, key := range w.keys("interaction:*") { // it waits there sealed
				if kept := w.redis.Get(t.Context(), key).Val(); kept == "" || strings.Contains(kept, of.number) {
					t.Errorf("%s: Redis has %q", errand, kept)
				}
			}
			form := *f.visitor
			f.open(begins) // to correct a slip of the hand
			f.sees(`value="` + of.number + `"`)
			if strings.Contains(f.body, "could not wait") {
				t.Errorf("%s: who goes Back is told that he must begin again", errand)
			}
			for _, key := range w.keys(of.lost) {
				if err := w.redis.Del(t.Context(), key).Err(); err != nil {
					t.Fatal(err)
				}
			}
			*f.visitor = form
			f.submit("code", "000000", "identifier", f.hidden("identifier"))
			f.want(errand, http.StatusOK)
			f.sees(`value="`+of.number+`"`, "could not wait for longer")
			w.clock.turn(24 * time.Hour)
		}
	}
}

// Nor does who came by hand end on a dead page, whose sign-in or errand is over or lost: it begins anew, with the number that was typed.
func TestWhoCameByHandBeginsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	for _, first := range []string{"/sign-in", "/recover", "/block", "/unblock"} {
		v := w.visitor()
		if first != "/sign-in" { // where the way back to it is told
			v.open("/authorize") // and left
		}
		v.open(first)
		if err := w.redis.FlushDB(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		form := []string{"identifier", anna, "password", password, "document_number", document(anna), "decision", "code"}
		v.submit(form...)
		v.want(first, http.StatusOK)
		v.sees(`value="`+anna+`"`, "could not wait for longer")
		v.submit("identifier", anna, "password", another, "document_number", "", "decision", "code")
		refused := v.at.RequestURI()
		if err := w.redis.FlushDB(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		v.open(refused)
		v.want(first, http.StatusOK)
		v.sees("could not wait for longer")
		v.submit(form...)
		v.want(first+"/code", http.StatusOK)
		if err := w.redis.FlushDB(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		later, code := *v, v.at.RequestURI()
		if first == "/sign-in" {
			v.submit("code", "000000")
		} else {
			v.submit("code", "000000", "identifier", v.hidden("identifier"))
			v.sees(`value="` + anna + `"`)
		}
		v.want(first, http.StatusOK)
		v.sees("could not wait for longer")
		later.open(code)
		later.want(first, http.StatusOK)
	}

	v := w.visitor()
	v.signIn(anna)
	v.open("/block")
	if err := w.redis.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	v.submit("decision", "block")
	v.want("/block", http.StatusOK)
	v.sees("could not wait for longer")
}

// Whoever adds factors at the first sign-in may take his time about it: the page asks for another sign-in, and the service still waits behind it.
func TestAServiceWaitsWhileFactorsAreAdded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, temporary := w.issued(anna, "+375294911911")
	v := w.visitor()
	v.open("/authorize")
	v.submit("identifier", anna, "password", temporary)
	v.submit("new_password", password, "new_password_again", password, "decision", "factors")
	digits, _ := w.lastCode()
	v.submit("code", digits)
	v.want("/security/factors", http.StatusOK)
	for _, page := range []string{"Add a passkey", "Add an app"} {
		w.clock.turn(11 * time.Minute)
		v.open(v.link(page))
		v.want("/sign-in", http.StatusOK)
		v.submit("identifier", anna, "password", password)
		digits, _ = w.lastCode()
		v.submit("code", digits)
		v.open(v.link("Back"))
		v.want("/security/factors", http.StatusOK)
	}
	v.open(v.link("Go on"))
	v.sees("authorize goes on")
}

// Nobody ends on a dead page, and the client's request is never lost: of each page the form may be looked at again, sent twice from two tabs, or
// sent after half an hour, when all that was proved and the session have been forgotten. Whoever goes on with the right answers comes to
// where they were going.
func TestFormsSurvive(t *testing.T) {
	t.Parallel()
	for page, story := range map[string]struct {
		from   string          // the first page of the way there
		before func(*wayfarer) // how the person stands
		ends   []string        // what one of the last pages says
	}{
		"/sign-in":                 {from: "/sign-in", ends: []string{"authorize goes on"}},
		"/sign-in/code":            {from: "/sign-in", ends: []string{"authorize goes on"}},
		"/sign-in/authenticator":   {from: "/sign-in", before: (*wayfarer).takesApp, ends: []string{"authorize goes on"}},
		"/sign-in/password":        {from: "/sign-in", before: (*wayfarer).isNew, ends: []string{"authorize goes on"}},
		"/recover":                 {from: "/recover", ends: []string{"authorize goes on"}},
		"/recover/code":            {from: "/recover", ends: []string{"authorize goes on"}},
		"/recover/proof":           {from: "/recover", before: (*wayfarer).takesApp, ends: []string{"authorize goes on"}},
		"/recover/password":        {from: "/recover", ends: []string{"authorize goes on"}},
		"/block":                   {from: "/block", ends: []string{"The identifier is blocked"}},
		"/block/code":              {from: "/block", ends: []string{"The identifier is blocked"}},
		"/unblock":                 {from: "/unblock", before: (*wayfarer).isBlocked, ends: []string{"authorize goes on"}},
		"/unblock/code":            {from: "/unblock", before: (*wayfarer).isBlocked, ends: []string{"authorize goes on"}},
		"/unblock/proof":           {from: "/unblock", before: (*wayfarer).isBlockedWithApp, ends: []string{"authorize goes on"}},
		"/unblock/password":        {from: "/unblock", before: (*wayfarer).isBlocked, ends: []string{"authorize goes on"}},
		"/security/password":       {ends: []string{"The password has been changed"}},
		"/security/phone":          {ends: []string{"Cancel the change"}},
		"/security/authenticator":  {ends: []string{"You have an authenticator app", "Remove the app"}},
		"/security/passkeys":       {ends: []string{"You have 1 passkey", `name="passkey_id"`}},
		"/security/recovery-codes": {ends: []string{"These are your recovery codes"}},
		"/security/sessions":       {ends: []string{"Done"}},
		"/security/factors":        {ends: []string{"Add a passkey"}},
		"/security/history":        {ends: []string{"If something here was not you"}},
		"/not-me":                  {before: (*wayfarer).isWarned, ends: []string{"The identifier is blocked"}},
	} {
		for mishap, befalls := range map[string]func(f *wayfarer, there func() bool){
			"sent twice":   (*wayfarer).sendsTwice,
			"half an hour": (*wayfarer).isAway,
		} {
			t.Run(mishap+" "+page, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				f := &wayfarer{visitor: w.visitor(), password: password}
				if story.before == nil {
					story.before = (*wayfarer).isActive
				}
				story.before(f)
				from, page := page, page
				if f.warning != "" {
					from, page = f.warning, f.warning
				}
				if story.from != "" {
					f.open("/authorize")
					from = story.from + "?" + f.at.RawQuery
				}
				f.open(from)
				f.goes(func() bool { return f.at.Path == page })
				f.open(f.at.RequestURI())
				f.want(page, http.StatusOK)
				there := func() bool {
					return slices.ContainsFunc(story.ends, func(says string) bool { return strings.Contains(f.body, says) })
				}
				befalls(f, there)
				f.goes(there)
			})
		}
	}
}

// A wayfarer answers every page rightly.
type wayfarer struct {
	*visitor
	password string
	app      *app
	device   *factortest.Device
	sent     []string // last
	warning  string   // the address of the link in it
	person   uuid.UUID
}

func (f *wayfarer) isActive() { f.person = f.w.active(anna, "+375294911911") }

func (f *wayfarer) isWarned() {
	f.isActive()
	f.warning, _ = f.w.phones.last(f.w.T, identity.NoticeMessage, `/not-me/\w+$`)
}

func (f *wayfarer) isNew() { f.person, f.password = f.w.issued(anna, "+375294911911") }

func (f *wayfarer) takesApp() {
	f.isActive()
	_, a := f.w.withApp(anna)
	f.app = &a
}

func (f *wayfarer) isBlocked() {
	f.w.Helper()
	if f.person == uuid.Nil {
		f.isActive()
	}
	if err := f.w.registry.Block(f.w.Context(), f.person, identity.Self, identity.Act{At: f.w.clock.now()}); err != nil {
		f.w.Fatal(err)
	}
	f.w.clock.turn(time.Minute)
}

func (f *wayfarer) isBlockedWithApp() {
	f.takesApp()
	f.isBlocked()
}

// goes answers pages until it has come somewhere. Each of them leads on.
func (f *wayfarer) goes(there func() bool) {
	f.w.Helper()
	for range 12 {
		if there() {
			return
		}
		f.leadsOn()
		f.answers()
	}
	f.w.Fatalf("it ends at %s with %d\n%s", f.at.Path, f.status, f.body)
}

// leadsOn fails at a dead page.
func (f *wayfarer) leadsOn() {
	f.w.Helper()
	_, page, _ := strings.Cut(f.body, "<main")
	dead := !strings.Contains(page, "<form") && !strings.Contains(page, "href=") && f.at.Path != "/authorize"
	if dead || f.status == http.StatusGone || f.status >= http.StatusInternalServerError || f.status == http.StatusNotFound {
		f.w.Fatalf("%s with %d leads nowhere\n%s", f.at.Path, f.status, f.body)
	}
}

// answers sends what the page asks for.
func (f *wayfarer) answers() {
	f.w.Helper()
	w, page := f.w, f.at.Path
	w.clock.turn(time.Minute) // no code of an app is good twice, and others may be sent
	switch {
	case page == f.warning:
		f.send("decision", "block")
	case page == "/security/factors", page == "/security/history": // there is only to look
		f.sent = nil
		f.open(f.at.RequestURI())
	case page == "/security/authenticator":
		f.send("code", f.appOfPage().shows())
	case page == "/security/passkeys":
		device := w.device()
		if f.send("passkey", device.Make(html.UnescapeString(f.asked("invite")))); f.at.Path == "/security/factors" {
			f.device = device
		}
	case f.device != nil:
		f.use(f.device)
	case page == "/security/recovery-codes":
		f.send("replaced", f.hidden("replaced"))
	case page == "/security/sessions":
		f.send("decision", "end_others")
	case strings.HasSuffix(page, "/authenticator"), strings.HasSuffix(page, "/proof") && f.app != nil:
		shown := f.app.shows()
		f.send("code", shown, "own_code", shown)
	case strings.HasSuffix(page, "/proof"):
		f.send("document_number", document(anna))
	case strings.HasSuffix(page, "/password"):
		fresh := other(f.password)
		f.send("password", f.password, "new_password", fresh, "new_password_again", fresh)
		if f.at.Path == "/security" || f.at.Path == "/authorize" {
			f.password = fresh
		}
	case page == "/security/phone" && !strings.Contains(f.body, `name="code"`):
		f.send("phone", "+375294911977")
	case strings.Contains(f.body, `name="code"`):
		if strings.Contains(f.body, "no good code") || strings.Contains(f.body, "no longer good") {
			f.send("decision", "again")
		}
		digits, _ := w.lastCode()
		f.send("code", digits)
	case page == "/block":
		f.send("identifier", anna, "decision", "code")
	default:
		f.send("identifier", anna, "password", f.password, "document_number", document(anna))
	}
}

// appOfPage is the app that takes over the page's key.
func (f *wayfarer) appOfPage() app {
	a := f.takes()
	f.app = &a
	return a
}

// sendsTwice sends the form from two tabs, and goes on in the second, unless all is done by the first.
func (f *wayfarer) sendsTwice(there func() bool) {
	f.w.Helper()
	tab := *f.visitor
	f.answers()
	done := *f.visitor
	ended := there()
	if f.sent != nil {
		tab.send(f.sent...)
	}
	*f.visitor = tab
	f.leadsOn()
	if ended {
		*f.visitor = done
	}
}

func (f *wayfarer) send(fields ...string) {
	f.w.Helper()
	f.sent = fields
	f.visitor.send(fields...)
}

// isAway comes back when all that was proved has been forgotten, and sends the form.
func (f *wayfarer) isAway(func() bool) {
	f.w.Helper()
	f.w.clock.turn(30 * time.Minute)
	for _, of := range []string{"session:*", "sign_in:*", "errand:*"} {
		for _, key := range f.w.keys(of) {
			if err := f.w.redis.Del(f.w.Context(), key).Err(); err != nil {
				f.w.Fatal(err)
			}
		}
	}
	f.answers()
}
