package register_test

import (
	"context"
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
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/pair"
)

// share is how much of the people an edition of this test may deactivate.
const share = 0.25

// A life is a register and what is to be in it.
type life struct {
	register.Register
	t     *testing.T
	trips *pgtest.Trips
	now   time.Time
	staff []uuid.UUID

	people  map[string]string   // by number: the rest of the row
	former  map[string][]string // by number: citizenships
	turned  map[string]string   // by number: "-" where somebody is gone, "+" where they are found
	number  int                 // of the last edition that was applied
	came    int                 // of the last that was read to its end, whatever came of it
	applied []told
	waiting *told
	left    *told // began, and was cut off
}

// told is an edition's file.
type told struct {
	number, bad int
	kind        register.Kind
	rows        map[string]string
	text        string
	id          int64
	by          uuid.UUID
}

// Editions of any kind come in any order, cut off and killed anywhere, again, late, refused and released: after each the database says what the
// model says. It goes on for ten seconds.
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
		Pool: pool, Cascade: turn("-"), Restored: turn("+"),
		DeactivatedShare: func() float64 { return share }, RejectedShare: func() float64 { return 0.5 },
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
			"":                 l.check,
		})
	})
}

func (l *life) begin(rt *rapid.T) {
	const emptied = `
		TRUNCATE turned, staged_person;
		TRUNCATE person, edition CASCADE`
	if _, err := l.Pool.Exec(l.t.Context(), emptied); err != nil {
		rt.Fatal(err)
	}
	l.now = at
	l.people, l.former, l.turned = map[string]string{}, map[string][]string{}, map[string]string{}
	l.number, l.came, l.applied, l.waiting, l.left, l.staff = 0, 0, nil, nil, nil, nil
	first := l.file(1, register.Full, map[string]string{"1010130K001PB9": living[0][15:], "2290296M000BA3": living[1][15:]}, 0)
	l.bring(rt, first, unbroken)
	for _, number := range []string{"1010130K001PB9", "2290296M000BA3"} {
		p, err := register.Find(l.t.Context(), l.Pool, number)
		if err != nil {
			rt.Fatal(err)
		}
		l.staff = append(l.staff, p.ID)
	}
}

// file writes an edition.
func (l *life) file(number int, kind register.Kind, rows map[string]string, bad int) *told {
	var lines []string
	for _, n := range slices.Sorted(maps.Keys(rows)) {
		lines = append(lines, n+","+rows[n])
	}
	for i := range bad {
		lines = slices.Insert(lines, i*len(lines)/bad, "123,F,1956,BY,,,,,,,,,,")
	}
	month := time.Date(2005, time.January, 1, 0, 0, 0, 0, time.UTC).AddDate(0, number/2, 0) // two a month
	text := fmt.Sprintf("# country BY\n# edition %d\n# period %s\n# kind %s\n# rows %d\n%s\n%s\n", number, month.Format("2006-01"), kind, len(lines), header, strings.Join(lines, "\n"))
	return &told{number: number, kind: kind, rows: rows, bad: bad, text: text}
}

// edition draws one that nobody has seen, and brings it in; or it is cut off.
func (l *life) edition(rt *rapid.T) {
	numbers := []string{
		"1010130K001PB9", "2290296M000BA3", "6290296C042BI1", "7000001A000PB8", "7000000A000PB1", "5311299B500PB0", "5311299H123PB7", "6311299E007BI7",
	}
	facts := []string{",,,,,,,,,", ",,,,,,,,,", "1989-01-01,a,,,,,,,,", ",,1989-01-01,b,,,,,,", ",,,,1989-01-01,c,,,,", ",,,,,,1989-01-01,,,", ",,,,,,,,1989-01-01,e"}
	rows := map[string]string{}
	for _, n := range numbers {
		if rapid.IntRange(0, 3).Draw(rt, "leaves out at 0") > 0 {
			rows[n] = fmt.Sprintf("%s,%s,%s,%s", rapid.SampledFrom([]string{"F", "M"}).Draw(rt, "sex"), rapid.SampledFrom([]string{"1956", "1956-03", "1956-03-08"}).Draw(rt, "born"),
				rapid.SampledFrom([]string{"BY", "PL", "stateless"}).Draw(rt, "citizenship"), rapid.SampledFrom(facts).Draw(rt, "facts"))
		}
	}
	kind := rapid.SampledFrom([]register.Kind{register.Full, register.Delta}).Draw(rt, "kind")
	f := l.file(l.number+1+rapid.IntRange(0, 1).Draw(rt, "skips"), kind, rows, rapid.IntRange(0, 6).Draw(rt, "bad rows"))
	f.by = rapid.SampledFrom(append(l.staff, uuid.Nil)).Draw(rt, "by")
	l.bring(rt, f, l.fault(rt))
}

// A fault breaks what is done from now on; what it gives heals, and tells whether more may have been done than was reported.
type fault func() (heal func() bool)

// unbroken breaks nothing.
func unbroken() func() bool { return func() bool { return false } }

// fault draws where to break, and how: a trip to the database fails, the program is killed before it, or once something was committed.
func (l *life) fault(rt *rapid.T) fault {
	at := rapid.IntRange(1, 40).Draw(rt, "at trip")
	switch rapid.SampledFrom([]string{"", "", "fails", "killed", "killed after"}).Draw(rt, "broken") {
	case "fails":
		return func() func() bool {
			l.trips.FailAt(at)
			return func() bool { l.trips.FailAt(0); return false }
		}
	case "killed":
		return func() func() bool { return l.trips.CutAt(at) }
	case "killed after":
		return func() func() bool { return l.trips.LoseCommit(1 + at/8) }
	}
	return unbroken
}

// found has the model follow what a killed program has left behind.
func (l *life) found(rt *rapid.T, f *told) {
	const find = `SELECT id, state FROM edition WHERE checksum = sha256($1) AND state <> 'refused'`
	var state register.State
	err := l.Pool.QueryRow(l.t.Context(), find, []byte(f.text)).Scan(&f.id, &state)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		rt.Fatal(err)
	}
	const came = `SELECT coalesce(max(number), 0) FROM edition WHERE state <> 'staging'`
	if err := l.Pool.QueryRow(l.t.Context(), came).Scan(&l.came); err != nil {
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
			l.apply(f)
		}
	case register.Refused: // as if it had not come
	}
}

// bring imports a file and has the model follow.
func (l *life) bring(rt *rapid.T, f *told, breaks fault) {
	l.now = l.now.Add(time.Hour)
	o := order(f.text)
	o.At, o.By = l.now, f.by
	heal := breaks()
	r, err := l.Import(l.t.Context(), o)
	killed := heal()

	var c changes
	bad := f.bad > 1 && 2*f.bad > len(f.rows)+f.bad
	if !bad {
		c = l.compare(f)
	}
	much := c.deactivated > 1 && float64(c.deactivated) > share*float64(len(l.people))
	var want error
	switch {
	case l.waiting != nil && l.waiting.text == f.text:
	case f.number < l.number:
		want = register.ErrOlder
	case f.number == l.number && !slices.ContainsFunc(l.applied, func(a told) bool { return a.text == f.text }):
		want = register.ErrOther
	case f.number == l.number:
	case f.kind == register.Delta && l.number > 0 && f.number > l.came+1:
		want = register.ErrGap
	case l.waiting != nil:
		want = register.ErrWaits
	case bad:
		want = register.ErrBad
	case much && f.by == uuid.Nil:
		want = register.ErrNobody
	}
	switch {
	case killed && err != nil:
		l.found(rt, f)
		return
	case errors.Is(err, context.Canceled), err != nil && strings.HasSuffix(err.Error(), "conn closed"): // it broke, and nothing is applied
		if want == nil && l.waiting == nil {
			l.left = f
		}
		return
	case !errors.Is(err, want) || want == nil && err != nil:
		rt.Fatalf("got %v, want %v", err, want)
	case want == nil, want == register.ErrBad:
		l.came = max(l.came, f.number)
	}
	switch {
	case want != nil:
		return
	case r.Again:
		return
	}
	f.id = r.ID
	got := changes{r.Added, r.Changed, r.Same, r.Deactivated, r.Restored, r.Missing}
	if got != c || r.Rejected != int64(f.bad) || (r.State == register.Waiting) != much {
		rt.Fatalf("got %+v (%s), want %+v", got, r.State, c)
	}
	if l.left = nil; much {
		l.waiting = f
		return
	}
	l.apply(f)
}

// changes are what an edition is counted to do.
type changes struct{ added, changed, same, deactivated, restored, missing int64 }

func gone(row string) bool {
	fields := strings.Split(row, ",")
	return fields[3] != "" || fields[5] != "" || fields[7] != ""
}

func (l *life) compare(f *told) (c changes) {
	for number, row := range f.rows {
		was, known := l.people[number]
		switch {
		case !known:
			c.added++
		case was == row:
			c.same++
		default:
			c.changed++
			if gone(row) && !gone(was) {
				c.deactivated++
			}
			if !gone(row) && gone(was) {
				c.restored++
			}
		}
	}
	if f.kind == register.Full {
		for number := range l.people {
			if _, there := f.rows[number]; !there {
				c.missing++
			}
		}
	}
	return c
}

func (l *life) apply(f *told) {
	for number, row := range f.rows {
		if was, known := l.people[number]; known {
			if citizenship := strings.Split(was, ",")[2]; citizenship != strings.Split(row, ",")[2] {
				l.former[number] = append(l.former[number], citizenship)
			}
			if gone(row) && !gone(was) {
				l.turned[number] += "-"
			}
			if !gone(row) && gone(was) {
				l.turned[number] += "+"
			}
		}
		l.people[number] = row
	}
	l.number = f.number
	l.applied = append(l.applied, *f)
}

// again brings what was applied, or waits.
func (l *life) again(rt *rapid.T) {
	all := slices.Clone(l.applied)
	if l.waiting != nil {
		all = append(all, *l.waiting)
	}
	f := rapid.SampledFrom(all).Draw(rt, "edition")
	r, err := l.Import(l.t.Context(), order(f.text))
	if err != nil || !r.Again && (l.waiting == nil || l.waiting.text != f.text) {
		rt.Fatalf("%v: %+v", err, r)
	}
}

// goOn brings again what was cut off.
func (l *life) goOn(rt *rapid.T) {
	if l.left == nil {
		rt.Skip("nothing was cut off")
	}
	l.bring(rt, l.left, l.fault(rt))
}

// older brings one that is too late.
func (l *life) older(rt *rapid.T) {
	l.bring(rt, l.file(rapid.IntRange(1, l.number).Draw(rt, "number"), register.Full, map[string]string{"6290296C042BI1": "F,1900,BY,,,,,,,,,,"}, 0), unbroken)
}

// decide releases or refuses what waits, or is cut off.
func (l *life) decide(rt *rapid.T) {
	if l.waiting == nil {
		rt.Skip("nothing waits")
	}
	to, do := register.Applied, l.Release
	if rapid.Bool().Draw(rt, "refuse") {
		to, do = register.Refused, l.Refuse
	}
	by := rapid.SampledFrom(l.staff).Draw(rt, "by")
	l.now = l.now.Add(time.Hour)
	heal := l.fault(rt)()
	e, err := do(l.t.Context(), l.waiting.id, by, l.now)
	killed := heal()
	switch {
	case killed && err != nil:
		l.found(rt, l.waiting)
		return
	case errors.Is(err, context.Canceled):
		return
	case by == l.waiting.by:
		if !errors.Is(err, pair.ErrOwn) {
			rt.Fatalf("their own: %v", err)
		}
		return
	case err != nil || e.State != to:
		rt.Fatalf("%v: %+v", err, e)
	}
	f := l.waiting
	if l.waiting = nil; to == register.Applied {
		l.apply(f)
	}
}

// crash empties what is not logged, as PostgreSQL does after its own; what waited is read again.
func (l *life) crash(rt *rapid.T) {
	if _, err := l.Pool.Exec(l.t.Context(), `TRUNCATE staged_person`); err != nil {
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
	if l.waiting == nil {
		rt.Fatal("it waits no more")
	}
}

// check holds that the database says what the model says.
func (l *life) check(rt *rapid.T) {
	for what, compared := range map[string]struct {
		query string
		want  map[string]string
	}{
		"people": {`
			SELECT identification_number, concat(sex, ',', birth_date, ',', citizenship, ',', death_date, ',', death_act, ',', declared_dead_date, ',',
			       declared_dead_act, ',', missing_date, ',', missing_act, ',', incapable_date, ',', incapable_act, ',', limited_date, ',', limited_act)
			FROM person`, l.people},
		"former citizenships": {`
			SELECT identification_number, string_agg(f.citizenship, ' ' ORDER BY at)
			FROM former_citizenship f JOIN person p ON p.id = f.person_id GROUP BY 1`, joined(l.former)},
		"who has turned": {`
			SELECT identification_number, string_agg(how, '' ORDER BY place) FROM turned JOIN person ON id = person_id GROUP BY 1`, l.turned},
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
	if n := count(l.t, l.Pool, `edition WHERE state = 'applied'`); n != len(l.applied) {
		rt.Fatalf("%d editions are applied, want %d", n, len(l.applied))
	}
	if n := count(l.t, l.Pool, `event WHERE kind = 'edition.applied' AND edition IN (SELECT id FROM edition)`); n != len(l.applied) {
		rt.Fatalf("%d editions are on record, want %d", n, len(l.applied))
	}
}

func joined(lists map[string][]string) map[string]string {
	all := map[string]string{}
	for key, list := range lists {
		all[key] = strings.Join(list, " ")
	}
	return all
}
