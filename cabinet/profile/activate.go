package profile

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
)

// Activate activates the cabinets of those among people who had their primary sign-in (order 82, p. 9), which the
// journal knows: it may have come before the person's record, or come again when the feed is read anew. After a
// deactivation an older sign-in counts no more.
func Activate(ctx context.Context, tx pgx.Tx, people []uuid.UUID) error {
	if len(people) == 0 {
		return nil
	}
	const activate = `
		WITH turn AS (
			SELECT DISTINCT ON (person_id) person_id, kind, at
			FROM journal
			WHERE person_id = ANY($1)
			  AND (kind IN ('identifier.activated', 'cabinet.activated', 'cabinet.deactivated')
			       OR kind = 'identifier.blocked' AND detail->>'reason' = 'register')
			ORDER BY person_id, at DESC, id DESC
		)
		UPDATE cabinet
		SET state = 'activated', state_at = turn.at
		FROM turn
		WHERE cabinet.person_id = turn.person_id AND cabinet.state = 'not_activated' AND turn.kind = 'identifier.activated'
		RETURNING cabinet.person_id, cabinet.state_at`
	return activated(ctx, tx, activate, people)
}

// SignedIn activates the cabinets of people who have their identifiers in use, so that a first sign-in was, whether anybody tells of it any more.
func SignedIn(ctx context.Context, tx pgx.Tx, people []uuid.UUID, at time.Time) error {
	const activate = `
		UPDATE cabinet
		SET state = 'activated', state_at = $2
		WHERE person_id = ANY($1) AND state = 'not_activated'
		RETURNING person_id, state_at`
	if len(people) == 0 {
		return nil
	}
	return activated(ctx, tx, activate, people, at)
}

// activated activates cabinets and tells of it in the journal.
func activated(ctx context.Context, tx pgx.Tx, activate string, args ...any) error {
	rows, err := tx.Query(ctx, activate, args...)
	if err != nil {
		return fmt.Errorf("activate cabinets: %w", err)
	}
	var (
		entries []journal.Entry
		person  uuid.UUID
		at      time.Time
	)
	_, err = pgx.ForEachRow(rows, []any{&person, &at}, func() error {
		entries = append(entries, journal.Entry{Person: person, At: at, Kind: journal.CabinetActivated, Actor: journal.Self})
		return nil
	})
	if err != nil {
		return fmt.Errorf("activate cabinets: %w", err)
	}
	return journal.Append(ctx, tx, entries)
}
