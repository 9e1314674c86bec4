package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider/audit"
)

// A PendingIssuance is one as its office sees it: by its paper.
type PendingIssuance struct {
	ID    uuid.UUID
	Basis identity.Basis
	At    time.Time
	Till  time.Time // afterwards it is forgotten
}

// Pending lists the pending issuances of an office, in the order in which they came.
func (d *Desk) Pending(ctx context.Context, office string, after uuid.UUID, limit int) ([]PendingIssuance, error) {
	const read = `
		SELECT id, basis_number, basis_date::text, pending_at
		FROM issuance
		WHERE opened_at IS NULL AND withdrawn_at IS NULL AND office = $1 AND id > $2 AND pending_at >= $3
		ORDER BY id LIMIT $4`
	term := policy.PendingFor.In(d.policies)
	rows, err := d.pool.Query(ctx, read, office, after, d.now().Add(-term), limit)
	if err != nil {
		return nil, fmt.Errorf("list the pending issuances: %w", err)
	}
	pending, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (i PendingIssuance, err error) {
		err = row.Scan(&i.ID, &i.Basis.Number, &i.Basis.Date, &i.At)
		i.At = i.At.UTC()
		i.Till = i.At.Add(term)
		return i, err
	})
	if err != nil {
		return nil, fmt.Errorf("list the pending issuances: %w", err)
	}
	return pending, nil
}

// errWithdrawn says that a pending issuance was withdrawn.
var errWithdrawn = fmt.Errorf("withdrawn: %w", ErrOver)

// pending gives a pending issuance to the clerks of its office, for its term.
func (d *Desk) pending(ctx context.Context, by By, id uuid.UUID) (Opening, error) {
	const read = `
		SELECT presented, basis_number, basis_date::text, language, pending_at, withdrawn_at IS NOT NULL
		FROM issuance
		WHERE id = $1 AND opened_at IS NULL AND office = $2`
	var (
		o         Opening
		sealed    []byte
		since     time.Time
		withdrawn bool
	)
	err := d.pool.QueryRow(ctx, read, id, by.Office).Scan(&sealed, &o.Basis.Number, &o.Basis.Date, &o.Language, &since, &withdrawn)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Opening{}, ErrNoVisit
	case err != nil:
		return Opening{}, fmt.Errorf("find pending issuance %s: %w", id, err)
	case withdrawn:
		return Opening{}, errWithdrawn
	case d.now().Sub(since) > policy.PendingFor.In(d.policies):
		return Opening{}, ErrOver
	}
	p, err := d.open(place("issuance", id), sealed)
	if err != nil {
		return Opening{}, err
	}
	if o.Identifier, err = identity.ParseIdentifier(p.Identifier); err != nil {
		return Opening{}, fmt.Errorf("find pending issuance %s: %w", id, err)
	}
	o.Document, o.Names = identity.Document(p.Document), p.Names
	o.Phone, err = identity.ParsePhone(p.Phone)
	return o, err
}

// errTaken says that another window was quicker.
var errTaken = errors.New("resumed or withdrawn already")

// Resume goes on with a pending issuance of the clerk's office when the person has
// come again, who attests anew: under the guards of an opening, and in one act with the
// code that goes to the phone. It stays pending where a register is still away, and where no
// code may go now. Who asks again is told how far the issuance has come.
func (d *Desk) Resume(ctx context.Context, by By, id uuid.UUID, attested []Attestation) (Stage, error) {
	o, err := d.pending(ctx, by, id)
	if errors.Is(err, ErrNoVisit) {
		return d.resumed(ctx, by, id)
	}
	if err != nil {
		return "", err
	}
	if err := d.admit(ctx, by, string(Issuance)); err != nil {
		return "", err
	}
	o.Attested = attested
	f := d.facts(ctx, by, o.Papers)
	const update = `
		UPDATE issuance
		SET opened_at = $2, person_id = $3, document_report = $4, attested = $5, clerk_id = $6, client_id = $7
		WHERE id = $1 AND opened_at IS NULL AND withdrawn_at IS NULL`
	err = d.begin(ctx, id, Issuance, o, &f, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, update, id, f.at, f.person.ID, f.report, attested, by.Person, by.ClientID)
		if err != nil {
			return fmt.Errorf("resume issuance %s: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			return errTaken
		}
		return audit.Record(ctx, tx, f.opening(Issuance, Opened))
	})
	switch {
	case errors.Is(err, ErrAway):
		return Pending, nil
	case errors.Is(err, errTaken):
		return d.resumed(ctx, by, id)
	case err != nil:
		return "", d.record(ctx, err, by, f.person.ID, string(Issuance))
	}
	return Opened, nil
}

// resumed tells how far an issuance is that the clerk has resumed before.
func (d *Desk) resumed(ctx context.Context, by By, id uuid.UUID) (Stage, error) {
	stage, _, err := d.Stage(ctx, by, Issuance, id)
	return stage, err
}

// Withdraw ends a pending issuance of the clerk's office with which nobody is to go on: the person has thought better of it, or it is
// another's. What was written down of it is wiped. Who asks again is told that it is done.
func (d *Desk) Withdraw(ctx context.Context, by By, id uuid.UUID) error {
	_, err := d.pending(ctx, by, id)
	if err == nil {
		err = d.admit(ctx, by, string(Issuance))
	}
	if err == nil {
		err = d.wipe(ctx, by, id)
	}
	if errors.Is(err, errTaken) {
		_, err = d.pending(ctx, by, id)
	}
	if errors.Is(err, errWithdrawn) {
		return nil
	}
	return err
}

// wipe withdraws a pending issuance.
func (d *Desk) wipe(ctx context.Context, by By, id uuid.UUID) error {
	const wipe = `
		UPDATE issuance SET withdrawn_at = $2, presented = NULL, phone_index = NULL
		WHERE id = $1 AND opened_at IS NULL AND withdrawn_at IS NULL
		RETURNING coalesce(person_id, $3)`
	at := d.now()
	return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		var person uuid.UUID
		err := tx.QueryRow(ctx, wipe, id, at, uuid.Nil).Scan(&person)
		if errors.Is(err, pgx.ErrNoRows) {
			return errTaken
		}
		if err != nil {
			return fmt.Errorf("withdraw issuance %s: %w", id, err)
		}
		return audit.Record(ctx, tx, event(audit.IssuanceWithdrawn, by, person, at))
	})
}

// Forget deletes what was kept of pending issuances, and of visits that never came to their end, past the term of either.
func (d *Desk) Forget(ctx context.Context) error {
	const forget = `DELETE FROM issuance WHERE assigned_at IS NULL AND coalesce(opened_at, pending_at) < $1`
	if _, err := d.pool.Exec(ctx, forget, d.now().Add(-policy.PendingFor.In(d.policies))); err != nil {
		return fmt.Errorf("forget what came to nothing: %w", err)
	}
	return nil
}
