package register_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/login/register"
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/audit"
	"asoba.example/provider/pair"
)

// full makes a full edition of a file.
func full(file string) string { return "# kind full\n" + file }

// count counts rows.
func count(t *testing.T, pool *pgxpool.Pool, what string) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM `+what).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// listed are the numbers of whom pages of one list.
func listed(t *testing.T, list func(context.Context, int64, uuid.UUID, int) ([]register.Person, error), id int64) (all []string) {
	t.Helper()
	for page := uuid.Nil; ; {
		people, err := list(t.Context(), id, page, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(people) == 0 {
			slices.Sort(all)
			return all
		}
		page = people[0].ID
		all = append(all, people[0].IdentificationNumber)
	}
}

// Whom a full edition does not tell of stays as they are, and is told to the operator, whatever an event has said since: unless it made them known,
// or gave them another number. A delta leaves out whom it likes.
func TestMissingIsAnAlertAndNeverADeactivation(t *testing.T) {
	t.Parallel()
	var gone int
	r := register.Register{Pool: pgtest.New(t), Cascade: func(_ context.Context, _ pgx.Tx, people []uuid.UUID, _ time.Time) error {
		gone += len(people)
		return nil
	}}
	mustLoad(t, r, edition(1,
		`1010130K001PB9,M,1930,BY,,,,,,,,,,`,
		`2290296M000BA3,F,1996,RU,2025-10-30,record,,,,,,,,`,
		`6290296C042BI1,F,1996,stateless,,,,,,,,,,`,
		`7000001A000PB8,M,1990,BY,,,,,,,,,,`))
	before := contents(t, r.Pool, "person")
	if e := mustLoad(t, r, edition(2, `7000001A000PB8,M,1990,PL,,,,,,,,,,`)); e.Missing != 0 || e.Kind != register.Delta {
		t.Errorf("a delta: %+v", e)
	}
	mustTake(t, r, event("as known", 1, `1010130K001PB9,M,1930,BY,,,,,,,,,,`))
	mustTake(t, r, event("new", 1, `5311299B500PB0,M,2026-11,BY,,,,,,,,,,`))
	another := event("another number", 1, `7000000A000PB1,M,1990,PL,,,,,,,,,,`)
	another.Former = "7000001A000PB8"
	mustTake(t, r, another)
	e := mustLoad(t, r, full(edition(3, `6290296C042BI1,F,1996,stateless,,,,,,,,,,`, `7000001A000PB8,M,1990,PL,,,,,,,,,,`)))
	if got, want := [5]int64{e.Added, e.Changed, e.Same, e.Missing, e.Withheld}, [5]int64{0, 0, 1, 2, 1}; got != want || gone != 0 || e.Restored != 0 {
		t.Errorf("added, changed, same, missing, withheld: got %v, want %v; %d deactivated, %d restored", got, want, gone, e.Restored)
	}
	after := contents(t, r.Pool, "person")
	missing := listed(t, r.Missing, e.ID)
	if want := []string{"1010130K001PB9", "2290296M000BA3"}; !slices.Equal(missing, want) {
		t.Errorf("missing: got %v, want %v", missing, want)
	}
	for _, number := range missing {
		if before[number] != after[number] {
			t.Errorf("who is missing was touched:\n%s\n%s", before[number], after[number])
		}
	}
	if n := count(t, r.Pool, fmt.Sprintf(`event WHERE kind = 'edition.missing_people' AND edition = %d AND detail = '{"people": "2"}'`, e.ID)); n != 1 {
		t.Errorf("%d alerts are on record", n)
	}
	if _, err := r.Missing(t.Context(), 99, uuid.Nil, 1); !errors.Is(err, register.ErrNoEdition) {
		t.Errorf("of no edition: %v", err)
	}
}

// A trial says what the import then does, and leaves no trace, whatever else is under way.
func TestATrialTellsAndWritesNothing(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	first := edition(1, `1010130K001PB9,M,1930,BY,,,,,,,,,,`, `2290296M000BA3,F,1996,RU,2025-10-30,record,,,,,,,,`,
		`6290296C042BI1,F,1996,stateless,,,,,,,,,,`, `7000001A000PB8,M,1990,BY,,,,,,,,,,`)
	next := full(edition(2, `1010130K001PB9,M,1930,BY,2026-01-03,record,,,,,,,,`, `2290296M000BA3,F,1996,RU,,,,,,,,,,`,
		`7000000A000PB1,M,1990,BY,,,,,,,,,,`, `7000001A000PB8,M,1990,BY,,,,,,,,,,`, `123,M,1990,BY,,,,,,,,,,`))
	for _, file := range []string{first, next} {
		before := append(all(t, r.Pool, touches), touches(t, r.Pool, "staged_person"))
		tried, err := r.Try(t.Context(), order(file))
		if err != nil {
			t.Fatal(err)
		}
		if after := append(all(t, r.Pool, touches), touches(t, r.Pool, "staged_person")); !reflect.DeepEqual(before, after) {
			t.Errorf("the trial has left a trace: %v", after)
		}
		done := mustLoad(t, r, file)
		tried.ID, tried.AppliedAt = done.ID, done.AppliedAt
		if got, want := fmt.Sprintf("%+v", tried), fmt.Sprintf("%+v", done); got != want {
			t.Errorf("tried:\n%s\ndone:\n%s", got, want)
		}
	}
	for name, refused := range map[string]struct {
		file string
		want error
	}{
		"older": {edition(1, `1010130K001PB9,M,1930,BY,,,,,,,,,,`), register.ErrOlder},
		"short": {strings.Replace(edition(3, `1010130K001PB9,M,1930,BY,,,,,,,,,,`), "rows 1", "rows 2", 1), register.ErrShort},
	} {
		if _, err := r.Try(t.Context(), order(refused.file)); !errors.Is(err, refused.want) {
			t.Errorf("%s: got %v, want %v", name, err, refused.want)
		}
	}
	if tried, err := r.Try(t.Context(), order(next)); err != nil || !tried.Again {
		t.Errorf("what was applied: %+v, %v", tried, err)
	}
}

// Whose row is bad is not missing from a full edition, as far as the row tells whose it is.
func TestNobodyIsMissingForABadRow(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	mustLoad(t, r, full(edition(1, living...)))
	rows := []string{
		strings.Replace(living[0], "M", "X", 1),
		strings.Replace(living[1], "1996", "2196", 1), strings.Replace(living[1], "RU", "QQ", 1), // twice
		strings.TrimSuffix(living[2], ",,"),
		living[3], strings.Replace(living[3], "BY", "QQ", 1),
		"5311299B500PB0,X,1999,BY,,,,,,,,,,", // of nobody we know
	}
	e := mustLoad(t, r, full(edition(2, rows...)))
	if e.Missing != 1 || e.Rejected != 6 || e.Same != 1 || e.Added+e.Changed != 0 {
		t.Errorf("got %+v", e.Edition)
	}
	number := 2
	for row, reason := range map[string]string{
		living[0][:14] + `,M,1930,BY,2025-01-01,"a "record",,,,,,,,`: "fields",
		living[0][:14] + `,M,1930,BY,2025-01-01,"record,,,,,,,,`:     "fields",
		living[0][:14] + `,M,1930,BY,2025-01-01,"record",,,,,,,,,`:   "fields",
		`"` + living[0][:14] + `",M,1930,QQ,,,,,,,,,,`:               "unknown",
		living[0][:14]: "fields",
		living[0][:14] + `,M,1930,BY,2025-01-01,` + strings.Repeat("x", 1<<20) + `,,,,,,,,`: "text",
	} {
		number++
		e := mustLoad(t, r, full(edition(number, append([]string{row}, living[1:]...)...)))
		if e.Missing != 0 || len(e.Bad) != 1 || e.Bad[0].Reason != reason {
			t.Errorf("%.60s: %d are missing for what is bad: %v", row, e.Missing, e.Bad)
		}
	}
	missing, err := r.Missing(t.Context(), 2, uuid.Nil, 10)
	if err != nil || len(missing) != 1 || missing[0].IdentificationNumber != living[4][:14] {
		t.Errorf("%v: missing are %d", err, len(missing))
	}
}

// A file of which too much is bad is refused whole. What was wrong with it stays on record, bounded; and it may come again.
func TestTooManyBadRowsRefuseTheWhole(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t), RejectedShare: func() float64 { return 0.5 }}
	bad := []string{`7000001A000PB8,M,1990,BY,,,,,,,,,,`}
	for range 1500 {
		bad = append(bad, `7000001A000PB8,X,1990,BY,,,,,,,,,,`)
	}
	for number := range 2 { // the first load, and one after it
		before := contents(t, r.Pool, "person")
		e, err := load(t, r, edition(number+1, bad...))
		if !errors.Is(err, register.ErrBad) || e.State != register.Refused || e.Rejected != 1500 || len(e.Bad) != 1000 {
			t.Errorf("%v: %+v", err, e.Edition)
		}
		if told, err := r.BadRows(t.Context(), e.ID); err != nil || !slices.Equal(told, e.Bad) {
			t.Errorf("%d are on record: %v", len(told), err)
		}
		if after := contents(t, r.Pool, "person"); !reflect.DeepEqual(before, after) {
			t.Errorf("something of it was applied: %v", after)
		}
		if n := count(t, r.Pool, `event WHERE kind = 'edition.refused'`); n != 2*number+1 {
			t.Errorf("%d refusals are on record", n)
		}
		if _, err := load(t, r, edition(number+1, bad...)); !errors.Is(err, register.ErrBad) {
			t.Errorf("again: %v", err)
		}
		mustLoad(t, r, edition(number+1, bad[0]))
	}
}

// staff are two who may bring editions in, and somebody who may not; all are in the register.
func staff(t *testing.T, r *register.Register) (anna, boris, nobody uuid.UUID) {
	t.Helper()
	errNotStaff := errors.New("not of the staff")
	for i, who := range []*uuid.UUID{&anna, &boris, &nobody} {
		number := []string{"1010130K001PB9", "2290296M000BA3", "6290296C042BI1"}[i]
		p, err := register.Find(t.Context(), r.Pool, number)
		if err != nil {
			t.Fatal(err)
		}
		*who = p.ID
	}
	r.Staff = func(_ context.Context, _ pgx.Tx, by uuid.UUID) error {
		if by != anna && by != boris {
			return errNotStaff
		}
		return nil
	}
	return anna, boris, nobody
}

var (
	living = []string{
		`1010130K001PB9,M,1930,BY,,,,,,,,,,`, `2290296M000BA3,F,1996,RU,,,,,,,,,,`, `6290296C042BI1,F,1996,stateless,,,,,,,,,,`,
		`7000001A000PB8,M,1990,BY,,,,,,,,,,`, `7000000A000PB1,M,1990,BY,,,,,,,,,,`,
	}
	deaths = []string{
		`7000001A000PB8,M,1990,PL,2026-01-03,record,,,,,,,,`, `7000000A000PB1,M,1990,BY,,,2026-01-03,ruling,,,,,,`, `5311299B500PB0,M,1999,BY,,,,,,,,,,`,
	}
)

// An edition that would deactivate many waits, seen by nobody, until another of the staff than who imported it releases it; one death never
// waits.
func TestManyDeactivationsWaitForASecondPerson(t *testing.T) {
	t.Parallel()
	var gone int
	r := register.Register{Pool: pgtest.New(t), DeactivatedShare: func() float64 { return 0.1 }, Cascade: func(_ context.Context, _ pgx.Tx, people []uuid.UUID, _ time.Time) error {
		gone += len(people)
		return nil
	}}
	mustLoad(t, r, edition(1, living...))
	anna, boris, nobody := staff(t, &r)
	before := contents(t, r.Pool, "person")
	file := full(edition(2, append(slices.Clone(living[:2]), deaths...)...))

	if _, err := load(t, r, file); !errors.Is(err, register.ErrNobody) {
		t.Errorf("by nobody: %v", err)
	}
	o := order(file)
	o.By = nobody
	if _, err := r.Import(t.Context(), o); err == nil {
		t.Error("somebody who is not of the staff imports")
	}
	o = order(file)
	o.By = anna
	e, err := r.Import(t.Context(), o)
	if err != nil || e.State != register.Waiting || e.Deactivated != 2 || e.Added != 1 || e.Changed != 2 || e.Missing != 1 || e.Same != 2 {
		t.Fatalf("%v: %+v", err, e.Edition)
	}
	if after := contents(t, r.Pool, "person"); !reflect.DeepEqual(before, after) || gone != 0 {
		t.Errorf("something was applied: %v", after)
	}
	for what, list := range map[string]struct {
		of   func(context.Context, int64, uuid.UUID, int) ([]register.Person, error)
		want []string
	}{
		"deactivated": {r.Deactivated, []string{"7000000A000PB1", "7000001A000PB8"}},
		"missing":     {r.Missing, []string{"6290296C042BI1"}},
	} {
		if got := listed(t, list.of, e.ID); !slices.Equal(got, list.want) {
			t.Errorf("%s, who decides is told: %v", what, got)
		}
	}
	o = order(file)
	o.By = boris
	if again, err := r.Import(t.Context(), o); err != nil || !again.Again || again.State != register.Waiting || *again.ImportedBy != anna {
		t.Errorf("again: %v: %+v", err, again.Edition)
	}
	if _, err := load(t, r, edition(3, living...)); !errors.Is(err, register.ErrWaits) {
		t.Errorf("another one: %v", err)
	}
	if tried, err := r.Try(t.Context(), order(edition(3, deaths...))); err != nil || tried.State != register.Waiting || !tried.Behind {
		t.Errorf("tried beside it: %v: %+v", err, tried.Edition)
	}
	for name, wrong := range map[string]struct {
		by   uuid.UUID
		id   int64
		want error
	}{
		"who imported it":   {anna, e.ID, pair.ErrOwn},
		"of no edition":     {boris, 99, register.ErrNoEdition},
		"of an applied one": {boris, 1, register.ErrNeverWaited},
	} {
		for _, decide := range []func(context.Context, int64, uuid.UUID, time.Time) (register.Edition, error){r.Release, r.Refuse} {
			if _, err := decide(t.Context(), wrong.id, wrong.by, at); !errors.Is(err, wrong.want) {
				t.Errorf("%s: got %v, want %v", name, err, wrong.want)
			}
		}
	}
	if _, err := r.Release(t.Context(), e.ID, nobody, at); err == nil {
		t.Error("somebody who is not of the staff releases")
	}

	for _, fault := range []struct{ verb, table string }{
		{"INSERT", "event"}, {"INSERT", "former_citizenship"}, {"UPDATE", "person"}, {"INSERT", "person"}, {"INSERT", "missing_person"}, {"UPDATE", "edition"}, {"TRUNCATE", "staged_person"},
	} {
		heal := pgtest.FailOn(t, r.Pool, fault.verb, fault.table)
		if _, err := r.Release(t.Context(), e.ID, boris, at); err == nil {
			t.Errorf("released over a broken %s", fault.table)
		}
		if after := contents(t, r.Pool, "person"); !reflect.DeepEqual(before, after) {
			t.Errorf("%s %s: something was applied: %v", fault.verb, fault.table, after)
		}
		heal()
	}
	gone = 0
	for range 2 { // done, but reported failed: the same decision has the same answer
		e, err := r.Release(t.Context(), e.ID, boris, at)
		if err != nil || e.State != register.Applied || e.Deactivated != 2 || e.Added != 1 || *e.DecidedBy != boris || gone != 2 {
			t.Errorf("%v: %+v; %d are gone", err, e, gone)
		}
	}
	if missing := listed(t, r.Missing, e.ID); !slices.Equal(missing, []string{"6290296C042BI1"}) {
		t.Errorf("missing afterwards: %v", missing)
	}
	if _, err := r.Deactivated(t.Context(), e.ID, uuid.Nil, 1); !errors.Is(err, register.ErrNotWaiting) {
		t.Errorf("whom it would deactivate is told afterwards: %v", err)
	}
	for kind, want := range map[audit.Kind]int{audit.EditionWaits: 1, audit.EditionReleased: 1, audit.EditionApplied: 2, audit.PeopleMissing: 1, audit.EditionRefused: 0} {
		if got := count(t, r.Pool, `event WHERE kind = '`+string(kind)+`'`); got != want {
			t.Errorf("%s: %d are on record, want %d", kind, got, want)
		}
	}
	if e := mustLoad(t, r, edition(3, `1010130K001PB9,M,1930,BY,2026-01-03,record,,,,,,,,`)); e.State != register.Applied || gone != 3 {
		t.Errorf("one death: %+v; %d are gone", e.Edition, gone)
	}
}

// However many an edition restores, it waits for nobody: the register itself says that they live.
func TestAnEditionThatRestoresManyDoesNotWait(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t), DeactivatedShare: func() float64 { return 0.1 }}
	mustLoad(t, r, edition(1, slices.Concat(living[:3], deaths)...))
	if e := mustLoad(t, r, edition(2, living...)); e.State != register.Applied || e.Restored != 2 {
		t.Errorf("got %+v", e.Edition)
	}
}

// Whoever brought an edition that waits takes it back, a system too, and nobody else does; that is on record, and the file may come again.
func TestAnEditionIsWithdrawnByWhoBroughtIt(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t), DeactivatedShare: func() float64 { return 0.1 }}
	mustLoad(t, r, edition(1, living...))
	anna, boris, _ := staff(t, &r)
	before := contents(t, r.Pool, "person")
	type bringer struct {
		by     uuid.UUID
		client string
	}
	for own, others := range map[bringer][]bringer{
		{by: anna}:           {{by: boris}, {client: "importer"}, {}},
		{client: "importer"}: {{by: anna}, {client: "another"}, {}},
	} {
		o := order(edition(2, deaths...))
		o.By, o.ClientID = own.by, own.client
		e, err := r.Import(t.Context(), o)
		if err != nil || e.State != register.Waiting || e.Again {
			t.Fatal(err, e)
		}
		for _, other := range others {
			if _, err := r.Withdraw(t.Context(), e.ID, other.by, other.client, at); !errors.Is(err, pair.ErrOwn) {
				t.Errorf("what %v brought, by %v: %v", own, other, err)
			}
		}
		for _, fault := range []struct{ verb, table string }{{"INSERT", "event"}, {"UPDATE", "edition"}, {"TRUNCATE", "staged_person"}} {
			heal := pgtest.FailOn(t, r.Pool, fault.verb, fault.table)
			if _, err := r.Withdraw(t.Context(), e.ID, own.by, own.client, at); err == nil {
				t.Errorf("withdrawn over a broken %s", fault.table)
			}
			heal()
		}
		for range 2 {
			if e, err := r.Withdraw(t.Context(), e.ID, own.by, own.client, at); err != nil || e.State != register.Withdrawn || (e.DecidedBy == nil) != (own.by == uuid.Nil) {
				t.Errorf("by %v: %v: %+v", own, err, e)
			}
		}
		if _, err := r.Release(t.Context(), e.ID, boris, at); !errors.Is(err, pair.ErrDecided) {
			t.Errorf("released afterwards: %v", err)
		}
		var by, client string
		const recorded = `SELECT coalesce(clerk_id::text, ''), coalesce(client_id, '') FROM event WHERE kind = 'edition.withdrawn' AND edition = $1`
		if err := r.Pool.QueryRow(t.Context(), recorded, e.ID).Scan(&by, &client); err != nil || (by == own.by.String()) != (own.by != uuid.Nil) || client != own.client {
			t.Errorf("what %v took back is on record as by %q, %q: %v", own, by, client, err)
		}
	}
	if after := contents(t, r.Pool, "person"); !reflect.DeepEqual(before, after) || count(t, r.Pool, "staged_person")+count(t, r.Pool, "staged_outcome") != 0 {
		t.Errorf("something remains: %v", after)
	}
	if _, err := r.Withdraw(t.Context(), 1, anna, "", at); !errors.Is(err, register.ErrNeverWaited) {
		t.Errorf("one that never waited: %v", err)
	}
}

// What is refused leaves nothing, and its number is free for another file, or for the same one again.
func TestARefusedEditionLeavesItsNumber(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t), DeactivatedShare: func() float64 { return 0.1 }}
	mustLoad(t, r, edition(1, living...))
	anna, boris, _ := staff(t, &r)
	before := contents(t, r.Pool, "person")
	for range 2 {
		o := order(edition(2, deaths...))
		o.By = anna
		e, err := r.Import(t.Context(), o)
		if err != nil || e.Again {
			t.Fatal(err, e)
		}
		for range 2 {
			if e, err := r.Refuse(t.Context(), e.ID, boris, at); err != nil || e.State != register.Refused || *e.DecidedBy != boris {
				t.Errorf("%v: %+v", err, e)
			}
		}
		if _, err := r.Release(t.Context(), e.ID, boris, at); !errors.Is(err, pair.ErrDecided) {
			t.Errorf("released afterwards: %v", err)
		}
	}
	if after := contents(t, r.Pool, "person"); !reflect.DeepEqual(before, after) || count(t, r.Pool, "staged_person")+count(t, r.Pool, "staged_outcome") != 0 {
		t.Errorf("something remains: %v", after)
	}
	if _, err := r.Deactivated(t.Context(), 2, uuid.Nil, 1); !errors.Is(err, register.ErrNotWaiting) {
		t.Errorf("of a refused one: %v", err)
	}
	if e := mustLoad(t, r, edition(2, deaths[2])); e.Added != 1 {
		t.Errorf("another file of the number: %+v", e)
	}
	all, err := r.Editions(t.Context(), 0, 10)
	if err != nil || len(all) != 4 || all[0].State != register.Applied || all[1].State != register.Refused {
		t.Errorf("%v: %+v", err, all)
	}
}

// Whom a refused edition told of is not missed: no delta follows it, whoever refused it and however great its number, but that number's own, or a full one.
func TestNoDeltaFollowsWhatWasRefused(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(*testing.T, register.Register, string){
		"for its bad rows": func(t *testing.T, r register.Register, file string) {
			file = strings.Replace(file, "# rows 3", "# rows 6", 1) + strings.Repeat("123\n", 3)
			if e, err := load(t, r, file); !errors.Is(err, register.ErrBad) || e.State != register.Refused {
				t.Errorf("%v: %+v", err, e.Edition)
			}
		},
		"by another person": func(t *testing.T, r register.Register, file string) {
			anna, boris, _ := staff(t, &r)
			o := order(file)
			o.By = anna
			e, err := r.Import(t.Context(), o)
			if err != nil || e.State != register.Waiting {
				t.Fatalf("%v: %+v", err, e.Edition)
			}
			following := edition(e.Number+1, living[0])
			if tried, err := r.Try(t.Context(), order(following)); err != nil || !tried.Behind {
				t.Errorf("behind what waits: %v: %+v", err, tried.Edition)
			}
			if _, err := load(t, r, following); !errors.Is(err, register.ErrWaits) {
				t.Errorf("after what waits: %v", err)
			}
			if _, err := r.Refuse(t.Context(), e.ID, boris, at); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := register.Register{Pool: pgtest.New(t), DeactivatedShare: func() float64 { return 0.1 }, RejectedShare: func() float64 { return 0.1 }}
			mustLoad(t, r, edition(1, living...))
			refuse(t, r, edition(2, deaths...))
			refuse(t, r, full(edition(9, deaths...)))
			for _, number := range []int{3, 8, 10} {
				if _, err := r.Try(t.Context(), order(edition(number, living[0]))); !errors.Is(err, register.ErrGap) {
					t.Errorf("delta %d is tried: %v", number, err)
				}
				if _, err := load(t, r, edition(number, living[0])); !errors.Is(err, register.ErrGap) {
					t.Errorf("delta %d: %v", number, err)
				}
			}
			mustLoad(t, r, edition(2, deaths[2]))
			mustLoad(t, r, edition(3, living[0]))
			mustLoad(t, r, full(edition(8, slices.Concat(living, deaths[2:])...)))
			mustLoad(t, r, edition(9, living[1]))
		})
	}
}

// The first of all is the first that there is, or tells of everybody.
func TestNoDeltaIsTheFirstButNumberOne(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	mustTake(t, r, event("before any", 1, living[4]))
	if _, err := load(t, r, edition(7, living...)); !errors.Is(err, register.ErrGap) || count(t, r.Pool, "edition") != 0 {
		t.Errorf("number seven: %v", err)
	}
	mustLoad(t, r, full(edition(7, living...)))
}

// A slip in the first number of all does not shut out whatever follows.
func TestTheFirstNumberIsNoGreaterThanItsMonth(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	numbered := func(number string) string {
		return strings.Replace(full(edition(3, living...)), "# edition 3", "# edition "+number, 1)
	}
	for _, slip := range []string{"999999", "202604"} {
		if _, err := load(t, r, numbered(slip)); !errors.Is(err, register.ErrFar) || count(t, r.Pool, "edition") != 0 {
			t.Errorf("%s: %v", slip, err)
		}
	}
	mustLoad(t, r, numbered("202603"))
}

// A crash of the database empties what is not logged: what waits is not released then, and its file brings it back.
func TestWhatACrashHasEmptiedIsReadAgain(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t), DeactivatedShare: func() float64 { return 0.1 }}
	mustLoad(t, r, edition(1, living...))
	anna, boris, _ := staff(t, &r)
	o := order(edition(2, deaths...))
	o.By = anna
	e, err := r.Import(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Pool.Exec(t.Context(), `TRUNCATE staged_person, staged_outcome`); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Release(t.Context(), e.ID, boris, at); !errors.Is(err, register.ErrLost) {
		t.Errorf("released: %v", err)
	}
	if _, err := r.Deactivated(t.Context(), e.ID, uuid.Nil, 1); !errors.Is(err, register.ErrLost) {
		t.Errorf("listed: %v", err)
	}
	o = order(edition(2, deaths...))
	o.At = at.AddDate(0, 1, 0)
	if tried, err := r.Try(t.Context(), o); err != nil || tried.Again || tried.Behind || tried.State != register.Waiting || tried.Deactivated != 2 || !tried.NotAfter.Equal(e.NotAfter) {
		t.Errorf("tried: %v: %+v", err, tried)
	}
	o = order(edition(2, deaths...))
	o.By = anna
	if e, err := r.Import(t.Context(), o); err != nil || e.State != register.Waiting || e.Again {
		t.Errorf("read again: %v: %+v", err, e.Edition)
	}
	if e, err := r.Release(t.Context(), e.ID, boris, at); err != nil || e.Deactivated != 2 {
		t.Errorf("released: %v: %+v", err, e)
	}
}

// What waited, was emptied by a crash and then cut off as it was read again, is no hindrance to another file.
func TestAnotherFileFollowsWhatWasLost(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t), DeactivatedShare: func() float64 { return 0.1 }}
	mustLoad(t, r, edition(1, living...))
	anna, _, _ := staff(t, &r)
	o := order(edition(2, append([]string{"123"}, deaths...)...))
	o.By = anna
	if e, err := r.Import(t.Context(), o); err != nil || e.State != register.Waiting {
		t.Fatal(err, e)
	}
	if _, err := r.Pool.Exec(t.Context(), `TRUNCATE staged_person, staged_outcome`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(int64, int64) { cancel() }
	if _, err := r.Import(ctx, o); err == nil {
		t.Fatal("it was not cut off")
	}
	if e := mustLoad(t, r, edition(2, deaths[2])); e.Added != 1 || e.Rejected != 0 {
		t.Errorf("another file: %+v", e)
	}
}

// What a citizenship was, until when and by which edition it became another, is kept.
func TestFormerCitizenshipsAreKept(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	for i, c := range []string{"BY", "BY", "PL", "stateless", "stateless", "BY"} {
		o := order(edition(i+1, `1010130K001PB9,M,1930,`+c+`,,,,,,,,,,`))
		o.At = at.AddDate(0, i, 0)
		if _, err := r.Import(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []struct {
		citizenship string
		till        time.Time
		edition     int
	}{{"BY", at.AddDate(0, 2, 0), 3}, {"PL", at.AddDate(0, 3, 0), 4}, {"stateless", at.AddDate(0, 5, 0), 6}} {
		if n := count(t, r.Pool, fmt.Sprintf(`former_citizenship WHERE citizenship = '%s' AND at = '%s' AND edition_id = %d`,
			want.citizenship, want.till.Format(time.RFC3339Nano), want.edition)); n != 1 {
			t.Errorf("the citizenship before edition %d is kept %d times", want.edition, n)
		}
	}
	if n := count(t, r.Pool, `former_citizenship`); n != 3 {
		t.Errorf("there are %d former citizenships", n)
	}
}

// Each of the five facts comes and goes by itself, with its date and act; three of them end what a person may do.
func TestFiveFactsAreApart(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	mustLoad(t, r, edition(1, `1010130K001PB9,M,1930-02,BY,,,,,,,,,,`))
	facts := []struct {
		name string
		of   func(register.Person) register.Fact
		gone bool
	}{
		{"death", func(p register.Person) register.Fact { return p.Death }, true},
		{"declared dead", func(p register.Person) register.Fact { return p.DeclaredDead }, true},
		{"missing", func(p register.Person) register.Fact { return p.Missing }, true},
		{"incapable", func(p register.Person) register.Fact { return p.Incapable }, false},
		{"limited", func(p register.Person) register.Fact { return p.Limited }, false},
	}
	number := 1
	for i, fact := range facts {
		for _, held := range []register.Fact{{Date: "2026-01-02", Act: "12"}, {Date: "2026-01-03", Act: "13"}, {}} {
			number++
			file := fmt.Sprintf("# country BY\n# edition %d\n# period %d-01\n# rows 1\n%s\n1010130K001PB9,M,1930-02,BY%s,%s,%s%s\n",
				number, 2026, header, strings.Repeat(",,", i), held.Date, held.Act, strings.Repeat(",,", len(facts)-1-i))
			o := order(strings.Replace(file, "2026-01\n", time.Date(2026, time.Month(number), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")+"\n", 1))
			o.At = at.AddDate(2, 0, 0)
			e, err := r.Import(t.Context(), o)
			if err != nil || e.Changed != 1 {
				t.Fatal(err, e)
			}
			p, err := register.Find(t.Context(), r.Pool, "1010130K001PB9")
			if err != nil {
				t.Fatal(err)
			}
			for j, other := range facts {
				want := register.Fact{}
				if i == j {
					want = held
				}
				if got := other.of(p); got != want {
					t.Errorf("%s is %v, where %s is %v", other.name, got, fact.name, held)
				}
			}
			if got, want := p.Gone(), fact.gone && held.Date != ""; got != want || p.BirthDate != "1930-02" {
				t.Errorf("%s %v: gone is %t; born %s", fact.name, held, got, p.BirthDate)
			}
		}
	}
}

// A full edition that leaves out more people than one person may pass over waits for another, be it empty; released, it has deactivated nobody.
func TestAFullEditionThatLeavesManyOutWaits(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string][]string{"an empty one": nil, "one of half": living[:len(living)/2], "all but one": living[1:]} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := register.Register{Pool: pgtest.New(t), DeactivatedShare: func() float64 { return 0.001 }, MissingShare: func() float64 { return 0.01 }}
			mustLoad(t, r, full(edition(10, living...)))
			want := register.Waiting
			if len(rows) == len(living)-1 {
				want = register.Applied
			}
			o := order(full(edition(11, rows...)))
			if tried, err := r.Try(t.Context(), o); err != nil || tried.State != want {
				t.Errorf("tried: %v: %s, want %s", err, tried.State, want)
			}
			report, err := r.Import(t.Context(), order(full(edition(11, rows...))))
			if want == register.Waiting {
				if !errors.Is(err, register.ErrNobody) {
					t.Errorf("nobody answers for it: %v", err)
				}
				o = order(full(edition(11, rows...)))
				o.ClientID = "a system"
				report, err = r.Import(t.Context(), o)
			}
			if err != nil || report.State != want {
				t.Fatalf("%v: %s, want %s", err, report.State, want)
			}
			if want == register.Applied {
				return
			}
			if again := mustLoad(t, r, full(edition(11, rows...))); !again.Again || again.State != register.Waiting {
				t.Errorf("the same again: %+v", again.Edition)
			}
			clerk, err := register.Find(t.Context(), r.Pool, living[0][:14])
			if err != nil {
				t.Fatal(err)
			}
			e, err := r.Release(t.Context(), report.ID, clerk.ID, at)
			if err != nil || e.State != register.Applied || e.Deactivated != 0 || e.Missing != int64(len(living)-len(rows)) {
				t.Errorf("released: %v: %+v", err, e)
			}
		})
	}
}

// Of full editions that follow each other, each of which leaves out some more, those count too whom the one before left out; who is told again does not.
func TestWhomFullEditionsLeaveOutAddsUp(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		then []string
		want register.State
	}{
		"one and another one": {living[2:], register.Waiting},
		"another one":         {slices.Concat(living[:1], living[2:]), register.Applied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := register.Register{Pool: pgtest.New(t), MissingShare: func() float64 { return 0.3 }}
			mustLoad(t, r, full(edition(8, living...)))
			if e := mustLoad(t, r, full(edition(9, living[1:]...))); e.State != register.Applied || e.Missing != 1 {
				t.Errorf("one is left out: %+v", e.Edition)
			}
			mustLoad(t, r, edition(10, strings.Replace(living[4], "BY", "PL", 1)))
			o := order(full(edition(11, story.then...)))
			o.ClientID = "a system"
			if e, err := r.Import(t.Context(), o); err != nil || e.State != story.want || e.Missing != int64(len(living)-len(story.then)) {
				t.Errorf("%v: %+v", err, e.Edition)
			}
		})
	}
}
