package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/login/policy"
	"asoba.example/login/throttle"
)

// A RateError says that a clerk or an office has done as much as it may for now.
type RateError struct{ Wait time.Duration }

func (e *RateError) Error() string { return fmt.Sprintf("too many acts: wait %s", e.Wait) }

// Admit counts an act for its clerk and its office, or refuses it and raises an alert.
// Who uses a clerk's hands for many does it slowly, and is seen.
func (d *Desk) Admit(ctx context.Context, by By) error {
	wait, err := d.throttle.Take(ctx,
		throttle.Try{Limit: policy.ActsOfClerk.In(d.policies), By: by.Person.String()},
		throttle.Try{Limit: policy.ActsOfOffice.In(d.policies), By: by.Office},
	)
	if err != nil || wait == 0 {
		return err
	}
	b := new(pgx.Batch)
	TooManyActs.queue(b, by, d.now())
	if err := d.pool.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("record that there are too many acts: %w", err)
	}
	d.count(TooManyActs)
	return &RateError{wait}
}
