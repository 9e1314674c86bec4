package follow

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"asoba.example/cabinet/access"
	"asoba.example/cabinet/journal"
	"asoba.example/migrations/pgtest"
)

var now = time.Date(2026, 5, 12, 9, 30, 0, 0, time.UTC)

// People of the tests, in the order of their ids.
var (
	anna   = uuid.MustParse("018f0000-0000-7000-8000-000000000001")
	boris  = uuid.MustParse("018f0000-0000-7000-8000-000000000002")
	vera   = uuid.MustParse("018f0000-0000-7000-8000-000000000003")
	grant  = uuid.MustParse("018f0000-0000-7000-8000-0000000000aa")
	nobody uuid.UUID
)

const (
	annasNumber = "0000000A000PB2"
	borisNumber = "7000000A000PB1"
	verasNumber = "7000001A000PB8"
)

// provider speaks the feed as the management API documents it.
type provider struct {
	mu      sync.Mutex
	entries []string
	people  map[int64][]string
	dropped int           // entries
	away    atomic.Int32  // answers 502 so many times
	asked   chan struct{} // gets one for each request that found no news
	paged   func()        // is called once, with a page of people in hand
	cut     bool          // the next copy of people is cut off in its middle
}

// say adds an entry; members are JSON without braces.
func (p *provider) say(kind string, person uuid.UUID, members ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.entries) + 1
	all := append([]string{
		fmt.Sprintf(`"cursor":"%d","id":"019ac000-0000-7000-8000-%012d","kind":%q,"at":%q`, n, n, kind, now.Add(time.Duration(n)*time.Second-time.Minute).Format(time.RFC3339Nano)),
	}, members...)
	if person != nobody {
		all = append(all, fmt.Sprintf(`"person":%q`, person))
	}
	p.entries = append(p.entries, "{"+strings.Join(all, ",")+"}")
}

// edition announces an edition with its people, who are taken out of others, as a register does.
func (p *provider) edition(n int64, people ...string) {
	p.say("edition.applied", nobody, fmt.Sprintf(`"edition":%d`, n))
	p.touch(n, people...)
}

// event announces a single event of the register, which has a place among editions.
func (p *provider) event(n int64, who uuid.UUID, told string) {
	p.say("person.changed", who, fmt.Sprintf(`"edition":%d`, n))
	p.touch(n, told)
}

func (p *provider) touch(n int64, people ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.people == nil {
		p.people = map[int64][]string{}
	}
	for old, listed := range p.people {
		var rest []string
		for _, person := range listed {
			if !containsAny(person, people) {
				rest = append(rest, person)
			}
		}
		p.people[old] = rest
	}
	p.people[n] = people
}

func containsAny(person string, people []string) bool {
	for _, other := range people {
		if idOf(other) == idOf(person) {
			return true
		}
	}
	return false
}

func idOf(person string) string {
	var p struct{ ID string }
	if err := json.Unmarshal([]byte(person), &p); err != nil {
		panic(err)
	}
	return p.ID
}

// living is somebody in the register; members are JSON without braces.
func living(id uuid.UUID, number string, members ...string) string {
	return fmt.Sprintf(`{"id":%q,"identification_number":%q,"sex":"F","birth_date":"1956-03","citizenship":"BY"%s}`,
		id, number, strings.Join(append([]string{""}, members...), ","))
}

// everybody is all people, in the order of their ids.
func (p *provider) everybody() (all []string) {
	for _, listed := range p.people {
		all = append(all, listed...)
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(idOf(a), idOf(b)) })
	return all
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.away.Add(-1) >= 0 {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	if r.Header.Get("Authorization") != "Bearer good" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var edition int64
	if r.URL.Path == "/changes" {
		var after int
		fmt.Sscan(r.URL.Query().Get("after"), &after)
		if after < p.dropped {
			w.WriteHeader(http.StatusGone)
			fmt.Fprintf(w, `{"code":"dropped","cursor":"%d"}`, p.dropped)
			return
		}
		news := p.entries[after:]
		if len(news) == 0 && p.asked != nil {
			select {
			case p.asked <- struct{}{}:
			default:
			}
		}
		fmt.Fprintf(w, `{"entries":[%s],"clients":{"service":{"":"Service","be":"Паслуга"}},"cursor":"%d"}`,
			strings.Join(news, ","), len(p.entries))
		return
	}
	listed := p.everybody()
	if _, err := fmt.Sscanf(r.URL.Path, "/register/editions/%d/people", &edition); err == nil {
		listed = p.people[edition]
	}
	after := r.URL.Query().Get("after")
	var page []string
	for _, person := range listed {
		if idOf(person) > after {
			page = append(page, person)
		}
	}
	if paged := p.paged; paged != nil {
		p.paged = nil
		p.mu.Unlock()
		paged()
		p.mu.Lock()
	}
	if r.Header.Get("Accept") == "text/csv" {
		var limit int
		if fmt.Sscan(r.URL.Query().Get("limit"), &limit); limit > 0 && len(page) > limit {
			page = page[:limit]
		}
		if p.cut {
			p.cut = false
			writePeople(w, page[:len(page)/2])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		writePeople(w, page)
		return
	}
	next := ""
	if len(page) > 1 { // one at a time
		page = page[:1]
		next = fmt.Sprintf(`,"next":%q`, idOf(page[0]))
	}
	fmt.Fprintf(w, `{"people":[%s]%s}`, strings.Join(page, ","), next)
}

// writePeople writes people as the register copies them.
func writePeople(w io.Writer, people []string) {
	out := csv.NewWriter(w)
	defer out.Flush()
	_ = out.Write([]string{
		"id", "identification_number", "sex", "birth_date", "citizenship", "death_date", "death_act", "declared_dead_date", "declared_dead_act",
		"missing_date", "missing_act", "incapable_date", "incapable_act", "limited_date", "limited_act", "deactivated_for",
	})
	for _, told := range people {
		var p person
		if err := json.Unmarshal([]byte(told), &p); err != nil {
			panic(err)
		}
		row := []string{p.ID.String(), p.IdentificationNumber, p.Sex, p.BirthDate, p.Citizenship}
		for _, f := range []*fact{p.Death, p.DeclaredDead, p.Missing, p.Incapable, p.Limited} {
			if f == nil {
				row = append(row, "", "")
			} else {
				row = append(row, f.Date.Format(time.DateOnly), "Act 1")
			}
		}
		_ = out.Write(append(row, p.DeactivatedFor))
	}
}

// cabinet follows a provider; its log is kept.
type cabinet struct {
	*Follower
	pool    *pgxpool.Pool
	trips   *pgtest.Trips
	log     *bytes.Buffer
	fetched *int // how often the provider's keys were
}

func newCabinet(t *testing.T, p *provider) cabinet {
	t.Helper()
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	c := cabinet{log: new(bytes.Buffer), fetched: new(int)}
	c.pool, c.trips = pgtest.CountingCabinet(t)
	c.Follower = New(Config{
		Pool: c.pool,
		Feed: Feed{URL: server.URL, HTTP: server.Client(), Token: func(_ context.Context, refused string) (string, error) {
			if refused == "" {
				return "old", nil // so each request shows that a refused token is replaced
			}
			return "good", nil
		}},
		Keep:       time.Hour,
		ForgetKeys: func(context.Context, []string) error { *c.fetched++; return nil },
		Now:        func() time.Time { return now },
		Log:        slog.New(slog.NewTextHandler(c.log, nil)),
		page:       1, // so that there are pages
	})
	return c
}

// catchUp follows until there is nothing left to do.
func (c cabinet) catchUp(t *testing.T) {
	t.Helper()
	if err := c.tryToCatchUp(t); err != nil {
		t.Fatal(err)
	}
}

func (c cabinet) tryToCatchUp(t *testing.T) error {
	t.Helper()
	if err := c.step(t.Context()); err != nil {
		return err
	}
	for {
		if done, err := c.read(t.Context()); done || err != nil {
			return err
		}
	}
}

// verify tells how many people were compared, and who differs.
func (c cabinet) verify(ctx context.Context) (string, error) {
	var (
		compared int
		differ   []Difference
	)
	err := Verify(ctx, c.pool, c.cfg.Feed, func(d Difference) { differ = append(differ, d) }, func(people int) { compared = people }, func(int, int64) {})
	return fmt.Sprint(compared, differ), err
}

// all is everything the cabinet holds, but for the ids of its own making.
func (c cabinet) all(t *testing.T) string {
	t.Helper()
	const query = `
		SELECT 'cursor ' || cursor FROM follow
		UNION ALL
		SELECT * FROM (SELECT concat_ws(' ', 'edition', id, read_at IS NOT NULL) FROM edition ORDER BY id) AS e
		UNION ALL
		SELECT * FROM (SELECT concat_ws(' ', 'cabinet', identification_number, state, state_reason, citizenship, limited_date)
		               FROM cabinet ORDER BY person_id) AS c
		UNION ALL
		SELECT * FROM (SELECT concat_ws(' ', 'client', id, name) FROM client ORDER BY id) AS c
		UNION ALL
		SELECT * FROM (SELECT concat_ws(' ', 'disabled', client_id, disabled) FROM disabled_client ORDER BY client_id) AS d
		UNION ALL
		SELECT * FROM (SELECT concat_ws(' ', 'ended', id) FROM ended ORDER BY id) AS e
		UNION ALL
		SELECT * FROM (SELECT concat_ws(' ', right(person_id::text, 1), kind, actor, client_id, office, detail)
		               FROM journal ORDER BY person_id, kind, detail, id) AS j`
	rows, err := c.pool.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// aYear is all that can happen: people come, are issued identifiers, sign in, are blocked; values change; one dies, is
// found alive, and his sign-in of before counts no more.
func aYear() *provider {
	p := &provider{}
	p.edition(1, living(anna, annasNumber), living(boris, borisNumber))
	p.say("identifier.issued", anna, `"staff":true,"office":"17"`)
	p.say("identifier.activated", anna)
	p.say("identifier.activated", boris)
	p.say("signed_in", anna, `"acr":"substantial","agent":"Firefox, Linux","client_id":"service"`)
	p.say("client.registered", nobody, `"client_id":"service"`)
	p.say("grant.ended", anna, `"gid":"`+grant.String()+`","detail":{"why":"signed_out"}`)
	p.say("identifier.blocked", boris, `"detail":{"reason":"register"}`)
	p.edition(2, living(boris, borisNumber, `"death":{"date":"2026-01-02","act":"12"}`), living(vera, verasNumber))
	p.say("sessions.ended", boris, `"detail":{"why":"deactivated"}`)
	p.edition(3, living(boris, borisNumber))
	p.edition(4, living(vera, verasNumber, `"limited":{"date":"2026-02-03","act":"7"}`))
	p.say("identifier.activated", vera)
	p.say("token.exchanged", vera, `"client_id":"service","detail":{"scope":"openid"}`)
	p.say("client.disabled", nobody, `"client_id":"service"`)
	p.say("client.disabled", nobody, `"client_id":"other"`)
	p.say("client.enabled", nobody, `"client_id":"service"`)
	p.say("client.removed", nobody, `"client_id":"gone"`)
	return p
}

const afterAYear = `cursor 18
edition 1 t
edition 2 t
edition 3 t
edition 4 t
cabinet 0000000A000PB2 activated BY
cabinet 7000000A000PB1 not_activated BY
cabinet 7000001A000PB8 activated BY 2026-02-03
client service {"": "Service", "be": "Паслуга"}
disabled gone t
disabled other t
disabled service f
ended 018f0000-0000-7000-8000-000000000002
ended 018f0000-0000-7000-8000-0000000000aa
1 cabinet.activated self
1 grant.ended self {"why": "signed_out"}
1 identifier.activated self
1 identifier.issued staff 17
1 signed_in self service
2 identifier.activated self
2 identifier.blocked system {"reason": "register"}
2 sessions.ended system {"why": "deactivated"}
3 cabinet.activated self
3 identifier.activated self
3 token.exchanged client service {"scope": "openid"}`

// Whatever fails at whatever point, be it the answer to a COMMIT, an entry has its effects exactly once.
func TestEffectsAreExactlyOnce(t *testing.T) {
	t.Parallel()
	for fault := 1; ; fault++ {
		c := newCabinet(t, aYear())
		c.trips.FailAt(fault)
		err := c.tryToCatchUp(t)
		c.trips.FailAt(0)
		if err == nil { // so many statements it has
			if fault < 20 {
				t.Errorf("only %d statements were made to fail", fault-1)
			}
			return
		}
		c.catchUp(t)
		if got := c.all(t); got != afterAYear {
			t.Fatalf("after statement %d failed: got:\n%s\nwant:\n%s", fault, got, afterAYear)
		}
	}
}

// So it is where two turn out to be one and a number becomes another's, be it that the feed tells of it or that everybody is read.
func TestEffectsOnNumbersAreExactlyOnce(t *testing.T) {
	t.Parallel()
	const numbers = `SELECT coalesce(string_agg(concat_ws(' ', identification_number, doubted), ', ' ORDER BY 1), '') FROM ended_number`
	for story, dropped := range map[string]int{"the feed tells of it": 0, "everybody is read": 7} {
		want := ""
		for fault := 0; ; fault++ { // the first time there is none
			p := new(provider)
			c := newCabinet(t, p)
			p.edition(1, living(anna, annasNumber), living(boris, borisNumber), living(vera, verasNumber))
			p.say("desk.looked_up", boris, `"staff":true,"detail":{"purpose":"visit"}`)
			c.catchUp(t)
			p.edition(2, living(vera, "1000000A000PB0", `"identifier":"active"`))
			p.say("identifier.activated", vera)
			p.say("person.changed", anna, `"edition":3`, fmt.Sprintf(`"detail":{"joined":%q}`, boris))
			p.touch(1)
			p.touch(3, living(anna, borisNumber, `"identifier":"none"`))
			p.say("client.registered", nobody)
			p.say("client.registered", nobody)
			p.dropped = dropped
			c.trips.FailAt(fault)
			err := c.tryToCatchUp(t)
			c.trips.FailAt(0)
			c.catchUp(t)
			c.catchUp(t)
			var ended string
			if err := c.pool.QueryRow(t.Context(), numbers).Scan(&ended); err != nil {
				t.Fatal(err)
			}
			got := c.all(t) + "\n" + ended
			if found, err := c.verify(t.Context()); err != nil || found != "2 []" {
				t.Fatalf("%s, after statement %d failed: %v: %s", story, fault, err, found)
			}
			switch {
			case fault == 0:
				want = got
				if !strings.Contains(got, annasNumber) || !strings.Contains(got, verasNumber) || strings.Count(got, "desk.looked_up") > 2 {
					t.Fatalf("%s: got:\n%s", story, got)
				}
			case got != want:
				t.Fatalf("%s, after statement %d failed: got:\n%s\nwant:\n%s", story, fault, got, want)
			}
			if fault > 0 && err == nil { // so many statements it has
				if fault < 15 {
					t.Errorf("%s: only %d statements were made to fail", story, fault-1)
				}
				break
			}
		}
	}
}

// The journal tells whose act it was that sign-ins or a grant ended by.
func TestWhoseActEndsSignIns(t *testing.T) {
	t.Parallel()
	for why, want := range map[string]journal.Actor{
		"everywhere": journal.Self, "signed_out": journal.Self, "withdrawn": journal.Self, "password": journal.Self,
		"blocked": journal.System, "renumbered": journal.System, "cloned": journal.System, "revoked": journal.Client,
	} {
		for _, kind := range []journal.Kind{journal.SessionsEnded, journal.GrantEnded} {
			if got := actor(entry{Kind: string(kind), Detail: map[string]string{"why": why}}); got != want {
				t.Errorf("%s, %s: got %s, want %s", kind, why, got, want)
			}
		}
	}
}

// Whoever may read a profile is told once what becomes of it, wherever the program was killed, and however often the feed is read.
func TestSignalsAreToldOnce(t *testing.T) {
	t.Parallel()
	const told = `SELECT coalesce(string_agg(concat_ws(' ', client_id, kind, detail), ', ' ORDER BY kind, client_id), '') FROM signal`
	const want = `service access-ended {"why": "withdrawn"}, tax access-ended {}, service profile-changed {"fields": ["citizenship"]}, tax profile-changed {"fields": ["citizenship"]}`
	for fault := 1; ; fault++ {
		p := &provider{}
		p.edition(1, living(anna, annasNumber), living(boris, borisNumber))
		p.say("grant.given", anna, `"gid":"`+grant.String()+`","client_id":"service","detail":{"scope":"openid offline_access cabinet.profile.read"}`)
		p.say("grant.given", anna, `"gid":"`+vera.String()+`","client_id":"tax","detail":{"scope":"openid offline_access cabinet.profile"}`)
		c := newCabinet(t, p)
		c.catchUp(t)
		p.edition(2, `{"id":"`+anna.String()+`","identification_number":"`+annasNumber+`","sex":"F","birth_date":"1956-03","citizenship":"PL"}`)
		c.trips.FailAt(fault)
		failed := c.tryToCatchUp(t)
		c.trips.FailAt(0)
		c.catchUp(t)
		p.say("grant.ended", anna, `"gid":"`+grant.String()+`","client_id":"service","detail":{"why":"withdrawn"}`)
		p.say("sessions.ended", anna, `"detail":{"why":"password"}`)
		c.trips.FailAt(fault)
		failed = errors.Join(failed, c.tryToCatchUp(t))
		c.trips.FailAt(0)
		for range 2 {
			c.catchUp(t)
			var got string
			if err := c.pool.QueryRow(t.Context(), told).Scan(&got); err != nil || got != want {
				t.Fatalf("after statement %d failed: told %s, %v", fault, got, err)
			}
			if err := Anew(t.Context(), c.pool); err != nil {
				t.Fatal(err)
			}
		}
		if failed == nil {
			if fault < 15 {
				t.Errorf("only %d statements were made to fail", fault-1)
			}
			return
		}
	}
}

// A feed that is read again from its beginning changes nothing and doubles nothing.
func TestStartingAnewDoublesNothing(t *testing.T) {
	t.Parallel()
	c := newCabinet(t, aYear())
	for range 2 {
		c.catchUp(t)
		if got := c.all(t); got != afterAYear {
			t.Errorf("got:\n%s\nwant:\n%s", got, afterAYear)
		}
		if err := Anew(t.Context(), c.pool); err != nil {
			t.Fatal(err)
		}
	}
}

// What the feed has dropped is made good by reading everybody: in a cabinet that knows nobody, one that was away for long, and one that is read
// anew. Whoever has the identifier in use has signed in, though nothing tells when.
func TestWhatTheFeedHasDroppedIsMadeGood(t *testing.T) {
	t.Parallel()
	p := &provider{}
	p.edition(1, living(anna, annasNumber, `"identifier":"none"`), living(boris, borisNumber, `"identifier":"none"`))
	away := newCabinet(t, p)
	away.catchUp(t)
	p.touch(1, living(boris, borisNumber, `"identifier":"none"`))
	p.edition(2, living(anna, annasNumber, `"identifier":"active"`))
	p.say("identifier.activated", anna)
	p.edition(3, living(vera, verasNumber, `"identifier":"none"`))
	p.dropped = 3
	anew := newCabinet(t, p)
	anew.catchUp(t)
	if err := Anew(t.Context(), anew.pool); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]cabinet{"fresh": newCabinet(t, p), "away": away, "anew": anew} {
		c.catchUp(t) // everybody, and then what is left
		c.catchUp(t)
		if found, err := c.verify(t.Context()); err != nil || found != "3 []" {
			t.Errorf("%s: %v: %s", name, err, found)
		}
		for _, want := range []string{"cursor 4\n", "cabinet " + annasNumber + " activated", "cabinet " + borisNumber + " not_activated", "cabinet " + verasNumber + " not_activated"} {
			if got := c.all(t); !strings.Contains(got, want) {
				t.Errorf("%s: got:\n%s\nwant %s", name, got, want)
			}
		}
	}
}

// Where the feed has dropped that a number became another's, of a sign-in under it the provider says whether it is theirs: it is not over because the
// cabinet has heard of it so late.
func TestWhoHasANumberThatNobodyTellsOfIsLetIn(t *testing.T) {
	t.Parallel()
	p := &provider{}
	p.edition(1, living(anna, annasNumber), living(boris, borisNumber))
	c := newCabinet(t, p)
	c.catchUp(t)
	p.edition(2, living(anna, verasNumber), living(boris, annasNumber))
	p.say("identifier.activated", boris)
	p.dropped = 3
	c.catchUp(t)
	c.catchUp(t)
	admits := func(number string, signedIn time.Time, active bool, want access.Decision) {
		t.Helper()
		gate := access.Gate{Pool: c.pool, Provider: vouching(active)}
		got, err := gate.Admit(t.Context(), access.Question{Subject: number, AuthTime: signedIn, At: now}, "token", nil)
		if got != want || err != nil {
			t.Errorf("%s, signed in %s ago, %v to the provider: got %q, %v, want %q", number, now.Sub(signedIn), active, got, err, want)
		}
	}
	for range 2 {
		admits(annasNumber, now.Add(-time.Minute), true, access.Admit)
		admits(annasNumber, now.Add(-time.Minute), false, access.RefuseEnded)
		admits(annasNumber, now.Add(time.Minute), false, access.Admit)
		admits(borisNumber, now.Add(-time.Minute), true, access.RefuseUnknown)
		admits(borisNumber, now.Add(-time.Minute), false, access.RefuseEnded)
		if _, err := c.pool.Exec(t.Context(), `UPDATE edition SET read_at = NULL, after = $1 WHERE id = 0`, uuid.Nil); err != nil { // it is read again
			t.Fatal(err)
		}
		c.catchUp(t)
	}
}

// vouching is what a provider says of each token.
type vouching bool

func (v vouching) Active(context.Context, string, time.Time) (bool, error) { return bool(v), nil }

// Nodes that follow at the same time do not get into each other's way.
func TestNodesFollowTogether(t *testing.T) {
	t.Parallel()
	c := newCabinet(t, aYear())
	var nodes sync.WaitGroup
	for range 4 {
		nodes.Go(func() {
			for range 3 { // as often as Run would try
				if err := c.tryToCatchUp(t); err != nil {
					t.Error(err)
				}
			}
		})
	}
	nodes.Wait()
	if got := c.all(t); got != afterAYear {
		t.Errorf("got:\n%s\nwant:\n%s", got, afterAYear)
	}
}

// As the year goes by, cabinets go through their states and the journal tells of it.
func TestCabinetsFollowTheRegister(t *testing.T) {
	t.Parallel()
	p := &provider{}
	c := newCabinet(t, p)
	p.edition(1, living(anna, annasNumber), living(boris, borisNumber))
	p.say("identifier.activated", anna)
	c.catchUp(t)
	check := func(when, want string) {
		t.Helper()
		c.catchUp(t)
		if got := c.all(t); !strings.Contains(got, want) {
			t.Errorf("%s: got:\n%s\nwant:\n%s", when, got, want)
		}
	}
	check("at first", "cabinet 0000000A000PB2 activated BY\ncabinet 7000000A000PB1 not_activated BY")

	p.edition(2, living(anna, annasNumber, `"missing":{"date":"2026-01-02","act":"1"}`))
	check("missing", "cabinet 0000000A000PB2 deactivated missing BY")
	check("missing", `1 cabinet.deactivated system {"reason": "missing"}`)

	p.edition(3, living(anna, annasNumber))
	check("found", "cabinet 0000000A000PB2 not_activated BY")
	check("found", "1 cabinet.restored system")

	p.say("identifier.activated", anna)
	check("signed in again", "cabinet 0000000A000PB2 activated BY")

	p.edition(4, strings.Replace(living(anna, annasNumber, `"incapable":{"date":"2026-03-04","act":"1"}`), `"BY"`, `"PL"`, 1))
	check("changed", "cabinet 0000000A000PB2 activated PL")
	check("changed", `1 profile.changed system {"new": "2026-03-04", "old": "", "field": "incapable"}`)
	check("changed", `1 profile.changed system {"new": "PL", "old": "BY", "field": "citizenship"}`)

	p.edition(6, living(anna, annasNumber, `"incapable":{"date":"2026-03-04"},"deactivated_for":"incapable"`))
	check("the operator has settled it so", "cabinet 0000000A000PB2 deactivated incapable BY")
	p.edition(7, living(anna, annasNumber))
	p.say("identifier.activated", anna)

	// Two people change numbers with each other; whoever comes first finds the number taken.
	p.edition(8, living(anna, borisNumber), living(boris, annasNumber))
	check("numbers", "cabinet 7000000A000PB1 activated BY\ncabinet 0000000A000PB2 not_activated BY")
}

// The first edition comes as a whole, and makes of everybody the same as pages would, which find nothing to change when they are read after it.
// What was cut off has made no cabinet.
func TestTheFirstEditionFillsTheCabinets(t *testing.T) {
	t.Parallel()
	fact := func(name, since string) string { return fmt.Sprintf(`%q:{"date":%q,"act":"1"}`, name, since) }
	var people []string
	for i, members := range [][]string{
		{},
		{fact("death", "2026-03-04")},
		{fact("declared_dead", "2026-03-04")},
		{fact("missing", "2026-03-04")},
		{fact("limited", "1999-12-31")},
		{fact("incapable", "1650-02-28")},
		{fact("incapable", "2026-03-04"), `"deactivated_for":"incapable"`},
		{fact("missing", "2026-03-04"), fact("death", "2026-03-04"), fact("declared_dead", "2026-03-04"), fact("limited", "2000-01-01")},
	} {
		people = append(people, living(uuid.UUID{15: byte(i + 1)}, fmt.Sprintf("Number%d", i), members...))
	}
	p, byPages := &provider{cut: true}, &provider{}
	c, d := newCabinet(t, p), newCabinet(t, byPages)
	rules := func() (all string) {
		t.Helper()
		const read = `
			SELECT string_agg(concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(pg_constraint.oid), relforcerowsecurity), E'\n'
			                  ORDER BY conrelid::regclass::text, conname)
			FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
			WHERE 'cabinet'::regclass IN (conrelid, confrelid)`
		if err := c.pool.QueryRow(t.Context(), read).Scan(&all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	empty := rules()
	p.say("signed_in", vera)
	p.edition(1, people...)
	if err := c.tryToCatchUp(t); err == nil {
		t.Error("what was cut off is taken for the whole")
	}
	if got := c.all(t); strings.Contains(got, "Number") {
		t.Errorf("what was cut off has made cabinets:\n%s", got)
	}
	known := func(c cabinet) (all string) {
		t.Helper()
		const read = `SELECT string_agg(cabinet::text, E'\n' ORDER BY person_id) FROM cabinet WHERE identification_number LIKE 'Number%'`
		c.catchUp(t)
		if err := c.pool.QueryRow(t.Context(), read).Scan(&all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	filled := known(c)
	if n := strings.Count(filled, "Number"); n != len(people) {
		t.Errorf("%d cabinets of %d people:\n%s", n, len(people), filled)
	}
	byPages.edition(1, living(vera, verasNumber))
	d.catchUp(t)
	byPages.edition(2, people...)
	if got := known(d); got != filled {
		t.Errorf("by pages:\n%s\nas a whole:\n%s", got, filled)
	}
	if err := Anew(t.Context(), c.pool); err != nil {
		t.Fatal(err)
	}
	if got := known(c); got != filled {
		t.Errorf("read anew:\n%s\nas a whole:\n%s", got, filled)
	}
	if got := rules(); got != empty {
		t.Errorf("what holds for the tables is now:\n%s\nand was:\n%s", got, empty)
	}
}

// People who exchange numbers are both told of.
func TestWhoTakesTheNumberOfAnotherIsToldOf(t *testing.T) {
	t.Parallel()
	p := &provider{}
	c := newCabinet(t, p)
	c.cfg.page = 2
	p.edition(1, living(anna, annasNumber), living(boris, borisNumber))
	for gid, who := range map[uuid.UUID]uuid.UUID{grant: anna, vera: boris} {
		p.say("grant.given", who, `"gid":"`+gid.String()+`","client_id":"service","detail":{"scope":"openid offline_access cabinet.profile"}`)
	}
	c.catchUp(t)
	p.edition(2, living(anna, borisNumber), living(boris, annasNumber))
	c.catchUp(t)
	const told = `SELECT string_agg(concat_ws(' ', subject, detail), ', ' ORDER BY subject) FROM signal`
	const want = annasNumber + ` {"fields": ["sub"]}, ` + borisNumber + ` {"fields": ["sub"]}`
	var got string
	if err := c.pool.QueryRow(t.Context(), told).Scan(&got); err != nil || got != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	if got := c.all(t); !strings.Contains(got, "cabinet "+borisNumber+" not_activated BY\ncabinet "+annasNumber) {
		t.Errorf("the numbers are not exchanged:\n%s", got)
	}
}

// A feed that falls silent amid people is not waited for; but it waits for whoever takes their time over them.
func TestSilenceAmidPeople(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		head := strings.Join(tableColumns[:], ",") + "\n"
		row := anna.String() + "," + annasNumber + ",F,1956-03,BY,,,,,,,,,,,\n"
		feed := Feed{
			HTTP:  &http.Client{Transport: says{head, row, row}},
			Token: func(context.Context, string) (string, error) { return "good", nil },
		}
		began, heard := time.Now(), 0
		err := feed.touched(t.Context(), 1, nobody, 0, func(next func() (person, error)) error {
			for {
				if _, err := next(); err != nil {
					return err
				}
				heard++
				time.Sleep(time.Minute)
			}
		})
		if waited := time.Since(began) - 2*time.Minute; !errors.Is(err, errSilent) || heard != 2 || waited != patience {
			t.Errorf("heard of %d, waited for %s: %v", heard, waited, err)
		}
	})
}

// says is an answer that comes in pieces, and then no more.
type says []string

func (s says) RoundTrip(r *http.Request) (*http.Response, error) {
	body, pieces := io.Pipe()
	context.AfterFunc(r.Context(), func() { pieces.CloseWithError(r.Context().Err()) })
	go func() {
		for _, piece := range s {
			_, _ = io.WriteString(pieces, piece)
		}
	}()
	return &http.Response{StatusCode: http.StatusOK, Body: body, Request: r}, nil
}

// The person's events may come before the person.
func TestEventsMayComeBeforeThePerson(t *testing.T) {
	t.Parallel()
	p := &provider{}
	c := newCabinet(t, p)
	p.say("identifier.activated", anna)
	p.edition(1, living(anna, annasNumber))
	c.catchUp(t)
	if got, want := c.all(t), "cabinet 0000000A000PB2 activated BY"; !strings.Contains(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// A key of the provider's that is good no longer is not waited for, and other keys change nothing.
func TestAKeyThatIsGoneIsForgotten(t *testing.T) {
	t.Parallel()
	p := &provider{}
	c := newCabinet(t, p)
	for kind, want := range map[string]int{"key.retired": 0, "key.gone": 1} {
		*c.fetched = 0
		p.say(kind, nobody)
		if c.catchUp(t); *c.fetched != want {
			t.Errorf("%s: the keys were fetched %d times, want %d", kind, *c.fetched, want)
		}
	}
}

// What was heard is what happened before the last entry, or, when there is none, everything.
func TestHeard(t *testing.T) {
	t.Parallel()
	p := &provider{}
	c := newCabinet(t, p)
	heard := func() (at time.Time) {
		t.Helper()
		if err := c.step(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.pool.QueryRow(t.Context(), `SELECT heard_at FROM follow`).Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	p.say("signed_in", anna)
	if got, want := heard(), now.Add(time.Second-time.Minute); !got.Equal(want) {
		t.Errorf("after an entry: heard up to %s, want %s", got, want)
	}
	if got := heard(); !got.Equal(now) {
		t.Errorf("with nothing new: heard up to %s, want %s", got, now)
	}
	p.say("signed_in", anna)
	if got := heard(); !got.Equal(now) {
		t.Errorf("after an older entry: heard up to %s, want %s", got, now)
	}
}

// While the provider is away the follower tries on; the log has one line when it goes and one when it is back.
func TestRunTriesOn(t *testing.T) {
	t.Parallel()
	p := &provider{asked: make(chan struct{}, 1)}
	p.away.Store(2)
	p.say("signed_in", anna)
	c := newCabinet(t, p)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	<-p.asked // it has come to the end of the feed
	<-p.asked // and said so
	stop()
	running.Wait()
	if got, want := c.all(t), "cursor 1\nclient service {\"\": \"Service\", \"be\": \"Паслуга\"}\n1 signed_in self"; got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if got := c.log.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "following again") {
		t.Errorf("the log:\n%s", got)
	}
}

// A single event of the register comes as an edition does, and the journal says that the register has told of it.
func TestASingleEventIsFollowed(t *testing.T) {
	t.Parallel()
	p := &provider{}
	c := newCabinet(t, p)
	p.edition(1, living(anna, annasNumber))
	p.event(2, anna, living(anna, borisNumber, `"death":{"date":"2026-01-02"}`))
	c.catchUp(t)
	got := c.all(t)
	for _, want := range []string{"cabinet 7000000A000PB1 deactivated death BY", "1 person.changed system"} {
		if !strings.Contains(got, want) {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	}
}

// A single event does not wait until an edition of many people was read.
func TestASingleEventIsReadAmidAnEdition(t *testing.T) {
	t.Parallel()
	p := &provider{}
	c := newCabinet(t, p)
	c.cfg.pages = 1
	p.edition(1, living(anna, annasNumber))
	c.catchUp(t)
	var crowd []string
	for i := range 9 {
		crowd = append(crowd, living(uuid.UUID{15: byte(i + 1)}, fmt.Sprintf("Number%d", i)))
	}
	p.edition(2, crowd...)
	onwards := func(what func(context.Context) (bool, error)) {
		t.Helper()
		if _, err := what(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	hear := func(ctx context.Context) (bool, error) { return false, c.step(ctx) }
	onwards(hear)
	onwards(c.read)
	for n, told := range []string{living(anna, borisNumber), living(anna, borisNumber, `"death":{"date":"2026-01-02"}`, `"identifier":"none"`)} {
		p.event(int64(n+3), anna, told)
		onwards(hear)
		onwards(c.read)
		want := []string{"cabinet 7000000A000PB1 not_activated", "cabinet 7000000A000PB1 deactivated death"}[n]
		if got := c.all(t); !strings.Contains(got, want) || !strings.Contains(got, "edition 2 f") || strings.Contains(got, "Number8") {
			t.Errorf("amid the edition: got:\n%s\nwant %s", got, want)
		}
		onwards(c.read)
	}
	c.catchUp(t)
	if got, err := c.verify(t.Context()); err != nil || got != "10 []" {
		t.Errorf("at its end: %s, %v", got, err)
	}
}

// A death that was reversed before the cabinet came to read of it has ended what the primary sign-in began, and the journal tells of both (order
// 82, p. 8); whoever has signed in again since has an activated cabinet. That stays so when the feed is read anew.
func TestADeathThatNobodyCameToReadIsMadeGood(t *testing.T) {
	t.Parallel()
	p := &provider{}
	c := newCabinet(t, p)
	p.edition(1, living(anna, annasNumber), living(boris, borisNumber), living(vera, verasNumber))
	for _, who := range []uuid.UUID{anna, boris, vera} {
		p.say("identifier.activated", who)
	}
	c.catchUp(t)
	for n, who := range []struct {
		id     uuid.UUID
		number string
	}{{anna, annasNumber}, {boris, borisNumber}} {
		p.say("sessions.ended", who.id, `"detail":{"why":"deactivated"}`)
		p.event(int64(2*n+2), who.id, living(who.id, who.number, `"death":{"date":"2026-01-02"}`))
		p.say("identifier.blocked", who.id, `"detail":{"reason":"desk","was":"register"}`)
		p.event(int64(2*n+3), who.id, living(who.id, who.number))
	}
	p.say("identifier.activated", boris)
	p.edition(6, living(vera, verasNumber, `"limited":{"date":"2026-02-03","act":"7"}`))
	for range 2 {
		c.catchUp(t)
		got := c.all(t)
		for _, want := range []string{
			"cabinet " + annasNumber + " not_activated", "cabinet " + borisNumber + " activated", "cabinet " + verasNumber + " activated",
			"1 cabinet.activated self\n1 cabinet.deactivated system\n1 cabinet.restored system\n1 identifier.activated self",
			"2 cabinet.activated self\n2 cabinet.activated self\n2 cabinet.deactivated system\n2 cabinet.restored system\n2 identifier.activated self",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		}
		if strings.Contains(got, "3 cabinet.deactivated") {
			t.Errorf("somebody who was never gone: got:\n%s", got)
		}
		if err := Anew(t.Context(), c.pool); err != nil {
			t.Fatal(err)
		}
	}
	c.catchUp(t)
	const broken = `UPDATE cabinet SET state = 'activated', state_at = state_at - interval '1 hour' WHERE person_id = $1`
	if _, err := c.pool.Exec(t.Context(), broken, anna); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprint(3, []Difference{{anna, []string{"state"}}})
	if got, err := c.verify(t.Context()); err != nil || got != want {
		t.Errorf("what is activated over a death: got %s, %v, want %s", got, err, want)
	}
}

// Whoever turns out to be another one too has one cabinet, though a page was read before in which they are two; what the journal told of them it tells
// of who they are, once, however often the feed is read.
func TestOfTwoWhoAreOneThereIsOneCabinet(t *testing.T) {
	t.Parallel()
	p := new(provider)
	c := newCabinet(t, p)
	p.edition(1, living(anna, annasNumber))
	c.catchUp(t)
	p.edition(2, living(boris, borisNumber))
	if err := c.step(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	p.paged = func() { // boris's page is in hand
		p.say("desk.looked_up", boris, `"staff":true,"detail":{"purpose":"visit"}`)
		p.say("person.changed", anna, `"edition":3`, fmt.Sprintf(`"detail":{"joined":%q}`, boris))
		p.touch(2)
		p.touch(3, living(anna, borisNumber))
		if err := c.step(t.Context()); err != nil {
			t.Error(err)
		}
	}
	p.mu.Unlock()
	c.catchUp(t)
	for range 2 {
		if got, err := c.verify(t.Context()); err != nil || got != "1 []" {
			t.Errorf("%v: %s", err, got)
		}
		var cabinets, told int
		const find = `SELECT (SELECT count(*) FROM cabinet), (SELECT count(*) FROM journal WHERE person_id = $1 AND kind = 'desk.looked_up' AND detail->>'purpose' = 'visit')`
		if err := c.pool.QueryRow(t.Context(), find, anna).Scan(&cabinets, &told); err != nil || cabinets != 1 || told != 1 {
			t.Errorf("%v: %d cabinets, and the journal tells %d times of what the desk did", err, cabinets, told)
		}
		if err := Anew(t.Context(), c.pool); err != nil {
			t.Fatal(err)
		}
		c.catchUp(t)
	}
}

// So it is where the feed has dropped what told of it: who is no more among all people has no cabinet, whether others come after them or not. One that
// was ever signed in to stays, and verifying names it.
func TestOfTwoWhoAreOneThereIsOneCabinetThoughTheFeedHasDroppedThat(t *testing.T) {
	t.Parallel()
	leo, nina := uuid.MustParse("018f0000-0000-7000-8000-000000000004"), uuid.MustParse("018f0000-0000-7000-8000-000000000005")
	p := new(provider)
	c := newCabinet(t, p)
	p.edition(1, living(anna, annasNumber), living(boris, borisNumber), living(vera, verasNumber), living(leo, "Number1"), living(nina, "Number2"))
	p.say("identifier.activated", leo)
	c.catchUp(t)
	p.edition(2, living(leo, "Number1", `"death":{"date":"2026-01-02"}`))
	c.catchUp(t)
	p.touch(2)
	p.say("person.changed", anna, `"edition":3`, fmt.Sprintf(`"detail":{"joined":%q}`, boris))
	p.say("person.changed", vera, `"edition":4`, fmt.Sprintf(`"detail":{"joined":%q}`, nina))
	p.touch(1, living(anna, borisNumber, `"identifier":"none"`), living(vera, "Number2", `"identifier":"none"`))
	p.dropped = 5
	c.catchUp(t)
	want := fmt.Sprint(2, []Difference{{leo, []string{"unknown to the provider"}}})
	if got, err := c.verify(t.Context()); err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// But who leaves out many has lost them: then all cabinets stay, and verifying names them.
func TestCabinetsStayOfManyWhomAllPeopleLeaveOut(t *testing.T) {
	t.Parallel()
	p := new(provider)
	c := newCabinet(t, p)
	var crowd []string
	for i := range 11 {
		crowd = append(crowd, living(uuid.UUID{15: byte(i + 1)}, fmt.Sprintf("Number%02d", i)))
	}
	p.edition(1, crowd...)
	c.catchUp(t)
	p.edition(2)
	p.touch(1)
	p.dropped = 2
	c.catchUp(t)
	if got, err := c.verify(t.Context()); err != nil || strings.Count(got, "unknown to the provider") != len(crowd) {
		t.Errorf("got %s, %v", got, err)
	}
}

// The feed is followed while a first load is on its way: neither waits for the other, though both look at cabinets and at whose turn it is.
func TestAFirstLoadAndTheFeedDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	p := new(provider)
	c := newCabinet(t, p)
	p.edition(1, living(anna, annasNumber))
	if err := c.step(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.say("sessions.ended", boris)
	p.say("identifier.activated", anna)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	until := func(query string) {
		t.Helper()
		for is := false; !is; {
			if err := c.pool.QueryRow(ctx, query).Scan(&is); err != nil {
				t.Fatal(err)
			}
		}
	}
	other, err := c.pool.Begin(ctx) // for which the load waits once it has the turn
	if err == nil {
		_, err = other.Exec(ctx, `LOCK TABLE refresh IN ROW EXCLUSIVE MODE`)
	}
	if err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	both.Go(func() {
		if _, err := c.read(ctx); err != nil {
			t.Error(err)
		}
	})
	until(`SELECT NOT EXISTS (SELECT FROM reading FOR SHARE SKIP LOCKED)`)
	both.Go(func() {
		if err := c.step(ctx); err != nil {
			t.Error(err)
		}
	})
	until(`SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%reading FOR SHARE')`)
	if err := other.Commit(ctx); err != nil {
		t.Error(err)
	}
	both.Wait()
	if got := c.all(t); !strings.Contains(got, "cabinet "+annasNumber+" activated") {
		t.Errorf("got:\n%s", got)
	}
}

// Two nodes read pages at the same time, and the one that has read earlier comes later: it does not bring back what was before.
func TestAPageThatIsOldByNowIsReadAgain(t *testing.T) {
	t.Parallel()
	p := &provider{}
	c := newCabinet(t, p)
	p.edition(1, living(boris, borisNumber))
	c.catchUp(t)
	p.edition(3, living(anna, annasNumber))
	if err := c.step(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.paged = func() { // the other node; its edition has waited for a second person, and has the smaller number
		p.edition(2, strings.Replace(living(anna, annasNumber), `"BY"`, `"PL"`, 1))
		if err := c.step(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := c.read(t.Context()); err != nil {
			t.Error(err)
		}
	}
	c.catchUp(t)
	if got := c.all(t); !strings.Contains(got, "cabinet 0000000A000PB2 not_activated PL") {
		t.Errorf("got:\n%s", got)
	}
}

// Who verifies is told whose cabinet is not as the provider says, and what of it, and of nothing that the feed has yet to tell.
func TestVerifyNamesWhatDiffers(t *testing.T) {
	t.Parallel()
	p := &provider{}
	c := newCabinet(t, p)
	p.edition(1, living(anna, annasNumber, `"identifier":"active"`), living(boris, borisNumber, `"identifier":"none"`), living(vera, verasNumber, `"identifier":"none"`))
	p.say("identifier.activated", anna)
	c.catchUp(t)
	if got, err := c.verify(t.Context()); err != nil || got != "3 []" {
		t.Errorf("level: %s, %v", got, err)
	}
	p.event(2, vera, living(vera, verasNumber, `"death":{"date":"2026-01-02"},"identifier":"none"`))
	if err := level(t.Context(), c.pool, c.cfg.Feed, 500*time.Millisecond, func(int, int64) {}); !errors.Is(err, ErrBehind) {
		t.Errorf("behind: %v", err)
	}
	c.catchUp(t)
	if got, err := c.verify(t.Context()); err != nil || got != "3 []" {
		t.Errorf("level again: %s, %v", got, err)
	}
	stranger := uuid.MustParse("018f0000-0000-7000-8000-000000000100")
	for _, broken := range []string{
		`UPDATE cabinet SET state = 'not_activated', citizenship = 'PL', limited_date = '2026-01-01' WHERE person_id = '` + anna.String() + `'`,
		`INSERT INTO cabinet SELECT '` + stranger.String() + `', NULL, state, state_reason, state_at, sex, birth_date, citizenship, NULL, NULL, updated_at, created_at
		 FROM cabinet WHERE person_id = '` + boris.String() + `'`,
		`DELETE FROM cabinet WHERE person_id = '` + boris.String() + `'`,
	} {
		if _, err := c.pool.Exec(t.Context(), broken); err != nil {
			t.Fatal(err)
		}
	}
	want := fmt.Sprint(3, []Difference{
		{anna, []string{"citizenship", "limited", "state"}}, {boris, []string{"no cabinet"}}, {stranger, []string{"unknown to the provider"}},
	})
	if got, err := c.verify(t.Context()); err != nil || got != want {
		t.Errorf("broken: %v: got %s, want %s", err, got, want)
	}
}

// Verifying waits for as long as the cabinet goes on reading, be it one page that takes long, and tells of it.
func TestVerifyWaitsWhileTheCabinetReads(t *testing.T) {
	t.Parallel()
	const patience, pages = 1200 * time.Millisecond, 4
	p := &provider{}
	c := newCabinet(t, p)
	c.cfg.pages = 1
	p.edition(1, living(anna, annasNumber))
	c.catchUp(t)
	var people []string
	for i := range pages {
		people = append(people, living(uuid.UUID{15: byte(i + 1)}, fmt.Sprintf("Number%d", i)))
	}
	p.edition(2, people...)
	if err := c.step(t.Context()); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		long, err := c.pool.Begin(t.Context()) // a page that is being applied
		if err == nil {
			_, err = long.Exec(t.Context(), `SELECT FROM reading FOR UPDATE`)
		}
		<-time.After(2 * patience)
		if err := errors.Join(err, long.Rollback(t.Context())); err != nil {
			t.Error(err)
		}
		for range pages + 1 {
			<-time.After(patience / 4)
			if _, err := c.read(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	var most int64
	err := level(t.Context(), c.pool, c.cfg.Feed, patience, func(editions int, read int64) {
		if most = max(most, read); editions != 1 {
			t.Errorf("waits for %d editions", editions)
		}
	})
	if err != nil || most == 0 {
		t.Errorf("%v, after %d pages", err, most)
	}
	reading.Wait()
}

// Verifying comes to its end though the feed does not: what is said meanwhile is not waited for.
func TestVerifyEndsWhileTheFeedGoesOn(t *testing.T) {
	t.Parallel()
	p := &provider{}
	c := newCabinet(t, p)
	p.edition(1, living(anna, annasNumber), living(boris, borisNumber), living(vera, verasNumber))
	c.catchUp(t)
	if _, err := c.pool.Exec(t.Context(), `UPDATE cabinet SET sex = 'M' WHERE person_id <> $1`, vera); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = c.Run(ctx) })
	running.Go(func() { _ = c.RunEditions(ctx) })
	running.Go(func() {
		for n := int64(2); ctx.Err() == nil; n++ {
			p.event(n, vera, living(vera, verasNumber))
			<-time.After(10 * time.Millisecond)
		}
	})
	defer running.Wait()
	defer stop()
	want := fmt.Sprint(3, []Difference{{anna, []string{"sex"}}, {boris, []string{"sex"}}})
	if got, err := c.verify(ctx); err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// How far the cabinet is behind stands in the metrics.
func TestLagIsToldInMetrics(t *testing.T) {
	t.Parallel()
	p := &provider{}
	c := newCabinet(t, p)
	p.edition(1, living(anna, annasNumber), living(boris, borisNumber))
	p.edition(2, living(vera, verasNumber))
	metrics := prometheus.NewRegistry()
	later := now
	metrics.MustRegister(Lag{Pool: c.pool, Now: func() time.Time { return later }})
	told := func() string {
		t.Helper()
		families, err := metrics.Gather()
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]float64{}
		for _, family := range families {
			all[family.GetName()] = family.GetMetric()[0].GetGauge().GetValue()
		}
		return fmt.Sprint(all["cabinet_feed_lag_seconds"], all["cabinet_register_lag_seconds"], all["cabinet_unread_editions"])
	}
	if err := c.step(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := told(), "58 59 2"; got != want {
		t.Errorf("with people to be read: got %s, want %s", got, want)
	}
	later = now.Add(time.Hour)
	if err := c.step(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := told(), "3600 3659 2"; got != want {
		t.Errorf("an hour later: got %s, want %s", got, want)
	}
	c.catchUp(t)
	if got, want := told(), "3600 0 0"; got != want {
		t.Errorf("with nothing left: got %s, want %s", got, want)
	}
}

// The whole life of a cabinet (order 82, p. 7 to 10): from each state, what each cause makes of it. There are no other moves: nothing leads from
// deactivated to activated, nothing makes a cabinet but the register, nothing activates one but a primary sign-in.
func TestACabinetHasNoOtherMoves(t *testing.T) {
	t.Parallel()
	dead := living(anna, annasNumber, `"death":{"date":"2026-01-02"}`)
	from := map[string]func(*provider){
		"":              func(*provider) {},
		"not_activated": func(p *provider) { p.edition(1, living(anna, annasNumber)) },
		"activated": func(p *provider) {
			p.edition(1, living(anna, annasNumber))
			p.say("identifier.activated", anna)
		},
		"deactivated": func(p *provider) {
			p.edition(1, living(anna, annasNumber))
			p.say("identifier.activated", anna)
			p.say("sessions.ended", anna, `"detail":{"why":"deactivated"}`) // in the edition's transaction
			p.edition(2, dead)
		},
	}
	for cause, move := range map[string]struct {
		does func(*provider)
		to   map[string]string // where it is not the same
	}{
		"the register tells of them":          {func(p *provider) { p.edition(3, living(anna, annasNumber)) }, map[string]string{"": "not_activated", "deactivated": "not_activated"}},
		"the register tells something else":   {func(p *provider) { p.event(3, anna, living(anna, borisNumber, `"limited":{"date":"2026-01-02"}`)) }, map[string]string{"": "not_activated", "deactivated": "not_activated"}},
		"the register tells of a death":       {func(p *provider) { p.edition(3, dead) }, map[string]string{"": "deactivated", "not_activated": "deactivated", "activated": "deactivated"}},
		"a primary sign-in":                   {func(p *provider) { p.say("identifier.activated", anna) }, map[string]string{"not_activated": "activated"}},
		"another sign-in":                     {func(p *provider) { p.say("signed_in", anna) }, nil},
		"a block of their own":                {func(p *provider) { p.say("identifier.blocked", anna, `"detail":{"reason":"self"}`) }, nil},
		"the end of sign-ins by the register": {func(p *provider) { p.say("sessions.ended", anna, `"detail":{"why":"deactivated"}`) }, nil},
		"an unblocking":                       {func(p *provider) { p.say("identifier.unblocked", anna) }, nil},
		"the end of sign-ins":                 {func(p *provider) { p.say("sessions.ended", anna) }, nil},
		"a death of somebody else":            {func(p *provider) { p.edition(3, living(boris, borisNumber, `"death":{"date":"2026-01-02"}`)) }, nil},
	} {
		for state, comes := range from {
			p := &provider{}
			c := newCabinet(t, p)
			comes(p)
			c.catchUp(t)
			got := func() (state string) {
				t.Helper()
				const read = `SELECT coalesce((SELECT state FROM cabinet WHERE person_id = $1), '')`
				if err := c.pool.QueryRow(t.Context(), read, anna).Scan(&state); err != nil {
					t.Fatal(err)
				}
				return state
			}
			if before := got(); before != state {
				t.Fatalf("it begins as %q, want %q", before, state)
			}
			move.does(p)
			c.catchUp(t)
			want, moves := move.to[state]
			if !moves {
				want = state
			}
			if after := got(); after != want {
				t.Errorf("%q, then %s: got %q, want %q", state, cause, after, want)
			}
		}
	}
}
