package sms

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"asoba.example/login/identity"
	"asoba.example/provider/seal"
)

// A Delivery is the job of sending one message.
type Delivery struct {
	ID uuid.UUID `json:"id"`
}

// Kind names the job.
func (Delivery) Kind() string { return "sms_delivery" }

// InsertOpts lets the message's own term end its tries; so many are never needed.
func (Delivery) InsertOpts() river.InsertOpts { return river.InsertOpts{MaxAttempts: 1000} }

// A Sender is the worker of deliveries: river.AddWorker(workers, sender).
type Sender struct {
	river.WorkerDefaults[Delivery]

	Pool    *pgxpool.Pool
	Box     *seal.Box
	Gateway Gateway
	Now     func() time.Time
}

// Work sends a message, unless that is done or its term is over. A gateway that
// does not take it is tried again, as long as the message would still be in time.
func (s *Sender) Work(ctx context.Context, job *river.Job[Delivery]) error {
	m, state, till, err := s.read(ctx, job.Args.ID)
	if err != nil || state != Queued {
		return err
	}
	if !s.Now().Before(till) {
		return s.settle(ctx, m.ID, Failed)
	}
	if err := s.Gateway.Send(ctx, m); err != nil {
		err = fmt.Errorf("send message %s: %w", m.ID, err)
		if s.NextRetry(job).Before(till) {
			return err
		}
		if err := s.settle(ctx, m.ID, Failed); err != nil {
			return err
		}
		return river.JobCancel(err)
	}
	return s.settle(context.WithoutCancel(ctx), m.ID, Delivered) // it has left, even if the program is stopping
}

// NextRetry doubles the pause from a second to an hour: a code gets nine tries
// in its five minutes, and a temporary password waits for a gateway that is down.
func (s *Sender) NextRetry(job *river.Job[Delivery]) time.Time {
	pause := time.Hour
	if job.Attempt <= 12 {
		pause = min(pause, time.Second<<(job.Attempt-1))
	}
	return s.Now().Add(pause)
}

// Timeout is longer than the gateway's own.
func (s *Sender) Timeout(*river.Job[Delivery]) time.Duration { return 2 * gatewayTimeout }

func (s *Sender) read(ctx context.Context, id uuid.UUID) (m Message, state State, till time.Time, err error) {
	const read = `SELECT kind, phone, text, state, till FROM sms_message WHERE id = $1`
	var (
		kind        identity.MessageKind
		phone, text []byte
	)
	err = s.Pool.QueryRow(ctx, read, id).Scan(&kind, &phone, &text, &state, &till)
	if err != nil || state != Queued {
		return Message{}, state, till, err
	}
	if phone, err = s.Box.Open(phonePlace(id), phone); err == nil {
		text, err = s.Box.Open(textPlace(id), text)
	}
	if err != nil {
		return Message{}, state, till, fmt.Errorf("open message %s: %w", id, err)
	}
	return Message{ID: id, Kind: kind, To: string(phone), Text: string(text)}, state, till, nil
}

// settle ends a message's wait, and with it everything personal that was kept of it.
func (s *Sender) settle(ctx context.Context, id uuid.UUID, state State) error {
	const update = `
		UPDATE sms_message SET state = $2, phone = NULL, text = NULL, settled_at = $3
		WHERE id = $1 AND state = 'queued'`
	if _, err := s.Pool.Exec(ctx, update, id, state, s.Now()); err != nil {
		return fmt.Errorf("settle message %s: %w", id, err)
	}
	return nil
}
