package login_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"asoba.example/login/factor/factortest"
	"asoba.example/login/identity"
	"asoba.example/login/register"
)

// A citizen is the model of one: what they have, and nothing of how it is kept.
type citizen struct {
	number, password string
	person           uuid.UUID
	blocked          bool
	lost             bool      // with no password left that lifts the block
	failed           int       // how often the factor was not shown that lifts it; the fifth time closes the way
	taken            time.Time // till when the last act is warned of by which a thief would have all that lifts a block
	next             string    // the phone that was asked for
	dueAt            time.Time // and from when it is used
	app              *app
	passkey          *factortest.Device // with a passkey
	codes            []string           // that are left
	frozen           time.Time          // till when no factor is added or removed
	home             *visitor           // their own browser
}

// strongest is what they would be asked for.
func (c *citizen) strongest() string {
	switch {
	case c.passkey != nil:
		return "passkey"
	case c.app != nil:
		return "app"
	}
	return "sms"
}

// ways are what they can confirm themselves by after the password, the strongest first.
func (c *citizen) ways() (all []string) {
	if c.passkey != nil {
		all = append(all, "passkey")
	}
	if c.app != nil {
		all = append(all, "app")
	}
	if len(c.codes) > 0 {
		all = append(all, "code")
	}
	return append(all, "sms")
}

// enough tells whether a way is as strong as the strongest that is bound; a recovery code stands in for an app.
func (c *citizen) enough(way string) bool {
	rank := map[string]int{"sms": 1, "code": 2, "app": 2, "passkey": 3}
	return rank[way] >= rank[c.strongest()]
}

// A life is a citizen who binds, uses, loses and gives up what they prove themselves by.
type life struct {
	*world
	*citizen
	n, numbers int
	did        map[string]int // how often each act, of all lives
	less       map[string]int // and each kind of less than bound
	story      []string       // the acts of this one
	followed   string         // the link of a warning that was used last
	law        []string       // the records that the act under way leaves by it
	seen       uuid.UUID      // the last event that was looked at
}

// Sign-ins, factors, recoveries, phones, blocks by each of their ways, strangers, a neighbour at the same browser, the loss of Redis and the clock in any
// order: whatever came before, the owner has a way in or back in, nobody has one by less than the account has bound, and exactly the records of each
// act are there. It goes on until so many acts are done, each kind of them, and less than is bound was shown at each door in each way; for more, say
//
//	LIFE_ACTS=10000 go test -run AnyLife -timeout 60m ./login -rapid.checks 10000
func TestAnyLifeHasAWayInAndNoneByLess(t *testing.T) {
	t.Parallel()
	l := &life{world: newWorld(t), did: map[string]int{}, less: map[string]int{}}
	l.active(boris, "+375294911911")
	defer func() {
		if t.Failed() {
			t.Logf("the life was %s", strings.Join(l.story, ", "))
		}
	}()
	many := 120
	if said := os.Getenv("LIFE_ACTS"); said != "" {
		var err error
		if many, err = strconv.Atoi(said); err != nil {
			t.Fatal(err)
		}
	}
	var way string                  // drawn for an act, whether it needs it or not
	acts := map[string]func() bool{ // each tells whether there was something to do
		"sign in elsewhere": func() bool { return l.signInElsewhere(way) },
		"add an app":        l.addApp, "remove the app": l.removeApp,
		"add a passkey": l.addPasskey, "remove the passkey": l.removePasskey,
		"make codes":      l.makeCodes,
		"change password": l.changePassword,
		"recover":         func() bool { return l.recover(true) }, "recover without the document": func() bool { return l.recover(false) },
		"recover and keep": func() bool { return l.recoverAndKeep(way) },
		"block":            l.block, "block by a code": l.blockByCode, "not me": l.notMe,
		"unblock": l.unblock, "unblock at the desk": l.unblockAtDesk,
		"change phone":    l.changePhone,
		"a day":           func() bool { l.clock.turn(25 * time.Hour); return true },
		"less than bound": l.byLess,
		"strangers":       l.strangers, "neighbour": l.neighbour, "Redis is lost": l.redisLost,
	}
	names := slices.Sorted(maps.Keys(acts))
	rare := []string{"remove the app", "remove the passkey", "unblock"} // can be done after others alone
	less := slices.Repeat([]string{"less than bound"}, 10)              // is of many kinds
	deck := rapid.Permutation(slices.Concat(names, names, rare, rare, less))
	done := 0
	complete := func() bool { return done >= many && len(l.did) == len(acts) && len(l.less) == kindsOfLess }
	rapid.Check(t, func(rt *rapid.T) {
		if complete() {
			return
		}
		l.begin()
		order := deck.Draw(rt, "acts")
		if l.n%2 == 0 { // every other life begins with all bound that can be
			order = slices.Concat([]string{"add an app", "add a passkey", "make codes"}, order)
		}
		for _, name := range order {
			way = rapid.SampledFrom(l.ways()).Draw(rt, "way")
			l.story = append(l.story, name)
			if !acts[name]() {
				l.story = l.story[:len(l.story)-1]
				continue
			}
			l.left(name)
			l.did[name]++
			done++
			l.clock.turn(9 * time.Hour) // pauses and budgets are for other tests
			l.phoneIsDue()
			l.comesIn()
			l.left("coming in after " + name)
		}
	})
	t.Logf("%d acts in %d lives: %v, %v", done, l.n, l.did, l.less)
	if !complete() {
		t.Errorf("%d acts of %d kinds were done, want %d of %d; of less %d, want %d", done, len(l.did), many, len(acts), len(l.less), kindsOfLess)
	}
}

// kindsOfLess is how much less than bound there is at each of three doors: nothing where the phone is all there is, or the phone too where an app is
// bound, or an app's or a recovery code too where a passkey is.
const kindsOfLess = 3 * (1 + 2 + 4)

func (l *life) begin() {
	l.n, l.story = l.n+1, nil
	number := fmt.Sprintf("7%06dA000PB", l.n)
	number += string(register.CheckDigit(number))
	l.citizen = &citizen{number: number, password: password, home: l.visitor()}
	l.person = l.active(number, fmt.Sprintf("+37529111%04d", l.n))
	l.records() // others tell of those
}

// leaves adds to what the act under way leaves by the law.
func (l *life) leaves(records ...string) { l.law = append(l.law, records...) }

// left holds that an act left exactly its records.
func (l *life) left(act string) {
	l.Helper()
	got := l.records()
	slices.Sort(got)
	slices.Sort(l.law)
	if !slices.Equal(got, l.law) {
		l.Fatalf("%s left\n%s\nby the law\n%s", act, strings.Join(got, "\n"), strings.Join(l.law, "\n"))
	}
	l.law = nil
}

// records are those that were made since they were last looked at, in words: what, at which level it was come by, why, and whether of somebody else.
func (l *life) records() (all []string) {
	l.Helper()
	const since = `
		SELECT id, concat_ws(' ', kind, CASE WHEN kind <> 'signed_out' THEN acr END,
		       (SELECT string_agg(key || '=' || value, ' ' ORDER BY key) FROM jsonb_each_text(detail) WHERE key NOT LIKE 'where%'),
		       CASE WHEN person_id IS NULL THEN 'of nobody' WHEN person_id <> $2 THEN 'of somebody else' END)
		FROM event WHERE id > $1 ORDER BY id`
	var record string
	rows, _ := l.pool.Query(l.Context(), since, l.seen, l.person)
	_, err := pgx.ForEachRow(rows, []any{&l.seen, &record}, func() error {
		all = append(all, record)
		return nil
	})
	if err != nil {
		l.Fatal(err)
	}
	return all
}

// confirms goes from the second step on by one of the ways.
func (l *life) confirms(v *visitor, way string) {
	l.Helper()
	if way == "sms" || l.strongest() == "sms" { // a code is sent at once where nothing stronger is bound
		l.leaves("code.sent purpose=sign_in")
	}
	to := func(path string) {
		if v.at.Path != path {
			v.open(path + "?" + v.at.RawQuery)
		}
		v.want(path, http.StatusOK)
	}
	switch way {
	case "passkey":
		v.use(l.passkey)
		l.leaves("signed_in substantial by=passkey")
	case "app":
		to("/sign-in/authenticator")
		v.submit("code", l.app.shows())
		l.clock.turn(time.Minute) // each step is good once
		l.leaves("signed_in substantial by=authenticator")
	case "code":
		to("/sign-in/recovery-code")
		v.submit("recovery_code", l.codes[0])
		l.codes = l.codes[1:]
		l.leaves("recovery_code.used purpose=sign_in", "signed_in substantial by=recovery_code")
	default:
		to("/sign-in/code")
		if strings.Contains(v.body, "Otherwise we can send") || strings.Contains(v.body, "no good code") {
			v.send("decision", "again")
		}
		digits, _ := l.lastCode()
		v.send("code", digits)
		l.leaves("signed_in substantial")
	}
}

// enters opens a page from the citizen's own browser, with the password and by the strongest that they have.
func (l *life) enters(path string) bool {
	l.Helper()
	if l.blocked {
		return false
	}
	v := l.home
	for range 2 { // a page may ask once more, for more
		if v.open(path); v.at.Path != "/sign-in" {
			break
		}
		v.submit("identifier", l.number, "password", l.password)
		if strings.HasPrefix(v.at.Path, "/sign-in/") {
			l.confirms(v, l.strongest())
		} else { // their own browser is known
			l.leaves("signed_in low")
		}
	}
	v.want(path, http.StatusOK)
	return true
}

// comesBack goes as far as the page of the password by which a block is lifted; where no password is left that leads there, the desk is named.
func (l *life) comesBack(v *visitor) (signedIn string) {
	l.Helper()
	v.open("/unblock")
	v.submit("identifier", l.number, "password", l.password)
	if l.lost {
		l.leaves("sign_in.refused why=password")
		v.want("/unblock", http.StatusUnprocessableEntity)
		v.sees("Take your identity document to the office")
		return ""
	}
	l.leaves("code.sent purpose=unblock")
	v.want("/unblock/code", http.StatusOK)
	digits, _ := l.lastCode()
	v.submit("code", digits)
	signedIn = l.proves(v, "/unblock/proof")
	v.want("/unblock/password", http.StatusOK)
	return signedIn
}

// proves shows the strongest that is bound, where something is, and tells what record the sign-in will leave.
func (l *life) proves(v *visitor, path string) (signedIn string) {
	l.Helper()
	switch l.strongest() {
	case "passkey":
		v.want(path, http.StatusOK)
		v.use(l.passkey)
		return "signed_in substantial by=passkey"
	case "app":
		v.want(path, http.StatusOK)
		v.submit("own_code", l.app.shows())
		l.clock.turn(time.Minute)
		return "signed_in substantial by=authenticator"
	}
	return "signed_in substantial"
}

// comesIn is the law after every act: the owner has a way in, or back in, at a browser that nobody has seen, by each of what they have that is not
// spent.
func (l *life) comesIn() {
	l.Helper()
	v := l.visitor()
	v.open("/authorize")
	v.submit("identifier", l.number, "password", l.password)
	if l.blocked {
		l.leaves("sign_in.refused why=password")
		v.want("/sign-in", http.StatusUnprocessableEntity)
		l.comesBack(l.visitor())
		return
	}
	l.confirms(v, l.strongest())
	v.sees("authorize goes on")
	who, err := l.registry.Of(l.Context(), l.person)
	if err != nil {
		l.Fatal(err)
	}
	if who.Passkey != (l.passkey != nil) || who.Authenticator != (l.app != nil) || who.RecoveryCodes != len(l.codes) {
		l.Fatalf("bound are %v %v %d, want %v %v %d", who.Passkey, who.Authenticator, who.RecoveryCodes, l.passkey != nil, l.app != nil, len(l.codes))
	}
}

func (l *life) signInElsewhere(way string) bool {
	if l.blocked {
		return false
	}
	v := l.visitor()
	v.open("/authorize?acr_values=substantial")
	v.submit("identifier", l.number, "password", l.password)
	l.confirms(v, way)
	v.sees("authorize goes on")
	if v.open("/security/password"); (v.at.Path == "/security/password") != l.enough(way) {
		l.Fatalf("the password's page by %s, with %s bound, ends at %s", way, l.strongest(), v.at.Path)
	}
	for _, path := range []string{"/security/passkeys", "/security/authenticator", "/security/recovery-codes", "/security/phone"} {
		v.open(path)
		v.want("/sign-in", http.StatusOK)
	}
	return true
}

func (l *life) addApp() bool {
	if l.app != nil || !l.enters("/security/authenticator") {
		return false
	}
	if l.refused("code", "000000") {
		return true
	}
	a := l.home.takes()
	l.home.submit("code", a.shows())
	l.home.want("/security/factors", http.StatusOK)
	l.app = &a
	l.leaves("authenticator.added")
	l.clock.turn(time.Minute)
	return true
}

// refused tells whether nothing is added or removed now, and that the page would not have it though it is sent.
func (l *life) refused(fields ...string) bool {
	l.Helper()
	if !l.clock.now().Before(l.frozen) {
		return false
	}
	path := l.home.at.Path
	l.home.send(fields...)
	l.home.want(path, http.StatusConflict)
	return true
}

func (l *life) removeApp() bool {
	if l.app == nil || !l.enters("/security/authenticator") {
		return false
	}
	if l.refused("decision", "remove") {
		return true
	}
	l.home.submit("decision", "remove")
	l.home.want("/security/factors", http.StatusOK)
	l.app = nil
	l.leaves("authenticator.removed")
	return true
}

func (l *life) addPasskey() bool {
	if l.passkey != nil || !l.enters("/security/passkeys") {
		return false
	}
	if l.refused("passkey", "{}") {
		return true
	}
	passkey := l.device()
	l.home.adds(passkey, "")
	l.home.want("/security/factors", http.StatusOK)
	l.passkey = passkey
	l.leaves("passkey.added")
	return true
}

func (l *life) removePasskey() bool {
	if l.passkey == nil || !l.enters("/security/passkeys") {
		return false
	}
	if l.refused("decision", "remove") {
		return true
	}
	l.home.submit("decision", "remove", "passkey_id", l.home.hidden("passkey_id"))
	l.home.want("/security/passkeys", http.StatusOK)
	l.passkey = nil
	l.leaves("passkey.removed")
	return true
}

func (l *life) makeCodes() bool {
	if !l.enters("/security/recovery-codes") {
		return false
	}
	if l.refused() {
		return true
	}
	l.codes = l.home.codes()
	l.leaves("recovery_codes.made")
	return true
}

func (l *life) changePassword() bool {
	if !l.enters("/security/password") {
		return false
	}
	fresh := other(l.password)
	l.home.submit("password", l.password, "new_password", fresh, "new_password_again", fresh)
	l.home.want("/security", http.StatusOK)
	l.password = fresh
	l.leaves("sessions.ended why=password", "password.changed", "signed_in low") // who changed it stays signed in
	return true
}

// other is the one of two passwords that is not the present one.
func other(present string) string {
	if present == password {
		return another
	}
	return password
}

// recover forms another password by the phone and the strongest that is bound, or the document where nothing is: it alone does not need the document.
func (l *life) recover(document bool) bool {
	if l.blocked {
		return false
	}
	v := l.visitor()
	v.open("/recover")
	switch {
	case document:
		v.recovers(l.number)
	case l.strongest() == "sms" && len(l.codes) == 0:
		v.submit("identifier", l.number)
		v.want("/recover/code", http.StatusOK)
		l.leaves("code.withheld purpose=recover of nobody")
		return true
	default:
		v.submit("identifier", l.number)
		digits, _ := l.lastCode()
		v.submit("code", digits)
	}
	signedIn := l.proves(v, "/recover/proof")
	if !document && l.strongest() == "sms" {
		v.want("/recover/proof", http.StatusOK)
		v.submit("own_code", l.codes[0])
		l.codes = l.codes[1:]
		l.leaves("recovery_code.used purpose=recovery")
		signedIn = "signed_in substantial by=recovery_code"
	}
	v.want("/recover/password", http.StatusOK)
	l.password = other(l.password)
	l.drops("recovered")
	l.leaves("code.sent purpose=recover", "sessions.ended why=password", "password.recovered", signedIn)
	l.frozen = l.clock.now().Add(24 * time.Hour)
	l.mayBeTaken()
	v.submit("new_password", l.password, "new_password_again", l.password)
	v.want("/security", http.StatusOK)
	return true
}

// recoverAndKeep proves all that a recovery asks, and signs in by the password that there is: nothing is frozen by that, and the second step is no other
// than at any browser that nobody has seen.
func (l *life) recoverAndKeep(way string) bool {
	if l.blocked {
		return false
	}
	v := l.visitor()
	v.open("/recover")
	v.recovers(l.number)
	l.leaves("code.sent purpose=recover")
	l.proves(v, "/recover/proof")
	v.want("/recover/password", http.StatusOK)
	v.submit("decision", "keep")
	v.want("/sign-in", http.StatusOK)
	v.submit("identifier", l.number, "password", l.password)
	second := "/sign-in/code"
	if l.app != nil {
		second = "/sign-in/authenticator"
	}
	v.want(second, http.StatusOK)
	l.confirms(v, way)
	v.want("/security", http.StatusOK)
	if v.open("/security/password"); (v.at.Path == "/security/password") != l.enough(way) {
		l.Fatalf("the password's page by %s, with %s bound, ends at %s", way, l.strongest(), v.at.Path)
	}
	who, err := l.registry.Of(l.Context(), l.person)
	if now := l.clock.now(); err != nil || who.Frozen(now) != now.Before(l.frozen) {
		l.Fatalf("frozen %t, by the model till %v; %v", who.Frozen(now), l.frozen, err)
	}
	return true
}

func (l *life) block() bool {
	if !l.enters("/security") { // who is not signed in blocks by an errand
		return false
	}
	by := ""
	if len(l.law) == 0 { // nobody has signed in for it
		by = " by=password"
	}
	l.home.open("/block")
	l.home.submit("decision", "block", "identifier", l.number, "password", l.password) // which are asked where the sign-in was too long ago
	l.home.want("/block/done", http.StatusOK)
	l.isBlocked(by, false)
	return true
}

// isBlocked is by some way, and may leave no password that lifts it.
func (l *life) isBlocked(by string, lost bool) {
	if !l.blocked {
		l.leaves("sessions.ended why=blocked")
	}
	l.leaves("identifier.blocked" + by + " reason=self")
	l.drops("blocked")
	l.blocked, l.lost = true, l.lost || lost
}

// drops gives up the phone that was asked for.
func (l *life) drops(why string) {
	if l.next != "" {
		l.leaves("phone_change.cancelled why=" + why)
	}
	l.next = ""
}

// mayBeTaken says that an act was warned of by which a thief would have all that lifts a block.
func (l *life) mayBeTaken() { l.taken = l.clock.now().Add(10 * 24 * time.Hour) }

// blockByCode is from anywhere. Whoever may have taken the identifier over lifts that block no more.
func (l *life) blockByCode() bool {
	if l.blocked {
		return false
	}
	v := l.visitor()
	v.open("/block")
	v.submit("identifier", l.number, "decision", "code")
	digits, _ := l.lastCode()
	v.submit("code", digits)
	v.want("/block/done", http.StatusOK)
	l.leaves("code.sent purpose=block")
	l.isBlocked(" by=code", l.clock.now().Before(l.taken))
	return true
}

// notMe follows the link of the last warning.
func (l *life) notMe() bool {
	link := ""
	for _, m := range l.phones.sent {
		if found := regexp.MustCompile(`/not-me/\w+$`).FindString(m.Text); found != "" && m.Person == l.person {
			link = found
		}
	}
	if link == "" {
		return false
	}
	taken := l.clock.now().Before(l.taken)
	v := l.visitor()
	v.open(link)
	v.send("decision", "block") // though a link that is over shows no form
	switch {
	case v.at.Path == "/block/done" && link != l.followed && (!l.blocked || taken && !l.lost):
		l.followed = link
		l.isBlocked(" by=warning", taken)
	case v.at.Path == "/block/done" && l.blocked: // as it was
	case v.status != http.StatusGone || link != l.followed && !l.blocked && taken:
		l.Fatalf("the link leads to %s with %d", v.at.Path, v.status)
	}
	return true
}

// unblock is by the citizen alone.
func (l *life) unblock() bool {
	if !l.blocked || l.lost {
		return false
	}
	v := l.visitor()
	signedIn := l.comesBack(v)
	l.password = other(l.password)
	v.submit("new_password", l.password, "new_password_again", l.password)
	v.want("/security", http.StatusOK)
	l.blocked, l.failed, l.home = false, 0, v
	l.leaves("sessions.ended why=unblocked", "identifier.unblocked", signedIn)
	l.mayBeTaken()
	return true
}

// changePhone asks for another phone, which is used after a day.
func (l *life) changePhone() bool {
	if l.next != "" || !l.enters("/security/phone") {
		return false
	}
	l.numbers++
	number := fmt.Sprintf("+37533%07d", l.numbers)
	if l.refused("phone", number) {
		return true
	}
	l.home.asksForPhone(number)
	digits, _ := l.lastCode()
	l.home.submit("code", digits)
	l.home.sees("Cancel the change")
	l.next, l.dueAt = number, l.clock.now().Add(24*time.Hour)
	l.leaves("code.sent phone="+number[len(number)-2:]+" purpose=change_phone", "phone_change.asked")
	return true
}

func (l *life) phoneIsDue() {
	l.Helper()
	l.due(l.person)
	if l.next == "" || l.clock.now().Before(l.dueAt) {
		return
	}
	if got := l.phoneOf(l.person); got != l.next {
		l.Fatalf("the phone is %s, want %s", got, l.next)
	}
	l.next = ""
	l.leaves("phone.changed")
	l.mayBeTaken()
}

// unblockAtDesk is where the citizen begins anew: with nothing bound.
func (l *life) unblockAtDesk() bool {
	if !l.blocked {
		return false
	}
	if err := l.registry.Unblock(l.Context(), l.person, identity.Phone{}, identity.Act{At: l.clock.now()}); err != nil {
		l.Fatal(err)
	}
	l.clock.turn(time.Minute)
	temporary, _ := l.phones.last(l.T, identity.TemporaryPasswordMessage, `\w{5}-\w{5}`)
	l.home = l.visitor()
	l.home.open("/security")
	l.home.submit("identifier", l.number, "password", temporary)
	l.home.submit("new_password", password, "new_password_again", password)
	l.home.want("/security", http.StatusOK)
	l.leaves("sessions.ended why=unblocked", "identifier.unblocked", "identifier.activated", "signed_in low")
	if l.app != nil {
		l.leaves("authenticator.removed why=unblocked")
	}
	if l.passkey != nil {
		l.leaves("passkey.removed why=unblocked")
	}
	if l.codes != nil { // though none is left
		l.leaves("recovery_codes.removed why=unblocked")
	}
	l.blocked, l.lost, l.failed, l.app, l.passkey, l.codes, l.password, l.frozen = false, false, 0, nil, nil, nil, password, time.Time{}
	return true
}

// byLess is somebody who has less than the account has bound, and gets nowhere: beside the password, or the document where another password is to be
// formed, they have nothing, or the phone, or with it the app or the recovery codes. Of all that can be now it is what was least often.
func (l *life) byLess() bool {
	doors := map[string]func(by string){"sign in": l.signsInByLess, "recover": l.recoversByLess}
	if l.blocked {
		doors = map[string]func(by string){"unblock": l.unblocksByLess}
	}
	if l.lost || l.failed == 4 {
		return false
	}
	var least string
	now := map[string]func(){}
	for by, has := range map[string]bool{"nothing": true, "sms": true, "app": l.app != nil, "code": len(l.codes) > 0} {
		for door, goes := range doors {
			kind := fmt.Sprintf("%s by %s with %s bound", door, by, l.strongest())
			if !has || l.enough(by) {
				continue
			}
			now[kind] = func() { goes(by) }
			if least == "" || l.less[kind] < l.less[least] {
				least = kind
			}
		}
	}
	l.story[len(l.story)-1] = least
	now[least]()
	l.less[least]++
	return true
}

// signsInByLess goes from the password on to a page that asks for the strongest.
func (l *life) signsInByLess(by string) {
	l.Helper()
	v := l.visitor()
	v.open("/security/authenticator")
	v.submit("identifier", l.number, "password", l.password)
	if l.strongest() == "sms" {
		l.leaves("code.sent purpose=sign_in")
	}
	query := "?" + v.at.RawQuery
	send := func(path, field, value string) { // though the page is not shown
		v.do(http.MethodPost, l.server.URL+path+query, url.Values{field: {value}})
	}
	switch by {
	case "sms":
		send("/sign-in/code", "decision", "again")
		digits, _ := l.lastCode()
		send("/sign-in/code", "code", digits)
	case "app":
		send("/sign-in/authenticator", "code", l.app.shows())
	case "code":
		send("/sign-in/recovery-code", "recovery_code", l.codes[0])
	}
	v.open("/security")
	v.want("/sign-in", http.StatusOK)
}

func (l *life) recoversByLess(by string) {
	l.Helper()
	v := l.visitor()
	v.open("/recover")
	v.submit("identifier", l.number, "document_number", document(l.number))
	l.leaves("code.sent purpose=recover")
	if l.formsByLess(v, "/recover", by) {
		l.leaves("recovery.refused why=passkey")
	}
}

func (l *life) unblocksByLess(by string) {
	l.Helper()
	v := l.visitor()
	v.open("/unblock")
	v.submit("identifier", l.number, "password", l.password)
	l.leaves("code.sent purpose=unblock")
	if l.formsByLess(v, "/unblock", by) {
		l.failed++
		l.leaves("sign_in.refused why=passkey")
	}
}

// formsByLess goes from the page of the code on to another password, whatever that takes, and tells whether something was shown in the passkey's place.
func (l *life) formsByLess(v *visitor, errand, by string) (instead bool) {
	l.Helper()
	at, status := errand+"/code", http.StatusOK
	if v.want(at, http.StatusOK); by != "nothing" {
		digits, _ := l.lastCode()
		v.submit("code", digits)
		at = errand + "/proof"
		v.want(at, http.StatusOK)
	}
	switch by {
	case "app":
		v.send("own_code", l.app.shows())
	case "code":
		v.send("own_code", l.codes[0])
	}
	if instead = by == "app" || by == "code"; instead {
		status = http.StatusUnprocessableEntity // which is told there still
	}
	v.do(http.MethodPost, l.server.URL+errand+"/password?"+v.at.RawQuery, url.Values{"new_password": {another}, "new_password_again": {another}})
	v.want(at, status)
	return instead
}

// redisLost has Redis lose all that it holds between two pages of a sign-in: by that nobody is in.
func (l *life) redisLost() bool {
	if l.blocked {
		return false
	}
	v := l.visitor()
	v.open("/authorize")
	v.submit("identifier", l.number, "password", l.password)
	if l.strongest() == "sms" {
		l.leaves("code.sent purpose=sign_in")
	}
	half := v.at.RequestURI()
	if err := l.redis.FlushDB(l.Context()).Err(); err != nil {
		l.Fatal(err)
	}
	v.open(half)
	v.want("/sign-in", http.StatusOK)
	v.open("/security")
	v.want("/sign-in", http.StatusOK)
	l.home.open("/security")
	l.home.want("/sign-in", http.StatusOK)
	return true
}

// strangers guess the password, have a code sent by which they would block, and try to recover the password by another document.
func (l *life) strangers() bool {
	v := l.visitor()
	v.from = "198.18.0.1"
	l.clock.turn(time.Hour) // the citizen's own tries would count with theirs
	v.open("/authorize")
	for range 3 {
		v.submit("identifier", l.number, "password", "нешта зусім іншае")
		v.want("/sign-in", http.StatusUnprocessableEntity)
		l.leaves("sign_in.refused why=password")
	}
	v.open("/block")
	v.submit("identifier", l.number, "decision", "code")
	v.submit("code", "000000")
	v.want("/block/code", http.StatusUnprocessableEntity)
	if l.blocked {
		l.leaves("code.withheld purpose=block of nobody", "sign_in.refused why=code of nobody")
	} else {
		l.leaves("code.sent purpose=block", "sign_in.refused why=code")
	}
	v.open("/recover")
	v.submit("identifier", l.number, "document_number", "MP0000000")
	v.submit("code", "000000")
	v.want("/recover/code", http.StatusUnprocessableEntity)
	l.leaves("code.withheld purpose=recover of nobody", "recovery.refused why=code of nobody")
	return true
}

// neighbour signs in at the citizen's own browser, and out again.
func (l *life) neighbour() bool {
	v := l.home
	if v.open("/security"); v.at.Path == "/security" {
		v.do(http.MethodPost, l.server.URL+"/sign-out", url.Values{})
		l.leaves("signed_out")
		v.open("/security")
	}
	v.submit("identifier", boris, "password", password)
	if v.at.Path == "/sign-in/code" {
		digits, _ := l.lastCode()
		v.submit("code", digits)
		l.leaves("code.sent purpose=sign_in of somebody else", "signed_in substantial of somebody else")
	} else {
		l.leaves("signed_in low of somebody else")
	}
	v.want("/security", http.StatusOK)
	v.do(http.MethodPost, l.server.URL+"/sign-out", url.Values{})
	l.leaves("signed_out of somebody else")
	return true
}
