package login_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Each page says till when what is entered there can be sent, and to open it is to have more time: of a sign-in under way an hour from then, of a session
// as long as it may lie idle, but for a grave act no longer than that sign-in is fresh enough (WCAG 2.2 2.2.1).
func TestAPageSaysTillWhenItIsGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911") // at 12:01 in Minsk
	v := w.visitor()
	v.open("/authorize?acr_values=substantial")
	if strings.Contains(v.body, "data-warn") {
		t.Error("what is not over in a day has a limit")
	}
	v.submit("identifier", anna, "password", password)
	w.clock.turn(4 * time.Minute)
	w.shrink()
	v.open(v.at.RequestURI())
	v.sees("have until 13:05", `data-warn="3480"`)
	if left := w.left("sign_in:*"); left < 59*time.Minute {
		t.Errorf("what was proved is forgotten in %s, which the page says is good for an hour", left)
	}
	digits, _ := w.lastCode()
	v.submit("code", digits)
	v.sees("authorize goes on")
	v.open("/security/password")
	v.sees("have until 12:20", `data-warn="780"`)
	w.clock.turn(8 * time.Minute)
	v.open("/security/sessions")
	v.sees("have until 12:28")
	v.open("/security/password")
	v.sees("have until 12:25", `data-warn="600"`)
	w.clock.turn(12*time.Minute - time.Second)
	v.submit("password", password, "new_password", "x", "new_password_again", "x")
	v.want("/security/password", http.StatusUnprocessableEntity)
	v.sees("have until 12:25", `data-warn="0"`)
	w.clock.turn(2 * time.Second)
	v.submit("password", password, "new_password", "x", "new_password_again", "x")
	v.want("/sign-in", http.StatusOK)

	other := w.visitor()
	other.open("/recover")
	other.submit("identifier", anna, "document_number", document(anna))
	w.shrink()
	other.open(other.at.RequestURI())
	other.sees("have until 13:25")
	if left := w.left("errand:*"); left < 59*time.Minute {
		t.Errorf("the errand is forgotten in %s", left)
	}
}

// shrink leaves a minute to all that Redis keeps.
func (w *world) shrink() {
	w.Helper()
	for _, key := range w.keys("*") {
		if err := w.redis.Expire(w.Context(), key, time.Minute).Err(); err != nil {
			w.Fatal(err)
		}
	}
}

// left is how long the longest lived of some keys is kept.
func (w *world) left(of string) (longest time.Duration) {
	w.Helper()
	for _, key := range w.keys(of) {
		left, err := w.redis.PTTL(w.Context(), key).Result()
		if err != nil {
			w.Fatal(err)
		}
		longest = max(longest, left)
	}
	return longest
}

func (w *world) keys(of string) []string {
	w.Helper()
	keys, err := w.redis.Keys(w.Context(), of).Result()
	if err != nil {
		w.Fatal(err)
	}
	return keys
}

// Whatever is sent is answered by a page that says what to do: a password of any length is a wrong one, and the number is kept; what is longer
// than any form, or damaged, is said to be so.
func TestAFormTooLongIsToldSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v := w.visitor()
	v.open("/security")
	form := *v
	v.submit("identifier", anna, "password", strings.Repeat("x", 20_000))
	v.want("/sign-in", http.StatusUnprocessableEntity)
	v.sees("does not match", `value="`+anna+`"`)
	*v = form
	v.submit("identifier", anna, "password", strings.Repeat("x", 70_000))
	v.want("/sign-in", http.StatusBadRequest)
	v.sees("too long")
	v.open(v.at.RequestURI()) // where it can be mended
	v.want("/sign-in", http.StatusOK)
}

// Who loads a page once more, or reads it in another language, is told still what was refused and how long to wait yet, and has all that they typed.
func TestWhatWasRefusedIsToldAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor()
	v.open("/authorize")
	for range 4 {
		v.submit("identifier", nobody, "password", password)
	}
	languages := map[string][2]string{"en": {"Wait", "Check the identifier"}, "ru": {"Подождите", "Проверьте идентификатор"}, "be": {"Пачакайце", "Праверце ідэнтыфікатар"}}
	for language, says := range languages {
		v.open(v.at.RequestURI() + "&language=" + language)
		for range 2 {
			v.want("/sign-in", http.StatusTooManyRequests)
			v.sees(`lang="`+language+`"`, says[0]+" 10", `value="`+nobody+`"`, "/recover?")
			if v.head.Get("Retry-After") != "10" {
				t.Errorf("%s: the header says %v", language, v.head)
			}
			v.open(v.at.RequestURI())
		}
	}
	w.clock.turn(4 * time.Second)
	v.open(v.at.RequestURI())
	v.want("/sign-in", http.StatusTooManyRequests)
	v.sees(" 6 ")

	for _, path := range []string{"/recover", "/block", "/unblock"} {
		v := w.visitor()
		v.open(path)
		v.submit("identifier", "1234567A", "decision", "code", "password", "x")
		for language, says := range languages {
			v.open(v.at.RequestURI() + "&language=" + language)
			v.want(path, http.StatusUnprocessableEntity)
			v.sees(`lang="`+language+`"`, says[1], `value="1234567A"`)
		}
	}
}

// So it is with what is refused of somebody's own while they are signed in, though they took longer over it than a page is opened after; and nobody
// is told who comes when the session is over.
func TestWhatWasRefusedOfSomebodysOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v := w.visitor()
	v.signInFor("/security/phone", anna)
	w.clock.turn(9 * time.Minute)
	v.open(v.at.RequestURI())
	w.clock.turn(3 * time.Minute) // no page of a grave act is opened any more
	v.submit("phone", "48 12")
	for language, says := range map[string]string{"en": "not a mobile number", "ru": "не мобильный номер", "be": "не мабільны нумар"} {
		v.open(v.at.RequestURI() + "&language=" + language)
		v.want("/security/phone", http.StatusUnprocessableEntity)
		v.sees(`lang="`+language+`"`, says, `value="48 12"`)
	}
	to := v.at.RequestURI()
	w.clock.turn(4*time.Minute + 59*time.Second)
	v.open(to)
	v.want("/security/phone", http.StatusUnprocessableEntity)
	w.redis.FlushDB(t.Context()) // the session with it
	v.open(to)
	v.want("/sign-in", http.StatusOK)
	if strings.Contains(v.body, "48 12") {
		t.Error("who is not signed in is told")
	}

	v = w.visitor()
	v.signIn(anna)
	v.open("/security/password")
	v.submit("password", another, "new_password", another, "new_password_again", another)
	for range 2 {
		v.want("/security/password", http.StatusUnprocessableEntity)
		v.sees("does not match")
		if strings.Contains(v.body, another) {
			t.Error("a password comes back")
		}
		v.open(v.at.RequestURI())
	}
}
