package register

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrUnknown says that the register knows no such person.
var ErrUnknown = errors.New("not in the register")

// A Fact is one of five: death, declared dead, missing, incapable, limited capability.
type Fact struct {
	Date string // YYYY-MM-DD; "" where the fact does not hold
	Act  string
}

// A Person is what the register says of somebody, and only that (order 82, p. 5).
type Person struct {
	ID                   uuid.UUID
	IdentificationNumber string // revealed only by identity.Identifier's rules; never logged
	Sex                  string // F, M
	BirthDate            string // YYYY, YYYY-MM, YYYY-MM-DD
	Citizenship          string // ISO 3166-1 alpha-2, or "stateless"
	Death                Fact
	DeclaredDead         Fact
	Missing              Fact
	Incapable            Fact
	Limited              Fact
	ChangedIn            int64 // the edition
}

// Gone tells whether a fact holds that ends what a person may do: death, declared dead, missing.
func (p Person) Gone() bool { panic("unwritten") }

// A Register is the population register as we hold it.
type Register struct {
	Pool *pgxpool.Pool
	// Cascade is called inside the import's transaction with people who became gone: their identifiers are blocked (wired in cmd).
	Cascade func(ctx context.Context, tx pgx.Tx, people []uuid.UUID, at time.Time) error
}

// An Edition is what an import did.
type Edition struct {
	ID                                    int64
	Number                                int
	Period                                time.Time
	Added, Changed, Same, Rejected, Total int64
}

// A BadRow is a row that was not taken, and why.
type BadRow struct {
	Line   int
	Column string
	Reason string // a stable word: bad_check_digit is a warning, not here
}

// Import applies one edition; bad rows are told and the rest applied; the same file twice changes and writes nothing.
func (g *Register) Import(ctx context.Context, file io.ReadSeeker, at time.Time, progress func(done, total int64), bad func(BadRow)) (Edition, error) {
	panic("unwritten")
}

// Find gives a person by identification number, locked FOR SHARE when db is a transaction that must rest on it.
func Find(ctx context.Context, db interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}, number string) (Person, error) {
	panic("unwritten")
}

// Touched gives the people that an edition touched, by keyset, for the feed's consumers.
func (g *Register) Touched(ctx context.Context, edition int64, after uuid.UUID, limit int) ([]Person, error) {
	panic("unwritten")
}
