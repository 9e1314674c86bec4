package login_test

import (
	"net/http"
	"testing"
	"time"
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
	v.submit("identifier", anna, "password", password)
	digits, _ = w.lastCode()
	v.submit("code", digits)
	v.sees("authorize goes on")
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
