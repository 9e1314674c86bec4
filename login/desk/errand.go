package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/code"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/login/register"
	"asoba.example/login/sms"
	"asoba.example/provider/audit"
)

// Meanings.
var (
	ErrNoVisit = errors.New("no such visit of this clerk")
	ErrOver    = errors.New("the visit is over")
)

// An Errand is what a visit is for, where a phone is to be confirmed in it.
type Errand string

// Errands. Unblock and Reissue are visits only where another phone comes with them.
const (
	Issuance    Errand = "issuance"
	PhoneChange Errand = "phone_change"
	Unblock     Errand = "unblock"
	Reissue     Errand = "reissue"
)

// guards are those of an errand but for the phone's confirmation.
func (e Errand) guards() guards {
	switch e {
	case PhoneChange:
		return forChangingPhone()
	case Unblock, Reissue:
		return append(forServing(), attested(PhoneUse), unused())
	case Issuance:
	}
	return forIssuing()
}

// fits tells whether the errand can end well as the identifier stands now. Where it
// cannot, no code goes to a phone; at the end the act itself decides.
func (e Errand) fits(f facts) bool {
	switch e {
	case PhoneChange:
		return (f.state == identity.Temporary || f.state == identity.Active) && !f.same
	case Unblock:
		return f.state == identity.Blocked
	case Reissue:
		return f.state == identity.Temporary
	case Issuance: // a guard has told
	}
	return true
}

// opened is the record of an opening.
func (e Errand) opened() audit.Kind {
	switch e {
	case PhoneChange:
		return audit.PhoneChangeOpened
	case Unblock:
		return audit.UnblockOpened
	case Reissue:
		return audit.ReissueOpened
	case Issuance:
	}
	return audit.IssuanceOpened
}

// A visit for an errand as it is kept.
type issuance struct {
	id          uuid.UUID
	errand      Errand
	person      uuid.UUID
	identifier  string
	document    identity.Document
	names       identity.Names
	phone       identity.Phone
	attested    []Attestation
	clerk       uuid.UUID
	language    string
	openedAt    time.Time
	confirmedAt *time.Time
	assignedAt  *time.Time
}

// An Opening is a visit in which a phone is to be confirmed.
type Opening struct {
	Visit
	Names identity.Names // of an issuance
	Phone identity.Phone
}

// Open opens a visit under every guard but the phone's confirmation, and
// sends the code that confirms it.
func (d *Desk) Open(ctx context.Context, by By, e Errand, o Opening) (uuid.UUID, error) {
	at := d.now()
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, err
	}
	var person uuid.UUID
	err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		f := facts{at: at, by: by, document: o.Document, attested: o.Attested, minimumAge: policy.MinimumAge.In(d.policies)}
		if err := d.look(ctx, tx, &f, o.Identifier.Reveal(), o.Phone); err != nil {
			return err
		}
		person = f.person.ID
		if err := e.guards().check(f); err != nil {
			return err
		}
		if !e.fits(f) {
			return identity.ErrState
		}
		if err := d.insert(ctx, tx, id, person, by, e, o, at); err != nil {
			return err
		}
		return audit.Record(ctx, tx, event(e.opened(), by, person, at))
	})
	if err != nil {
		return uuid.Nil, d.record(ctx, err, by, person, string(e), at)
	}
	if _, err := d.codes.Send(ctx, code.ConfirmPhone, person, id.String(), o.Phone, o.Language); err != nil {
		return uuid.Nil, err
	}
	return id, nil
}

// Resend sends another code, where the earlier one was lost or is over.
func (d *Desk) Resend(ctx context.Context, by By, e Errand, id uuid.UUID) (code.Sent, error) {
	i, err := d.find(ctx, by, e, id)
	if err != nil {
		return code.Sent{}, err
	}
	return d.codes.Send(ctx, code.ConfirmPhone, i.person, id.String(), i.phone, i.language)
}

// ConfirmPhone takes the code that came to the phone, from the person's own mouth:
// so the person confirms the use of the number (resolution 792 ¶4).
func (d *Desk) ConfirmPhone(ctx context.Context, by By, e Errand, id uuid.UUID, typed string) error {
	i, err := d.find(ctx, by, e, id)
	if err != nil || i.confirmedAt != nil {
		return err
	}
	digits, ok := code.Parse(typed)
	if !ok {
		return code.ErrWrong
	}
	if err := d.codes.Check(ctx, code.ConfirmPhone, i.person, id.String(), digits); err != nil {
		return err
	}
	const update = `UPDATE issuance SET phone_confirmed_at = $2 WHERE id = $1 AND phone_confirmed_at IS NULL`
	at := d.now()
	return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, update, id, at)
		if err != nil {
			return fmt.Errorf("confirm the phone: %w", err)
		}
		if tag.RowsAffected() == 0 { // another window was quicker with the same code
			return nil
		}
		return audit.Record(ctx, tx, event(audit.PhoneConfirmed, by, i.person, at))
	})
}

// errAssigned says that this very visit has come to its end before.
var errAssigned = errors.New("assigned already")

// taking is the act that ends a visit.
func (d *Desk) taking(by By, i issuance) identity.Act {
	act := by.act(d.now(), i.language)
	act.Within = func(ctx context.Context, tx pgx.Tx) error { return d.take(ctx, tx, by, i, act.At) }
	return act
}

// take ends the visit with the assignment, in the assignment's transaction.
func (d *Desk) take(ctx context.Context, tx pgx.Tx, by By, i issuance, at time.Time) error {
	const lock = `SELECT phone_confirmed_at IS NOT NULL, assigned_at IS NOT NULL FROM issuance WHERE id = $1 FOR UPDATE`
	f := facts{at: at, by: by, document: i.document, attested: i.attested, minimumAge: policy.MinimumAge.In(d.policies)}
	var done bool
	if err := tx.QueryRow(ctx, lock, i.id).Scan(&f.confirmed, &done); err != nil {
		return fmt.Errorf("take up visit %s: %w", i.id, err)
	}
	if done {
		return errAssigned
	}
	if err := d.look(ctx, tx, &f, i.identifier, i.phone); err != nil {
		return err
	}
	if err := append(i.errand.guards(), confirmed()).check(f); err != nil {
		return err
	}
	const update = `UPDATE issuance SET assigned_at = $2 WHERE id = $1`
	if _, err := tx.Exec(ctx, update, i.id, at); err != nil {
		return fmt.Errorf("end visit %s: %w", i.id, err)
	}
	if i.errand != Issuance {
		return nil
	}
	return d.watch(ctx, tx, by, i.phone, at)
}

// A Stage is how far a visit has come.
type Stage string

// Stages.
const (
	Opened    Stage = "opened"
	Confirmed Stage = "confirmed"
	Assigned  Stage = "assigned"
)

// Stage tells how far a visit has come, and once it is at its end, how it stands
// with the temporary password, where one was sent.
func (d *Desk) Stage(ctx context.Context, by By, e Errand, id uuid.UUID) (Stage, sms.State, error) {
	i, err := d.find(ctx, by, e, id)
	switch {
	case err != nil:
		return "", "", err
	case i.assignedAt != nil:
		_, sent, err := d.assigned(ctx, i.person)
		return Assigned, sent, err
	case i.confirmedAt != nil:
		return Confirmed, "", nil
	}
	return Opened, "", nil
}

// OpenedBy gives the clerk whom a desk's system named when it opened a visit, and the office.
func (d *Desk) OpenedBy(ctx context.Context, e Errand, id uuid.UUID, clientID string) (identity.Identifier, string, error) {
	const read = `
		SELECT p.identification_number, i.office
		FROM issuance i JOIN person p ON p.id = i.clerk_id
		WHERE i.id = $1 AND i.errand = $2 AND i.client_id = $3`
	var number, office string
	err := d.pool.QueryRow(ctx, read, id, e, clientID).Scan(&number, &office)
	if errors.Is(err, pgx.ErrNoRows) {
		return identity.Identifier{}, "", ErrNoVisit
	}
	if err != nil {
		return identity.Identifier{}, "", fmt.Errorf("find the clerk of visit %s: %w", id, err)
	}
	who, err := identity.ParseIdentifier(number)
	return who, office, err
}

// look finds what the guards of an errand look at, and keeps it as it is until
// the transaction ends: of the register, by a lock; of identities, by their keys.
func (d *Desk) look(ctx context.Context, tx pgx.Tx, f *facts, number string, phone identity.Phone) error {
	person, err := register.Hold(ctx, tx, number)
	if errors.Is(err, register.ErrUnknown) {
		return nil // for a guard to tell
	}
	if err != nil {
		return err
	}
	f.person = person
	index, err := identity.PhoneIndex(d.box, phone)
	if err != nil {
		return err
	}
	// The phone of a blocked identifier is not in use: it stays with it until another person has confirmed it here.
	const read = `
		SELECT coalesce((SELECT state FROM identity WHERE person_id = $1), 'none'),
		       EXISTS (SELECT FROM identity WHERE phone_index = $2 AND person_id = $1),
		       EXISTS (SELECT FROM identity WHERE phone_index = $2 AND person_id <> $1 AND state <> 'blocked')`
	if err := tx.QueryRow(ctx, read, person.ID, index).Scan(&f.state, &f.same, &f.used); err != nil {
		return fmt.Errorf("look at identities: %w", err)
	}
	return nil
}

func (d *Desk) insert(ctx context.Context, tx pgx.Tx, id, person uuid.UUID, by By, e Errand, o Opening, at time.Time) error {
	sealed, err := d.seal(place("issuance", id), presented{
		Document: document(o.Document), Names: o.Names, Phone: o.Phone.Reveal(),
	})
	if err != nil {
		return err
	}
	const insert = `
		INSERT INTO issuance (id, errand, person_id, presented, attested, basis_number, basis_date,
		                      clerk_id, office, client_id, language, opened_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
	if _, err := tx.Exec(ctx, insert, id, e, person, sealed, o.Attested, o.Basis.Number, o.Basis.Date,
		by.Person, by.Office, by.ClientID, o.Language, at); err != nil {
		return fmt.Errorf("open a visit: %w", err)
	}
	return nil
}

// find gives a visit to the clerk who opened it, while its visit lasts.
func (d *Desk) find(ctx context.Context, by By, e Errand, id uuid.UUID) (issuance, error) {
	const read = `
		SELECT p.identification_number, i.person_id, i.presented, i.attested,
		       i.clerk_id, i.language, i.opened_at, i.phone_confirmed_at, i.assigned_at
		FROM issuance i JOIN person p ON p.id = i.person_id
		WHERE i.id = $1 AND i.errand = $2`
	var (
		i      = issuance{id: id, errand: e}
		sealed []byte
	)
	err := d.pool.QueryRow(ctx, read, id, e).Scan(&i.identifier, &i.person, &sealed, &i.attested,
		&i.clerk, &i.language, &i.openedAt, &i.confirmedAt, &i.assignedAt)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return issuance{}, ErrNoVisit
	case err != nil:
		return issuance{}, fmt.Errorf("find visit %s: %w", id, err)
	case i.clerk != by.Person:
		return issuance{}, ErrNoVisit
	case d.now().Sub(i.openedAt) > policy.VisitFor.In(d.policies):
		return issuance{}, ErrOver
	}
	p, err := d.open(place("issuance", id), sealed)
	if err != nil {
		return issuance{}, err
	}
	i.document, i.names = identity.Document(p.Document), p.Names
	i.phone, err = identity.ParsePhone(p.Phone)
	return i, err
}

// event is the record of a step of a visit.
func event(kind audit.Kind, by By, person uuid.UUID, at time.Time) audit.Event {
	return audit.Event{Kind: kind, At: at, Person: person, Clerk: by.Person, Office: by.Office, ClientID: by.ClientID}
}
