package desk_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"
	"pgregory.net/rapid"

	"asoba.example/login/account"
	"asoba.example/login/clerk"
	"asoba.example/login/code"
	"asoba.example/login/desk"
	"asoba.example/login/document"
	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
	"asoba.example/login/operator"
	"asoba.example/login/policy"
	"asoba.example/login/register"
	"asoba.example/login/throttle"
	"asoba.example/provider"
	"asoba.example/provider/audit"
	"asoba.example/provider/fetch"
	"asoba.example/provider/pair"
)

// A citizen is the model of one: what the law says of an identifier, and nothing of how it is kept.
type citizen struct {
	name     string
	person   uuid.UUID
	id       identity.Identifier
	stands   string // as identitytest.World.State tells it
	phone    int    // 0 is none
	password string
	till     time.Time // of a temporary password
	gone     bool      // by the register
	reissued time.Time // when a temporary password was sent anew
	next     int       // the phone that the citizen asks for himself; 0 is none
	due      time.Time // of that, once it is confirmed
	signIns  []signIn
}

// A signIn is one that was begun at a time, and whether it is still worth anything.
type signIn struct {
	at    time.Time
	holds bool
}

func (c *citizen) blocked() bool { return strings.HasPrefix(c.stands, "blocked:") }

// GoString names a citizen where a life that broke is told.
func (c *citizen) GoString() string { return c.name }

// end makes the sign-ins so far worth nothing.
func (c *citizen) end() {
	for i := range c.signIns {
		c.signIns[i].holds = false
	}
}

// is tells whether a citizen stands one of these ways.
func (c *citizen) is(stances ...string) bool { return slices.Contains(stances, c.stands) }

// An errand is a visit under way.
type errand struct {
	kind      desk.Errand
	id        uuid.UUID
	whose     *citizen
	phone     int
	openedAt  time.Time
	code      string
	codeTill  time.Time
	wrong     int // tries at the code
	confirmed bool
	done      bool
}

// A waiting is an issuance that was written down because the register of documents did not answer.
type waiting struct {
	*errand
	since     time.Time
	resumed   bool
	withdrawn bool
}

// A proposal is to block citizens for security.
type proposal struct {
	id    uuid.UUID
	whose []*citizen
	by    clerk.Clerk
	state pair.State
}

// GoString names a visit as GoString names citizens.
func (e *errand) GoString() string { return fmt.Sprintf("%s of %s", e.kind, e.whose.name) }

// A life is citizens, the visits they make, what the register of documents says of theirs, and the database that must say the same of them.
type life struct {
	*world
	t        *testing.T
	register register.Register
	editions int
	lives    int
	acts     int
	seen     uuid.UUID // the last event that was looked at

	operators  []clerk.Clerk
	supervisor desk.By
	blocks     *operator.Blocks

	citizens  []*citizen
	visits    []*errand
	pending   []*waiting
	proposals []*proposal
	requests  []request // that were done
	signed    []*signed // what was done with a signed paper
	documents *documents
	report    document.Report // what it says now
}

// Clerk, operators, citizen, register and clock act in any order: after each act the database says what the model says, no law is broken,
// and exactly the records of that act are there. It goes on for ten seconds; for longer, say
//
//	LIFE_FOR=10m go test -run AnyLife -timeout 20m ./login/desk -rapid.checks 10000
func TestAnyLifeOfAnIdentifierIsAsDrawn(t *testing.T) {
	t.Parallel()
	l := &life{world: newWorld(t), t: t, documents: new(documents)}
	others := httptest.NewServer(l.documents)
	t.Cleanup(others.Close)
	l.register = register.Register{Pool: l.Pool, Cascade: l.Registry.Deactivate, Restored: l.Registry.Restore}
	now := func() time.Time { return l.now }
	l.blocks = &operator.Blocks{Pool: l.Pool, Registry: l.Registry, Now: now}
	for range 2 {
		by, _ := l.clerk(t, clerk.Operator)
		l.operators = append(l.operators, by.Clerk)
	}
	l.Exec(t, `INSERT INTO policy (id, name, value, in_force_from, ground_title, ground_number, ground_date, state, author, proposed_at, decided_by, decided_at)
		VALUES ($1, 'reissue.per_person', '1 in 24h', $4, 'Rules', '1', '2026-11-22', 'approved', $2, $4, $3, $4)`,
		uuid.New(), l.operators[0].Person, l.operators[1].Person, identitytest.Noon)
	policies, err := policy.New(t.Context(), l.Pool, now)
	if err != nil {
		t.Fatal(err)
	}
	l.desk, err = desk.New(desk.Config{
		Pool: l.Pool, Box: l.Box, Registry: l.Registry, Outbox: l.Outbox, Policies: policies, Now: now,
		Documents: &document.Register{URL: others.URL, Caller: fetch.New(fetch.Config{AllowLoopback: true})},
		Throttle:  &throttle.Throttle{Redis: l.Redis, Key: []byte("key"), Relaxed: true, Now: now}, Metrics: prometheus.NewRegistry(),
		// Whoever makes so many visits is sent so many codes, and whoever lives so often does so many acts.
		Codes: &code.Codes{Redis: l.Redis, Key: []byte("key"), Outbox: l.Outbox, Pool: l.Pool, Say: l.Say, Now: now, Relaxed: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	l.supervisor, _ = l.clerk(t, clerk.Supervisor)
	_, himself := l.clerk(t, clerk.AtDesk)
	if l.by.Clerk, err = l.clerks.OnDuty(t.Context(), himself, time.Time{}); err != nil {
		t.Fatal(err)
	}
	long := 10 * time.Second
	if said := os.Getenv("LIFE_FOR"); said != "" {
		if long, err = time.ParseDuration(said); err != nil {
			t.Fatal(err)
		}
	}
	over, broken := time.Now().Add(long), false
	rapid.Check(t, func(rt *rapid.T) {
		if time.Now().After(over) && !broken { // what broke is made smaller to the end
			return
		}
		defer func() { broken = broken || rt.Failed() }()
		l.begin(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"open":                    l.open,
			"resume":                  l.resume,
			"withdraw":                l.withdraw,
			"resend":                  l.resend,
			"confirm":                 l.confirm,
			"assign":                  l.assign,
			"clerk serves himself":    func(rt *rapid.T) { l.serveOneself(rt, himself) },
			"reissue":                 l.reissue,
			"block":                   l.block,
			"unblock":                 l.unblock,
			"first sign-in":           l.activate,
			"sign in":                 l.signIn,
			"change password":         l.changePassword,
			"block by self":           l.blockSelf,
			"ask for a phone":         l.askPhone,
			"confirm own phone":       l.confirmPhone,
			"give own phone up":       l.cancelPhone,
			"own phone is due":        l.takePhone,
			"keep a paper":            l.keepPaper,
			"read a paper":            l.readPaper,
			"ask again":               l.askAgain,
			"propose a block":         l.propose,
			"decide on a block":       l.decide,
			"edition of the register": l.edition,
			"clock":                   l.pass,
			"":                        l.check,
		})
	})
	t.Logf("%d acts in %d lives", l.acts, l.lives)
}

// begin has three new citizens, one with a temporary password and one with a static, and visits by nobody.
func (l *life) begin(rt *rapid.T) {
	l.now, l.citizens, l.visits, l.pending, l.proposals = identitytest.Noon.Add(time.Hour), nil, nil, nil, nil
	l.requests, l.signed = nil, nil
	l.lives++
	for n := range 3 {
		person, id := l.Person(l.t)
		c := &citizen{name: fmt.Sprintf("citizen %d", n), person: person, id: id, stands: "none"}
		l.citizens = append(l.citizens, c)
		if n == 0 {
			continue
		}
		a := l.Assignment(l.t, person, 1)
		a.Phone = l.number(n)
		if err := l.Registry.Issue(l.t.Context(), a, identity.Act{At: l.now}); err != nil {
			rt.Fatal(err)
		}
		c.phone = n
		l.temporary(c)
		if n == 1 {
			continue
		}
		if err := l.Registry.Activate(l.t.Context(), person, identitytest.Static, identity.Act{At: l.now}); err != nil {
			rt.Fatal(err)
		}
		c.stands, c.password = "active", identitytest.Static
	}
	l.records(rt)
	l.now = l.now.Add(time.Millisecond) // as an act takes
}

// somebody is one of the citizens.
func (l *life) somebody(rt *rapid.T) *citizen {
	return rapid.SampledFrom(l.citizens).Draw(rt, "citizen")
}

// something is one of the visits.
func (l *life) something(rt *rapid.T) *errand {
	if len(l.visits) == 0 {
		rt.Skip("nobody has come")
	}
	return rapid.SampledFrom(l.visits).Draw(rt, "visit")
}

// comes is how somebody comes to the desk, with a document that may be over.
func (l *life) comes(rt *rapid.T, c *citizen) (v desk.Papers, over bool) {
	l.ask(rt)
	over = rapid.IntRange(0, 9).Draw(rt, "document is over at 0") == 0
	v = visit(c.id)
	v.Document.ValidTill = "2099-12-31"
	if over {
		v.Document.ValidTill = "2026-11-21"
	}
	return v, over
}

// silent is what the register of documents says while it does not answer.
const silent document.Report = ""

// ask has the register of documents say something of whatever document it is asked about.
func (l *life) ask(rt *rapid.T) {
	l.report = rapid.SampledFrom([]document.Report{
		document.Valid, document.Valid, document.Valid, document.Unknown, document.Invalid, document.Anothers, silent,
	}).Draw(rt, "register of documents")
	l.documents.say(l.report)
}

// open opens a visit for something that a phone comes with.
func (l *life) open(rt *rapid.T) {
	opened := map[desk.Errand]string{
		desk.Issuance: "issuance.opened", desk.PhoneChange: "phone_change.opened", desk.Unblock: "unblock.opened", desk.Reissue: "reissue.opened",
	}
	c := l.somebody(rt)
	v, over := l.comes(rt, c)
	e := &errand{
		kind: rapid.SampledFrom([]desk.Errand{desk.Issuance, desk.PhoneChange, desk.Unblock, desk.Reissue}).Draw(rt, "errand"), whose: c, openedAt: l.now,
		phone: rapid.IntRange(1, 3).Draw(rt, "phone"),
	}
	refused := l.guard(e, over)
	switch {
	case refused != "":
	case l.report == silent && e.kind != desk.Issuance:
		refused = "away"
	case e.reissues() && l.often(c):
		refused = "too many"
	case !e.fits():
		refused = "wrong_state"
	}
	asks := l.asks(v, func(by desk.By, v desk.Papers) (uuid.UUID, error) {
		id, _, err := l.desk.Open(l.t.Context(), by, e.kind, desk.Opening{
			Papers: v, Names: identity.Names{Family: "Каваленка", Given: "Алена"}, Phone: l.number(e.phone),
		})
		return id, err
	})
	var err error
	e.id, err = asks.first()
	if refused != "" {
		l.refused(rt, c, err, refused)
		l.refusedAgain(rt, asks, err)
		return
	}
	l.requests = append(l.requests, asks.done(e.id))
	if l.report == silent {
		l.pending = append(l.pending, &waiting{errand: e, since: l.now})
		l.left(rt, err, "", record("issuance.pending", c, "clerk"))
		return
	}
	l.visits = append(l.visits, e)
	l.sent(e)
	l.left(rt, err, "", record(opened[e.kind], c, "clerk"), record("code.sent", c, ""))
}

// serving is the guard that refuses to serve somebody at all. What gives access to an identifier that exists needs a word for the document.
func (l *life) serving(c *citizen, over, issuing bool) string {
	switch {
	case over:
		return "g1"
	case c.gone:
		return "g6"
	case l.report == document.Invalid || l.report == document.Anothers || l.report == document.Unknown && !issuing:
		return "g7"
	}
	return ""
}

// guard is the one that refuses an errand, but for the confirmation of its phone.
func (l *life) guard(e *errand, over bool) string {
	if refused := l.serving(e.whose, over, e.kind == desk.Issuance); refused != "" {
		return refused
	}
	if e.kind == desk.Issuance && !e.whose.is("none") {
		return "g2"
	}
	if other := l.owner(e); other != nil && !other.blocked() || l.held(e.whose, e.phone) {
		return "g4"
	}
	return ""
}

// owner is another citizen who has the phone of an errand.
func (l *life) owner(e *errand) *citizen {
	for _, other := range l.citizens {
		if other != e.whose && other.phone == e.phone {
			return other
		}
	}
	return nil
}

// fits tells whether an errand is one for how its citizen stands.
func (e *errand) fits() bool {
	switch e.kind {
	case desk.PhoneChange:
		return e.whose.is("temporary", "active") && e.whose.phone != e.phone
	case desk.Unblock:
		return e.whose.blocked()
	case desk.Reissue:
		return e.whose.is("temporary")
	default:
		return true
	}
}

// resume goes on with an issuance that was written down, when its citizen has come again.
func (l *life) resume(rt *rapid.T) {
	if len(l.pending) == 0 {
		rt.Skip("nobody waits")
	}
	p := rapid.SampledFrom(l.pending).Draw(rt, "pending")
	l.ask(rt)
	_, err := l.desk.Resume(l.t.Context(), l.by, p.id, []desk.Attestation{desk.Holder, desk.Particulars, desk.PhoneUse})
	switch refused := l.guard(p.errand, false); {
	case p.withdrawn, p.resumed && l.over(p.errand) || !p.resumed && l.now.Sub(p.since) > policy.PendingFor.In(nil):
		l.left(rt, err, "visit over")
	case p.resumed:
		l.left(rt, err, "")
	case refused != "":
		l.refused(rt, p.whose, err, refused)
	case l.report == silent:
		l.left(rt, err, "") // it goes on waiting
	default:
		p.resumed, p.openedAt = true, l.now
		l.visits = append(l.visits, p.errand)
		l.sent(p.errand)
		l.left(rt, err, "", record("issuance.opened", p.whose, "clerk"), record("code.sent", p.whose, ""))
	}
}

// withdraw ends an issuance that was written down and that nobody is to go on with.
func (l *life) withdraw(rt *rapid.T) {
	if len(l.pending) == 0 {
		rt.Skip("nobody waits")
	}
	p := rapid.SampledFrom(l.pending).Draw(rt, "pending")
	err := l.desk.Withdraw(l.t.Context(), l.by, p.id)
	switch {
	case p.resumed:
		l.left(rt, err, "no visit")
	case p.withdrawn: // who asks again is told the same
		l.left(rt, err, "")
	case l.now.Sub(p.since) > policy.PendingFor.In(nil):
		l.left(rt, err, "visit over")
	default:
		p.withdrawn = true
		l.left(rt, err, "", record("issuance.withdrawn", p.whose, "clerk"))
	}
}

func (l *life) resend(rt *rapid.T) {
	e := l.something(rt)
	_, err := l.desk.Resend(l.t.Context(), l.by, e.kind, e.id)
	if e.done || l.over(e) {
		l.left(rt, err, "visit over")
		return
	}
	l.sent(e)
	l.left(rt, err, "", record("code.sent", e.whose, ""))
}

// sent is that a code went out for a visit: those of the citizen's other visits are over.
func (l *life) sent(e *errand) {
	for _, other := range l.visits {
		if other.whose == e.whose {
			other.codeTill = time.Time{}
		}
	}
	e.code, e.codeTill, e.wrong = l.Said("Code"), l.now.Add(5*time.Minute), 0
}

// over tells whether a visit has taken too long to come to its end.
func (l *life) over(e *errand) bool { return !e.done && l.now.Sub(e.openedAt) > 2*time.Hour }

func (l *life) confirm(rt *rapid.T) {
	e := l.something(rt)
	typed, right := e.code, rapid.IntRange(0, 3).Draw(rt, "code is wrong at 0") > 0
	if !right {
		typed = fmt.Sprintf("%06d", (digits(typed)+1)%1_000_000)
	}
	err := l.desk.ConfirmPhone(l.t.Context(), l.by, e.kind, e.id, typed)
	switch {
	case l.over(e):
		l.left(rt, err, "visit over")
	case e.confirmed:
		l.left(rt, err, "")
	case e.wrong == 5 || !l.now.Before(e.codeTill):
		l.left(rt, err, "code over")
	case right:
		e.confirmed, e.wrong = true, 5 // the code was good once
		l.left(rt, err, "", record("phone.confirmed", e.whose, "clerk"))
	default:
		if e.wrong++; e.wrong == 5 {
			l.left(rt, err, "code over")
			return
		}
		l.left(rt, err, "wrong code")
	}
}

func digits(code string) (n int) {
	for _, c := range code {
		n = 10*n + int(c-'0')
	}
	return n
}

// assign ends a visit with what it is for. A phone that a blocked identifier had goes to who has confirmed it.
func (l *life) assign(rt *rapid.T) {
	e := l.something(rt)
	c := e.whose
	l.ask(rt) // what it said at the opening holds while it is away
	_, err := l.desk.Assign(l.t.Context(), l.by, e.kind, e.id)
	if l.over(e) {
		l.left(rt, err, "visit over")
		return
	}
	if e.done { // who asks again is told the same
		l.left(rt, err, "")
		return
	}
	refused := l.guard(e, false)
	switch {
	case refused != "":
	case !e.confirmed:
		refused = "g3"
	case e.reissues() && l.often(c):
		refused = "too many"
	case !e.fits():
		refused = "wrong_state"
	}
	if refused != "" {
		l.refused(rt, c, err, refused)
		return
	}
	var records []string
	if former := l.owner(e); former != nil {
		former.phone = 0
		records = append(records, record("phone.released", former, "clerk"))
	}
	if e.kind != desk.Issuance && c.phone != e.phone {
		records = append(records, record("phone.changed", c, "clerk"))
		records = append(records, c.drop("clerk", "why=desk")...)
	}
	e.done, c.phone = true, e.phone
	l.signed = append(l.signed, &signed{act: e.id, whose: c})
	if e.reissues() {
		c.reissued = l.now
	}
	switch e.kind { //nolint:exhaustive // a block is no visit, and a change of phone is on record already
	case desk.Issuance:
		records = append(records, record("identifier.issued", c, "clerk"))
	case desk.Unblock:
		c.end()
		records = append(records, record("sessions.ended", c, "", "why=unblocked"), record("identifier.unblocked", c, "clerk"))
	case desk.Reissue:
		records = append(records, record("password.reissued", c, "clerk"))
	}
	if !c.is("active") {
		l.temporary(c)
	}
	l.left(rt, err, "", records...)
}

// reissues tells whether an errand sends a temporary password anew.
func (e *errand) reissues() bool {
	return e.kind == desk.Unblock || e.kind == desk.Reissue || e.kind == desk.PhoneChange && e.whose.is("temporary")
}

// often tells whether a citizen was sent one within a day, more than which is not settled here.
func (l *life) often(c *citizen) bool { return l.now.Sub(c.reissued) < 24*time.Hour }

// temporary is that a temporary password went out.
func (l *life) temporary(c *citizen) {
	c.stands, c.password, c.till = "temporary", l.Said("Password"), l.now.Add(72*time.Hour)
}

func (l *life) serveOneself(rt *rapid.T, himself identity.Identifier) {
	clerk := &citizen{name: "clerk", id: himself}
	v, _ := l.comes(rt, clerk)
	_, err := l.desk.Block(l.t.Context(), l.by, v)
	l.left(rt, err, "g9", l.refusal(clerk, "g9"))
}

func (l *life) reissue(rt *rapid.T) {
	c := l.somebody(rt)
	v, over := l.comes(rt, c)
	asks := l.asks(v, l.done(l.desk.Reissue))
	act, err := asks.first()
	if l.refuses(rt, asks, c, err, l.anew(c, over), "temporary") {
		return
	}
	l.keep(asks, act, c)
	c.reissued = l.now
	l.temporary(c)
	l.left(rt, err, "", record("password.reissued", c, "clerk"))
}

func (l *life) block(rt *rapid.T) {
	c := l.somebody(rt)
	v, over := l.comes(rt, c)
	asks := l.asks(v, l.done(l.desk.Block))
	act, err := asks.first()
	guard := ""
	switch { // it waits for no register, and is for the dead too
	case over:
		guard = "g1"
	case l.report == document.Invalid || l.report == document.Anothers:
		guard = "g7"
	}
	if l.refuses(rt, asks, c, err, guard, "temporary", "active") {
		return
	}
	l.keep(asks, act, c)
	c.stands = "blocked:desk"
	c.end()
	l.left(rt, err, "", append(c.drop("clerk", "why=blocked"),
		record("sessions.ended", c, "", "why=blocked"), record("identifier.blocked", c, "clerk", "reason=desk"))...)
}

func (l *life) unblock(rt *rapid.T) {
	c := l.somebody(rt)
	v, over := l.comes(rt, c)
	asks := l.asks(v, l.done(l.desk.Unblock))
	act, err := asks.first()
	guard := l.anew(c, over)
	if guard == "" && c.is("blocked:self", "blocked:desk", "blocked:security") && c.phone == 0 {
		guard = "g3" // another has it now
	}
	if l.refuses(rt, asks, c, err, guard, "blocked:self", "blocked:desk", "blocked:security") {
		return
	}
	l.keep(asks, act, c)
	c.reissued = l.now
	l.temporary(c)
	c.end()
	l.left(rt, err, "", record("sessions.ended", c, "", "why=unblocked"), record("identifier.unblocked", c, "clerk"))
}

// refuses tells whether the desk must refuse an act, and holds that it did, and does once more.
func (l *life) refuses(rt *rapid.T, asks request, c *citizen, err error, guard string, from ...string) bool {
	if guard == "" && !c.is(from...) {
		guard = "wrong_state"
	}
	if guard != "" {
		l.refused(rt, c, err, guard)
		l.refusedAgain(rt, asks, err)
	}
	return guard != ""
}

// anew is what refuses a temporary password that is to be sent anew: a guard; or that the register of documents is
// away; or that one was sent.
func (l *life) anew(c *citizen, over bool) string {
	switch guard := l.serving(c, over, false); {
	case guard != "":
		return guard
	case l.report == silent:
		return "away"
	case l.often(c):
		return "too many"
	}
	return ""
}

// refused holds that an act was refused, and that this is on record where something was decided.
func (l *life) refused(rt *rapid.T, c *citizen, err error, why string) {
	rt.Helper()
	switch why {
	case "away":
		l.left(rt, err, why)
	case "too many":
		l.left(rt, err, why, l.refusal(c, "too_many_reissues"))
	default:
		l.left(rt, err, why, l.refusal(c, why))
	}
}

func (l *life) refusal(c *citizen, code string) string {
	return record("desk.refused", c, "clerk", "code="+code)
}

// typed is a password as a citizen types it, and whether it is the one that is good now.
func (l *life) typed(rt *rapid.T, c *citizen) (password string, good bool) {
	if rapid.IntRange(0, 3).Draw(rt, "password is wrong at 0") == 0 {
		return "wrong", false
	}
	return c.password, c.is("active") || c.is("temporary") && l.now.Before(c.till)
}

// activate is a first sign-in; who is past that only proves the password.
func (l *life) activate(rt *rapid.T) {
	c, ctx := l.somebody(rt), l.t.Context()
	password, good := l.typed(rt, c)
	_, err := l.Registry.Check(ctx, c.id, password, identity.AtHome, identity.Act{At: l.now})
	if !good {
		l.left(rt, err, "wrong password", record("sign_in.refused", c, "", "why=password"))
		return
	}
	if err != nil {
		rt.Fatal(err)
	}
	static := rapid.SampledFrom([]string{identitytest.Static, password + password, "короткий"}).Draw(rt, "static password")
	err = l.Registry.Activate(ctx, c.person, static, identity.Act{At: l.now})
	switch {
	case !c.is("temporary"):
		l.left(rt, err, "wrong_state")
	case static != identitytest.Static:
		l.left(rt, err, "weak")
	default:
		c.stands, c.password = "active", static
		l.left(rt, err, "", record("identifier.activated", c, ""))
	}
}

// signIn begins a sign-in, as what was proved a while ago.
func (l *life) signIn(rt *rapid.T) {
	c, ctx := l.somebody(rt), l.t.Context()
	password, good := l.typed(rt, c)
	who, err := l.Registry.Check(ctx, c.id, password, identity.AtHome, identity.Act{At: l.now})
	if !good {
		l.left(rt, err, "wrong password", record("sign_in.refused", c, "", "why=password"))
		return
	}
	if err != nil {
		rt.Fatal(err)
	}
	if c.is("active") && rapid.IntRange(0, 3).Draw(rt, "something comes between at 0") == 0 {
		l.changePasswordOf(rt, c)
	}
	l.beginSignIn(rt, c, who.ChangedAt, c.is("active") && c.password == password)
}

// beginSignIn begins a sign-in by what was proved when the identifier was last changed at a time.
func (l *life) beginSignIn(rt *rapid.T, c *citizen, changed time.Time, good bool) {
	var at time.Time
	err := pgx.BeginFunc(l.t.Context(), l.Pool, func(tx pgx.Tx) (err error) {
		at, _, err = identity.SignIn(l.t.Context(), tx, c.person, changed, l.now)
		return err
	})
	if !good {
		l.left(rt, err, "wrong_state")
		return
	}
	c.signIns = append(c.signIns, signIn{at, true})
	l.left(rt, err, "") // the record is the door's
}

func (l *life) changePassword(rt *rapid.T) { l.changePasswordOf(rt, l.somebody(rt)) }

func (l *life) changePasswordOf(rt *rapid.T, c *citizen) {
	password, good := l.typed(rt, c)
	static := fmt.Sprintf("%s %d", identitytest.Static, l.now.UnixNano())
	err := l.Registry.ChangePassword(l.t.Context(), c.person, password, static, identity.Act{At: l.now})
	switch {
	case !c.is("active"):
		l.left(rt, err, "wrong_state")
	case !good:
		l.left(rt, err, "wrong password")
	case c.password == static:
		l.left(rt, err, "weak")
	default:
		c.password = static
		c.end()
		l.left(rt, err, "", record("sessions.ended", c, "", "why=password"), record("password.changed", c, ""))
		who, err := l.Registry.Of(l.t.Context(), c.person)
		if err != nil {
			rt.Fatal(err)
		}
		l.beginSignIn(rt, c, who.ChangedAt, true) // who changed it stays signed in
	}
}

func (l *life) blockSelf(rt *rapid.T) {
	c := l.somebody(rt)
	err := l.Registry.Block(l.t.Context(), c.person, identity.Self, identity.Act{At: l.now})
	if !c.is("active") {
		l.left(rt, err, "wrong_state")
		return
	}
	c.stands = "blocked:self"
	c.end()
	l.left(rt, err, "", append(c.drop("", "why=blocked"),
		record("sessions.ended", c, "", "why=blocked"), record("identifier.blocked", c, "", "reason=self"))...)
}

// propose has an operator propose to block citizens for security.
func (l *life) propose(rt *rapid.T) {
	p := &proposal{by: l.operator(rt), state: pair.Open}
	meaning := ""
	var ids []identity.Identifier
	for _, c := range l.citizens {
		if !rapid.Bool().Draw(rt, "names "+c.name) {
			continue
		}
		p.whose, ids = append(p.whose, c), append(ids, c.id)
		if c.is("none") {
			meaning = "nobody's"
		}
	}
	if ids == nil {
		rt.Skip("it names nobody")
	}
	open := slices.IndexFunc(l.proposals, func(o *proposal) bool {
		return o.state == pair.Open && o.by == p.by && slices.Equal(o.whose, p.whose)
	})
	proposed, err := l.blocks.Propose(l.t.Context(), p.by, operator.Takeover, identity.Basis{Number: "7", Date: "2026-11-22"}, ids)
	if meaning != "" {
		l.left(rt, err, meaning)
		return
	}
	if open >= 0 { // who asks again is told of the same
		if proposed.ID != l.proposals[open].id {
			rt.Errorf("proposed again: %s", proposed.ID)
		}
		l.left(rt, err, "")
		return
	}
	p.id = proposed.ID
	l.proposals = append(l.proposals, p)
	l.left(rt, err, "", record("security_block.proposed", nobody, l.named(p.by), "reason=takeover"))
}

// decide has an operator approve or refuse a proposal. Who was named meanwhile may stand as nobody can be blocked.
func (l *life) decide(rt *rapid.T) {
	if len(l.proposals) == 0 {
		rt.Skip("nothing is proposed")
	}
	p, by := rapid.SampledFrom(l.proposals).Draw(rt, "proposal"), l.operator(rt)
	to, do := pair.Refused, l.blocks.Refuse
	if rapid.IntRange(0, 2).Draw(rt, "refuse at 0") > 0 {
		to, do = pair.Approved, l.blocks.Approve
	}
	_, err := do(l.t.Context(), by, p.id)
	switch {
	case p.state == to && p.by != by: // there are two of them: who asks again is told the same
		l.left(rt, err, "")
		return
	case p.state != pair.Open:
		l.left(rt, err, "decided")
		return
	case p.by == by:
		l.left(rt, err, "own")
		return
	}
	p.state = to
	records := []string{record("security_block."+string(to), nobody, l.named(by), "reason=takeover")}
	for _, c := range p.whose {
		if to == pair.Refused || !c.is("temporary", "active") {
			continue
		}
		c.stands = "blocked:security"
		c.end()
		records = append(records, c.drop(l.named(by), "why=blocked")...)
		records = append(records, record("sessions.ended", c, "", "why=blocked"), record("identifier.blocked", c, l.named(by), "reason=security"))
	}
	l.left(rt, err, "", records...)
}

func (l *life) operator(rt *rapid.T) clerk.Clerk {
	return rapid.SampledFrom(l.operators).Draw(rt, "operator")
}

// named is one of the staff by name; "" for whoever is none.
func (l *life) named(by clerk.Clerk) string {
	if i := slices.Index(l.operators, by); i >= 0 {
		return fmt.Sprint("operator ", i)
	}
	return map[clerk.Clerk]string{l.by.Clerk: "clerk", l.supervisor.Clerk: "supervisor"}[by]
}

// nobody is whom an event is of that is of no citizen.
var nobody = &citizen{name: "nobody"}

// edition is one of the register, in which some have died and some were found alive.
func (l *life) edition(rt *rapid.T) {
	const head = "# country BY\n# edition %d\n# period %s\n# rows %d\n" +
		"identification_number,sex,birth_date,citizenship,death_date,death_act,declared_dead_date,declared_dead_act," +
		"missing_date,missing_act,incapable_date,incapable_act,limited_date,limited_act\n"
	const (
		nothing   = ",,,,,,,,,"
		dead      = "1990-01-01,a,,,,,,,,"
		declared  = ",,1990-01-01,a,,,,,,"
		missing   = ",,,,1990-01-01,a,,,,"
		incapable = ",,,,,,1990-01-01,a,,"
	)
	facts := []string{nothing, incapable, dead, declared, missing}
	l.editions++
	month := time.Date(1990, time.January, 1, 0, 0, 0, 0, time.UTC).AddDate(0, l.editions, 0) // each is after the one before
	file := fmt.Sprintf(head, l.editions, month.Format("2006-01"), len(l.citizens))
	events := []string{record("edition.applied", nobody, "")}
	for _, c := range l.citizens {
		fact := rapid.SampledFrom(facts).Draw(rt, "facts of "+c.name)
		file += c.id.Reveal() + ",F,1956-03-08,BY," + fact + "\n"
		was := c.gone
		c.gone = fact != nothing && fact != incapable
		switch {
		case c.gone && !was && c.is("temporary", "active", "blocked:self"):
			c.stands = "blocked:register"
			c.end()
			events = append(events, c.drop("", "why=blocked")...)
			events = append(events, record("sessions.ended", c, "", "why=deactivated"), record("identifier.blocked", c, "", "reason=register"))
		case c.gone && !was && !c.is("none"): // only the desk lifts the block that there is
			events = append(events, record("sessions.ended", c, "", "why=deactivated"))
		case !c.gone && was && c.is("blocked:register"):
			c.stands = "blocked:desk"
			events = append(events, record("identifier.blocked", c, "", "reason=desk"))
		}
	}
	load := func() error {
		report, err := l.register.Import(l.t.Context(), register.Order{File: strings.NewReader(file), At: l.now, Progress: func(int64, int64) {}})
		for _, row := range report.Bad {
			rt.Fatal(row)
		}
		return err
	}
	l.left(rt, load(), "", events...)
	l.left(rt, load(), "") // a second time it is the same one
}

func (l *life) pass(rt *rapid.T) {
	l.now = l.now.Add(rapid.SampledFrom([]time.Duration{300 * time.Millisecond, time.Second, 4 * time.Minute, time.Hour, 73 * time.Hour}).Draw(rt, "time"))
	if err := l.Registry.Expire(l.t.Context(), l.now); err != nil {
		rt.Fatal(err)
	}
}

// check holds that the database says what the model says, and that no law is broken by whatever way it came about.
func (l *life) check(rt *rapid.T) {
	const broken = `
		identity i JOIN person p ON p.id = i.person_id
		CROSS JOIN LATERAL (SELECT coalesce(p.death_date, p.declared_dead_date, p.missing_date) IS NOT NULL) AS register (gone)
		WHERE (i.state = 'blocked') <> (i.block_reason IS NOT NULL)
		   OR (i.state = 'temporary') <> (i.password_till IS NOT NULL)
		   OR i.state <> 'blocked' AND (coalesce(i.password_hash, i.password_till::text) IS NULL OR i.phone IS NULL OR gone)
		   OR i.password_hash IS NOT NULL AND i.password_till < $1::timestamptz - interval '1 minute'
		   OR coalesce(i.block_reason, '') = 'register' AND NOT gone
		   OR coalesce(i.block_reason, '') = 'self' AND gone
		   OR EXISTS (SELECT FROM identity other WHERE other.phone_index = i.phone_index AND other.person_id <> i.person_id)
		   OR EXISTS (SELECT FROM phone_change c WHERE c.phone_index = i.phone_index AND c.person_id <> i.person_id AND c.due_at IS NOT NULL)
		   OR EXISTS (SELECT FROM phone_change c WHERE c.person_id = i.person_id AND i.state <> 'active')`
	if n := l.Count(l.t, broken, l.now); n != 0 {
		rt.Fatalf("%d identifiers are as none may be", n)
	}
	for _, c := range l.citizens {
		who, err := l.Registry.Of(l.t.Context(), c.person)
		if err != nil {
			rt.Fatal(err)
		}
		stands := string(who.State)
		if who.BlockReason != "" {
			stands += ":" + string(who.BlockReason)
		}
		if stands != c.stands || who.Phone != l.number(c.phone) || c.is("temporary") && !who.PasswordTill.Equal(c.till) {
			rt.Fatalf("%s stands %s with phone %v till %s; by the law %s, %v, %s", c.name, stands, who.Phone, who.PasswordTill, c.stands, l.number(c.phone), c.till)
		}
		asked, err := l.Registry.PhoneChangeOf(l.t.Context(), c.person)
		if err != nil || asked.Phone != l.number(c.next) || !asked.DueAt.Equal(c.due) {
			rt.Fatalf("%s has asked for %v due %s; by the law %v, %s: %v", c.name, asked.Phone, asked.DueAt, l.number(c.next), c.due, err)
		}
		l.checkSignIns(rt, c)
	}
}

// checkSignIns holds that only those sign-ins are worth anything that nothing has ended, told in whole seconds too.
func (l *life) checkSignIns(rt *rapid.T, c *citizen) {
	var (
		b        pgx.Batch
		standing provider.Standing
	)
	account.Accounts{Box: l.Box}.Standing(&b, c.person, &standing)
	if err := l.Pool.SendBatch(l.t.Context(), &b).Close(); err != nil {
		rt.Fatal(err)
	}
	for _, s := range c.signIns {
		if s.holds != standing.Holds(s.at) || s.holds != standing.Holds(s.at.Truncate(time.Second)) {
			rt.Fatalf("%s, who stands %s: the sign-in of %s holds: %t, though sign-ins ended at %s", c.name, c.stands, s.at, !s.holds, standing.Ended)
		}
	}
}

// left holds what an act came to, and that it left exactly these records. An act takes its time.
func (l *life) left(rt *rapid.T, err error, meaning string, records ...string) {
	rt.Helper()
	l.now = l.now.Add(time.Millisecond)
	l.acts++
	got := l.records(rt)
	if meant(err) != meaning {
		rt.Fatalf("it came to %q (%v), by the law %q", meant(err), err, meaning)
	}
	slices.Sort(got)
	slices.Sort(records)
	if !slices.Equal(got, records) {
		rt.Fatalf("it left\n%s\nby the law\n%s", strings.Join(got, "\n"), strings.Join(records, "\n"))
	}
}

// records are those that were made since they were last looked at.
func (l *life) records(rt *rapid.T) (all []string) {
	const since = `
		SELECT id, kind, coalesce(person_id, $2), coalesce(clerk_id, $2), coalesce(detail, '{}') FROM event
		WHERE id > $1 AND kind <> $3 ORDER BY id`
	people := append(slices.Clone(l.citizens), &citizen{name: "clerk", person: l.by.Person}, nobody)
	staff := append(slices.Clone(l.operators), l.by.Clerk, l.supervisor.Clerk)
	var (
		whose, by uuid.UUID
		kind      string
		detail    map[string]string
	)
	rows, _ := l.Pool.Query(l.t.Context(), since, l.seen, uuid.Nil, audit.DeskAlerted) // so many acts at one desk are unusual
	_, err := pgx.ForEachRow(rows, []any{&l.seen, &kind, &whose, &by, &detail}, func() error {
		var why []string
		for _, name := range []string{"reason", "code", "why"} {
			if detail[name] != "" {
				why = append(why, name+"="+detail[name])
			}
		}
		i := slices.IndexFunc(people, func(c *citizen) bool { return c.person == whose })
		actor := ""
		if i := slices.IndexFunc(staff, func(c clerk.Clerk) bool { return c.Person == by }); i >= 0 {
			actor = l.named(staff[i])
		}
		if i >= 0 { // or of an earlier life
			all = append(all, record(kind, people[i], actor, why...))
		}
		clear(detail)
		return nil
	})
	if err != nil {
		rt.Fatal(err)
	}
	return all
}

// record is an event in words: what, of whom, by which of the staff, and why.
func record(kind string, c *citizen, by string, why ...string) string {
	return strings.TrimSpace(fmt.Sprintf("%s of %s by %s %s", kind, c.name, by, strings.Join(why, " ")))
}

// meant is what an error means.
func meant(err error) string {
	var (
		guard *desk.GuardError
		weak  *identity.WeakError
		often *desk.ReissueError
		none  *operator.StrangerError
		wait  *river.JobSnoozeError
	)
	switch {
	case err == nil:
		return ""
	case errors.As(err, &guard):
		return guard.Code
	case errors.As(err, &weak):
		return "weak"
	case errors.As(err, &often):
		return "too many"
	case errors.As(err, &none):
		return "nobody's"
	case errors.As(err, &wait):
		return "not yet"
	}
	for meaning, is := range map[string]error{
		"wrong_state": identity.ErrState, "wrong password": identity.ErrWrong, "visit over": desk.ErrOver, "wrong code": code.ErrWrong, "code over": code.ErrOver,
		"away": desk.ErrAway, "own": pair.ErrOwn, "decided": pair.ErrDecided, "taken": identity.ErrPhoneTaken, "reused": desk.ErrReused,
		"too many papers": desk.ErrPapers, "no paper": desk.ErrNoPaper, "no visit": desk.ErrNoVisit,
	} {
		if errors.Is(err, is) {
			return meaning
		}
	}
	return err.Error()
}

// number is a phone of this life's.
func (l *life) number(n int) identity.Phone {
	if n == 0 {
		return identity.Phone{}
	}
	phone, err := identity.ParsePhone(fmt.Sprintf("+37529%d", 2_000_000+10*l.lives+n))
	if err != nil {
		l.t.Fatal(err)
	}
	return phone
}
