package profile

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/signal"
)

// Join makes one cabinet of two whose people turned out to be one: who is no more has none, and what the journal tells of them, and e-services were told,
// is of who they are. Nobody ever signed in to the one that goes, or nothing would have been joined to another: it holds the register's values, and nothing else.
func Join(ctx context.Context, tx pgx.Tx, gone, stays uuid.UUID) error {
	const remove = `DELETE FROM cabinet WHERE person_id = $1`
	if err := journal.Pass(ctx, tx, gone, stays); err != nil {
		return err
	}
	if err := signal.Pass(ctx, tx, gone, stays); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, remove, gone); err != nil {
		return fmt.Errorf("join cabinets: %w", err)
	}
	return nil
}

// most is how many cabinets one page can clear away. To become one is rare: a provider that leaves out more people has lost them.
const most = 10

// Clear removes the cabinets of those after one person and up to another who are not among the people that are there, if they are few: they were joined
// to others, and nothing tells of it any more. A cabinet that was ever signed in to is not theirs, and stays, as many do: somebody has to find out
// whose it is.
func Clear(ctx context.Context, tx pgx.Tx, there []uuid.UUID, after, till uuid.UUID) error {
	const remove = `
		WITH absent AS (
			SELECT person_id FROM cabinet
			WHERE person_id > $1 AND person_id <= $2 AND state <> 'activated'
			  AND NOT EXISTS (SELECT FROM unnest($3::uuid[]) AS there (id) WHERE id = person_id)
			  AND NOT EXISTS (SELECT FROM journal WHERE journal.person_id = cabinet.person_id AND kind = 'cabinet.activated')
			LIMIT $4 + 1
		)
		DELETE FROM cabinet USING absent WHERE cabinet.person_id = absent.person_id AND (SELECT count(*) FROM absent) <= $4`
	if _, err := tx.Exec(ctx, remove, after, till, there, most); err != nil {
		return fmt.Errorf("clear cabinets: %w", err)
	}
	return nil
}
