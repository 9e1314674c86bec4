package register_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"asoba.example/login/register"
	"asoba.example/migrations/pgtest"
)

// event tells of somebody who is as the row of a file says, so many days after the month began.
func event(id string, days int, row string) register.Event {
	told := register.Row{}
	for i, value := range strings.Split(row, ",") {
		told[strings.Split(header, ",")[i]] = value
	}
	return register.Event{ID: id, At: time.Date(2026, time.November, 1+days, 0, 0, 0, 0, time.UTC), Person: told, ToldAt: at.AddDate(0, 0, days)}
}

// mustTake takes an event in.
func mustTake(t *testing.T, r register.Register, e register.Event) register.Outcome {
	t.Helper()
	o, err := r.Take(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// What the register tells of one person is known from then on, with all that follows from it, and the feed tells of it; told again it is nothing.
func TestAnEventIsAnEditionOfOne(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	var turned []string
	turn := func(how string) func(context.Context, pgx.Tx, []uuid.UUID, time.Time) error {
		return func(_ context.Context, _ pgx.Tx, people []uuid.UUID, _ time.Time) error {
			turned = append(turned, fmt.Sprint(how, len(people)))
			return nil
		}
	}
	r.Cascade, r.Restored = turn("gone "), turn("restored ")
	mustLoad(t, r, full(edition(11, living...)))
	dead := event("a", 2, strings.Replace(living[0], ",BY,,", ",PL,2026-10-30,record", 1))
	died := mustTake(t, r, dead)
	p, err := register.Find(t.Context(), r.Pool, dead.Person["identification_number"])
	if err != nil || p.Death.Date != "2026-10-30" || p.Citizenship != "PL" || p.ID != died.Person || !died.Changed {
		t.Errorf("%v: %+v", err, died)
	}
	touched, err := r.Touched(t.Context(), p.ChangedIn, uuid.Nil, 10)
	if err != nil || len(touched) != 1 || count(t, r.Pool, fmt.Sprintf(`event WHERE kind = 'person.changed' AND edition = %d AND person_id = '%s'`, p.ChangedIn, p.ID)) != 1 {
		t.Errorf("%v: the feed tells of %v", err, touched)
	}
	before := all(t, r.Pool, touches)
	if again := mustTake(t, r, dead); !again.Again || again.Person != p.ID {
		t.Errorf("again: %+v", again)
	}
	other := dead
	other.Person = event("a", 2, living[0]).Person
	if _, err := r.Take(t.Context(), other); !errors.Is(err, register.ErrOtherEvent) {
		t.Errorf("another of its id: %v", err)
	}
	if !equal(all(t, r.Pool, touches), before) {
		t.Error("something was written")
	}
	if same := mustTake(t, r, event("b", 3, strings.Replace(living[0], ",BY,,", ",PL,2026-10-30,record", 1))); same.Changed {
		t.Errorf("what is known: %+v", same)
	}
	mustTake(t, r, event("c", 4, living[0]))
	if fmt.Sprint(turned) != "[gone 1 restored 1]" {
		t.Errorf("turned: %v", turned)
	}
	if was := former(t, r, p.ID); was != "BY PL" {
		t.Errorf("the former citizenships are %q", was)
	}
	fresh := mustTake(t, r, event("d", 4, "5311299B500PB0,M,2026-11-03,BY,,,,,,,,,,"))
	if p, err := register.Find(t.Context(), r.Pool, "5311299B500PB0"); err != nil || p.ID != fresh.Person || p.ID.Version() != 7 {
		t.Errorf("somebody new: %v, %v", p, err)
	}
	odd := mustTake(t, r, event("e", 5, "5311299B500PB1,M,2026-11-03,BY,,,,,,,,,,"))
	if !odd.Doubtful || !odd.Changed || fresh.Doubtful {
		t.Errorf("a number whose check digit is wrong: %+v, after %+v", odd, fresh)
	}
}

// former gives a person's citizenships that have ended, the first one first.
func former(t *testing.T, r register.Register, person uuid.UUID) string {
	t.Helper()
	all, err := register.FormerCitizenships(t.Context(), r.Pool, person)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, was := range all[person] {
		told = append(told, was.Citizenship)
	}
	return strings.Join(told, " ")
}

// Of two events that are told at one moment each leaves the citizenship that it has ended, in the order in which the feed tells of them.
func TestTwoCitizenshipsMayEndAtOneMoment(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	mustLoad(t, r, full(edition(10, living...)))
	var who uuid.UUID
	for i, citizenship := range []string{"PL", "stateless", "PL"} {
		e := event(citizenship+fmt.Sprint(i), 1+i, strings.Replace(living[0], "BY", citizenship, 1))
		e.ToldAt = at.AddDate(0, 0, 9)
		who = mustTake(t, r, e).Person
	}
	if was := former(t, r, who); was != "BY PL stateless" {
		t.Errorf("the former citizenships are %q", was)
	}
}

func equal(a, b []map[string]string) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

// Of two that tell of one person that counts which the register says it of the later time, in whatever order they come: events and editions alike.
func TestWhatIsOlderDoesNotUndoWhatIsNewer(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	mustLoad(t, r, full(edition(10, living...)))
	dead := strings.Replace(living[0], ",BY,,", ",BY,2026-10-30,record", 1)
	mustTake(t, r, event("a", 9, dead))
	refuses := func(what string, e register.Event) {
		t.Helper()
		if _, err := r.Take(t.Context(), e); !errors.Is(err, register.ErrOlderEvent) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refuses("an older event", event("b", 8, living[0]))
	asOf := func(file, at string) string { return strings.Replace(file, "\n", "\n# as_of "+at+"\n", 1) }
	first := mustLoad(t, r, full(edition(11, living...))) // as of the month's beginning
	if first.Withheld != 1 || first.Same != int64(len(living))-1 || first.Restored != 0 {
		t.Errorf("an older edition: %+v", first.Edition)
	}
	next := asOf(strings.Replace(edition(11, living...), "edition 11", "edition 12", 1), "2026-11-10T12:00:00+03:00")
	o := order(next)
	o.At = o.At.AddDate(0, 0, 9)
	if report, err := r.Import(t.Context(), o); err != nil || report.Restored != 1 || report.Withheld != 0 {
		t.Errorf("a newer edition: %v: %+v", err, report.Edition)
	}
	refuses("an event older than the edition", event("c", 9, dead))
	refuses("one of somebody of whom no edition has told", event("d", 9, `5311299B500PB0,M,1999,BY,,,,,,,,,,`))
	mustTake(t, r, event("e", 10, dead))
	o = order(strings.NewReplacer("edition 12", "edition 13", "2026-11-10T12", "2026-11-10T11").Replace(next))
	o.At = o.At.AddDate(0, 0, 9)
	if _, err := r.Import(t.Context(), o); !errors.Is(err, register.ErrOlder) {
		t.Errorf("an edition of a later number that is as of an earlier time: %v", err)
	}
}

// An edition that does not say as of when it tells undoes nothing that was told of since its month began, or of the month in which it came before
// that; but whoever it says is gone is gone, unless just that was taken back since. Nothing in it is later than when it came.
func TestNoDeathIsLostInAnEditionThatSaysNoMoment(t *testing.T) {
	t.Parallel()
	const date = "2026-10-30"
	with := func(facts string) string { return strings.Replace(living[0], ",,,,,,,,,,", facts, 1) }
	died, missing, both := with(","+date+",record,,,,,,,,"), with(",,,,,"+date+",search,,,,"), with(","+date+",record,,,"+date+",search,,,,")
	emigrated := strings.Replace(living[0], "BY", "PL", 1)
	for name, told := range map[string]struct {
		events []string // of the third day of the month, the fourth, and so on
		period string   // of the month, where it is none
		asOf   string
		came   int // on that day of the month
		row    string
		want   string
		why    string // of what is withheld: of the row, or "part"
	}{
		"the desk asked since":         {[]string{living[0]}, "", "", 33, died, died, "part"},
		"taken back since":             {[]string{died, living[0]}, "", "", 33, died, living[0], "row"},
		"another taken back since":     {[]string{died, living[0]}, "", "", 33, strings.Replace(died, date, "2026-10-31", 1), strings.Replace(died, date, "2026-10-31", 1), "part"},
		"one of two taken back since":  {[]string{missing, living[0]}, "", "", 33, both, died, "part"},
		"one of two told of since":     {[]string{missing}, "", "", 33, died, both, "part"},
		"told of since":                {[]string{died}, "", "", 33, living[0], died, "row"},
		"something else told of since": {[]string{emigrated}, "", "", 33, died, strings.Replace(died, "BY", "PL", 1), "part"},
		"told of once it had come":     {[]string{living[0], living[0]}, "", "", 3, died, living[0], "row"},
		"before its month":             {[]string{died}, "2026-12", "", 3, living[0], died, "row"},
		"before what was asked":        {[]string{living[0]}, "", "2026-11-02T00:00:00Z", 33, died, living[0], "row"},
		"after what was taken back":    {[]string{died, living[0]}, "", "2026-11-20T00:00:00Z", 33, died, died, ""},
		"after what was told of":       {[]string{died}, "", "2026-11-20T00:00:00Z", 33, living[0], living[0], ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := register.Register{Pool: pgtest.New(t)}
			mustLoad(t, r, full(edition(10, living...)))
			for i, row := range told.events {
				mustTake(t, r, event(fmt.Sprint(i), 2+i, row))
			}
			file, head := edition(11, told.row), int64(5)
			if told.period != "" {
				file = strings.Replace(file, "2026-11", told.period, 1)
			}
			if told.asOf != "" {
				file, head = strings.Replace(file, "\n", "\n# as_of "+told.asOf+"\n", 1), head+1
			}
			o := order(file)
			o.At = at.AddDate(0, 0, told.came-at.Day())
			e, err := r.Import(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			var want []register.BadRow
			if told.why != "" {
				want = []register.BadRow{{Line: head + 1, Reason: "later_event", Taken: told.why == "part"}}
			}
			if got := rowOf(t, r, living[0][:14]); got != told.want || !slices.Equal(e.Bad, want) || (e.Withheld == 1) != (told.why == "row") {
				t.Errorf("got %s, want %s; withheld %d: %v", got, told.want, e.Withheld, e.Bad)
			}
		})
	}
}

// rowOf is somebody as a file would tell of them.
func rowOf(t *testing.T, r register.Register, number string) string {
	t.Helper()
	p, err := register.Find(t.Context(), r.Pool, number)
	if err != nil {
		t.Fatal(err)
	}
	row := []string{p.IdentificationNumber, p.Sex, p.BirthDate, p.Citizenship}
	for _, fact := range []register.Fact{p.Death, p.DeclaredDead, p.Missing, p.Incapable, p.Limited} {
		row = append(row, fact.Date, fact.Act)
	}
	return strings.Join(row, ",")
}

// What waits is as old when it is released as it was when it came: an event of the days between corrects it.
func TestWhatWaitsGrowsNoYounger(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t), DeactivatedShare: func() float64 { return 0.1 }}
	mustLoad(t, r, full(edition(10, living...)))
	anna, boris, _ := staff(t, &r)
	dead := func(n int) string { return strings.Replace(living[n], ",,,,,,,,,,", ",2026-10-30,record,,,,,,,,", 1) }
	o := order(edition(11, dead(3), dead(4)))
	o.By = anna
	e, err := r.Import(t.Context(), o)
	if err != nil || e.State != register.Waiting {
		t.Fatalf("%v: %+v", err, e.Edition)
	}
	mustTake(t, r, event("a", 4, living[3])) // as it was known: of no change
	got, err := r.Release(t.Context(), e.ID, boris, at.AddDate(0, 0, 7))
	if err != nil || got.Deactivated != 1 || got.Withheld != 1 || rowOf(t, r, living[3][:14]) != living[3] {
		t.Errorf("%v: %+v", err, got)
	}
}

// An edition that comes before its month is of no time that has not come: an event of now is later than it.
func TestAnEditionThatComesEarlyRefusesNoEvent(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	mustLoad(t, r, full(edition(10, living...)))
	mustLoad(t, r, full(edition(12, living...))) // on the third of the eleventh month
	died := strings.Replace(living[0], ",BY,,", ",BY,2026-11-03,record", 1)
	if o := mustTake(t, r, event("a", 3, died)); !o.Changed || rowOf(t, r, living[0][:14]) != died {
		t.Errorf("%+v", o)
	}
}

// Nor does an event take back whoever is gone by such an edition, where the edition came after the time of which the event tells. A later event
// does.
func TestAnEventTakesNoDeathBackThatMayBeLater(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	mustLoad(t, r, full(edition(10, living...)))
	died := strings.Replace(living[0], ",BY,,", ",BY,2026-11-02,record", 1)
	mustLoad(t, r, edition(11, died, living[1])) // on the third
	missing := strings.Replace(living[0], ",BY,,,,,,,", ",BY,,,,,2026-11-01,search,", 1)
	for what, row := range map[string]string{"alive": living[0], "missing": missing} {
		if _, err := r.Take(t.Context(), event(what, 1, row)); !errors.Is(err, register.ErrOlderEvent) {
			t.Errorf("%s, as of the second: %v", what, err)
		}
	}
	mustTake(t, r, event("b", 1, strings.Replace(living[1], ",RU,,", ",RU,2026-11-02,record", 1)))
	mustTake(t, r, event("c", 1, strings.Replace(died, "BY", "PL", 1)))
	for _, row := range living[:2] {
		if p, err := register.Find(t.Context(), r.Pool, row[:14]); err != nil || !p.Gone() {
			t.Errorf("%v: %s is not gone", err, p)
		}
	}
	if o := mustTake(t, r, event("d", 4, living[0])); !o.Changed {
		t.Error("of the fifth: nothing is changed")
	}
}

// Each row that is withheld is told by its line and why, to who tries, who imports and who looks later.
func TestWhatIsWithheldIsTold(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t), DeactivatedShare: func() float64 { return 0.1 }}
	dead := func(n int) string { return strings.Replace(living[n], ",,,,,,,,,,", ",2026-10-30,record,,,,,,,,", 1) }
	mustLoad(t, r, full(edition(10, dead(0), living[1], living[2], living[3], living[4])))
	anna, boris, _ := staff(t, &r)
	restored, err := register.Find(t.Context(), r.Pool, living[0][:14])
	if err == nil {
		err = pgx.BeginFunc(t.Context(), r.Pool, func(tx pgx.Tx) error {
			return r.Restore(t.Context(), tx, restored.ID, boris, at.Format(time.DateOnly), at)
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	mustTake(t, r, event("a", 5, strings.Replace(living[1], "RU", "PL", 1)))
	renamed := event("b", 6, strings.Replace(living[2], living[2][:14], "5311299B500PB0", 1))
	renamed.Former = living[2][:14]
	mustTake(t, r, renamed)
	want := []register.BadRow{
		{Line: 6, Reason: "taken_back"}, {Line: 7, Reason: "later_event"}, {Line: 8, Column: "identification_number", Reason: "shape"}, {Line: 9, Reason: "former_number"},
	}
	o := order(edition(11, dead(0), living[1], `123,M,1990,BY,,,,,,,,,,`, living[2], dead(3), dead(4)))
	if tried, err := r.Try(t.Context(), o); err != nil || !slices.Equal(tried.Bad, want) {
		t.Errorf("tried: %v: %v", err, tried.Bad)
	}
	o.By = anna
	e, err := r.Import(t.Context(), o)
	if err != nil || e.State != register.Waiting || e.Withheld != 3 || !slices.Equal(e.Bad, want) {
		t.Errorf("imported: %v: %+v", err, e)
	}
	mustTake(t, r, event("c", 7, dead(3)))
	mustTake(t, r, event("d", 8, living[1])) // as it is in the file
	if e, err := r.Release(t.Context(), e.ID, boris, at); err != nil || e.Withheld != 2 {
		t.Errorf("released: %v: %+v", err, e)
	}
	if told, err := r.BadRows(t.Context(), e.ID); err != nil || !slices.Equal(told, slices.Delete(want, 1, 2)) {
		t.Errorf("on record: %v: %v", err, told)
	}
}

// Withheld is what the operator took back, and nothing that the register says beside it.
func TestWhatWasTakenBackIsWithheldAlone(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t), DeactivateIncapable: func() bool { return true }}
	with := func(n int, citizenship, facts string) string {
		return living[n][:len("1010130K001PB9,F,19")] + "56," + citizenship + facts
	}
	const dead, alive = ",2026-01-02,record,,,,,,,,", ",,,,,,,,,,"
	facts := []string{dead, dead, dead, ",2026-01-02,record,,,2026-01-01,,,,,", dead, dead}
	var first, second, want []string
	for n := range living {
		first = append(first, with(n, "BY", facts[n]))
	}
	for n, row := range [][2]string{
		{dead, alive},
		{",2026-01-02,record,,,,,,,2026-01-05,court", ",,,,,,,,,2026-01-05,court"},
		{",2026-01-03,record,,,,,,,,", ",2026-01-03,record,,,,,,,,"}, // of another day: it is told anew
		{",2026-01-02,record,,,,,,,,", alive},                        // one of two is over by now
		{",2026-01-02,record,,,,,2026-01-04,court,,", ",,,,,,,2026-01-04,court,,"},
	} {
		second, want = append(second, with(n, "BY", row[0])), append(want, with(n, "BY", row[1]))
	}
	mustLoad(t, r, full(edition(10, first...)))
	for _, row := range first {
		p, err := register.Find(t.Context(), r.Pool, row[:14])
		if err == nil {
			err = pgx.BeginFunc(t.Context(), r.Pool, func(tx pgx.Tx) error {
				return r.Restore(t.Context(), tx, p.ID, uuid.New(), at.Format(time.DateOnly), at)
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	e := mustLoad(t, r, edition(11, second...))
	told := []register.BadRow{
		{Line: 6, Reason: "taken_back"}, {Line: 7, Reason: "taken_back", Taken: true}, {Line: 9, Reason: "taken_back"}, {Line: 10, Reason: "taken_back", Taken: true},
	}
	if !slices.Equal(e.Bad, told) || e.Withheld != 2 || e.Changed != 3 || e.Deactivated != 2 {
		t.Errorf("got %+v", e)
	}
	for _, row := range want {
		if got := rowOf(t, r, row[:14]); got != row {
			t.Errorf("got %s, want %s", got, row)
		}
	}
	p, err := register.Find(t.Context(), r.Pool, want[4][:14])
	if err != nil || p.DeactivatedFor != "incapable" {
		t.Errorf("%v: who is found incapable beside it is deactivated for %q", err, p.DeactivatedFor)
	}
	mustTake(t, r, event("a", 5, with(0, "PL", dead)))
	if got := rowOf(t, r, want[0][:14]); got != with(0, "PL", alive) {
		t.Errorf("an event: got %s", got)
	}
}

// A number becomes another one: the person is found by it and no more by the one before, which is nobody else's, whoever tells of it.
func TestANumberFollowsAnother(t *testing.T) {
	t.Parallel()
	const old, fresh = "1010130K001PB9", "5311299B500PB0"
	r := register.Register{Pool: pgtest.New(t)}
	r.Renumbered = func(ctx context.Context, tx pgx.Tx, people []uuid.UUID, _ time.Time) error {
		_, err := tx.Exec(ctx, `UPDATE person SET birth_date = '1000' WHERE id = $1`, people[0]) // is overwritten: it comes first
		return err
	}
	mustLoad(t, r, full(edition(10, living...)))
	p, err := register.Find(t.Context(), r.Pool, old)
	if err != nil {
		t.Fatal(err)
	}
	renamed := event("a", 5, strings.Replace(living[0], old, fresh, 1))
	renamed.Former = old
	if o := mustTake(t, r, renamed); o.Person != p.ID || !o.Changed {
		t.Errorf("renamed: %+v", o)
	}
	got, err := register.Find(t.Context(), r.Pool, fresh)
	if err != nil || got.ID != p.ID || got.BirthDate != p.BirthDate || got.ChangedIn <= p.ChangedIn {
		t.Errorf("by the new number: %v, %v", got, err)
	}
	if _, err := register.Find(t.Context(), r.Pool, old); !errors.Is(err, register.ErrUnknown) {
		t.Errorf("by the old number: %v", err)
	}
	if n := count(t, r.Pool, `former_number WHERE identification_number = '`+old+`'`); n != 1 {
		t.Errorf("it is kept %d times", n)
	}
	// An edition that was made before, and one that was not, make nobody of the old number.
	for n := 11; n <= 12; n++ {
		o := order(edition(n, living...))
		o.At = o.At.AddDate(0, 1, 0)
		if report, err := r.Import(t.Context(), o); err != nil || report.Withheld != 1 || report.Added != 0 {
			t.Errorf("%v: %+v", err, report.Edition)
		}
	}
	again := renamed
	again.ID, again.At, again.ToldAt = "b", again.At.AddDate(0, 1, 0), again.ToldAt.AddDate(0, 1, 0)
	if o := mustTake(t, r, again); o.Changed || o.Person != p.ID {
		t.Errorf("told twice: %+v", o)
	}
	later := func(id, former, row string) register.Event {
		e := event(id, 40, row)
		e.Former = former
		return e
	}
	for what, refused := range map[string]struct {
		event register.Event
		want  error
	}{
		"of the old number": {later("c", "", living[0]), register.ErrOlderEvent},
		"another's":         {later("d", "2290296M000BA3", strings.Replace(living[0], old, fresh, 1)), register.ErrNumberTaken},
		"another's once":    {later("e", "2290296M000BA3", living[0]), register.ErrNumberTaken},
	} {
		if _, err := r.Take(t.Context(), refused.event); !errors.Is(err, refused.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if o := mustTake(t, r, later("f", fresh, living[0])); o.Person != p.ID { // it was a mistake
		t.Errorf("back: %+v", o)
	}
	for what, former := range map[string]string{"this person's once": fresh, "nobody's ever": "6311299E007BI7"} {
		if _, err := r.Take(t.Context(), later("g", former, strings.Replace(living[0], old, "5311299H123PB7", 1))); !errors.Is(err, register.ErrFormer) {
			t.Errorf("a third number that follows one that is %s: %v", what, err)
		}
	}
	if n := count(t, r.Pool, `person`); n != len(living) {
		t.Errorf("there are %d people", n)
	}
}

// Wherever it breaks, nothing of an event remains, and it can be told again; of two of one kind at a moment one is the other's again.
func TestAnEventIsWholeOrNothing(t *testing.T) {
	t.Parallel()
	pool, trips := pgtest.Counting(t)
	r := register.Register{Pool: pool}
	mustLoad(t, r, full(edition(10, living...)))
	e := event("a", 5, `5311299B500PB0,M,1930,PL,2026-10-30,record,,,,,,,,`)
	e.Former = "1010130K001PB9"
	for n := 1; ; n++ {
		before := all(t, pool, contents)
		trips.FailAt(n)
		_, err := r.Take(t.Context(), e)
		trips.FailAt(0)
		if err == nil {
			if n < 10 {
				t.Fatalf("done after %d statements", n-1)
			}
			break
		}
		if !equal(all(t, pool, contents), before) || count(t, pool, `person_event`)+count(t, pool, `former_number`) != 0 {
			t.Fatalf("statement %d failed, and something remains", n)
		}
	}
	var group errgroup.Group
	for range 3 {
		group.Go(func() error {
			_, err := r.Take(t.Context(), event("b", 6, living[1]))
			return err
		})
	}
	if err := group.Wait(); err != nil || count(t, pool, `person_event`) != 2 {
		t.Errorf("at one moment: %v", err)
	}
}

// What is badly written is told by its column and reason, not by its value, and nothing is taken.
func TestABadEventIsRefused(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	const good = `1010130K001PB9,M,1930,BY,,,,,,,,,,`
	for what, refused := range map[string]struct {
		bad  func(*register.Event)
		want string
	}{
		"a number of no shape": {func(e *register.Event) { e.Person["identification_number"] = "123" }, "identification_number: shape"},
		"nothing of the sex":   {func(e *register.Event) { delete(e.Person, "sex") }, "sex: unknown"},
		"a name":               {func(e *register.Event) { e.Person["name"] = "Anna" }, "person: unknown_column"},
		"no day":               {func(e *register.Event) { e.Person["birth_date"] = "1930-02-30" }, "birth_date: date"},
		"a death to come":      {func(e *register.Event) { e.Person["death_date"] = "2026-12-01" }, "death_date: future"},
		"no former number":     {func(e *register.Event) { e.Former = "x" }, "former_number: shape"},
		"no id":                {func(e *register.Event) { e.ID = "" }, "id: text"},
		"an endless id":        {func(e *register.Event) { e.ID = strings.Repeat("x", 101) }, "id: text"},
		"no text for an id":    {func(e *register.Event) { e.ID = "a\x00" }, "id: text"},
		"no UTF-8 for an id":   {func(e *register.Event) { e.ID = "\xff" }, "id: text"},
		"a time to come":       {func(e *register.Event) { e.At = e.ToldAt.Add(time.Hour) }, register.ErrEvent.Error()},
	} {
		e := event("a", 1, good)
		refused.bad(&e)
		if _, err := r.Take(t.Context(), e); err == nil || err.Error() != "take an event: "+refused.want {
			t.Errorf("%s: got %v, want %s", what, err, refused.want)
		}
	}
	if n := count(t, r.Pool, `person_event`) + count(t, r.Pool, `person`); n != 0 {
		t.Error("something was taken")
	}
	e := event("a", 1, good)
	e.Former = "2290296M000BA3"
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", e, e, e), fmt.Sprintf("%v %+v %#v", e.Person, e.Person, e.Person), fmt.Sprint(e.LogValue(), e.Person.LogValue())} {
		if strings.Contains(text, "1010130K001PB9") || strings.Contains(text, e.Former) {
			t.Errorf("it prints itself: %s", text)
		}
	}
	mustTake(t, r, event(strings.Repeat("я", 100), 1, strings.Replace(good, "9,M", "8,M", 1))) // a wrong check digit is the register's own
}

// Events, one by one, do not deactivate in a day what an edition may not without a second person.
func TestEventsDeactivateFew(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t), DeactivatedShare: func() float64 { return 0.4 }} // two of five
	mustLoad(t, r, full(edition(10, living...)))
	gone := func(n, day int) register.Event {
		return event(fmt.Sprint(n, day), day, strings.Replace(living[n], ",,,,,,,,,,", ",2026-10-30,,,,,,,,,", 1))
	}
	mustTake(t, r, gone(0, 5))
	mustTake(t, r, gone(1, 5))
	if _, err := r.Take(t.Context(), gone(2, 5)); !errors.Is(err, register.ErrManyGone) {
		t.Errorf("the third: %v", err)
	}
	mustTake(t, r, event("lives", 5, strings.Replace(living[3], "1990", "1991", 1)))
	mustTake(t, r, gone(2, 7))
}

// Nor do editions, one slice after another or beside events. Those for which a second person answers are not counted.
func TestSlicesDeactivateFew(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t), DeactivatedShare: func() float64 { return 0.2 }} // one of five
	mustLoad(t, r, edition(1, living...))
	anna, boris, _ := staff(t, &r)
	dead := func(n int) string { return strings.Replace(living[n], ",,,,,,,,,,", ",2026-01-03,,,,,,,,,", 1) }
	brings := func(number, who, days int, want register.State) int64 {
		t.Helper()
		o := order(edition(number, dead(who)))
		o.By, o.At = anna, o.At.AddDate(0, 0, days)
		tried, err := r.Try(t.Context(), o)
		if err != nil || tried.State != want {
			t.Errorf("tried: %v: %+v", err, tried.Edition)
		}
		e, err := r.Import(t.Context(), o)
		if err != nil || e.State != want {
			t.Errorf("%v: %+v", err, e.Edition)
		}
		return e.ID
	}
	brings(2, 0, 0, register.Applied)
	second := brings(3, 1, 0, register.Waiting)
	if _, err := r.Release(t.Context(), second, boris, at); err != nil {
		t.Error(err)
	}
	if _, err := r.Take(t.Context(), event("a", 0, dead(2))); !errors.Is(err, register.ErrManyGone) {
		t.Errorf("an event beside the first: %v", err)
	}
	brings(4, 2, 2, register.Applied)
	mustTake(t, r, event("b", 4, dead(3)))
	brings(5, 4, 4, register.Waiting)
}

// Whoever is found incapable stays, and their sign-ins end; they are deactivated only where the operator has settled so, and restored when
// the register takes it back, whatever is settled then. Limited capability does neither.
func TestIncapacityRestricts(t *testing.T) {
	t.Parallel()
	for _, settled := range []bool{false, true} {
		t.Run(fmt.Sprint(settled), func(t *testing.T) {
			t.Parallel()
			var turned []string
			turn := func(how string) func(context.Context, pgx.Tx, []uuid.UUID, time.Time) error {
				return func(_ context.Context, _ pgx.Tx, people []uuid.UUID, _ time.Time) error {
					turned = append(turned, fmt.Sprint(how, len(people)))
					return nil
				}
			}
			deactivates := settled
			r := register.Register{
				Pool: pgtest.New(t), Cascade: turn("gone "), Restored: turn("restored "), Incapable: turn("incapable "),
				DeactivateIncapable: func() bool { return deactivates },
			}
			incapable := func(n int) string { return strings.Replace(living[n], ",,,,,,,,,,", ",,,,,,,2026-10-30,ruling,,", 1) }
			mustLoad(t, r, full(edition(10, living[0], living[1], incapable(2))))
			is := func(number string) bool {
				t.Helper()
				p, err := register.Find(t.Context(), r.Pool, number)
				if err != nil || p.Gone() != (p.DeactivatedFor == "incapable") {
					t.Errorf("%v: %+v", err, p)
				}
				return p.Gone()
			}
			mustLoad(t, r, edition(11, incapable(0), strings.Replace(living[1], ",,,,,,,,,,", ",,,,,,,,,2026-10-30,ruling", 1)))
			want := "[incapable 1]"
			if settled {
				want = "[gone 1]"
			}
			if fmt.Sprint(turned) != want || is("1010130K001PB9") != settled || is("6290296C042BI1") != settled || is("2290296M000BA3") {
				t.Errorf("turned: %v, want %s", turned, want)
			}
			turned = nil
			mustTake(t, r, event("a", 5, strings.Replace(incapable(0), ",BY,", ",PL,", 1))) // incapable they were before
			deactivates = false
			mustTake(t, r, event("b", 6, living[0]))
			want = "[]"
			if settled {
				want = "[restored 1]"
			}
			if fmt.Sprint(turned) != want || is("1010130K001PB9") {
				t.Errorf("turned: %v, want %s", turned, want)
			}
		})
	}
}

// Whom the operator restores though a court has found them incapable, the same ruling does not deactivate again; another one does.
func TestARestoredPersonStaysSoByTheSameRuling(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t), DeactivateIncapable: func() bool { return true }}
	incapable := strings.Replace(living[0], ",,,,,,,,,,", ",,,,,,,2026-10-30,ruling,,", 1)
	mustLoad(t, r, full(edition(10, living...)))
	mustTake(t, r, event("a", 1, incapable))
	p, err := register.Find(t.Context(), r.Pool, living[0][:14])
	if err != nil || !p.Gone() {
		t.Fatalf("%v: deactivated for %q", err, p.DeactivatedFor)
	}
	if err := pgx.BeginFunc(t.Context(), r.Pool, func(tx pgx.Tx) error { return r.Restore(t.Context(), tx, p.ID, uuid.Nil, at.Format(time.DateOnly), at) }); err != nil {
		t.Fatal(err)
	}
	emigrated := strings.Replace(incapable, "BY", "PL", 1)
	for i, told := range []struct {
		row  string
		gone bool
	}{{emigrated, false}, {strings.Replace(emigrated, "ruling", "another ruling", 1), true}} {
		if mustTake(t, r, event(fmt.Sprint(i), 2+i, told.row)); rowOf(t, r, living[0][:14]) != told.row {
			t.Errorf("%s is not taken", told.row)
		}
		if p, err := register.Find(t.Context(), r.Pool, living[0][:14]); err != nil || p.Gone() != told.gone {
			t.Errorf("%v: %s: gone is %t", err, told.row, p.Gone())
		}
	}
}

// While an edition is applied no event comes between what it has compared and what it writes.
func TestAnEventWaitsForAnEditionThatIsApplied(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	mustLoad(t, r, full(edition(10, living...)))
	e := event("a", 5, strings.Replace(living[1], "RU", "PL", 1))
	var between error
	r.Cascade = func(ctx context.Context, _ pgx.Tx, _ []uuid.UUID, _ time.Time) error {
		ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		_, between = r.Take(ctx, e)
		return nil
	}
	mustLoad(t, r, edition(11, strings.Replace(living[0], ",BY,,", ",BY,2026-10-30,record", 1)))
	if !errors.Is(between, context.DeadlineExceeded) || count(t, r.Pool, `person_event`) != 0 {
		t.Errorf("it came between: %v", between)
	}
	if o := mustTake(t, r, e); !o.Changed {
		t.Errorf("afterwards: %+v", o)
	}
}

// before is called with each statement, before it is sent.
type before func(sql string)

func (b before) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	b(data.SQL)
	return ctx
}

func (before) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// An event makes somebody between the look at an empty register and the first edition, which then brings the same person: it corrects them, or
// is nothing to them, and makes nobody twice.
func TestAnEventMayComeIntoTheFirstEdition(t *testing.T) {
	t.Parallel()
	for days, want := range map[int][3]int64{ // since the time as of which the edition tells
		-2: {int64(len(living)) - 1, 1, 0},
		2:  {int64(len(living)) - 1, 0, 1},
	} {
		cfg, err := pgxpool.ParseConfig(pgtest.URL(t))
		if err != nil {
			t.Fatal(err)
		}
		other := register.Register{Pool: newPool(t, cfg.Copy())}
		comes := sync.OnceFunc(func() { mustTake(t, other, event("a", days, strings.Replace(living[0], "BY", "PL", 1))) })
		cfg.ConnConfig.Tracer = before(func(sql string) {
			if strings.Contains(sql, "pg_advisory_xact_lock") { // from now on no event comes
				comes()
			}
		})
		report := mustLoad(t, register.Register{Pool: newPool(t, cfg)}, full(edition(11, living...)))
		if got := [3]int64{report.Added, report.Changed, report.Withheld}; got != want {
			t.Errorf("%d: added, changed and withheld %v, want %v", days, got, want)
		}
		if n := count(t, other.Pool, `person`); n != len(living) {
			t.Errorf("%d: there are %d people", days, n)
		}
	}
}

func newPool(t *testing.T, cfg *pgxpool.Config) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// An edition that told of somebody by their new number before an event told that it is theirs has made nobody else: who had the former number stays,
// with all that was told of the other one. Only where something rests on that one and nothing on them it is that one who stays; where something
// rests on both, a person decides.
func TestANumberThatAnEditionToldFirstMakesNobodyElse(t *testing.T) {
	t.Parallel()
	const was, is = "1010130K001PB9", "5311299H123PB7"
	told := strings.NewReplacer(was, is, ",BY,", ",PL,").Replace(living[0])
	for name, with := range map[string]struct {
		rests  []string // something on who has these numbers
		days   int      // after the month began, the event
		died   bool     // it says
		stays  string
		wanted error
		row    string
	}{
		"nothing rests on either":         {nil, 9, false, was, nil, "PL,"},
		"they have died since":            {nil, 9, true, was, nil, "PL,2026-11-09"},
		"it is told after another event":  {nil, 6, true, was, nil, "PL,"}, // of the 8th
		"something rests on the former":   {[]string{was}, 9, false, was, nil, "PL,"},
		"something rests on the new one":  {[]string{is}, 9, true, is, nil, "PL,2026-11-09"},
		"something rests on each of both": {[]string{was, is}, 9, false, "", register.ErrTwoPeople, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := register.Register{Pool: pgtest.New(t)}
			mustLoad(t, r, full(edition(10, living...)))
			o := order(edition(11, told))
			o.At = at.AddDate(0, 0, 1)
			if _, err := r.Import(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			mustTake(t, r, event("a", 8, told))
			ids := map[string]uuid.UUID{}
			for _, number := range []string{was, is} {
				p, err := register.Find(t.Context(), r.Pool, number)
				if err != nil {
					t.Fatal(err)
				}
				ids[number] = p.ID
			}
			for _, number := range with.rests {
				if _, err := r.Pool.Exec(t.Context(), `INSERT INTO ended (person_id, at, why) VALUES ($1, now(), '')`, ids[number]); err != nil {
					t.Fatal(err)
				}
			}
			e := event("b", with.days, told)
			e.Former, e.ToldAt = was, at.AddDate(0, 0, 10)
			if with.died {
				e.Person["death_date"] = "2026-11-09"
				if with.days < 9 {
					e.Person["death_date"] = "2026-11-06"
				}
			}
			joined, err := r.Take(t.Context(), e)
			if !errors.Is(err, with.wanted) || with.wanted == nil && err != nil {
				t.Fatalf("got %v, want %v", err, with.wanted)
			}
			if with.wanted != nil {
				if n := count(t, r.Pool, `person_event`); n != 1 {
					t.Errorf("%d events are kept", n)
				}
				return
			}
			p, err := register.Find(t.Context(), r.Pool, is)
			if err != nil || p.ID != ids[with.stays] || joined.Person != p.ID || p.Citizenship+","+p.Death.Date != with.row {
				t.Errorf("%v: %+v is %s, who died %q", err, joined, p, p.Death.Date)
			}
			if n := count(t, r.Pool, `person`); n != len(living) {
				t.Errorf("%d people", n)
			}
			if was := former(t, r, p.ID); was != "BY" {
				t.Errorf("the former citizenships are %q", was)
			}
			if n := count(t, r.Pool, `former_number WHERE identification_number = '`+was+`' AND person_id = '`+p.ID.String()+`'`); n != 1 {
				t.Error("the former number is not kept")
			}
			for _, id := range ids {
				if says := fmt.Sprintf(`event WHERE kind = 'person.changed' AND edition = %d AND person_id = '%s' AND detail->>'joined' = '%s'`, p.ChangedIn, p.ID, id); id != p.ID && count(t, r.Pool, says) != 1 {
					t.Error("the feed does not tell who is no more")
				}
			}
		})
	}
}

// Of two whose sex or birth is told otherwise no event makes one, and in a day of no more than the rules in force allow: somebody is to look, so it
// is on record. Once the register has told the same of both, it may.
func TestTwoWhoAreToldApartStayTwo(t *testing.T) {
	t.Parallel()
	const was, is = "1010130K001PB9", "5311299H123PB7"
	for name, told := range map[string]struct {
		of   string
		want error
	}{
		"of another sex":          {"F,1930", register.ErrTwoPeople},
		"of another birth":        {"M,1931", register.ErrTwoPeople},
		"of another day":          {"M,1930-01-02", nil}, // of one less is known
		"as many as there may be": {"M,1930", register.ErrManyJoined},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			most := 2
			if errors.Is(told.want, register.ErrManyJoined) {
				most = 0
			}
			r := register.Register{Pool: pgtest.New(t), JoinsInDay: func() int { return most }}
			mustLoad(t, r, full(edition(10, living...)))
			row := is + "," + told.of + ",BY,,,,,,,,,,"
			o := order(edition(11, row))
			o.At = at.AddDate(0, 0, 1)
			if _, err := r.Import(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			take := func(id, row, former string, want error) register.Outcome {
				t.Helper()
				e := event(id, 9, row)
				e.Former, e.ToldAt = former, at.AddDate(0, 0, 10)
				out, err := r.Take(t.Context(), e)
				if !errors.Is(err, want) || want == nil && err != nil {
					t.Fatalf("got %v, want %v", err, want)
				}
				return out
			}
			before := contents(t, r.Pool, "person")
			take("a", row, was, told.want)
			alerts := 0
			if told.want != nil {
				alerts = 1
				if after := contents(t, r.Pool, "person"); !reflect.DeepEqual(before, after) || count(t, r.Pool, `person_event`) != 0 {
					t.Errorf("something was taken: %v", after)
				}
				if most = 1; errors.Is(told.want, register.ErrTwoPeople) {
					take("b", was+","+told.of+",BY,,,,,,,,,,", "", nil) // it was the former that was wrong
				}
				take("c", row, was, nil)
			}
			const alert = `event WHERE kind = 'person.join_refused' AND detail ? 'why' AND detail->>'other' IN (SELECT joined::text FROM person_event)
				AND person_id = (SELECT id FROM person WHERE identification_number = '` + is + `')`
			if n := count(t, r.Pool, alert); n != alerts {
				t.Errorf("%d alerts", n)
			}
		})
	}
}

// Of whom an edition tells apart no event makes one: the former number is a mistake.
func TestWhomAnEditionTellsApartStayTwo(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	told := strings.Replace(living[0], "1010130K001PB9", "5311299H123PB7", 1)
	load := func(number int, rows ...string) {
		t.Helper()
		o := order(strings.NewReplacer("# period", "# kind full\n# period", fmt.Sprintf("-%d\n", number), "-11\n").Replace(edition(number, rows...)))
		o.At = at.AddDate(0, 0, number)
		if _, err := r.Import(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	take := func(row, former string, want error) {
		t.Helper()
		e := event("a", 0, row)
		e.Former, e.At, e.ToldAt = former, at.AddDate(0, 2, 0), at.AddDate(0, 2, 0)
		if _, err := r.Take(t.Context(), e); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	load(10, living...)
	load(11, append(slices.Clone(living[1:]), told)...)
	take(living[1], living[2][:14], register.ErrNumberTaken) // the first has brought both
	load(12, append(slices.Clone(living), told)...)
	take(told, living[0][:14], register.ErrNumberTaken) // the last tells of both
	load(13, append(slices.Clone(living[1:]), told)...)
	take(told, living[0][:14], nil)
}

// An edition that cannot have known a number, which an event has told of later, tells nobody apart by it: it is not missing, nor is it told.
func TestWhomAnEditionCannotKnowItDoesNotTellApart(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	told := strings.Replace(living[0], "1010130K001PB9", "5311299H123PB7", 1)
	mustLoad(t, r, full(edition(10, living...)))
	mustTake(t, r, event("a", 5, told))
	o := order("# as_of 2026-11-05T00:00:00+03:00\n" + full(edition(11, living...)))
	o.At = at.AddDate(0, 0, 6)
	report, err := r.Import(t.Context(), o)
	if err != nil || report.Missing != 0 {
		t.Errorf("%v: %d are missing", err, report.Missing)
	}
	if missing := listed(t, r.Missing, report.ID); len(missing) != 0 {
		t.Errorf("%s is missing", missing)
	}
	same := event("b", 9, told)
	same.Former = living[0][:14]
	mustTake(t, r, same)
}

// Once the register itself says otherwise than what the operator has taken back, as of a time after that, the restoration is over: it withholds nothing
// more, and to undo it ends nobody whom the register says alive.
func TestARestorationIsOverOnceTheRegisterSaysSo(t *testing.T) {
	t.Parallel()
	dead := strings.Replace(living[0], ",BY,,", ",BY,2026-10-30,record", 1)
	says := func(days int, row string) func(*testing.T, register.Register) {
		return func(t *testing.T, r register.Register) {
			t.Helper()
			o := order("# as_of " + at.AddDate(0, 0, days).Format(time.RFC3339) + "\n" + full(edition(11, row)))
			o.At = at.AddDate(0, 0, 9)
			if _, err := r.Import(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
	}
	tells := func(days int, row string) func(*testing.T, register.Register) {
		return func(t *testing.T, r register.Register) { t.Helper(); mustTake(t, r, event("a", days, row)) }
	}
	for name, since := range map[string]struct {
		told func(*testing.T, register.Register)
		over bool
	}{
		"nothing":                   {func(*testing.T, register.Register) {}, false},
		"an edition, alive":         {says(5, living[0]), true},
		"an event, alive":           {tells(5, living[0]), true},
		"an edition, the same":      {says(5, dead), false},
		"an edition of before":      {says(-1, living[0]), true},
		"an event of before":        {tells(0, living[0]), true},
		"a bad row with the number": {says(5, strings.Replace(living[0], ",M,", ",X,", 1)), false},
		"an edition, and a later event, the same": {func(t *testing.T, r register.Register) {
			t.Helper()
			tells(8, dead)(t, r)
			says(5, living[0])(t, r)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := register.Register{Pool: pgtest.New(t)}
			mustLoad(t, r, full(edition(10, append(slices.Clone(living[1:]), dead)...)))
			p, err := register.Find(t.Context(), r.Pool, living[0][:14])
			if err != nil {
				t.Fatal(err)
			}
			err = pgx.BeginFunc(t.Context(), r.Pool, func(tx pgx.Tx) error {
				return r.Restore(t.Context(), tx, p.ID, p.ID, at.Format(time.DateOnly), at)
			})
			if err != nil {
				t.Fatal(err)
			}
			since.told(t, r)
			err = pgx.BeginFunc(t.Context(), r.Pool, func(tx pgx.Tx) error {
				return r.Undo(t.Context(), tx, p.ID, p.ID, at, at.AddDate(0, 0, 10))
			})
			if errors.Is(err, register.ErrUndone) != since.over || !since.over && err != nil {
				t.Errorf("undone: %v", err)
			}
			if row := rowOf(t, r, living[0][:14]); (row == dead) == since.over {
				t.Errorf("it is %s", row)
			}
			mustTake(t, r, event("again", 11, dead))
			if row := rowOf(t, r, living[0][:14]); row != dead {
				t.Errorf("told of a death again, it is %s", row)
			}
		})
	}
}

// So it is once the register has said otherwise by another number, and an event tells after that whose it was: whichever of the two stays.
func TestARestorationIsOverOnceTheRegisterHasSaidSoByAnotherNumber(t *testing.T) {
	t.Parallel()
	const was, is = "1010130K001PB9", "5311299H123PB7"
	dead := strings.Replace(living[0], ",BY,,", ",BY,2026-10-30,record", 1)
	for name, with := range map[string]struct {
		rests bool   // something on who has the other number
		says  string // the register, by that one
		over  bool
	}{
		"who had the former number stays":              {false, living[0], true},
		"who has the other one stays":                  {true, living[0], true},
		"who had the former number stays, of the same": {false, dead, false},
		"who has the other one stays, of another end":  {true, strings.Replace(dead, "record", "another", 1), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := register.Register{Pool: pgtest.New(t)}
			mustLoad(t, r, full(edition(10, append(slices.Clone(living[1:]), dead)...)))
			p, err := register.Find(t.Context(), r.Pool, was)
			if err != nil {
				t.Fatal(err)
			}
			err = pgx.BeginFunc(t.Context(), r.Pool, func(tx pgx.Tx) error {
				return r.Restore(t.Context(), tx, p.ID, p.ID, at.Format(time.DateOnly), at)
			})
			if err != nil {
				t.Fatal(err)
			}
			o := order("# as_of " + at.AddDate(0, 0, 5).Format(time.RFC3339) + "\n" + edition(11, strings.Replace(with.says, was, is, 1)))
			o.At = at.AddDate(0, 0, 6)
			if _, err := r.Import(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			if with.rests {
				if _, err := r.Pool.Exec(t.Context(), `INSERT INTO ended (person_id, at, why) SELECT id, now(), '' FROM person WHERE identification_number = $1`, is); err != nil {
					t.Fatal(err)
				}
			}
			told := event("a", 2, strings.Replace(with.says, was, is, 1))
			told.Former, told.ToldAt = was, at.AddDate(0, 0, 7)
			joined := mustTake(t, r, told)
			err = pgx.BeginFunc(t.Context(), r.Pool, func(tx pgx.Tx) error {
				return r.Undo(t.Context(), tx, joined.Person, p.ID, at, at.AddDate(0, 0, 8))
			})
			if errors.Is(err, register.ErrUndone) != with.over || !with.over && err != nil {
				t.Errorf("undone: %v", err)
			}
			dead := strings.Replace(dead, was, is, 1)
			if row := rowOf(t, r, is); (row == dead) == with.over {
				t.Errorf("it is %s", row)
			}
			if mustTake(t, r, event("again", 9, dead)); rowOf(t, r, is) != dead {
				t.Errorf("told of a death again, it is %s", rowOf(t, r, is))
			}
		})
	}
}

// An approval waits while a single event is taken, as events wait for one another: it is not told of an import that there is not.
func TestARestorationWaitsForAnEvent(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	died := func(row string) string { return strings.Replace(row, ",BY,,", ",BY,2026-10-30,record", 1) }
	mustLoad(t, r, full(edition(10, append(slices.Clone(living[1:]), died(living[0]))...)))
	dead, err := register.Find(t.Context(), r.Pool, living[0][:14])
	if err != nil {
		t.Fatal(err)
	}
	var approval errgroup.Group
	r.Cascade = func(context.Context, pgx.Tx, []uuid.UUID, time.Time) error {
		approval.Go(func() error {
			return pgx.BeginFunc(t.Context(), r.Pool, func(tx pgx.Tx) error {
				return r.Restore(t.Context(), tx, dead.ID, dead.ID, "2026-11-01", at)
			})
		})
		time.Sleep(300 * time.Millisecond)
		return nil
	}
	mustTake(t, r, event("a", 5, died(living[3])))
	if err := approval.Wait(); err != nil {
		t.Error(err)
	}
}
