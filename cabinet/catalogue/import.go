package catalogue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Why an edition is not taken.
var (
	ErrOld   = errors.New("a newer edition is in force")
	ErrTaken = errors.New("another edition of this number is in force")
	ErrEarly = errors.New("the edition's day has not come")
	ErrClose = errors.New("it closes services, by another number than was said: a file that was cut off would")
	ErrFar   = errors.New("its number is more than a hundred after that of the last edition, or of the first greater than its month as 202611: whatever comes next would be older")
)

// Diff tells what Import would do, and writes nothing.
func Diff(ctx context.Context, pool *pgxpool.Pool, e Edition, at time.Time) (report Report, err error) {
	err = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		report, err = compare(ctx, tx, e, at)
		return err
	})
	if err != nil {
		return Report{}, fmt.Errorf("compare edition %d: %w", e.Number, err)
	}
	return report, nil
}

// Import brings an edition into force and records who did it, in one transaction. The same edition again does nothing. Whoever brings it says how many
// services it closes, or else it is not taken.
func Import(ctx context.Context, pool *pgxpool.Pool, e Edition, closes int, by string, at time.Time) (report Report, err error) {
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		// Of two at once the second one sees what the first one did.
		if _, err := tx.Exec(ctx, `LOCK TABLE catalogue_edition IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		if report, err = compare(ctx, tx, e, at); err != nil || report.Again {
			return err
		}
		if n := report.Count(Closed); n != closes {
			return fmt.Errorf("%w: %d", ErrClose, n)
		}
		report.By, report.At = by, at
		if err := record(ctx, tx, e, report); err != nil {
			return err
		}
		return apply(ctx, tx, e, report.Changes)
	})
	if err != nil {
		return Report{}, fmt.Errorf("import edition %d: %w", e.Number, err)
	}
	return report, nil
}

// Early tells whether an edition's day has not come yet.
func (e Edition) Early(at time.Time) bool { return e.Date.After(Day(at)) }

// compare says what an edition does, or why it is not taken.
func compare(ctx context.Context, tx pgx.Tx, e Edition, at time.Time) (Report, error) {
	const newest = `
		SELECT number, date, checksum, imported_by, imported_at
		FROM catalogue_edition
		ORDER BY number DESC LIMIT 1`
	var (
		number   int // 0 where there is none yet
		date     time.Time
		checksum []byte
		last     Report
	)
	err := tx.QueryRow(ctx, newest).Scan(&number, &date, &checksum, &last.By, &last.At)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return Report{}, err
	}
	switch {
	case e.Number == number && bytes.Equal(e.Checksum[:], checksum):
		return Report{Number: e.Number, Date: e.Date, Same: len(e.Services), Again: true, By: last.By, At: last.At}, nil
	case e.Number == number:
		return Report{}, ErrTaken
	case e.Number < number || e.Date.Before(date):
		return Report{}, fmt.Errorf("%w: %d of %s", ErrOld, number, date.Format(time.DateOnly))
	case number > 0 && e.Number > number+100, number == 0 && e.Number > 100*e.Date.Year()+int(e.Date.Month()): // no number that counts, or tells months, is greater
		return Report{}, ErrFar
	case e.Early(at):
		return Report{}, fmt.Errorf("%w: %s", ErrEarly, e.Date.Format(time.DateOnly))
	}
	known, err := every(ctx, tx)
	if err != nil {
		return Report{}, err
	}
	return Compare(known, e), nil
}

// every service, in force or not.
func every(ctx context.Context, tx pgx.Tx) ([]Service, error) {
	rows, _ := tx.Query(ctx, `SELECT `+columns+`, '{}'::jsonb AS body_name FROM service`)
	return pgx.CollectRows(rows, pgx.RowToStructByName[Service])
}

// record writes what is done, by whom and when: no act without its record.
func record(ctx context.Context, tx pgx.Tx, e Edition, r Report) error {
	const insert = `
		INSERT INTO catalogue_edition (number, date, checksum, notice, imported_by, imported_at, changes, same)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	_, err := tx.Exec(ctx, insert, e.Number, e.Date, e.Checksum[:], e.Notice, r.By, r.At, r.Changes, r.Same)
	return err
}

// columns are all of a service, and listed what a list tells of one.
const (
	listed = `
		service.code, kind, body, applicants, access, term_days, fee, languages, situations, service.name, about, valid_from, valid_till`
	columns = listed + `, synonyms, documents, form`
)

// apply writes what changes.
func apply(ctx context.Context, tx pgx.Tx, e Edition, changes []Change) error {
	var b pgx.Batch
	const body = `
		INSERT INTO body (code, name) VALUES ($1, $2)
		ON CONFLICT (code) DO UPDATE SET name = excluded.name`
	for _, one := range e.Bodies {
		b.Queue(body, one.Code, one.Name)
	}
	b.Queue(`DELETE FROM situation`)
	for i, one := range e.Situations {
		b.Queue(`INSERT INTO situation (code, place, name) VALUES ($1, $2, $3)`, one.Code, i, one.Name)
	}
	const service = `
		INSERT INTO service (code, numbers, kind, body, applicants, access, term_days, fee, languages, situations, name, about,
		                     synonyms, documents, form, valid_from, valid_till, edition)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
		ON CONFLICT (code) DO UPDATE
		SET (kind, body, applicants, access, term_days, fee, languages, situations, name, about, synonyms, documents, form,
		     valid_from, valid_till, edition) =
		    (excluded.kind, excluded.body, excluded.applicants, excluded.access, excluded.term_days, excluded.fee,
		     excluded.languages, excluded.situations, excluded.name, excluded.about, excluded.synonyms, excluded.documents,
		     excluded.form, excluded.valid_from, excluded.valid_till, excluded.edition)`
	for _, c := range changes {
		s := c.service
		b.Queue(service, s.Code, s.Code.numbers(), s.Kind, s.Body, s.Applicants, s.Access, s.TermDays, s.Fee, s.Languages,
			s.Situations, s.Name, s.About, s.Synonyms, s.Documents, s.Form, s.ValidFrom, s.ValidTill, e.Number)
	}
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("write services: %w", err)
	}
	return nil
}
