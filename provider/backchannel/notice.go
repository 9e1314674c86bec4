package backchannel

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// State of a notice.
type State string

// States.
const (
	Queued    State = "queued"
	Delivered State = "delivered"
	Failed    State = "failed"
)

// A Notice is how it goes with telling one client that one session is over, as operators see it.
type Notice struct {
	ID       int64      `json:"id"`
	SID      string     `json:"sid"`
	State    State      `json:"state"`
	QueuedAt time.Time  `json:"queued_at"`
	Tries    int        `json:"tries"`
	TriedAt  *time.Time `json:"tried_at,omitempty"`
	Status   *int       `json:"status,omitempty"` // HTTP, at the last try; nil: there was no answer
}

// notice is a Notice as it is delivered.
type notice struct {
	Notice
	clientID string
	person   uuid.UUID
}

// Notices are read by operators, and wiped.
type Notices struct {
	Pool *pgxpool.Pool
	Now  func() time.Time
}

// List gives a client's notices, the newest first: the first ones, or those after the one that a list ended with.
func (n *Notices) List(ctx context.Context, clientID string, after int64, limit int) ([]Notice, error) {
	const list = `
		SELECT id, sid, state, queued_at, tries, tried_at, status FROM logout_notice
		WHERE client_id = $1 AND ($2 = 0 OR id < $2)
		ORDER BY id DESC LIMIT $3`

	rows, _ := n.Pool.Query(ctx, list, clientID, after, limit)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Notice])
	if err != nil {
		return nil, fmt.Errorf("list logout notices: %w", err)
	}
	return found, nil
}

// Wipe deletes the notices that are old.
func (n *Notices) Wipe(ctx context.Context) error {
	const wipe = `DELETE FROM logout_notice WHERE queued_at < $1`

	if _, err := n.Pool.Exec(ctx, wipe, n.Now().Add(-keptFor)); err != nil {
		return fmt.Errorf("wipe logout notices: %w", err)
	}
	return nil
}
