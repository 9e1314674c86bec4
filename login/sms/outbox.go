package sms

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/login/identity"
	"asoba.example/provider/grant"
	"asoba.example/provider/seal"
)

// State of a message.
type State string

// States. A desk is told no more than Queued, Delivered and Failed.
const (
	Queued    State = "queued"
	Sent      State = "sent"      // to a network that will tell what becomes of it
	Delivered State = "delivered" // to the phone, or to a network that tells nothing more
	Failed    State = "failed"
)

// before are the states that one may follow, as drawn in doc.go.
var before = map[State][]State{
	Sent:      {Queued},
	Delivered: {Queued, Sent},
	Failed:    {Queued, Sent},
}

// move moves a message to a state that may follow its own, by a gateway's word, and otherwise leaves it. Only what is queued is still
// to be sent, so everything personal that was kept of it goes. That it has failed only the gateway can tell that was asked last: another,
// whose window is over, knows of nothing but its own.
func move(ctx context.Context, pool *pgxpool.Pool, id uuid.UUID, to State, gateway string, at time.Time) error {
	const update = `
		UPDATE sms_message
		SET state = $2, phone = NULL, text = NULL, settled_at = CASE WHEN $2 IN ('delivered', 'failed') THEN $4::timestamptz END
		WHERE id = $1 AND state = ANY ($5) AND ($2 <> 'failed' OR coalesce(gateway, '') = $3)`
	if _, err := pool.Exec(ctx, update, id, to, gateway, at, before[to]); err != nil {
		return fmt.Errorf("settle message %s: %w", id, err)
	}
	return nil
}

// An Outbox keeps messages until they have left.
type Outbox struct {
	Pool *pgxpool.Pool
	Box  *seal.Box
	Jobs grant.Jobs
}

var _ identity.Messages = (*Outbox)(nil)

// Put queues a message in the act's transaction, sealed. One to no phone, whose time is over, is put like any other, so
// that nobody can tell from the time it takes; it is not sent.
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
		VALUES ($1, nullif($2, '00000000-0000-0000-0000-000000000000'::uuid), $3, $4, $5, 'queued', $6, $7)`
	if _, err := tx.Exec(ctx, insert, id, m.Person, m.Kind, phone, text, m.At, m.Till); err != nil {
		return fmt.Errorf("queue a message: %w", err)
	}
	if _, err := o.Jobs.InsertTx(ctx, tx, Delivery{ID: id}, nil); err != nil {
		return fmt.Errorf("queue a message: %w", err)
	}
	return nil
}

// TakeBack fails what is still to be sent to a person, in the act's transaction: all of it, where no kinds are named.
func (o *Outbox) TakeBack(ctx context.Context, tx pgx.Tx, person uuid.UUID, at time.Time, kinds ...identity.MessageKind) error {
	const update = `
		UPDATE sms_message SET state = 'failed', phone = NULL, text = NULL, settled_at = $2
		WHERE person_id = $1 AND state = 'queued' AND ($3::text[] IS NULL OR kind = ANY ($3))`
	if _, err := tx.Exec(ctx, update, person, at, kinds); err != nil {
		return fmt.Errorf("take back the messages to %s: %w", person, err)
	}
	return nil
}

// Last tells how it stands with the last message of a kind to a person: whoever waits for a receipt waits.
func (o *Outbox) Last(ctx context.Context, person uuid.UUID, kind identity.MessageKind) (State, error) {
	const read = `
		SELECT CASE state WHEN 'sent' THEN 'queued' ELSE state END FROM sms_message
		WHERE person_id = $1 AND kind = $2
		ORDER BY id DESC LIMIT 1`
	var state State
	if err := o.Pool.QueryRow(ctx, read, person, kind).Scan(&state); err != nil {
		return "", fmt.Errorf("find the last message to %s: %w", person, err)
	}
	return state, nil
}

// Sealed are the columns of this room that hold what is sealed.
var Sealed = []seal.Column{
	{Table: "sms_message", Name: "phone", Row: "id"},
	{Table: "sms_message", Name: "text", Row: "id"},
}

func phonePlace(id uuid.UUID) string { return "sms_message:phone:" + id.String() }
func textPlace(id uuid.UUID) string  { return "sms_message:text:" + id.String() }
