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
	if _, err := tx.Exec(ctx, `DELETE FROM ended_number WHERE at < $1`, before); err != nil {
		return fmt.Errorf("forget ended numbers: %w", err)
	}
	return nil
}

// EndNumbers keeps, in the caller's transaction, that numbers were somebody's until a time: of the sign-ins under them until then none is good,
// whoever they belong to from then on. End forgets it.
func EndNumbers(ctx context.Context, tx pgx.Tx, numbers []string, at time.Time) error {
	if len(numbers) == 0 {
		return nil
	}
	const end = `
		INSERT INTO ended_number (identification_number, at) SELECT DISTINCT number, $2::timestamptz FROM unnest($1::text[]) AS number
		ON CONFLICT (identification_number) DO UPDATE SET at = excluded.at, doubted = false WHERE excluded.at >= ended_number.at`
	if _, err := tx.Exec(ctx, end, numbers, at); err != nil {
		return fmt.Errorf("end sign-ins under numbers: %w", err)
	}
	return nil
}

// Doubt says, in the caller's transaction, that the numbers which EndNumbers kept as ended at a time were others' for some while before: whoever has
// one may have signed in under it already. So the provider is asked whose sign-ins until then are good.
func Doubt(ctx context.Context, tx pgx.Tx, at time.Time) error {
	if _, err := tx.Exec(ctx, `UPDATE ended_number SET doubted = true WHERE at = $1`, at); err != nil {
		return fmt.Errorf("doubt ended numbers: %w", err)
	}
	return nil
}

// QueueEnded asks which sign-ins of a token's subject are worth nothing, those until then, as one part of a batch. Where
// none was ended, or that is forgotten, the time stays zero.
func QueueEnded(b *pgx.Batch, subject string, to *time.Time) {
	const find = `SELECT at FROM ended WHERE id = (SELECT person_id FROM cabinet WHERE identification_number = $1)`
	b.Queue(find, subject).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{to}, func() error { return nil })
		if err != nil {
			return fmt.Errorf("find ended sign-ins: %w", err)
		}
		return nil
	})
}

// A Disabled says that the provider has disabled a client, or lets it in again.
type Disabled struct {
	ClientID string
	Now      bool // or false: enabled
	At       time.Time
}

// Disable keeps which clients are disabled, in the caller's transaction. Of two changes of one client the later one counts, in whatever order
// they come.
func Disable(ctx context.Context, tx pgx.Tx, changes []Disabled) error {
	const change = `
		INSERT INTO disabled_client (client_id, disabled, at) VALUES ($1, $2, $3)
		ON CONFLICT (client_id) DO UPDATE SET disabled = excluded.disabled, at = excluded.at WHERE disabled_client.at <= excluded.at`

	for _, c := range changes {
		if _, err := tx.Exec(ctx, change, c.ClientID, c.Now, c.At); err != nil {
			return fmt.Errorf("disable a client: %w", err)
		}
	}
	return nil
}
