package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider/audit"
)

// A Pattern is something unusual in what a desk does. None of them is forbidden, but for
// the first two: a supervisor is to look.
type Pattern string

// Patterns.
const (
	OwnIdentifier      Pattern = "own_identifier"      // a clerk would have served himself
	TooManyActs        Pattern = "too_many_acts"       // and the rest were refused
	ManyIssuances      Pattern = "many_issuances"      // in an hour, by one clerk
	NeighbouringPhones Pattern = "neighbouring_phones" // bought together, it seems, for people who have come one by one
	OutOfHours         Pattern = "out_of_hours"
)

// neighbours are how far apart two numbers are that were bought together, and for how long back that is of interest.
const (
	neighbours     = 10
	neighboursSeen = 24 * time.Hour
)

// queue puts the record of something unusual into a batch, unless the clerk is on record for it within the hour.
func (p Pattern) queue(b *pgx.Batch, by By, at time.Time) {
	audit.Event{
		Kind: audit.DeskAlerted, At: at, Clerk: by.Person, Office: by.Office, ClientID: by.ClientID,
		Detail: map[string]string{"pattern": string(p)},
	}.QueueUnlessWithin(b, time.Hour)
}

// watch looks at an issuance in its own transaction as a supervisor would, and records what is unusual.
func (d *Desk) watch(ctx context.Context, tx pgx.Tx, by By, phone identity.Phone, at time.Time) error {
	const issued = `SELECT count(*) FROM issuance WHERE clerk_id = $1 AND errand = 'issuance' AND assigned_at > $2`

	const bought = `
		SELECT count(*) FROM identity AS i
		WHERE i.phone_index = ANY ($1) AND EXISTS (
			SELECT FROM issuance AS v
			WHERE v.person_id = i.person_id AND v.errand = 'issuance' AND v.office = $2 AND v.assigned_at > $3)`

	near := phone.Neighbours(neighbours)
	indexes := make([][]byte, len(near))
	for i, n := range near {
		var err error
		if indexes[i], err = identity.PhoneIndex(d.box, n); err != nil {
			return err
		}
	}
	var lately, beside int
	b := new(pgx.Batch)
	b.Queue(issued, by.Person, at.Add(-time.Hour)).QueryRow(func(row pgx.Row) error { return row.Scan(&lately) })
	b.Queue(bought, indexes, by.Office, at.Add(-neighboursSeen)).QueryRow(func(row pgx.Row) error { return row.Scan(&beside) })
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("watch an issuance: %w", err)
	}
	var seen []Pattern
	if lately >= policy.IssuancesInHour.In(d.policies) {
		seen = append(seen, ManyIssuances)
	}
	if beside+1 >= policy.NeighbouringPhones.In(d.policies) {
		seen = append(seen, NeighbouringPhones)
	}
	if !policy.DeskHours.In(d.policies).Hold(at.In(identity.Minsk)) {
		seen = append(seen, OutOfHours)
	}
	b = new(pgx.Batch)
	for _, p := range seen {
		p.queue(b, by, at)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("record what is unusual: %w", err)
	}
	d.count(seen...)
	return nil
}

// count tells those who watch over many desks.
func (d *Desk) count(seen ...Pattern) {
	for _, p := range seen {
		d.unusual.WithLabelValues(string(p)).Inc()
	}
}
