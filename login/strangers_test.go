package login_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"asoba.example/login/code"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/login/register"
	"asoba.example/login/throttle"
)

// A siege is a person whose number strangers try, and the model of it: what the rules say of tries, and nothing of how they are counted.
type siege struct {
	*world
	person      uuid.UUID
	number      string
	home        *visitor   // the person's own browser, which is known
	lost        *visitor   // another one, known as well, in other hands
	strangers   []*visitor // each from an address of its own
	tries       []time.Time
	failures    int // in a row
	slips       int // of the person, at home, in a row
	sms         int
	signInsFrom time.Time // of the person, at home, counted from
	signIns     int
}

// Strangers try a person's number from any addresses, and a thief at another browser of the person's, in any order with what the person does at home
// and elsewhere. Strangers, and the person elsewhere, are told exactly the wait that the rules name. At home the person gets in with the right password each time, the
// state never moves, and a message goes out only for a right password (NIST SP 800-63B-4 §3.2.2: limits that lock nobody out).
func TestNoStrangerKeepsAPersonOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const many = 400
	acts, lives, broken := 0, 0, false
	rapid.Check(t, func(rt *rapid.T) {
		if acts >= many && !broken { // what broke is made smaller to the end
			return
		}
		defer func() { broken = broken || rt.Failed() }()
		lives++
		s := w.besieged(fmt.Sprintf("2010130K%03dPB", lives), fmt.Sprintf("+37529491%04d", lives))
		s.failures = rapid.SampledFrom([]int{0, 0, 45, 60}).Draw(rt, "failures before")
		if _, err := w.pool.Exec(t.Context(), `UPDATE identity SET failures = $2 WHERE person_id = $1`, s.person, s.failures); err != nil {
			rt.Fatal(err)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"stranger":                 func(rt *rapid.T) { s.elsewhere(rt, another) },
			"storm of strangers":       s.storm,
			"person elsewhere":         func(rt *rapid.T) { s.elsewhere(rt, password) },
			"thief at a known browser": s.thief,
			"person at home":           s.atHome,
			"person mistyping at home": s.slip,
			"time":                     s.time,
			"": func(rt *rapid.T) {
				acts++
				s.holds(rt)
			},
		})
	})
	t.Logf("%d acts in %d lives", acts, lives)
	if acts < many {
		t.Errorf("%d acts were done, want %d", acts, many)
	}
}

// As many strangers as there are try one number at once, each from an address of its own: three are let through to a hash, and the others are told
// to wait. Its person signs in at home meanwhile, and elsewhere after the wait that the page names; nothing is sent for all that, and the state stays.
func TestAStormKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	const guesses, workers = 300, 16
	w := newWorld(t)
	s := w.besieged("2010130K900PB", "+375294911911")
	var (
		begun, wrong, waits atomic.Int64
		storm               sync.WaitGroup
	)
	for range workers {
		v := w.visitor()
		v.open("/security")
		storm.Go(func() {
			for i := begun.Add(1); i <= guesses; i = begun.Add(1) {
				v.from = fmt.Sprintf("198.18.%d.%d", i/256, i%256)
				v.submit("identifier", s.number, "password", another)
				switch v.status {
				case http.StatusUnprocessableEntity:
					wrong.Add(1)
				case http.StatusTooManyRequests:
					waits.Add(1)
				}
			}
		})
	}
	s.home.signIn(s.number)
	storm.Wait()
	if wrong.Load() != 3 || waits.Load() != guesses-3 {
		t.Errorf("%d guesses were checked and %d told to wait, want 3 and %d", wrong.Load(), waits.Load(), guesses-3)
	}
	if w.stands(s.person) != identity.Active || w.sent(s.person) != s.sms {
		t.Errorf("the identifier is %s, %d messages went out", w.stands(s.person), w.sent(s.person)-s.sms)
	}
	v := w.visitor()
	v.open("/security")
	v.submit("identifier", s.number, "password", password)
	v.want("/sign-in", http.StatusTooManyRequests)
	v.sees("Wait 10 seconds", "you need not wait")
	w.clock.turn(10 * time.Second)
	v.submit("identifier", s.number, "password", password)
	v.want("/sign-in/code", http.StatusOK)
	digits, _ := w.lastCode()
	v.submit("code", digits)
	v.want("/security", http.StatusOK)
}

// Too many tries from all unknown browsers together shut nobody out: each address has fewer then, and a known browser as many as ever. Those that were
// told to wait are none of them, or one address would be enough.
func TestTooManyTriesInAllBrakeEachAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settled(map[string]string{"sign_in.in_all": "5000 in 5m", "sign_in.network_braked": "10 in 15m"})
	s := w.besieged("2010130K900PB", "+375294911911")
	counted := &throttle.Throttle{Redis: w.redis, Key: []byte("tries"), Now: w.clock.now}
	elsewhere := func(tries int) { // at other numbers
		for range tries {
			if wait, err := counted.Take(t.Context(), throttle.Try{Limit: policy.TriesInAll.In(w.policies)}); wait > 0 || err != nil {
				t.Fatal(wait, err)
			}
		}
	}
	elsewhere(4980)
	loud, beside := s.strangers[2], w.visitor()
	beside.from = "192.0.2.9"
	loud.open("/security")
	for n := range 30 {
		loud.submit("identifier", boris, "password", "x")
		if waits := loud.status == http.StatusTooManyRequests; waits != (n >= 3) {
			t.Fatalf("try %d is answered with %d", n, loud.status)
		}
	}
	beside.open("/security")
	for n := range 11 {
		number := fmt.Sprintf("3090130K%03dPB", n)
		beside.submit("identifier", number+string(register.CheckDigit(number)), "password", "x")
		beside.want("/sign-in", http.StatusUnprocessableEntity)
	}
	elsewhere(5000 - 4980 - 3 - 11)
	for i, v := range s.strangers[:2] {
		v.open("/security")
		for n := range 11 { // the last by itself
			if i == 1 { // one customer, of however many networks
				v.from = fmt.Sprintf("[2001:db8:0:%x::1]", n)
			}
			number := fmt.Sprintf("30%d0130K%03dPB", i, n)
			v.submit("identifier", number+string(register.CheckDigit(number)), "password", "x")
			v.want("/sign-in", http.StatusUnprocessableEntity)
		}
		v.submit("identifier", s.number, "password", password)
		v.want("/sign-in", http.StatusTooManyRequests)
		if i == 0 {
			s.home.signIn(s.number)
		}
	}
}

// What codes of sign-ins may cost has an end for one address, and the page says from when another can be sent.
func TestAnAddressAsksForSoManyCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	w.active(boris, "+375291111111")
	v := w.visitor()
	v.from = "192.0.2.1"
	w.leaves(0, policy.CodesOfNetwork, v.from+"/32")
	w.clock.turn(10 * time.Minute)
	v.open("/security")
	v.submit("identifier", anna, "password", password)
	v.want("/sign-in/code", http.StatusOK)
	v.sees("There is no good code right now", "in 50 minutes")
	elsewhere := w.visitor()
	elsewhere.from = "192.0.2.2"
	elsewhere.signIn(boris)
	if digits, n := w.lastCode(); n != 1 {
		t.Errorf("%d codes were sent, the last %s", n, digits)
	}
	w.clock.turn(50 * time.Minute)
	v.open("/security")
	v.signIn(anna)
}

// Who was issued the identifier has no browser that is known yet. Strangers who try the number at the end of each wait keep them from the first
// sign-in by the number alone, and from nothing where they have proved by the document and a code whose it is: there the tries are theirs, as at
// home, of that number only.
func TestNoStrangerKeepsAnybodyFromTheFirstSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, temporary := w.issued(anna, "+375294911911")
	w.active(boris, "+375294911922")
	v := w.visitor()
	v.from = "192.0.2.7"
	v.open("/authorize")
	w.besiege(anna)
	v.submit("identifier", anna, "password", temporary)
	v.want("/sign-in", http.StatusTooManyRequests)

	v.open(v.link("Recover the password"))
	v.recovers(anna)
	v.want("/recover/sent", http.StatusOK)
	temporary, _ = w.phones.last(t, identity.TemporaryPasswordMessage, `\w{5}-\w{5}`)
	v.open(v.link("Sign in with the new"))
	v.want("/sign-in", http.StatusOK)
	w.besiege(boris)
	v.submit("identifier", boris, "password", password)
	v.want("/sign-in", http.StatusTooManyRequests)
	for range 5 {
		w.besiege(anna)
		v.submit("identifier", anna, "password", another)
		v.want("/sign-in", http.StatusUnprocessableEntity)
	}
	v.submit("identifier", anna, "password", temporary)
	v.want("/sign-in", http.StatusTooManyRequests)
	w.clock.turn(15 * time.Minute)
	w.besiege(anna)
	v.submit("identifier", anna, "password", temporary)
	v.want("/sign-in/password", http.StatusOK)
	v.submit("new_password", password, "new_password_again", password)
	v.want("/authorize", http.StatusOK)
}

// besiege has a stranger try a number until told to wait.
func (w *world) besiege(number string) {
	w.Helper()
	stranger := w.visitor()
	stranger.open("/security")
	for {
		stranger.submit("identifier", number, "password", another)
		if stranger.status == http.StatusTooManyRequests {
			return
		}
	}
}

// Whoever knows the password and has a new browser proves by the document and a code whose the number is, and signs in by that password while
// strangers are at the number, however often they were wrong: it is the same afterwards, and nothing is frozen. It takes a code still, as at any new browser.
func TestNoStrangerKeepsAnybodyFromANewBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	before, err := w.registry.Of(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.pool.Exec(t.Context(), `UPDATE identity SET failures = 60 WHERE person_id = $1`, person); err != nil {
		t.Fatal(err)
	}
	v := w.visitor()
	v.from = "192.0.2.7"
	v.open("/authorize")
	w.besiege(anna)
	v.submit("identifier", anna, "password", password)
	v.want("/sign-in", http.StatusTooManyRequests)

	v.open(v.link("confirm that it is you"))
	v.recovers(anna)
	v.want("/recover/password", http.StatusOK)
	v.sees("Sign in with my password")
	form := *v
	v.submit("decision", "keep")
	v.want("/sign-in", http.StatusOK)
	v.sees(`value="` + anna + `"`)
	form.submit("decision", "keep") // pressed twice
	form.want("/sign-in", http.StatusOK)
	w.besiege(anna)
	v.submit("identifier", anna, "password", another)
	v.want("/sign-in", http.StatusUnprocessableEntity)
	v.submit("identifier", anna, "password", password)
	v.want("/sign-in/code", http.StatusOK)
	digits, _ := w.lastCode()
	v.submit("code", digits)
	v.want("/authorize", http.StatusOK)

	who, err := w.registry.Of(t.Context(), person)
	if err != nil || !who.ChangedAt.Equal(before.ChangedAt) || who.Frozen(w.clock.now()) {
		t.Errorf("changed at %v, which was %v; frozen %t, %v", who.ChangedAt, before.ChangedAt, who.Frozen(w.clock.now()), err)
	}
	if got := w.events("password.recovered", person); len(got) != 0 {
		t.Errorf("recorded recoveries: %q", got)
	}
	if n := w.count(`event WHERE kind = 'sign_in.refused' AND person_id = $1 AND detail->>'browser' = 'known'`, person); n != 0 {
		t.Errorf("%d tries at a browser that is not known are recorded as at one that is", n)
	}
}

// Who has blocked the identifier is told at a new browser what there is beside waiting, while strangers are at the number.
func TestWhoWaitsToUnblockIsToldOfOtherWays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor()
	w.besiege(anna)
	v.open("/unblock")
	v.submit("identifier", anna, "password", password)
	v.want("/unblock", http.StatusTooManyRequests)
	v.sees("In a browser in which you have signed in before you need not wait", "The office that gave you the identifier gives access back too")
}

// Wrong passwords close a network to nobody who lives behind its address: beyond so many its tries go on one by one, those of whoever has a list of all the numbers
// that there are among them, and a right one uses up nothing. Nobody has passwords hashed without end by the right one either.
func TestNoNeighbourShutsANetwork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settled(map[string]string{"sign_in.network": "100 in 15m", "sign_in.number_in_all": "20 in 15m"})
	w.active(anna, "+375294911911")
	w.active(boris, "+375291111111")
	neighbour := func() *visitor {
		v := w.visitor()
		v.from = "192.0.2.1"
		v.open("/security")
		return v
	}
	tries := func(v *visitor, number, path string, status int) {
		t.Helper()
		v.open("/security")
		v.submit("identifier", number, "password", password)
		v.want(path, status)
	}
	sprayer, sprayed := neighbour(), 0
	spray := func() {
		t.Helper()
		number := fmt.Sprintf("3%02d0130K%03dPB", 10+sprayed/1000, sprayed%1000)
		sprayed++
		sprayer.open("/security")
		sprayer.submit("identifier", number+string(register.CheckDigit(number)), "password", another)
	}
	w.leaves(4, policy.NetworkTries, "192.0.2.1/32")
	for range 13 { // three wrong, and what only waits uses up nothing
		sprayer.submit("identifier", nobody, "password", another)
	}
	sprayer.want("/sign-in", http.StatusTooManyRequests)
	for _, number := range []string{anna, boris, anna} { // which would be three, were they wrong
		tries(neighbour(), number, "/sign-in/code", http.StatusOK)
	}
	spray()
	sprayer.want("/sign-in", http.StatusUnprocessableEntity)
	for _, number := range []string{anna, boris} {
		tries(neighbour(), number, "/sign-in/code", http.StatusOK)
	}
	spray()
	sprayer.want("/sign-in", http.StatusUnprocessableEntity)
	v := neighbour()
	tries(v, anna, "/sign-in", http.StatusTooManyRequests)
	if wait := v.head.Get("Retry-After"); wait != "9" {
		t.Errorf("one by one is after %s seconds, want 9", wait)
	}
	w.clock.turn(9 * time.Second)
	tries(v, anna, "/sign-in/code", http.StatusOK)

	checked := 0
	for range 60 {
		spray()
		if sprayer.status == http.StatusUnprocessableEntity {
			checked++
		}
		w.clock.turn(3 * time.Second)
	}
	if checked != 20 {
		t.Errorf("in three minutes %d of 60 passwords were tried, want 20", checked)
	}
	w.clock.turn(15 * time.Minute)
	for range 20 {
		tries(v, anna, "/sign-in/code", http.StatusOK)
	}
	tries(v, anna, "/sign-in", http.StatusTooManyRequests)
}

// Whoever asks for made-up numbers from one address stops nobody there who comes with the document: that of another number, or a wrong one, leaves nothing
// behind beyond so many. Who would block is told of that way.
func TestNoNeighbourStopsWhoComesWithTheDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := w.active(anna, "+375294911911")
	for _, purpose := range []code.Purpose{code.Recover, code.Block} {
		w.leaves(0, policy.RecoveriesOfNetwork, string(purpose)+" 192.0.2.1/32")
	}
	neighbour := func(path string) *visitor {
		v := w.visitor()
		v.from = "192.0.2.1"
		v.open(path)
		return v
	}
	asks := func(path string, status int, fields ...string) *visitor {
		t.Helper()
		v := neighbour(path)
		v.submit(fields...)
		if v.status != status {
			t.Fatalf("%s answers %d, want %d", path, v.status, status)
		}
		return v
	}
	asks("/recover", http.StatusOK, "identifier", nobody) // one by one
	asks("/recover", http.StatusTooManyRequests, "identifier", nobody).sees("Wait 12 seconds", "Have you left the document number out?")
	asks("/block", http.StatusOK, "identifier", nobody, "decision", "code")
	blocking := asks("/block", http.StatusTooManyRequests, "identifier", anna, "decision", "code")

	before, sent := w.count(`event`), w.sent(person)
	for n := range 5 {
		number := fmt.Sprintf("3%02d0130K001PB", 10+n)
		for _, typed := range []string{number + string(register.CheckDigit(number)), anna} {
			if typed == anna && n > 2 { // the rest is hers
				continue
			}
			v := asks("/recover", http.StatusOK, "identifier", typed, "document_number", "MP0000000")
			v.submit("code", "000000")
			v.want("/recover/code", http.StatusUnprocessableEntity)
			w.clock.turn(time.Second)
		}
	}
	if after := w.count(`event`); after != before || w.sent(person) != sent {
		t.Errorf("%d records are new, and %d messages", after-before, w.sent(person)-sent)
	}
	blocking.open(blocking.link("Recover the password"))
	blocking.recovers(anna)
	blocking.submit("new_password", another, "new_password_again", another)
	if got := w.events("password.recovered", person); len(got) != 1 {
		t.Errorf("recorded recoveries: %q", got)
	}
	blocking.open("/block")
	blocking.submit("decision", "block")
	blocking.want("/block/done", http.StatusOK)
}

// Who has proved something forms no passwords without end either, each of which would be hashed: the form says how long to wait, and takes a good one then.
func TestWhoFormsPasswordsIsToldToWait(t *testing.T) {
	t.Parallel()
	for page, story := range map[string]struct {
		begins string
		before func(*wayfarer)
		weak   func(*wayfarer) string
		says   string
	}{
		"/sign-in/password": {"/sign-in", (*wayfarer).isNew, func(f *wayfarer) string { return strings.Repeat("x", 6) + f.password }, "temporary"},
		"/recover/password": {"/recover", (*wayfarer).isActive, func(*wayfarer) string { return "x" }, "12 characters"},
		"/unblock/password": {"/unblock", (*wayfarer).isBlocked, func(f *wayfarer) string { return f.password }, "present password"},
	} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			f := &wayfarer{visitor: w.visitor(), password: password}
			story.before(f)
			f.open("/authorize")
			f.open(story.begins + "?" + f.at.RawQuery)
			f.goes(func() bool { return f.at.Path == page })
			w.leaves(1, policy.NewPasswords, f.person.String())
			weak := story.weak(f)
			f.send("new_password", weak, "new_password_again", weak)
			f.want(page, http.StatusUnprocessableEntity)
			f.sees(story.says)
			f.send("new_password", weak, "new_password_again", another) // nothing is hashed for it
			f.want(page, http.StatusUnprocessableEntity)
			f.send("new_password", another, "new_password_again", another)
			f.want(page, http.StatusTooManyRequests)
			f.sees("Wait 15 minutes")
			w.clock.turn(15 * time.Minute)
			f.send("new_password", another, "new_password_again", another)
			f.sees("authorize goes on")
		})
	}
}

// leaves has others use up a limit, but for so many.
func (w *world) leaves(n int, limit policy.Of[throttle.Limit], by string) {
	w.Helper()
	counted := &throttle.Throttle{Redis: w.redis, Key: []byte("tries"), Now: w.clock.now}
	in := limit.In(w.policies)
	for range in.Tries - n {
		if wait, err := counted.Take(w.Context(), throttle.Try{Limit: in, By: by}); wait > 0 || err != nil {
			w.Fatal(wait, err)
		}
	}
}

// Who asks for another code too early, or while less is left to his address, is sent none, and takes none from anybody: neither at his address nor elsewhere.
func TestACodeThatIsNotSentCostsNobodyAnything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	w.active(boris, "+375291111111")
	w.settled(map[string]string{"sms.in_all": "1000 in 10m"})
	v, neighbor := w.visitor(), w.visitor()
	v.from, neighbor.from = "192.0.2.1", "192.0.2.1"
	w.leaves(2, policy.CodesOfNetwork, v.from+"/32")
	w.leaves(0, policy.BrakedCodesOfNetwork, v.from+"/32")
	w.leaves(0, policy.MessagesInAll, "")
	v.open("/security")
	v.submit("identifier", anna, "password", password)
	v.want("/sign-in/code", http.StatusOK)
	for range 2 {
		v.submit("decision", "again")
		v.sees("There is no good code right now", "in 60 minutes")
	}
	w.clock.turn(10 * time.Minute)
	for range 4 {
		v.submit("decision", "again")
		v.sees("in 60 seconds")
	}
	neighbor.signIn(boris)
	if _, n := w.lastCode(); n != 2 {
		t.Errorf("%d codes were sent, want one to each", n)
	}
}

// Whoever sits at another browser that is known for a person uses up nothing of theirs at home: neither tries at the current password, at the app and at
// the proof of a recovery, nor codes, of which the newest is good at each.
func TestWhoSitsAtAnotherKnownBrowserStopsNobodyAtHome(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(anna, "+375294911911")
	lost, home := w.visitor(), w.visitor()
	lost.signIn(anna)
	w.clock.turn(time.Minute)
	home.signIn(anna)
	guesses := func(fields ...string) {
		t.Helper()
		for range 5 {
			lost.submit(fields...)
			if lost.status != http.StatusUnprocessableEntity {
				t.Fatalf("a guess at %s is answered with %d", lost.at.Path, lost.status)
			}
		}
		lost.submit(fields...)
		if lost.status != http.StatusTooManyRequests {
			t.Fatalf("the sixth guess at %s is answered with %d", lost.at.Path, lost.status)
		}
	}

	lost.open("/security/password")
	wrong := []string{"password", "x", "new_password", another, "new_password_again", another}
	guesses(wrong...)
	home.open("/security/password")
	home.submit(wrong...)
	home.want("/security/password", http.StatusUnprocessableEntity)

	w.clock.turn(time.Minute)
	home.signInFor("/security/authenticator", anna)
	a := home.takes()
	home.submit("code", a.shows())
	w.clock.turn(time.Minute)
	for _, v := range []*visitor{lost, home} {
		v.open("/security")
		v.submit() // signs out
		v.open("/authorize?acr_values=substantial")
		v.submit("identifier", anna, "password", password)
		v.want("/sign-in/authenticator", http.StatusOK)
	}
	guesses("code", "000000")
	home.submit("code", a.shows())
	home.sees("authorize goes on")

	w.clock.turn(16 * time.Minute) // of the app
	for _, v := range []*visitor{lost, home} {
		v.open("/recover")
		v.submit("identifier", anna)
		digits, _ := w.lastCode()
		v.submit("code", digits)
		v.want("/recover/proof", http.StatusOK)
	}
	guesses("own_code", "000000")
	home.submit("own_code", a.shows())
	home.want("/recover/password", http.StatusOK)

	home.open("/security")
	home.submit()
	var digits string
	for _, v := range []*visitor{home, lost} {
		v.open("/block")
		v.submit("identifier", anna, "decision", "code")
		v.want("/block/code", http.StatusOK)
		if v == home {
			digits, _ = w.lastCode()
			w.clock.turn(time.Minute)
		}
	}
	home.submit("code", digits)
	home.want("/block/done", http.StatusOK)
}

func (w *world) besieged(number, phone string) *siege {
	w.Helper()
	s := &siege{world: w, number: number + string(register.CheckDigit(number)), home: w.visitor()}
	s.person = w.active(s.number, phone)
	s.home.signIn(s.number)
	s.home.submit()
	s.lost = w.visitor()
	s.lost.signIn(s.number)
	s.lost.submit()
	w.clock.turn(time.Hour)
	for i := range 3 {
		v := w.visitor()
		v.from = "192.0.2." + strconv.Itoa(i+1)
		s.strangers = append(s.strangers, v)
	}
	s.sms, s.signInsFrom = w.sent(s.person), w.clock.now()
	return s
}

// wait is what the rules name: ten tries in a quarter of an hour, and a pause that grows from the third on.
func (s *siege) wait() time.Duration {
	const window = 15 * time.Minute
	pauses := []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute}
	now, n := s.clock.now(), len(s.tries)
	if n == 0 {
		return 0
	}
	free, last, near := time.Time{}, s.tries[n-1], 0
	if n >= 10 {
		free = s.tries[n-10].Add(window)
	}
	for _, at := range s.tries[max(0, n-10):] {
		if last.Sub(at) < window {
			near++
		}
	}
	if near >= 3 {
		if paused := last.Add(pauses[min(near-3, len(pauses)-1)]); paused.After(free) {
			free = paused
		}
	}
	return max(0, free.Sub(now))
}

// elsewhere tries a password at a browser that is not known.
func (s *siege) elsewhere(rt *rapid.T, typed string) {
	v := *rapid.SampledFrom(s.strangers).Draw(rt, "from")
	v.open("/security")
	v.submit("identifier", s.number, "password", typed)
	switch wait := s.wait(); {
	case wait > 0:
		if v.status != http.StatusTooManyRequests || v.head.Get("Retry-After") != strconv.Itoa(int((wait+time.Second-1)/time.Second)) {
			rt.Fatalf("answered %d, Retry-After %q; by the rules one waits %v", v.status, v.head.Get("Retry-After"), wait)
		}
	case typed == password && s.failures < 50:
		if v.at.Path != "/sign-in/code" {
			rt.Fatalf("at %s with %d after %d failures", v.at.Path, v.status, s.failures)
		}
		s.tries, s.failures = nil, 0
		s.sms = s.sent(s.person) // a code, or none where there were many
	default:
		if v.status != http.StatusUnprocessableEntity {
			rt.Fatalf("answered %d at %s, after %d failures", v.status, v.at.Path, s.failures)
		}
		s.tries = append(s.tries, s.clock.now())
		s.failures++
	}
}

// storm is as many tries as there are, at once.
func (s *siege) storm(rt *rapid.T) {
	for s.wait() == 0 {
		s.elsewhere(rt, another)
	}
	s.elsewhere(rt, another)
}

// atHome is the right password at the known browser.
func (s *siege) atHome(rt *rapid.T) {
	if s.clock.now().Sub(s.signInsFrom) > 15*time.Minute {
		s.signInsFrom, s.signIns = s.clock.now(), 0
	}
	if s.signIns += 1; s.signIns > 50 { // nobody signs in over and over
		return
	}
	s.home.open("/security")
	s.home.submit("identifier", s.number, "password", password)
	if s.home.at.Path != "/security" || s.home.status != http.StatusOK {
		rt.Fatalf("at home the person is at %s with %d", s.home.at.Path, s.home.status)
	}
	s.home.submit() // signs out
	s.failures, s.slips = 0, 0
}

// slip is a wrong password there; people mistype four times at most.
func (s *siege) slip(rt *rapid.T) {
	if s.slips == 4 {
		return
	}
	s.slips, s.signIns, s.failures = s.slips+1, s.signIns+1, s.failures+1
	s.home.open("/security")
	s.home.submit("identifier", s.number, "password", another)
	if s.home.status != http.StatusUnprocessableEntity {
		rt.Fatalf("a slip of the hand is answered with %d", s.home.status)
	}
}

// thief tries passwords at the other known browser until told to wait.
func (s *siege) thief(rt *rapid.T) {
	for range 6 {
		s.lost.open("/security")
		s.lost.submit("identifier", s.number, "password", another)
		switch s.lost.status {
		case http.StatusUnprocessableEntity:
			s.failures++
		case http.StatusTooManyRequests:
			return
		default:
			rt.Fatalf("a thief's guess is answered with %d", s.lost.status)
		}
	}
	rt.Fatal("a thief guesses without end")
}

func (s *siege) time(rt *rapid.T) {
	s.clock.turn(time.Duration(rapid.IntRange(1, 400).Draw(rt, "seconds")) * time.Second)
}

// holds is what no order of all this changes.
func (s *siege) holds(rt *rapid.T) {
	if state := s.stands(s.person); state != identity.Active {
		rt.Fatalf("the identifier is %s", state)
	}
	if n := s.sent(s.person); n != s.sms {
		rt.Fatalf("%d messages went out for wrong passwords", n-s.sms)
	}
}

// sent is how many messages somebody was sent.
func (w *world) sent(person uuid.UUID) (n int) {
	w.phones.mu.Lock()
	defer w.phones.mu.Unlock()
	for _, m := range w.phones.sent {
		if m.Person == person {
			n++
		}
	}
	return n
}
