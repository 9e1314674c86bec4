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
)

// Assign ends a visit with what it was opened for, in one act, with every guard
// looked at again within it. Who asks again is told what became of it.
func (d *Desk) Assign(ctx context.Context, by By, e Errand, id uuid.UUID) (Outcome, error) {
	v, err := d.find(ctx, by, e, id)
	if err != nil {
		return Outcome{}, err
	}
	v.register = d.inquire(ctx, v.identifier)
	v.report = d.again(ctx, v)
	var seen []Pattern
	act := by.act(d.now(), v.language)
	act.Document = vouchedFor(v.report, v.document)
	act.Within = func(ctx context.Context, tx pgx.Tx) (err error) {
		seen, err = d.take(ctx, tx, by, v, act.At)
		return err
	}
	state, err := e.end(ctx, d.registry, v, act)
	switch {
	case errors.Is(err, errAssigned):
		state, sent, err := d.assigned(ctx, v.person)
		return Outcome{id, state, sent}, err
	case err != nil:
		return Outcome{}, d.refused(ctx, guarded(err), by, v)
	}
	d.count(seen...)
	return Outcome{id, state, d.replaced(ctx, v.person, state)}, nil
}

// refused records that an assignment was refused, and counts it: the visit was counted when it was opened, and could be refused as often as
// anybody likes.
func (d *Desk) refused(ctx context.Context, err error, by By, v visit) error {
	if decided(err) != "" {
		if err := d.admit(ctx, by, string(v.errand)); err != nil {
			return err
		}
	}
	return d.record(ctx, err, by, v.person, string(v.errand))
}

// again asks once more about the document of a visit. If its register is away by now,
// what was said at the opening, a short time ago, holds.
func (d *Desk) again(ctx context.Context, v visit) document.Report {
	report, err := d.ask(ctx, v.identifier, v.document)
	if err != nil {
		return v.report
	}
	return report
}

// guarded gives the guard that does not hold where the identity's keys have told so.
func guarded(err error) error {
	for meaning, code := range map[error]string{
		identity.ErrAssigned:   "g2", // by another desk, a moment ago
		identity.ErrNoPhone:    "g3",
		identity.ErrPhoneTaken: "g4",
	} {
		if errors.Is(err, meaning) {
			return &GuardError{Code: code}
		}
	}
	return err
}

// assigned tells how it stands with the identifier of a visit that has come to its end.
func (d *Desk) assigned(ctx context.Context, person uuid.UUID) (identity.State, sms.State, error) {
	i, err := d.registry.Of(ctx, person)
	if err != nil {
		return "", "", err
	}
	return i.State, d.replaced(ctx, person, i.State), nil
}

// replaced tells how it stands with the temporary password, where there is one.
func (d *Desk) replaced(ctx context.Context, person uuid.UUID, state identity.State) sms.State {
	if state != identity.Temporary {
		return ""
	}
	return d.sent(ctx, person)
}

// errAssigned says that this very visit has come to its end before.
var errAssigned = errors.New("assigned already")

// take ends the visit with the assignment, in the assignment's transaction, and gives what was unusual.
func (d *Desk) take(ctx context.Context, tx pgx.Tx, by By, v visit, at time.Time) ([]Pattern, error) {
	const lock = `SELECT phone_confirmed_at IS NOT NULL, assigned_at IS NOT NULL FROM issuance WHERE id = $1 FOR UPDATE`
	f := facts{
		at: at, by: by, document: v.document, attested: v.attested, report: v.report, register: v.register, minimumAge: policy.MinimumAge.In(d.policies),
	}
	var done bool
	if err := tx.QueryRow(ctx, lock, v.id).Scan(&f.confirmed, &done); err != nil {
		return nil, fmt.Errorf("take up visit %s: %w", v.id, err)
	}
	if done {
		return nil, errAssigned
	}
	if err := d.look(ctx, tx, &f, v.identifier.Reveal(), v.phone); err != nil {
		return nil, err
	}
	if err := append(v.errand.guards(true), confirmed()).check(f); err != nil {
		return nil, err
	}
	if err := d.mayReissue(ctx, tx, v.errand, f); err != nil {
		return nil, err
	}
	const update = `UPDATE issuance SET assigned_at = $2, document_report = $3, renewed = $4 WHERE id = $1`
	if _, err := tx.Exec(ctx, update, v.id, at, v.report, v.errand.renews(f)); err != nil {
		return nil, fmt.Errorf("end visit %s: %w", v.id, err)
	}
	return d.watch(ctx, tx, v.errand, f, v.phone)
}
