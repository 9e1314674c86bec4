package login_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/identity"
)

// A temporary password after 72 hours, after its use, and with a wrong value: all refused, in the same words to the byte
// (resolution 792 ¶5; OWASP ASVS 5.0 6.3.8).
func TestATemporaryPasswordIsNoLongerGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	late, overdue := w.issued(anna, "+375294911911")
	w.clock.turn(72*time.Hour - time.Minute)
	used, spent := w.issued(boris, "+375294911912")
	guessed, value := w.issued(vera, "+375294911913")

	citizen := w.visitor()
	citizen.open("/security")
	citizen.submit("identifier", boris, "password", spent)
	citizen.submit("new_password", password, "new_password_again", password)
	citizen.want("/security", http.StatusOK)
	w.clock.turn(59 * time.Second)
	hasty := w.visitor() // a second before the end
	hasty.open("/security")
	hasty.submit("identifier", anna, "password", overdue)
	hasty.want("/sign-in/password", http.StatusOK)
	w.clock.turn(time.Second)

	stranger := w.visitor()
	stranger.open("/security")
	form, answers := *stranger, map[string]string{}
	for when, typed := range map[string]struct{ number, password string }{
		"after 72 hours":     {anna, overdue},
		"after its use":      {boris, spent},
		"with a wrong value": {vera, value[:10] + map[bool]string{true: "B", false: "A"}[value[10] == 'A']},
	} {
		*stranger = form
		stranger.submit("identifier", typed.number, "password", typed.password)
		stranger.want("/sign-in", http.StatusUnprocessableEntity)
		// But for what was typed, and for the challenge, which is good once.
		answers[strings.NewReplacer(`value="`+typed.number+`"`, "", stranger.asked("ask"), "").Replace(stranger.body)] += when + " "
	}
	if len(answers) != 1 {
		t.Errorf("%d different answers: %v", len(answers), answers)
	}

	// The page that the password had opened in time is not a way in any more either, and nobody's state has moved.
	hasty.submit("new_password", password, "new_password_again", password)
	hasty.want("/sign-in", http.StatusOK)
	for person, want := range map[uuid.UUID]identity.State{late: identity.Temporary, used: identity.Active, guessed: identity.Temporary} {
		if i, err := w.registry.Of(t.Context(), person); err != nil || i.State != want {
			t.Errorf("the state is %s, %v, want %s", i.State, err, want)
		}
	}
	if n := w.count(`event WHERE kind = 'sign_in.refused'`); n != 3 {
		t.Errorf("%d of 3 refusals are recorded", n)
	}
}

// An identifier that a desk has blocked cannot be unblocked by its citizen (resolution 792 ¶6): at no browser does anything
// that the citizen knows or has lead anywhere, and nothing is sent to the phone. The desk lifts the block.
func TestWhatADeskHasBlockedItsCitizenCannotUnblock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	home, elsewhere := w.visitor(), w.visitor()
	home.signIn(anna)
	w.clock.turn(time.Minute)
	at := func() identity.Act { return identity.Act{At: w.clock.now(), Clerk: uuid.New(), Office: "Minsk-1"} }
	if err := w.registry.Block(t.Context(), person, identity.Desk, at()); err != nil {
		t.Fatal(err)
	}
	_, codes := w.lastCode()
	for _, browser := range []*visitor{home, elsewhere} {
		for _, page := range []string{"/security", "/security/password"} {
			browser.open(page)
			browser.want("/sign-in", http.StatusOK)
		}
		browser.submit("identifier", anna, "password", password)
		browser.want("/sign-in", http.StatusUnprocessableEntity)
		browser.open("/unblock")
		browser.submit("identifier", anna, "password", password)
		browser.want("/unblock", http.StatusUnprocessableEntity)
		browser.open("/recover")
		browser.submit("identifier", anna, "document_number", document(anna)) // answered as for anybody
		browser.want("/recover/code", http.StatusOK)
	}
	if _, sent := w.lastCode(); sent != codes {
		t.Errorf("%d codes were sent to a blocked person", sent-codes)
	}
	blocked, err := w.registry.Of(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	for what, act := range map[string]func() error{
		"an unblocking": func() error {
			return w.registry.UnblockSelf(t.Context(), person, blocked.ChangedAt, false, another, identity.Act{At: w.clock.now()})
		},
		"a recovery": func() error {
			return w.registry.Recover(t.Context(), person, blocked.ChangedAt, another, identity.Act{At: w.clock.now()})
		},
		"a first sign-in": func() error {
			return w.registry.Activate(t.Context(), person, another, identity.Act{At: w.clock.now()})
		},
		"another password": func() error {
			return w.registry.ChangePassword(t.Context(), person, password, another, identity.Act{At: w.clock.now()})
		},
		"a block of one's own": func() error {
			return w.registry.Block(t.Context(), person, identity.Self, identity.Act{At: w.clock.now()})
		},
	} {
		if err := act(); err == nil {
			t.Errorf("%s is possible", what)
		}
	}
	if i, err := w.registry.Of(t.Context(), person); err != nil || i.State != identity.Blocked || i.BlockReason != identity.Desk {
		t.Fatalf("the identifier is %s by %s, %v", i.State, i.BlockReason, err)
	}

	if err := w.registry.Unblock(t.Context(), person, identity.Phone{}, at()); err != nil {
		t.Fatal(err)
	}
	temporary, _ := w.phones.last(t, identity.TemporaryPasswordMessage, `\w{5}-\w{5}`)
	home.open("/security")
	home.submit("identifier", anna, "password", temporary)
	home.want("/sign-in/password", http.StatusOK)
}
