package profile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/cabinet/wall"
	"asoba.example/provider/fetch"
	"asoba.example/provider/seal"
)

// An Occasion is why other systems are asked about a person: the first sign-in and the four of order 82, p. 12. No other is there, a timer
// least of all.
type Occasion string

// Occasions.
const (
	PrimarySignIn Occasion = "primary_sign_in"
	Order         Occasion = "order"       // of an e-service
	Application   Occasion = "application" // filed or withdrawn
	Decision      Occasion = "decision"    // received, or a notice of it
	Complaint     Occasion = "complaint"   // filed or withdrawn
)

const (
	// floor is how long after a source was asked about a person it is not asked about them again.
	floor = 10 * time.Minute
	// lease is how long a node may take to hear a source, far longer than a call lasts; then another one asks.
	lease = time.Minute
)

// waits are how long a source that did not answer is left alone, time after time; then it is not asked until there is another occasion.
var waits = []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour}

// Sources are the other systems that are asked about people, and what they have told.
type Sources struct {
	All    []Source
	Pool   *pgxpool.Pool
	Box    *seal.Box
	Caller *fetch.Caller
	Now    func() time.Time
}

// Find gives a source by its name; one that is asked no more has but that.
func (s Sources) Find(name string) Source {
	if i := slices.IndexFunc(s.All, func(one Source) bool { return one.Name == name }); i >= 0 {
		return s.All[i]
	}
	return Source{Name: name}
}

// Ask has all sources asked about a citizen, soon and in the background: whatever the citizen does meanwhile waits for none of them. A source
// that is to be asked anyway is not asked for another occasion; one that was a moment ago is when the floor allows; and for the first sign-in
// one is asked only where it never was.
func (s Sources) Ask(ctx context.Context, subject string, why Occasion) error {
	const ask = `
		INSERT INTO refresh (person_id, source, occasion, due_at)
		SELECT person_id, source, $3, $4
		FROM cabinet CROSS JOIN unnest($2::text[]) AS source
		WHERE identification_number = $1
		ON CONFLICT (person_id, source) DO UPDATE SET occasion = $3, due_at = greatest($4, refresh.asked_at + $5), tries = 0
		WHERE $3 <> 'primary_sign_in' AND refresh.due_at IS NULL`
	if len(s.All) == 0 {
		return nil
	}
	names := make([]string, len(s.All))
	for i, one := range s.All {
		names[i] = one.Name
	}
	var b pgx.Batch
	wall.Queue(&b, subject, "")
	b.Queue(ask, subject, names, string(why), s.Now(), floor)
	if err := s.Pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("have sources asked: %w", err)
	}
	return nil
}

// waiting is a person about whom a source is being asked.
type waiting struct {
	PersonID uuid.UUID
	Number   *string // nil of whom nothing can be asked any more
	Occasion Occasion
	Tries    int
	AskedAt  time.Time
}

// Refresh asks one source about everybody for whom it is due, one after another, and ends at the first question that it does not answer: a
// source that is away is not met by all who wait.
func (s Sources) Refresh(ctx context.Context, from Source) error {
	for {
		next, err := s.next(ctx, from)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err == nil {
			err = s.refresh(ctx, from, next)
		}
		if err != nil {
			return fmt.Errorf("refresh from %s: %w", from.Name, err)
		}
	}
}

const take = `
	UPDATE refresh SET asked_at = $2, due_at = $3, tries = tries + 1
	FROM (
		SELECT person_id, CASE WHEN state <> 'deactivated' THEN identification_number END AS number
		FROM refresh JOIN cabinet USING (person_id)
		WHERE source = $1 AND due_at <= $2
		ORDER BY due_at
		LIMIT 1
		FOR UPDATE OF refresh SKIP LOCKED
	) AS next
	WHERE refresh.person_id = next.person_id AND source = $1
	RETURNING refresh.person_id, number, occasion, tries, asked_at`

// next takes the person who has waited longest. Whoever else looks takes another one: about one person a source is asked once at a time.
func (s Sources) next(ctx context.Context, from Source) (waiting, error) {
	now := s.Now()
	rows, _ := s.Pool.Query(ctx, take, from.Name, now, now.Add(lease))
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[waiting])
}

// refresh asks about one person, and takes in what is said in one transaction with that it was.
func (s Sources) refresh(ctx context.Context, from Source, w waiting) error {
	const heard = `
		UPDATE refresh SET answered_at = $4, silent_since = NULL, due_at = NULL
		WHERE person_id = $1 AND source = $2 AND asked_at = $3`
	const silent = `
		UPDATE refresh SET silent_since = coalesce(silent_since, $4), due_at = $5
		WHERE person_id = $1 AND source = $2 AND asked_at = $3`
	const forget = `UPDATE refresh SET due_at = NULL WHERE person_id = $1 AND source = $2`

	if w.Number == nil {
		_, err := s.Pool.Exec(ctx, forget, w.PersonID, from.Name)
		return err
	}
	a, err := s.ask(ctx, from, question{*w.Number, w.Occasion, from.Values})
	now := s.Now()
	if err != nil {
		var again *time.Time
		if w.Tries <= len(waits) {
			again = new(now.Add(waits[w.Tries-1]))
		}
		_, wrong := s.Pool.Exec(ctx, silent, w.PersonID, from.Name, w.AskedAt, now, again)
		return errors.Join(err, wrong)
	}
	return pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, heard, w.PersonID, from.Name, w.AskedAt, now)
		if err != nil || tag.RowsAffected() == 0 { // it took so long that another node asks by now
			return err
		}
		return s.take(ctx, tx, w.PersonID, from, a, now)
	})
}

// ask makes the call.
func (s Sources) ask(ctx context.Context, from Source, q question) (answer, error) {
	text, err := json.Marshal(q)
	if err != nil {
		return answer{}, err
	}
	said, err := s.Caller.Ask(ctx, from.URL, text)
	if err != nil {
		return answer{}, err
	}
	return from.read(said, s.Now())
}
