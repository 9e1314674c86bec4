package audit

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/migrations/pgtest"
)

// What supervisors read is found by index: no year of a country is read for a day of an office.
func TestWhatSupervisorsReadIsFoundByIndex(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for name, read := range map[string]struct {
		query string
		args  []any
		plan  []string
	}{
		"the report":              {tally, []any{"Minsk-1", day, day.AddDate(0, 0, 1)}, []string{"office_at_idx", "Index Cond: ((office = 'Minsk-1'::text) AND (at >= "}},
		"the alerts of an office": {alerts, []any{uuid.Nil, "Minsk-1", Cursor(7), 100}, []string{"place_idx1", "Index Cond: (place > "}},
		"all alerts":              {alerts, []any{uuid.Nil, "", Cursor(7), 100}, []string{"place_idx1", "Index Cond: (place > "}},
	} {
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off`); err != nil {
				return err
			}
			rows, _ := tx.Query(t.Context(), `EXPLAIN (COSTS OFF) `+read.query, read.args...)
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			got := strings.Join(lines, "\n")
			for _, want := range read.plan {
				if err == nil && !strings.Contains(got, want) {
					t.Errorf("%s: not by %s:\n%s", name, want, got)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
