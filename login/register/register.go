package register

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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

// A Person is what the register says of somebody, and only that.
type Person struct {
	ID                   uuid.UUID
	IdentificationNumber string
	Sex                  string // F, M
	BirthDate            string // YYYY, YYYY-MM, YYYY-MM-DD
	Citizenship          string // ISO 3166-1 alpha-2, or "stateless"
	Death                Fact
	DeclaredDead         Fact
	Missing              Fact
	Incapable            Fact
	Limited              Fact
	DeactivatedFor       string // incapable, where the operator has settled that it deactivates; or ""
	ChangedIn            int64  // the edition, or the event, which has a place among editions
}

// Gone tells whether something ends what a person may do (order 82, p. 10).
func (p Person) Gone() bool {
	return p.Death.Date != "" || p.DeclaredDead.Date != "" || p.Missing.Date != "" || p.DeactivatedFor != ""
}

// OfAge tells whether somebody has lived for so many years, however late in what is known of the date of birth that was.
func (p Person) OfAge(years int, at time.Time) bool {
	for layout, known := range map[string]struct{ year, month, day int }{"2006": {year: 1}, "2006-01": {month: 1}, "2006-01-02": {day: 1}} {
		if first, err := time.Parse(layout, p.BirthDate); err == nil {
			return !first.AddDate(known.year+years, known.month, known.day-1).After(at)
		}
	}
	return false
}

// String names the person without telling who it is.
func (p Person) String() string { return "person " + p.ID.String() }

// GoString is String, for %#v.
func (p Person) GoString() string { return p.String() }

// LogValue is String, for logs.
func (p Person) LogValue() slog.Value { return slog.StringValue(p.String()) }

// A Register is the population register as we hold it.
type Register struct {
	Pool *pgxpool.Pool
	// Cascade is called in the transaction with people who became
	// gone: their identifiers are blocked.
	Cascade func(ctx context.Context, tx pgx.Tx, people []uuid.UUID, at time.Time) error
	// Restored is called there with people who are gone no longer.
	Restored func(ctx context.Context, tx pgx.Tx, people []uuid.UUID, at time.Time) error
	// Incapable is called there with people whom a court has found incapable, where that does not deactivate them: their sign-ins end.
	Incapable func(ctx context.Context, tx pgx.Tx, people []uuid.UUID, at time.Time) error
	// Renumbered is called there with people whose identification number becomes another one: their sign-ins end.
	Renumbered func(ctx context.Context, tx pgx.Tx, people []uuid.UUID, at time.Time) error
	// Staff holds in a transaction that somebody may bring editions in and decide on them.
	Staff func(ctx context.Context, tx pgx.Tx, by uuid.UUID) error
	// Source is the register itself, which is asked about single people; nil: there is none to ask.
	Source *Source
	// Key is the one by which the register's owner signs; nil: no signature is asked for.
	Key *Key
	// DeactivatedShare is how much of the people an edition may deactivate, and MissingShare of how much of them a full one may not tell, before it
	// waits for a second person; and RejectedShare how much of its rows may be bad before all of it is refused; nil: there is no such bound.
	DeactivatedShare, MissingShare, RejectedShare func() float64
	// JoinsInDay is of how many two people events may make one in a day; nil: of as many as they say.
	JoinsInDay func() int
	// DeactivateIncapable tells whether somebody of whom the register now says that they are incapable is deactivated too; nil: nobody is.
	DeactivateIncapable func() bool

	piece int64 // of tests; 0 is piece
}

// columns of person in the order of scan.
const columns = `
	id, identification_number, sex, birth_date, citizenship,
	coalesce(death_date::text, ''), coalesce(death_act, ''),
	coalesce(declared_dead_date::text, ''), coalesce(declared_dead_act, ''),
	coalesce(missing_date::text, ''), coalesce(missing_act, ''),
	coalesce(incapable_date::text, ''), coalesce(incapable_act, ''),
	coalesce(limited_date::text, ''), coalesce(limited_act, ''),
	coalesce(deactivated_for, ''), changed_in`

func scan(row pgx.CollectableRow) (p Person, err error) {
	err = row.Scan(&p.ID, &p.IdentificationNumber, &p.Sex, &p.BirthDate, &p.Citizenship,
		&p.Death.Date, &p.Death.Act, &p.DeclaredDead.Date, &p.DeclaredDead.Act,
		&p.Missing.Date, &p.Missing.Act, &p.Incapable.Date, &p.Incapable.Act,
		&p.Limited.Date, &p.Limited.Act, &p.DeactivatedFor, &p.ChangedIn)
	return p, err
}

// A Querier is a pool or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Find gives a person by identification number, or ErrUnknown.
func Find(ctx context.Context, db Querier, number string) (Person, error) {
	return one(ctx, db, `SELECT `+columns+` FROM person WHERE identification_number = $1`, number)
}

// Hold is Find for an act that rests on what the register says: no import
// changes the person until the act's transaction ends.
func Hold(ctx context.Context, tx pgx.Tx, number string) (Person, error) {
	return one(ctx, tx, `SELECT `+columns+` FROM person WHERE identification_number = $1 FOR SHARE`, number)
}

func one(ctx context.Context, db Querier, query, number string) (Person, error) {
	rows, err := db.Query(ctx, query, number)
	if err != nil {
		return Person{}, fmt.Errorf("find a person in the register: %w", err)
	}
	person, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return Person{}, ErrUnknown
	}
	if err != nil {
		return Person{}, fmt.Errorf("find a person in the register: %w", err)
	}
	return person, nil
}

// Everybody gives all people, by keyset.
func (g *Register) Everybody(ctx context.Context, after uuid.UUID, limit int) ([]Person, error) {
	const query = `SELECT ` + columns + ` FROM person WHERE id > $1 ORDER BY id LIMIT $2`
	rows, _ := g.Pool.Query(ctx, query, after, limit)
	people, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("read the register: %w", err)
	}
	return people, nil
}

// CopyTouched writes the people whom an edition touched, after one, as CSV (RFC 4180) with a head: limit of them in the order of their ids, or
// where that is 0 all of them in no order, as fast as the database gives them. It tells how much it has written where it fails too.
func (g *Register) CopyTouched(ctx context.Context, edition int64, after uuid.UUID, limit int, w io.Writer) (written int64, err error) {
	people := fmt.Sprintf(`SELECT id, `+rowColumns+`, deactivated_for FROM person WHERE changed_in = %d`, edition) // COPY takes no parameters
	if after != uuid.Nil {
		people += fmt.Sprintf(` AND id > '%s'`, after)
	}
	if limit > 0 {
		people += fmt.Sprintf(` ORDER BY id LIMIT %d`, limit)
	}
	counting := &counter{Writer: w}
	out := bufio.NewWriterSize(counting, 64<<10)
	err = g.Pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		_, err := conn.Conn().PgConn().CopyTo(ctx, out, `COPY (`+people+`) TO STDOUT (FORMAT csv, HEADER)`)
		return err
	})
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return counting.written, fmt.Errorf("copy an edition: %w", err)
	}
	return counting.written, nil
}

// counter counts the bytes that are written.
type counter struct {
	io.Writer
	written int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.written += int64(n)
	return n, err
}

// Touched gives the people that an edition touched, by keyset, for the feed's
// consumers. Whom a later edition touched again belongs to that one.
func (g *Register) Touched(ctx context.Context, edition int64, after uuid.UUID, limit int) ([]Person, error) {
	const query = `SELECT ` + columns + ` FROM person WHERE changed_in = $1 AND id > $2 ORDER BY id LIMIT $3`
	rows, err := g.Pool.Query(ctx, query, edition, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read an edition: %w", err)
	}
	people, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("read an edition: %w", err)
	}
	return people, nil
}
