package profile

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
)

// Join makes one cabinet of two whose people turned out to be one: who is no more has none, and what the journal tells of them it tells of who they
// are. Nobody ever signed in to the one that goes, or nothing would have been joined to another: it holds the register's values, and nothing else.
func Join(ctx context.Context, tx pgx.Tx, gone, stays uuid.UUID) error {
	const remove = `DELETE FROM cabinet WHERE person_id = $1`
	if err := journal.Pass(ctx, tx, gone, stays); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, remove, gone); err != nil {
		return fmt.Errorf("join cabinets: %w", err)
	}
	return nil
}
