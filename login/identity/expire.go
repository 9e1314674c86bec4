package identity

import (
	"context"
	"fmt"
	"time"
)

// destroyed is how many passwords one statement destroys: those whose owners act meanwhile wait for no more.
const destroyed = 1000

// Expire destroys the temporary passwords whose term is over. They have proved nothing since; the identifier stays temporary, until it is
// sent another one.
func (r *Registry) Expire(ctx context.Context, at time.Time) error {
	const destroy = `
		UPDATE identity SET password_hash = NULL
		WHERE person_id IN (
			SELECT person_id FROM identity
			WHERE password_till <= $2 AND password_hash IS NOT NULL AND concat_ws(':', state, block_reason) = ANY ($1)
			LIMIT $3 FOR UPDATE SKIP LOCKED)`
	for {
		tag, err := r.pool.Exec(ctx, destroy, allowed[expire], at, destroyed)
		if err != nil {
			return fmt.Errorf("destroy passwords that are over: %w", err)
		}
		if tag.RowsAffected() < destroyed {
			return nil
		}
	}
}
