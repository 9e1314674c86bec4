package login_test

import (
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/factor/factortest"
	"asoba.example/login/identity"
	"asoba.example/migrations/pgtest"
)

// device is a new one, before the pages of these tests.
func (w *world) device() *factortest.Device {
	return factortest.New(w, "http://idp.example", "idp.example")
}

// use answers what the page asks by a passkey.
func (v *visitor) use(d *factortest.Device) {
	v.w.Helper()
	v.submit("passkey", d.Use(html.UnescapeString(v.asked("ask"))))
}

// adds makes a passkey on the page that invites to.
func (v *visitor) adds(d *factortest.Device, name string) {
	v.w.Helper()
	v.send("passkey_name", name, "passkey", d.Make(html.UnescapeString(v.asked("invite"))))
}

// send posts to the page's own address, whichever form it is of.
func (v *visitor) send(fields ...string) {
	v.w.Helper()
	v.body = fmt.Sprintf(`<form action=%q></form>`, v.at.RequestURI())
	v.submit(fields...)
}

// bound is a device with a passkey of somebody's, which they have added by password and code.
func (w *world) bound(number string) (*visitor, *factortest.Device) {
	w.Helper()
	v, d := w.visitor(), w.device()
	v.signInFor("/security/passkeys", number)
	v.adds(d, "")
	v.want("/security/factors", http.StatusOK)
	return v, d
}

// From the first passkey to the last one: added, used without anything typed, asked for where it is to be removed.
func TestPasskeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	v, phone := w.bound(anna)
	v.sees("You have 1 passkey")

	v.open("/security")
	v.sees("code by SMS")
	v.submit()
	v.open("/security")
	v.use(phone)
	v.want("/security", http.StatusOK)
	v.sees("with a passkey")
	if got, want := w.events("signed_in", person), []string{"substantial" + ofFirefox, "substantial" + ofFirefox}; !slices.Equal(got, want) {
		t.Errorf("recorded sign-ins: %q, want %q", got, want)
	}
	if n := w.count(`event WHERE kind = 'signed_in' AND detail->>'by' = 'passkey'`); n != 1 {
		t.Errorf("%d sign-ins by passkey are recorded, want 1", n)
	}

	v.open("/security/passkeys")
	v.use(phone)
	v.sees("Firefox, Linux", "Last used 12 May 2026")
	v.adds(w.device(), "  Security   key ")
	v.open(v.link("Add or remove passkeys"))
	v.sees("Security key")
	for range 2 {
		v.submit("decision", "remove", "passkey_id", v.hidden("passkey_id"))
		v.want("/security/passkeys", http.StatusOK)
	}
	if strings.Contains(v.body, "passkey_id") {
		t.Errorf("passkeys are left\n%s", v.body)
	}
	notices := map[string]int{}
	for _, m := range w.phones.sent {
		for _, what := range []string{"passkey was added", "passkey was removed"} {
			if m.Kind == identity.NoticeMessage && strings.Contains(m.Text, what) {
				notices[what]++
			}
		}
	}
	if notices["passkey was added"] != 2 || notices["passkey was removed"] != 2 {
		t.Errorf("the phone was told %v", notices)
	}
	v.open("/sign-out")
	v.open("/security")
	v.submit()
	v.open("/security")
	v.use(phone)
	v.want("/sign-in", http.StatusUnprocessableEntity)
}

// hidden is the value of a hidden field.
func (v *visitor) hidden(name string) string {
	v.w.Helper()
	_, rest, ok := strings.Cut(v.body, `name="`+name+`" value="`)
	if !ok {
		v.w.Fatalf("no field %s\n%s", name, v.body)
	}
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// Factors are bound and given up by the strongest that there is: by password and code while there is no passkey, by a passkey from then on
// (OWASP ASVS 5.0 6.4.4, 7.5.1), and always by a fresh sign-in.
func TestTheStrongestFactorLooksAfterPasskeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v := w.visitor()
	v.signIn(anna)
	v.submit()
	v.open("/security")
	v.submit("identifier", anna, "password", password) // at a known browser, so of the lower level
	v.want("/security", http.StatusOK)
	v.open("/security/passkeys")
	v.want("/sign-in", http.StatusOK)
	v.sees("the strongest way")
	v.submit("identifier", anna, "password", password)
	v.want("/sign-in/code", http.StatusOK)
	digits, _ := w.lastCode()
	v.submit("code", digits)
	phone := w.device()
	v.adds(phone, "")

	// The password and a code are enough no more, to add or to remove: they are less than what is bound.
	for _, fields := range [][]string{nil, {"decision", "remove", "passkey_id", uuid.NewString()}, {"passkey", "{}"}} {
		v.open("/security")
		if fields == nil {
			v.open("/security/passkeys")
		} else {
			v.at.Path = "/security/passkeys"
			v.send(fields...)
		}
		v.want("/sign-in", http.StatusOK)
	}
	v.use(phone)
	v.want("/security/passkeys", http.StatusOK)
	w.clock.turn(11 * time.Minute)
	v.open(v.at.RequestURI())
	v.want("/sign-in", http.StatusOK)
}

// Where a code would be asked, who has a passkey is offered it first, and no message is spent; the code goes on being there.
func TestAPasskeyIsOfferedBeforeTheCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	w.active(boris, "+375294911912")
	own, phone := w.bound(anna)
	_, others := w.bound(boris)
	_, before := w.lastCode()

	own.open("/authorize?acr_values=substantial") // a step up in place
	own.submit("identifier", anna, "password", password)
	own.want("/sign-in/code", http.StatusOK)
	own.sees("You have a passkey")
	own.use(others)
	own.want("/sign-in/code", http.StatusUnprocessableEntity)
	own.sees("did not work here")
	own.use(phone)
	own.sees("authorize goes on")

	stranger := w.visitor()
	stranger.open("/authorize")
	stranger.submit("identifier", anna, "password", password)
	stranger.want("/sign-in/code", http.StatusOK)
	if _, n := w.lastCode(); n != before {
		t.Errorf("%d codes were sent, want none", n-before)
	}
	stranger.send("decision", "again")
	digits, n := w.lastCode()
	if n != before+1 {
		t.Errorf("%d codes were sent, want 1", n-before)
	}
	stranger.send("code", digits)
	stranger.sees("authorize goes on")
}

// A sign-in tells of a passkey that fails no more than of any other: unknown, of a blocked person, answered twice, not by us.
func TestPasskeysAreRefusedAlike(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	blocked := w.active(boris, "+375294911912")
	_, phone := w.bound(anna)
	_, others := w.bound(boris)
	if err := w.registry.Block(t.Context(), blocked, identity.Security, identity.Act{At: w.clock.now()}); err != nil {
		t.Fatal(err)
	}
	v := w.visitor()
	v.open("/authorize")
	form := *v
	spent := phone.Use(html.UnescapeString(v.asked("ask")))
	other := w.visitor()
	other.open("/authorize")
	var first string
	for name, answer := range map[string]func() string{
		"unknown":               func() string { return w.device().Use(html.UnescapeString(v.asked("ask"))) },
		"of a blocked person":   func() string { return others.Use(html.UnescapeString(v.asked("ask"))) },
		"of another occasion":   func() string { return phone.Use(html.UnescapeString(other.asked("ask"))) },
		"not an answer at all":  func() string { return "{" },
		"of an unverified user": func() string { d := *phone; d.Absent = true; return d.Use(html.UnescapeString(v.asked("ask"))) },
	} {
		*v = form
		v.open(form.at.RequestURI())
		v.submit("passkey", answer())
		v.want("/sign-in", http.StatusUnprocessableEntity)
		body := strings.Replace(v.body, v.asked("ask"), "", 1)
		if first == "" {
			first = body
		}
		if body != first {
			t.Errorf("%s: the page differs\n%s", name, body)
		}
	}
	if got := w.count(`event WHERE kind = 'sign_in.refused' AND detail->>'why' = 'passkey'`); got != 5 {
		t.Errorf("%d refusals recorded, want 5", got)
	}
	*v = form
	v.submit("passkey", spent)
	v.sees("authorize goes on")
	*v = form
	v.submit("passkey", spent)
	v.want("/sign-in", http.StatusUnprocessableEntity)
}

// The page of the sign-in waits for its person as long as the service does, and takes a passkey as long.
func TestAPasskeySignsInFromAPageThatWaited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	_, phone := w.bound(anna)
	v := w.visitor()
	v.open("/authorize")
	w.clock.turn(24*time.Hour - time.Second)
	v.use(phone)
	v.want("/authorize", http.StatusOK)
}

// What fails stops nobody at the network, whether they come with a passkey or a password, and fills no journal. What somebody gets wrong after their
// password is on record still.
func TestWrongPasskeysStopNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settled(map[string]string{"sign_in.network": "100 in 15m", "sign_in.wrong_passkeys": "10 in 15m"})
	person := w.active(anna, "+375294911911")
	_, phone := w.bound(anna)
	v, garbage := w.visitor(), w.visitor()
	v.open("/authorize")
	garbage.open("/authorize")
	form := *garbage
	for range 110 {
		*garbage = form
		garbage.submit("passkey", "{}")
		garbage.want("/sign-in", http.StatusUnprocessableEntity)
	}
	if n := w.count(`event WHERE kind = 'sign_in.refused'`); n != 10 {
		t.Errorf("%d are recorded, want 10", n)
	}
	form.use(phone)
	form.sees("authorize goes on")
	v.submit("identifier", anna, "password", password)
	v.want("/sign-in/code", http.StatusOK)
	v.submit("passkey", "{}")
	v.want("/sign-in/code", http.StatusUnprocessableEntity)
	if n := len(w.events("sign_in.refused", person)); n != 1 {
		t.Errorf("%d of hers are recorded, want 1", n)
	}
}

// Who makes a passkey at the first sign-in is asked for the code, so that it rests on two factors; and goes on to whoever waited, with or
// without it. Nobody is asked twice.
func TestAPasskeyIsOfferedAtTheFirstSignIn(t *testing.T) {
	t.Parallel()
	for name, add := range map[string]bool{"added": true, "left for later": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, temporary := w.issued(anna, "+375294911911")
			v, phone := w.visitor(), w.device()
			v.open("/authorize")
			v.submit("identifier", anna, "password", temporary)
			v.sees("Save and make the sign-in safer")
			v.submit("new_password", password, "new_password_again", password, "decision", "factors")
			v.want("/sign-in/code", http.StatusOK)
			digits, _ := w.lastCode()
			v.submit("code", digits)
			v.want("/security/factors", http.StatusOK)
			if add {
				v.open(v.link("Add a passkey"))
				v.adds(phone, "")
				v.want("/security/factors", http.StatusOK)
			}
			v.open(v.link("Go on"))
			v.sees("authorize goes on")
			if got := w.count(`passkey`); got == 1 != add {
				t.Errorf("%d passkeys", got)
			}
		})
	}
}

// link is where a link leads.
func (v *visitor) link(text string) string {
	v.w.Helper()
	before, _, ok := strings.Cut(v.body, ">"+text)
	if !ok {
		v.w.Fatalf("no link %q\n%s", text, v.body)
	}
	address := before[strings.LastIndex(before, `href="`)+len(`href="`):]
	return html.UnescapeString(address[:strings.Index(address, `"`)])
}

// After an unblocking the person begins as at the issuance: the passkeys of before are gone with the first password.
func TestPasskeysDoNotSurviveAnUnblocking(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	_, phone := w.bound(anna)
	w.clock.turn(time.Minute)
	if err := w.registry.Block(t.Context(), person, identity.Desk, identity.Act{At: w.clock.now()}); err != nil {
		t.Fatal(err)
	}
	w.clock.turn(time.Minute)
	if err := w.registry.Unblock(t.Context(), person, identity.Phone{}, identity.Act{At: w.clock.now()}); err != nil {
		t.Fatal(err)
	}
	temporary, _ := w.phones.last(t, identity.TemporaryPasswordMessage, `\w{5}-\w{5}`)
	v := w.visitor()
	v.open("/authorize")
	v.use(phone)
	v.want("/sign-in", http.StatusUnprocessableEntity)
	w.clock.turn(time.Minute)
	v.submit("identifier", anna, "password", temporary)
	v.submit("new_password", another, "new_password_again", another)
	v.sees("authorize goes on")
	v.open("/authorize?acr_values=substantial")
	v.use(phone)
	v.want("/sign-in", http.StatusUnprocessableEntity)
	if n := w.count(`passkey`); n != 0 {
		t.Errorf("%d passkeys are left", n)
	}
}

// A passkey that is removed, or used elsewhere, while its answer is on the way begins no session; and no session begins without its record.
func TestASignInByPasskeyLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct{ verb, table string }{{"UPDATE", "passkey"}, {"INSERT", "event"}, {"INSERT", "known_browser"}} {
		t.Run(fault.verb+" "+fault.table, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.active(anna, "+375294911911")
			_, phone := w.bound(anna)
			v := w.visitor()
			v.open("/security")
			heal := pgtest.FailOn(t, w.pool, fault.verb, fault.table)
			v.use(phone)
			v.want("/sign-in", http.StatusInternalServerError)
			v.open("/security")
			v.want("/sign-in", http.StatusOK)
			heal()
			v.use(phone)
			v.want("/security", http.StatusOK)
		})
	}
}

// A passkey is renamed by its person, and by nobody else.
func TestAPasskeyIsRenamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	w.active(boris, "+375294911912")
	v, phone := w.bound(anna)
	other, others := w.bound(boris)
	v.open("/security/passkeys")
	v.want("/sign-in", http.StatusOK)
	v.use(phone)
	id := v.hidden("passkey_id")
	v.open(v.link("Rename"))
	for range 2 { // and after a reload
		v.want("/security/passkeys", http.StatusOK)
		v.sees("New name of the passkey", `value="Firefox, Linux"`)
		v.open(v.at.RequestURI())
	}
	long := strings.Repeat("ы", 65)
	v.send("decision", "rename", "passkey_id", id, "passkey_name", long)
	for _, language := range []string{"en", "be"} {
		v.open(v.at.RequestURI() + "&language=" + language)
		v.want("/security/passkeys", http.StatusUnprocessableEntity)
		v.sees(`lang="`+language+`"`, `value="`+long+`"`)
	}
	v.send("decision", "rename", "passkey_id", id, "passkey_name", "  Work   phone ")
	v.want("/security/passkeys", http.StatusOK)
	v.sees("Work phone")
	if v.at.Query().Has("rename") {
		t.Errorf("it is at %s still", v.at)
	}
	other.open("/security/passkeys")
	other.use(others)
	other.send("decision", "rename", "passkey_id", id, "passkey_name", "Mine")
	v.open(v.at.RequestURI())
	v.sees("Work phone")
	stranger := w.visitor()
	stranger.open("/authorize")
	stranger.use(phone) // it is the same passkey
	stranger.sees("authorize goes on")
}

// A passkey's name is the person's own, within reason.
func TestThePasskeysName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v, phone := w.visitor(), w.device()
	v.signInFor("/security/passkeys", anna)
	v.send("passkey_name", strings.Repeat("ы", 65), "passkey", "{}")
	v.want("/security/passkeys", http.StatusUnprocessableEntity)
	v.sees("64 characters")
	v.send("passkey_name", "x", "passkey", "{}")
	v.want("/security/passkeys", http.StatusUnprocessableEntity)
	v.sees("was not added")
	v.adds(phone, strings.Repeat("ы", 64))
	v.want("/security/factors", http.StatusOK)
}

// Who has no passkey is asked nothing more of: their sign-in takes as many questions to the database as ever.
func TestPasskeysCostOthersNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v := w.visitor()
	v.signIn(anna)
	v.submit()
	w.trips.Take()
	v.open("/authorize")
	if got := w.trips.Take(); got != 0 {
		t.Errorf("%d trips for the page, want none", got)
	}
	v.submit("identifier", anna, "password", password)
	if got, want := w.trips.Take(), 10; got != want {
		t.Errorf("%d trips for the sign-in, want %d", got, want)
	}
}
