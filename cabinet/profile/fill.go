package profile

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Stage copies everybody, as the provider writes them in CSV, into a table of the transaction's own.
func Stage(ctx context.Context, tx pgx.Tx, csv io.Reader) error {
	const create = `
		CREATE TEMP TABLE everybody (
			id                    uuid NOT NULL,
			identification_number text COLLATE "C" NOT NULL,
			sex                   text NOT NULL,
			birth_date            text COLLATE "C" NOT NULL,
			citizenship           text COLLATE "C" NOT NULL,
			death_date            date,
			death_act             text,
			declared_dead_date    date,
			declared_dead_act     text,
			missing_date          date,
			missing_act           text,
			incapable_date        date,
			incapable_act         text,
			limited_date          date,
			limited_act           text,
			deactivated_for       text
		) ON COMMIT DROP`
	if _, err := tx.Exec(ctx, create); err != nil {
		return fmt.Errorf("stage everybody: %w", err)
	}
	if _, err := tx.Conn().PgConn().CopyFrom(ctx, csv, `COPY everybody FROM STDIN (FORMAT csv, HEADER MATCH)`); err != nil {
		return fmt.Errorf("stage everybody: %w", err)
	}
	return nil
}

// Fill makes the cabinets of all who are staged, where there are none yet, as Apply makes those of some. The index on numbers, which would be
// filled in no order, is left out meanwhile.
func Fill(ctx context.Context, tx pgx.Tx, at time.Time) error {
	const leave = `ALTER TABLE cabinet DROP CONSTRAINT cabinet_identification_number_once`
	const fill = `
		INSERT INTO cabinet (person_id, identification_number, state, state_reason, state_at, sex, birth_date,
		                     citizenship, incapable_date, limited_date, updated_at, created_at)
		SELECT id, identification_number, CASE WHEN gone IS NULL THEN 'not_activated' ELSE 'deactivated' END, gone, $1, sex, birth_date,
		       citizenship, incapable_date, limited_date, $1, $1
		FROM everybody, LATERAL (SELECT CASE
			WHEN death_date IS NOT NULL THEN 'death'
			WHEN declared_dead_date IS NOT NULL THEN 'declared_dead'
			WHEN missing_date IS NOT NULL THEN 'missing'
			ELSE deactivated_for END) AS r (gone)`
	const build = `
		SET LOCAL maintenance_work_mem = '256MB';
		ALTER TABLE cabinet ADD CONSTRAINT cabinet_identification_number_once UNIQUE (identification_number);
		ANALYZE cabinet`
	if _, err := tx.Exec(ctx, leave); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	if _, err := tx.Exec(ctx, fill, at); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	if _, err := tx.Exec(ctx, build); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	// The feed may have told of sign-ins before.
	const before = `SELECT DISTINCT person_id FROM journal WHERE kind = 'identifier.activated'`
	rows, _ := tx.Query(ctx, before)
	people, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	return Activate(ctx, tx, people)
}
