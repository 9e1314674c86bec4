package clerk

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	ErrUnfit   = errors.New("the register or the document does not allow it")
)

// A Role is what a member of the staff may do.
type Role string

// Roles.
const (
	AtDesk     Role = "clerk"
	Supervisor Role = "supervisor"
	Operator   Role = "operator"
	Auditor    Role = "auditor"
)

// ParseRole knows the four roles.
func ParseRole(s string) (Role, error) {
	switch r := Role(s); r {
	case AtDesk, Supervisor, Operator, Auditor:
		return r, nil
	}
	return "", errors.New("no such role: clerk, supervisor, operator or auditor")
}

// A Clerk is a member of the staff.
type Clerk struct {
	Person uuid.UUID
	Office string
	Role   Role
}

// Serves tells whether the clerk may act upon people's identifiers.
func (c Clerk) Serves() bool { return c.Role == AtDesk || c.Role == Supervisor }

// Clerks keeps them.
type Clerks struct {
	Pool *pgxpool.Pool
}

// Add makes somebody who has an identifier a clerk.
func (c *Clerks) Add(ctx context.Context, clerk Clerk, at time.Time) error {
	return pgx.BeginFunc(ctx, c.Pool, func(tx pgx.Tx) error { return add(ctx, tx, clerk, at) })
}

// add adds a clerk, or takes back one who was removed.
func add(ctx context.Context, tx pgx.Tx, clerk Clerk, at time.Time) error {
	const insert = `
		INSERT INTO clerk (person_id, office, role, added_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (person_id) DO UPDATE
		SET office = excluded.office, role = excluded.role, added_at = excluded.added_at, removed_at = NULL
		WHERE clerk.removed_at IS NOT NULL`
	tag, err := tx.Exec(ctx, insert, clerk.Person, clerk.Office, clerk.Role, at)
	if err != nil {
		return fmt.Errorf("add clerk %s: %w", clerk.Person, err)
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("add clerk %s: %w", clerk.Person, ErrAlready)
	}
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.ClerkAdded, At: at, Person: clerk.Person, Office: clerk.Office,
		Detail: map[string]string{"role": string(clerk.Role)},
	})
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
		return add(ctx, tx, clerk, at)
	}})
}

// OnDuty finds the clerk who has the identifier, if it is active and the clerk
// was not removed; with signedIn, only if that sign-in is still worth anything.
// ErrUnknown says that there is no such clerk now.
func (c *Clerks) OnDuty(ctx context.Context, id identity.Identifier, signedIn time.Time) (Clerk, error) {
	const read = `
		SELECT c.person_id, c.office, c.role
		FROM person p
		JOIN clerk c ON c.person_id = p.id AND c.removed_at IS NULL
		JOIN identity i ON i.person_id = p.id AND i.state = 'active'
		LEFT JOIN ended e ON e.person_id = p.id
		WHERE p.identification_number = $1 AND ($2::timestamptz IS NULL OR e.at IS NULL OR e.at < $2)`
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
