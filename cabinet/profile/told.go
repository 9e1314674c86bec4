package profile

import (
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
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
	Silent map[string]time.Time // since when a source that is asked still has not answered
	Asked  map[string]Asked     // when a source was asked last
}

// Asked is when a source was told whom it is asked about, and on which occasion.
type Asked struct {
	At  time.Time
	For Occasion
}

// Format keeps it out of texts.
func (Told) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "what other systems told") }

// kept is a Word as it lies in the database, beside when its source was heard.
type kept struct {
	PersonID    uuid.UUID
	Source      string
	AnsweredAt  *time.Time
	SilentSince *time.Time
	AskedAt     *time.Time
	AskedFor    *Occasion
	Name        *string // nil where the source has told nothing yet
	Value       []byte  // sealed; nil where it knows none
	At, Since   *time.Time
}

const told = `
	SELECT refresh.person_id, source, answered_at, silent_since, asked_at, asked_for, name, value, at, since
	FROM refresh LEFT JOIN profile_value USING (person_id, source)
	WHERE person_id = (SELECT person_id FROM cabinet WHERE identification_number = $1)`

// Queue asks what was told of a citizen, as one part of a batch.
func (s *Sources) Queue(b *pgx.Batch, subject string, to *Told) {
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
func (s *Sources) read(found []kept) (t Told, err error) {
	t = Told{Heard: map[string]time.Time{}, Silent: map[string]time.Time{}, Asked: map[string]Asked{}}
	for _, k := range found {
		if k.AnsweredAt != nil {
			t.Heard[k.Source] = *k.AnsweredAt
		}
		if k.SilentSince != nil && s.Find(k.Source).InForce {
			t.Silent[k.Source] = *k.SilentSince
		}
		if k.AskedAt != nil && k.AskedFor != nil {
			t.Asked[k.Source] = Asked{*k.AskedAt, *k.AskedFor}
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
func (s *Sources) words(found []kept) (map[string][]Word, error) {
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

func valueAt(person uuid.UUID, source, name string) string {
	return "profile_value:value:" + person.String() + ":" + source + ":" + name
}

func (s *Sources) seal(place, plain string) ([]byte, error) {
	if plain == "" {
		return nil, nil
	}
	return s.Box.Seal(place, []byte(plain))
}

func (s *Sources) open(place string, sealed []byte) (string, error) {
	if sealed == nil {
		return "", nil
	}
	plain, err := s.Box.Open(place, sealed)
	return string(plain), err
}
