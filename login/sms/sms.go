package sms

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/login/identity"
	"asoba.example/provider/seal"
)

// A Gateway hands one message to an operator's network. It answers when the network has taken it.
type Gateway interface {
	Send(ctx context.Context, id uuid.UUID, kind, e164, text string) error
}

// An Outbox keeps messages until they have left. It implements identity.Outbox.
type Outbox struct {
	Pool    *pgxpool.Pool
	Box     *seal.Box
	Gateway Gateway
	Jobs    interface{} // river inserter
	Now     func() time.Time
}

// Put queues a message in the act's transaction, sealed.
func (o *Outbox) Put(ctx context.Context, tx pgx.Tx, m identity.Message) (uuid.UUID, error) {
	panic("unwritten")
}

// State of a message: queued, delivered or failed. The desk sees only this.
func (o *Outbox) State(ctx context.Context, id uuid.UUID) (string, error) { panic("unwritten") }
