package register

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// Why there is nothing to be taken back of a person.
var (
	ErrAlive   = errors.New("the register does not say that the person is gone")
	ErrEarlier = errors.New("the act is of an earlier day than what it takes back")
	ErrUndone  = errors.New("nothing is kept that the restoration took back: the register has said otherwise since")
)

// Restore takes back that somebody is dead, declared dead or missing, in the transaction of the operator who has decided so, on an act of a day:
// what the register tells of a later one it cannot have known. The register's owner may take a month to say it too: while it says the very same,
// just that is withheld.
func (g *Register) Restore(ctx context.Context, tx pgx.Tx, who, by uuid.UUID, day string, at time.Time) error {
	const find = `SELECT ` + columns + ` FROM person WHERE id = $1 FOR NO KEY UPDATE`
	const keep = `
		INSERT INTO taken_back (person_id, at, death_date, death_act, declared_dead_date, declared_dead_act, missing_date, missing_act, deactivated_for)
		SELECT id, $2, death_date, death_act, declared_dead_date, declared_dead_act, missing_date, missing_act, deactivated_for
		FROM person WHERE id = $1`
	const over = `
		UPDATE person
		SET death_date = NULL, death_act = NULL, declared_dead_date = NULL, declared_dead_act = NULL, missing_date = NULL, missing_act = NULL,
		    deactivated_for = NULL, changed_in = $2
		WHERE id = $1`
	if err := alone(ctx, tx); err != nil {
		return err
	}
	person, err := one(ctx, tx, find, who.String())
	if err != nil {
		return err
	}
	if err := person.RestoredBy(day); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, keep, who, at); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	change, err := nextChange(ctx, tx)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if _, err := tx.Exec(ctx, over, who, change); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := call(ctx, tx, g.Restored, []uuid.UUID{who}, at); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Event{Kind: audit.PersonChanged, At: at, Person: who, Edition: change, Clerk: by})
}

// unsay forgets of what the operator has taken back that which the register says no longer: there is nothing to withhold any more, nor to hold again.
func unsay(ctx context.Context, tx pgx.Tx, e *Edition, from string) error {
	forget := `
		UPDATE taken_back AS t SET
			(death_date, death_act) = (SELECT t.death_date, t.death_act INTERSECT SELECT s.death_date, s.death_act),
			(declared_dead_date, declared_dead_act) = (SELECT t.declared_dead_date, t.declared_dead_act INTERSECT SELECT s.declared_dead_date, s.declared_dead_act),
			(missing_date, missing_act) = (SELECT t.missing_date, t.missing_act INTERSECT SELECT s.missing_date, s.missing_act),
			deactivated_for = CASE WHEN s.incapable_date IS NOT NULL THEN t.deactivated_for END
		FROM person AS p JOIN ` + from + ` AS s ON s.identification_number = p.identification_number
		WHERE p.id = t.person_id AND s.sex IS NOT NULL -- and not mentioned by a bad row
		  AND NOT EXISTS (SELECT FROM person_event WHERE person_id = p.id AND at > $1)`
	const over = `
		DELETE FROM taken_back
		WHERE death_date IS NULL AND declared_dead_date IS NULL AND missing_date IS NULL AND deactivated_for IS NULL`
	if _, err := tx.Exec(ctx, forget, e.NotBefore); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, over)
	return err
}

// Keeps tells whether anything is kept of what a restoration of a moment took back of somebody, which may be undone.
func (g *Register) Keeps(ctx context.Context, tx pgx.Tx, who uuid.UUID, restored time.Time) (kept bool, err error) {
	const find = `SELECT EXISTS (SELECT FROM taken_back WHERE person_id = $1 AND at = $2)`
	if err := tx.QueryRow(ctx, find, who, restored).Scan(&kept); err != nil {
		return false, fmt.Errorf("find what was taken back: %w", err)
	}
	return kept, nil
}

// Undo has hold again what a restoration of a moment took back of somebody, in the transaction of the operator who has decided so. What the
// register has told otherwise since stays as it tells it; what it tells from now on counts as ever.
func (g *Register) Undo(ctx context.Context, tx pgx.Tx, who, by uuid.UUID, restored, at time.Time) error {
	const find = `SELECT ` + columns + ` FROM person WHERE id = $1 FOR NO KEY UPDATE`
	const again = `
		WITH t AS (
			DELETE FROM taken_back WHERE person_id = $1 AND at = $2
			RETURNING person_id, death_date, death_act, declared_dead_date, declared_dead_act, missing_date, missing_act, deactivated_for
		)
		UPDATE person AS p
		SET death_date = coalesce(p.death_date, t.death_date),
		    death_act = CASE WHEN p.death_date IS NULL THEN t.death_act ELSE p.death_act END,
		    declared_dead_date = coalesce(p.declared_dead_date, t.declared_dead_date),
		    declared_dead_act = CASE WHEN p.declared_dead_date IS NULL THEN t.declared_dead_act ELSE p.declared_dead_act END,
		    missing_date = coalesce(p.missing_date, t.missing_date),
		    missing_act = CASE WHEN p.missing_date IS NULL THEN t.missing_act ELSE p.missing_act END,
		    deactivated_for = coalesce(p.deactivated_for, CASE WHEN p.incapable_date IS NOT NULL THEN t.deactivated_for END),
		    changed_in = $3
		FROM t WHERE p.id = t.person_id`
	if err := alone(ctx, tx); err != nil {
		return err
	}
	was, err := one(ctx, tx, find, who.String())
	if err != nil {
		return err
	}
	change, err := nextChange(ctx, tx)
	if err != nil {
		return fmt.Errorf("undo a restoration: %w", err)
	}
	tag, err := tx.Exec(ctx, again, who, restored, change)
	switch {
	case err != nil:
		return fmt.Errorf("undo a restoration: %w", err)
	case tag.RowsAffected() == 0:
		return ErrUndone
	}
	is, err := one(ctx, tx, find, who.String())
	if err != nil {
		return err
	}
	if is.Gone() && !was.Gone() {
		if err := call(ctx, tx, g.Cascade, []uuid.UUID{who}, at); err != nil {
			return err
		}
	}
	return audit.Record(ctx, tx, audit.Event{Kind: audit.PersonChanged, At: at, Person: who, Edition: change, Clerk: by})
}

// RestoredBy holds that an act of a day may take back what ends somebody: it came after all of that.
func (p Person) RestoredBy(day string) error {
	ended := max(p.Death.Date, p.DeclaredDead.Date, p.Missing.Date)
	if p.DeactivatedFor != "" {
		ended = max(ended, p.Incapable.Date)
	}
	switch {
	case ended == "":
		return ErrAlive
	case day < ended:
		return ErrEarlier
	}
	return nil
}

// alone keeps editions and events out until the transaction ends, or says that an edition is being applied: an event is over before that is said.
func alone(ctx context.Context, tx pgx.Tx) error {
	const try = `SELECT pg_try_advisory_xact_lock($1)`
	return insist(ctx, func() (ours bool, err error) {
		err = tx.QueryRow(ctx, try, applying).Scan(&ours)
		return ours, err
	})
}

// nextChange is the place among editions of a change that is none.
func nextChange(ctx context.Context, tx pgx.Tx) (change int64, err error) {
	err = tx.QueryRow(ctx, `SELECT nextval(pg_get_serial_sequence('edition', 'id'))`).Scan(&change)
	return change, err
}
