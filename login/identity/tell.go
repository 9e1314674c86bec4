package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Tell puts a notice for a person's phone into the transaction of another room's act.
func (r *Registry) Tell(ctx context.Context, tx pgx.Tx, person uuid.UUID, word string, act Act) error {
	const read = `SELECT phone FROM identity WHERE person_id = $1`
	var sealed []byte
	if err := tx.QueryRow(ctx, read, person).Scan(&sealed); err != nil {
		return fmt.Errorf("tell %s: %w", person, err)
	}
	phone, err := OpenPhone(r.box, person, sealed)
	if err != nil {
		return err
	}
	return r.notify(ctx, tx, person, phone, word, act)
}
