package profile

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// A State of a cabinet (order 82, p. 7).
type State string

// States.
const (
	NotActivated State = "not_activated"
	Activated    State = "activated"
	Deactivated  State = "deactivated"
)

// A Reason for deactivation (order 82, p. 10); "" for none.
type Reason string

// Reasons.
const (
	Death        Reason = "death"
	DeclaredDead Reason = "declared_dead"
	Missing      Reason = "missing"
	Incapable    Reason = "incapable" // where the operator has settled it
)

// A Profile is what the cabinet knows about a citizen.
type Profile struct {
	State       State
	StateAt     time.Time
	Sex         string               // F or M
	BirthDate   string               // ISO 8601 of the precision that is known: 1956, 1956-03 or 1956-03-08
	Citizenship string               // country code, or the register's word for none
	Incapable   *time.Time           // since; nil if not
	Limited     *time.Time           // in capability, since; nil if not
	UpdatedAt   time.Time            // when an official value changed last
	CreatedAt   time.Time            // when the register told of the citizen first
	ChangedAt   map[string]time.Time // when each of those changed last that ever did, by its name in the journal
}

// Since tells from when on an official value stands as it does here.
func (p Profile) Since(field string) time.Time {
	if at, ok := p.ChangedAt[field]; ok {
		return at
	}
	return p.CreatedAt
}

// Queue asks for a profile by the token's subject, as one part of a batch. Of an unknown person it stays zero.
func Queue(b *pgx.Batch, subject string, to *Profile) {
	const find = `
		SELECT state, state_at, sex, birth_date, citizenship, incapable_date AS incapable, limited_date AS limited,
		       updated_at, created_at, changed_at
		FROM cabinet
		WHERE identification_number = $1`
	b.Queue(find, subject).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Profile])
		if err != nil {
			return fmt.Errorf("find a profile: %w", err)
		}
		if len(found) == 1 {
			*to = found[0]
		}
		return nil
	})
}

// A Person is what the register says about somebody.
type Person struct {
	ID          uuid.UUID
	Number      string // the identification number
	Sex         string
	BirthDate   string
	Citizenship string
	Gone        Reason     // "" for the living
	Incapable   *time.Time // since
	Limited     *time.Time // since
}

// Format keeps people out of texts.
func (p Person) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "person %s", p.ID) }
