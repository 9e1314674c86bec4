package bulk_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"asoba.example/migrations/pgtest"
	"asoba.example/provider/bulk"
)

// While a table is filled it has no index and nothing refers to it; after that it is as before, also where filling failed.
func TestATableIsAsBefore(t *testing.T) {
	t.Parallel()
	const parts = `
		SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'person'::regclass OR confrelid = 'person'::regclass
		UNION ALL
		SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'person'::regclass
		ORDER BY 1`
	const add = `
		INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in)
		SELECT gen_random_uuid(), '700000' || i || 'A000PB0', 'F', '1956', 'BY', 1 FROM generate_series(1, 9) AS i`
	pool := pgtest.New(t)
	have := func(tx pgx.Tx) []string {
		rows, _ := tx.Query(t.Context(), parts)
		list, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	broken := errors.New("broken")
	for _, want := range []error{broken, nil} {
		var before, meanwhile, after []string
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			before = have(tx)
			return bulk.Fill(t.Context(), tx, "person", func() error {
				meanwhile = have(tx)
				_, err := tx.Exec(t.Context(), add)
				return errors.Join(err, want)
			})
		})
		if !errors.Is(err, want) {
			t.Fatal(err)
		}
		err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			after = have(tx)
			return nil
		})
		if err != nil || !slices.Equal(before, after) {
			t.Errorf("before: %q\nafter: %q, %v", before, after, err)
		}
		if slices.ContainsFunc(meanwhile, func(part string) bool { return part[:5] != "CHECK" && part[:8] != "NOT NULL" }) {
			t.Errorf("meanwhile there are %q", meanwhile)
		}
	}
	var people int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM person`).Scan(&people); err != nil || people != 9 {
		t.Errorf("%d people, %v", people, err)
	}
}
