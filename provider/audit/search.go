package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A Line is an event as an auditor reads it: every kind, and which clerk acted.
type Line struct {
	Cursor   Cursor            `json:"cursor"`
	Kind     Kind              `json:"kind"`
	At       time.Time         `json:"at"`
	Person   uuid.UUID         `json:"person,omitzero"`
	Clerk    uuid.UUID         `json:"clerk,omitzero"`
	Office   string            `json:"office,omitempty"`
	ClientID string            `json:"client_id,omitempty"`
	GID      uuid.UUID         `json:"gid,omitzero"`
	SID      string            `json:"sid,omitempty"`
	ACR      string            `json:"acr,omitempty"`
	Agent    string            `json:"agent,omitempty"`
	Edition  int64             `json:"edition,omitempty"`
	Detail   map[string]string `json:"detail,omitempty"`
}

const lines = `
	SELECT coalesce(place, 0), kind, at, coalesce(person_id, $1), coalesce(clerk_id, $1), coalesce(office, ''), coalesce(client_id, ''),
	       coalesce(gid, $1), coalesce(sid, ''), coalesce(acr, ''), coalesce(agent, ''), coalesce(edition, 0), detail
	FROM event `

// ErrUnknown says that there is no such event.
var ErrUnknown = errors.New("no such event")

// Find gives an event by its kind and id. Cursor is zero where the event waits for its place.
func Find(ctx context.Context, pool *pgxpool.Pool, kind Kind, id uuid.UUID) (Line, error) {
	const find = lines + `WHERE id = $2 AND kind = $3`

	rows, _ := pool.Query(ctx, find, uuid.Nil, id, kind)
	line, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Line])
	if errors.Is(err, pgx.ErrNoRows) {
		return Line{}, ErrUnknown
	}
	if err != nil {
		return Line{}, fmt.Errorf("find event %s: %w", id, err)
	}
	line.At = line.At.UTC()
	return line, nil
}

// A Filter says which events are searched for; what is zero does not count.
type Filter struct {
	Kind     Kind
	ClientID string
}

// stretch is how many places one search looks at, so that a rare thing is not sought through years in one statement.
const stretch = 100_000

// Search gives at most limit events after a cursor, and the cursor to go on from. Where that has moved, there may be
// more, even if none was found; where it has not, everything was seen. ErrCursor, where no event has come so far yet.
func (f *Feed) Search(ctx context.Context, by Filter, after Cursor, limit int) ([]Line, Cursor, error) {
	const find = lines + `
		WHERE place > $2 AND ($3 = '' OR kind = $3) AND ($4 = '' OR client_id = $4) AND place <= $2 + $5
		ORDER BY place LIMIT $6`

	found, head, err := f.find(ctx, after, find, uuid.Nil, after, string(by.Kind), by.ClientID, stretch, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("search the events: %w", err)
	}
	return found, reached(found, after, min(head, after+stretch), limit), nil
}

// find gives the events after a cursor that a statement finds, and the last place there was.
func (f *Feed) find(ctx context.Context, after Cursor, statement string, args ...any) (found []Line, head Cursor, err error) {
	const last = `SELECT place FROM event_head`

	b := new(pgx.Batch)
	b.Queue(last).QueryRow(func(row pgx.Row) error { return row.Scan(&head) })
	b.Queue(statement, args...).Query(func(rows pgx.Rows) (err error) {
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Line])
		return err
	})
	err = f.pool.SendBatch(ctx, b).Close()
	if err == nil && after > head { // whoever read on from there would take our silence for peace
		err = ErrCursor
	}
	return found, head, err
}

// OfPerson gives at most limit events of a person after a cursor, and the cursor to go on from. ErrCursor, where no event has come so far yet.
func (f *Feed) OfPerson(ctx context.Context, person uuid.UUID, after Cursor, limit int) ([]Line, Cursor, error) {
	const find = lines + `
		WHERE person_id = $2 AND place > $3
		ORDER BY place LIMIT $4`

	found, _, err := f.find(ctx, after, find, uuid.Nil, person, after, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("find the events of a person: %w", err)
	}
	return found, reached(found, after, after, limit), nil
}

// OfClient gives at most limit changes of a client after a cursor, and the cursor to go on from. ErrCursor, where no event has come so far yet.
func (f *Feed) OfClient(ctx context.Context, clientID string, after Cursor, limit int) ([]Line, Cursor, error) {
	const find = lines + `
		WHERE client_id = $2 AND kind LIKE 'client.%' AND place > $3
		ORDER BY place LIMIT $4`

	found, _, err := f.find(ctx, after, find, uuid.Nil, clientID, after, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("find the changes of a client: %w", err)
	}
	return found, reached(found, after, after, limit), nil
}

// LastOfClient gives the last changes of a client since a time, the newest first.
func (f *Feed) LastOfClient(ctx context.Context, clientID string, since time.Time, limit int) ([]Line, error) {
	const find = lines + `
		WHERE client_id = $2 AND kind LIKE 'client.%' AND place > 0 AND at >= $3
		ORDER BY place DESC LIMIT $4`

	rows, _ := f.pool.Query(ctx, find, uuid.Nil, clientID, since, limit)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Line])
	if err != nil {
		return nil, fmt.Errorf("find the last changes of a client: %w", err)
	}
	return found, nil
}

// reached is how far a search has come: to its last event where there may be more, or else to the end of what it looked at.
func reached(found []Line, after, end Cursor, limit int) Cursor {
	n := len(found)
	for i := range found {
		found[i].At = found[i].At.UTC()
	}
	switch {
	case n == limit:
		return found[n-1].Cursor
	case n > 0:
		return max(after, end, found[n-1].Cursor)
	}
	return max(after, end)
}
