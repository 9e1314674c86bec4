package register

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// fill is the first load. The indexes that would be filled in no order are left
// out meanwhile: building them at the end takes a fifth of the time.
func (g *Register) fill(ctx context.Context, tx pgx.Tx, edition int64, f *file) (added int64, err error) {
	const leave = `
		ALTER TABLE person DROP CONSTRAINT person_identification_number_once;
		DROP INDEX person_changed_in`
	const build = `
		SET LOCAL maintenance_work_mem = '256MB';
		ALTER TABLE person ADD CONSTRAINT person_identification_number_once UNIQUE (identification_number);
		CREATE INDEX person_changed_in ON person (changed_in, id);
		ANALYZE person (changed_in) -- or whoever reads them by pages sorts all that remain for each`
	const incapable = `UPDATE person SET deactivated_for = 'incapable' WHERE incapable_date IS NOT NULL`
	if _, err := tx.Exec(ctx, leave); err != nil {
		return 0, err
	}
	f.first = edition
	if err := f.copyTo(ctx, tx, `person (id, changed_in, `+rowColumns+`)`); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, build); err != nil {
		return 0, err
	}
	if g.deactivatesIncapable() {
		_, err = tx.Exec(ctx, incapable)
	}
	return f.read - f.rejected, err
}

func (g *Register) deactivatesIncapable() bool {
	return g.DeactivateIncapable != nil && g.DeactivateIncapable()
}

// joins are how the staged rows meet those who are known: of a full edition also those are looked at of whom it does not tell.
var joins = map[Kind]string{Full: "FULL", Delta: "LEFT"}

// ends are those deaths, declarations of death and of being missing that one row has and the other has none of.
func ends(one, other string) string {
	return strings.NewReplacer("one.", one+".", "other.", other+".").Replace(`array_remove(ARRAY[
		CASE WHEN other.death_date IS NULL THEN 'death ' || one.death_date || coalesce(' ' || one.death_act, '') END,
		CASE WHEN other.declared_dead_date IS NULL THEN 'declared_dead ' || one.declared_dead_date || coalesce(' ' || one.declared_dead_act, '') END,
		CASE WHEN other.missing_date IS NULL THEN 'missing ' || one.missing_date || coalesce(' ' || one.missing_act, '') END
	], NULL)`)
}

// compare finds in one pass what is staged and not known, or known otherwise, or of a full edition known and not staged; and counts it.
// All else that there is to do rests on these rows alone. It gives the first of the rows that are withheld.
func (g *Register) compare(ctx context.Context, tx pgx.Tx, e *Edition) (withheld []BadRow, err error) {
	const before = `
		SET LOCAL work_mem = '256MB'; -- so that the join holds much of an edition in memory
		SET LOCAL max_parallel_workers_per_gather = 0; -- the other processors are for whoever signs in meanwhile
		ANALYZE staged_person`
	incapable := `s.incapable_date IS NOT NULL AND ` + strconv.FormatBool(g.deactivatesIncapable())
	differ := `
		CREATE TEMPORARY TABLE difference ON COMMIT DROP AS
		SELECT p.id, p.citizenship AS was,
		       coalesce(p.death_date, p.declared_dead_date, p.missing_date) IS NOT NULL OR p.deactivated_for IS NOT NULL AS was_gone,
		       coalesce(s.death_date, s.declared_dead_date, s.missing_date) IS NOT NULL OR ` + incapable + ` AS gone,
		       p.incapable_date IS NOT NULL AS was_incapable,
		       CASE WHEN ` + incapable + ` THEN 'incapable' END AS deactivated_for,
		       ` + ends("s", "p") + ` AS ends, ` + ends("p", "s") + ` AS takes_back,
		       s.*
		FROM staged_person s ` + joins[e.Kind] + ` JOIN person p ON p.identification_number = s.identification_number
		WHERE p.id IS NULL OR s.identification_number IS NULL
		   OR (p.sex, p.birth_date, p.citizenship, p.death_date, p.death_act, p.declared_dead_date, p.declared_dead_act,
		       p.missing_date, p.missing_act, p.incapable_date, p.incapable_act, p.limited_date, p.limited_act)
		      IS DISTINCT FROM
		      (s.sex, s.birth_date, s.citizenship, s.death_date, s.death_act, s.declared_dead_date, s.declared_dead_act,
		       s.missing_date, s.missing_act, s.incapable_date, s.incapable_act, s.limited_date, s.limited_act);
		ANALYZE difference;
		SET LOCAL jit = off -- what follows looks dear to PostgreSQL and is not: it would be compiled for longer than it takes`
	// What was told of later stays, and what the operator took back is over; a number that somebody had before makes nobody new. Whom an edition
	// does not tell of is missing though told of later, unless it cannot have known them by their number. One that does not say as of when it
	// tells may have been made at any time since its month began: it takes nothing back that was told of since, but that somebody is gone is
	// not lost in it, unless just that was taken back since.
	const withhold = `
		WITH withheld AS (
			DELETE FROM difference AS d
			WHERE EXISTS (SELECT FROM person_event WHERE person_id = d.id AND at > $1 AND (line IS NOT NULL OR new_number))
			      AND ($2 OR ends = '{}' OR EXISTS (SELECT FROM person_event WHERE person_id = d.id AND at > $1 AND took_back && ends))
			   OR EXISTS (
					SELECT FROM taken_back
					WHERE person_id = d.id AND (death_date, death_act, declared_dead_date, declared_dead_act, missing_date, missing_act)
					      IS NOT DISTINCT FROM (d.death_date, d.death_act, d.declared_dead_date, d.declared_dead_act, d.missing_date, d.missing_act))
			   OR id IS NULL AND EXISTS (SELECT FROM former_number WHERE identification_number = d.identification_number)
			RETURNING line, CASE
				WHEN id IS NULL THEN $3
				WHEN EXISTS (SELECT FROM person_event WHERE person_id = d.id AND at > $1) THEN $4
				ELSE $5 END AS reason
		)
		SELECT line, reason, count(*) OVER () FROM withheld WHERE line IS NOT NULL ORDER BY line LIMIT $6`
	const count = `
		SELECT count(*) FILTER (WHERE id IS NULL),
		       count(*) FILTER (WHERE id IS NOT NULL AND told),
		       count(*) FILTER (WHERE id IS NOT NULL AND told AND gone AND NOT was_gone),
		       count(*) FILTER (WHERE id IS NOT NULL AND told AND NOT gone AND was_gone),
		       count(*) FILTER (WHERE NOT told)
		FROM difference, LATERAL (SELECT identification_number IS NOT NULL) AS d (told)`
	if _, err := tx.Exec(ctx, before); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, differ); err != nil {
		return nil, err
	}
	e.Withheld = 0
	rows, _ := tx.Query(ctx, withhold, e.AsOf, !e.AsOf.Equal(e.Period), formerNumber, laterEvent, takenBack, maxTold)
	withheld, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r BadRow, err error) {
		err = row.Scan(&r.Line, &r.Reason, &e.Withheld)
		return r, err
	})
	if err != nil {
		return nil, err
	}
	if err := tx.QueryRow(ctx, count).Scan(&e.Added, &e.Changed, &e.Deactivated, &e.Restored, &e.Missing); err != nil {
		return nil, err
	}
	e.Same = e.Announced - e.Rejected - e.Withheld - e.Added - e.Changed
	return withheld, nil
}

// write writes the difference.
func (g *Register) write(ctx context.Context, tx pgx.Tx, e *Edition, at time.Time) error {
	gone, restored, incapable, err := turned(ctx, tx)
	if err != nil {
		return err
	}
	for _, write := range []func(context.Context, pgx.Tx, int64, time.Time) error{history, change, add, miss} {
		if err := write(ctx, tx, e.ID, at); err != nil {
			return err
		}
	}
	if err := call(ctx, tx, g.Cascade, gone, at); err != nil {
		return err
	}
	if err := call(ctx, tx, g.Incapable, incapable, at); err != nil {
		return err
	}
	return call(ctx, tx, g.Restored, restored, at)
}

// turned locks and gives those known people who become gone, those who are found alive, and those who stay and become incapable.
func turned(ctx context.Context, tx pgx.Tx) (gone, restored, incapable []uuid.UUID, err error) {
	const find = `
		SELECT id FROM difference
		WHERE id IS NOT NULL AND identification_number IS NOT NULL AND gone = $1 AND was_gone = NOT $1`
	const found = `
		SELECT id FROM difference
		WHERE id IS NOT NULL AND identification_number IS NOT NULL AND incapable_date IS NOT NULL AND NOT was_incapable AND NOT gone`
	const lock = `SELECT FROM person WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE`
	if gone, err = ids(ctx, tx, find, true); err != nil {
		return nil, nil, nil, err
	}
	if restored, err = ids(ctx, tx, find, false); err != nil {
		return nil, nil, nil, err
	}
	if incapable, err = ids(ctx, tx, found); err != nil {
		return nil, nil, nil, err
	}
	_, err = tx.Exec(ctx, lock, slices.Concat(gone, restored, incapable))
	return gone, restored, incapable, err
}

func ids(ctx context.Context, tx pgx.Tx, query string, args ...any) ([]uuid.UUID, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

// history keeps the citizenships that have ended. Of those that an event has ended there is no edition.
func history(ctx context.Context, tx pgx.Tx, edition int64, at time.Time) error {
	const insert = `
		INSERT INTO former_citizenship (person_id, at, edition_id, citizenship)
		SELECT id, $2, (SELECT id FROM edition WHERE id = $1), was FROM difference WHERE was <> citizenship`
	_, err := tx.Exec(ctx, insert, edition, at)
	return err
}

// change writes those who differ, and only them: a row that stays as it is is neither locked nor logged.
func change(ctx context.Context, tx pgx.Tx, edition int64, _ time.Time) error {
	const update = `
		UPDATE person p SET
			sex = d.sex, birth_date = d.birth_date, citizenship = d.citizenship,
			death_date = d.death_date, death_act = d.death_act,
			declared_dead_date = d.declared_dead_date, declared_dead_act = d.declared_dead_act,
			missing_date = d.missing_date, missing_act = d.missing_act,
			incapable_date = d.incapable_date, incapable_act = d.incapable_act,
			limited_date = d.limited_date, limited_act = d.limited_act,
			deactivated_for = d.deactivated_for,
			changed_in = $1
		FROM difference d
		WHERE p.id = d.id AND d.identification_number IS NOT NULL`
	_, err := tx.Exec(ctx, update, edition)
	return err
}

// add writes those who are new. Their ids are of version 7 (RFC 9562 §5.7), as those of everybody.
func add(ctx context.Context, tx pgx.Tx, edition int64, at time.Time) error {
	const insert = `
		INSERT INTO person (id, changed_in, deactivated_for, ` + rowColumns + `)
		SELECT (left(ms, 8) || '-' || right(ms, 4) || '-7' || substr(gen_random_uuid()::text, 16))::uuid, $1, deactivated_for, ` + rowColumns + `
		FROM difference, LATERAL (SELECT lpad(to_hex($2::bigint), 12, '0')) AS now (ms)
		WHERE id IS NULL`
	_, err := tx.Exec(ctx, insert, edition, at.UnixMilli())
	return err
}

// miss keeps of whom a full edition does not tell.
func miss(ctx context.Context, tx pgx.Tx, edition int64, _ time.Time) error {
	const insert = `
		INSERT INTO missing_person (edition_id, person_id)
		SELECT $1, id FROM difference WHERE identification_number IS NULL`
	_, err := tx.Exec(ctx, insert, edition)
	return err
}

func call(ctx context.Context, tx pgx.Tx, act func(context.Context, pgx.Tx, []uuid.UUID, time.Time) error,
	people []uuid.UUID, at time.Time,
) error {
	if act == nil || len(people) == 0 {
		return nil
	}
	return act(ctx, tx, people, at)
}
