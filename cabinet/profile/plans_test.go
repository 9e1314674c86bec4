package profile

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/migrations/pgtest"
)

// No query of what other systems told reads more than one person's, or more of what waits than is due.
func TestQueriesGoByTheirIndexes(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off`); err != nil {
			return err
		}
		for name, query := range map[string]struct {
			sql     string
			args    []any
			indexes []string
		}{
			"what was told":   {told, []any{""}, []string{"refresh_pkey", "profile_value_pkey"}},
			"how it changed":  {changes, []any{""}, []string{"profile_change_person"}},
			"who is the next": {take, []any{"documents", time.Now(), time.Now()}, []string{"refresh_due", "cabinet_pkey", "refresh_pkey"}},
		} {
			rows, _ := tx.Query(t.Context(), `EXPLAIN (COSTS OFF) `+query.sql, query.args...)
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return err
			}
			got := strings.Join(lines, "\n")
			for _, index := range query.indexes {
				if !strings.Contains(got, index) || strings.Contains(got, "Seq Scan") || strings.Contains(got, "Sort") {
					t.Errorf("%s: not by %s alone:\n%s", name, index, got)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
