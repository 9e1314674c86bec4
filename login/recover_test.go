package login_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"asoba.example/login/code"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
)

// document is the number of the one that a person was issued the identifier by.
func document(number string) string { return "MP" + number[:7] }

// recovers goes as far as the page after the code.
func (v *visitor) recovers(number string) {
	v.w.Helper()
	v.want("/recover", http.StatusOK)
	v.submit("identifier", number, "document_number", document(number))
	v.want("/recover/code", http.StatusOK)
	digits, _ := v.w.lastCode()
	v.submit("code", digits)
}

// Who has lost the password goes from the e-service's sign-in to a new one and back to the e-service; whoever had learnt the lost one is
// out (resolution 792 ¶5).
func TestRecovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	home, v := w.visitor(), w.visitor()
	home.signIn(anna)
	w.clock.turn(time.Minute)

	v.open("/authorize")
	v.want("/sign-in", http.StatusOK)
	v.open(v.link("Recover the password"))
	first := v.at.RequestURI()
	v.submit("identifier", "")
	v.want("/recover", http.StatusUnprocessableEntity)
	v.sees("Enter your unique identifier")
	v.submit("identifier", "0000000A000PB", "document_number", document(anna))
	v.sees("Check the identifier", `value="0000000A000PB"`)
	v.submit("identifier", " 1010130k-001рв9", "document_number", "мр 1010130") // as people type them
	v.want("/recover/code", http.StatusOK)
	v.sees("If what you entered is right", "good until 12:07")
	code := v.at.RequestURI()
	digits, _ := w.lastCode()

	// Nothing later can be reached; reload and Back do no harm; the code of a recovery signs nobody in.
	for _, later := range []string{"/proof", "/password"} {
		v.open(strings.Replace(code, "/code", later, 1))
		v.want("/recover/code", http.StatusOK)
	}
	v.open(first)
	v.submit("identifier", anna, "document_number", document(anna))
	v.want("/recover/code", http.StatusOK)
	for typed, says := range map[string]string{"": "Enter the code", "12345": "6 digits", wrong(digits): "does not match"} {
		v.submit("code", typed)
		v.want("/recover/code", http.StatusUnprocessableEntity)
		v.sees(says)
	}
	v.submit("code", digits)
	v.want("/recover/password", http.StatusOK)
	v.open(code)
	v.want("/recover/password", http.StatusOK)
	w.clock.turn(29 * time.Minute)
	v.open(v.at.RequestURI())
	v.want("/recover/password", http.StatusOK)
	v.sees("no earlier than 13 May 2026")
	v.submit("new_password", another, "new_password_again", password)
	v.want("/recover/password", http.StatusUnprocessableEntity)
	v.submit("new_password", "анна ковалёва", "new_password_again", "анна ковалёва")
	v.sees("your names")
	formed := v.at.RequestURI()
	v.submit("new_password", another, "new_password_again", another)
	v.want("/authorize", http.StatusOK)
	v.open(formed)
	v.want("/authorize", http.StatusOK)
	v.open("/security")
	v.want("/security", http.StatusOK)

	home.open("/security")
	home.want("/sign-in", http.StatusOK)
	home.submit("identifier", anna, "password", password)
	home.want("/sign-in", http.StatusUnprocessableEntity)
	home.submit("identifier", anna, "password", another)
	home.want("/sign-in/code", http.StatusOK) // it is a stranger now
	v.open("/sign-out")
	v.open("/security")
	v.submit()
	v.open("/security")
	v.submit("identifier", anna, "password", another)
	v.want("/security", http.StatusOK) // and this one is known
	if got := w.events("password.recovered", person); !slices.Equal(got, []string{"Firefox, Linux"}) {
		t.Errorf("recorded recoveries: %q", got)
	}
	if got := w.events("recovery.refused", person); !slices.Equal(got, []string{"code" + ofFirefox}) {
		t.Errorf("recorded refusals: %q", got)
	}
	if n := w.count(`ended WHERE person_id = $1 AND why = 'password'`, person); n != 1 {
		t.Error("the sign-ins of before have not ended")
	}
	w.phones.last(t, identity.NoticeMessage, "recovered 12.05 12:3")
	if who, err := w.registry.Of(t.Context(), person); err != nil || !who.Frozen(w.clock.now()) {
		t.Errorf("frozen till %v, %v", who.FrozenTill, err)
	}

	// Opened by hand it leads to the Security page.
	v = w.visitor()
	v.open("/recover")
	w.clock.turn(time.Hour)
	v.recovers(anna)
	v.submit("new_password", password, "new_password_again", password)
	v.want("/security", http.StatusOK)
	v.sees("The password has been changed", "code by SMS")
}

// For a day nothing is bound by who has recovered the password: a thief of the phone and the document would bind what the owner cannot get past.
func TestWhoHasRecoveredBindsNothingForADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v := w.visitor()
	v.open("/recover")
	v.recovers(anna)
	v.submit("new_password", another, "new_password_again", another)
	v.want("/security", http.StatusOK)
	for _, path := range []string{"/security/passkeys", "/security/authenticator", "/security/recovery-codes"} {
		v.open(path)
		v.submit("identifier", anna, "password", another)
		digits, _ := w.lastCode()
		v.submit("code", digits)
		v.want(path, http.StatusOK)
		v.sees("nothing can be added or removed", "If it was not you")
		if strings.Contains(v.body, "<form method") {
			t.Errorf("%s offers what it will refuse", path)
		}
		v.send("passkey", "{}", "code", "000000")
		v.want(path, http.StatusConflict)
	}
	if n := w.count(`event WHERE kind IN ('passkey.added', 'authenticator.added', 'recovery_codes.made')`); n != 0 {
		t.Errorf("%d factors were bound", n)
	}
}

// Whoever is asked about, recovery answers alike to the byte up to the right code, after the same questions to PostgreSQL and to
// Redis: the code simply never comes (OWASP ASVS 5.0 6.3.8).
func TestRecoveriesAreAlike(t *testing.T) {
	errandsAreAlike(t, "/recover", func(number string) []string {
		return []string{"identifier", number, "document_number", document(number)}
	}, false)
}

// Nor is anything told where so many come from one network that what comes to nothing leaves no record.
func TestRecoveriesBeyondTheNetworksAreAlike(t *testing.T) {
	errandsAreAlike(t, "/recover", func(number string) []string {
		return []string{"identifier", number, "document_number", document(number)}
	}, true)
}

// Nor is told by one who leaves the document out who could come back by a factor.
func TestRecoveriesWithoutADocumentAreAlike(t *testing.T) {
	errandsAreAlike(t, "/recover", func(number string) []string { return []string{"identifier", number} }, false)
}

// Neither is told that the document was another: of whoever knows nothing but numbers nothing is sent.
func TestRecoveriesByAnotherDocumentAreAlike(t *testing.T) {
	errandsAreAlike(t, "/recover", func(number string) []string { return []string{"identifier", number, "document_number", "AB0000000"} }, false)
}

// So does a block by a code.
func TestBlocksByCodeAreAlike(t *testing.T) {
	errandsAreAlike(t, "/block", func(number string) []string { return []string{"identifier", number, "decision", "code"} }, false)
}

// errandsAreAlike goes as far as there is a code to be typed, for each kind of people, and further.
func errandsAreAlike(t *testing.T, path string, fields func(number string) []string, beyond bool) {
	t.Helper()
	t.Parallel()
	w := newWorld(t)
	people := w.everybody()
	const withPasskey = "5311205B500PB3"
	w.active(withPasskey, "+375331234567")
	w.bound(withPasskey)
	people = append(people, somebody{"active, with a passkey", withPasskey, password})
	const unknown = 1 // of them
	start := w.clock.now()
	answers := make([][]answer, len(people))
	for n, s := range people {
		w.clock.turn(start.Sub(w.clock.now()))
		if err := w.redis.FlushDB(t.Context()).Err(); err != nil { // all of them come from one address
			t.Fatal(err)
		}
		v := w.visitor()
		v.open(path)
		interaction := v.at.Query().Get("interaction")
		if beyond {
			w.leaves(0, policy.RecoveriesOfNetwork, string(code.Recover)+" 127.0.0.1/32")
		}
		step := func(do func()) {
			recorded, calls, heard := w.count("event"), w.calls.hear(), w.trips.Hear()
			do()
			a := answer{statements: strings.Join(heard(), "\n"), calls: strings.Join(calls(), "\n"), recorded: w.count("event") - recorded}
			a.head = fmt.Sprintln(v.status, v.at.Path) + v.heads()
			a.body = strings.NewReplacer(interaction, "", s.number, "").Replace(v.body)
			if beyond { // what comes to nothing is taken back
				a.recorded = 0
				a.statements = regexp.MustCompile(`(release|rollback to) savepoint`).ReplaceAllString(a.statements, "")
			}
			// What is kept of somebody is their id and a moment, and of nobody nothing; an interaction is another each time.
			a.calls = regexp.MustCompile(`\[[0-9 ]+\]|interaction:\{[^}]*\}`).ReplaceAllString(a.calls, "")
			answers[n] = append(answers[n], a)
		}
		first := v.at.RequestURI()
		for range 4 { // the last time the budget is used up
			w.clock.turn(10 * time.Minute)
			v.open(first)
			for neighbour := w.visitor(); beyond && neighbour.status != http.StatusTooManyRequests; {
				neighbour.open(path)
				neighbour.submit("identifier", nobody)
			}
			step(func() { v.submit(fields(s.number)...) })
			for range 6 {
				step(func() { v.submit("code", "000000") })
			}
			step(func() { v.submit("decision", "again") })
			w.clock.turn(3 * time.Minute)
			step(func() { v.submit("decision", "again") })
		}
		step(func() { v.open(strings.Replace(first, path, "/recover/proof", 1)) })
		if v.at.Path == "/recover/proof" {
			t.Errorf("%s: the code was passed by", s.name)
		}
	}
	of := answers[unknown]
	if people[unknown].name != "unknown number" || !strings.Contains(of[0].body, "good until") || strings.Contains(of[len(of)-1].body, "good until") {
		t.Fatalf("of %s: %s", people[unknown].name, of[0].body)
	}
	for n, s := range people {
		for i, got := range answers[n] {
			if got != of[i] {
				t.Errorf("%s, step %d differs from that of nobody:\n%s", s.name, i, got.unlike(of[i]))
				break
			}
		}
	}
	if n := w.count(`event WHERE kind = 'code.withheld'`); n == 0 {
		t.Error("what was asked for in vain is not recorded")
	}
}

// Whose static password was never formed gets another temporary one, to the confirmed phone: three times, then the desk helps.
func TestALostTemporaryPasswordIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person, lost := w.issued(anna, "+375294911911")
	w.clock.turn(100 * time.Hour) // it is over as well
	v := w.visitor()
	var temporary string
	for n := range 3 {
		v.open("/authorize")
		v.open(v.link("Recover the password"))
		v.recovers(anna)
		v.want("/recover/sent", http.StatusOK)
		var sent int
		if temporary, sent = w.phones.last(t, identity.TemporaryPasswordMessage, `\w{5}-\w{5}`); sent != n+2 {
			t.Fatalf("%d temporary passwords were sent, want %d", sent, n+2)
		}
		w.clock.turn(25 * time.Hour)
	}
	if n := len(w.events("password.reissued", person)); n != 3 {
		t.Errorf("recorded %d times", n)
	}
	stranger := w.visitor()
	stranger.open("/recover")
	stranger.recovers(anna)
	stranger.want("/recover/desk", http.StatusOK)
	stranger.sees("Come with your identity document")

	v.open(v.link("Sign in with the new"))
	v.submit("identifier", anna, "password", lost)
	v.want("/sign-in", http.StatusUnprocessableEntity)
	v.submit("identifier", anna, "password", temporary)
	v.submit("new_password", password, "new_password_again", password)
	v.want("/authorize", http.StatusOK)
}

// Who has bound a passkey recovers by it: the document does not do instead, and neither does another's passkey, or the same answer twice
// (OWASP ASVS 5.0 6.4.3).
func TestARecoveryNeedsThePasskeyThatIsBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	_, phone := w.bound(anna)
	w.active(boris, "+375291111111")
	_, anothers := w.bound(boris)
	w.clock.turn(time.Minute)
	v := w.visitor()
	v.open("/recover")
	v.recovers(anna)
	v.want("/recover/proof", http.StatusOK)
	v.sees("cannot be recovered without it")
	proof := *v
	v.submit("passkey", "{}")
	v.want("/recover/proof", http.StatusUnprocessableEntity)
	*v = proof
	v.use(anothers)
	v.want("/recover/proof", http.StatusUnprocessableEntity)
	v.use(phone)
	v.want("/recover/password", http.StatusOK)
	v.submit("new_password", another, "new_password_again", another)
	v.want("/security", http.StatusOK)
	v.sees("with a passkey")
	if n := w.count(`passkey WHERE person_id = $1 AND used_at = $2`, person, w.clock.now()); n != 1 {
		t.Error("the passkey's use is not counted")
	}
	v.open("/security/passkeys")
	v.use(phone) // it was the strongest, and all of it is still there
	v.want("/security/passkeys", http.StatusOK)
	v.sees("Last used")
}

// Who has an app recovers by what it shows, or by a recovery code: the document does not do instead (OWASP ASVS 5.0 6.4.3).
func TestARecoveryNeedsTheAppThatIsBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	own, a := w.withApp(anna)
	own.open("/security/recovery-codes")
	own.submit("identifier", anna, "password", password)
	own.submit("code", a.shows())
	codes := own.codes()
	w.clock.turn(time.Minute)
	v := w.visitor()
	v.open("/recover")
	v.recovers(anna)
	v.sees("cannot be recovered without it")
	proof := *v
	for typed, says := range map[string]string{"": "Enter the code", "nonsense": "does not match", "AAAA-BBBB-CCCC-DDDD": "does not match"} {
		*v = proof
		v.submit("own_code", typed)
		v.want("/recover/proof", http.StatusUnprocessableEntity)
		v.sees(says)
	}
	*v = proof
	v.submit("own_code", a.shows())
	v.want("/recover/password", http.StatusOK)
	v.submit("new_password", another, "new_password_again", another)
	v.want("/security", http.StatusOK)
	if n := w.count(`authenticator WHERE person_id = $1`, person); n != 1 {
		t.Error("the app is gone")
	}
	if n := w.count(`event WHERE id = (SELECT id FROM event WHERE kind = 'signed_in' ORDER BY id DESC LIMIT 1) AND person_id = $1 AND detail->>'by' = 'authenticator'`, person); n != 1 {
		t.Error("the sign-in is not recorded as one by the app")
	}
	w.clock.turn(24 * time.Hour)
	again := w.visitor()
	again.open("/recover")
	again.recovers(anna)
	again.submit("own_code", codes[0])
	again.want("/recover/password", http.StatusOK)
	if n := w.count(`event WHERE kind = 'recovery_code.used' AND detail->>'purpose' = 'recovery'`); n != 1 {
		t.Errorf("%d uses are recorded, want 1", n)
	}
}

// Who has bound a factor recovers without the document at hand: by the code and that factor, and by no less (NIST SP 800-63B-4 §4.2). To who has bound
// none no code goes without it; and whoever gives the factor up meanwhile begins again.
func TestAFactorStandsInForTheDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	asks := func() (*visitor, bool) {
		w.clock.turn(time.Minute)
		v, before := w.visitor(), w.count(`event WHERE kind = 'code.sent'`)
		v.open("/recover")
		v.submit("identifier", anna, "document_number", " - ")
		v.want("/recover/code", http.StatusOK)
		v.sees("If what you entered is right")
		return v, w.count(`event WHERE kind = 'code.sent'`) > before
	}
	if _, sent := asks(); sent {
		t.Fatal("the number alone had a code sent, with nothing bound")
	}
	own, a := w.withApp(anna)
	w.clock.turn(time.Hour)
	v, sent := asks()
	if !sent {
		t.Fatal("no code was sent, though an app is bound")
	}
	digits, _ := w.lastCode()
	v.submit("code", digits)
	v.want("/recover/proof", http.StatusOK)
	v.open(strings.Replace(v.at.RequestURI(), "/proof", "/password", 1))
	v.want("/recover/proof", http.StatusOK)
	v.submit("own_code", a.shows())
	v.want("/recover/password", http.StatusOK)

	late, _ := asks()
	digits, _ = w.lastCode()
	own.open("/security/authenticator")
	own.submit("identifier", anna, "password", password)
	own.submit("code", a.shows())
	own.submit("decision", "remove")
	own.want("/security/factors", http.StatusOK)
	late.submit("code", digits)
	late.want("/recover", http.StatusOK)
	late.sees("enter it once more")

	v.submit("new_password", another, "new_password_again", another)
	v.want("/security", http.StatusOK)
}

// Who has kept recovery codes and bound nothing else needs one of them in place of the document, and with the document none.
func TestARecoveryCodeStandsInForTheDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	own := w.visitor()
	own.signInFor("/security/recovery-codes", anna)
	kept := own.codes()[0]
	for _, typed := range []string{"", document(anna)} {
		w.clock.turn(time.Hour)
		v := w.visitor()
		v.open("/recover")
		v.submit("identifier", anna, "document_number", typed)
		digits, _ := w.lastCode()
		v.submit("code", digits)
		if typed == "" {
			v.want("/recover/proof", http.StatusOK)
			v.submit("own_code", "AAAA-AAAA-AAAA-AAAA")
			v.want("/recover/proof", http.StatusUnprocessableEntity)
			v.submit("own_code", kept)
		}
		v.want("/recover/password", http.StatusOK)
	}
}

// Whoever knows no more than the number uses up the codes of who comes without a document, and none of who comes with it.
func TestStrangersUseUpNoRecoveryWithTheDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settled(map[string]string{"recovery.codes_elsewhere": "5 in 24h"})
	w.active(anna, "+375294911911")
	w.bound(anna)
	for n := range 6 {
		stranger := w.visitor()
		stranger.from = fmt.Sprintf("192.0.2.%d", n)
		stranger.open("/recover")
		stranger.submit("identifier", anna)
		stranger.want("/recover/code", http.StatusOK)
	}
	if n := w.count(`event WHERE kind = 'code.sent' AND detail->>'purpose' = 'recover'`); n != 5 {
		t.Errorf("%d codes were sent, want 5", n)
	}
	own := w.visitor()
	own.from = "192.0.2.9"
	for _, number := range []string{nobody, anna} {
		own.open("/recover")
		own.submit("identifier", number)
		own.want("/recover/code", http.StatusOK)
		own.sees("With the number you can go on even then")
	}
	own.open("/recover")
	own.recovers(anna)
	own.want("/recover/proof", http.StatusOK)
}

// Who comes back from a block at the desk begins anew, and is asked for nothing that was bound before it, when the temporary password is lost too.
func TestWhatWasBoundBeforeABlockIsAskedOfNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	w.withApp(anna)
	for _, act := range []func(identity.Act) error{
		func(act identity.Act) error { return w.registry.Block(t.Context(), person, identity.Desk, act) },
		func(act identity.Act) error { return w.registry.Unblock(t.Context(), person, identity.Phone{}, act) },
	} {
		w.clock.turn(time.Minute)
		if err := act(identity.Act{At: w.clock.now()}); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.turn(time.Minute)
	v := w.visitor()
	v.open("/recover")
	v.recovers(anna)
	v.want("/recover/sent", http.StatusOK)
}

// What was proved counts for nothing once the identifier was acted upon.
func TestARecoveryEndsWithAnotherAct(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	_, key := w.bound(anna)
	for _, page := range []string{"/recover/code", "/recover/proof", "/recover/password"} {
		w.clock.turn(2 * time.Hour)
		v := w.visitor()
		v.open("/recover")
		v.submit("identifier", anna, "document_number", document(anna))
		digits, _ := w.lastCode()
		fields := []string{"code", digits}
		if page != "/recover/code" {
			v.submit(fields...)
			fields = []string{"passkey", "{}"}
		}
		if page == "/recover/password" {
			v.use(key)
			fields = []string{"new_password", another, "new_password_again", another}
		}
		v.want(page, http.StatusOK)
		if _, err := w.registry.ChangePhone(t.Context(), person, w.phone("+3752911122"+fmt.Sprint(len(page))), identity.Act{At: w.clock.now()}); err != nil {
			t.Fatal(err)
		}
		v.submit(fields...)
		if page == "/recover/code" { // nothing is looked at before the code, for strangers see the answer
			v.want("/recover", http.StatusOK)
			continue
		}
		v.want("/recover", http.StatusOK)
	}
}

// phone reads a number.
func (w *world) phone(number string) identity.Phone {
	w.Helper()
	phone, err := identity.ParsePhone(number)
	if err != nil {
		w.Fatal(err)
	}
	return phone
}

// Who knows no more than the number has nothing sent, and uses up nothing but tries: at a known browser none, elsewhere those of their own
// address. Its person recovers while they try (OWASP ASVS 5.0 6.1.1).
func TestStrangersUseUpNobodysRecovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	home := w.visitor()
	home.signIn(anna)
	home.submit()
	w.clock.turn(2 * time.Hour)
	_, before := w.lastCode()
	for n := range 12 {
		stranger := w.visitor()
		stranger.from = fmt.Sprintf("192.0.2.%d", n/6)
		stranger.open("/recover")
		stranger.submit("identifier", anna, "document_number", "AB0000000")
		if n%6 < 5 {
			stranger.want("/recover/code", http.StatusOK)
			for range 6 {
				stranger.submit("code", "000000")
			}
		} else {
			stranger.want("/recover", http.StatusTooManyRequests)
			stranger.sees("Wait 60 minutes", `value="`+anna+`"`)
		}
	}
	if _, sent := w.lastCode(); sent != before {
		t.Errorf("%d codes were sent", sent-before)
	}
	if n := w.count(`event WHERE kind = 'recovery.refused' AND person_id IS NOT NULL`); n != 0 {
		t.Errorf("%d lines stand in the person's history", n)
	}
	for _, own := range []*visitor{w.visitor(), home} {
		own.from = "192.0.2.9"
		if own == home {
			own.from = "192.0.2.0" // the strangers' network
		}
		own.open("/recover")
		own.recovers(anna)
		own.want("/recover/password", http.StatusOK)
		w.clock.turn(time.Minute)
	}
}

// Tries at the document have an end: of one number, at one address, and at each of the person's own browsers. Beyond what all strangers have together
// each network has a few more, so that the person comes back in from wherever strangers are not.
func TestTriesAtTheDocumentHaveAnEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settled(map[string]string{"recovery.number": "20 in 24h"})
	w.active(anna, "+375294911911")
	home := w.visitor()
	home.signIn(anna)
	home.submit()
	guess := func(v *visitor, status int) {
		t.Helper()
		v.open("/recover")
		v.submit("identifier", anna, "document_number", "AB0000000")
		if v.status != status {
			t.Errorf("a guess is answered with %d, want %d", v.status, status)
		}
	}
	for range 10 {
		guess(home, http.StatusOK)
	}
	guess(home, http.StatusTooManyRequests)
	w.clock.turn(time.Hour)
	lost := w.visitor()
	lost.signIn(anna)
	lost.submit()
	for range 10 {
		guess(lost, http.StatusOK)
	}
	guess(lost, http.StatusTooManyRequests)
	guess(home, http.StatusOK)
	away := w.visitor()
	for n := range 20 {
		away.from = fmt.Sprintf("192.0.2.%d", n/5)
		guess(away, http.StatusOK)
	}
	for n := range 3 {
		away.from = fmt.Sprintf("[2001:db8:0:%d::1]", n)
		guess(away, http.StatusOK)
	}
	away.from = "[2001:db8:0:9::1]"
	guess(away, http.StatusTooManyRequests)
	away.submit("identifier", boris, "document_number", "AB0000000")
	away.want("/recover/code", http.StatusOK)
	away.from = "192.0.2.9"
	away.open("/recover")
	away.recovers(anna)
	away.want("/recover/password", http.StatusOK)
}

// While all messages together have used up what they may cost, each network comes on fewer errands; it is
// told so alike of somebody's number and of nobody's, and a person's own browser goes on as ever (OWASP ASVS 5.0 6.3.8).
func TestErrandsHaveABrake(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settled(map[string]string{"sms.in_all": "1000 in 10m", "code.network_braked": "5 in 1h"})
	w.active(anna, "+375294911911")
	home := w.visitor()
	home.signIn(anna)
	home.submit()
	v := w.visitor()
	begins := func(number string, status int) {
		t.Helper()
		v.open("/block")
		v.submit("identifier", number, "decision", "code")
		if v.status != status {
			t.Errorf("from %s of %s: got %d, want %d", v.from, number, v.status, status)
		}
	}
	v.from = "[2001:db8::1]"
	for range 6 {
		begins(boris, http.StatusOK)
	}
	w.leaves(0, policy.MessagesInAll, "")
	for n := range 5 {
		v.from = fmt.Sprintf("[2001:db8:0:%d::1]", n)
		begins(boris, http.StatusOK)
	}
	begins(boris, http.StatusOK) // one by one from now on
	for _, number := range []string{anna, nobody} {
		begins(number, http.StatusTooManyRequests)
		v.sees("Wait 12 minutes")
	}
	v.from = "192.0.2.1"
	begins(anna, http.StatusOK)
	home.from = "[2001:db8::1]"
	home.open("/block")
	home.submit("identifier", anna, "decision", "code")
	home.want("/block/code", http.StatusOK)
	w.clock.turn(10 * time.Minute)
	v.from = "[2001:db8::1]"
	begins(nobody, http.StatusOK)
}

// Asked for at one moment from many networks, no more are sent to a person than one after another.
func TestCodesAskedForAtOnceHaveTheSameEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settled(map[string]string{"recovery.codes_elsewhere": "5 in 24h"})
	w.active(anna, "+375294911911")
	var storm sync.WaitGroup
	for n := range 24 {
		v := w.visitor()
		v.from = fmt.Sprintf("192.0.2.%d", n)
		v.open("/block")
		storm.Go(func() { v.submit("identifier", anna, "decision", "code") })
	}
	storm.Wait()
	if n := w.count(`event WHERE kind = 'code.sent'`); n != 5 {
		t.Errorf("%d codes were sent, want 5", n)
	}
}

// Whoever comes to a browser after an errand has ended there, however it did, is not told whose it was.
func TestAnErrandThatIsOverTellsNoNumber(t *testing.T) {
	t.Parallel()
	const phone = "+375294911911"
	for name, ends := range map[string]struct {
		first, last string
		before      func(w *world)
		walk        func(v *visitor)
	}{
		"another temporary password": {"/recover", "/recover/sent", func(w *world) { w.issued(anna, phone) }, func(v *visitor) { v.recovers(anna) }},
		"sent to the desk": {"/recover", "/recover/desk", func(w *world) {
			w.issued(anna, phone)
			for range 3 {
				v := w.visitor()
				v.open("/recover")
				v.recovers(anna)
				w.clock.turn(25 * time.Hour)
			}
		}, func(v *visitor) { v.recovers(anna) }},
		"a block by a code": {"/block", "/block/done", func(w *world) { w.active(anna, phone) }, func(v *visitor) {
			v.submit("identifier", anna, "decision", "code")
			digits, _ := v.w.lastCode()
			v.submit("code", digits)
		}},
		"a block by the password, after a code": {"/block", "/block/done", func(w *world) { w.active(anna, phone) }, func(v *visitor) {
			first := v.at.RequestURI()
			v.submit("identifier", anna, "decision", "code")
			v.open(first)
			v.sees(`value="` + anna + `"`)
			v.submit("identifier", anna, "password", password)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ends.before(w)
			v := w.visitor()
			v.open("/authorize")
			v.open(ends.first + "?" + v.at.RawQuery)
			first := v.at.RequestURI()
			ends.walk(v)
			v.want(ends.last, http.StatusOK)
			v.open(first)
			v.want(ends.first, http.StatusOK)
			if strings.Contains(v.body, `value="`+anna+`"`) {
				t.Errorf("the number is told\n%s", v.body)
			}
		})
	}
}

// Tries at a code that is over are nothing: by them a stranger could bury a person's history, and whoever has the password could write without end.
func TestTriesAtNoCodeAreNotRecorded(t *testing.T) {
	t.Parallel()
	for first, asks := range map[string][]string{
		"/block":   {"identifier", anna, "decision", "code"},
		"/sign-in": {"identifier", anna, "password", password},
	} {
		w := newWorld(t)
		person := w.active(anna, "+375294911911")
		v := w.visitor()
		v.open("/authorize")
		v.open(first + "?" + v.at.RawQuery)
		v.submit(asks...)
		digits, _ := w.lastCode()
		for range 20 {
			v.submit("code", wrong(digits))
			v.want(first+"/code", http.StatusUnprocessableEntity)
		}
		v.sees("no longer good")
		if got := w.events("sign_in.refused", person); len(got) != 5 {
			t.Errorf("%s: recorded: %q", first, got)
		}
	}
}

// At one address so many are asked for without a sign-in, and beyond that one by one; at a person's own browser there a block does not wait for the neighbours.
func TestAnAddressAsksForSoMuch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settled(map[string]string{"recovery.network": "20 in 1h"})
	w.active(anna, "+375294911911")
	home := w.visitor()
	home.signIn(anna)
	home.submit()
	v := w.visitor()
	v.open("/block")
	form := *v
	for n := range 22 { // one beyond them, by itself
		*v = form
		v.submit("identifier", []string{boris, vera, nobody}[n%3], "decision", "code")
	}
	v.want("/block", http.StatusTooManyRequests)
	v.sees("Wait 3 minutes", `value="`+boris+`"`)
	if v.head.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	home.open("/block")
	home.submit("identifier", anna, "decision", "code")
	digits, _ := w.lastCode()
	home.submit("code", digits)
	home.want("/block/done", http.StatusOK)
}

// A step that breaks leaves nothing half done, and can be done again on the same page.
func TestARecoveryCanBeDoneAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	v := w.visitor()
	v.open("/recover")
	v.recovers(anna)
	form := *v
	for n := 1; w.count(`identity WHERE recovered_at IS NOT NULL`) == 0; n++ {
		if n > 1 && v.status != http.StatusInternalServerError {
			t.Fatalf("statement %d broke, and the answer is %d at %s", n-1, v.status, v.at.Path)
		}
		if recorded := w.events("password.recovered", person); len(recorded) != 0 || w.count(`ended`) != 0 {
			t.Fatalf("statement %d broke, and something is left of it", n-1)
		}
		*v = form
		w.trips.FailAt(n)
		v.submit("new_password", another, "new_password_again", another)
		w.trips.FailAt(0)
	}
	if recorded := w.events("password.recovered", person); len(recorded) != 1 || w.count(`ended`) != 1 {
		t.Error("the recovery is not recorded")
	}
}

// Whoever has formed a password on an errand, and comes with the form once more when the session is over, is told that it is the password now.
func TestWhoHasFormedAPasswordIsToldSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	v := w.visitor()
	v.open("/recover")
	v.recovers(anna)
	form := *v
	v.submit("new_password", another, "new_password_again", another)
	v.want("/security", http.StatusOK)
	for _, of := range []string{"session:*", "test:outcome:*"} {
		for _, key := range w.keys(of) {
			if err := w.redis.Del(t.Context(), key).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	form.submit("identifier", anna, "new_password", another, "new_password_again", another)
	form.want("/sign-in", http.StatusOK)
	form.sees("The password has been changed. Sign in with the new one.", `value="`+anna+`"`)
}
