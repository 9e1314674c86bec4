package profile

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/signal"
)

// take takes in what a source says of a person, and tells in the journal what that changed. What is told again changes nothing.
func (s *Sources) take(ctx context.Context, tx pgx.Tx, person uuid.UUID, from Source, a answer, now time.Time) error {
	// Of two sources that answer at once the second one sees what the first one told.
	const hold = `SELECT FROM cabinet WHERE person_id = $1 FOR NO KEY UPDATE`
	const find = `SELECT person_id, source, name, value, at, since FROM profile_value WHERE person_id = $1`

	if _, err := tx.Exec(ctx, hold, person); err != nil {
		return err
	}
	rows, _ := tx.Query(ctx, find, person)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[kept])
	if err != nil {
		return err
	}
	words, err := s.words(found)
	if err != nil {
		return err
	}
	for _, name := range from.Values {
		was, others := apart(words[name], from.Name)
		is := was.followed(Word{Source: from.Name, Value: a.Values[name], At: a.At, Since: now})
		if is == was {
			continue
		}
		if err := s.put(ctx, tx, person, name, is); err != nil {
			return err
		}
		before, after := holds(words[name]), holds(append(others, is))
		if before.Value == after.Value {
			continue
		}
		after.Source = cmp.Or(after.Source, from.Name) // that it is nothing any more is this source's word
		if err := s.tell(ctx, tx, person, name, before.Value, after, now); err != nil {
			return err
		}
	}
	return nil
}

// apart takes the word of one source from those of the others.
func apart(words []Word, source string) (its Word, others []Word) {
	for _, w := range words {
		if w.Source == source {
			its = w
		} else {
			others = append(others, w)
		}
	}
	return its, others
}

func (s *Sources) put(ctx context.Context, tx pgx.Tx, person uuid.UUID, name string, w Word) error {
	const put = `
		INSERT INTO profile_value (person_id, source, name, value, at, since)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (person_id, source, name) DO UPDATE SET value = excluded.value, at = excluded.at, since = excluded.since`
	sealed, err := s.seal(valueAt(person, w.Source, name), w.Value)
	if err == nil {
		_, err = tx.Exec(ctx, put, person, w.Source, name, sealed, w.At, w.Since)
	}
	return err
}

// tell writes that a value changed: into the journal that it did, and beside it, sealed, what it was and is.
func (s *Sources) tell(ctx context.Context, tx pgx.Tx, person uuid.UUID, name, was string, is Word, now time.Time) error {
	const insert = `INSERT INTO profile_change (entry_id, person_id, old, new) VALUES ($1, $2, $3, $4)`
	e := journal.Entry{
		ID: uuid.Must(uuid.NewV7()), Person: person, At: now, Kind: journal.ProfileChanged, Actor: journal.System,
		Detail: map[string]string{"field": name, "source": is.Source},
	}
	old, err := s.seal(changeAt(e.ID, "old"), was)
	if err != nil {
		return err
	}
	fresh, err := s.seal(changeAt(e.ID, "new"), is.Value)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, insert, e.ID, person, old, fresh); err != nil {
		return err
	}
	if err := journal.Append(ctx, tx, []journal.Entry{e}); err != nil {
		return err
	}
	return signal.Tell(ctx, tx, map[uuid.UUID][]string{person: {name}}, now)
}
