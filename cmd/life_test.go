package cmd_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"asoba.example/cabinet/follow"
	"asoba.example/login"
	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
	"asoba.example/login/register"
	"asoba.example/login/register/registertest"
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
)

// A lives is the register, the identifiers and the cabinets that follow both, over their feed, and what is to be in all of them.
type lives struct {
	t              *testing.T
	world          *identitytest.World
	register       *register.Register
	provider       *pgxpool.Pool
	cabinet        *pgxpool.Pool
	trips          []*pgtest.Trips // of both
	feed           follow.Feed
	here           bool           // a follower is in this process too
	stop           func()         // of that one
	following      sync.WaitGroup // likewise
	process        *exec.Cmd      // another follower, to be killed
	clock          clock
	editions, told int
	phones         int             // that were given with an identifier
	asOf           time.Time       // of the last edition that said so
	people         []*one          // who is known
	taken          map[string]*one // numbers, of those too who had them before
}

// A clock is turned by the test, and read by the followers meanwhile.
type clock struct {
	mu sync.Mutex
	at time.Time // under mu
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) turn(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

// one is somebody as the model has them.
type one struct {
	registertest.Person
	identifier string    // "" for none, temporary, active, or blocked and for what reason
	signedIn   bool      // for the first time since they were new, or gone
	till       time.Time // a temporary password's end
}

// hears is that an event tells a row of somebody, as of a time.
func (p *one) hears(row string, at time.Time) {
	for _, end := range p.TakesBack(row) {
		p.Took = append(slices.Clip(p.Took), registertest.TookBack{End: end, At: at})
	}
	p.Made = time.Time{}
	p.says(row)
}

// says is that the register, or the operator, tells a row of somebody: whoever is gone is blocked, and does not come back without the desk, nor is
// the cabinet activated without another first sign-in.
func (p *one) says(row string) {
	p.Row, p.signedIn = row, p.signedIn && !registertest.Gone(row)
	switch {
	case registertest.Gone(row) && p.identifier != "" && p.identifier != "blocked:desk" && p.identifier != "blocked:security":
		p.identifier = "blocked:register"
	case !registertest.Gone(row) && p.identifier == "blocked:register":
		p.identifier = "blocked:desk"
	}
}

// cabinet is the state of theirs.
func (p *one) cabinet() string {
	switch {
	case registertest.Gone(p.Row):
		return "deactivated"
	case p.signedIn:
		return "activated"
	}
	return "not_activated"
}

// Editions and events come in any order, new and old; numbers become others, the operator restores people and undoes that, and some are issued
// identifiers and use them; statements fail on both sides, a follower's process is killed, and they start anew: in the end both
// databases say what the model says. It goes on for ten seconds.
func TestAnyLifeOfRegisterAndCabinets(t *testing.T) {
	if what := os.Getenv(untilKilled); what != "" {
		followUntilKilled(t, what)
		return
	}
	t.Parallel()
	over, broken := time.Now().Add(10*time.Second), false
	rapid.Check(t, func(rt *rapid.T) {
		if time.Now().After(over) && !broken { // what broke is made smaller to the end
			return
		}
		defer func() { broken = broken || rt.Failed() }()
		l := newLives(t, rt)
		defer l.close()
		l.edition(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"edition":          l.edition,
			"event":            l.event,
			"event, or more":   l.event,
			"another number":   l.renumber,
			"restore":          l.restore,
			"undo that":        l.undo,
			"identifier":       l.identify,
			"death":            func(rt *rapid.T) { l.dies(rt, false) },
			"overlooked death": func(rt *rapid.T) { l.dies(rt, true) },
			"kill the cabinet": func(*rapid.T) { l.kill() },
			"start anew": func(rt *rapid.T) {
				if err := l.does(rt, func() error { return follow.Anew(t.Context(), l.cabinet) }); err != nil {
					rt.Fatal(err)
				}
			},
		})
		l.dies(rt, false)
		l.dies(rt, true)
		l.check(t, rt)
	})
}

func newLives(t *testing.T, rt *rapid.T) *lives {
	l := &lives{t: t, world: identitytest.New(t), clock: clock{at: time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)}, taken: map[string]*one{}, trips: make([]*pgtest.Trips, 2)}
	l.provider, l.trips[0] = l.world.Pool, l.world.Trips
	l.cabinet, l.trips[1] = pgtest.CountingCabinet(t)
	identities := l.world.Registry
	l.register = &register.Register{
		Pool: l.provider, Cascade: identities.Deactivate, Restored: identities.Restore, Incapable: identities.Incapacitate, Renumbered: identities.Renumber,
	}
	mux := http.NewServeMux()
	login.People{Register: l.register, States: identities.States, Tokens: everybody{}}.Mount(mux)
	feed, sealer := audit.NewFeed(l.provider, l.provider), audit.Sealer{Pool: l.provider}
	mux.Handle("GET /changes", api.Handler(func(w http.ResponseWriter, r *http.Request) error {
		if err := sealer.Seal(r.Context()); err != nil {
			return err
		}
		after, err := audit.ParseCursor(r.URL.Query().Get("after"))
		if err != nil {
			return err
		}
		limit := api.Number(r, "limit", 0)
		if api.Number(r, "wait", 0) > 0 { // a follower gets a few at once, so that it may be killed between them
			limit = 3
		}
		over, cancel := context.WithTimeout(r.Context(), 20*time.Millisecond)
		defer cancel()
		entries, cursor, err := feed.Wait(r.Context(), over, after, limit)
		if dropped, gone := errors.AsType[*audit.DroppedError](err); gone {
			return api.Tell(http.StatusGone, "dropped", struct {
				Cursor audit.Cursor `json:"cursor"`
			}{dropped.Cursor}, err)
		}
		if err != nil {
			return err
		}
		return api.Write(w, http.StatusOK, struct {
			Entries []audit.Entry `json:"entries"`
			Cursor  audit.Cursor  `json:"cursor"`
		}{entries, cursor})
	}))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	l.feed = feedAt(server.URL, server.Client())
	l.here = rapid.Bool().Draw(rt, "a follower in this process too")
	l.follow()
	return l
}

func feedAt(url string, client *http.Client) follow.Feed {
	return follow.Feed{URL: url, HTTP: client, Token: func(context.Context, string) (string, error) { return "any", nil }}
}

// everybody may read.
type everybody struct{}

func (everybody) Require(http.ResponseWriter, *http.Request, string) (api.Token, error) {
	return api.Token{}, nil
}

// follow starts a follower that is a process of its own, and perhaps one in this process, whose statements fail here and there.
func (l *lives) follow() {
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	if l.here {
		follows(ctx, &l.following, l.cabinet, l.feed, l.clock.now)
	}
	l.start()
}

// leave ends both.
func (l *lives) leave() {
	l.stop()
	l.following.Wait()
	l.end()
}

func follows(ctx context.Context, following *sync.WaitGroup, cabinet *pgxpool.Pool, feed follow.Feed, now func() time.Time) {
	f := follow.New(follow.Config{
		Pool: cabinet, Feed: feed, Keep: time.Hour, ForgetKeys: func(context.Context, []string) error { return nil }, Now: now,
		Log: slog.New(slog.DiscardHandler),
	})
	following.Go(func() { _ = f.Run(ctx) })
	following.Go(func() { _ = f.RunEditions(ctx) })
}

// untilKilled names the feed and the cabinets' database, in the environment of a process that follows until it is killed.
const untilKilled = "FOLLOW_UNTIL_KILLED"

// start starts a follower that is a process of its own.
func (l *lives) start() {
	l.process = exec.Command(os.Args[0], "-test.run=^TestAnyLifeOfRegisterAndCabinets$")
	l.process.Env = append(os.Environ(), untilKilled+"="+l.feed.URL+" "+l.cabinet.Config().ConnString())
	if _, err := l.process.StdinPipe(); err != nil { // which ends when we do
		l.t.Fatal(err)
	}
	if err := l.process.Start(); err != nil {
		l.t.Fatal(err)
	}
}

// followUntilKilled follows what it is told of, for as long as whoever started it lives.
func followUntilKilled(t *testing.T, what string) {
	url, database, _ := strings.Cut(what, " ")
	pool, err := pgxpool.New(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var following sync.WaitGroup
	follows(ctx, &following, pool, feedAt(url, http.DefaultClient), time.Now)
	_, _ = io.Copy(io.Discard, os.Stdin)
	stop()
	following.Wait()
	pool.Close()
}

// close ends a life.
func (l *lives) close() {
	l.leave()
	l.provider.Close()
	l.cabinet.Close()
}

// kill kills the follower's process wherever it is, and starts another.
func (l *lives) kill() {
	l.end()
	l.start()
}

// end kills the follower's process.
func (l *lives) end() {
	_ = l.process.Process.Kill()
	var killed *exec.ExitError
	if err := l.process.Wait(); !errors.As(err, &killed) || killed.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		l.t.Errorf("the follower ended by itself: %v", err)
	}
}

// does does something until it is done, while statements fail here and there, and gives what the register says to it.
func (l *lives) does(rt *rapid.T, act func() error, refusals ...error) error {
	for _, trips := range l.trips {
		if rapid.Bool().Draw(rt, "broken") {
			trips.FailAt(rapid.IntRange(1, 40).Draw(rt, "at trip"))
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := act()
		if err == nil || slices.ContainsFunc(refusals, func(refusal error) bool { return errors.Is(err, refusal) }) {
			return err
		}
		if time.Now().After(deadline) {
			rt.Fatalf("it is not done: %v", err)
		}
		<-time.After(5 * time.Millisecond) // what was broken off may hold its locks for a moment yet
	}
}

// row draws what is told of somebody, but for the number.
func row(rt *rapid.T) string {
	return fmt.Sprintf("%s,1956,%s,%s", rapid.SampledFrom([]string{"F", "M"}).Draw(rt, "sex"), rapid.SampledFrom([]string{"BY", "PL"}).Draw(rt, "citizenship"),
		rapid.SampledFrom(registertest.Facts).Draw(rt, "facts"))
}

// edition brings an edition in, which may be as of a time before the last events, or does not say of which.
func (l *lives) edition(rt *rapid.T) {
	rows := map[string]string{}
	for _, n := range registertest.Numbers {
		if rapid.IntRange(0, 2).Draw(rt, "leaves out at 0") > 0 {
			rows[n] = row(rt)
		}
	}
	l.editions++
	l.clock.turn(time.Hour)
	month := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	notBefore, notAfter, says := month, l.clock.now(), ""
	if next := month.AddDate(0, 1, 0); notAfter.After(next) {
		notAfter = next
	}
	if rapid.Bool().Draw(rt, "says as of when") {
		asOf := l.clock.now().Add(-time.Duration(rapid.IntRange(1, 300).Draw(rt, "minutes old")) * time.Minute)
		if asOf.Before(l.asOf) {
			asOf = l.asOf
		}
		l.asOf, notBefore, notAfter, says = asOf, asOf, asOf, "# as_of "+asOf.Format(time.RFC3339)+"\n"
	}
	var lines []string
	for _, n := range slices.Sorted(maps.Keys(rows)) {
		lines = append(lines, n+","+rows[n])
	}
	kind := rapid.SampledFrom([]string{"full", "delta"}).Draw(rt, "kind")
	text := fmt.Sprintf("# country BY\n# edition %d\n# period 2026-11\n%s# kind %s\n# rows %d\n%s\n%s\n", l.editions, says, kind, len(lines), registertest.Columns, strings.Join(lines, "\n"))
	_ = l.does(rt, func() error {
		_, err := l.register.Import(context.Background(), register.Order{File: strings.NewReader(text), At: l.clock.now(), Progress: func(int64, int64) {}})
		return err
	})
	for _, p := range l.people {
		if _, there := rows[p.Number]; kind == "full" {
			p.Present = there
		}
	}
	made := [2]time.Time{notBefore, notAfter}
	for number, row := range rows {
		p := l.taken[number]
		switch {
		case p == nil:
			l.know(&one{Person: registertest.Person{Number: number, Row: row, Made: notAfter, Last: made, Present: kind == "full", Came: l.clock.now()}})
			continue
		case p.Number != number, p.At.After(notAfter):
			continue
		}
		if heard := p.Hears(row, notBefore, notAfter); p.Row != heard {
			p.Made, p.Last = notAfter, made
			p.says(heard)
		}
		p.Says(row, notBefore)
	}
}

// find finds somebody in the register.
func (l *lives) find(rt *rapid.T, p *one) (who register.Person) {
	err := l.does(rt, func() (err error) {
		who, err = register.Find(context.Background(), l.provider, p.Number)
		return err
	})
	if err != nil {
		rt.Fatal(err)
	}
	return who
}

// identify has an identifier issued to somebody who has none, as a desk would, or a static password formed by who has a temporary one; whoever
// uses it blocks it, and the block is lifted: their own by themselves, and by the desk what was once the register's.
func (l *lives) identify(rt *rapid.T) {
	if !l.identifies(rt, rapid.SampledFrom(l.people).Draw(rt, "person")) {
		rt.Skip("nothing is to be done")
	}
}

// identifies tells whether something was to be done for somebody.
func (l *lives) identifies(rt *rapid.T, p *one) bool {
	l.clock.turn(time.Minute) // no two things happen at once
	at := l.clock.now()
	var err error
	who := l.find(rt, p)
	switch {
	case p.identifier == "" && !registertest.Gone(p.Row):
		l.phones++
		a := l.world.Assignment(l.t, who.ID, l.phones)
		err = l.does(rt, func() error { return l.world.Registry.Issue(context.Background(), a, identity.Act{At: at}) })
		p.identifier, p.till = "temporary", at.Add(72*time.Hour)
	case p.identifier == "temporary" && at.Before(p.till):
		err = l.does(rt, func() error {
			return l.world.Registry.Activate(context.Background(), who.ID, identitytest.Static, identity.Act{At: at})
		})
		p.identifier, p.signedIn = "active", true
	case p.identifier == "active":
		err = l.does(rt, func() error {
			return l.world.Registry.Block(context.Background(), who.ID, identity.Self, identity.Act{At: at})
		})
		p.identifier = "blocked:self"
	case p.identifier == "blocked:self":
		err = l.does(rt, func() error {
			i, err := l.world.Registry.Of(context.Background(), who.ID)
			if err != nil {
				return err
			}
			return l.world.Registry.UnblockSelf(context.Background(), who.ID, i.ChangedAt, true, fmt.Sprint(identitytest.Static, at.Unix()), identity.Act{At: at})
		})
		p.identifier = "active"
	case (p.identifier == "blocked:desk" || p.identifier == "blocked:security") && !registertest.Gone(p.Row):
		err = l.does(rt, func() error {
			return l.world.Registry.Unblock(context.Background(), who.ID, identity.Phone{}, identity.Act{At: at})
		})
		p.identifier, p.till = "temporary", at.Add(72*time.Hour)
	default:
		return false
	}
	if err != nil {
		rt.Fatal(err)
	}
	return true
}

// dies is that somebody who lives and, if they may, has signed in is told to be dead, and then that they are not: before any follower comes to read
// of it, or when the cabinets know of it.
func (l *lives) dies(rt *rapid.T, overlooked bool) {
	living := slices.DeleteFunc(slices.Clone(l.people), func(p *one) bool { return registertest.Gone(p.Row) })
	if len(living) == 0 {
		return
	}
	p := rapid.SampledFrom(living).Draw(rt, "person")
	for p.identifier != "active" && l.identifies(rt, p) {
	}
	if p.identifier == "active" && rapid.Bool().Draw(rt, "blocked before") {
		l.blocks(rt, p)
	}
	l.level(rt)
	if overlooked {
		l.leave()
		defer l.follow()
	}
	l.says(rt, p.Number, "", fmt.Sprintf("F,1956,BY,1989-01-01,%d,,,,,,,,", l.told), 0)
	if !overlooked {
		l.level(rt)
	}
	if rapid.Bool().Draw(rt, "by the operator") {
		l.restores(rt, p)
	} else {
		l.says(rt, p.Number, "", "F,1956,BY,"+registertest.Alive, 0)
	}
}

// blocks is that the desk blocks an identifier, or security does.
func (l *lives) blocks(rt *rapid.T, p *one) {
	l.clock.turn(time.Minute)
	who, at := l.find(rt, p), l.clock.now()
	reason := rapid.SampledFrom([]identity.BlockReason{identity.Desk, identity.Security}).Draw(rt, "by")
	err := l.does(rt, func() error {
		return l.world.Registry.Block(context.Background(), who.ID, reason, identity.Act{At: at})
	})
	if err != nil {
		rt.Fatal(err)
	}
	p.identifier = "blocked:" + string(reason)
}

// level waits until the cabinets are in the states that they are to be in.
func (l *lives) level(rt *rapid.T) {
	want := map[string]string{}
	for _, p := range l.people {
		want[p.Number] = p.cabinet()
	}
	var got map[string]string
	for deadline := time.Now().Add(time.Minute); !maps.Equal(got, want); {
		if time.Now().After(deadline) {
			rt.Fatalf("the states of the cabinets: got %v, want %v", got, want)
		}
		<-time.After(5 * time.Millisecond)
		got = map[string]string{}
		var number, state string
		rows, _ := l.cabinet.Query(l.t.Context(), `SELECT coalesce(identification_number, ''), state FROM cabinet`)
		_, _ = pgx.ForEachRow(rows, []any{&number, &state}, func() error { got[number] = state; return nil }) // it may be made to fail
	}
}

func (l *lives) know(p *one) {
	l.people = append(l.people, p)
	l.taken[p.Number] = p
}

// event tells of somebody, as of now or of some time ago.
func (l *lives) event(rt *rapid.T) {
	l.tell(rt, rapid.SampledFrom(registertest.Numbers).Draw(rt, "number"), "")
}

// renumber tells that somebody's number has become another one.
func (l *lives) renumber(rt *rapid.T) {
	l.tell(rt, rapid.SampledFrom(registertest.Numbers).Draw(rt, "number"), rapid.SampledFrom(registertest.Numbers).Draw(rt, "former"))
}

func (l *lives) tell(rt *rapid.T, number, former string) {
	l.says(rt, number, former, row(rt), rapid.IntRange(0, 300).Draw(rt, "minutes old"))
}

func (l *lives) says(rt *rapid.T, number, former, told string, minutesOld int) {
	l.told++
	l.clock.turn(time.Hour)
	said := told
	e := register.Event{
		ID: fmt.Sprint(l.told), At: l.clock.now().Add(-time.Duration(minutesOld) * time.Minute),
		Former: former, Person: register.Row{}, ToldAt: l.clock.now(),
	}
	for i, value := range strings.Split(number+","+told, ",") {
		e.Person[strings.Split(registertest.Columns, ",")[i]] = value
	}
	err := l.does(rt, func() error {
		_, err := l.register.Take(context.Background(), e)
		return err
	}, register.ErrOlderEvent, register.ErrNumberTaken, register.ErrFormer, register.ErrTwoPeople)

	p, before := l.taken[number], l.taken[former]
	renamed := before != nil && before.Number == former && former != number
	var (
		want      error
		joined    *one // who has the number
		overtaken bool // by what was told of the number that is theirs now
	)
	switch {
	case renamed && p != nil && p != before && p.Number == number:
		joined, p = p, before
		overtaken = joined.At.After(e.At) || l.asOf.After(e.At)
	case renamed && p != nil && p != before:
		want = register.ErrNumberTaken
	case renamed:
		p = before
	case p == nil && former != "" && former != number:
		want = register.ErrFormer
	case p != nil && p.Number != number:
		want = register.ErrOlderEvent
	}
	if want == nil && (p != nil && p.At.After(e.At) || l.asOf.After(e.At) && joined == nil) {
		want = register.ErrOlderEvent
	}
	stays := p
	if want == nil && joined != nil {
		is := *p
		is.SaysOf(&joined.Person, l.clock.now())
		switch {
		case p.Present && joined.Present, p.Came.Equal(joined.Came) && !p.Came.IsZero():
			want = register.ErrNumberTaken
		case joined.identifier != "" && p.identifier != "", joined.Row[0] != p.Row[0]: // of another sex
			want = register.ErrTwoPeople
		case joined.identifier != "":
			was := is
			is = *joined
			is.HasHistory(&was.Person)
		default:
			is.says(is.Is(&joined.Person, l.clock.now()))
			is.HasHistory(&joined.Person)
		}
		stays = &is
	}
	switch {
	case overtaken:
		told = stays.Row
	case stays != nil:
		told = stays.Heeded(told)
	}
	if want == nil && stays != nil && stays.Made.After(e.At) && len(stays.TakesBack(told)) > 0 {
		want = register.ErrOlderEvent
	}
	if !errors.Is(err, want) || want == nil && err != nil {
		rt.Fatalf("got %v, want %v", err, want)
	}
	switch {
	case want != nil:
		return
	case p == nil:
		l.know(&one{Person: registertest.Person{Number: number, Row: told, At: e.At, Last: [2]time.Time{e.At, e.At}}})
		return
	case joined != nil:
		*p = *stays
		l.people = slices.DeleteFunc(l.people, func(each *one) bool { return each == joined })
		for n, each := range l.taken {
			if each == joined {
				l.taken[n] = p
			}
		}
	}
	if p.At = registertest.Latest(p.At, e.At); renamed {
		p.Number, p.Made = number, time.Time{}
		l.taken[number] = p
	}
	if renamed || p.Row != told {
		p.Last = [2]time.Time{e.At, e.At}
	}
	if p.Row != told {
		p.hears(told, e.At)
	}
	if !overtaken {
		p.Says(said, e.At)
	}
}

// restore has the operator take back what the register says of somebody.
func (l *lives) restore(rt *rapid.T) { l.restores(rt, rapid.SampledFrom(l.people).Draw(rt, "person")) }

func (l *lives) restores(rt *rapid.T, p *one) {
	l.clock.turn(time.Hour)
	who := l.find(rt, p)
	err := l.does(rt, func() error {
		return pgx.BeginFunc(context.Background(), l.provider, func(tx pgx.Tx) error {
			return l.register.Restore(context.Background(), tx, who.ID, uuid.Nil, l.clock.now().Format(time.DateOnly), l.clock.now())
		})
	}, register.ErrAlive)
	if (!registertest.Gone(p.Row)) != errors.Is(err, register.ErrAlive) {
		rt.Fatalf("got %v of %s", err, p.Row)
	}
	if !registertest.Gone(p.Row) {
		return
	}
	p.says(p.Restore(l.clock.now()))
}

// undo has hold again what the operator took back.
func (l *lives) undo(rt *rapid.T) {
	all := slices.DeleteFunc(slices.Clone(l.people), func(p *one) bool { return len(p.Restored) == 0 })
	if len(all) == 0 {
		rt.Skip("nobody was restored")
	}
	p := rapid.SampledFrom(all).Draw(rt, "person")
	i := rapid.IntRange(0, len(p.Restored)-1).Draw(rt, "restoration")
	was := p.Restored[i].At
	l.clock.turn(time.Hour)
	who := l.find(rt, p)
	err := l.does(rt, func() error {
		return pgx.BeginFunc(context.Background(), l.provider, func(tx pgx.Tx) error {
			return l.register.Undo(context.Background(), tx, who.ID, uuid.Nil, was, l.clock.now())
		})
	})
	if err != nil {
		rt.Fatal(err)
	}
	p.says(p.Undo(i))
}

// check holds that both databases say what the model says.
func (l *lives) check(t *testing.T, rt *rapid.T) {
	for _, trips := range l.trips {
		trips.FailAt(0)
	}
	want := map[string]string{}
	for _, p := range l.people {
		want[p.Number] = p.Row
	}
	const read = `
		SELECT identification_number, concat(sex, ',', birth_date, ',', citizenship, ',', death_date, ',', death_act, ',', declared_dead_date, ',',
		       declared_dead_act, ',', missing_date, ',', missing_act, ',', incapable_date, ',', incapable_act, ',', limited_date, ',', limited_act)
		FROM person`
	rows, _ := l.provider.Query(t.Context(), read)
	got := map[string]string{}
	var number, row string
	if _, err := pgx.ForEachRow(rows, []any{&number, &row}, func() error { got[number] = row; return nil }); err != nil {
		rt.Fatal(err)
	}
	if !maps.Equal(got, want) {
		rt.Fatalf("the register: got %v, want %v", got, want)
	}
	const stand = `SELECT p.identification_number, concat_ws(':', i.state, i.block_reason) FROM identity AS i JOIN person AS p ON p.id = i.person_id`
	stands, identifiers := map[string]string{}, map[string]string{}
	for _, p := range l.people {
		if p.identifier != "" {
			identifiers[p.Number] = p.identifier
		}
	}
	rows, _ = l.provider.Query(t.Context(), stand)
	if _, err := pgx.ForEachRow(rows, []any{&number, &row}, func() error { stands[number] = row; return nil }); err != nil {
		rt.Fatal(err)
	}
	if !maps.Equal(stands, identifiers) {
		rt.Fatalf("the identifiers: got %v, want %v", stands, identifiers)
	}
	var (
		compared int
		differ   []follow.Difference
	)
	err := follow.Verify(t.Context(), l.cabinet, l.feed, func(d follow.Difference) { differ = append(differ, d) }, func(people int) { compared = people }, func(int, int64) {})
	if err != nil || len(differ) > 0 || compared != len(want) {
		rt.Fatalf("the cabinets: %v, %v of %d", err, differ, compared)
	}
	l.level(rt)
	const told = ` WHERE kind = 'person.changed'`
	said := count(t, l.provider, `event`+told)                                              // and not by their ids: what comes to whoever somebody was joined to has another
	patiently(t, time.Minute, "the journals tell of each single event once", func() error { // an event that changed nobody's cabinet may be heard of last
		if heard := count(t, l.cabinet, `journal JOIN cabinet USING (person_id)`+told); heard != said {
			return fmt.Errorf("they tell of %d, and %d were told", heard, said)
		}
		return nil
	})
}

func count(t *testing.T, pool *pgxpool.Pool, what string) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM `+what).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
