package login_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Whoever has stolen the cookies of a session that has just begun binds nothing by them and changes no phone: each such page asks for a sign-in
// of its own, and no other stands for it (OWASP ASVS 5.0 7.5.1).
func TestAStolenSessionBindsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	v := w.visitor()
	v.signIn(anna)
	thief := *v
	for _, path := range []string{"/security/authenticator", "/security/passkeys", "/security/recovery-codes", "/security/phone"} {
		for _, send := range []func(){func() { thief.open(path) }, func() {
			thief.at.Path, thief.at.RawQuery = path, ""
			thief.send("decision", "make", "phone", "+375294911999", "code", "000000", "passkey", "{}")
		}} {
			send()
			thief.want("/sign-in", http.StatusOK)
		}
	}
	// Nor does the owner's own sign-in for such a page help him: it belongs to that page.
	v.signInFor("/security/authenticator", anna)
	a := v.takes()
	thief.open("/security/authenticator")
	thief.want("/sign-in", http.StatusOK)
	thief.open("/security/authenticator?interaction=" + "A" + v.at.Query().Get("interaction")[1:])
	thief.want("/sign-in", http.StatusOK)
	if n := w.count(`event WHERE kind IN ('authenticator.added', 'recovery_codes.made', 'phone_change.asked')`); n != 0 {
		t.Errorf("%d things were done", n)
	}
	// The pages that one sign-in leads to are one errand of the owner's; and it is over when its time is, or the person was acted upon.
	v.submit("code", a.shows())
	v.want("/security/factors", http.StatusOK)
	v.open("/security/phone?" + v.at.RawQuery)
	v.want("/sign-in", http.StatusOK) // there is something stronger now
	w.clock.turn(time.Minute)
	v.submit("identifier", anna, "password", password)
	v.submit("code", a.shows())
	v.want("/security/phone", http.StatusOK)
	page := v.at.RequestURI()
	v.open("/security/recovery-codes?" + v.at.RawQuery)
	v.want("/security/recovery-codes", http.StatusOK)
	if _, err := w.pool.Exec(t.Context(), `UPDATE identity SET changed_at = $2 WHERE person_id = $1`, person, w.clock.now()); err != nil {
		t.Fatal(err)
	}
	v.open(page)
	v.want("/sign-in", http.StatusOK)
}

// Nor does he by the cookies of a session that was begun by the app and a sign-in of his own by the password alone, at a browser whose cookie
// he has as well: what a page asks for is proved by one sign-in, and not put together out of two.
func TestTwoSignInsDoNotMakeAStrongerOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v, a := w.withApp(anna)
	v.open("/authorize?acr_values=substantial")
	v.submit("identifier", anna, "password", password)
	v.submit("code", a.shows())
	v.sees("authorize goes on")
	site, err := url.Parse(w.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	stolen := func(name string) (found []*http.Cookie) {
		for _, c := range v.client.Jar.Cookies(site) {
			if c.Name == name {
				found = append(found, c)
			}
		}
		return found
	}
	thief := w.visitor()
	thief.client.Jar.SetCookies(site, stolen("idp_browser"))
	thief.open("/authorize")
	interaction := "?" + thief.at.RawQuery
	thief.submit("identifier", anna, "password", password)
	thief.sees("authorize goes on")
	thief.client.Jar.SetCookies(site, stolen("idp_session"))
	for _, path := range []string{"/security/authenticator", "/security/passkeys", "/security/recovery-codes", "/security/phone"} {
		thief.open(path + interaction)
		thief.want("/sign-in", http.StatusOK)
	}
}

// A proof goes with the session that it began: after it was signed out, nobody who comes by less finds a page of it open, nor the number typed then.
func TestSigningOutEndsAProof(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v, a := w.withApp(anna)
	w.clock.turn(time.Minute)
	v.open("/security/recovery-codes")
	v.submit("identifier", anna, "password", password)
	v.submit("code", a.shows())
	v.want("/security/recovery-codes", http.StatusOK)
	page := v.at.RequestURI()
	v.open("/sign-out")
	v.submit()
	v.open(strings.Replace(page, "/security/recovery-codes", "/sign-in", 1))
	if strings.Contains(v.body, `value="`+anna) {
		t.Error("the number stands on the page of a sign-in that is over")
	}
	v.open("/authorize")
	v.submit("identifier", anna, "password", password) // at a known browser
	v.sees("authorize goes on")
	v.open(page)
	v.want("/sign-in", http.StatusOK)
}

// Who has stolen a session and learnt the password makes no browser known by changing it.
func TestAChangeOfThePasswordMakesNoBrowserKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v := w.visitor()
	v.signIn(anna)
	site, err := url.Parse(w.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	thief := w.visitor()
	for _, c := range v.client.Jar.Cookies(site) {
		if c.Name == "idp_session" {
			thief.client.Jar.SetCookies(site, []*http.Cookie{c})
		}
	}
	thief.open("/security/password")
	thief.want("/security/password", http.StatusOK)
	thief.submit("password", password, "new_password", another, "new_password_again", another)
	thief.want("/sign-in", http.StatusOK)
	thief.submit("identifier", anna, "password", another)
	thief.want("/sign-in/code", http.StatusOK)
}
