package register_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"asoba.example/login/register"
	"asoba.example/login/register/registertest"
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/pair"
)

// Bounds of this test: how much of the people an edition may deactivate, and of how many two people events may make one in a day.
const (
	share      = 0.25
	joinsInDay = 1
)

// A life is a register and what is to be in it.
type life struct {
	register.Register
	t     *testing.T
	trips *pgtest.Trips
	now   time.Time
	staff []uuid.UUID
	files int // that were written

	people    map[string]*one     // by each number that they have or had
	said      map[string][]string // what was told of a number
	number    int                 // of the last edition that was applied, as is the next
	period    time.Time
	notBefore time.Time // the latest before which no edition that was applied was made
	applied   []told
	waiting   *told
	left      *told // began, and was cut off
	events    []register.Event
	changes   int         // of single people, on record
	ended     []time.Time // when events, and editions that nobody released, deactivated somebody
	joins     []time.Time // when an event made one of two people
}

// one is somebody as the model has them.
type one struct {
	registertest.Person
	former []string // citizenships, each after until when
	turned string   // "-" where they became gone, "+" found, "i" incapable, "~" got another number
}

func incapable(row string) bool { return strings.Split(row, ",")[9] != "" }

// says is that somebody is as a row tells from now on.
func (p *one) says(row string, now time.Time) {
	was := p.Row
	if citizenship := strings.Split(was, ",")[2]; citizenship != strings.Split(row, ",")[2] {
		p.was(citizenship, now)
	}
	if registertest.Gone(row) && !registertest.Gone(was) {
		p.turned += "-"
	}
	if incapable(row) && !incapable(was) && !registertest.Gone(row) {
		p.turned += "i"
	}
	if !registertest.Gone(row) && registertest.Gone(was) {
		p.turned += "+"
	}
	p.Row = row
}

// was is that somebody had a citizenship until a time.
func (p *one) was(citizenship string, till time.Time) {
	p.former = append(slices.Clip(p.former), till.Format(time.RFC3339)+" "+citizenship)
}

// is is somebody who turns out to be another one too.
func (p *one) is(other *one, now time.Time) *one {
	q := *p
	q.SaysOf(&other.Person, now)
	q.says(q.Is(&other.Person, now), now)
	q.hasHistory(other)
	return &q
}

// hasHistory is that what was told of another one was told of them.
func (p *one) hasHistory(other *one) {
	for _, was := range other.former {
		if !slices.Contains(p.former, was) {
			p.former = append(slices.Clip(p.former), was)
		}
	}
	p.HasHistory(&other.Person)
}

// told is an edition's file.
type told struct {
	number, bad int
	period      time.Time
	asOf        *time.Time
	kind        register.Kind
	rows        map[string]string
	text        string
	id          int64
	by          uuid.UUID
	came        time.Time // when it began; the zero time: it has not
}

// made is between when it was.
func (f *told) made() (notBefore, notAfter time.Time) {
	if f.asOf != nil {
		return *f.asOf, *f.asOf
	}
	notAfter = f.period.AddDate(0, 1, 0)
	if f.came.Before(notAfter) {
		notAfter = f.came
	}
	return f.period, notAfter
}

// Editions of any kind, as of a time or of none, and events of any time come in any order, cut off and killed anywhere, the first edition too, again,
// late, refused and released; numbers become others, and the operator restores people and undoes that: after each the database says what the model
// says. It goes on for ten seconds.
func TestAnyLifeOfTheRegister(t *testing.T) {
	t.Parallel()
	pool, trips := pgtest.Counting(t)
	l := &life{t: t, trips: trips}
	if _, err := pool.Exec(t.Context(), `CREATE TABLE turned (place bigint GENERATED ALWAYS AS IDENTITY, person_id uuid, how text)`); err != nil {
		t.Fatal(err)
	}
	turn := func(how string) func(context.Context, pgx.Tx, []uuid.UUID, time.Time) error {
		return func(ctx context.Context, tx pgx.Tx, people []uuid.UUID, _ time.Time) error {
			_, err := tx.Exec(ctx, `INSERT INTO turned (person_id, how) SELECT unnest($1::uuid[]), $2`, people, how)
			return err
		}
	}
	l.Register = register.Register{
		Pool: pool, Cascade: turn("-"), Restored: turn("+"), Incapable: turn("i"), Renumbered: turn("~"),
		DeactivatedShare: func() float64 { return share }, MissingShare: func() float64 { return 0.5 }, RejectedShare: func() float64 { return 0.5 },
		JoinsInDay: func() int { return joinsInDay },
	}.ByPieces(150)
	over, broken := time.Now().Add(10*time.Second), false
	rapid.Check(t, func(rt *rapid.T) {
		if time.Now().After(over) && !broken { // what broke is made smaller to the end
			return
		}
		defer func() { broken = broken || rt.Failed() }()
		l.begin(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"edition":          l.edition,
			"edition cut off":  l.edition, // more often
			"the same again":   l.again,
			"go on":            l.goOn,
			"an older one":     l.older,
			"decide":           l.decide,
			"crash of a store": l.crash,
			"event":            l.event,
			"event, or more":   l.event,
			"event again":      l.eventAgain,
			"another number":   l.renumber,
			"restore":          l.restore,
			"undo that":        l.undo,
			"":                 l.check,
		})
	})
}

func (l *life) begin(rt *rapid.T) {
	const emptied = `
		TRUNCATE turned, staged_person, staged_outcome;
		TRUNCATE person, edition CASCADE`
	if _, err := l.Pool.Exec(l.t.Context(), emptied); err != nil {
		rt.Fatal(err)
	}
	*l = life{Register: l.Register, t: l.t, trips: l.trips, now: at, people: map[string]*one{}, said: map[string][]string{}, period: october}
	first := l.file(1, register.Full, map[string]string{"1010130K001PB9": living[0][15:], "2290296M000BA3": living[1][15:]}, 0)
	if rapid.Bool().Draw(rt, "an event comes first") {
		l.event(rt)
	}
	for l.left = first; len(l.applied) == 0; {
		l.goOn(rt)
	}
	for _, number := range []string{"1010130K001PB9", "2290296M000BA3"} {
		l.staff = append(l.staff, l.find(rt, l.people[number]))
	}
}

// find gives whom the database has by somebody's number.
func (l *life) find(rt *rapid.T, p *one) uuid.UUID {
	who, err := register.Find(l.t.Context(), l.Pool, p.Number)
	if err != nil {
		rt.Fatal(err)
	}
	return who.ID
}

// everybody is who is known, in an order.
func (l *life) everybody() (all []*one) {
	for _, number := range slices.Sorted(maps.Keys(l.people)) {
		if p := l.people[number]; p.Number == number {
			all = append(all, p)
		}
	}
	return all
}

var october = time.Date(2026, time.October, 1, 0, 0, 0, 0, time.UTC)

// file writes an edition of the last one's month, as of no time.
func (l *life) file(number int, kind register.Kind, rows map[string]string, bad int) *told {
	f := &told{number: number, period: l.period, kind: kind, rows: rows, bad: bad}
	l.write(f)
	return f
}

// write writes the text of an edition, which no other has.
func (l *life) write(f *told) {
	var lines []string
	for _, n := range slices.Sorted(maps.Keys(f.rows)) {
		lines = append(lines, n+","+f.rows[n])
	}
	for i := range f.bad {
		lines = slices.Insert(lines, i*len(lines)/f.bad, "123,F,1956,BY,,,,,,,,,,")
	}
	l.files++
	says := fmt.Sprintf("# country BY\n# file %d\n", l.files)
	if f.asOf != nil {
		says += "# as_of " + f.asOf.Format(time.RFC3339) + "\n"
	}
	f.text = fmt.Sprintf("# edition %d\n# period %s\n# kind %s\n%s# rows %d\n%s\n%s\n",
		f.number, f.period.Format("2006-01"), f.kind, says, len(lines), header, strings.Join(lines, "\n"))
}

// row draws what is told of a number: what was told of it before, or something else.
func (l *life) row(rt *rapid.T, number string) string {
	if said := l.said[number]; len(said) > 0 && rapid.Bool().Draw(rt, "as before") {
		return rapid.SampledFrom(said).Draw(rt, "row")
	}
	row := fmt.Sprintf("%s,%s,%s,%s", rapid.SampledFrom([]string{"F", "M"}).Draw(rt, "sex"), rapid.SampledFrom([]string{"1956", "1956-03", "1956-03-08"}).Draw(rt, "born"),
		rapid.SampledFrom([]string{"BY", "PL", "stateless"}).Draw(rt, "citizenship"), rapid.SampledFrom(registertest.Facts).Draw(rt, "facts"))
	l.said[number] = append(l.said[number], row)
	return row
}

// ago draws a time of the last hours, or of the last days, which are of two months.
func (l *life) ago(rt *rapid.T) time.Time {
	most := rapid.SampledFrom([]int{3, 100}).Draw(rt, "at most")
	return l.now.Add(-time.Duration(rapid.IntRange(0, most).Draw(rt, "hours ago")) * time.Hour)
}

// edition draws one that nobody has seen, and brings it in; or it is cut off.
func (l *life) edition(rt *rapid.T) {
	rows, leaves := map[string]string{}, rapid.SampledFrom([]int{0, 0, 2}).Draw(rt, "leaves out up to")
	for _, n := range registertest.Numbers {
		if rapid.IntRange(0, 3).Draw(rt, "place") > leaves {
			rows[n] = l.row(rt, n)
		}
	}
	f := &told{
		number: l.number + 1 + rapid.IntRange(0, 1).Draw(rt, "skips"), kind: rapid.SampledFrom([]register.Kind{register.Full, register.Delta}).Draw(rt, "kind"),
		rows: rows, bad: rapid.IntRange(0, 6).Draw(rt, "bad rows"), period: rapid.SampledFrom([]time.Time{october, october.AddDate(0, 1, 0)}).Draw(rt, "month"),
	}
	if rapid.Bool().Draw(rt, "says as of when") {
		if asOf := l.ago(rt); !asOf.Before(f.period) {
			f.asOf = &asOf
		}
	}
	f.by = rapid.SampledFrom(append(l.staff, uuid.Nil)).Draw(rt, "by")
	l.write(f)
	l.bring(rt, f, l.fault(rt))
}

// A fault breaks what is done from now on; what it gives heals, and tells whether more may have been done than was reported.
type fault func() (heal func() bool)

// unbroken breaks nothing.
func unbroken() func() bool { return func() bool { return false } }

// fault draws where to break, and how: a trip to the database fails, the program is killed before it, or once something was committed.
func (l *life) fault(rt *rapid.T) fault {
	trips := rapid.IntRange(1, 40)
	if len(l.applied) == 0 { // the first edition makes a hundred, and most of what may be left behind by the last of them
		trips = rapid.Map(rapid.IntRange(0, 99), func(before int) int { return 100 - before })
	}
	at := trips.Draw(rt, "at trip")
	switch rapid.SampledFrom([]string{"", "", "fails", "killed", "killed after"}).Draw(rt, "broken") {
	case "fails":
		return func() func() bool {
			l.trips.FailAt(at)
			return func() bool { l.trips.FailAt(0); return false }
		}
	case "killed":
		return func() func() bool { return l.trips.CutAt(at) }
	case "killed after":
		commit := rapid.IntRange(1, 5).Draw(rt, "commit")
		return func() func() bool { return l.trips.LoseCommit(commit) }
	}
	return unbroken
}

// broke tells that a trip failed, or went by what had broken then.
func broke(err error) bool {
	return errors.Is(err, context.Canceled) || strings.HasSuffix(err.Error(), "conn closed")
}

// found has the model follow what was left behind of an edition that broke.
func (l *life) found(rt *rapid.T, f *told) {
	const find = `SELECT id, state, began_at, decided_by IS NOT NULL FROM edition WHERE checksum = sha256($1) AND state NOT IN ('refused', 'withdrawn')`
	var (
		state    register.State
		released bool
	)
	err := l.Pool.QueryRow(l.t.Context(), find, []byte(f.text)).Scan(&f.id, &state, &f.came, &released)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		rt.Fatal(err)
	}
	if l.waiting != nil && l.waiting.text == f.text {
		l.waiting = nil
	}
	switch state {
	case register.Staging:
		l.left = f
	case register.Waiting:
		l.waiting = f
	case register.Applied:
		if l.left = nil; !slices.ContainsFunc(l.applied, func(a told) bool { return a.text == f.text }) {
			l.apply(f, released)
		}
	case register.Refused, register.Withdrawn: // as if it had not come
	}
}

// bring imports a file and has the model follow.
func (l *life) bring(rt *rapid.T, f *told, breaks fault) {
	l.now = l.now.Add(time.Hour)
	if f.came.IsZero() {
		f.came = l.now
	}
	o := order(f.text)
	o.At, o.By = l.now, f.by
	heal := breaks()
	r, err := l.Import(l.t.Context(), o)
	killed := heal()

	var c changes
	bad := f.bad > 1 && 2*f.bad > len(f.rows)+f.bad
	if !bad {
		c, _ = l.compare(f)
	}
	much := c.deactivated > 0 && l.many(c.deactivated) || c.missing > 1 && 2*c.missing > int64(len(l.everybody()))
	last := l.number
	if l.waiting != nil {
		last = max(last, l.waiting.number)
	}
	var want error
	switch {
	case l.waiting != nil && l.waiting.text == f.text:
	case f.number < l.number:
		want = register.ErrOlder
	case f.number == l.number && !slices.ContainsFunc(l.applied, func(a told) bool { return a.text == f.text }):
		want = register.ErrOther
	case f.number == l.number:
	case f.kind == register.Delta && f.number > last+1:
		want = register.ErrGap
	case f.period.Before(l.period):
		want = register.ErrMonth
	case f.asOf != nil && f.asOf.Before(l.notBefore):
		want = register.ErrOlder
	case l.waiting != nil:
		want = register.ErrWaits
	case bad:
		want = register.ErrBad
	case much && f.by == uuid.Nil:
		want = register.ErrNobody
	}
	switch {
	case err != nil && (killed || broke(err)):
		l.found(rt, f)
		return
	case !errors.Is(err, want) || want == nil && err != nil:
		rt.Fatalf("got %v, want %v", err, want)
	case want != nil, r.Again:
		return
	}
	f.id = r.ID
	got := changes{r.Added, r.Changed, r.Same, r.Deactivated, r.Restored, r.Missing, r.Withheld}
	if got != c || r.Rejected != int64(f.bad) || (r.State == register.Waiting) != much {
		rt.Fatalf("got %+v (%s), want %+v", got, r.State, c)
	}
	if l.left = nil; much {
		l.waiting = f
		for outcome, want := range map[string]int64{"deactivated": c.deactivated, "missing": c.missing} {
			if n := count(l.t, l.Pool, `staged_outcome WHERE outcome = '`+outcome+`'`); int64(n) != want {
				rt.Fatalf("who decides is told of %d %s, want %d", n, outcome, want)
			}
		}
		return
	}
	l.apply(f, false)
}

// many tells whether so many more are too many for a day.
func (l *life) many(more int64) bool {
	more += l.lately(l.ended)
	return more > 1 && float64(more) > share*float64(len(l.everybody()))
}

// lately counts what happened within a day.
func (l *life) lately(all []time.Time) (n int64) {
	for _, at := range all {
		if at.After(l.now.Add(-24 * time.Hour)) {
			n++
		}
	}
	return n
}

// changes are what an edition is counted to do.
type changes struct{ added, changed, same, deactivated, restored, missing, withheld int64 }

// compare counts what an edition does, and gives the rows of those who are not as they were.
func (l *life) compare(f *told) (c changes, after map[string]string) {
	notBefore, notAfter := f.made()
	after = map[string]string{}
	for number, row := range f.rows {
		p := l.people[number]
		switch {
		case p == nil:
			c.added++
			after[number] = row
			continue
		case p.Number == number && p.Row == row:
			c.same++
			continue
		case p.Number != number, p.At.After(notAfter):
			c.withheld++
			continue
		}
		if row = p.Hears(row, notBefore, notAfter); row == p.Row {
			c.withheld++
			continue
		}
		c.changed++
		if registertest.Gone(row) && !registertest.Gone(p.Row) {
			c.deactivated++
		}
		if !registertest.Gone(row) && registertest.Gone(p.Row) {
			c.restored++
		}
		after[number] = row
	}
	if f.kind == register.Full {
		for _, p := range l.everybody() {
			if _, there := f.rows[p.Number]; !there && !p.Numbered.After(notBefore) {
				c.missing++
			}
		}
	}
	return c, after
}

func (l *life) apply(f *told, released bool) {
	notBefore, notAfter := f.made()
	c, after := l.compare(f)
	if !released {
		l.ended = append(l.ended, slices.Repeat([]time.Time{l.now}, int(c.deactivated))...)
	}
	if f.kind == register.Full {
		for _, p := range l.everybody() {
			_, p.Present = f.rows[p.Number]
		}
	}
	for number, row := range f.rows {
		if p := l.people[number]; p != nil && p.Number == number {
			p.Says(row, notBefore)
		}
	}
	for number, row := range after {
		p := l.people[number]
		if p == nil {
			p = &one{Person: registertest.Person{Number: number, Row: row, Present: f.kind == register.Full, Came: l.now}}
			l.people[number] = p
		}
		p.says(row, l.now)
		p.Made, p.Last = notAfter, [2]time.Time{notBefore, notAfter}
	}
	l.number, l.period = f.number, f.period
	if notBefore.After(l.notBefore) {
		l.notBefore = notBefore
	}
	l.applied = append(l.applied, *f)
}

// event tells of somebody, as of any time.
func (l *life) event(rt *rapid.T) {
	l.tell(rt, rapid.SampledFrom(registertest.Numbers).Draw(rt, "number"), "")
}

// renumber tells that somebody's number has become another one.
func (l *life) renumber(rt *rapid.T) {
	l.tell(rt, rapid.SampledFrom(registertest.Numbers).Draw(rt, "number"), rapid.SampledFrom(registertest.Numbers).Draw(rt, "former"))
}

// tell takes an event in and has the model follow.
func (l *life) tell(rt *rapid.T, number, former string) {
	l.now = l.now.Add(time.Hour)
	row := l.row(rt, number)
	said := row
	e := register.Event{ID: fmt.Sprint(l.now), At: l.ago(rt), Former: former, Person: register.Row{}, ToldAt: l.now}
	for i, value := range strings.Split(number+","+row, ",") {
		e.Person[strings.Split(header, ",")[i]] = value
	}
	p, before := l.people[number], l.people[former]
	rests := map[*one]bool{p: l.rests(rt, p), before: l.rests(rt, before)}
	heal := l.fault(rt)()
	o, err := l.Take(l.t.Context(), e)
	killed := heal()
	if err != nil && (killed || broke(err)) {
		if count(l.t, l.Pool, `person_event WHERE id = '`+e.ID+`'`) == 0 {
			return
		}
		o, err = l.Take(l.t.Context(), e)
		if err != nil || !o.Again {
			rt.Fatalf("told again: %+v, %v", o, err)
		}
		o.Changed = count(l.t, l.Pool, `event WHERE kind = 'person.changed' AND edition = (SELECT change FROM person_event WHERE id = '`+e.ID+`')`) > 0
	}

	renamed := before != nil && before.Number == former && former != number
	var (
		want      error
		joined    *one // who has the number
		overtaken bool // by what was told of the number that is theirs now
	)
	switch {
	case renamed && p != nil && p != before && p.Number == number:
		joined, p = p, before
		overtaken = joined.At.After(e.At) || l.notBefore.After(e.At)
	case renamed && p != nil && p != before:
		want = register.ErrNumberTaken
	case renamed:
		p = before
	case p == nil && former != "" && former != number:
		want = register.ErrFormer
	case p != nil && p.Number != number:
		want = register.ErrOlderEvent
	}
	if want == nil && (p != nil && p.At.After(e.At) || l.notBefore.After(e.At) && joined == nil) {
		want = register.ErrOlderEvent
	}
	switch {
	case want != nil || joined == nil:
	case p.Present && joined.Present, p.Came.Equal(joined.Came) && !p.Came.IsZero():
		want = register.ErrNumberTaken
	case rests[joined] && rests[p], !alike(p.Row, joined.Row):
		want = register.ErrTwoPeople
	case l.lately(l.joins) >= joinsInDay:
		want = register.ErrManyJoined
	}
	is, changes, dies := p, true, false
	if want == nil && p != nil {
		switch {
		case joined == nil:
		case rests[joined]:
			q := *joined
			is = &q
			if was, now := strings.Split(p.Row, ",")[2], strings.Split(is.Row, ",")[2]; was != now {
				is.was(was, l.now)
			}
			was := *p
			was.SaysOf(&joined.Person, l.now)
			is.hasHistory(&was)
		default:
			is = p.is(joined, l.now)
			is.turned += "~"
			dies = registertest.Gone(is.Row) && !registertest.Gone(p.Row)
		}
		if row = is.Heeded(row); overtaken {
			row = is.Row
		}
		changes = is.Row != row
		dies = dies || registertest.Gone(row) && !registertest.Gone(is.Row)
		switch {
		case is.Made.After(e.At) && len(is.TakesBack(row)) > 0:
			want = register.ErrOlderEvent
		case dies && l.many(1):
			want = register.ErrManyGone
		}
	}
	if !errors.Is(err, want) || want == nil && err != nil || want == nil && o.Changed != (changes || renamed) {
		rt.Fatalf("got %v (%+v), want %v", err, o, want)
	}
	if want != nil {
		return
	}
	l.events = append(l.events, e)
	if changes || renamed {
		l.changes++
	}
	if dies {
		l.ended = append(l.ended, l.now)
	}
	if p == nil {
		l.people[number] = &one{Person: registertest.Person{Number: number, Row: row, At: e.At, Numbered: e.At, Last: [2]time.Time{e.At, e.At}}}
		return
	}
	if *p = *is; joined != nil {
		for n, other := range l.people {
			if other == joined {
				l.people[n] = p
			}
		}
	}
	if p.At = registertest.Latest(p.At, e.At); renamed {
		if joined == nil {
			p.turned += "~"
		}
		p.Number, p.Numbered = number, registertest.Latest(p.Numbered, e.At)
		l.people[number] = p
	}
	if joined != nil {
		l.joins = append(l.joins, l.now)
		l.joined(rt)
	}
	if changes || renamed {
		p.Made, p.Last = time.Time{}, [2]time.Time{e.At, e.At}
	}
	if changes {
		for _, end := range p.TakesBack(row) {
			p.Took = append(p.Took, registertest.TookBack{End: end, At: e.At})
		}
		p.says(row, l.now)
	}
	if !overtaken {
		p.Says(said, e.At)
	}
}

// alike tells whether two rows may be of one person.
func alike(one, other string) bool {
	a, b := strings.Split(one, ","), strings.Split(other, ",")
	return a[0] == b[0] && (strings.HasPrefix(a[1], b[1]) || strings.HasPrefix(b[1], a[1]))
}

// rests tells whether somebody brought an edition in, or decided on one.
func (l *life) rests(rt *rapid.T, p *one) bool {
	if p == nil {
		return false
	}
	return count(l.t, l.Pool, fmt.Sprintf(`edition WHERE '%s' IN (imported_by, decided_by)`, l.find(rt, p))) > 0
}

// joined puts who stays where somebody was who is no more.
func (l *life) joined(rt *rapid.T) {
	const last = `SELECT joined, person_id FROM person_event WHERE joined IS NOT NULL ORDER BY change DESC LIMIT 1`
	var was, is uuid.UUID
	if err := l.Pool.QueryRow(l.t.Context(), last).Scan(&was, &is); err != nil {
		rt.Fatal(err)
	}
	for i, by := range l.staff {
		if by == was {
			l.staff[i] = is
		}
	}
	if l.left != nil && l.left.by == was {
		l.left.by = is
	}
}

// eventAgain tells of an event that was taken, or of another one by its id.
func (l *life) eventAgain(rt *rapid.T) {
	if len(l.events) == 0 {
		rt.Skip("none was taken")
	}
	e := rapid.SampledFrom(l.events).Draw(rt, "event")
	var want error
	if rapid.Bool().Draw(rt, "of another time") {
		e.At, want = e.At.Add(-time.Second), register.ErrOtherEvent
	}
	if o, err := l.Take(l.t.Context(), e); !errors.Is(err, want) || o.Again != (want == nil) {
		rt.Fatalf("%v: %+v", err, o)
	}
}

// restore has the operator take back what the register says of somebody.
func (l *life) restore(rt *rapid.T) {
	p := rapid.SampledFrom(l.everybody()).Draw(rt, "person")
	l.now = l.now.Add(time.Hour)
	who := l.find(rt, p)
	day := rapid.SampledFrom([]string{"1988-12-31", "1989-01-01", l.now.Format(time.DateOnly)}).Draw(rt, "by an act of")
	heal := l.fault(rt)()
	err := pgx.BeginFunc(l.t.Context(), l.Pool, func(tx pgx.Tx) error { return l.Restore(l.t.Context(), tx, who, l.staff[0], day, l.now) })
	killed := heal()
	if err != nil && (killed || broke(err)) {
		if count(l.t, l.Pool, `taken_back WHERE at = '`+l.now.Format(time.RFC3339)+`'`) == 0 {
			return
		}
		err = nil
	}
	gone := registertest.Gone(p.Row)
	switch {
	case !gone && errors.Is(err, register.ErrAlive), gone && day < "1989-01-01" && errors.Is(err, register.ErrEarlier):
		return
	case !gone || day < "1989-01-01" || err != nil:
		rt.Fatalf("got %v of %s", err, p.Row)
	}
	p.says(p.Restore(l.now), l.now)
	l.changes++
}

// undo has hold again what the operator took back.
func (l *life) undo(rt *rapid.T) {
	all := slices.DeleteFunc(l.everybody(), func(p *one) bool { return len(p.Restored) == 0 })
	if len(all) == 0 {
		rt.Skip("nobody was restored")
	}
	p := rapid.SampledFrom(all).Draw(rt, "person")
	i := rapid.IntRange(0, len(p.Restored)-1).Draw(rt, "restoration")
	was := p.Restored[i].At
	l.now = l.now.Add(time.Hour)
	who := l.find(rt, p)
	heal := l.fault(rt)()
	err := pgx.BeginFunc(l.t.Context(), l.Pool, func(tx pgx.Tx) error { return l.Undo(l.t.Context(), tx, who, l.staff[0], was, l.now) })
	killed := heal()
	if err != nil && (killed || broke(err)) {
		if count(l.t, l.Pool, `taken_back WHERE at = '`+was.Format(time.RFC3339)+`'`) > 0 {
			return
		}
		err = nil
	}
	if err != nil {
		rt.Fatal(err)
	}
	p.says(p.Undo(i), l.now)
	l.changes++
}

// again brings what was applied, or waits.
func (l *life) again(rt *rapid.T) {
	all := slices.Clone(l.applied)
	if l.waiting != nil {
		all = append(all, *l.waiting)
	}
	f := rapid.SampledFrom(all).Draw(rt, "edition")
	o := order(f.text)
	o.At = l.now
	r, err := l.Import(l.t.Context(), o)
	if err != nil || !r.Again && (l.waiting == nil || l.waiting.text != f.text) {
		rt.Fatalf("%v: %+v", err, r)
	}
}

// goOn brings again what was cut off.
func (l *life) goOn(rt *rapid.T) {
	if l.left == nil {
		rt.Skip("nothing was cut off")
	}
	if count(l.t, l.Pool, fmt.Sprintf(`edition WHERE state = 'staging' AND checksum = '\x%x'`, sha256.Sum256([]byte(l.left.text)))) == 0 {
		l.left.came = time.Time{} // another one took its place
	}
	l.bring(rt, l.left, l.fault(rt))
}

// older brings one that is too late.
func (l *life) older(rt *rapid.T) {
	l.bring(rt, l.file(rapid.IntRange(1, l.number).Draw(rt, "number"), register.Full, map[string]string{"6290296C042BI1": "F,1900,BY,,,,,,,,,,"}, 0), unbroken)
}

// decide releases, refuses or withdraws what waits, or is cut off.
func (l *life) decide(rt *rapid.T) {
	if l.waiting == nil {
		rt.Skip("nothing waits")
	}
	do := map[register.State]func(context.Context, int64, uuid.UUID, time.Time) (register.Edition, error){
		register.Applied: l.Release,
		register.Refused: l.Refuse,
		register.Withdrawn: func(ctx context.Context, id int64, by uuid.UUID, at time.Time) (register.Edition, error) {
			return l.Withdraw(ctx, id, by, "", at)
		},
	}
	to := rapid.SampledFrom([]register.State{register.Applied, register.Applied, register.Refused, register.Withdrawn}).Draw(rt, "to")
	by := rapid.SampledFrom(l.staff).Draw(rt, "by")
	l.now = l.now.Add(time.Hour)
	heal := l.fault(rt)()
	e, err := do[to](l.t.Context(), l.waiting.id, by, l.now)
	killed := heal()
	switch {
	case killed && err != nil:
		l.found(rt, l.waiting)
		return
	case err != nil && broke(err):
		return
	case (by == l.waiting.by) != (to == register.Withdrawn):
		if !errors.Is(err, pair.ErrOwn) {
			rt.Fatalf("%s by %s, who brought it or not: %v", to, by, err)
		}
		return
	case err != nil || e.State != to:
		rt.Fatalf("%v: %+v", err, e)
	}
	f := l.waiting
	if l.waiting = nil; to == register.Applied {
		l.apply(f, true)
	}
}

// crash empties what is not logged, as PostgreSQL does after its own; what waited is read again.
func (l *life) crash(rt *rapid.T) {
	if _, err := l.Pool.Exec(l.t.Context(), `TRUNCATE staged_person, staged_outcome`); err != nil {
		rt.Fatal(err)
	}
	if l.waiting == nil {
		return
	}
	f := l.waiting
	for _, by := range l.staff {
		if _, err := l.Release(l.t.Context(), f.id, by, l.now); by != f.by && !errors.Is(err, register.ErrLost) {
			rt.Fatalf("released without its rows: %v", err)
		}
	}
	l.waiting = nil
	l.bring(rt, f, unbroken)
}

// check holds that the database says what the model says.
func (l *life) check(rt *rapid.T) {
	people, former, turned := map[string]string{}, map[string]string{}, map[string]string{}
	for _, p := range l.everybody() {
		people[p.Number] = p.Row
		if p.former != nil {
			former[p.Number] = strings.Join(slices.Sorted(slices.Values(p.former)), ", ") // what ended at one moment in no order
		}
		if p.turned != "" {
			turned[p.Number] = p.turned
		}
	}
	for what, compared := range map[string]struct {
		query string
		want  map[string]string
	}{
		"people": {`
			SELECT identification_number, concat(sex, ',', birth_date, ',', citizenship, ',', death_date, ',', death_act, ',', declared_dead_date, ',',
			       declared_dead_act, ',', missing_date, ',', missing_act, ',', incapable_date, ',', incapable_act, ',', limited_date, ',', limited_act)
			FROM person`, people},
		"former citizenships": {`
			SELECT identification_number, string_agg(ended, ', ' ORDER BY ended)
			FROM former_citizenship f JOIN person p ON p.id = f.person_id,
			LATERAL (SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z" ') || f.citizenship COLLATE "C") AS was (ended)
			GROUP BY 1`, former},
		"who has turned": {`
			SELECT identification_number, string_agg(how, '' ORDER BY place) FROM turned JOIN person ON id = person_id GROUP BY 1`, turned},
	} {
		rows, _ := l.Pool.Query(l.t.Context(), compared.query)
		got := map[string]string{}
		var key, value string
		if _, err := pgx.ForEachRow(rows, []any{&key, &value}, func() error { got[key] = value; return nil }); err != nil {
			rt.Fatal(err)
		}
		if !maps.Equal(got, compared.want) {
			rt.Fatalf("%s: got %v, want %v", what, got, compared.want)
		}
	}
	if n := count(l.t, l.Pool, `staged_outcome`); (n > 0) != (l.waiting != nil) {
		rt.Fatalf("of what waits %d are told", n)
	}
	if n := count(l.t, l.Pool, `edition WHERE state = 'applied'`); n != len(l.applied) {
		rt.Fatalf("%d editions are applied, want %d", n, len(l.applied))
	}
	if n := count(l.t, l.Pool, `event WHERE kind = 'edition.applied' AND edition IN (SELECT id FROM edition)`); n != len(l.applied) {
		rt.Fatalf("%d editions are on record, want %d", n, len(l.applied))
	}
	if n := count(l.t, l.Pool, `event WHERE kind = 'person.changed' AND person_id IN (SELECT id FROM person UNION SELECT joined FROM person_event)`); n != l.changes {
		rt.Fatalf("%d changes of single people are on record, want %d", n, l.changes)
	}
}
