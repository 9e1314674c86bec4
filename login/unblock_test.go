package login_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"asoba.example/login/identity"
	"asoba.example/login/register"
)

// unblocks goes as far as the page after the code.
func (v *visitor) unblocks(number string) {
	v.w.Helper()
	v.submit("identifier", number, "password", password)
	v.want("/unblock/code", http.StatusOK)
	v.sees("you can get access back here, a code has been sent")
	digits, _ := v.w.lastCode()
	v.submit("code", digits)
}

// Blocked by the link in a warning with one factor, the identifier comes back with two and a new password, and the person to whoever waits
// (resolution 792 ¶6, ¶7).
func TestABlockOfOnesOwnIsLifted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	link, _ := w.phones.last(t, identity.NoticeMessage, `/not-me/\w+$`)
	v := w.visitor()
	v.open(link)
	v.submit("decision", "block")
	v.want("/block/done", http.StatusOK)
	w.clock.turn(time.Minute)

	v.open("/authorize")
	v.open(v.link("Get access back"))
	v.submit("identifier", anna, "password", another)
	v.want("/unblock", http.StatusUnprocessableEntity)
	v.sees("does not match")
	v.unblocks(anna)
	v.want("/unblock/password", http.StatusOK)
	v.submit("new_password", password, "new_password_again", password)
	v.want("/unblock/password", http.StatusUnprocessableEntity)
	v.sees("your present password")
	v.submit("new_password", another, "new_password_again", another)
	v.want("/authorize", http.StatusOK)
	if got := w.state(person); got != "active" {
		t.Errorf("the identifier is %s", got)
	}
	v.open("/security")
	v.want("/security", http.StatusOK)
}

// The population register is asked before a block of one's own is lifted and before another phone is asked for: for the dead nobody does it,
// even where that could not be taken in. Where it is away, that stands in nobody's way.
func TestTheRegisterIsAskedBeforeGraveActs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	v := w.visitor()
	v.signInFor("/security/phone", anna)
	w.refresh = func(context.Context, identity.Identifier) error {
		return fmt.Errorf("import under way: %w", register.ErrGone)
	}
	v.submit("phone", "8 029 491-19-77")
	v.want("/security/phone", http.StatusConflict)
	v.sees("cannot be changed here now")
	w.refresh = func(context.Context, identity.Identifier) error { return errors.New("away") }
	v.submit("phone", "8 029 491-19-77")
	v.sees("new number that ends in 77")

	if err := w.registry.Block(t.Context(), person, identity.Self, identity.Act{At: w.clock.now()}); err != nil {
		t.Fatal(err)
	}
	w.clock.turn(time.Minute)
	dead := w.visitor()
	dead.open("/unblock")
	dead.unblocks(anna)
	w.refresh = func(context.Context, identity.Identifier) error {
		return fmt.Errorf("import under way: %w", register.ErrGone)
	}
	dead.submit("new_password", another, "new_password_again", another)
	dead.want("/unblock", http.StatusOK)
	if got := w.state(person); got != "blocked:self" {
		t.Errorf("called dead, and the identifier is %s", got)
	}
	dead.unblocks(anna)
	w.refresh = func(ctx context.Context, id identity.Identifier) error {
		_, err := w.pool.Exec(ctx, `UPDATE person SET death_date = '2026-05-01' WHERE identification_number = $1`, id.Reveal())
		return err
	}
	dead.submit("new_password", another, "new_password_again", another)
	if got := w.state(person); got != "blocked:self" {
		t.Errorf("the identifier is %s", got)
	}
}

// A block that somebody else has set is not lifted here, and the answer is that to a wrong password. Whoever is not blocked is signed in.
func TestOnlyABlockOfOnesOwnIsLifted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor()
	for n, reason := range []identity.BlockReason{identity.Desk, identity.Security} {
		number := []string{boris, vera}[n]
		if err := w.registry.Block(t.Context(), w.active(number, []string{"+375291111111", "+375331234567"}[n]), reason, identity.Act{At: w.clock.now()}); err != nil {
			t.Fatal(err)
		}
		v.open("/unblock")
		v.submit("identifier", number, "password", password)
		v.want("/unblock", http.StatusUnprocessableEntity)
		v.sees("does not match", "Take your identity document")
	}
	w.active(anna, "+375294911911")
	v.open("/unblock")
	v.unblocks(anna)
	v.want("/security", http.StatusOK)
	v.sees("code by SMS")
}

// Who has bound a factor unblocks by it as well. Tries that fail after the password close the way for a day; the desk helps then. Who does not know
// the password closes nothing.
func TestAnUnblockNeedsTheFactorThatIsBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	_, phone := w.bound(anna)
	if err := w.registry.Block(t.Context(), person, identity.Self, identity.Act{At: w.clock.now()}); err != nil {
		t.Fatal(err)
	}
	stranger := w.visitor()
	stranger.open("/unblock")
	for range 3 {
		w.clock.turn(time.Hour)
		stranger.submit("identifier", anna, "password", another)
		stranger.want("/unblock", http.StatusUnprocessableEntity)
	}
	w.clock.turn(time.Hour)
	v := w.visitor()
	v.open("/unblock")
	v.unblocks(anna)
	v.want("/unblock/proof", http.StatusOK)
	v.sees("access is not given back without it")
	form := *v
	v.submit("passkey", "[]")
	v.want("/unblock/proof", http.StatusUnprocessableEntity)
	*v = form
	v.submit("passkey", "{}")
	v.want("/unblock/proof", http.StatusUnprocessableEntity)
	v.use(phone)
	v.want("/unblock/password", http.StatusOK)
	if n := w.count(`identity WHERE person_id = $1 AND unblock_failures = 2`, person); n != 1 {
		t.Error("the wrong answers are not counted")
	}
	if _, err := w.pool.Exec(t.Context(), `UPDATE identity SET unblock_failures = 5, unblock_failed_at = $2 WHERE person_id = $1`, person, w.clock.now()); err != nil {
		t.Fatal(err)
	}
	v.submit("new_password", another, "new_password_again", another)
	v.want("/unblock/desk", http.StatusOK)
	v.sees("for a while", "identity document")
	v.open("/unblock")
	v.unblocks(anna)
	v.want("/unblock/desk", http.StatusOK) // at once, and not after another password
	if got := w.state(person); got != "blocked:self" {
		t.Errorf("the identifier is %s", got)
	}
}

// Whoever has learnt the password shuts nobody out by it: he may use up the codes of his network and fail until the way is closed, and the owner's own
// browser goes on, at once; and after a day every other one.
func TestWhoKnowsThePasswordClosesNobodysWayBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	home := w.visitor()
	home.signIn(anna)
	home.submit()
	blocks := func() {
		t.Helper()
		if err := w.registry.Block(t.Context(), person, identity.Self, identity.Act{At: w.clock.now()}); err != nil {
			t.Fatal(err)
		}
		w.clock.turn(time.Minute)
	}
	fails := func() {
		t.Helper()
		thief := w.visitor()
		thief.from = "192.0.2.1"
		for range 2 {
			thief.open("/unblock")
			thief.submit("identifier", anna, "password", password)
			thief.want("/unblock/code", http.StatusOK)
			digits, _ := w.lastCode()
			for range 5 {
				thief.submit("code", wrong(digits))
			}
			w.clock.turn(2 * time.Minute)
		}
	}
	blocks()
	fails()
	other := w.visitor()
	other.open("/unblock")
	other.unblocks(anna)
	other.want("/unblock/desk", http.StatusOK)
	fails() // that prolongs nothing
	w.clock.turn(24*time.Hour - 8*time.Minute)
	other.open("/unblock")
	other.unblocks(anna)
	other.want("/unblock/password", http.StatusOK)
	fails()
	home.open("/unblock")
	home.unblocks(anna)
	home.submit("new_password", another, "new_password_again", another)
	home.want("/security", http.StatusOK)
}
