package journal

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/migrations/pgtest"
)

// Nobody's journal is looked through for another's: whatever is looked for, from whatever place on, is found by the person's index, in its
// order; and so is one entry, and a report. Who was given data is put together from the same entries.
func TestEntriesAreFoundByIndex(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	whole := Filter{Actor: Staff, About: Desk, Since: time.Now().Add(-time.Hour), Till: time.Now()}
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off`); err != nil {
			return err
		}
		for name, query := range map[string]struct {
			sql   string
			args  []any
			index string
		}{
			"all":            {list, Filter{}.arguments("", Place{}, 25), "_person_id_at_id_idx"},
			"a filter":       {list, whole.arguments("", Place{}, 25), "_person_id_at_id_idx"},
			"a place":        {list, whole.arguments("", Place{time.Now(), uuid.New()}, 25), "_person_id_at_id_idx"},
			"one entry":      {find, []any{"", uuid.New(), time.Now()}, "journal_"},
			"reports":        {reports, []any{time.Now()}, "report_at"},
			"how many":       {countReports, []any{time.Now()}, "report_at"},
			"all there are":  {count, []any{"", time.Now()}, "_person_id_at_id_idx"},
			"news":           {news, []any{"", time.Now(), remarkable}, "_person_id_at_id_idx"},
			"receipts":       {receipts, []any{"", time.Now(), received}, "_person_id_at_id_idx"},
			"reports of one": {reportsOf, []any{""}, "report_person"},
		} {
			rows, _ := tx.Query(t.Context(), `EXPLAIN (COSTS OFF) `+query.sql, query.args...)
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return err
			}
			got := strings.Join(lines, "\n")
			if !strings.Contains(got, query.index) || name != "receipts" && name != "news" && strings.Contains(got, "->  Sort") || strings.Contains(got, "Seq Scan") {
				t.Errorf("%s: not by its index alone:\n%s", name, got)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// However many entries wait for a place, those alone are read that are given one.
func TestTheSealerReadsWhatItSeals(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	waiting := make([]Entry, 3000)
	for i := range waiting {
		waiting[i] = Entry{Person: uuid.New(), At: time.Now(), Kind: ProfileChanged, Actor: System}
	}
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if err := Append(t.Context(), tx, waiting); err != nil {
			return err
		}
		if _, err := tx.Exec(t.Context(), turn, sealerLock); err != nil {
			return err
		}
		rows, _ := tx.Query(t.Context(), `EXPLAIN ANALYZE `+place, most, make([]byte, 32))
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if got := strings.Join(lines, "\n"); !strings.Contains(got, "Merge Append") || strings.Contains(got, "JIT") {
			t.Errorf("for a thousand of three, not by the index alone, or compiled:\n%s", got)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
