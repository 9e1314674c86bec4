package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/login/policy"
	"asoba.example/login/throttle"
)

// Meanings.
var (
	ErrRate     = errors.New("too many acts")                               // wrapped by *RateError
	ErrReissues = errors.New("too many temporary passwords for one person") // wrapped by *ReissueError
)

// A RateError says that a clerk, an office or a system has done as much as it may for now.
type RateError struct{ Wait time.Duration }

func (e *RateError) Error() string { return fmt.Sprintf("%v: wait %s", ErrRate, e.Wait) }

func (e *RateError) Unwrap() error { return ErrRate }

// admit counts an act, an errand or whatever else one is called in an alert, for its clerk, its office and the system that named the clerk, or refuses it and raises an alert.
// Who uses a clerk's hands for many does it slowly, and is seen. Whoever is told again of what was done before is not counted; but scans
// are, each that comes, and there may be as many of them as of acts.
func (d *Desk) admit(ctx context.Context, by By, act string) error {
	var apart string
	if act == keepPaper {
		apart = "scans of "
	}
	tries := []throttle.Try{
		{Limit: policy.ActsOfClerk.In(d.policies), By: apart + by.Person.String()},
		{Limit: policy.ActsOfOffice.In(d.policies), By: apart + by.Office},
	}
	if by.Named {
		tries = append(tries, throttle.Try{Limit: policy.ActsOfSystem.In(d.policies), By: apart + by.ClientID})
	}
	wait, err := d.throttle.Take(ctx, tries...)
	if err != nil || wait == 0 {
		return err
	}
	b := new(pgx.Batch)
	TooManyActs.queue(b, by, act, d.now())
	if err := d.pool.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("record that there are too many acts: %w", err)
	}
	d.count(TooManyActs)
	return &RateError{wait}
}

// A ReissueError says that a person was sent as many temporary passwords as may be for now.
type ReissueError struct{ Till time.Time }

func (e *ReissueError) Error() string { return ErrReissues.Error() }

func (e *ReissueError) Unwrap() error { return ErrReissues }

// mayReissue tells whether a person may be sent another temporary password by an errand: each one ends the former, and
// whoever is sent many is kept out by it, or somebody is after them. Only what was done counts; the identifier is held, so that of two at one moment
// one is counted first.
func (d *Desk) mayReissue(ctx context.Context, tx pgx.Tx, e Errand, f facts) error {
	if !e.renews(f) || d.relaxed {
		return nil
	}
	const eldest = `
		SELECT at FROM (
			SELECT at FROM desk_act WHERE person_id = $1 AND kind IN ('unblock', 'reissue')
			UNION ALL
			SELECT assigned_at FROM issuance WHERE person_id = $1 AND renewed
		) AS done
		WHERE at > $2 ORDER BY at DESC OFFSET $3 LIMIT 1`
	limit := policy.ReissuesOfPerson.In(d.policies)
	var since time.Time
	err := tx.QueryRow(ctx, eldest, f.person.ID, f.at.Add(-limit.In), limit.Tries-1).Scan(&since)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("count the temporary passwords of %s: %w", f.person.ID, err)
	}
	return &ReissueError{since.Add(limit.In)}
}
