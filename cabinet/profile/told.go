package profile

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/signal"
)

// A Value is one that holds, with who says it and how fresh it is.
type Value struct {
	Name string
	Word
	Silent *time.Time // since when its source has not answered; nil while it does
}

// Told is what other systems have told of a citizen.
type Told struct {
	Values []Value              // in the order of Names
	Heard  map[string]time.Time // when a source answered last
	Silent map[string]time.Time // since when a source has not answered
}

// Format keeps it out of texts.
func (Told) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "what other systems told") }

// kept is a Word as it lies in the database, beside when its source was heard.
type kept struct {
	PersonID    uuid.UUID
	Source      string
	AnsweredAt  *time.Time
	SilentSince *time.Time
	Name        *string // nil where the source has told nothing yet
	Value       []byte  // sealed; nil where it knows none
	At, Since   *time.Time
}

const told = `
	SELECT refresh.person_id, source, answered_at, silent_since, name, value, at, since
	FROM refresh LEFT JOIN profile_value USING (person_id, source)
	WHERE person_id = (SELECT person_id FROM cabinet WHERE identification_number = $1)`

// Queue asks what was told of a citizen, as one part of a batch.
func (s Sources) Queue(b *pgx.Batch, subject string, to *Told) {
	b.Queue(told, subject).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[kept])
		if err == nil {
			*to, err = s.read(found)
		}
		if err != nil {
			return fmt.Errorf("find what other systems told: %w", err)
		}
		return nil
	})
}

// read opens all words and takes those that hold.
func (s Sources) read(found []kept) (t Told, err error) {
	t = Told{Heard: map[string]time.Time{}, Silent: map[string]time.Time{}}
	for _, k := range found {
		if k.AnsweredAt != nil {
			t.Heard[k.Source] = *k.AnsweredAt
		}
		if k.SilentSince != nil {
			t.Silent[k.Source] = *k.SilentSince
		}
	}
	words, err := s.words(found)
	if err != nil {
		return Told{}, err
	}
	for _, name := range Names {
		if w := holds(words[name]); w.Value != "" {
			v := Value{Name: name, Word: w}
			if since, silent := t.Silent[w.Source]; silent {
				v.Silent = &since
			}
			t.Values = append(t.Values, v)
		}
	}
	return t, nil
}

// words opens them, by the name of the value.
func (s Sources) words(found []kept) (map[string][]Word, error) {
	all := map[string][]Word{}
	for _, k := range found {
		if k.Name == nil {
			continue
		}
		value, err := s.open(valueAt(k.PersonID, k.Source, *k.Name), k.Value)
		if err != nil {
			return nil, err
		}
		all[*k.Name] = append(all[*k.Name], Word{Source: k.Source, Value: value, At: *k.At, Since: *k.Since})
	}
	return all, nil
}

// take takes in what a source says of a person, and tells in the journal what that changed. What is told again changes nothing.
func (s Sources) take(ctx context.Context, tx pgx.Tx, person uuid.UUID, from Source, a answer, now time.Time) error {
	// Of two sources that answer at once the second one sees what the first one told.
	const hold = `SELECT FROM cabinet WHERE person_id = $1 FOR NO KEY UPDATE`
	const find = `
		SELECT person_id, source, NULL::timestamptz AS answered_at, NULL::timestamptz AS silent_since, name, value, at, since
		FROM profile_value
		WHERE person_id = $1`

	if _, err := tx.Exec(ctx, hold, person); err != nil {
		return err
	}
	rows, _ := tx.Query(ctx, find, person)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[kept])
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

func (s Sources) put(ctx context.Context, tx pgx.Tx, person uuid.UUID, name string, w Word) error {
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
func (s Sources) tell(ctx context.Context, tx pgx.Tx, person uuid.UUID, name, was string, is Word, now time.Time) error {
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

// A History is what values were and what they became, by the entry of the journal that tells of the change.
type History map[uuid.UUID]Change

// A Change of a value; "" is none.
type Change struct{ Old, New string }

const changes = `
	SELECT entry_id, old, new FROM profile_change
	WHERE person_id = (SELECT person_id FROM cabinet WHERE identification_number = $1)`

// QueueHistory asks how the values that other systems told of a citizen have changed, as one part of a batch.
func (s Sources) QueueHistory(b *pgx.Batch, subject string, to *History) {
	b.Queue(changes, subject).Query(func(rows pgx.Rows) error {
		var (
			all        = History{}
			entry      uuid.UUID
			old, fresh []byte
		)
		_, err := pgx.ForEachRow(rows, []any{&entry, &old, &fresh}, func() (err error) {
			var c Change
			if c.Old, err = s.open(changeAt(entry, "old"), old); err == nil {
				c.New, err = s.open(changeAt(entry, "new"), fresh)
			}
			all[entry] = c
			return err
		})
		if err != nil {
			return fmt.Errorf("find how values changed: %w", err)
		}
		*to = all
		return nil
	})
}

// Tell has entries say what was and what is, as those of the register's values do by themselves.
func (h History) Tell(entries []journal.Entry) {
	for _, e := range entries {
		if c, ok := h[e.ID]; ok {
			e.Detail["old"], e.Detail["new"] = c.Old, c.New
		}
	}
}

func valueAt(person uuid.UUID, source, name string) string {
	return "profile_value:value:" + person.String() + ":" + source + ":" + name
}

func changeAt(entry uuid.UUID, column string) string {
	return "profile_change:" + column + ":" + entry.String()
}

func (s Sources) seal(place, plain string) ([]byte, error) {
	if plain == "" {
		return nil, nil
	}
	return s.Box.Seal(place, []byte(plain))
}

func (s Sources) open(place string, sealed []byte) (string, error) {
	if sealed == nil {
		return "", nil
	}
	plain, err := s.Box.Open(place, sealed)
	return string(plain), err
}
