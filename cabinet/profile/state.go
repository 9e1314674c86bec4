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
			       OR kind = 'sessions.ended' AND detail->>'why' = 'deactivated')
			ORDER BY person_id, at DESC, id DESC
		)
		UPDATE cabinet
		SET state = 'activated', state_at = turn.at
		FROM turn
		WHERE cabinet.person_id = turn.person_id AND cabinet.state = 'not_activated' AND turn.kind = 'identifier.activated'
		RETURNING cabinet.person_id, cabinet.state_at`
	return activated(ctx, tx, activate, people)
}

// GoneSince selects when the register had somebody's sign-ins ended, whether their identifier was blocked before or not, since the state came that a
// row of cabinet has.
const GoneSince = `
	SELECT at FROM journal
	WHERE journal.person_id = cabinet.person_id AND kind = 'sessions.ended' AND detail->>'why' = 'deactivated' AND at >= state_at
	ORDER BY at DESC LIMIT 1`

const lapsed = `
	WITH gone AS (
		SELECT person_id, since.at
		FROM incoming
		JOIN cabinet ON person_id = incoming.id
		CROSS JOIN LATERAL (` + GoneSince + `) AS since
		WHERE state = 'activated' AND since.at <= $1
	)
	UPDATE cabinet
	SET state = 'not_activated', state_at = $1
	FROM gone
	WHERE cabinet.person_id = gone.person_id
	RETURNING cabinet.person_id, gone.at`

// lapse takes the activation from cabinets of people who are staged and who were gone since: the register took that back before anybody came to
// read of it, and nothing tells of it any more but the block of the identifier, which the journal knows. The journal makes good what was passed
// over, and the next sign-in is the primary one again (p. 8, 9). It gives whose they are.
func lapse(ctx context.Context, tx pgx.Tx, at time.Time) ([]uuid.UUID, error) {
	rows, _ := tx.Query(ctx, lapsed, at)
	var (
		people  []uuid.UUID
		entries []journal.Entry
		person  uuid.UUID
		gone    time.Time
	)
	_, err := pgx.ForEachRow(rows, []any{&person, &gone}, func() error {
		people = append(people, person)
		entries = append(entries,
			journal.Entry{Person: person, At: gone, Kind: journal.CabinetDeactivated, Actor: journal.System},
			journal.Entry{Person: person, At: at, Kind: journal.CabinetRestored, Actor: journal.System})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for deactivations that were passed over: %w", err)
	}
	return people, journal.Append(ctx, tx, entries)
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
