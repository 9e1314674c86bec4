package signal

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Subscriber is how it goes with telling an e-service.
type Subscriber struct {
	URL     string // "" where it only asks
	Told    Place  // the last signal that it took, or that was given up
	Waiting int    // how many come after that
	Missed  int    // how many were given up
	Tries   int    // in vain, of the next one
	TriedAt *time.Time
	Status  *int // HTTP, at the last try; nil: there was no answer
	NextAt  *time.Time
	Last    Place // that a signal of the client has
	Dropped Place // the last of those whose time is over
}

// Follows is ErrGone where what comes after a place cannot be told, or nil.
func (s Subscriber) Follows(after Place) error {
	if after.gone(s.Last, s.Dropped) {
		return ErrGone
	}
	return nil
}

const findSubscriber = `
	SELECT coalesce(url, ''), told,
	       (SELECT count(*) FROM signal WHERE signal.client_id = subscriber.client_id AND place > told), missed, tries, tried_at, status, next_at,
	       head, dropped
	FROM subscriber WHERE client_id = $1`

// QueueSubscriber asks how it goes, as one part of a batch. Of whom was never told it stays zero.
func QueueSubscriber(b *pgx.Batch, client string, to *Subscriber) {
	b.Queue(findSubscriber, client).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Subscriber])
		if err != nil {
			return fmt.Errorf("find a subscriber: %w", err)
		}
		if len(found) == 1 {
			*to = found[0]
		}
		return nil
	})
}

// HoldSubscriber is QueueSubscriber before a change, which nobody else makes then until the end of the transaction.
func HoldSubscriber(b *pgx.Batch, client string, to *Subscriber) {
	const hold = `INSERT INTO subscriber (client_id) VALUES ($1) ON CONFLICT (client_id) DO UPDATE SET client_id = excluded.client_id`
	b.Queue(hold, client)
	QueueSubscriber(b, client, to)
}

// Subscribe has an e-service told at an address from now on, or nowhere, as one part of a batch. What it is told begins after a place, which is one
// that Follows, or, where that is nil, with what comes; an address in place of another goes on where that one was.
func Subscribe(b *pgx.Batch, client, url string, after *Place, at time.Time) {
	const subscribe = `
		INSERT INTO subscriber (client_id, url, told, next_at)
		VALUES ($1, nullif($2, ''), 0, $4)
		ON CONFLICT (client_id) DO UPDATE
		SET url = excluded.url, next_at = excluded.next_at, tries = 0, first_at = NULL, tried_at = NULL, status = NULL,
		    told = coalesce($3, CASE WHEN subscriber.url IS NOT NULL THEN subscriber.told END, subscriber.head)
		WHERE (subscriber.url, $3::bigint) IS DISTINCT FROM (excluded.url, NULL)`

	b.Queue(subscribe, client, url, after, at)
}
