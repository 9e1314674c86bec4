package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/code"
	"asoba.example/login/document"
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
	ErrAway    = errors.New("a register that must be asked does not answer")
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
	identifier  identity.Identifier
	document    identity.Document
	names       identity.Names
	phone       identity.Phone
	attested    []Attestation
	report      document.Report
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
// sends the code that confirms it. An issuance for which a register does not
// answer is kept as pending, and no code is sent.
func (d *Desk) Open(ctx context.Context, by By, e Errand, o Opening) (uuid.UUID, Stage, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, "", err
	}
	f := d.facts(ctx, by, o.Visit)
	stage := Opened
	err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		if err := d.look(ctx, tx, &f, o.Identifier.Reveal(), o.Phone); err != nil {
			return err
		}
		err := e.guards().check(f)
		switch {
		case e == Issuance && errors.Is(err, ErrAway):
			stage = Pending
		case err != nil:
			return err
		case !e.fits(f):
			return identity.ErrState
		}
		if err := d.insert(ctx, tx, id, e, stage, o, f); err != nil {
			return err
		}
		return audit.Record(ctx, tx, f.opening(e, stage))
	})
	if err != nil {
		return uuid.Nil, "", d.record(ctx, err, by, f.person.ID, string(e), f.at)
	}
	if stage == Pending {
		return id, stage, nil
	}
	if _, err := d.codes.Send(ctx, code.ConfirmPhone, f.person.ID, id.String(), o.Phone, o.Language); err != nil {
		return uuid.Nil, "", err
	}
	return id, stage, nil
}

// opening is the record of an opening, with what vouches for the document where that is known.
func (f facts) opening(e Errand, stage Stage) audit.Event {
	kind := e.opened()
	if stage == Pending {
		kind = audit.IssuancePending
	}
	said := event(kind, f.by, f.person.ID, f.at)
	if f.report != "" {
		said.Detail = map[string]string{"document": string(f.report)}
	}
	return said
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
	f := facts{
		at: at, by: by, document: i.document, attested: i.attested, report: i.report, minimumAge: policy.MinimumAge.In(d.policies),
	}
	var done bool
	if err := tx.QueryRow(ctx, lock, i.id).Scan(&f.confirmed, &done); err != nil {
		return fmt.Errorf("take up visit %s: %w", i.id, err)
	}
	if done {
		return errAssigned
	}
	if err := d.look(ctx, tx, &f, i.identifier.Reveal(), i.phone); err != nil {
		return err
	}
	if err := append(i.errand.guards(), confirmed()).check(f); err != nil {
		return err
	}
	const update = `UPDATE issuance SET assigned_at = $2, document_report = $3 WHERE id = $1`
	if _, err := tx.Exec(ctx, update, i.id, at, i.report); err != nil {
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
	Pending   Stage = "pending" // of an issuance: a register does not answer
	Opened    Stage = "opened"
	Confirmed Stage = "confirmed"
	Assigned  Stage = "assigned"
)

// Stage tells how far a visit has come, and once it is at its end, how it stands
// with the temporary password, where one was sent.
func (d *Desk) Stage(ctx context.Context, by By, e Errand, id uuid.UUID) (Stage, sms.State, error) {
	i, err := d.find(ctx, by, e, id)
	switch {
	case e == Issuance && errors.Is(err, ErrNoVisit):
		_, err := d.waiting(ctx, by, id)
		return Pending, "", err
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
	if err != nil && !errors.Is(err, register.ErrUnknown) { // whom it does not know a guard tells
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

// insert keeps a visit, opened or pending.
func (d *Desk) insert(ctx context.Context, tx pgx.Tx, id uuid.UUID, e Errand, stage Stage, o Opening, f facts) error {
	kept := presented{Document: shown(o.Document), Names: o.Names, Phone: o.Phone.Reveal()}
	if stage == Pending {
		kept.Identifier = o.Identifier.Reveal()
	}
	sealed, err := d.seal(place("issuance", id), kept)
	if err != nil {
		return err
	}
	const insert = `
		INSERT INTO issuance (id, errand, person_id, presented, document_report, attested, basis_number, basis_date,
		                      clerk_id, office, client_id, language, opened_at, pending_at)
		VALUES ($1, $2, nullif($3::uuid, $14), $4, nullif($5::text, ''), $6, $7, $8, $9, $10, $11, $12,
		        CASE WHEN NOT $15 THEN $13::timestamptz END, CASE WHEN $15 THEN $13::timestamptz END)`
	if _, err := tx.Exec(ctx, insert, id, e, f.person.ID, sealed, f.report, o.Attested, o.Basis.Number, o.Basis.Date,
		f.by.Person, f.by.Office, f.by.ClientID, o.Language, f.at, uuid.Nil, stage == Pending); err != nil {
		return fmt.Errorf("open a visit: %w", err)
	}
	return nil
}

// find gives a visit to the clerk who opened it, while its visit lasts.
func (d *Desk) find(ctx context.Context, by By, e Errand, id uuid.UUID) (issuance, error) {
	const read = `
		SELECT p.identification_number, i.person_id, i.presented, i.document_report, i.attested,
		       i.clerk_id, i.language, i.opened_at, i.phone_confirmed_at, i.assigned_at
		FROM issuance i JOIN person p ON p.id = i.person_id
		WHERE i.id = $1 AND i.errand = $2 AND i.opened_at IS NOT NULL`
	var (
		i      = issuance{id: id, errand: e}
		number string
		sealed []byte
	)
	err := d.pool.QueryRow(ctx, read, id, e).Scan(&number, &i.person, &sealed, &i.report, &i.attested,
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
	if i.identifier, err = identity.ParseIdentifier(number); err != nil {
		return issuance{}, fmt.Errorf("find visit %s: %w", id, err)
	}
	i.document, i.names = identity.Document(p.Document), p.Names
	i.phone, err = identity.ParsePhone(p.Phone)
	return i, err
}

// event is the record of a step of a visit.
func event(kind audit.Kind, by By, person uuid.UUID, at time.Time) audit.Event {
	return audit.Event{Kind: kind, At: at, Person: person, Clerk: by.Person, Office: by.Office, ClientID: by.ClientID}
}
