package clerk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/login/identity"
	"asoba.example/login/register"
	"asoba.example/provider/audit"
)

// Meanings.
var (
	ErrUnknown = errors.New("no such clerk")
	ErrAlready = errors.New("is a clerk already")
	ErrUnfit   = errors.New("the register or the document does not allow it, or it is a specimen")
	ErrRole    = errors.New("not for this role to do")
)

// ParseOffice takes the name of an office; "" is none.
func ParseOffice(s string) (string, error) {
	s = strings.TrimSpace(s)
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > 64 || strings.ContainsFunc(s, unicode.IsControl) {
		return "", errors.New("not the name of an office")
	}
	return s, nil
}

// A Clerk is a member of the staff.
type Clerk struct {
	Person  uuid.UUID
	Office  string
	Role    Role
	Passkey bool // they have one; OnDuty tells
}

// Clerks keeps them.
type Clerks struct {
	Pool *pgxpool.Pool
}

// Add makes somebody who has an identifier a clerk, or takes back one who was removed. The zero by is the operator's command.
// Whoever did not hear that somebody was added, moved or removed says the same again: it is so, and it is recorded once.
func (c *Clerks) Add(ctx context.Context, clerk Clerk, by uuid.UUID, at time.Time) error {
	err := pgx.BeginFunc(ctx, c.Pool, func(tx pgx.Tx) error {
		if err := appointing(ctx, tx, by, clerk.Role); err != nil {
			return err
		}
		return add(ctx, tx, clerk, by, at)
	})
	if err != nil {
		return fmt.Errorf("add a clerk: %w", err)
	}
	return nil
}

// add refuses specimens with ErrUnfit: with made-up people anybody signs in.
func add(ctx context.Context, tx pgx.Tx, clerk Clerk, by uuid.UUID, at time.Time) error {
	const find = `SELECT identification_number LIKE '0%' FROM person WHERE id = $1`
	const insert = `
		INSERT INTO clerk (person_id, office, role, added_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (person_id) DO UPDATE
		SET office = excluded.office, role = excluded.role, added_at = excluded.added_at, removed_at = NULL
		WHERE clerk.removed_at IS NOT NULL`
	const same = `SELECT office = $2 AND role = $3 FROM clerk WHERE person_id = $1`
	var specimen, again bool
	if err := tx.QueryRow(ctx, find, clerk.Person).Scan(&specimen); err != nil {
		return err
	}
	if specimen {
		return ErrUnfit
	}
	tag, err := tx.Exec(ctx, insert, clerk.Person, clerk.Office, clerk.Role, at)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		err := tx.QueryRow(ctx, same, clerk.Person, clerk.Office, clerk.Role).Scan(&again)
		if err == nil && !again {
			err = ErrAlready
		}
		return err
	}
	return audit.Record(ctx, tx, event(audit.ClerkAdded, clerk, by, at))
}

// Move gives a clerk another office, another role or both.
func (c *Clerks) Move(ctx context.Context, clerk Clerk, by uuid.UUID, at time.Time) error {
	const update = `UPDATE clerk SET office = $2, role = $3 WHERE person_id = $1`
	return c.change(ctx, clerk.Person, by, func(tx pgx.Tx, was Clerk, removed bool) error {
		if removed {
			return ErrUnknown
		}
		if err := appointing(ctx, tx, by, clerk.Role); err != nil {
			return err
		}
		if clerk.Office == was.Office && clerk.Role == was.Role {
			return nil
		}
		if _, err := tx.Exec(ctx, update, clerk.Person, clerk.Office, clerk.Role); err != nil {
			return err
		}
		return audit.Record(ctx, tx, event(audit.ClerkMoved, clerk, by, at))
	})
}

// Remove makes a clerk a citizen like any other. What they have done stays theirs.
func (c *Clerks) Remove(ctx context.Context, person, by uuid.UUID, at time.Time) error {
	const update = `UPDATE clerk SET removed_at = $2 WHERE person_id = $1`
	return c.change(ctx, person, by, func(tx pgx.Tx, was Clerk, removed bool) error {
		if removed {
			return nil
		}
		if _, err := tx.Exec(ctx, update, person, at); err != nil {
			return err
		}
		return audit.Record(ctx, tx, event(audit.ClerkRemoved, was, by, at))
	})
}

// change changes a clerk as they are now, or were when they were removed.
func (c *Clerks) change(ctx context.Context, person, by uuid.UUID, do func(tx pgx.Tx, was Clerk, removed bool) error) error {
	const find = `SELECT office, role, removed_at IS NOT NULL FROM clerk WHERE person_id = $1 FOR UPDATE`
	err := pgx.BeginFunc(ctx, c.Pool, func(tx pgx.Tx) error {
		was, removed := Clerk{Person: person}, false
		err := tx.QueryRow(ctx, find, person).Scan(&was.Office, &was.Role, &removed)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrUnknown
		}
		if err != nil {
			return err
		}
		if err := appointing(ctx, tx, by, was.Role); err != nil {
			return err
		}
		return do(tx, was, removed)
	})
	if err != nil {
		return fmt.Errorf("change a clerk: %w", err)
	}
	return nil
}

// appointing holds that somebody may say who has a role. Operators are made and unmade at the terminal alone: whoever could make one would
// be two people in one.
func appointing(ctx context.Context, tx pgx.Tx, by uuid.UUID, role Role) error {
	switch {
	case by == uuid.Nil:
		return nil
	case role == Operator:
		return ErrRole
	}
	return Hold(ctx, tx, by, Appoint)
}

// Hold holds that somebody may do a duty until the transaction ends: their removal waits, or they are too late. Whose identifier is blocked, as
// that of the dead is, may do none.
func Hold(ctx context.Context, tx pgx.Tx, person uuid.UUID, d Duty) error {
	const hold = `
		SELECT c.role FROM clerk c JOIN person p ON p.id = c.person_id JOIN identity i ON i.person_id = c.person_id
		WHERE c.person_id = $1 AND c.removed_at IS NULL AND i.state <> 'blocked' AND p.identification_number NOT LIKE '0%' FOR SHARE OF c`
	c := Clerk{Person: person}
	err := tx.QueryRow(ctx, hold, person).Scan(&c.Role)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !c.May(d) {
		return ErrRole
	}
	return err
}

// event is the record of what becomes of a clerk.
func event(kind audit.Kind, clerk Clerk, by uuid.UUID, at time.Time) audit.Event {
	return audit.Event{
		Kind: kind, At: at, Person: clerk.Person, Clerk: by, Office: clerk.Office,
		Detail: map[string]string{"role": string(clerk.Role)},
	}
}

// A Member is a clerk as the staff is listed.
type Member struct {
	Clerk
	Identifier identity.Identifier
	AddedAt    time.Time
}

// List gives the staff, by office.
func (c *Clerks) List(ctx context.Context) ([]Member, error) {
	const list = `
		SELECT c.person_id, c.office, c.role, p.identification_number, c.added_at
		FROM clerk c JOIN person p ON p.id = c.person_id
		WHERE c.removed_at IS NULL
		ORDER BY c.office, c.added_at, c.person_id`
	rows, _ := c.Pool.Query(ctx, list)
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m Member, err error) {
		var number string
		if err = row.Scan(&m.Person, &m.Office, &m.Role, &number, &m.AddedAt); err == nil {
			m.Identifier, err = identity.ParseIdentifier(number)
		}
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("list the staff: %w", err)
	}
	return all, nil
}

// Identifiers gives those of people who are clerks, or were.
func (c *Clerks) Identifiers(ctx context.Context, people []uuid.UUID) (map[uuid.UUID]identity.Identifier, error) {
	const find = `
		SELECT p.id, p.identification_number
		FROM clerk c JOIN person p ON p.id = c.person_id
		WHERE c.person_id = ANY ($1)`
	all := map[uuid.UUID]identity.Identifier{}
	var (
		person uuid.UUID
		number string
	)
	rows, _ := c.Pool.Query(ctx, find, people)
	_, err := pgx.ForEachRow(rows, []any{&person, &number}, func() (err error) {
		all[person], err = identity.ParseIdentifier(number)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find the identifiers of clerks: %w", err)
	}
	return all, nil
}

// Appoint makes somebody a clerk who has no identifier yet, and issues it, as one
// act: so the first clerk comes to be, whom no desk could have served. It is the
// operator's act and is recorded as nobody else's; the temporary password goes
// out by SMS like any other.
func (c *Clerks) Appoint(ctx context.Context, registry *identity.Registry, a identity.Assignment, clerk Clerk, at time.Time) error {
	who, err := registry.Of(ctx, a.Person)
	if err != nil {
		return err
	}
	clerk.Person = a.Person
	return registry.Issue(ctx, a, identity.Act{At: at, Office: clerk.Office, Within: func(ctx context.Context, tx pgx.Tx) error {
		person, err := register.Hold(ctx, tx, who.Identifier.Reveal())
		if err != nil {
			return err
		}
		if person.Gone() || !a.Document.Valid(at) {
			return ErrUnfit
		}
		return add(ctx, tx, clerk, uuid.Nil, at)
	}})
}

// OnDuty finds the clerk who has the identifier, if it is active and the clerk
// was not removed and is of flesh and blood; with signedIn, only if that sign-in is still worth anything.
// ErrUnknown says that there is no such clerk now.
func (c *Clerks) OnDuty(ctx context.Context, id identity.Identifier, signedIn time.Time) (Clerk, error) {
	const read = `
		SELECT c.person_id, c.office, c.role, EXISTS (SELECT FROM passkey k WHERE k.person_id = c.person_id)
		FROM person p
		JOIN clerk c ON c.person_id = p.id AND c.removed_at IS NULL
		JOIN identity i ON i.person_id = p.id AND i.state = 'active'
		LEFT JOIN ended e ON e.person_id = p.id
		WHERE p.identification_number = $1 AND p.identification_number NOT LIKE '0%' AND ($2::timestamptz IS NULL OR e.at IS NULL OR e.at < $2)`
	var since *time.Time
	if !signedIn.IsZero() {
		since = &signedIn
	}
	rows, err := c.Pool.Query(ctx, read, id.Reveal(), since)
	if err != nil {
		return Clerk{}, fmt.Errorf("find clerk %v: %w", id, err)
	}
	clerk, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Clerk])
	if errors.Is(err, pgx.ErrNoRows) {
		return Clerk{}, fmt.Errorf("find clerk %v: %w", id, ErrUnknown)
	}
	if err != nil {
		return Clerk{}, fmt.Errorf("find clerk %v: %w", id, err)
	}
	return clerk, nil
}
