package profile

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/signal"
)

// Apply makes the cabinets of people be as the register says: new ones come into being, not activated, with no
// application and no click (order 82, p. 2 and 6); values are updated; those who are gone are deactivated, and
// restored when that was reversed. What changed for somebody who was known stands in the journal. The same people
// applied again change nothing.
func Apply(ctx context.Context, tx pgx.Tx, people []Person, at time.Time) error {
	if err := stage(ctx, tx, people); err != nil {
		return fmt.Errorf("stage people: %w", err)
	}
	fresh, err := add(ctx, tx, at)
	if err != nil {
		return err
	}
	if len(fresh) < len(people) {
		restored, err := change(ctx, tx, at)
		if err != nil {
			return err
		}
		others, err := add(ctx, tx, at)
		if err != nil {
			return err
		}
		fresh = slices.Concat(fresh, restored, others)
	}
	return Activate(ctx, tx, fresh) // their sign-in may have come before
}

// add makes the cabinets of those who are new here. Whose number is still held by somebody else is left out.
func add(ctx context.Context, tx pgx.Tx, at time.Time) ([]uuid.UUID, error) {
	const insert = `
		INSERT INTO cabinet (person_id, identification_number, state, state_reason, state_at, sex, birth_date,
		                     citizenship, incapable_date, limited_date, updated_at, created_at)
		SELECT id, number, CASE WHEN gone IS NULL THEN 'not_activated' ELSE 'deactivated' END, gone, $1, sex, birth_date,
		       citizenship, incapable, limited, $1, $1
		FROM incoming
		ON CONFLICT DO NOTHING
		RETURNING person_id`
	rows, _ := tx.Query(ctx, insert, at)
	fresh, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("make cabinets: %w", err)
	}
	return fresh, nil
}

// change brings up to date the cabinets of those who were known, and gives who was restored.
func change(ctx context.Context, tx pgx.Tx, at time.Time) ([]uuid.UUID, error) {
	// Cabinets are looked up one by one, and not all of them read for a page of people. And nobody analyses a temporary table by itself: joins
	// over one of unknown size go wrong.
	const prepare = `
		SET LOCAL random_page_cost = 1.1;
		ANALYZE incoming`
	if _, err := tx.Exec(ctx, prepare); err != nil {
		return nil, fmt.Errorf("stage people: %w", err)
	}
	changes, err := compare(ctx, tx, at)
	if err != nil {
		return nil, fmt.Errorf("compare people: %w", err)
	}
	if err := journal.Append(ctx, tx, changes); err != nil {
		return nil, err
	}
	if err := date(ctx, tx, changes, at); err != nil {
		return nil, fmt.Errorf("date changes: %w", err)
	}
	if err := signal.Tell(ctx, tx, altered(changes), at); err != nil {
		return nil, err
	}
	// The register gives a number to one person. Whoever else still holds one of these here holds it no more, and
	// is told the new one by a page of the register yet to come.
	const release = `
		UPDATE cabinet
		SET identification_number = NULL
		FROM incoming
		WHERE cabinet.identification_number = incoming.number AND cabinet.person_id <> incoming.id`
	if _, err := tx.Exec(ctx, release); err != nil {
		return nil, fmt.Errorf("release numbers: %w", err)
	}
	const update = `
		WITH updated AS (
			UPDATE cabinet
			SET identification_number = i.number, sex = i.sex, birth_date = i.birth_date, citizenship = i.citizenship,
			    incapable_date = i.incapable, limited_date = i.limited, updated_at = $1,
			    state = CASE WHEN i.gone IS NOT NULL THEN 'deactivated'
			                 WHEN state = 'deactivated' THEN 'not_activated'
			                 ELSE state END,
			    state_reason = i.gone,
			    state_at = CASE WHEN (state = 'deactivated') = (i.gone IS NULL) THEN $1 ELSE state_at END
			FROM incoming AS i
			WHERE person_id = i.id
			  AND (identification_number, cabinet.sex, cabinet.birth_date, cabinet.citizenship, incapable_date, limited_date, state_reason)
			      IS DISTINCT FROM (i.number, i.sex, i.birth_date, i.citizenship, i.incapable, i.limited, i.gone)
			RETURNING person_id, state, state_at
		)
		SELECT person_id FROM updated WHERE state = 'not_activated' AND state_at = $1`
	rows, _ := tx.Query(ctx, update, at)
	restored, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("update cabinets: %w", err)
	}
	return restored, nil
}

// stage copies people into a table of the transaction's own.
func stage(ctx context.Context, tx pgx.Tx, people []Person) error {
	const create = `
		CREATE TEMP TABLE IF NOT EXISTS incoming (
			id          uuid PRIMARY KEY,
			number      text COLLATE "C" NOT NULL,
			sex         text NOT NULL,
			birth_date  text COLLATE "C" NOT NULL,
			citizenship text COLLATE "C" NOT NULL,
			gone        text,
			incapable   date,
			limited     date
		) ON COMMIT DELETE ROWS`
	if _, err := tx.Exec(ctx, create); err != nil {
		return err
	}
	columns := []string{"id", "number", "sex", "birth_date", "citizenship", "gone", "incapable", "limited"}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"incoming"}, columns, pgx.CopyFromSlice(len(people), func(i int) ([]any, error) {
		p := people[i]
		var gone *string
		if p.Gone != "" {
			gone = (*string)(&p.Gone)
		}
		return []any{p.ID, p.Number, p.Sex, p.BirthDate, p.Citizenship, gone, p.Incapable, p.Limited}, nil
	}))
	return err
}

// compare gives an entry for each value that will change for somebody known.
func compare(ctx context.Context, tx pgx.Tx, at time.Time) ([]journal.Entry, error) {
	const compare = `
		SELECT person_id, value.field, coalesce(value.old, ''), coalesce(value.new, '')
		FROM cabinet
		JOIN incoming AS i ON i.id = person_id
		CROSS JOIN LATERAL (VALUES
			('identification_number', identification_number, i.number),
			('sex',                   cabinet.sex,           i.sex),
			('birth_date',            cabinet.birth_date,    i.birth_date),
			('citizenship',           cabinet.citizenship,   i.citizenship),
			('incapable',             incapable_date::text,  i.incapable::text),
			('limited',               limited_date::text,    i.limited::text),
			('gone',                  state_reason,          i.gone)
		) AS value (field, old, new)
		WHERE value.old IS DISTINCT FROM value.new`
	rows, err := tx.Query(ctx, compare)
	if err != nil {
		return nil, err
	}
	var (
		entries           []journal.Entry
		person            uuid.UUID
		field, old, fresh string
	)
	_, err = pgx.ForEachRow(rows, []any{&person, &field, &old, &fresh}, func() error {
		e := journal.Entry{Person: person, At: at, Actor: journal.System}
		switch {
		case field != "gone":
			e.Kind, e.Detail = journal.ProfileChanged, map[string]string{"field": field, "old": old, "new": fresh}
		case fresh == "":
			e.Kind = journal.CabinetRestored
		default:
			e.Kind, e.Detail = journal.CabinetDeactivated, map[string]string{"reason": fresh}
		}
		entries = append(entries, e)
		return nil
	})
	return entries, err
}

// date keeps when values changed, beside them.
func date(ctx context.Context, tx pgx.Tx, changes []journal.Entry, at time.Time) error {
	const date = `
		UPDATE cabinet
		SET changed_at = changed_at || changed.at
		FROM (
			SELECT person_id, jsonb_object_agg(field, $3::timestamptz) AS at
			FROM unnest($1::uuid[], $2::text[]) AS change (person_id, field)
			GROUP BY person_id
		) AS changed
		WHERE cabinet.person_id = changed.person_id`
	var (
		people []uuid.UUID
		fields []string
	)
	for _, e := range changes {
		if e.Kind == journal.ProfileChanged {
			people, fields = append(people, e.Person), append(fields, e.Detail["field"])
		}
	}
	if len(people) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, date, people, fields, at)
	return err
}

// members are what the API calls the values that the journal calls otherwise.
var members = map[string]string{"identification_number": "sub", "incapable": "incapable_since", "limited": "limited_since"}

// altered are the people whose official values change, and which those are, as e-services read them.
func altered(changes []journal.Entry) map[uuid.UUID][]string {
	fields := map[uuid.UUID][]string{}
	for _, e := range changes {
		if e.Kind == journal.ProfileChanged {
			field := e.Detail["field"]
			fields[e.Person] = append(fields[e.Person], cmp.Or(members[field], field))
		}
	}
	return fields
}
