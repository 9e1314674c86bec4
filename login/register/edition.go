package register

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Why it is not told whom an edition is about.
var (
	ErrNoEdition  = errors.New("no such edition")
	ErrNotWaiting = errors.New("it does not wait: that was kept for those who had to decide")
)

// A State is how far an edition is, drawn in doc.go.
type State string

// States.
const (
	Staging   State = "staging"
	Waiting   State = "waiting"
	Applied   State = "applied"
	Refused   State = "refused"
	Withdrawn State = "withdrawn"
)

// An Edition is what a file was said to be, and what came of it.
type Edition struct {
	ID          int64
	Number      int
	Period      time.Time  // the first day of the month
	AsOf        *time.Time // by the register's clock; nil: it does not say
	NotBefore   time.Time  // it was made then at the earliest: what was told of before gives way to it
	NotAfter    time.Time  // and then at the latest: what was told of later does not
	Kind        Kind
	State       State
	Checksum    []byte // SHA-256
	Signed      bool   // by the register's key, which was asked for
	Announced   int64  // rows
	Added       int64
	Changed     int64
	Same        int64
	Rejected    int64
	Doubtful    int64 // taken all the same
	Deactivated int64 // of those who changed
	Restored    int64 // of those who changed
	Missing     int64 // known, and not told of by a full edition
	Withheld    int64 // rows not taken, since more is known of their people already
	ImportedBy  *uuid.UUID
	ClientID    string // which brought it, where no person did
	BeganAt     time.Time
	DecidedBy   *uuid.UUID
	DecidedAt   *time.Time
	AppliedAt   *time.Time

	staged    int64  // bytes of the file
	stagedSum []byte // and their SHA-256
}

// editionColumns are those of an edition, in the order of scanEdition.
const editionColumns = `
	id, number, period, as_of, not_before, not_after, kind, state, checksum, signed, announced, added, changed, same, rejected, doubtful, deactivated, restored, missing, withheld,
	imported_by, coalesce(client_id, ''), began_at, decided_by, decided_at, applied_at, staged_bytes, staged_sum`

func scanEdition(row pgx.CollectableRow) (e Edition, err error) {
	err = row.Scan(&e.ID, &e.Number, &e.Period, &e.AsOf, &e.NotBefore, &e.NotAfter, &e.Kind, &e.State, &e.Checksum, &e.Signed, &e.Announced, &e.Added, &e.Changed, &e.Same,
		&e.Rejected, &e.Doubtful, &e.Deactivated, &e.Restored, &e.Missing, &e.Withheld,
		&e.ImportedBy, &e.ClientID, &e.BeganAt, &e.DecidedBy, &e.DecidedAt, &e.AppliedAt, &e.staged, &e.stagedSum)
	return e, err
}

// findEdition gives one edition, or ErrNoEdition.
func findEdition(ctx context.Context, db Querier, where string, args ...any) (Edition, error) {
	rows, _ := db.Query(ctx, `SELECT `+editionColumns+` FROM edition WHERE `+where, args...)
	e, err := pgx.CollectExactlyOneRow(rows, scanEdition)
	if errors.Is(err, pgx.ErrNoRows) {
		return Edition{}, ErrNoEdition
	}
	return e, err
}

// Edition gives one, or ErrNoEdition.
func (g *Register) Edition(ctx context.Context, id int64) (Edition, error) {
	e, err := findEdition(ctx, g.Pool, `id = $1`, id)
	if err != nil {
		return Edition{}, fmt.Errorf("find edition %d: %w", id, err)
	}
	return e, nil
}

// Editions gives those before one, the newest first; with 0 the newest of all.
func (g *Register) Editions(ctx context.Context, before int64, limit int) ([]Edition, error) {
	const list = `SELECT ` + editionColumns + ` FROM edition WHERE $1 = 0 OR id < $1 ORDER BY id DESC LIMIT $2`
	rows, _ := g.Pool.Query(ctx, list, before, limit)
	all, err := pgx.CollectRows(rows, scanEdition)
	if err != nil {
		return nil, fmt.Errorf("list editions: %w", err)
	}
	return all, nil
}

// isLost tells of an edition whether it waits, and a crash of the database has lost its rows.
func (e Edition) isLost(ctx context.Context, db Querier) (bool, error) {
	const lost = `SELECT state = 'waiting' AND ` + emptied + ` FROM edition WHERE id = $1`
	rows, _ := db.Query(ctx, lost, e.ID)
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
}

// BadRows gives the first thousand rows of an edition's file that something was wrong with, and of those that are withheld, in their order.
func (g *Register) BadRows(ctx context.Context, id int64) ([]BadRow, error) {
	const list = `SELECT line, column_name, reason, taken FROM bad_row WHERE edition_id = $1 ORDER BY line, taken DESC`
	if _, err := g.Edition(ctx, id); err != nil {
		return nil, err
	}
	rows, _ := g.Pool.Query(ctx, list, id)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[BadRow])
	if err != nil {
		return nil, fmt.Errorf("list the bad rows of edition %d: %w", id, err)
	}
	return all, nil
}

// Missing gives people whom a full edition that was applied, or waits, does not tell of though they were known when it came, by keyset, as they
// are now.
func (g *Register) Missing(ctx context.Context, id int64, after uuid.UUID, limit int) ([]Person, error) {
	e, err := g.Edition(ctx, id)
	if err != nil {
		return nil, err
	}
	if e.State != Applied {
		return g.outcome(ctx, e, "missing", e.Missing, after, limit)
	}
	people, err := g.those(ctx, missingOf, id, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list whom edition %d does not tell of: %w", id, err)
	}
	return people, nil
}

// Deactivated gives people whom an edition that waits would deactivate, as it was when it came, by keyset, as they are now; ErrNotWaiting where it
// was decided.
func (g *Register) Deactivated(ctx context.Context, id int64, after uuid.UUID, limit int) ([]Person, error) {
	e, err := g.Edition(ctx, id)
	if err != nil {
		return nil, err
	}
	return g.outcome(ctx, e, "deactivated", e.Deactivated, after, limit)
}

// outcome gives people of whom so many were counted as an edition came that waits still.
func (g *Register) outcome(ctx context.Context, e Edition, of string, counted int64, after uuid.UUID, limit int) ([]Person, error) {
	switch {
	case counted == 0:
		return nil, nil
	case e.State != Waiting:
		return nil, fmt.Errorf("list whom edition %d is about: %w", e.ID, ErrNotWaiting)
	}
	people, err := g.those(ctx, whoseOutcome, of, after, limit)
	if err == nil && len(people) == 0 {
		var lost bool
		if lost, err = e.isLost(ctx, g.Pool); lost {
			err = ErrLost
		}
	}
	if err != nil {
		return nil, fmt.Errorf("list whom edition %d is about: %w", e.ID, err)
	}
	return people, nil
}

// Pages of ids.
const (
	missingOf    = `SELECT person_id FROM missing_person WHERE edition_id = $1 AND NOT overtaken AND person_id > $2 ORDER BY person_id LIMIT $3`
	whoseOutcome = `SELECT person_id FROM staged_outcome WHERE outcome = $1 AND person_id > $2 ORDER BY person_id LIMIT $3`
)

// those are the people of a page of ids.
func (g *Register) those(ctx context.Context, ids string, args ...any) ([]Person, error) {
	rows, _ := g.Pool.Query(ctx, people(ids), args...)
	return pgx.CollectRows(rows, scan)
}

// people looks up the people of a page one by one: joined, everybody might be read for each page.
func people(ids string) string {
	return `SELECT ` + columns + ` FROM person WHERE id = ANY (ARRAY (` + ids + `)) ORDER BY id`
}
