package register

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrTwoPeople says that more than the register knows both of whom an event makes one: a desk, or whoever uses the identifiers.
var ErrTwoPeople = errors.New("each of the two numbers has an identifier, or acts that rest on it: which is to stay, a person must find out")

// join makes one of two people: an edition has told of somebody by a number before an event told that the other one's had become it. Who had the
// former number stays, with all that rests on it, or where nothing does and something rests on the other one that one. It gives who is no more, and
// whether that deactivates somebody.
func (g *Register) join(ctx context.Context, tx pgx.Tx, former, present uuid.UUID, change int64, at time.Time) (gone *uuid.UUID, deactivated bool, err error) {
	if err := apart(ctx, tx, former, present); err != nil {
		return nil, false, err
	}
	err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		deactivated, err = g.succeed(ctx, tx, former, present, change, at)
		return err
	})
	if errors.Is(err, ErrTwoPeople) {
		return &former, false, precede(ctx, tx, former, present, change, at)
	}
	return &present, deactivated, err
}

// apart holds that no edition tells of both that we would know of: neither has one brought both, nor does the last full one tell of them.
func apart(ctx context.Context, tx pgx.Tx, former, present uuid.UUID) error {
	// Ids tell since when somebody is known (RFC 9562 §5.7): those of a first load run ahead of its moment, with its rows.
	const find = `
		WITH told AS (
			SELECT id, kind, date_trunc('milliseconds', applied_at) AS since, applied_at + added * interval '1 millisecond' / 4096 AS till
			FROM edition WHERE state = 'applied'
		)
		SELECT EXISTS (SELECT FROM told WHERE since <= $3 AND till >= $4) OR EXISTS (
			SELECT FROM (SELECT * FROM told WHERE kind = 'full' ORDER BY id DESC LIMIT 1) AS last
			WHERE till >= $4 AND NOT EXISTS (SELECT FROM missing_person WHERE edition_id = last.id AND person_id IN ($1, $2))
		)`
	var both bool
	err := tx.QueryRow(ctx, find, former, present, knownSince(min(former.Time(), present.Time())), knownSince(max(former.Time(), present.Time()))).Scan(&both)
	if err == nil && both {
		err = ErrNumberTaken
	}
	return err
}

func knownSince(id uuid.Time) time.Time {
	sec, nsec := id.UnixTime()
	return time.Unix(sec, nsec)
}

// succeed has who has the former number be who has the other one: first what is told of the latter is told of them, as if it had been known then
// whose number that is.
func (g *Register) succeed(ctx context.Context, tx pgx.Tx, former, present uuid.UUID, change int64, at time.Time) (deactivated bool, err error) {
	const told = `
		SELECT coalesce(not_before, person_event.at, $2), coalesce(not_after, person_event.at, $2), identification_number
		FROM person
		LEFT JOIN edition ON edition.id = changed_in
		LEFT JOIN person_event ON change = changed_in
		WHERE person.id = $1`
	const copied = `INSERT INTO ` + aside + lines + ` SELECT 0, ` + rowColumns + ` FROM person WHERE id = $1`
	const renamed = `UPDATE ` + aside + ` SET identification_number = (SELECT identification_number FROM person WHERE id = $1)`
	const over = `DROP TABLE difference, ` + aside
	one := Edition{ID: change, Kind: Delta, Announced: 1}
	var number string
	if err := tx.QueryRow(ctx, told, present, at).Scan(&one.NotBefore, &one.NotAfter, &number); err != nil {
		return false, err
	}
	if err := setAside(ctx, tx); err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, copied, present); err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, renamed, former); err != nil {
		return false, err
	}
	if _, err := g.compare(ctx, tx, &one, aside); err != nil {
		return false, err
	}
	if err := g.write(ctx, tx, &one, at); err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, over); err != nil {
		return false, err
	}
	if err := handOver(ctx, tx, present, former); err != nil {
		return false, err
	}
	return one.Deactivated > 0, g.rename(ctx, tx, former, change, number, at)
}

// precede has who has the former number be no more than the history of who has the other one.
func precede(ctx context.Context, tx pgx.Tx, former, present uuid.UUID, change int64, at time.Time) error {
	const citizen = `
		INSERT INTO former_citizenship (person_id, at, citizenship)
		SELECT now.id, $3, was.citizenship FROM person AS was, person AS now
		WHERE was.id = $1 AND now.id = $2 AND was.citizenship <> now.citizenship`
	const number = `
		INSERT INTO former_number (person_id, at, identification_number)
		SELECT $2, $3, identification_number FROM person WHERE id = $1`
	const touch = `UPDATE person SET changed_in = $2 WHERE id = $1`
	for _, keep := range []string{citizen, number} {
		if _, err := tx.Exec(ctx, keep, former, present, at); err != nil {
			return err
		}
	}
	if err := handOver(ctx, tx, former, present); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, touch, present, change)
	return err
}

// handOver gives one person what the register has kept of another one, who is no more; ErrTwoPeople where others have kept something too.
func handOver(ctx context.Context, tx pgx.Tx, from, to uuid.UUID) error {
	const foreignKeyViolation = "23503"
	for _, move := range []string{
		`UPDATE person_event SET person_id = $2 WHERE person_id = $1`,
		`UPDATE former_number SET person_id = $2 WHERE person_id = $1`,
		`UPDATE taken_back SET person_id = $2 WHERE person_id = $1`,
		// One edition may have told the same of both numbers.
		`DELETE FROM former_citizenship AS one USING former_citizenship AS other
		WHERE one.person_id = $1 AND other.person_id = $2 AND (one.at, one.citizenship) = (other.at, other.citizenship)`,
		`UPDATE former_citizenship SET person_id = $2 WHERE person_id = $1`,
	} {
		if _, err := tx.Exec(ctx, move, from, to); err != nil {
			return err
		}
	}
	for _, remove := range []string{
		`DELETE FROM missing_person WHERE person_id = $1`,
		`DELETE FROM person WHERE id = $1`,
	} {
		_, err := tx.Exec(ctx, remove, from)
		if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == foreignKeyViolation {
			return ErrTwoPeople
		}
		if err != nil {
			return err
		}
	}
	return nil
}
