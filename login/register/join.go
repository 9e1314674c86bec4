package register

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Why an event does not make one of two people, though it says that they are.
var (
	ErrTwoPeople  = errors.New("the two numbers are told to be of people of another sex or birth, or each has an identifier, or acts that rest on it: which is to stay, a person must find out")
	ErrManyJoined = errors.New("events have made one of as many two people in a day as the rules in force allow")
)

// A joinError says of whom an event would make one.
type joinError struct {
	former, present uuid.UUID
	meaning         error
}

func (e *joinError) Error() string { return e.meaning.Error() }

// Unwrap gives the meaning.
func (e *joinError) Unwrap() error { return e.meaning }

// join makes one of two people: an edition has told of somebody by a number before an event told that the other one's had become it. Who had the
// former number stays, with all that rests on it, or where nothing does and something rests on the other one that one. It gives who is no more, and
// whether that deactivates somebody.
func (g *Register) join(ctx context.Context, tx pgx.Tx, former, present uuid.UUID, change int64, at time.Time) (gone *uuid.UUID, deactivated bool, err error) {
	if err := apart(ctx, tx, former, present); err != nil {
		return nil, false, err
	}
	onFormer, onPresent, err := rests(ctx, tx, former, present)
	if err != nil {
		return nil, false, err
	}
	may, err := mayBeOne(ctx, tx, former, present)
	if err != nil {
		return nil, false, err
	}
	if !may || onFormer && onPresent {
		return nil, false, &joinError{former, present, ErrTwoPeople}
	}
	many, err := g.manyJoined(ctx, tx, at)
	switch {
	case err != nil:
		return nil, false, err
	case many:
		return nil, false, &joinError{former, present, ErrManyJoined}
	}
	one, err := setOtherAside(ctx, tx, former, present, change, at)
	if err != nil {
		return nil, false, err
	}
	if err := unsay(ctx, tx, &one, aside); err != nil {
		return nil, false, err
	}
	if onPresent {
		gone, err = &former, precede(ctx, tx, former, present, change, at)
	} else {
		gone = &present
		deactivated, err = g.succeed(ctx, tx, former, present, &one, at)
	}
	if err == nil {
		_, err = tx.Exec(ctx, `DROP TABLE `+aside)
	}
	return gone, deactivated, err
}

// apart holds that no edition tells of both that we would know of: none has brought both, and the last full one came before either or left one out.
func apart(ctx context.Context, tx pgx.Tx, former, present uuid.UUID) error {
	// The ids that an edition has made are of its moment; those of a first load run ahead of it, with its rows.
	const find = `
		WITH applied AS (
			SELECT id, kind, date_trunc('milliseconds', applied_at) AS first, applied_at + added * interval '1 millisecond' / 4096 AS last
			FROM edition WHERE state = 'applied'
		), newest AS (
			SELECT id, last FROM applied WHERE kind = 'full' ORDER BY id DESC LIMIT 1
		)
		SELECT EXISTS (SELECT FROM applied WHERE first <= $3 AND $4 <= last) OR EXISTS (
			SELECT FROM newest
			WHERE $4 <= last AND NOT EXISTS (SELECT FROM missing_person WHERE edition_id = newest.id AND person_id IN ($1, $2)))`
	earlier, later := knownSince(former), knownSince(present)
	if later.Before(earlier) {
		earlier, later = later, earlier
	}
	var told bool
	err := tx.QueryRow(ctx, find, former, present, earlier, later).Scan(&told)
	if err == nil && told {
		err = ErrNumberTaken
	}
	return err
}

// knownSince is when somebody came to be known, which their id tells (RFC 9562 §5.7).
func knownSince(id uuid.UUID) time.Time {
	return time.Unix(id.Time().UnixTime())
}

// rests tells on whom of two something rests: whatever refers to them but what the register itself has kept of them, an identifier above all. Where
// something comes to rest meanwhile on who is to go, the database does not let them: the event is not taken, and may be told again.
func rests(ctx context.Context, tx pgx.Tx, former, present uuid.UUID) (onFormer, onPresent bool, err error) {
	const references = `
		SELECT string_agg(format('SELECT %1$I FROM %2$s WHERE %1$I IN ($1, $2)', attname, conrelid::regclass), ' UNION ')
		FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
		WHERE contype = 'f' AND confrelid = 'person'::regclass AND conparentid = 0
		  AND (attname <> 'person_id' OR conrelid <> ALL ('{person_event, former_number, former_citizenship, taken_back, missing_person}'::regclass[]))`
	var find string
	if err := tx.QueryRow(ctx, references).Scan(&find); err != nil {
		return false, false, err
	}
	on, err := ids(ctx, tx, find, former, present)
	return slices.Contains(on, former), slices.Contains(on, present), err
}

// mayBeOne tells whether two may be one by their sex and by as much of their dates of birth as is known of both.
func mayBeOne(ctx context.Context, tx pgx.Tx, former, present uuid.UUID) (may bool, err error) {
	const find = `
		SELECT one.sex = other.sex AND (starts_with(one.birth_date, other.birth_date) OR starts_with(other.birth_date, one.birth_date))
		FROM person AS one, person AS other
		WHERE one.id = $1 AND other.id = $2`
	err = tx.QueryRow(ctx, find, former, present).Scan(&may)
	return may, err
}

// joinedSince tells whether so many were joined since a time.
const joinedSince = `SELECT count(*) >= $2 FROM person_event WHERE joined IS NOT NULL AND told_at > $1`

// manyJoined tells whether as many people were joined in the day before as may be.
func (g *Register) manyJoined(ctx context.Context, tx pgx.Tx, at time.Time) (many bool, err error) {
	if g.JoinsInDay == nil {
		return false, nil
	}
	err = tx.QueryRow(ctx, joinedSince, at.Add(-24*time.Hour), g.JoinsInDay()).Scan(&many)
	return many, err
}

// setOtherAside sets aside what is told of who has the other number as if it had been known then that it is theirs who have the former one, and gives
// as which edition they are told that.
func setOtherAside(ctx context.Context, tx pgx.Tx, former, present uuid.UUID, change int64, at time.Time) (one Edition, err error) {
	const told = `
		SELECT coalesce(not_before, person_event.at, $2), coalesce(not_after, person_event.at, $2)
		FROM person
		LEFT JOIN edition ON edition.id = changed_in
		LEFT JOIN person_event ON change = changed_in
		WHERE person.id = $1`
	const copied = `INSERT INTO ` + aside + lines + ` SELECT 0, ` + rowColumns + ` FROM person WHERE id = $1`
	const renamed = `UPDATE ` + aside + ` SET identification_number = (SELECT identification_number FROM person WHERE id = $1)`
	one = Edition{ID: change, Kind: Delta, Announced: 1}
	if err := tx.QueryRow(ctx, told, present, at).Scan(&one.NotBefore, &one.NotAfter); err != nil {
		return one, err
	}
	if err := setAside(ctx, tx); err != nil {
		return one, err
	}
	if _, err := tx.Exec(ctx, copied, present); err != nil {
		return one, err
	}
	_, err = tx.Exec(ctx, renamed, former)
	return one, err
}

// succeed has who has the former number be who has the other one: first they are told what is set aside.
func (g *Register) succeed(ctx context.Context, tx pgx.Tx, former, present uuid.UUID, one *Edition, at time.Time) (deactivated bool, err error) {
	const find = `SELECT identification_number FROM person WHERE id = $1`
	const over = `DROP TABLE difference`
	if _, err := g.compare(ctx, tx, one, aside); err != nil {
		return false, err
	}
	if err := g.write(ctx, tx, one, at); err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, over); err != nil {
		return false, err
	}
	var number string
	if err := tx.QueryRow(ctx, find, present).Scan(&number); err != nil {
		return false, err
	}
	if err := handOver(ctx, tx, present, former); err != nil {
		return false, err
	}
	return one.Deactivated > 0, g.rename(ctx, tx, former, one.ID, number, at)
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

// handOver gives one person what the register has kept of another one, who is no more.
func handOver(ctx context.Context, tx pgx.Tx, from, to uuid.UUID) error {
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
		if _, err := tx.Exec(ctx, remove, from); err != nil {
			return err
		}
	}
	return nil
}
