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
	ManyBlocks         Pattern = "many_blocks"          // the same of blocks
	ManyRefusals       Pattern = "many_refusals"        // the same of refusals that decide of a person: somebody is trying what goes through
	StaffBlocked       Pattern = "staff_blocked"        // one of those who would see
	NeighbouringPhones Pattern = "neighbouring_phones"  // bought together, it seems, for people who have come one by one
	PassingPhone       Pattern = "passing_phone"        // it was brought to another person a while ago
	BlockedAndRestored Pattern = "blocked_and_restored" // with another phone, a while after that clerk, that office or that system blocked it
	UnvouchedDocument  Pattern = "unvouched_document"   // its register does not know it; or there is none, and it is not the one on record
	OutOfHours         Pattern = "out_of_hours"
)

// neighbours are how far apart two numbers are that were bought together. For so long back they are of interest, a block is, and a phone is
// that was another person's.
const (
	neighbours     = 10
	neighboursSeen = 24 * time.Hour
	blockSeen      = 30 * 24 * time.Hour
	phoneSeen      = 30 * 24 * time.Hour
)

// queue puts the record of something unusual into a batch, unless the clerk is on record for it within the hour. The act is an errand, a
// look-up, or the keeping or the reading of a paper.
func (p Pattern) queue(b *pgx.Batch, by By, act string, at time.Time) {
	audit.Event{
		Kind: audit.DeskAlerted, At: at, Clerk: by.Person, Office: by.Office, ClientID: by.ClientID,
		Detail: map[string]string{"pattern": string(p), "act": act},
	}.QueueUnlessWithin(b, time.Hour, "pattern")
}

// What is asked of an act and of those before it: whether it is unusual.
const (
	manyIssuances = `SELECT count(*) >= $3 FROM issuance WHERE clerk_id = $1 AND errand = 'issuance' AND assigned_at > $2`

	manyRestorations = `
		SELECT (SELECT count(*) FROM issuance WHERE clerk_id = $1 AND errand <> 'issuance' AND assigned_at > $2) +
		       (SELECT count(*) FROM desk_act WHERE clerk_id = $1 AND kind <> 'block' AND at > $2) >= $3`

	manyBlocks = `SELECT count(*) >= $3 FROM desk_act WHERE clerk_id = $1 AND kind = 'block' AND at > $2`

	manyRefusals = `
		SELECT count(*) >= $4 FROM event
		WHERE office = $1 AND at > $2 AND clerk_id = $3 AND kind = 'desk.refused'`

	ofTheStaff = `SELECT EXISTS (SELECT FROM clerk WHERE person_id = $1 AND removed_at IS NULL)`

	neighbouringPhones = `
		SELECT count(*) + 1 >= $5 FROM identity AS i
		WHERE i.phone_index = ANY ($1) AND i.person_id <> $2 AND EXISTS (
			SELECT FROM issuance AS v WHERE v.person_id = i.person_id AND v.office = $3 AND v.assigned_at > $4)`

	passingPhone = `SELECT EXISTS (SELECT FROM issuance WHERE phone_index = $1 AND person_id <> $2 AND assigned_at > $3)`

	blockedBySame = `
		SELECT EXISTS (
			SELECT FROM desk_act
			WHERE person_id = $1 AND kind = 'block' AND at > $2 AND (clerk_id = $3 OR office = $4 OR client_id = $5))`

	anotherDocument = `SELECT EXISTS (SELECT FROM identity WHERE person_id = $1 AND document_index IS DISTINCT FROM $2)`
)

// watch looks at an act in its own transaction as a supervisor would, and records what is unusual, which is to be counted once
// that is done. The phone is the one that comes with it; zero where none does. A clerk's other window may have to wait for that record, so whomever the act is upon is held before.
func (d *Desk) watch(ctx context.Context, tx pgx.Tx, e Errand, f facts, phone identity.Phone) (seen []Pattern, err error) {
	if d.closed(f.at) {
		seen = append(seen, OutOfHours)
	}
	if !e.restores() && f.report == document.Unknown { // where it would give access, a guard has refused it
		seen = append(seen, UnvouchedDocument)
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
	many, question, least := e.many()
	ask(many, question, f.by.Person, f.at.Add(-time.Hour), least.In(d.policies))
	if e == Block {
		ask(StaffBlocked, ofTheStaff, f.person.ID)
	}
	if phone != (identity.Phone{}) {
		near, err := d.neighbours(phone)
		if err != nil {
			return nil, err
		}
		index, err := identity.PhoneIndex(d.box, phone)
		if err != nil {
			return nil, err
		}
		ask(PassingPhone, passingPhone, index, f.person.ID, f.at.Add(-phoneSeen))
		ask(NeighbouringPhones, neighbouringPhones, near, f.person.ID, f.by.Office, f.at.Add(-neighboursSeen), policy.NeighbouringPhones.In(d.policies))
	}
	if e.restores() && phone != (identity.Phone{}) && !f.same {
		var system string // all clerks share the client of a desk's page
		if f.by.Named {
			system = f.by.ClientID
		}
		ask(BlockedAndRestored, blockedBySame, f.person.ID, f.at.Add(-blockSeen), f.by.Person, f.by.Office, system)
	}
	if e.restores() && f.report == document.Attested {
		index, err := identity.DocumentIndex(d.box, f.document.Number)
		if err != nil {
			return nil, err
		}
		ask(UnvouchedDocument, anotherDocument, f.person.ID, index)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return nil, fmt.Errorf("watch the %s: %w", e, err)
	}
	return seen, raise(ctx, tx, seen, f.by, string(e), f.at)
}

// raise records what is unusual, in the transaction of what was done.
func raise(ctx context.Context, tx pgx.Tx, seen []Pattern, by By, act string, at time.Time) error {
	b := new(pgx.Batch)
	for _, p := range seen {
		p.queue(b, by, act, at)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("record what is unusual: %w", err)
	}
	return nil
}

// closed tells that nobody should act at a desk.
func (d *Desk) closed(at time.Time) bool {
	return !policy.DeskHours.In(d.policies).Hold(at.In(identity.Minsk))
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

// count tells those who watch over many desks what was unusual in what is done.
func (d *Desk) count(seen ...Pattern) {
	for _, p := range seen {
		d.unusual.WithLabelValues(string(p)).Inc()
	}
}
