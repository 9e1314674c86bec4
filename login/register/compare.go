package register

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// compare finds what is told in a table and not known, or known otherwise, or of a full edition known and not told; and counts it. That is the table
// difference, on which alone rests all else that there is to do. It gives the first of the rows that are withheld, wholly or in part.
func (g *Register) compare(ctx context.Context, tx pgx.Tx, e *Edition, from string) (withheld []BadRow, err error) {
	prepare := `
		SET LOCAL work_mem = '256MB'; -- so that the join holds much of an edition in memory
		SET LOCAL max_parallel_workers_per_gather = 0; -- the other processors are for whoever signs in meanwhile
		SET LOCAL jit = off; -- to compile these statements takes longer than it saves
		ANALYZE ` + from
	if _, err := tx.Exec(ctx, prepare); err != nil {
		return nil, err
	}
	// One trip, by the simple protocol: by it alone a table is created where its query has parameters.
	_, err = tx.Exec(ctx, differ(from, e.Kind)+leaveTakenBack()+leaveOvertaken(), pgx.QueryExecModeSimpleProtocol,
		g.deactivatesIncapable(), e.NotBefore, e.NotAfter, formerNumber, takenBack, laterEvent)
	if err != nil {
		return nil, err
	}
	if withheld, err = tellWithheld(ctx, tx, e); err != nil {
		return nil, err
	}
	return withheld, count(ctx, tx, e)
}

// joins are how the staged rows meet those who are known: of a full edition also those are looked at of whom it does not tell.
var joins = map[Kind]string{Full: "FULL", Delta: "LEFT"}

// otherwise tells a row that says of somebody what is not known.
const otherwise = `
	(p.sex, p.birth_date, p.citizenship, p.death_date, p.death_act, p.declared_dead_date, p.declared_dead_act,
	 p.missing_date, p.missing_act, p.incapable_date, p.incapable_act, p.limited_date, p.limited_act)
	IS DISTINCT FROM
	(s.sex, s.birth_date, s.citizenship, s.death_date, s.death_act, s.declared_dead_date, s.declared_dead_act,
	 s.missing_date, s.missing_act, s.incapable_date, s.incapable_act, s.limited_date, s.limited_act)`

// each says the same of a death, of a declaration of death and of being missing, in the place of fact.
func each(sql, between string) string {
	var all []string
	for _, fact := range []string{"death", "declared_dead", "missing"} {
		all = append(all, strings.ReplaceAll(sql, "fact", fact))
	}
	return strings.Join(all, between)
}

// isGone tells whether what a row tells ends what its person may do.
func isGone(row, deactivatedFor string) string {
	return `(` + each(row+`.fact_date IS NOT NULL`, ` OR `) + ` OR ` + deactivatedFor + ` IS NOT NULL)`
}

// differ makes the table difference, in one pass: of each person who is known, new or not told the row as it is told, with what there was.
func differ(from string, kind Kind) string {
	// Whoever stays incapable by the same act stays as deactivated as they were: the operator may have restored them. A number that somebody had
	// before makes nobody new.
	return `
		CREATE TEMPORARY TABLE difference ON COMMIT DROP AS
		SELECT p.id, p.ctid AS place, p.citizenship AS was,
		       ` + isGone("p", "p.deactivated_for") + ` AS was_gone,
		       ` + isGone("s", "stays.deactivated_for") + ` AS gone,
		       p.incapable_date IS NOT NULL AS was_incapable,
		       stays.deactivated_for,
		       array_remove(ARRAY[` + each(`CASE WHEN s.fact_date IS NULL THEN 'fact ' || p.fact_date || coalesce(' ' || p.fact_act, '') END`, `, `) + `], NULL) AS takes_back,
		       CASE WHEN p.id IS NULL AND EXISTS (SELECT FROM former_number WHERE identification_number = s.identification_number) THEN $4 END AS why,
		       false AS in_part, ` + each(`false AS by_fact`, `, `) + `,
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
		ANALYZE difference;`
}

// leaveTakenBack leaves as it is of each what the operator took back, and is told still. All else of their rows is taken.
func leaveTakenBack() string {
	return `
		UPDATE difference AS s SET
			why = $5,
			` + each(`
			fact_date = CASE WHEN is_over.fact THEN p.fact_date ELSE s.fact_date END,
			fact_act = CASE WHEN is_over.fact THEN p.fact_act ELSE s.fact_act END`, `,`) + `
		FROM (
			SELECT d.id, ` + each(`bool_or(d.fact_date = t.fact_date AND d.fact_act IS NOT DISTINCT FROM t.fact_act) AS fact`, `, `) + `
			FROM difference AS d JOIN taken_back AS t ON t.person_id = d.id
			GROUP BY d.id
		) AS is_over JOIN person AS p ON p.id = is_over.id
		WHERE is_over.id = s.id AND (` + each(`is_over.fact`, ` OR `) + `);
		UPDATE difference AS s SET gone = ` + isGone("s", "s.deactivated_for") + `, in_part = ` + otherwise + `
		FROM person AS p WHERE p.id = s.id AND why = $5;`
}

// leaveOvertaken leaves as they are those of whom an event has told that may be the later one of the two. Where the edition may be, whoever ends by
// it ends, unless just that was taken back since. Whom an edition does not tell of is missing though told of later, unless it cannot have known them
// by their number.
func leaveOvertaken() string {
	return `
		UPDATE difference AS d SET
			why = $6,
			in_part = false,
			` + each(`
			by_fact = NOT told.later AND p.fact_date IS NULL AND d.fact_date IS NOT NULL
				AND 'fact ' || d.fact_date || coalesce(' ' || d.fact_act, '') <> ALL (told.took_back)`, `,`) + `
		FROM (
			SELECT person_id, bool_or(at > $3) AS later, bool_or(new_number) AS new_number,
			       coalesce(array_agg(taken) FILTER (WHERE taken IS NOT NULL), '{}') AS took_back
			FROM difference JOIN person_event ON person_id = difference.id LEFT JOIN unnest(person_event.took_back) AS taken ON true
			WHERE at > $2
			GROUP BY person_id
		) AS told JOIN person AS p ON p.id = told.person_id
		WHERE told.person_id = d.id AND (d.line IS NOT NULL OR told.new_number);
		UPDATE difference AS d SET
			in_part = true,
			sex = p.sex, birth_date = p.birth_date, citizenship = p.citizenship,
			` + each(`
			fact_date = CASE WHEN by_fact THEN d.fact_date ELSE p.fact_date END,
			fact_act = CASE WHEN by_fact THEN d.fact_act ELSE p.fact_act END`, `,`) + `,
			incapable_date = p.incapable_date, incapable_act = p.incapable_act,
			limited_date = p.limited_date, limited_act = p.limited_act,
			deactivated_for = p.deactivated_for
		FROM person p
		WHERE p.id = d.id AND why = $6 AND (` + each(`by_fact`, ` OR `) + `)`
}

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
