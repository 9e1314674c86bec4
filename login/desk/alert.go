package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/login/document"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider/audit"
)

// A Pattern is something unusual in what a desk does. None of them is forbidden, but for
// the first two: a supervisor is to look.
type Pattern string

// Patterns.
const (
	OwnIdentifier      Pattern = "own_identifier"       // a clerk would have served himself
	TooManyActs        Pattern = "too_many_acts"        // and the rest were refused
	ManyIssuances      Pattern = "many_issuances"       // in an hour, by one clerk
	ManyRestorations   Pattern = "many_restorations"    // the same of what gives access to identifiers that exist
	NeighbouringPhones Pattern = "neighbouring_phones"  // bought together, it seems, for people who have come one by one
	BlockedAndRestored Pattern = "blocked_and_restored" // with another phone, by the clerk who blocked it a while ago
	UnvouchedDocument  Pattern = "unvouched_document"   // not the one of the issuance, and there is no register to ask about it
	OutOfHours         Pattern = "out_of_hours"
)

// neighbours are how far apart two numbers are that were bought together, and for how long back that is of interest; and for how long a block is.
const (
	neighbours     = 10
	neighboursSeen = 24 * time.Hour
	blockSeen      = 30 * 24 * time.Hour
)

// queue puts the record of something unusual into a batch, unless the clerk is on record for it within the hour.
func (p Pattern) queue(b *pgx.Batch, by By, at time.Time) {
	audit.Event{
		Kind: audit.DeskAlerted, At: at, Clerk: by.Person, Office: by.Office, ClientID: by.ClientID,
		Detail: map[string]string{"pattern": string(p)},
	}.QueueUnlessWithin(b, time.Hour)
}

// What is asked of an act and of those before it: whether it is unusual.
const (
	manyIssuances = `SELECT count(*) >= $3 FROM issuance WHERE clerk_id = $1 AND errand = 'issuance' AND assigned_at > $2`

	manyRestorations = `
		SELECT (SELECT count(*) FROM issuance WHERE clerk_id = $1 AND errand <> 'issuance' AND assigned_at > $2) +
		       (SELECT count(*) FROM desk_act WHERE clerk_id = $1 AND kind <> 'block' AND at > $2) >= $3`

	neighbouringPhones = `
		SELECT count(*) + 1 >= $5 FROM identity AS i
		WHERE i.phone_index = ANY ($1) AND i.person_id <> $2 AND EXISTS (
			SELECT FROM issuance AS v WHERE v.person_id = i.person_id AND v.office = $3 AND v.assigned_at > $4)`

	blockedBySame = `SELECT EXISTS (SELECT FROM desk_act WHERE person_id = $1 AND clerk_id = $2 AND kind = 'block' AND at > $3)`

	anotherDocument = `SELECT EXISTS (SELECT FROM identity WHERE person_id = $1 AND document_index IS DISTINCT FROM $2)`
)

// watch looks at an act in its own transaction as a supervisor would, and records what is unusual. The phone is the one that
// comes with it; zero where none does.
func (d *Desk) watch(ctx context.Context, tx pgx.Tx, e Errand, f facts, phone identity.Phone) error {
	var seen []Pattern
	if !policy.DeskHours.In(d.policies).Hold(f.at.In(identity.Minsk)) {
		seen = append(seen, OutOfHours)
	}
	b := new(pgx.Batch)
	ask := func(p Pattern, question string, args ...any) {
		b.Queue(question, args...).QueryRow(func(row pgx.Row) error {
			var unusual bool
			err := row.Scan(&unusual)
			if unusual {
				seen = append(seen, p)
			}
			return err
		})
	}
	if e == Issuance {
		ask(ManyIssuances, manyIssuances, f.by.Person, f.at.Add(-time.Hour), policy.IssuancesInHour.In(d.policies))
	}
	if e.restores() {
		ask(ManyRestorations, manyRestorations, f.by.Person, f.at.Add(-time.Hour), policy.RestorationsInHour.In(d.policies))
	}
	if phone != (identity.Phone{}) {
		near, err := d.neighbours(phone)
		if err != nil {
			return err
		}
		ask(NeighbouringPhones, neighbouringPhones, near, f.person.ID, f.by.Office, f.at.Add(-neighboursSeen), policy.NeighbouringPhones.In(d.policies))
	}
	if e.restores() && phone != (identity.Phone{}) && !f.same {
		ask(BlockedAndRestored, blockedBySame, f.person.ID, f.by.Person, f.at.Add(-blockSeen))
	}
	if e.restores() && f.report == document.Attested {
		index, err := identity.DocumentIndex(d.box, f.document.Number)
		if err != nil {
			return err
		}
		ask(UnvouchedDocument, anotherDocument, f.person.ID, index)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("watch the %s: %w", e, err)
	}
	b = new(pgx.Batch)
	for _, p := range seen {
		p.queue(b, f.by, f.at)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("record what is unusual: %w", err)
	}
	d.count(seen...)
	return nil
}

// neighbours are the indexes of the numbers beside one.
func (d *Desk) neighbours(phone identity.Phone) ([][]byte, error) {
	near := phone.Neighbours(neighbours)
	indexes := make([][]byte, len(near))
	for i, n := range near {
		var err error
		if indexes[i], err = identity.PhoneIndex(d.box, n); err != nil {
			return nil, err
		}
	}
	return indexes, nil
}

// count tells those who watch over many desks.
func (d *Desk) count(seen ...Pattern) {
	for _, p := range seen {
		d.unusual.WithLabelValues(string(p)).Inc()
	}
}
