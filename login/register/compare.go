package register

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// compare finds what is told in a table and not known, or known otherwise, or of a full edition known and not told; and counts it. That is the table
// difference, on which alone rests all else that there is to do. It gives the first of the rows that are withheld, wholly or in part.
func (g *Register) compare(ctx context.Context, tx pgx.Tx, e *Edition, from string) (withheld []BadRow, err error) {
	// By the simple protocol alone a table is created where its query has parameters.
	if _, err := tx.Exec(ctx, differ(from, e.Kind), pgx.QueryExecModeSimpleProtocol, g.deactivatesIncapable()); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, leave, e.NotBefore, e.NotAfter); err != nil {
		return nil, err
	}
	if withheld, err = tellWithheld(ctx, tx, e); err != nil {
		return nil, err
	}
	return withheld, count(ctx, tx, e)
}

// joins are how the staged rows meet those who are known: of a full edition also those are looked at of whom it does not tell.
var joins = map[Kind]string{Full: "FULL", Delta: "LEFT"}

// otherwise tells a row s that says of somebody what is not known, and asTold has it known.
const (
	otherwise = `
		(p.sex, p.birth_date, p.citizenship, p.death_date, p.death_act, p.declared_dead_date, p.declared_dead_act,
		 p.missing_date, p.missing_act, p.incapable_date, p.incapable_act, p.limited_date, p.limited_act)
		IS DISTINCT FROM
		(s.sex, s.birth_date, s.citizenship, s.death_date, s.death_act, s.declared_dead_date, s.declared_dead_act,
		 s.missing_date, s.missing_act, s.incapable_date, s.incapable_act, s.limited_date, s.limited_act)`
	asTold = `
		sex = s.sex, birth_date = s.birth_date, citizenship = s.citizenship,
		death_date = s.death_date, death_act = s.death_act,
		declared_dead_date = s.declared_dead_date, declared_dead_act = s.declared_dead_act,
		missing_date = s.missing_date, missing_act = s.missing_act,
		incapable_date = s.incapable_date, incapable_act = s.incapable_act,
		limited_date = s.limited_date, limited_act = s.limited_act,
		deactivated_for = s.deactivated_for`
)

// differ makes the table difference, in one pass: of each person who is known, new or not told the row as it is told, with what there was.
func differ(from string, kind Kind) string {
	// Whoever stays incapable by the same act stays as deactivated as they were: the operator may have restored them. A number that somebody had
	// before makes nobody new.
	return `
		SET LOCAL work_mem = '256MB'; -- so that the join holds much of an edition in memory
		SET LOCAL max_parallel_workers_per_gather = 0; -- the other processors are for whoever signs in meanwhile
		SET LOCAL jit = off; -- to compile these statements takes longer than it saves
		ANALYZE ` + from + `;
		CREATE TEMPORARY TABLE difference ON COMMIT DROP AS
		SELECT p.id, p.ctid AS place, p.citizenship AS was, p.incapable_date IS NOT NULL AS was_incapable,
		       num_nonnulls(p.death_date, p.declared_dead_date, p.missing_date, p.deactivated_for) > 0 AS was_gone,
		       num_nonnulls(s.death_date, s.declared_dead_date, s.missing_date, stays.deactivated_for) > 0 AS gone,
		       stays.deactivated_for,
		       CASE WHEN p.id IS NULL AND EXISTS (SELECT FROM former_number WHERE identification_number = s.identification_number) THEN '` + formerNumber + `' END AS why,
		       false AS in_part,
		       s.*
		FROM ` + from + ` s ` + joins[kind] + ` JOIN person p ON p.identification_number = s.identification_number
		CROSS JOIN LATERAL (
			SELECT CASE
				WHEN s.incapable_date IS NULL THEN NULL
				WHEN (p.incapable_date, p.incapable_act) IS NOT DISTINCT FROM (s.incapable_date, s.incapable_act) THEN p.deactivated_for
				WHEN $1 THEN 'incapable' END AS deactivated_for
		) AS stays
		WHERE (s.line IS NULL OR s.sex IS NOT NULL) -- and not mentioned by a bad row
		  AND (p.id IS NULL OR s.identification_number IS NULL OR ` + otherwise + `);
		ANALYZE difference`
}

// ending is the text of what ends somebody by a row, by which it is known again once it was taken back; NULL where that fact does not hold.
func ending(fact, row string) string {
	return fmt.Sprintf(`'%[1]s ' || %[2]s.%[1]s_date || coalesce(' ' || %[2]s.%[1]s_act, '')`, fact, row)
}

// leave leaves as it is what the operator took back, and is told still; and all of those of whom an event has told that may be the later one of the
// two. Where the edition may be, whoever ends by it ends, unless just that was taken back since. Whom an edition does not tell of is missing though
// told of later, unless it cannot have known them by their number.
var leave = `
	WITH since AS (
		SELECT person_id, NULL::timestamptz AS at, false AS new_number,
		       ARRAY[` + ending("death", "t") + `, ` + ending("declared_dead", "t") + `, ` + ending("missing", "t") + `] AS took_back
		FROM taken_back AS t
		UNION ALL
		SELECT person_id, at, new_number, took_back FROM person_event WHERE at > $1
	), more AS (
		SELECT person_id, count(at) > 0 AS overtaken, coalesce(bool_or(at > $2), false) AS later, bool_or(new_number) AS new_number,
		       array_agg(fact) AS taken_back
		FROM difference JOIN since ON person_id = id LEFT JOIN unnest(took_back) AS fact ON true
		GROUP BY person_id
	), settled AS (
		SELECT id, overtaken,
		       CASE WHEN overtaken THEN p.sex ELSE d.sex END AS sex,
		       CASE WHEN overtaken THEN p.birth_date ELSE d.birth_date END AS birth_date,
		       CASE WHEN overtaken THEN p.citizenship ELSE d.citizenship END AS citizenship,
		       CASE WHEN 'death' = ANY (kept) THEN p.death_date ELSE d.death_date END AS death_date,
		       CASE WHEN 'death' = ANY (kept) THEN p.death_act ELSE d.death_act END AS death_act,
		       CASE WHEN 'declared_dead' = ANY (kept) THEN p.declared_dead_date ELSE d.declared_dead_date END AS declared_dead_date,
		       CASE WHEN 'declared_dead' = ANY (kept) THEN p.declared_dead_act ELSE d.declared_dead_act END AS declared_dead_act,
		       CASE WHEN 'missing' = ANY (kept) THEN p.missing_date ELSE d.missing_date END AS missing_date,
		       CASE WHEN 'missing' = ANY (kept) THEN p.missing_act ELSE d.missing_act END AS missing_act,
		       CASE WHEN overtaken THEN p.incapable_date ELSE d.incapable_date END AS incapable_date,
		       CASE WHEN overtaken THEN p.incapable_act ELSE d.incapable_act END AS incapable_act,
		       CASE WHEN overtaken THEN p.limited_date ELSE d.limited_date END AS limited_date,
		       CASE WHEN overtaken THEN p.limited_act ELSE d.limited_act END AS limited_act,
		       CASE WHEN overtaken THEN p.deactivated_for ELSE d.deactivated_for END AS deactivated_for
		FROM more JOIN difference AS d ON d.id = person_id JOIN person AS p USING (id)
		CROSS JOIN LATERAL (
			SELECT ARRAY (
				SELECT fact
				FROM (VALUES
					('death', ` + ending("death", "d") + `, p.death_date),
					('declared_dead', ` + ending("declared_dead", "d") + `, p.declared_dead_date),
					('missing', ` + ending("missing", "d") + `, p.missing_date)
				) AS ends (fact, told, known)
				WHERE told = ANY (taken_back)
				   OR overtaken AND (later OR known IS NOT NULL)
			) AS kept
		) AS ends
		WHERE CASE WHEN overtaken THEN line IS NOT NULL OR new_number ELSE kept <> '{}' END
	)
	UPDATE difference AS d SET
		why = CASE WHEN overtaken THEN '` + laterEvent + `' ELSE '` + takenBack + `' END,
		in_part = ` + otherwise + `,
		gone = num_nonnulls(s.death_date, s.declared_dead_date, s.missing_date, s.deactivated_for) > 0,
		` + asTold + `
	FROM settled AS s JOIN person AS p USING (id)
	WHERE s.id = d.id`

// tellWithheld counts the rows of which nothing is taken, which are no difference any more, and gives the first that are withheld.
func tellWithheld(ctx context.Context, tx pgx.Tx, e *Edition) ([]BadRow, error) {
	const tell = `
		SELECT line, why, in_part, count(*) FILTER (WHERE NOT in_part) OVER ()
		FROM difference WHERE why IS NOT NULL AND line IS NOT NULL ORDER BY line LIMIT $1`
	const withhold = `DELETE FROM difference WHERE why IS NOT NULL AND line IS NOT NULL AND NOT in_part`
	e.Withheld = 0
	rows, _ := tx.Query(ctx, tell, maxTold)
	withheld, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r BadRow, err error) {
		err = row.Scan(&r.Line, &r.Reason, &r.Taken, &e.Withheld)
		return r, err
	})
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, withhold)
	return withheld, err
}

// count counts the difference.
func count(ctx context.Context, tx pgx.Tx, e *Edition) error {
	const count = `
		SELECT count(*) FILTER (WHERE id IS NULL),
		       count(*) FILTER (WHERE id IS NOT NULL AND told),
		       count(*) FILTER (WHERE id IS NOT NULL AND told AND gone AND NOT was_gone),
		       count(*) FILTER (WHERE id IS NOT NULL AND told AND NOT gone AND was_gone),
		       count(*) FILTER (WHERE NOT told AND why IS NULL)
		FROM difference, LATERAL (SELECT identification_number IS NOT NULL) AS d (told)`
	if err := tx.QueryRow(ctx, count).Scan(&e.Added, &e.Changed, &e.Deactivated, &e.Restored, &e.Missing); err != nil {
		return err
	}
	e.Same = e.Announced - e.Rejected - e.Withheld - e.Added - e.Changed
	return nil
}
