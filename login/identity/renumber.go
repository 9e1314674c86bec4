package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/grant"
)

// Renumber ends the sign-ins of people whose identification number, which the
// identifier is, becomes another one, in the register's own transaction, and
// tells them. Password, phone and factors stay. It is register.Register's
// Renumbered; Redis is cleaned by the jobs it leaves.
func (r *Registry) Renumber(ctx context.Context, tx pgx.Tx, people []uuid.UUID, at time.Time) error {
	const lock = `
		SELECT person_id, CASE WHEN block_reason IS DISTINCT FROM 'register' THEN phone END
		FROM identity WHERE person_id = ANY ($1) ORDER BY person_id FOR NO KEY UPDATE`
	type holder struct {
		person uuid.UUID
		phone  []byte // sealed; nil where nobody is to be told
	}
	rows, _ := tx.Query(ctx, lock, people)
	holders, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h holder, err error) {
		err = row.Scan(&h.person, &h.phone)
		return h, err
	})
	if err != nil {
		return fmt.Errorf("renumber: %w", err)
	}
	for _, h := range holders {
		if err := grant.End(ctx, tx, r.jobs, h.person, grant.Renumbered, at); err != nil {
			return fmt.Errorf("renumber: %w", err)
		}
		if h.phone == nil {
			continue
		}
		phone, err := OpenPhone(r.box, h.person, h.phone)
		if err != nil {
			return err
		}
		if err := r.notify(ctx, tx, h.person, phone, "sms.renumbered", Act{At: at}); err != nil {
			return fmt.Errorf("renumber: %w", err)
		}
	}
	return nil
}
