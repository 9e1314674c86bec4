package grant

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"asoba.example/provider/session"
)

// A CleanUp is the job that cleans Redis after a person's sign-ins were ended.
type CleanUp struct {
	Person uuid.UUID `json:"person"`
}

// Kind names the job.
func (CleanUp) Kind() string { return "grant_clean_up" }

// A Cleaner takes ended sign-ins out of Redis: sessions, and the access tokens of ended grants.
// It is called after the act's commit, by the CleanUp job, and at start for all that ended lately.
type Cleaner struct {
	river.WorkerDefaults[CleanUp]

	Pool     *pgxpool.Pool
	Denials  *Denials
	Sessions *session.Store
	Now      func() time.Time
}

// Work does the job.
func (c *Cleaner) Work(ctx context.Context, job *river.Job[CleanUp]) error {
	return c.Clean(ctx, job.Args.Person)
}

// Clean ends the person's sessions and denies the tokens of grants that ended within a token's life.
func (c *Cleaner) Clean(ctx context.Context, person uuid.UUID) error {
	const grants = `SELECT id FROM client_grant WHERE person_id = $1 AND till > $2 AND ended_at > $2`
	const ended = `SELECT at FROM ended WHERE person_id = $1`

	var (
		gids []uuid.UUID
		ends []time.Time
	)
	b := new(pgx.Batch)
	b.Queue(grants, person, c.Denials.since()).Query(collect(&gids))
	b.Queue(ended, person).Query(collect(&ends))
	if err := c.Pool.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	if err := c.Denials.Deny(ctx, gids...); err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	for _, at := range ends {
		if err := c.Sessions.EndAll(ctx, person, at); err != nil {
			return fmt.Errorf("clean up: %w", err)
		}
	}
	return c.cleanSignedOut(ctx, person)
}

// cleanSignedOut ends the person's sessions that were signed out of, from wherever.
func (c *Cleaner) cleanSignedOut(ctx context.Context, person uuid.UUID) error {
	const signedOut = `SELECT sid FROM signed_out WHERE sid = ANY ($1)`

	open, err := c.Sessions.List(ctx, person)
	if err != nil || len(open) == 0 {
		return err
	}
	sids := make([]string, len(open))
	for i, o := range open {
		sids[i] = o.SID
	}
	rows, _ := c.Pool.Query(ctx, signedOut, sids)
	if sids, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	return c.Sessions.EndThese(ctx, person, sids...)
}

// CleanRecent does it for everyone whose sign-ins ended within a token's life; called before the doors open.
func (c *Cleaner) CleanRecent(ctx context.Context) error {
	const ended = `SELECT person_id, at FROM ended WHERE at > $1`

	if _, err := c.Denials.restore(ctx); err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	rows, _ := c.Pool.Query(ctx, ended, c.Denials.since())
	type end struct {
		PersonID uuid.UUID
		At       time.Time
	}
	ends, err := pgx.CollectRows(rows, pgx.RowToStructByName[end])
	if err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	for _, e := range ends {
		if err := c.Sessions.EndAll(ctx, e.PersonID, e.At); err != nil {
			return fmt.Errorf("clean up: %w", err)
		}
	}
	return nil
}

// collect reads a batch's answer of one column.
func collect[T any](to *[]T) func(pgx.Rows) error {
	return func(rows pgx.Rows) (err error) {
		*to, err = pgx.CollectRows(rows, pgx.RowTo[T])
		return err
	}
}
