package journal_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/migrations/pgtest"
)

const annasNumber = "0000000A000PB2"

var now = time.Date(2026, 5, 12, 9, 30, 0, 0, time.UTC)

// Paging shows each entry of this person once, newest first, also those of one moment, and nobody else's.
func TestPagesShowEachEntryOnce(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	anna, boris := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	entries := []journal.Entry{{Person: boris, At: now, Kind: "signed_in", Actor: journal.Self}}
	for i := range 7 {
		entries = append(entries, journal.Entry{
			Person: anna, At: now.Add(time.Duration(i/3) * time.Second), Kind: "signed_in", Actor: journal.Self,
			Detail: map[string]string{"n": string(rune('0' + i))},
		})
	}
	write(t, pool, func(ctx context.Context, tx pgx.Tx) error {
		err := profile.Apply(ctx, tx, []profile.Person{{ID: anna, Number: annasNumber}, {ID: boris, Number: "7000000A000PB1"}}, now)
		if err != nil {
			return err
		}
		return journal.Append(ctx, tx, entries)
	})
	var got []string
	for from, pages := (journal.Place{}), 0; pages == 0 || !from.IsZero(); pages++ {
		var (
			b    pgx.Batch
			page journal.Page
		)
		journal.Queue(&b, annasNumber, journal.Filter{}, from, 2, &page)
		if err := pool.SendBatch(t.Context(), &b).Close(); err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			got = append(got, e.Detail["n"])
		}
		var err error
		if from = page.Next; !from.IsZero() {
			if from, err = journal.ParsePlace(from.String()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if want := []string{"6", "5", "4", "3", "2", "1", "0"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// What was written stays as it was written: in whatever part of the table, with a place and without one.
func TestJournalOnlyGrows(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	grow := func() {
		write(t, pool, func(ctx context.Context, tx pgx.Tx) error {
			return journal.Append(ctx, tx, []journal.Entry{
				{Person: uuid.New(), At: now, Kind: "signed_in", Actor: journal.Self},
				{Person: uuid.New(), At: now.AddDate(-30, 0, 0), Kind: "signed_in", Actor: journal.Self}, // of no month
			})
		})
	}
	grow()
	if err := (journal.Sealer{Pool: pool}).Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	grow()
	for _, statement := range []string{
		`UPDATE journal SET kind = 'x'`, `UPDATE journal SET at = at + interval '1 month'`, `UPDATE journal SET place = 7, link = '' WHERE place IS NOT NULL`,
		`UPDATE journal SET place = NULL, link = NULL`, `DELETE FROM journal`, `DELETE FROM journal_2026_05`, `TRUNCATE journal`,
		`TRUNCATE journal_2026_05`, `TRUNCATE journal_otherwise`,
	} {
		if _, err := pool.Exec(t.Context(), statement); err == nil {
			t.Errorf("%s succeeded", statement)
		}
	}
}

// An entry that comes again stands once, in whatever company it comes.
func TestAnEntryStandsOnce(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	one := journal.Entry{ID: uuid.Must(uuid.NewV7()), Person: uuid.New(), At: now, Kind: "signed_in", Actor: journal.Self}
	for _, entries := range [][]journal.Entry{{one}, {one, {Person: one.Person, At: now, Kind: "signed_out", Actor: journal.Self}}, {one, one}} {
		write(t, pool, func(ctx context.Context, tx pgx.Tx) error { return journal.Append(ctx, tx, entries) })
	}
	var n int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM journal`).Scan(&n); err != nil || n != 2 {
		t.Errorf("%d entries, %v", n, err)
	}
}

// A place that a stranger makes up is refused, or is one that we would write the same.
func FuzzParsePlace(f *testing.F) {
	f.Add("")
	f.Add(journal.Place{}.String())
	f.Add("AAYKJRGy4AABjwAAAAAAcIAAAAAAAAAA")
	f.Add("A0\n000000000000000000000000000000")
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := journal.ParsePlace(s); err == nil && p.String() != s {
			t.Errorf("%q became %q", s, p)
		}
	})
}

func write(t *testing.T, pool *pgxpool.Pool, act func(ctx context.Context, tx pgx.Tx) error) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return act(t.Context(), tx) })
	if err != nil {
		t.Fatal(err)
	}
}
