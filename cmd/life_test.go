package cmd_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"asoba.example/cabinet/follow"
	"asoba.example/login"
	"asoba.example/login/identity"
	"asoba.example/login/register"
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
)

// A lives is the register and the cabinets that follow it, over their feed, and what is to be in both.
type lives struct {
	rt             *rapid.T
	register       *register.Register
	provider       *pgxpool.Pool
	cabinet        *pgxpool.Pool
	trips          []*pgtest.Trips // of both
	feed           follow.Feed
	stop           func()         // of the follower that runs
	following      sync.WaitGroup // followers
	clock          clock
	editions, told int
	asOf           time.Time       // of the last edition
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
	number, row string
	at          time.Time       // of the last event
	takenBack   map[string]bool // what was said of them that the operator took back
}

// The facts that a row may tell, and a living person's.
const alive = ",,,,,,,,,"

var facts = []string{alive, alive, "1989-01-01,a,,,,,,,,", ",,,,1989-01-01,c,,,,", ",,,,,,1989-01-01,d,,", ",,,,,,,,1989-01-01,e"}

// Editions and events come in any order, new and old; numbers become others, and the operator restores people; statements fail on both sides,
// followers are killed, and start anew: in the end both databases say what the model says. It goes on for ten seconds.
func TestAnyLifeOfRegisterAndCabinets(t *testing.T) {
	t.Parallel()
	over, broken := time.Now().Add(10*time.Second), false
	rapid.Check(t, func(rt *rapid.T) {
		if time.Now().After(over) && !broken { // what broke is made smaller to the end
			return
		}
		defer func() { broken = broken || rt.Failed() }()
		l := newLives(t, rt)
		defer l.end()
		l.edition(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"edition":          l.edition,
			"event":            l.event,
			"event, or more":   l.event,
			"another number":   l.renumber,
			"restore":          l.restore,
			"kill the cabinet": func(*rapid.T) { l.kill() },
			"start anew": func(rt *rapid.T) {
				if err := l.does(rt, func() error { return follow.Anew(t.Context(), l.cabinet) }); err != nil {
					rt.Fatal(err)
				}
			},
		})
		l.check(t, rt)
	})
}

func newLives(t *testing.T, rt *rapid.T) *lives {
	l := &lives{rt: rt, clock: clock{at: time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)}, taken: map[string]*one{}, trips: make([]*pgtest.Trips, 2)}
	l.provider, l.trips[0] = pgtest.Counting(t)
	l.cabinet, l.trips[1] = pgtest.CountingCabinet(t)
	l.register = &register.Register{Pool: l.provider}
	mux := http.NewServeMux()
	login.People{Register: l.register, States: func(context.Context, []uuid.UUID) (map[uuid.UUID]identity.State, error) {
		return map[uuid.UUID]identity.State{}, nil
	}, Tokens: everybody{}}.Mount(mux)
	feed, sealer := audit.NewFeed(l.provider, l.provider), audit.Sealer{Pool: l.provider}
	mux.Handle("GET /changes", api.Handler(func(w http.ResponseWriter, r *http.Request) error {
		if err := sealer.Seal(r.Context()); err != nil {
			return err
		}
		after, err := audit.ParseCursor(r.URL.Query().Get("after"))
		if err != nil {
			return err
		}
		entries, cursor, err := feed.Wait(r.Context(), after, 3, 20*time.Millisecond)
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
	l.feed = follow.Feed{URL: server.URL, HTTP: server.Client(), Token: func(context.Context, string) (string, error) { return "any", nil }}
	l.follow()
	return l
}

// everybody may read.
type everybody struct{}

func (everybody) Require(http.ResponseWriter, *http.Request, string) (api.Token, error) {
	return api.Token{}, nil
}

// follow starts two followers.
func (l *lives) follow() {
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	for range 2 {
		f := follow.New(follow.Config{
			Pool: l.cabinet, Feed: l.feed, Keep: time.Hour, RefreshKeys: func(context.Context) error { return nil }, Now: l.clock.now,
			Log: slog.New(slog.DiscardHandler),
		})
		l.following.Go(func() { _ = f.Run(ctx) })
		l.following.Go(func() { _ = f.RunEditions(ctx) })
	}
}

func (l *lives) end() {
	l.stop()
	l.following.Wait()
	l.provider.Close()
	l.cabinet.Close()
}

// kill stops the followers wherever they are, and starts others.
func (l *lives) kill() {
	l.stop()
	l.following.Wait()
	l.follow()
}

// does does something until it is done, while statements fail here and there, and gives what the register says to it.
func (l *lives) does(rt *rapid.T, act func() error, refusals ...error) error {
	for _, trips := range l.trips {
		if rapid.Bool().Draw(rt, "broken") {
			trips.FailAt(rapid.IntRange(1, 40).Draw(rt, "at trip"))
		}
	}
	for range 20 {
		err := act()
		if err == nil || slices.ContainsFunc(refusals, func(refusal error) bool { return errors.Is(err, refusal) }) {
			return err
		}
	}
	rt.Fatal("it is not done in twenty tries")
	return nil
}

// row draws what is told of somebody, but for the number.
func row(rt *rapid.T) string {
	return fmt.Sprintf("%s,1956,%s,%s", rapid.SampledFrom([]string{"F", "M"}).Draw(rt, "sex"), rapid.SampledFrom([]string{"BY", "PL"}).Draw(rt, "citizenship"),
		rapid.SampledFrom(facts).Draw(rt, "facts"))
}

// gone is what of a row ends what somebody may do; "" for nothing.
func gone(row string) string {
	fields := strings.Split(row, ",")
	if fields[3]+fields[5]+fields[7] == "" {
		return ""
	}
	return strings.Join(fields[3:9], ",")
}

var numbers = []string{"1010130K001PB9", "2290296M000BA3", "6290296C042BI1", "7000001A000PB8", "7000000A000PB1", "5311299B500PB0"}

// edition brings an edition in, which may be as of a time before the last events.
func (l *lives) edition(rt *rapid.T) {
	rows := map[string]string{}
	for _, n := range numbers {
		if rapid.IntRange(0, 2).Draw(rt, "leaves out at 0") > 0 {
			rows[n] = row(rt)
		}
	}
	l.editions++
	l.clock.turn(time.Hour)
	asOf := l.clock.now().Add(-time.Duration(rapid.IntRange(1, 300).Draw(rt, "minutes old")) * time.Minute)
	if asOf.Before(l.asOf) {
		asOf = l.asOf
	}
	var lines []string
	for _, n := range slices.Sorted(maps.Keys(rows)) {
		lines = append(lines, n+","+rows[n])
	}
	text := fmt.Sprintf("# edition %d\n# period 2026-11\n# as_of %s\n# kind %s\n# rows %d\n%s\n%s\n", l.editions, asOf.Format(time.RFC3339),
		rapid.SampledFrom([]string{"full", "delta"}).Draw(rt, "kind"), len(lines), columns, strings.Join(lines, "\n"))
	_ = l.does(rt, func() error {
		_, err := l.register.Import(context.Background(), register.Order{File: strings.NewReader(text), At: l.clock.now(), Progress: func(int64, int64) {}})
		return err
	})
	l.asOf = asOf
	for number, row := range rows {
		p := l.taken[number]
		switch {
		case p == nil:
			l.know(&one{number: number, row: row})
		case p.number == number && !p.at.After(asOf) && (p.row == row || !p.takenBack[gone(row)]):
			p.row = row
		}
	}
}

func (l *lives) know(p *one) {
	l.people = append(l.people, p)
	l.taken[p.number] = p
}

// columns are those of a register's file.
const columns = "identification_number,sex,birth_date,citizenship,death_date,death_act,declared_dead_date,declared_dead_act," +
	"missing_date,missing_act,incapable_date,incapable_act,limited_date,limited_act"

// event tells of somebody, as of now or of some time ago.
func (l *lives) event(rt *rapid.T) { l.tell(rt, rapid.SampledFrom(numbers).Draw(rt, "number"), "") }

// renumber tells that somebody's number has become another one.
func (l *lives) renumber(rt *rapid.T) {
	l.tell(rt, rapid.SampledFrom(numbers).Draw(rt, "number"), rapid.SampledFrom(numbers).Draw(rt, "former"))
}

func (l *lives) tell(rt *rapid.T, number, former string) {
	told := row(rt)
	l.told++
	l.clock.turn(time.Hour)
	e := register.Event{
		ID: fmt.Sprint(l.told), At: l.clock.now().Add(-time.Duration(rapid.IntRange(0, 300).Draw(rt, "minutes old")) * time.Minute),
		Former: former, Person: register.Row{}, ToldAt: l.clock.now(),
	}
	for i, value := range strings.Split(number+","+told, ",") {
		e.Person[strings.Split(columns, ",")[i]] = value
	}
	err := l.does(rt, func() error {
		_, err := l.register.Take(context.Background(), e)
		return err
	}, register.ErrOlderEvent, register.ErrNumberTaken)

	p, before := l.taken[number], l.taken[former]
	renamed := before != nil && before.number == former && former != number
	var want error
	switch {
	case renamed && p != nil && p != before:
		want = register.ErrNumberTaken
	case renamed:
		p = before
	case p != nil && p.number != number:
		want = register.ErrOlderEvent
	}
	if want == nil && p != nil && (p.at.After(e.At) || l.asOf.After(e.At)) {
		want = register.ErrOlderEvent
	}
	if !errors.Is(err, want) || want == nil && err != nil {
		rt.Fatalf("got %v, want %v", err, want)
	}
	switch {
	case want != nil:
	case p == nil:
		l.know(&one{number: number, row: told, at: e.At})
	default:
		p.number, p.at = number, e.At
		l.taken[number] = p
		if p.row == told || !p.takenBack[gone(told)] {
			p.row = told
		}
	}
}

// restore has the operator take back what the register says of somebody.
func (l *lives) restore(rt *rapid.T) {
	p := rapid.SampledFrom(l.people).Draw(rt, "person")
	l.clock.turn(time.Hour)
	who, err := register.Find(context.Background(), l.provider, p.number)
	if err != nil {
		rt.Fatal(err)
	}
	err = l.does(rt, func() error {
		return pgx.BeginFunc(context.Background(), l.provider, func(tx pgx.Tx) error {
			return l.register.Restore(context.Background(), tx, who.ID, uuid.Nil, l.clock.now())
		})
	}, register.ErrAlive)
	if (gone(p.row) == "") != errors.Is(err, register.ErrAlive) {
		rt.Fatalf("got %v of %s", err, p.row)
	}
	if gone(p.row) == "" {
		return
	}
	if p.takenBack == nil {
		p.takenBack = map[string]bool{}
	}
	p.takenBack[gone(p.row)] = true
	fields := strings.Split(p.row, ",")
	p.row = strings.Join(slices.Concat(fields[:3], make([]string, 6), fields[9:]), ",")
}

// check holds that both databases say what the model says.
func (l *lives) check(t *testing.T, rt *rapid.T) {
	for _, trips := range l.trips {
		trips.FailAt(0)
	}
	want := map[string]string{}
	for _, p := range l.people {
		want[p.number] = p.row
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
	compared := 0
	differ, err := follow.Verify(t.Context(), l.cabinet, l.feed, func(people int) { compared = people })
	if err != nil || len(differ) > 0 || compared != len(want) {
		rt.Fatalf("the cabinets: %v, %v of %d", err, differ, compared)
	}
	const told = ` WHERE kind = 'person.changed'`
	if heard, said := count(t, l.cabinet, `journal`+told), count(t, l.provider, `event`+told); heard != said {
		rt.Fatalf("%d single events are in the journals, and %d were told", heard, said)
	}
}

func count(t *testing.T, pool *pgxpool.Pool, what string) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM `+what).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
