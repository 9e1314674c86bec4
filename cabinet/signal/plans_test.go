package signal

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"asoba.example/migrations/pgtest"
)

// What e-services may read and were told of a citizen is found by that citizen, and not looked for among all.
func TestWhatIsHeldIsFoundByIndex(t *testing.T) {
	t.Parallel()
	err := pgx.BeginFunc(t.Context(), pgtest.NewCabinet(t), func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off`); err != nil {
			return err
		}
		for query, index := range map[string]string{readers: "reader_person", told: "signal_person"} {
			rows, _ := tx.Query(t.Context(), `EXPLAIN (COSTS OFF) `+query, "")
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return err
			}
			got := strings.Join(lines, "\n")
			if !strings.Contains(got, index) || !strings.Contains(got, "cabinet_identification_number_once") || strings.Contains(got, "Seq Scan") {
				t.Errorf("not by %s alone:\n%s", index, got)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
