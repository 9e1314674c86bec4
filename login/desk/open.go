package desk

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/identity"
	"asoba.example/login/register"
	"asoba.example/provider/audit"
)

// An Opening is a visit in which a phone is to be confirmed.
type Opening struct {
	Papers
	Names identity.Names // of an issuance
	Phone identity.Phone
}

// Open opens a visit under every guard but the phone's confirmation, in one act with the
// code that confirms it: where no code may go now, there is no visit either. An issuance
// for which a register does not answer is kept as pending, and no code is sent. Who asks again by
// the same key is told of the same visit.
func (d *Desk) Open(ctx context.Context, by By, e Errand, o Opening) (uuid.UUID, Stage, error) {
	b, err := d.once(ctx, by, e, o, d.start)
	if err != nil {
		return uuid.Nil, "", d.record(ctx, err, by, b.facts.person.ID, string(e))
	}
	return b.id, b.stage, nil
}

// start opens a visit, or keeps an issuance as pending.
func (d *Desk) start(ctx context.Context, by By, e Errand, o Opening, q request) (b begun, err error) {
	if b.id, err = uuid.NewV7(); err != nil {
		return begun{}, err
	}
	b.stage, b.facts = Opened, d.facts(ctx, by, o.Papers)
	keep := func(ctx context.Context, tx pgx.Tx) error { return d.insert(ctx, tx, b, e, o, q) }
	err = d.begin(ctx, b.id, e, o, &b.facts, keep)
	if e != Issuance || !errors.Is(err, ErrAway) {
		return b, err
	}
	b.stage = Pending
	return b, pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		if err := d.mayBegin(ctx, tx, e, o, &b.facts); err != nil && !errors.Is(err, ErrAway) {
			return err
		}
		return keep(ctx, tx)
	})
}

// begin begins a visit and sends its code. The code counts against those that may go, so it
// is asked for only where the guards hold; and they are looked at again where the visit is kept.
func (d *Desk) begin(ctx context.Context, id uuid.UUID, e Errand, o Opening, f *facts, keep func(context.Context, pgx.Tx) error) error {
	if err := pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error { return d.mayBegin(ctx, tx, e, o, f) }); err != nil {
		return err
	}
	_, err := d.send(ctx, confirming(id, f.person.ID, o.Phone), o.Language, id, nil, func(ctx context.Context, tx pgx.Tx) error {
		if err := d.mayBegin(ctx, tx, e, o, f); err != nil {
			return err
		}
		return keep(ctx, tx)
	})
	return err
}

// mayBegin tells whether a visit for an errand may begin.
func (d *Desk) mayBegin(ctx context.Context, tx pgx.Tx, e Errand, o Opening, f *facts) error {
	if err := d.look(ctx, tx, f, o.Identifier.Reveal(), o.Phone); err != nil {
		return err
	}
	if err := e.guards(true).check(*f); err != nil {
		return err
	}
	if err := d.mayReissue(ctx, tx, e, *f); err != nil {
		return err
	}
	if !e.fits(*f) {
		return identity.ErrState
	}
	return nil
}

// opening is the record of an opening, with what vouches for the document, and whether the population register was asked, where that is known.
func (f facts) opening(e Errand, stage Stage) audit.Event {
	kind := opened[e]
	if stage == Pending {
		kind = audit.IssuancePending
	}
	said := event(kind, f.by, f.person.ID, f.at)
	said.Detail = map[string]string{"document": string(f.report), "register": f.register}
	maps.DeleteFunc(said.Detail, func(_, word string) bool { return word == "" })
	return said
}

// look finds what the guards of an errand look at, and keeps it as it is until the transaction ends: first the person in the register, then
// their identifier and that of whoever has the phone. What nobody has yet, the keys of identities keep.
func (d *Desk) look(ctx context.Context, tx pgx.Tx, f *facts, number string, phone identity.Phone) error {
	person, err := register.Hold(ctx, tx, number)
	// Whom it does not know yet may be in the next edition, and a guard tells; whose check digit is wrong as well is most probably nobody.
	if err != nil && (!errors.Is(err, register.ErrUnknown) || register.CheckNumber(number) != nil) {
		return err
	}
	f.person = person
	index, err := identity.PhoneIndex(d.box, phone)
	if err != nil {
		return err
	}
	if err := identity.HoldWith(ctx, tx, person.ID, index); err != nil {
		return err
	}
	// The phone of a blocked identifier is not in use: it stays with it until another person has confirmed it here. One that somebody has
	// asked for and proved is in use already: they will have it in a day.
	const read = `
		SELECT coalesce((SELECT state FROM identity WHERE person_id = $1), 'none'),
		       EXISTS (SELECT FROM identity WHERE phone_index = $2 AND person_id = $1),
		       EXISTS (SELECT FROM identity WHERE phone_index = $2 AND person_id <> $1 AND state <> 'blocked')
		       OR EXISTS (SELECT FROM phone_change WHERE phone_index = $2 AND person_id <> $1 AND due_at IS NOT NULL)`
	if err := tx.QueryRow(ctx, read, person.ID, index).Scan(&f.state, &f.same, &f.used); err != nil {
		return fmt.Errorf("look at identities: %w", err)
	}
	return nil
}

// insert keeps a visit, opened or pending, and records it.
func (d *Desk) insert(ctx context.Context, tx pgx.Tx, b begun, e Errand, o Opening, q request) error {
	f := b.facts
	kept := o.presented()
	if b.stage != Pending {
		kept.Identifier = ""
	}
	sealed, err := d.seal(place("issuance", b.id), kept)
	if err != nil {
		return err
	}
	phone, err := identity.PhoneIndex(d.box, o.Phone)
	if err != nil {
		return err
	}
	const insert = `
		INSERT INTO issuance (id, errand, person_id, presented, document_report, attested, basis_number, basis_date,
		                      clerk_id, office, client_id, language, phone_index, opened_at, pending_at, request_key, request_body)
		VALUES ($1, $2, nullif($3::uuid, $14), $4, nullif($5::text, ''), $6, $7, $8, $9, $10, $11, $12, $16,
		        CASE WHEN NOT $15 THEN $13::timestamptz END, CASE WHEN $15 THEN $13::timestamptz END, $17, $18)`
	if _, err := tx.Exec(ctx, insert, b.id, e, f.person.ID, sealed, f.report, o.Attested, o.Basis.Number, o.Basis.Date,
		f.by.Person, f.by.Office, f.by.ClientID, o.Language, f.at, uuid.Nil, b.stage == Pending, phone, q.key, q.body); err != nil {
		return fmt.Errorf("open a visit: %w", err)
	}
	return audit.Record(ctx, tx, f.opening(e, b.stage))
}
