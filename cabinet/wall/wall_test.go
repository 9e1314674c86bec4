package wall_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/profile"
	"asoba.example/cabinet/wall"
	"asoba.example/migrations/pgtest"
)

const anna, boris = "0000000A000PB2", "1000000A000PB0"

// A statement that looks for nobody in particular sees and changes only what is the subject's of its batch, writes for nobody else, and on a
// door's connection that was not told of one, before or after, sees nothing.
func TestTheWallHoldsByItself(t *testing.T) {
	t.Parallel()
	back := pgtest.NewCabinet(t)
	doors := pgtest.With(t, back, wall.Settings())
	at := time.Date(2026, 5, 12, 9, 30, 0, 0, time.UTC)
	err := pgx.BeginFunc(t.Context(), back, func(tx pgx.Tx) error {
		var people []profile.Person
		for _, number := range []string{anna, boris} {
			people = append(people, profile.Person{ID: uuid.Must(uuid.NewV7()), Number: number, Sex: "F", BirthDate: "1956", Citizenship: "BY"})
		}
		if err := profile.Apply(t.Context(), tx, people, at); err != nil {
			return err
		}
		for _, write := range []string{
			`INSERT INTO journal (id, person_id, at, kind, actor) SELECT person_id, person_id, $1, 'signed_in', 'self' FROM cabinet`,
			`INSERT INTO report (entry_id, entry_at, person_id, at) SELECT person_id, $1, person_id, $1 FROM cabinet`,
			`INSERT INTO contact (person_id, given_at) SELECT person_id, $1 FROM cabinet`,
			`INSERT INTO profile_value (person_id, source, name, at, since) SELECT person_id, 'a', 'address', $1, $1 FROM cabinet`,
			`INSERT INTO profile_change (entry_id, person_id) SELECT person_id, person_id FROM cabinet WHERE created_at <= $1`,
			`INSERT INTO dispute (id, person_id, name, source, value, words, restricts, state, at)
			 SELECT person_id, person_id, 'sex', 'a', '', '', false, 'received', $1 FROM cabinet`,
			`INSERT INTO refresh (person_id, source, occasion, due_at) SELECT person_id, 'a', 'order', $1 FROM cabinet`,
			`INSERT INTO reader (grant_id, person_id, client_id, at) SELECT person_id, person_id, 'tax', $1 FROM cabinet`,
			`INSERT INTO subscriber (client_id, next_at) VALUES ('tax', $1), ('bank', $1)`,
			`INSERT INTO ended_number (identification_number, at) SELECT identification_number, $1 FROM cabinet`,
			`INSERT INTO signal (id, client_id, person_id, subject, at, kind, detail)
			 SELECT gen_random_uuid(), 'tax', person_id, '', $1, '', '{}' FROM cabinet WHERE identification_number = '` + anna + `'`,
			`INSERT INTO signal (id, client_id, subject, at, kind, detail) VALUES (gen_random_uuid(), 'bank', '` + boris + `', $1, '', '{}')`,
		} {
			if _, err := tx.Exec(t.Context(), write, at); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := func(told func(*pgx.Batch), table string) (n int) {
		t.Helper()
		var b pgx.Batch
		told(&b)
		b.Queue(`SELECT count(*) FROM ` + table).QueryRow(func(row pgx.Row) error { return row.Scan(&n) })
		if err := doors.SendBatch(t.Context(), &b).Close(); err != nil {
			t.Fatal(err)
		}
		return n
	}
	type shown struct{ anna, tax int }
	for table, shown := range map[string]shown{
		"cabinet": {1, 0}, "journal": {1, 0}, "contact": {1, 0}, "report": {1, 0}, "profile_value": {1, 0}, "profile_change": {1, 0}, "refresh": {1, 0},
		"dispute": {1, 0}, "reader": {1, 0}, "ended_number": {1, 0}, "signal": {1, 1}, "subscriber": {0, 1},
	} {
		for range 9 { // each connection of the pool, and what was said on it before
			for story, c := range map[string]struct {
				told func(*pgx.Batch)
				want int
			}{
				"Anna":          {func(b *pgx.Batch) { wall.Queue(b, anna, "") }, shown.anna},
				"the tax":       {func(b *pgx.Batch) { wall.Queue(b, "", "tax") }, shown.tax},
				"nobody":        {func(b *pgx.Batch) { wall.Queue(b, "", "") }, 0},
				"whoever is it": {func(*pgx.Batch) {}, 0},
			} {
				if got := seen(c.told, table); got != c.want {
					t.Errorf("%s sees %d rows of %s, want %d", story, got, table, c.want)
				}
			}
		}
		var all int
		if err := back.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&all); err != nil || all != 2 {
			t.Errorf("the program's own work sees %d rows of %s, %v", all, table, err)
		}
	}
	as := func(ctx context.Context, subject, statement string, arguments ...any) (changed int64, err error) {
		var b pgx.Batch
		wall.Queue(&b, subject, "")
		b.Queue(statement, arguments...)
		results := doors.SendBatch(ctx, &b)
		defer results.Close()
		if _, err := results.Exec(); err != nil {
			return 0, err
		}
		tag, err := results.Exec()
		return tag.RowsAffected(), err
	}
	for _, change := range []string{`UPDATE cabinet SET state_at = now()`, `UPDATE contact SET language = 'be'`, `DELETE FROM contact`} {
		if n, err := as(t.Context(), anna, change); n != 1 || err != nil {
			t.Errorf("%s as Anna changed %d rows, %v", change, n, err)
		}
	}
	var his uuid.UUID
	if err := back.QueryRow(t.Context(), `SELECT person_id FROM cabinet WHERE identification_number = $1`, boris).Scan(&his); err != nil {
		t.Fatal(err)
	}
	_, err = as(t.Context(), anna, `INSERT INTO journal (id, person_id, at, kind, actor) VALUES (gen_random_uuid(), $1, $2, 'signed_in', 'self')`, his, at)
	if err == nil || !strings.Contains(err.Error(), "row-level security") {
		t.Errorf("Anna wrote into another's journal: %v", err)
	}
}

// No table that holds something of a person stands outside of the wall, nor is its owner let through.
func TestNothingOfAPersonStandsOutside(t *testing.T) {
	t.Parallel()
	const outside = `
		SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
		WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND attname = 'person_id'
		AND NOT (relrowsecurity AND relforcerowsecurity)`
	rows, _ := pgtest.NewCabinet(t).Query(t.Context(), outside)
	if found, err := pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || len(found) > 0 {
		t.Errorf("outside stand %q, %v", found, err)
	}
}
