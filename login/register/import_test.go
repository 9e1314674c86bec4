package register_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"asoba.example/login/register"
	"asoba.example/login/register/registertest"
	"asoba.example/migrations/pgtest"
)

var at = time.Date(2026, time.November, 3, 12, 0, 0, 0, time.UTC)

const header = registertest.Columns

// edition makes a file of rows.
func edition(number int, rows ...string) string {
	return fmt.Sprintf("# country BY\n# edition %d\n# period 2026-%02d\n# rows %d\n%s\n%s\n",
		number, number, len(rows), header, strings.Join(rows, "\n"))
}

func load(t testing.TB, r register.Register, file string) (register.Report, error) {
	t.Helper()
	return r.Import(t.Context(), order(file))
}

// order is for a file that nobody in particular brings.
func order(file string) register.Order {
	return register.Order{File: strings.NewReader(file), At: at, Progress: func(int64, int64) {}}
}

func mustLoad(t testing.TB, r register.Register, file string) register.Report {
	t.Helper()
	e, err := load(t, r, file)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// contents are a table's rows.
func contents(t *testing.T, pool *pgxpool.Pool, table string) map[string]string {
	t.Helper()
	return state(t, pool, table, `t::text`)
}

// touches are a table's rows with who wrote or locked them last: who only looked leaves them the same.
func touches(t *testing.T, pool *pgxpool.Pool, table string) map[string]string {
	t.Helper()
	return state(t, pool, table, `concat_ws(' ', t.ctid, t.xmin, t.xmax, t)`)
}

func state(t *testing.T, pool *pgxpool.Pool, table, what string) map[string]string {
	t.Helper()
	rows, err := pool.Query(t.Context(),
		`SELECT coalesce(to_jsonb(t)->>'identification_number', t::text), `+what+` FROM `+table+` t`)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	var key, value string
	if _, err := pgx.ForEachRow(rows, []any{&key, &value}, func() error { all[key] = value; return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func all(t *testing.T, pool *pgxpool.Pool, state func(*testing.T, *pgxpool.Pool, string) map[string]string) []map[string]string {
	t.Helper()
	return []map[string]string{state(t, pool, "person"), state(t, pool, "edition"), state(t, pool, "event")}
}

// settled is what was applied: where an import was cut off is not part of it.
func settled(t *testing.T, pool *pgxpool.Pool) []map[string]string {
	t.Helper()
	state := all(t, pool, contents)
	for key := range state[1] {
		if strings.Contains(key, ",staging,") {
			delete(state[1], key)
		}
	}
	return state
}

// What the file says is what is known, bad rows are told by line, and the rest is applied.
func TestImportTakesGoodRowsAndTellsBadOnes(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	e, err := load(t, r, edition(1,
		`1010130K001PB9,M,1930-01-01,BY,,,,,,,,,,`,
		`2290296M000BA3,F,1996,RU,2025-10-30,"record \ 12, Minsk",,,,,,,,`,
		`6290296C042BI1,F,1996-02,stateless,,,,,,,2020-02-29,court,2021-01-01,`,
		`7000000A000PB2,M,1990-01-01,BY,,,,,,,,,,`, // wrong check digit
		`7000000A000PB,M,1990-01-01,BY,,,,,,,,,,`,
		`1010130K001PB9,F,1930-01-01,BY,,,,,,,,,,`,
		`7000001A000PB8,X,1990-01-01,BY,,,,,,,,,,`,
		`7000001A000PB8,M,1990-02-30,BY,,,,,,,,,,`,
		`7000001A000PB8,M,1990,Belarus,,,,,,,,,,`,
		`7000001A000PB8,M,1990,BY,2026,record,,,,,,,,`,
		`7000001A000PB8,M,1990,BY,,record,,,,,,,,`,
		`7000001A000PB8,M,1990,BY,2026-01-01,"a`+"\x00"+`b",,,,,,,,`,
		`7000001A000PB8,M,1990,BY,,,,,2026-02-01,a,,,,`,
		`7000001A000PB8,M,1990,BY`,
		`7000001A000PB8,M,1990,BY,"2026-01-01,,,,,,,,,`,
		`7000001A000PB8,M,1990,BY,"2026-01-01",,,,,,,,,,,`,
		`7000001A000PB8,M,1990,XK,,,,,,,,,,`,
		`7000001A000PB8,M,2026-02,BY,,,,,,,,,,`,
		`7000001A000PB8,M,1990-05,BY,1990-04-30,record,,,,,,,,`,
		`7000001A000PB8,M,1990,BY,2026-01-01,`+"\xe7"+`,,,,,,,,`,
		`7000001A000PB8,M,1990,BY,2026-01-01,`+strings.Repeat("a", 1<<20)+`,,,,,,,,`,
	))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := [4]int64{e.Added, e.Changed, e.Same, e.Rejected}, [4]int64{4, 0, 0, 17}; got != want {
		t.Errorf("added, changed, same, rejected: got %v, want %v", got, want)
	}
	want := []register.BadRow{
		{Line: 9, Column: "identification_number", Reason: "check_digit", Taken: true},
		{Line: 10, Column: "identification_number", Reason: "shape"},
		{Line: 11, Column: "identification_number", Reason: "twice"},
		{Line: 12, Column: "sex", Reason: "unknown"},
		{Line: 13, Column: "birth_date", Reason: "date"},
		{Line: 14, Column: "citizenship", Reason: "unknown"},
		{Line: 15, Column: "death_date", Reason: "date"},
		{Line: 16, Column: "death_date", Reason: "date"},
		{Line: 17, Column: "death_act", Reason: "text"},
		{Line: 18, Column: "missing_date", Reason: "future"},
		{Line: 19, Reason: "fields"},
		{Line: 20, Reason: "fields"},
		{Line: 21, Reason: "fields"},
		{Line: 22, Column: "citizenship", Reason: "unknown"},
		{Line: 23, Column: "birth_date", Reason: "future"},
		{Line: 24, Column: "death_date", Reason: "before_birth"},
		{Line: 25, Column: "death_act", Reason: "encoding"},
		{Line: 26, Reason: "text"},
	}
	if bad := e.Bad; !slices.Equal(bad, want) {
		t.Errorf("bad rows:\ngot  %+v\nwant %+v", bad, want)
	}

	got, err := register.Find(t.Context(), r.Pool, "2290296M000BA3")
	if err != nil {
		t.Fatal(err)
	}
	if version := got.ID.Version(); version != 7 {
		t.Errorf("id of version %d", version)
	}
	got.ID = uuid.Nil
	if want := (register.Person{
		IdentificationNumber: "2290296M000BA3", Sex: "F", BirthDate: "1996", Citizenship: "RU",
		Death: register.Fact{Date: "2025-10-30", Act: `record \ 12, Minsk`}, ChangedIn: e.ID,
	}); got != want || !got.Gone() {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if _, err := register.Find(t.Context(), r.Pool, "7000001A000PB8"); !errors.Is(err, register.ErrUnknown) {
		t.Errorf("a person of bad rows only: %v", err)
	}
}

// The same file twice writes nothing, whenever the second time is.
func TestImportOfTheSameFileWritesNothing(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	first := edition(1, `1010130K001PB9,M,1930,BY,,,,,,,,,,`)
	mustLoad(t, r, first)
	mustLoad(t, r, edition(2, `1010130K001PB9,M,1930-01-01,BY,,,,,,,,,,`))
	before := all(t, r.Pool, touches)
	e := mustLoad(t, r, first)
	if !e.Again || e.Number != 1 || e.Added != 1 {
		t.Errorf("got %+v", e)
	}
	if after := all(t, r.Pool, touches); !reflect.DeepEqual(before, after) {
		t.Errorf("before %v\nafter  %v", before, after)
	}
}

// A row that says nothing new is neither written nor locked; who is touched is told to the feed's consumers.
func TestImportTouchesOnlyWhatDiffers(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	mustLoad(t, r, edition(1,
		`1010130K001PB9,M,1930-01-01,BY,,,,,,,,,,`,
		`2290296M000BA3,F,1996,RU,,,,,,,,,,`,
		`6290296C042BI1,F,1996-02,stateless,,,,,,,2020-02-29,court,,`))
	before := touches(t, r.Pool, "person")
	e := mustLoad(t, r, edition(2,
		`6290296C042BI1,F,1996-02,stateless,,,,,,,2020-02-29,court,,`,
		`2290296M000BA3,F,1996,BY,,,,,,,,,,`,
		`7000001A000PB8,M,1990,BY,,,,,,,,,,`))
	if got, want := [4]int64{e.Added, e.Changed, e.Same, e.Rejected}, [4]int64{1, 1, 1, 0}; got != want {
		t.Errorf("added, changed, same, rejected: got %v, want %v", got, want)
	}
	after := touches(t, r.Pool, "person")
	for _, number := range []string{"1010130K001PB9", "6290296C042BI1"} {
		if before[number] != after[number] {
			t.Errorf("an unchanged row was touched:\n%s\n%s", before[number], after[number])
		}
	}

	var touched []string
	for after := (uuid.UUID{}); ; {
		page, err := r.Touched(t.Context(), e.ID, after, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		touched, after = append(touched, page[0].IdentificationNumber), page[0].ID
	}
	slices.Sort(touched)
	if want := []string{"2290296M000BA3", "7000001A000PB8"}; !slices.Equal(touched, want) {
		t.Errorf("touched: got %v, want %v", touched, want)
	}
}

// What is not the next edition, or not whole, is refused, and nothing of it remains.
func TestImportRefusesFiles(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	row := `1010130K001PB9,M,1930-01-01,BY,,,,,,,,,,`
	mustLoad(t, r, full(edition(2, row)))
	before := all(t, r.Pool, contents)
	next := edition(3, row, `7000001A000PB8,M,1990,BY,,,,,,,,,,`)
	for name, refused := range map[string]struct {
		file string
		want error
	}{
		"older":                {edition(1, row), register.ErrOlder},
		"a delta too far on":   {edition(4, row), register.ErrGap},
		"a full one far on":    {strings.Replace(full(edition(3, row)), "edition 3", "edition 103", 1), register.ErrFar},
		"another second":       {edition(2, row, row), register.ErrOther},
		"cut off between":      {next[:strings.Index(next, "7000001")], register.ErrShort},
		"cut off within a row": {next[:len(next)-2], register.ErrShort},
		"cut off in the head":  {next[:40], register.ErrFile},
		"with a name in it":    {strings.Replace(next, header, header+",name", 1), register.ErrFile},
		"without a column":     {strings.Replace(next, "limited_act", "act", 1), register.ErrFile},
		"without its number":   {strings.Replace(next, "# edition 3\n", "", 1), register.ErrFile},
		"without its rows":     {strings.Replace(next, "# rows 2\n", "", 1), register.ErrFile},
		"of no month":          {strings.Replace(next, "2026-03", "2026-13", 1), register.ErrFile},
		"of no kind":           {strings.Replace(next, "# rows", "# kind whole\n# rows", 1), register.ErrFile},
		"of a long number":     {strings.Replace(full(edition(3, row)), "edition 3", "edition 1000000", 1), register.ErrFile},
		"with two numbers":     {"# edition 4\n" + next, register.ErrFile},
		"of another country":   {strings.Replace(next, "# country BY", "# country LT", 1), register.ErrCountry},
		"of no country":        {strings.Replace(next, "# country BY\n", "", 1), register.ErrFile},
		"of an older month":    {strings.Replace(next, "2026-03", "2025-12", 1), register.ErrMonth},
		"of before its month":  {"# as_of 2026-02-28T23:59:59+03:00\n" + next, register.ErrFile},
		"of a time to come":    {"# as_of 2026-11-03T12:06:00Z\n" + next, register.ErrEarly},
		"of a month far ahead": {strings.Replace(next, "2026-03", "2027-01", 1), register.ErrAhead},
		"with too many rows":   {next + row + "\n", register.ErrShort},
		"with no end of rows":  {strings.Replace(next, "# rows 2", "# rows 9000000000000000000", 1), register.ErrShort},
		"in UTF-16":            {wide(next), register.ErrEncoding},
		"in UTF-16, unmarked":  {wide(next)[2:], register.ErrEncoding},
		"in Windows-1251":      {next[:len(next)-len(",,,,,,,,,,\n")] + ",2026-01-01,\xe7\xe0\xef\xe8\xf1\xfc 12,,,,,,,,\n", register.ErrEncoding},
		"packed":               {"\x1f\x8b\x08\x00\x00\x00\x00\x00", register.ErrFile},
		"empty":                {"", register.ErrFile},
		"with an endless line": {next + strings.Repeat("a", 1<<20), register.ErrShort},
	} {
		if _, err := load(t, r, refused.file); !errors.Is(err, refused.want) {
			t.Errorf("%s: got %v, want %v", name, err, refused.want)
		}
		if after := all(t, r.Pool, contents); !reflect.DeepEqual(before, after) {
			t.Fatalf("%s: something of it remains", name)
		}
	}
	mustLoad(t, r, "# a note\n# a note\n# as_of 2026-03-01T00:00:00+03:00\n"+next)
}

// Nothing is applied that was not checked: a file may be written to between its two readings.
func TestAFileThatIsWrittenToMeanwhileIsRefused(t *testing.T) {
	t.Parallel()
	for _, first := range []bool{true, false} {
		r := register.Register{Pool: pgtest.New(t)}
		if !first {
			mustLoad(t, r, edition(1, living...))
		}
		before := all(t, r.Pool, contents)
		checked := full(edition(2, living...))
		o := order(checked)
		o.File = &rewritten{strings.NewReader(checked), strings.Replace(checked, ",M,", ",F,", 1), io.EOF}
		if _, err := r.Import(t.Context(), o); !errors.Is(err, register.ErrChanged) {
			t.Errorf("the first file %t: got %v", first, err)
		}
		if after := all(t, r.Pool, contents); !reflect.DeepEqual(before, after) {
			t.Errorf("the first file %t: something of it remains", first)
		}
		mustLoad(t, r, checked)
	}
}

// So it is where it was staged in part before a crash, and is as it was checked again by now.
func TestAFileThatWasWrittenToBeforeACrashIsRefused(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}.ByPieces(100_000)
	var first, file strings.Builder
	err := errors.Join(register.Sample{People: 20_000, Edition: 1}.Write(&first), register.Sample{People: 20_000, Edition: 2}.Write(&file))
	if err != nil {
		t.Fatal(err)
	}
	mustLoad(t, r, first.String())
	broken := errors.New("broken")
	o := order(file.String())
	o.File = &rewritten{strings.NewReader(file.String()), strings.Replace(file.String(), ",M,", ",F,", 1)[:500_000], broken}
	if _, err := r.Import(t.Context(), o); !errors.Is(err, broken) || count(t, r.Pool, "staged_person") == 0 {
		t.Fatalf("got %v", err)
	}
	if _, err := load(t, r, file.String()); !errors.Is(err, register.ErrChanged) || count(t, r.Pool, "staged_person") != 0 {
		t.Errorf("got %v", err)
	}
	mustLoad(t, r, file.String())
}

// What is cut off is judged on, on a later day, as it was: whom a row tells of that had been of a day to come is not lost between.
func TestAnEditionThatIsCutOffTellsOfNoLaterDay(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}.ByPieces(500)
	var first, file strings.Builder
	err := errors.Join(register.Sample{People: 100, Edition: 1}.Write(&first), register.Sample{People: 100, Edition: 2}.Write(&file))
	if err != nil {
		t.Fatal(err)
	}
	mustLoad(t, r, first.String())
	text := strings.Replace(file.String(), "# period 2025-02", "# period 2026-11", 1)
	text = strings.Replace(text, ",BY,,,,,,,,,,\n", ",BY,2026-11-05,act,,,,,,,,\n", 1)
	broken := errors.New("broken")
	o := order(text)
	o.File = &rewritten{strings.NewReader(text), text[:3000], broken}
	if _, err := r.Import(t.Context(), o); !errors.Is(err, broken) || count(t, r.Pool, "staged_person") == 0 {
		t.Fatalf("got %v", err)
	}
	for _, bring := range []func(context.Context, register.Order) (register.Report, error){r.Try, r.Import} {
		o := order(text)
		o.At = at.AddDate(0, 0, 4)
		if report, err := bring(t.Context(), o); err != nil || report.Rejected != 1 || len(report.Bad) != 1 || report.Bad[0].Reason != "future" {
			t.Errorf("%v: %d rows are rejected, and told are %v", err, report.Rejected, report.Bad)
		}
	}
}

// A backup reads what is staged for as long as it takes, and holds nobody up.
func TestAnImportDoesNotWaitForABackup(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	mustLoad(t, r, full(edition(1, living...)))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := pgx.BeginFunc(ctx, r.Pool, func(backup pgx.Tx) error {
		if _, err := backup.Exec(ctx, `LOCK TABLE staged_person, staged_outcome IN ACCESS SHARE MODE`); err != nil {
			return err
		}
		_, err := r.Import(ctx, order(edition(2, deaths...)))
		return err
	})
	if left := count(t, r.Pool, "staged_person"); err != nil || left != 0 {
		t.Errorf("%v: %d rows are left", err, left)
	}
	mustLoad(t, r, edition(3, living...))
}

// rewritten is a file that is another one once it was read, and ends otherwise then.
type rewritten struct {
	*strings.Reader
	then string
	ends error
}

func (f *rewritten) Seek(offset int64, whence int) (int64, error) {
	if f.Len() == 0 {
		f.Reset(f.then)
		f.then = ""
	}
	return f.Reader.Seek(offset, whence)
}

func (f *rewritten) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if f.then == "" && errors.Is(err, io.EOF) {
		err = f.ends
	}
	return n, err
}

// wide writes a text in UTF-16.
func wide(text string) string {
	out := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return string(out)
}

// Those who become gone, and those who are found, are told in the import's own transaction, each once.
func TestImportTellsWhoIsGoneAndWhoIsFound(t *testing.T) {
	t.Parallel()
	var gone, found []string
	name := func(ctx context.Context, tx pgx.Tx, people []uuid.UUID, to *[]string) error {
		rows, err := tx.Query(ctx, `SELECT identification_number FROM person WHERE id = ANY($1)`, people)
		if err != nil {
			return err
		}
		*to, err = pgx.CollectRows(rows, pgx.RowTo[string])
		slices.Sort(*to)
		return err
	}
	r := register.Register{
		Pool: pgtest.New(t),
		Cascade: func(ctx context.Context, tx pgx.Tx, people []uuid.UUID, _ time.Time) error {
			return name(ctx, tx, people, &gone)
		},
		Restored: func(ctx context.Context, tx pgx.Tx, people []uuid.UUID, _ time.Time) error {
			return name(ctx, tx, people, &found)
		},
	}
	mustLoad(t, r, edition(1,
		`1010130K001PB9,M,1930,BY,,,,,,,,,,`,
		`2290296M000BA3,F,1996,RU,,,,,,,,,,`,
		`6290296C042BI1,F,1996,stateless,,,,,2026-01-01,a,,,,`,
		`7000001A000PB8,M,1990,BY,,,,,,,,,,`))
	mustLoad(t, r, edition(2,
		`1010130K001PB9,M,1930,BY,2026-01-01,a,,,,,,,,`,
		`2290296M000BA3,F,1996,RU,,,2026-01-01,a,,,,,,`,
		`6290296C042BI1,F,1996,stateless,,,,,,,,,,`,
		`7000001A000PB8,M,1990,BY,,,,,,,2026-01-01,a,2026-01-01,a`))
	if want := []string{"1010130K001PB9", "2290296M000BA3"}; !slices.Equal(gone, want) {
		t.Errorf("gone: got %v, want %v", gone, want)
	}
	if want := []string{"6290296C042BI1"}; !slices.Equal(found, want) {
		t.Errorf("found: got %v, want %v", found, want)
	}
	gone, found = nil, nil
	mustLoad(t, r, edition(3, // from missing to dead: gone as before
		`6290296C042BI1,F,1996,stateless,,,,,,,,,,`,
		`1010130K001PB9,M,1930,BY,,,2026-01-01,a,,,,,,`))
	if gone != nil || found != nil {
		t.Errorf("told again: gone %v, found %v", gone, found)
	}
}

// An edition is applied as a whole with its record, or not at all; and then a retry works.
func TestImportLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct{ verb, table string }{
		{"INSERT", "edition"},
		{"UPDATE", "person"},
		{"INSERT", "person"},
		{"UPDATE", "edition"},
		{"INSERT", "event"},
		{"", "cascade"},
	} {
		t.Run(fault.verb+" "+fault.table, func(t *testing.T) {
			t.Parallel()
			pool := pgtest.New(t)
			broken := fault.table == "cascade"
			r := register.Register{Pool: pool, Cascade: func(context.Context, pgx.Tx, []uuid.UUID, time.Time) error {
				if broken {
					return errors.New("broken on purpose")
				}
				return nil
			}}
			mustLoad(t, r, edition(1, `1010130K001PB9,M,1930,BY,,,,,,,,,,`))
			before := settled(t, pool)
			heal := func() { broken = false }
			if !broken {
				heal = pgtest.FailOn(t, pool, fault.verb, fault.table)
			}
			next := edition(2, `1010130K001PB9,M,1930,BY,2026-01-01,a,,,,,,,,`, `7000001A000PB8,M,1990,BY,,,,,,,,,,`)
			if _, err := load(t, r, next); err == nil {
				t.Fatal("Import succeeded over a broken table")
			}
			if after := settled(t, pool); !reflect.DeepEqual(before, after) {
				t.Errorf("something remains: %v", after)
			}
			heal()
			if e := mustLoad(t, r, next); e.Added != 1 || e.Changed != 1 {
				t.Errorf("the retry: got %+v", e)
			}
		})
	}
}

// Two operators with one file: it is applied once.
func TestImportsWaitForOneAnother(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	file := edition(1, `1010130K001PB9,M,1930,BY,,,,,,,,,,`)
	var editions [2]register.Report
	var operators errgroup.Group
	for i := range editions {
		operators.Go(func() (err error) {
			editions[i], err = load(t, r, file)
			return err
		})
	}
	if err := operators.Wait(); err != nil {
		t.Fatal(err)
	}
	if editions[0].Again == editions[1].Again || editions[0].ID != editions[1].ID {
		t.Errorf("got %+v", editions)
	}
}

// The first load leaves every index and constraint as the migrations made it.
func TestFirstLoadLeavesTheSchema(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	schema := func() (all []string) {
		rows, err := pool.Query(t.Context(), `
			SELECT indexdef FROM pg_indexes WHERE tablename = 'person'
			UNION ALL
			SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'person'::regclass
			ORDER BY 1`)
		if err == nil {
			all, err = pgx.CollectRows(rows, pgx.RowTo[string])
		}
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := schema()
	mustLoad(t, register.Register{Pool: pool}, edition(1, `1010130K001PB9,M,1930,BY,,,,,,,,,,`))
	if after := schema(); !slices.Equal(before, after) {
		t.Errorf("before %v\nafter  %v", before, after)
	}
}

// A sample is nobody's, every row of it is good, and its next edition differs a little.
func TestSampleIsTaken(t *testing.T) {
	t.Parallel()
	const people = 20_000
	r := register.Register{Pool: pgtest.New(t)}
	var before register.Report
	for number := 1; number <= 2; number++ {
		var file bytes.Buffer
		if err := (register.Sample{People: people, Edition: number, Seed: 7}).Write(&file); err != nil {
			t.Fatal(err)
		}
		e, err := load(t, r, file.String())
		if err != nil || len(e.Bad) > 0 {
			t.Fatal(err, e.Bad)
		}
		if got := e.Added + e.Changed + e.Same; got != people {
			t.Errorf("edition %d: %d rows", number, got)
		}
		if number == 2 && (before.Added != people || e.Changed == 0 || e.Changed > people/100) {
			t.Errorf("got %+v after %+v", e, before)
		}
		before = e
	}
	const somebody = `SELECT count(*) FROM person WHERE left(identification_number, 1) NOT IN ('1', '2')`
	var n int
	if err := r.Pool.QueryRow(t.Context(), somebody).Scan(&n); err != nil || n > 0 {
		t.Errorf("%d people could be somebody: %v", n, err)
	}
}
