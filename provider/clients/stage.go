package clients

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"

	"asoba.example/provider/audit"
)

// A Stage is how far a client has come: a body's begins as a draft, all others are live at once.
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
	ErrManaging  = errors.New("a client of the management API is the operator's own")
)

// Specimen tells made-up people by the identification number: it begins with 0, as nobody's does.
func Specimen(identificationNumber string) bool { return strings.HasPrefix(identificationNumber, "0") }

// IsDraft tells that the client is in the sandbox.
func (c *Client) IsDraft() bool { return c.Stage == Draft }

// RegisterDraft adds a client of a body's, as Register does one of the operator's.
func (r *Registry) RegisterDraft(ctx context.Context, id string, owner uuid.UUID, m Metadata, by By) (*Client, string, error) {
	return r.register(ctx, Client{ID: id, Stage: Draft, Owner: &owner}, m, by)
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
		case c.IsDraft() && owner == nil:
			return "", ErrOwnerless
		case owner != nil && len(managing(c.Metadata.Scope)) > 0:
			return "", ErrManaging
		}
		c.Owner = owner
		c.registration, c.registrationScope = nil, nil // two people manage it from now on, and no token
		return "", nil
	})
	return c, err
}

// Fit gives metadata as the client would have it, if whoever sets it may; nothing is changed.
func (r *Registry) Fit(ctx context.Context, c *Client, m Metadata, by By) (Metadata, error) {
	m, err := r.checked(ctx, m)
	if err != nil {
		return m, err
	}
	_, err = new(*c).become(m, by)
	return m, err
}
