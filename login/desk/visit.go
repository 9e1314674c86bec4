package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/document"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/login/sms"
	"asoba.example/provider/audit"
)

// Meanings.
var (
	ErrNoVisit = errors.New("no such visit of this clerk")
	ErrOver    = errors.New("the visit is over")
	ErrAway    = errors.New("a register that must be asked does not answer")
)

// A visit for an errand as it is kept.
type visit struct {
	id          uuid.UUID
	errand      Errand
	person      uuid.UUID
	identifier  identity.Identifier
	document    identity.Document
	names       identity.Names
	phone       identity.Phone
	attested    []Attestation
	report      document.Report
	register    string // as in facts, at its end
	clerk       uuid.UUID
	language    string
	codeKey     []byte // of the request by which another code was sent last
	openedAt    time.Time
	confirmedAt *time.Time
	assignedAt  *time.Time
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
	v, err := d.find(ctx, by, e, id)
	switch {
	case e == Issuance && errors.Is(err, ErrNoVisit):
		_, err := d.pending(ctx, by, id)
		return Pending, "", err
	case err != nil:
		return "", "", err
	case v.assignedAt != nil:
		_, sent, err := d.assigned(ctx, v.person)
		return Assigned, sent, err
	case v.confirmedAt != nil:
		return Confirmed, "", nil
	}
	return Opened, "", nil
}

// OpenedBy gives the clerk whom a desk's system named when it opened a visit.
func (d *Desk) OpenedBy(ctx context.Context, e Errand, id uuid.UUID, clientID string) (identity.Identifier, error) {
	const read = `
		SELECT p.identification_number
		FROM issuance i JOIN person p ON p.id = i.clerk_id
		WHERE i.id = $1 AND i.errand = $2 AND i.client_id = $3`
	var number string
	err := d.pool.QueryRow(ctx, read, id, e, clientID).Scan(&number)
	if errors.Is(err, pgx.ErrNoRows) {
		return identity.Identifier{}, ErrNoVisit
	}
	if err != nil {
		return identity.Identifier{}, fmt.Errorf("find the clerk of visit %s: %w", id, err)
	}
	return identity.ParseIdentifier(number)
}

// find gives a visit to the clerk who opened it, while it lasts, and once it has come to its end.
func (d *Desk) find(ctx context.Context, by By, e Errand, id uuid.UUID) (visit, error) {
	const read = `
		SELECT p.identification_number, i.person_id, i.presented, i.document_report, i.attested,
		       i.clerk_id, i.language, i.code_key, i.opened_at, i.phone_confirmed_at, i.assigned_at
		FROM issuance i JOIN person p ON p.id = i.person_id
		WHERE i.id = $1 AND i.errand = $2 AND i.opened_at IS NOT NULL`
	var (
		v      = visit{id: id, errand: e}
		number string
		sealed []byte
	)
	err := d.pool.QueryRow(ctx, read, id, e).Scan(&number, &v.person, &sealed, &v.report, &v.attested,
		&v.clerk, &v.language, &v.codeKey, &v.openedAt, &v.confirmedAt, &v.assignedAt)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return visit{}, ErrNoVisit
	case err != nil:
		return visit{}, fmt.Errorf("find visit %s: %w", id, err)
	case v.clerk != by.Person:
		return visit{}, ErrNoVisit
	case v.assignedAt == nil && d.now().Sub(v.openedAt) > policy.VisitFor.In(d.policies):
		return visit{}, ErrOver
	}
	p, err := d.open(place("issuance", id), sealed)
	if err != nil {
		return visit{}, err
	}
	if v.identifier, err = identity.ParseIdentifier(number); err != nil {
		return visit{}, fmt.Errorf("find visit %s: %w", id, err)
	}
	v.document, v.names = identity.Document(p.Document), p.Names
	v.phone, err = identity.ParsePhone(p.Phone)
	return v, err
}

// event is the record of a step of a visit.
func event(kind audit.Kind, by By, person uuid.UUID, at time.Time) audit.Event {
	return audit.Event{Kind: kind, At: at, Person: person, Clerk: by.Person, Office: by.Office, ClientID: by.ClientID}
}
