package register

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// fill is the first load. The indexes that would be filled in no order are left
// out meanwhile: building them at the end takes a fifth of the time.
func (g *Register) fill(ctx context.Context, tx pgx.Tx, edition int64, f *file, at time.Time) (added int64, err error) {
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
	f.first, f.moment = edition, uint64(at.UnixMilli())<<12
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

// Of a death, a declaration of death or of being missing: that an edition tells it which may be later than what events told, that it is not known,
// and that none of them took just it back; that just it is what the operator took back; and what of it the row takes back.
const (
	ends = `NOT told.later AND p.fact_date IS NULL AND d.fact_date IS NOT NULL
		       AND 'fact ' || d.fact_date || coalesce(' ' || d.fact_act, '') <> ALL (told.took_back)`
	isOver    = `d.fact_date = t.fact_date AND d.fact_act IS NOT DISTINCT FROM t.fact_act`
	takesBack = `CASE WHEN s.fact_date IS NULL THEN 'fact ' || p.fact_date || coalesce(' ' || p.fact_act, '') END`
)

// otherwise tells a row that says of somebody what is not known.
const otherwise = `
	(p.sex, p.birth_date, p.citizenship, p.death_date, p.death_act, p.declared_dead_date, p.declared_dead_act,
	 p.missing_date, p.missing_act, p.incapable_date, p.incapable_act, p.limited_date, p.limited_act)
	IS DISTINCT FROM
	(s.sex, s.birth_date, s.citizenship, s.death_date, s.death_act, s.declared_dead_date, s.declared_dead_act,
	 s.missing_date, s.missing_act, s.incapable_date, s.incapable_act, s.limited_date, s.limited_act)`

// of puts one of the three where a fact stands.
func of(fact, sql string) string { return strings.ReplaceAll(sql, "fact", fact) }

// compare finds in one pass what is told in a table and not known, or known otherwise, or of a full edition known and not told; and counts it.
// All else that there is to do rests on these rows alone. It gives the first of the rows that are withheld, wholly or in part.
func (g *Register) compare(ctx context.Context, tx pgx.Tx, e *Edition, from string) (withheld []BadRow, err error) {
	before := `
		SET LOCAL work_mem = '256MB'; -- so that the join holds much of an edition in memory
		SET LOCAL max_parallel_workers_per_gather = 0; -- the other processors are for whoever signs in meanwhile
		SET LOCAL jit = off; -- to compile these statements takes longer than it saves
		ANALYZE ` + from
	// Whoever stays incapable by the same act stays as deactivated as they were: the operator may have restored them. Why a row is withheld: a
	// number that somebody had before makes nobody new, what the operator took back is over, and what was told of later stays. Whom an edition
	// does not tell of is missing though told of later, unless it cannot have known them by their number. Where it may be the later one of the
	// two, whoever ends by it ends, unless just that was taken back since.
	differ := `
		CREATE TEMPORARY TABLE difference ON COMMIT DROP AS
		SELECT p.id, p.ctid AS place, p.citizenship AS was,
		       coalesce(p.death_date, p.declared_dead_date, p.missing_date) IS NOT NULL OR p.deactivated_for IS NOT NULL AS was_gone,
		       coalesce(s.death_date, s.declared_dead_date, s.missing_date) IS NOT NULL OR stays.deactivated_for IS NOT NULL AS gone,
		       p.incapable_date IS NOT NULL AS was_incapable,
		       stays.deactivated_for,
		       array_remove(ARRAY[` + of("death", takesBack) + `, ` + of("declared_dead", takesBack) + `, ` + of("missing", takesBack) + `], NULL) AS takes_back,
		       CASE WHEN p.id IS NULL AND EXISTS (SELECT FROM former_number WHERE identification_number = s.identification_number) THEN $4 END AS why,
		       false AS in_part, false AS dies, false AS is_declared_dead, false AS goes_missing,
		       s.*
		FROM ` + from + ` s ` + joins[e.Kind] + ` JOIN person p ON p.identification_number = s.identification_number
		CROSS JOIN LATERAL (
			SELECT CASE
				WHEN s.incapable_date IS NULL THEN NULL
				WHEN (p.incapable_date, p.incapable_act) IS NOT DISTINCT FROM (s.incapable_date, s.incapable_act) THEN p.deactivated_for
				WHEN $1 THEN 'incapable' END AS deactivated_for
		) AS stays
		WHERE (s.line IS NULL OR s.sex IS NOT NULL) -- and not mentioned by a bad row
		  AND (p.id IS NULL OR s.identification_number IS NULL OR ` + otherwise + `);
		ANALYZE difference;
		UPDATE difference AS s SET
			why = $5,
			death_date = CASE WHEN over.death THEN p.death_date ELSE s.death_date END,
			death_act = CASE WHEN over.death THEN p.death_act ELSE s.death_act END,
			declared_dead_date = CASE WHEN over.declared_dead THEN p.declared_dead_date ELSE s.declared_dead_date END,
			declared_dead_act = CASE WHEN over.declared_dead THEN p.declared_dead_act ELSE s.declared_dead_act END,
			missing_date = CASE WHEN over.missing THEN p.missing_date ELSE s.missing_date END,
			missing_act = CASE WHEN over.missing THEN p.missing_act ELSE s.missing_act END
		FROM (
			SELECT d.id, bool_or(` + of("death", isOver) + `) AS death,
			       bool_or(` + of("declared_dead", isOver) + `) AS declared_dead,
			       bool_or(` + of("missing", isOver) + `) AS missing
			FROM difference AS d JOIN taken_back AS t ON t.person_id = d.id
			GROUP BY d.id
		) AS over JOIN person AS p ON p.id = over.id
		WHERE over.id = s.id AND (over.death OR over.declared_dead OR over.missing);
		UPDATE difference AS s SET
			gone = coalesce(s.death_date, s.declared_dead_date, s.missing_date) IS NOT NULL OR s.deactivated_for IS NOT NULL,
			in_part = ` + otherwise + `
		FROM person AS p WHERE p.id = s.id AND why = $5;
		UPDATE difference AS d SET
			why = $6,
			in_part = false,
			dies = ` + of("death", ends) + `,
			is_declared_dead = ` + of("declared_dead", ends) + `,
			goes_missing = ` + of("missing", ends) + `
		FROM (
			SELECT person_id, bool_or(at > $3) AS later, bool_or(new_number) AS new_number,
			       coalesce(array_agg(fact) FILTER (WHERE fact IS NOT NULL), '{}') AS took_back
			FROM difference JOIN person_event ON person_id = difference.id LEFT JOIN unnest(person_event.took_back) AS fact ON true
			WHERE at > $2
			GROUP BY person_id
		) AS told JOIN person AS p ON p.id = told.person_id
		WHERE told.person_id = d.id AND (d.line IS NOT NULL OR told.new_number)`
	const part = `
		UPDATE difference AS d SET
			in_part = true,
			sex = p.sex, birth_date = p.birth_date, citizenship = p.citizenship,
			death_date = CASE WHEN dies THEN d.death_date ELSE p.death_date END,
			death_act = CASE WHEN dies THEN d.death_act ELSE p.death_act END,
			declared_dead_date = CASE WHEN is_declared_dead THEN d.declared_dead_date ELSE p.declared_dead_date END,
			declared_dead_act = CASE WHEN is_declared_dead THEN d.declared_dead_act ELSE p.declared_dead_act END,
			missing_date = CASE WHEN goes_missing THEN d.missing_date ELSE p.missing_date END,
			missing_act = CASE WHEN goes_missing THEN d.missing_act ELSE p.missing_act END,
			incapable_date = p.incapable_date, incapable_act = p.incapable_act,
			limited_date = p.limited_date, limited_act = p.limited_act,
			deactivated_for = p.deactivated_for
		FROM person p
		WHERE p.id = d.id AND why = $1 AND (dies OR is_declared_dead OR goes_missing)`
	const tell = `
		SELECT line, why, in_part, count(*) FILTER (WHERE NOT in_part) OVER ()
		FROM difference WHERE why IS NOT NULL AND line IS NOT NULL ORDER BY line LIMIT $1`
	const withhold = `DELETE FROM difference WHERE why IS NOT NULL AND NOT in_part`
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
	// A table is created by the simple protocol alone, where its query has parameters.
	_, err = tx.Exec(ctx, differ, pgx.QueryExecModeSimpleProtocol, g.deactivatesIncapable(), e.NotBefore, e.NotAfter, formerNumber, takenBack, laterEvent)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, part, laterEvent); err != nil {
		return nil, err
	}
	e.Withheld = 0
	rows, _ := tx.Query(ctx, tell, maxTold)
	withheld, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r BadRow, err error) {
		err = row.Scan(&r.Line, &r.Reason, &r.Taken, &e.Withheld)
		return r, err
	})
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, withhold); err != nil {
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
	for _, write := range []func(context.Context, pgx.Tx, *Edition, time.Time) error{history, change, add, miss} {
		if err := write(ctx, tx, e, at); err != nil {
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

// change writes those who differ, and only them: a row that stays as it is is neither locked nor logged. Each is where the comparison has seen it,
// since nobody else changes people meanwhile; PostgreSQL would rather read everybody once more than go there.
func change(ctx context.Context, tx pgx.Tx, e *Edition, _ time.Time) error {
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
		WHERE p.ctid = d.place AND p.id = d.id AND d.identification_number IS NOT NULL`
	const join = `SELECT set_config('enable_hashjoin', $1, true), set_config('enable_mergejoin', $1, true)`
	var (
		b       pgx.Batch
		changed int64
	)
	b.Queue(join, "off")
	b.Queue(update, e.ID).Exec(func(tag pgconn.CommandTag) error { changed = tag.RowsAffected(); return nil })
	b.Queue(join, "on")
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return err
	}
	if changed != e.Changed {
		return fmt.Errorf("%d people were changed, and not %d", changed, e.Changed)
	}
	return nil
}

// add writes those who are new. Their ids are of version 7 (RFC 9562 §5.7), as those of everybody.
func add(ctx context.Context, tx pgx.Tx, e *Edition, at time.Time) error {
	const insert = `
		INSERT INTO person (id, changed_in, deactivated_for, ` + rowColumns + `)
		SELECT (left(ms, 8) || '-' || right(ms, 4) || '-7' || substr(gen_random_uuid()::text, 16))::uuid, $1, deactivated_for, ` + rowColumns + `
		FROM difference, LATERAL (SELECT lpad(to_hex($2::bigint), 12, '0')) AS now (ms)
		WHERE id IS NULL`
	_, err := tx.Exec(ctx, insert, e.ID, at.UnixMilli())
	return err
}

// miss keeps of whom a full edition does not tell.
func miss(ctx context.Context, tx pgx.Tx, e *Edition, _ time.Time) error {
	const insert = `
		INSERT INTO missing_person (edition_id, person_id)
		SELECT $1, id FROM difference WHERE identification_number IS NULL`
	_, err := tx.Exec(ctx, insert, e.ID)
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
