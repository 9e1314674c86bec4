package register

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/migrations/pgtest"
)

// Of all that the register ever told between its editions, only those who were joined since are counted.
func TestWhoWasJoinedLatelyIsFoundByAnIndex(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	const fill = `
		INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in)
		VALUES (gen_random_uuid(), '1010130K001PB9', 'M', '1930', 'BY', 0);
		INSERT INTO person_event (id, change, digest, person_id, at, told_at, deactivated, new_number, took_back, joined)
		SELECT n, n, '', person.id, told, told, false, false, '{}', CASE WHEN n % 2 = 0 THEN gen_random_uuid() END
		FROM person, generate_series(1, 20000) AS n, LATERAL (SELECT timestamptz '2026-01-01' + n * interval '1 hour') AS at (told);
		ANALYZE person_event`
	if _, err := pool.Exec(t.Context(), fill); err != nil {
		t.Fatal(err)
	}
	rows, _ := pool.Query(t.Context(), `EXPLAIN `+joinedSince, time.Date(2028, time.April, 1, 0, 0, 0, 0, time.UTC), 20)
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if got := strings.Join(plan, "\n"); err != nil || !strings.Contains(got, "Index Cond: (told_at > ") || !strings.Contains(got, "person_event_joined") {
		t.Errorf("%v:\n%s", err, got)
	}
}

func TestWhomAnEditionIsAboutIsFoundByIndexes(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	const fill = `
		ALTER TABLE missing_person DROP CONSTRAINT missing_person_edition_id_fkey; -- the edition itself is not looked at
		INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in)
		SELECT gen_random_uuid(), to_char(n, 'FM0000000') || 'K001PB9', 'M', '1930', 'BY', 0 FROM generate_series(1, 20000) AS n;
		INSERT INTO missing_person (edition_id, person_id) SELECT 1, id FROM person;
		INSERT INTO staged_outcome (person_id, outcome) SELECT id, 'missing' FROM person;
		ANALYZE person, missing_person, staged_outcome`
	if _, err := pool.Exec(t.Context(), fill); err != nil {
		t.Fatal(err)
	}
	for ids, of := range map[string]any{missingOf: 1, whoseOutcome: "missing"} {
		rows, _ := pool.Query(t.Context(), `EXPLAIN `+people(ids), of, uuid.Nil, 1000)
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if got := strings.Join(plan, "\n"); err != nil || !strings.Contains(got, "Index Cond: (id = ANY (") || strings.Contains(got, "Seq Scan") {
			t.Errorf("%v:\n%s", err, got)
		}
	}
}
