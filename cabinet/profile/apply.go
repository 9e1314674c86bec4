package profile

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/access"
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
	d, err := compare(ctx, tx, at)
	if err != nil {
		return fmt.Errorf("compare people: %w", err)
	}
	if err := journal.AppendInPlace(ctx, tx, d.changes); err != nil {
		return err
	}
	if err := signal.Tell(ctx, tx, altered(d.changes), at); err != nil {
		return err
	}
	released, err := release(ctx, tx, d.numbered)
	if err != nil {
		return err
	}
	if err := access.EndNumbers(ctx, tx, append(released, d.former...), at); err != nil {
		return err
	}
	restored, err := change(ctx, tx, d.changes, at)
	if err != nil {
		return err
	}
	if err := add(ctx, tx, d.fresh, at); err != nil {
		return err
	}
	lapsed, err := lapse(ctx, tx, at)
	if err != nil {
		return err
	}
	return Activate(ctx, tx, slices.Concat(restored, d.fresh, lapsed)) // their sign-in may have come before
}

// release takes the numbers that some have now from whoever else still holds them here: the register gives a number to one person. They hold
// none, and are told the new one by a page of the register yet to come. It gives which those are.
func release(ctx context.Context, tx pgx.Tx, numbered []uuid.UUID) ([]string, error) {
	const release = `
		UPDATE cabinet
		SET identification_number = NULL
		FROM incoming
		WHERE incoming.id = ANY ($1) AND cabinet.identification_number = incoming.number AND cabinet.person_id <> incoming.id
		RETURNING incoming.number`
	if len(numbered) == 0 {
		return nil, nil
	}
	rows, _ := tx.Query(ctx, release, numbered)
	released, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("release numbers: %w", err)
	}
	return released, nil
}

// add makes the cabinets of those who are new here.
func add(ctx context.Context, tx pgx.Tx, fresh []uuid.UUID, at time.Time) error {
	const insert = `
		INSERT INTO cabinet (person_id, identification_number, state, state_reason, state_at, sex, birth_date,
		                     citizenship, incapable_date, limited_date, updated_at, created_at)
		SELECT id, number, CASE WHEN gone IS NULL THEN 'not_activated' ELSE 'deactivated' END, gone, $2, sex, birth_date,
		       citizenship, incapable, limited, $2, $2
		FROM incoming
		WHERE id = ANY ($1)`
	if len(fresh) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, insert, fresh, at); err != nil {
		return fmt.Errorf("make cabinets: %w", err)
	}
	return nil
}

// change brings up to date the cabinets of those who were known, with when which value changed, and gives who was restored.
func change(ctx context.Context, tx pgx.Tx, changes []journal.Entry, at time.Time) ([]uuid.UUID, error) {
	const update = `
		WITH updated AS (
			UPDATE cabinet
			SET identification_number = i.number, sex = i.sex, birth_date = i.birth_date, citizenship = i.citizenship,
			    incapable_date = i.incapable, limited_date = i.limited, updated_at = $1,
			    state = CASE WHEN i.gone IS NOT NULL THEN 'deactivated'
			                 WHEN state = 'deactivated' THEN 'not_activated'
			                 ELSE state END,
			    state_reason = i.gone,
			    state_at = CASE WHEN (state = 'deactivated') = (i.gone IS NULL) THEN $1 ELSE state_at END,
			    changed_at = changed_at || changed.at
			FROM incoming AS i
			JOIN (
				SELECT person_id, coalesce(jsonb_object_agg(field, $1::timestamptz) FILTER (WHERE field <> ''), '{}') AS at
				FROM unnest($2::uuid[], $3::text[]) AS change (person_id, field)
				GROUP BY person_id
			) AS changed ON changed.person_id = i.id
			WHERE cabinet.person_id = i.id
			RETURNING cabinet.person_id, state, state_at
		)
		SELECT person_id FROM updated WHERE state = 'not_activated' AND state_at = $1`
	if len(changes) == 0 {
		return nil, nil
	}
	people, fields := make([][16]byte, len(changes)), make([]string, len(changes))
	for i, e := range changes {
		people[i], fields[i] = e.Person, e.Detail["field"]
	}
	rows, _ := tx.Query(ctx, update, at, people, fields)
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
	// Cabinets are looked up one by one, and not all of them read for a page of people. And nobody analyses a temporary table by itself: joins
	// over one of unknown size go wrong.
	const prepare = `
		SET LOCAL random_page_cost = 1.1;
		ANALYZE incoming`
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
		return []any{[16]byte(p.ID), p.Number, p.Sex, p.BirthDate, p.Citizenship, gone, p.Incapable, p.Limited}, nil
	}))
	if err == nil {
		_, err = tx.Exec(ctx, prepare)
	}
	return err
}

// A difference is what people are otherwise than their cabinets.
type difference struct {
	fresh    []uuid.UUID     // who has none yet
	numbered []uuid.UUID     // who has another number than here, or is new
	former   []string        // the numbers of those who have another one now
	changes  []journal.Entry // one for each value that will change for somebody known
}

func compare(ctx context.Context, tx pgx.Tx, at time.Time) (d difference, err error) {
	const compare = `
		SELECT i.id, person_id IS NULL, value.field, coalesce(value.old, ''), coalesce(value.new, '')
		FROM incoming AS i
		LEFT JOIN cabinet ON person_id = i.id
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
		return difference{}, err
	}
	var (
		person           uuid.UUID
		fresh            bool
		field, old, told string
		into             = []any{(*[16]byte)(&person), &fresh, &field, &old, &told} // into a uuid.UUID pgx reads by way of its text
	)
	_, err = pgx.ForEachRow(rows, into, func() error {
		if field == "identification_number" {
			d.numbered = append(d.numbered, person)
			if fresh {
				d.fresh = append(d.fresh, person)
			}
			if old != "" {
				d.former = append(d.former, old)
			}
		}
		if fresh {
			return nil
		}
		e := journal.Entry{Person: person, At: at, Actor: journal.System}
		switch {
		case field != "gone":
			e.Kind, e.Detail = journal.ProfileChanged, map[string]string{"field": field, "old": old, "new": told}
		case told == "":
			e.Kind = journal.CabinetRestored
		default:
			e.Kind, e.Detail = journal.CabinetDeactivated, map[string]string{"reason": told}
		}
		d.changes = append(d.changes, e)
		return nil
	})
	return d, err
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
