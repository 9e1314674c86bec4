package pgtest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// FailOn makes every statement of a verb (INSERT, UPDATE, DELETE) on a table
// fail, until heal is called.
func FailOn(t testing.TB, pool *pgxpool.Pool, verb, table string) (heal func()) {
	t.Helper()
	run := func(statement string) {
		t.Helper()
		if _, err := pool.Exec(context.Background(), statement); err != nil {
			t.Fatal(err)
		}
	}
	on := pgx.Identifier{table}.Sanitize()
	run(`
		CREATE OR REPLACE FUNCTION broken_on_purpose() RETURNS trigger LANGUAGE plpgsql
		AS $$ BEGIN RAISE EXCEPTION 'broken on purpose'; END $$`)
	run(`
		CREATE TRIGGER broken_on_purpose BEFORE ` + verb + ` ON ` + on + `
		FOR EACH STATEMENT EXECUTE FUNCTION broken_on_purpose()`)
	return func() {
		t.Helper()
		run(`DROP TRIGGER broken_on_purpose ON ` + on)
	}
}
