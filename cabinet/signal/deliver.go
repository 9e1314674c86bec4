package signal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider/fetch"
)

// Workers is how many e-services are told at once by one node: whoever does not answer holds up others by one call.
const Workers = 4

// Terms of a delivery.
const (
	tryFor   = 24 * time.Hour // what was not taken for longer is given up; the feed has it still
	maxPause = time.Hour
	lease    = 30 * time.Second // in which a node is done with a call, or dead
)

// A Deliverer tells e-services at their addresses.
type Deliverer struct {
	Pool   *pgxpool.Pool // the background's
	Caller *fetch.Caller
	Sign   func(ctx context.Context, typ string, claims any) (string, error)
	URL    string // of the cabinet
	Issuer string // of subjects
	Now    func() time.Time
	Log    *slog.Logger
}

// call is an e-service whose turn it is, and what it is told.
type call struct {
	Signal
	client, url string
	told        Place
	tries       int
	firstAt     *time.Time
}

// Deliver tells everybody whose turn it is. It is to be called again and again, by any number of nodes.
func (d *Deliverer) Deliver(ctx context.Context) error {
	for {
		c, err := d.next(ctx)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err == nil {
			err = d.try(ctx, c)
		}
		if err != nil {
			return fmt.Errorf("deliver a signal: %w", err)
		}
	}
}

// next takes the turn of the e-service that waits for the longest: until the lease is over no other node does.
func (d *Deliverer) next(ctx context.Context) (c call, err error) {
	const next = `
		WITH turn AS (
			UPDATE subscriber SET next_at = $2
			WHERE client_id = (
				SELECT client_id FROM subscriber
				WHERE url IS NOT NULL AND next_at <= $1
				AND EXISTS (SELECT FROM signal WHERE signal.client_id = subscriber.client_id AND place > told)
				AND NOT EXISTS (SELECT FROM disabled_client WHERE disabled_client.client_id = subscriber.client_id AND disabled)
				ORDER BY next_at LIMIT 1
				FOR UPDATE SKIP LOCKED)
			RETURNING client_id, url, told, tries, first_at
		)
		SELECT turn.client_id, url, told, tries, first_at, id, subject, at, kind, detail, place
		FROM turn JOIN signal ON signal.client_id = turn.client_id AND place > told
		ORDER BY place LIMIT 1`

	now := d.Now()
	err = d.Pool.QueryRow(ctx, next, now, now.Add(lease)).Scan(
		&c.client, &c.url, &c.told, &c.tries, &c.firstAt, &c.ID, &c.Subject, &c.At, &c.Kind, &c.Detail, &c.Place)
	return c, err
}

// try tells it once, and writes down how that went.
func (d *Deliverer) try(ctx context.Context, c call) error {
	token, err := d.Sign(ctx, "secevent+jwt", d.claims(c))
	if err != nil {
		return err
	}
	status, cause := d.Caller.Send(ctx, c.url, "application/secevent+jwt", []byte(token))
	if ctx.Err() != nil {
		return ctx.Err() // the program is stopping, which says nothing about the e-service
	}
	now := d.Now()
	switch {
	case taken(status):
		return d.settle(ctx, c, outcome{told: c.Place, status: status, next: now})
	case c.firstAt != nil && now.Sub(*c.firstAt) >= tryFor:
		d.Log.WarnContext(ctx, "signal given up", "client", c.client, "status", status, "err", cause)
		return d.settle(ctx, c, outcome{told: c.Place, missed: 1, status: status, next: now})
	}
	if c.firstAt == nil {
		c.firstAt = &now
	}
	return d.settle(ctx, c, outcome{told: c.told, tries: c.tries + 1, firstAt: c.firstAt, status: status, next: now.Add(pause(c.tries))})
}

// claims are those of a Security Event Token (RFC 8417 §2.2) about a subject of the provider's (RFC 9493 §3.2.4).
func (d *Deliverer) claims(c call) any {
	return map[string]any{
		"iss": d.URL, "aud": c.client, "jti": c.ID, "iat": d.Now().Unix(), "toe": c.At.Unix(),
		"sub_id": map[string]string{"format": "iss_sub", "iss": d.Issuer, "sub": c.Subject},
		"events": map[string]Detail{d.URL + "/events/" + string(c.Kind): c.Detail},
	}
}

// taken tells success: 202 (RFC 8935 §2.2), which some servers make 200 or 204.
func taken(status int) bool {
	return status == http.StatusAccepted || status == http.StatusOK || status == http.StatusNoContent
}

// pause doubles from a second to an hour.
func pause(tries int) time.Duration {
	if tries > 11 {
		return maxPause
	}
	return min(maxPause, time.Second<<tries)
}

// outcome is how a try went.
type outcome struct {
	told    Place
	missed  int
	tries   int
	firstAt *time.Time
	status  int
	next    time.Time
}

// settle writes it down, unless the e-service was told on by another node, or has said meanwhile to be told otherwise.
func (d *Deliverer) settle(ctx context.Context, c call, o outcome) error {
	const settle = `
		UPDATE subscriber
		SET told = $4, missed = missed + $5, tries = $6, first_at = $7, tried_at = $8, status = nullif($9, 0), next_at = $10
		WHERE client_id = $1 AND url = $2 AND told = $3`

	_, err := d.Pool.Exec(ctx, settle, c.client, c.url, c.told, o.told, o.missed, o.tries, o.firstAt, d.Now(), o.status, o.next)
	return err
}
