package access

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// An Ended is the end of sign-ins. ID is a person, none of whose sign-ins at At or before is good, or a grant, which is
// over.
type Ended struct {
	ID uuid.UUID
	At time.Time
}

// End keeps what ended, in the caller's transaction, and drops what ended so long ago (before) that nothing can
// rest on it any more. Of two ends of the same the later one counts, in whatever order they come.
func End(ctx context.Context, tx pgx.Tx, ended []Ended, before time.Time) error {
	if len(ended) == 0 {
		return nil
	}
	const end = `
		INSERT INTO ended (id, at)
		SELECT id, max(at) FROM unnest($1::uuid[], $2::timestamptz[]) AS e (id, at) WHERE at >= $3 GROUP BY id
		ON CONFLICT (id) DO UPDATE SET at = greatest(ended.at, excluded.at)`
	ids, ats := make([]uuid.UUID, len(ended)), make([]time.Time, len(ended))
	for i, e := range ended {
		ids[i], ats[i] = e.ID, e.At
	}
	if _, err := tx.Exec(ctx, end, ids, ats, before); err != nil {
		return fmt.Errorf("end sign-ins: %w", err)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM ended WHERE at < $1`, before); err != nil {
		return fmt.Errorf("forget ended sign-ins: %w", err)
	}
	return nil
}

// Disable keeps which clients the provider has disabled or removed, and which it lets in again, in the caller's transaction.
func Disable(ctx context.Context, tx pgx.Tx, disabled map[string]bool) error {
	for id, now := range disabled {
		change := `DELETE FROM disabled_client WHERE client_id = $1`
		if now {
			change = `INSERT INTO disabled_client (client_id) VALUES ($1) ON CONFLICT DO NOTHING`
		}
		if _, err := tx.Exec(ctx, change, id); err != nil {
			return fmt.Errorf("disable a client: %w", err)
		}
	}
	return nil
}
