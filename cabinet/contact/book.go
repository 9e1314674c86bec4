package contact

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/wall"
	"asoba.example/provider/seal"
)

// A Book keeps what citizens gave.
type Book struct {
	Pool *pgxpool.Pool
	Box  *seal.Box
}

// kept is a Contact as it lies in the database.
type kept struct {
	PersonID     uuid.UUID
	Email, Phone []byte // sealed; nil for none
	Language     string
	Large        bool
	GivenAt      time.Time
}

const find = `
	SELECT person_id, email, phone, coalesce(language, '') AS language, large, given_at
	FROM contact
	WHERE person_id = (SELECT person_id FROM cabinet WHERE identification_number = $1)`

// Queue asks for what a citizen gave, as one part of a batch. Where that is nothing it stays zero.
func (k Book) Queue(b *pgx.Batch, subject string, to *Contact) {
	b.Queue(find, subject).Query(func(rows pgx.Rows) (err error) {
		*to, err = k.read(rows)
		return err
	})
}

// Find gives what a citizen gave; where that is nothing it is zero.
func (k Book) Find(ctx context.Context, subject string) (found Contact, err error) {
	var b pgx.Batch
	wall.Queue(&b, subject, "")
	k.Queue(&b, subject, &found)
	err = k.Pool.SendBatch(ctx, &b).Close()
	return found, err
}

// Give keeps what a citizen gave in place of what they gave before, with an entry in the journal that says no more than
// that they did. acr is of the sign-in by which it is given. The same given again changes nothing.
func (k Book) Give(ctx context.Context, subject string, given Contact, acr string, at time.Time) error {
	// Of two pages that are sent at once the second one sees what the first one gave.
	const hold = `SELECT person_id FROM cabinet WHERE identification_number = $1 FOR NO KEY UPDATE`

	err := pgx.BeginFunc(ctx, k.Pool, func(tx pgx.Tx) error {
		var (
			b      pgx.Batch
			person uuid.UUID
		)
		wall.Queue(&b, subject, "")
		b.Queue(hold, subject).QueryRow(func(row pgx.Row) error { return row.Scan(&person) })
		if err := tx.SendBatch(ctx, &b).Close(); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, find, subject)
		before, err := k.read(rows)
		before.GivenAt = given.GivenAt // when it was is not what
		if err != nil || before == given {
			return err
		}
		if err := k.put(ctx, tx, person, given, at); err != nil {
			return err
		}
		return journal.Append(ctx, tx, []journal.Entry{{Person: person, At: at, Kind: journal.ContactGiven, Actor: journal.Self, ACR: acr}})
	})
	if err != nil {
		return fmt.Errorf("give contact data: %w", err)
	}
	return nil
}

// put writes what was given; of nothing no row is left.
func (k Book) put(ctx context.Context, tx pgx.Tx, person uuid.UUID, given Contact, at time.Time) error {
	const forget = `DELETE FROM contact WHERE person_id = $1`
	const put = `
		INSERT INTO contact (person_id, email, phone, language, large, given_at)
		VALUES ($1, $2, $3, nullif($4, ''), $5, $6)
		ON CONFLICT (person_id) DO UPDATE
		SET email = excluded.email, phone = excluded.phone, language = excluded.language, large = excluded.large, given_at = excluded.given_at`

	if given == (Contact{}) {
		_, err := tx.Exec(ctx, forget, person)
		return err
	}
	email, err := k.seal("email", person, given.Email)
	if err != nil {
		return err
	}
	phone, err := k.seal("phone", person, given.Phone)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, put, person, email, phone, given.Language, given.Large, at)
	return err
}

// read opens the one row that there may be.
func (k Book) read(rows pgx.Rows) (c Contact, err error) {
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[kept])
	if errors.Is(err, pgx.ErrNoRows) {
		return c, nil
	}
	if err == nil {
		c.Email, err = k.open("email", found.PersonID, found.Email)
	}
	if err == nil {
		c.Phone, err = k.open("phone", found.PersonID, found.Phone)
	}
	if err != nil {
		return c, fmt.Errorf("find contact data: %w", err)
	}
	c.Language, c.Large, c.GivenAt = found.Language, found.Large, found.GivenAt
	return c, nil
}

func place(column string, person uuid.UUID) string {
	return "contact:" + column + ":" + person.String()
}

func (k Book) seal(column string, person uuid.UUID, plain string) ([]byte, error) {
	if plain == "" {
		return nil, nil
	}
	return k.Box.Seal(place(column, person), []byte(plain))
}

func (k Book) open(column string, person uuid.UUID, sealed []byte) (string, error) {
	if sealed == nil {
		return "", nil
	}
	plain, err := k.Box.Open(place(column, person), sealed)
	return string(plain), err
}
