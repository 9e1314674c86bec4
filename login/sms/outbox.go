package sms

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/login/identity"
	"asoba.example/provider/grant"
	"asoba.example/provider/seal"
)

// State of a message. It is all that a desk is told of it.
type State string

// States.
const (
	Queued    State = "queued"
	Delivered State = "delivered" // to the gateway; whether the phone was on is the network's affair
	Failed    State = "failed"
)

// An Outbox keeps messages until they have left.
type Outbox struct {
	Pool *pgxpool.Pool
	Box  *seal.Box
	Jobs grant.Jobs
}

var _ identity.Outbox = (*Outbox)(nil)

// Put queues a message in the act's transaction, sealed.
func (o *Outbox) Put(ctx context.Context, tx pgx.Tx, m identity.Message) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	phone, err := o.Box.Seal(phonePlace(id), []byte(m.Phone.Reveal()))
	if err != nil {
		return fmt.Errorf("seal a message: %w", err)
	}
	text, err := o.Box.Seal(textPlace(id), []byte(m.Text))
	if err != nil {
		return fmt.Errorf("seal a message: %w", err)
	}
	const insert = `
		INSERT INTO sms_message (id, person_id, kind, phone, text, state, queued_at, till)
		VALUES ($1, $2, $3, $4, $5, 'queued', $6, $7)`
	if _, err := tx.Exec(ctx, insert, id, m.Person, m.Kind, phone, text, m.At, m.Till); err != nil {
		return fmt.Errorf("queue a message: %w", err)
	}
	if _, err := o.Jobs.InsertTx(ctx, tx, Delivery{ID: id}, nil); err != nil {
		return fmt.Errorf("queue a message: %w", err)
	}
	return nil
}

// Last tells how it stands with the last message of a kind to a person.
func (o *Outbox) Last(ctx context.Context, person uuid.UUID, kind identity.MessageKind) (State, error) {
	const read = `
		SELECT state FROM sms_message
		WHERE person_id = $1 AND kind = $2
		ORDER BY id DESC LIMIT 1`
	var state State
	if err := o.Pool.QueryRow(ctx, read, person, kind).Scan(&state); err != nil {
		return "", fmt.Errorf("find the last message to %s: %w", person, err)
	}
	return state, nil
}

func phonePlace(id uuid.UUID) string { return "sms_message:phone:" + id.String() }
func textPlace(id uuid.UUID) string  { return "sms_message:text:" + id.String() }
