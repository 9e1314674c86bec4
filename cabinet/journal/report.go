package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/cabinet/wall"
)

// ErrUnknown says that a person has no such entry.
var ErrUnknown = errors.New("no such entry")

// A Report says that a citizen does not recognise an entry.
type Report struct {
	Entry uuid.UUID
	ACR   string // of the sign-in by which it is made
	At    time.Time
}

// Make makes a report of one of the subject's entries: once, whatever is pressed twice, and with an entry of its own.
func (r Report) Make(ctx context.Context, pool *pgxpool.Pool, subject string) error {
	const report = `
		WITH found AS (
			SELECT id, at, person_id FROM journal
			WHERE id = $2 AND person_id = (SELECT person_id FROM cabinet WHERE identification_number = $1)
		), reported AS (
			INSERT INTO report (entry_id, entry_at, person_id, at)
			SELECT id, at, person_id, $3 FROM found
			ON CONFLICT (entry_id) DO NOTHING
			RETURNING entry_id, person_id
		), written AS (
			INSERT INTO journal (id, person_id, at, kind, actor, acr, detail)
			SELECT $4, person_id, $3, $5, 'self', nullif($6, ''), jsonb_build_object('entry', entry_id) FROM reported
		)
		SELECT EXISTS (SELECT FROM found)`
	var (
		b     pgx.Batch
		known bool
	)
	wall.Queue(&b, subject, "")
	b.Queue(report, subject, r.Entry, r.At, uuid.Must(uuid.NewV7()), string(EntryReported), r.ACR).
		QueryRow(func(row pgx.Row) error { return row.Scan(&known) })
	if err := pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("report an entry: %w", err)
	}
	if !known {
		return ErrUnknown
	}
	return nil
}

// A Reported is a report as an operator reads it: the provider has the event of an entry that came by the feed under the entry's id.
type Reported struct {
	At       time.Time `json:"at"`
	Entry    uuid.UUID `json:"entry"`
	EntryAt  time.Time `json:"entry_at"`
	Person   uuid.UUID `json:"person"`
	Kind     Kind      `json:"kind,omitempty"` // "" where the entry is there no longer
	Actor    Actor     `json:"actor,omitempty"`
	ClientID string    `json:"client_id,omitempty"`
	Office   string    `json:"office,omitempty"`
}

const reportedEntries = `
	SELECT report.at, entry_id, entry_at, report.person_id, coalesce(kind, ''), coalesce(actor, ''), coalesce(client_id, ''), coalesce(office, '')
	FROM report
	LEFT JOIN journal ON journal.id = entry_id AND journal.at = entry_at`

const reports = reportedEntries + `
	WHERE report.at >= $1
	ORDER BY report.at, entry_id`

const reportsOf = reportedEntries + `
	WHERE report.person_id = (SELECT person_id FROM cabinet WHERE identification_number = $1)
	ORDER BY report.at, entry_id`

// Reports gives the reports since a time, the earliest first.
func Reports(ctx context.Context, pool *pgxpool.Pool, since time.Time) ([]Reported, error) {
	rows, _ := pool.Query(ctx, reports, since)
	return readReports(rows)
}

// QueueReports asks for all reports that a person has made, as one part of a batch.
func QueueReports(b *pgx.Batch, subject string, to *[]Reported) {
	b.Queue(reportsOf, subject).Query(func(rows pgx.Rows) (err error) {
		*to, err = readReports(rows)
		return err
	})
}

func readReports(rows pgx.Rows) ([]Reported, error) {
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Reported])
	if err != nil {
		return nil, fmt.Errorf("find reports: %w", err)
	}
	for i := range found {
		found[i].At, found[i].EntryAt = found[i].At.UTC(), found[i].EntryAt.UTC()
	}
	return found, nil
}
