package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/grant"
)

// Incapacitate ends the sign-ins of people whom a court has found incapable, in
// the register's own transaction. They keep the identifier and may read; what binds
// them they do no more. It is register.Register's Incapable.
func (r *Registry) Incapacitate(ctx context.Context, tx pgx.Tx, people []uuid.UUID, at time.Time) error {
	const holders = `SELECT person_id FROM identity WHERE person_id = ANY ($1) ORDER BY person_id`
	rows, _ := tx.Query(ctx, holders, people)
	all, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("incapacitate: %w", err)
	}
	for _, person := range all {
		if err := grant.End(ctx, tx, r.jobs, person, grant.Incapable, at); err != nil {
			return fmt.Errorf("incapacitate: %w", err)
		}
	}
	return nil
}
