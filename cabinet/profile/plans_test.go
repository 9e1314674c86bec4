package profile

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/migrations/pgtest"
)

// No query of what other systems told reads more than one person's, or more of what waits than is due; and of the journals, which are the most
// there is, whoever asks whether somebody was gone reads that person's since their state came.
func TestQueriesGoByTheirIndexes(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off`); err != nil {
			return err
		}
		if err := stage(t.Context(), tx, nil); err != nil {
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
			"who was gone":    {`SELECT (` + GoneSince + `) FROM cabinet WHERE person_id = $1`, []any{uuid.Nil}, []string{"cabinet_pkey", "person_id_at_id_idx"}},
			"who lapses":      {lapsed, []any{time.Now()}, []string{"incoming_pkey", "cabinet_pkey", "person_id_at_id_idx"}},
		} {
			rows, _ := tx.Query(t.Context(), `EXPLAIN (COSTS OFF) `+query.sql, query.args...)
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return err
			}
			got := strings.Join(lines, "\n")
			heavy := slices.ContainsFunc(lines, func(line string) bool {
				node := strings.TrimPrefix(strings.TrimSpace(line), "->  ")
				return node == "Sort" || strings.HasPrefix(node, "Seq Scan")
			})
			for _, index := range query.indexes {
				if heavy || !strings.Contains(got, index) {
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
