package clients

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// A Stage is how far a client has come: one that is registered for a body begins as a draft, all others are live at once.
//
//	RegisterDraft ──▶ draft ── GoLive ──▶ live
//
// A draft works like any other client, but in the sandbox: the only people there are specimens, and it gets nothing in its own name.
type Stage string

// The stages.
const (
	Draft Stage = "draft"
	Live  Stage = "live"
)

var (
	ErrLive      = errors.New("the client is live: it is changed by what a second person approves")
	ErrOwnerless = errors.New("a draft must be a body's")
	ErrOverlap   = fmt.Errorf("the secret before a live client's must stay good for %s at least", leastOverlap)
	ErrDrafts    = fmt.Errorf("the body has %d drafts: remove one first", maxDrafts)
	ErrManaging  = errors.New("a client of the management API is the operator's own")
)

// leastOverlap is how long the secret before stays good when one person who acts for a body has a live client's changed: the other parts of
// the service, and the other person, have a day to notice.
const leastOverlap = 24 * time.Hour

// maxDrafts is how many drafts a body has at most: more than it tries out at once.
const maxDrafts = 100

// Specimen tells made-up people by the identification number: it begins with 0, as nobody's does.
func Specimen(identificationNumber string) bool { return strings.HasPrefix(identificationNumber, "0") }

// IsDraft tells that the client is in the sandbox.
func (c *Client) IsDraft() bool { return c.Stage == Draft }

// RegisterDraft adds a client of a body's, as Register does one of the operator's.
func (r *Registry) RegisterDraft(ctx context.Context, id string, owner uuid.UUID, m Metadata, by By) (*Client, string, error) {
	return r.register(ctx, Client{ID: id, Stage: Draft, Owner: &owner, OwnedAt: &by.At}, m, by)
}

// fewDrafts holds a body to so many drafts. Of two that come at once one waits for the other.
func (c *Client) fewDrafts(ctx context.Context, tx pgx.Tx) error {
	const lock = `SELECT FROM body WHERE id = $1 FOR NO KEY UPDATE`
	const drafts = `SELECT count(*) FROM client WHERE owner_id = $1 AND stage = 'draft' AND removed_at IS NULL`

	if !c.IsDraft() {
		return nil
	}
	if _, err := tx.Exec(ctx, lock, *c.Owner); err != nil {
		return err
	}
	var n int
	if err := tx.QueryRow(ctx, drafts, *c.Owner).Scan(&n); err != nil {
		return err
	}
	if n >= maxDrafts {
		return ErrDrafts
	}
	return nil
}

// GoLive makes a client live with that metadata, whole; a live one stays live.
func (r *Registry) GoLive(ctx context.Context, id string, seen Version, m Metadata, by By) (*Client, string, error) {
	m, err := r.checked(ctx, m)
	if err != nil {
		return nil, "", err
	}
	return r.change(ctx, id, seen, audit.ClientChanged, by, func(c *Client) (string, error) {
		secret, err := c.become(m, by)
		c.Stage = Live
		return secret, err
	})
}

// SetOwner gives the client to a body, or back to the operator.
func (r *Registry) SetOwner(ctx context.Context, id string, seen Version, owner *uuid.UUID, by By) (*Client, error) {
	c, _, err := r.change(ctx, id, seen, audit.ClientChanged, by, func(c *Client) (string, error) {
		switch {
		case c.Owner != nil && owner != nil && *c.Owner == *owner, c.Owner == nil && owner == nil:
			return "", errAlready
		case c.IsDraft() && owner == nil:
			return "", ErrOwnerless
		case owner != nil && len(managing(c.Metadata.Scope)) > 0:
			return "", ErrManaging
		}
		c.Owner, c.OwnedAt = owner, nil
		if owner != nil {
			c.OwnedAt = &by.At
		}
		c.registration, c.registrationScope = nil, nil // two people manage it from now on, and no token
		return "", nil
	})
	return c, err
}

// Checked gives metadata with every default filled in, or a *MetadataError; nothing is changed.
func (r *Registry) Checked(ctx context.Context, m Metadata) (Metadata, error) {
	return r.checked(ctx, m)
}

// Takes tells whether the client could be given metadata that was checked, by whoever would; a *MetadataError, if not.
func (c *Client) Takes(m Metadata, by By) error {
	_, err := new(*c).become(m, by)
	return err
}
