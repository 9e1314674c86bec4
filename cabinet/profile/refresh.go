package profile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider/fetch"
)

// An Occasion is why other systems are asked about a person: the primary sign-in and the four of order 82, p. 12, and of one of them that it
// has agreed to be wrong. No other is there, a timer least of all.
type Occasion string

// Occasions.
const (
	PrimarySignIn Occasion = "primary_sign_in"
	Order         Occasion = "order"       // of an e-service
	Application   Occasion = "application" // filed or withdrawn
	Decision      Occasion = "decision"    // received, or a notice of it
	Complaint     Occasion = "complaint"   // filed or withdrawn
	Correction    Occasion = "correction"  // of a value that the citizen disputed
)

const (
	// floor is how long after a source was asked about a person it is not asked about them on another occasion. The database's ask goes by it too.
	floor = 10 * time.Minute
	// lease is how long a node may take to hear a source, far longer than a call lasts; then another one asks.
	lease = time.Minute
)

// waits are how long a source that did not answer is left alone, time after time; then it is not asked until there is another occasion, by
// which all begins anew.
var waits = []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour}

// Ask has all sources asked about a citizen, in the caller's transaction, and then in the background: whatever the citizen does meanwhile waits
// for none of them. At a primary sign-in they are by themselves.
func Ask(b *pgx.Batch, subject string, why Occasion, at time.Time) {
	const ask = `SELECT ask(person_id, $2, $3) FROM cabinet WHERE identification_number = $1`
	b.Queue(ask, subject, string(why), at)
}

// AskAnew has a source asked about a person of whom it has corrected a value, in the caller's transaction; the register tells it by itself. It tells
// whether that value will come: not from a source that is out of force.
func AskAnew(ctx context.Context, tx pgx.Tx, person uuid.UUID, source string, at time.Time) (comes bool, err error) {
	if _, err := tx.Exec(ctx, `SELECT ask($1, $2, $3, $4)`, person, string(Correction), at, source); err != nil {
		return false, fmt.Errorf("have a source asked anew: %w", err)
	}
	if source == Register {
		return true, nil
	}
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM source WHERE name = $1 AND in_force)`, source).Scan(&comes); err != nil {
		return false, fmt.Errorf("have a source asked anew: %w", err)
	}
	return comes, nil
}

// An Asker asks sources about people, and takes in what they say.
type Asker struct {
	*Sources

	Pool   *pgxpool.Pool
	Caller *fetch.Caller
	Now    func() time.Time
}

// waiting is a person about whom a source is being asked.
type waiting struct {
	PersonID uuid.UUID
	Number   *string // nil of whom nothing can be asked any more
	Occasion Occasion
	Tries    int
	AskedAt  time.Time
}

// Refresh asks one source, where it is in force, about everybody for whom it is due, one after another, and ends at the first question that it
// does not answer: a source that is away is not met by all who wait. named is the source as this node knows it, with its address.
func (k Asker) Refresh(ctx context.Context, named Source) error {
	from := k.Find(named.Name)
	if !from.InForce {
		return nil
	}
	if from.URL = named.URL; len(from.Values) == 0 {
		from.Values = named.Values
	}
	for {
		next, err := k.next(ctx, from)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err == nil {
			err = k.refresh(ctx, from, next)
		}
		if err != nil {
			return fmt.Errorf("refresh from %s: %w", from.Name, err)
		}
	}
}

const take = `
	UPDATE refresh SET asked_at = $2, asked_for = occasion, due_at = $3, tries = tries + 1
	FROM (
		SELECT person_id, CASE WHEN state <> 'deactivated' THEN identification_number END AS number
		FROM refresh JOIN cabinet USING (person_id)
		WHERE source = $1 AND due_at <= $2 AND EXISTS (SELECT FROM source WHERE name = $1 AND in_force)
		ORDER BY due_at
		LIMIT 1
		FOR UPDATE OF refresh SKIP LOCKED
	) AS next
	WHERE refresh.person_id = next.person_id AND source = $1
	RETURNING refresh.person_id, number, occasion, tries, asked_at`

// next takes the person who has waited longest. Whoever else looks takes another one: about one person a source is asked once at a time.
func (k Asker) next(ctx context.Context, from Source) (waiting, error) {
	now := k.Now()
	rows, _ := k.Pool.Query(ctx, take, from.Name, now, now.Add(lease))
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[waiting])
}

// refresh asks about one person, and takes in what is said in one transaction with that it was. An occasion that there was meanwhile is still
// to be answered.
func (k Asker) refresh(ctx context.Context, from Source, w waiting) error {
	const heard = `
		UPDATE refresh SET answered_at = $4, silent_since = NULL, due_at = CASE WHEN tries = 0 THEN asked_at + $5::interval END
		WHERE person_id = $1 AND source = $2 AND asked_at = $3`
	const silent = `
		UPDATE refresh SET silent_since = coalesce(silent_since, $4), due_at = least($5, CASE WHEN tries = 0 THEN asked_at + $6::interval END)
		WHERE person_id = $1 AND source = $2 AND asked_at = $3`
	const forget = `UPDATE refresh SET due_at = NULL WHERE person_id = $1 AND source = $2`

	if w.Number == nil {
		_, err := k.Pool.Exec(ctx, forget, w.PersonID, from.Name)
		return err
	}
	a, err := k.ask(ctx, from, question{*w.Number, w.Occasion, from.Values})
	now := k.Now()
	if err != nil {
		var again *time.Time
		if w.Tries <= len(waits) {
			again = new(now.Add(waits[w.Tries-1]))
		}
		_, wrong := k.Pool.Exec(ctx, silent, w.PersonID, from.Name, w.AskedAt, now, again, floor)
		return errors.Join(err, wrong)
	}
	return pgx.BeginFunc(ctx, k.Pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, heard, w.PersonID, from.Name, w.AskedAt, now, floor)
		if err != nil || tag.RowsAffected() == 0 { // it took so long that another node asks by now
			return err
		}
		return k.take(ctx, tx, w.PersonID, from, a, now)
	})
}

// ask makes the call.
func (k Asker) ask(ctx context.Context, from Source, q question) (answer, error) {
	text, err := json.Marshal(q)
	if err != nil {
		return answer{}, err
	}
	said, err := k.Caller.Ask(ctx, from.URL, text)
	if err != nil {
		return answer{}, err
	}
	return from.read(said, k.Now())
}
