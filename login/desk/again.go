package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/identity"
)

// ErrReused says that a clerk calls another request by the key of one whose act is done.
var ErrReused = errors.New("another request has this key")

// errNew says that a request has not done anything yet.
var errNew = errors.New("not asked before")

// A request is what asks for an act, to know it again; the zero one is known by nothing.
type request struct {
	key  []byte
	body []byte // of all that it asks
}

// request tells of an act how it is asked for, and of what is asked without a key nothing. What the digests are of is personal, so they are keyed.
func (d *Desk) request(by By, e Errand, o Opening) (q request, err error) {
	if q.key, err = d.key(by); err != nil || q.key == nil {
		return request{}, err
	}
	body, _ := json.Marshal(struct { // of strings, which always marshal
		Errand    Errand
		Presented presented
		Attested  []Attestation
		Basis     identity.Basis
		Language  string
	}{e, o.presented(), o.Attested, o.Basis, o.Language})
	q.body, err = d.box.Index("desk:request_body", body)
	return q, err
}

// key is whose a request is, what they call it, and what more is told by it; nil where they call it nothing.
func (d *Desk) key(by By, more ...string) ([]byte, error) {
	if by.Key == "" {
		return nil, nil
	}
	key, _ := json.Marshal(append([]string{by.ClientID, by.Person.String(), by.Key}, more...))
	return d.box.Index("desk:request_key", key)
}

// What was begun or done by a request.
type begun struct {
	id     uuid.UUID
	person uuid.UUID // none of an issuance that is pending
	stage  Stage     // of a visit, when it was begun
	facts  facts     // by which it was begun or refused; none where that was before
}

// once does what a request asks for, or tells what it has done before: whoever did not hear the answer asks again. A do that
// fails may be done all the same, where the database's answer was lost or the same request was quicker.
func (d *Desk) once(ctx context.Context, by By, e Errand, o Opening, do func(context.Context, By, Errand, Opening, request) (begun, error)) (begun, error) {
	q, err := d.request(by, e, o)
	if err != nil {
		return begun{}, err
	}
	before, err := d.begun(ctx, q)
	if !errors.Is(err, errNew) {
		return before, err
	}
	if err := d.admit(ctx, by, string(e)); err != nil {
		return begun{}, err
	}
	now, err := do(ctx, by, e, o, q)
	if err != nil {
		before, again := d.begun(ctx, q)
		if again == nil || errors.Is(again, ErrReused) || errors.Is(again, ErrOver) {
			return before, again
		}
	}
	return now, err
}

// begun finds what a request has done.
func (d *Desk) begun(ctx context.Context, q request) (b begun, err error) {
	const find = `
		SELECT id, person_id, '', request_body = $2, false FROM desk_act WHERE request_key = $1
		UNION ALL
		SELECT id, coalesce(person_id, $3), CASE WHEN opened_at IS NULL THEN 'pending' ELSE 'opened' END, request_body = $2, withdrawn_at IS NOT NULL
		FROM issuance WHERE request_key = $1
		UNION ALL
		SELECT id, person_id, '', false, false FROM issuance WHERE code_key = $1`
	if q.key == nil {
		return begun{}, errNew
	}
	var same, withdrawn bool
	err = d.pool.QueryRow(ctx, find, q.key, q.body, uuid.Nil).Scan(&b.id, &b.person, &b.stage, &same, &withdrawn)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return begun{}, errNew
	case err != nil:
		return begun{}, fmt.Errorf("find what a request has done: %w", err)
	case !same:
		return begun{}, ErrReused
	case withdrawn:
		return begun{}, errWithdrawn
	}
	return b, nil
}
