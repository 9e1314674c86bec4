package profile

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
)

// A History is what values were and what they became, by the entry of the journal that tells of the change.
type History map[uuid.UUID]Change

// A Change of a value; "" is none.
type Change struct{ Old, New string }

const changes = `
	SELECT entry_id, old, new FROM profile_change
	WHERE person_id = (SELECT person_id FROM cabinet WHERE identification_number = $1)`

// QueueHistory asks how the values that other systems told of a citizen have changed, as one part of a batch.
func (s *Sources) QueueHistory(b *pgx.Batch, subject string, to *History) {
	b.Queue(changes, subject).Query(func(rows pgx.Rows) error {
		var (
			all        = History{}
			entry      uuid.UUID
			old, fresh []byte
		)
		_, err := pgx.ForEachRow(rows, []any{&entry, &old, &fresh}, func() (err error) {
			var c Change
			if c.Old, err = s.open(changeAt(entry, "old"), old); err == nil {
				c.New, err = s.open(changeAt(entry, "new"), fresh)
			}
			all[entry] = c
			return err
		})
		if err != nil {
			return fmt.Errorf("find how values changed: %w", err)
		}
		*to = all
		return nil
	})
}

// Tell has entries say what was and what is, as those of the register's values do by themselves.
func (h History) Tell(entries []journal.Entry) {
	for _, e := range entries {
		if c, ok := h[e.ID]; ok {
			e.Detail["old"], e.Detail["new"] = c.Old, c.New
		}
	}
}

// Forget takes out how values changed in a month whose entries go, in the transaction that they go in.
func Forget(ctx context.Context, tx pgx.Tx, month time.Time) error {
	const forget = `
		DELETE FROM profile_change WHERE entry_id IN (SELECT id FROM journal WHERE at >= $1 AND at < $2 AND kind = $3)`

	if _, err := tx.Exec(ctx, forget, month, month.AddDate(0, 1, 0), string(journal.ProfileChanged)); err != nil {
		return fmt.Errorf("forget how values changed: %w", err)
	}
	return nil
}

func changeAt(entry uuid.UUID, column string) string {
	return "profile_change:" + column + ":" + entry.String()
}
