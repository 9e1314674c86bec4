package clients

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// By says who changes a client, and when.
type By struct {
	ClientID string    // the management client, or the client itself; "" for an operator's command
	Person   uuid.UUID // who acts for a body, by a client or on our own pages; uuid.Nil for all others
	Scopes   []string  // what the management client may itself: it gives no other scope of this API away, and changes nobody who has one
	Self     bool      // the client manages itself, by its registration access token
	Initial  uuid.UUID // the initial access token of a client that registers itself; uuid.Nil for all others
	At       time.Time

	// May, where there is one, is asked first, in the transaction, whether they may change this client at all.
	May func(ctx context.Context, tx pgx.Tx, c *Client) error

	// Also, where there is one, is part of the change: both happen, or neither does.
	Also func(ctx context.Context, tx pgx.Tx, c *Client, secret string) error
}

// A Version is how often a client was written. Whoever changes a client names the one they have seen, so that
// nobody overwrites what they have not.
type Version int64

// Any is the version of whoever does not mind which it is.
const Any Version = 0

// Register adds a client; its secret is given once, and "" to a client without one. A chosen id may be "": one is made.
func (r *Registry) Register(ctx context.Context, id string, m Metadata, by By) (*Client, string, error) {
	return r.register(ctx, Client{ID: id, Stage: Live}, m, by)
}

func (r *Registry) register(ctx context.Context, begun Client, m Metadata, by By) (*Client, string, error) {
	c, err := r.fresh(ctx, begun, m, by.At)
	if err != nil {
		return nil, "", err
	}
	if err := by.gives(c, Metadata{}); err != nil {
		return nil, "", err
	}
	if err := r.keyed(ctx, by, c, c); err != nil {
		return nil, "", err
	}
	secret, err := r.add(ctx, c, by)
	if err != nil {
		return nil, "", err
	}
	return c, secret, nil
}

// fresh makes a client out of metadata that is fit for one.
func (r *Registry) fresh(ctx context.Context, begun Client, m Metadata, at time.Time) (c *Client, err error) {
	c = &begun
	c.Version, c.CreatedAt, c.ChangedAt, c.key = 1, at, at, r.key
	if c.Metadata, err = r.checked(ctx, m); err != nil {
		return nil, err
	}
	if c.ID == "" {
		c.ID = strings.ToLower(rand.Text())
	}
	if !WellFormed(c.ID) {
		return nil, &MetadataError{InvalidClientMetadata, "client_id", "has other characters than letters, digits, hyphens, dots and underscores"}
	}
	return c, nil
}

// add is one transaction: the new client, with its secret, and the record of it.
func (r *Registry) add(ctx context.Context, c *Client, by By) (secret string, err error) {
	const insert = `
		INSERT INTO client (client_id, secret_hash, metadata, version, stage, owner_id, owned_at, registration_hash, registration_scope, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
		ON CONFLICT (client_id) DO NOTHING`

	secret = c.settle()
	err = pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		if err := by.may(ctx, tx, c); err != nil {
			return err
		}
		if err := c.fewDrafts(ctx, tx); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, insert, c.ID, c.secret, c.Metadata, c.Version, c.Stage, c.Owner, c.OwnedAt, c.registration, c.registrationScope, by.At)
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return ErrTaken
		}
		return by.finish(ctx, tx, audit.ClientRegistered, nil, c, secret)
	})
	if err != nil {
		return "", fmt.Errorf("register client: %w", err)
	}
	r.hold(c)
	return secret, nil
}

// Replace sets the client's metadata, whole. A secret is given only to a client that had none and now needs one.
func (r *Registry) Replace(ctx context.Context, id string, seen Version, m Metadata, by By) (*Client, string, error) {
	m, err := r.checked(ctx, m)
	if err != nil {
		return nil, "", err
	}
	return r.change(ctx, id, seen, audit.ClientChanged, by, func(c *Client) (string, error) {
		if by.alone(c) {
			return "", ErrLive
		}
		return c.become(m, by)
	})
}

// alone tells that somebody would change a body's live client by themselves: a person of the body's, or a system of the operator's. The
// operator's command is all-powerful.
func (by By) alone(c *Client) bool {
	return c.Owner != nil && !c.IsDraft() && (by.Person != uuid.Nil || by.ClientID != "")
}

// become gives the client metadata, if whoever sets it may.
func (c *Client) become(m Metadata, by By) (secret string, err error) {
	has := c.Metadata
	c.Metadata = m
	if err := by.gives(c, has); err != nil {
		return "", err
	}
	if c.registrationScope != nil { // what the operator leaves it is all that it may give itself from now on
		c.registrationScope = &m.Scope
	}
	return c.settle(), nil
}

// Rotate gives the client a new secret. The one before stays good for the overlap, so that a service with many parts
// need not stop; one before that is over at once. ErrNoSecret, for a client that authenticates otherwise.
func (r *Registry) Rotate(ctx context.Context, id string, seen Version, overlap time.Duration, by By) (*Client, string, error) {
	return r.change(ctx, id, seen, audit.ClientSecretRotated, by, func(c *Client) (string, error) {
		switch {
		case c.secret == nil:
			return "", ErrNoSecret
		case by.Person != uuid.Nil && !c.IsDraft() && overlap < leastOverlap:
			return "", ErrOverlap
		}
		c.previous, c.PreviousSecretTill = c.secret, new(by.At.Add(overlap))
		if overlap == 0 {
			c.previous, c.PreviousSecretTill = nil, nil
		}
		c.secret = nil
		return c.settle(), nil
	})
}

// Disable keeps everything from the client until it is enabled. It stays registered, with its secret.
func (r *Registry) Disable(ctx context.Context, id string, seen Version, by By) (*Client, error) {
	c, _, err := r.change(ctx, id, seen, audit.ClientDisabled, by, func(c *Client) (string, error) {
		if c.DisabledAt != nil {
			return "", errAlready
		}
		c.DisabledAt = &by.At
		return "", nil
	})
	return c, err
}

// Enable lets a disabled client have again what it had.
func (r *Registry) Enable(ctx context.Context, id string, seen Version, by By) (*Client, error) {
	c, _, err := r.change(ctx, id, seen, audit.ClientEnabled, by, func(c *Client) (string, error) {
		if c.DisabledAt == nil {
			return "", errAlready
		}
		c.DisabledAt = nil
		return "", nil
	})
	return c, err
}

// Remove takes the client out of use. Its row stays, since grants and records name it, and its id is never given again.
func (r *Registry) Remove(ctx context.Context, id string, seen Version, by By) error {
	_, _, err := r.change(ctx, id, seen, audit.ClientRemoved, by, func(c *Client) (string, error) {
		if by.alone(c) {
			return "", ErrLive
		}
		c.secret, c.previous, c.PreviousSecretTill, c.removedAt = nil, nil, nil, &by.At
		return "", nil
	})
	return err
}

// settle gives the client the secret that its authentication needs, or takes it; a new one is told.
func (c *Client) settle() (secret string) {
	needs := strings.HasPrefix(c.Metadata.TokenEndpointAuthMethod, "client_secret_")
	switch {
	case !needs:
		c.secret, c.previous, c.PreviousSecretTill = nil, nil, nil
	case c.secret == nil:
		secret = newSecret("idp_secret_")
		c.secret = digest(c.key, secret)
	}
	return secret
}

// errAlready says that there is nothing to change, which is what was wanted.
var errAlready = errors.New("it is so already")

// change is one transaction: the client as it is, what the act makes of it, and the record of what that changed. Only
// the version that was read is written over: of two who change it at once one hears ErrStale.
func (r *Registry) change(ctx context.Context, id string, seen Version, kind audit.Kind, by By, act func(*Client) (secret string, err error)) (*Client, string, error) {
	const update = `
		UPDATE client
		SET secret_hash = $3, previous_secret_hash = $4, previous_secret_till = $5, metadata = $6, stage = $7, owner_id = $8, owned_at = $9,
		    disabled_at = $10, removed_at = $11, registration_hash = $12, registration_scope = $13, changed_at = $14, version = version + 1
		WHERE client_id = $1 AND version = $2`

	var (
		c      *Client
		secret string
	)
	err := pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		before, err := r.read(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := by.may(ctx, tx, before); err != nil {
			return err
		}
		if err := by.reaches(before); err != nil {
			return err
		}
		if seen != Any && seen != before.Version {
			return ErrStale
		}
		c = new(*before)
		if secret, err = act(c); err != nil {
			return err
		}
		if err := r.keyed(ctx, by, before, c); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, update, id, before.Version,
			c.secret, c.previous, c.PreviousSecretTill, c.Metadata, c.Stage, c.Owner, c.OwnedAt, c.DisabledAt, c.removedAt, c.registration, c.registrationScope, by.At)
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return ErrStale
		}
		c.Version, c.ChangedAt = before.Version+1, by.At
		return by.finish(ctx, tx, kind, before, c, secret)
	})
	switch {
	case errors.Is(err, errAlready):
		return c, "", nil
	case err != nil:
		return nil, "", fmt.Errorf("change client: %w", err)
	}
	r.hold(c)
	return c, secret, nil
}

func (by By) may(ctx context.Context, tx pgx.Tx, c *Client) error {
	if by.May == nil {
		return nil
	}
	return by.May(ctx, tx, c)
}

// Detail begins the record of an act: who did it.
func (by By) Detail() map[string]string {
	detail := map[string]string{}
	if by.ClientID != "" {
		detail["by"] = by.ClientID
	}
	if by.Person != uuid.Nil {
		detail["person"] = by.Person.String()
	}
	return detail
}

// finish records a change, with the members that it changed, and does what else is part of it.
func (by By) finish(ctx context.Context, tx pgx.Tx, kind audit.Kind, before, after *Client, secret string) error {
	detail := by.Detail()
	if by.Initial != uuid.Nil {
		detail["initial_access_token"] = by.Initial.String()
	}
	if err := differences(before, after, detail); err != nil {
		return err
	}
	if err := audit.Record(ctx, tx, audit.Event{Kind: kind, At: by.At, ClientID: after.ID, Detail: detail}); err != nil {
		return err
	}
	if by.Also == nil {
		return nil
	}
	return by.Also(ctx, tx, after, secret)
}

// differences tells what differs: the members of the metadata, the stage and the owner, as they were, as they are. None of them is secret.
func differences(before, after *Client, detail map[string]string) error {
	was, err := before.members()
	if err != nil {
		return err
	}
	is, err := after.members()
	if err != nil {
		return err
	}
	for member, value := range was {
		if bytes.Equal(value, is[member]) {
			delete(was, member)
			delete(is, member)
		}
	}
	for name, members := range map[string]map[string]json.RawMessage{"before": was, "after": is} {
		if len(members) == 0 {
			continue
		}
		text, err := json.Marshal(members)
		if err != nil {
			return err
		}
		detail[name] = string(text)
	}
	return nil
}

// members are what a client is, member by member; none, where there is no client.
func (c *Client) members() (members map[string]json.RawMessage, err error) {
	if c == nil {
		return nil, nil
	}
	text, err := json.Marshal(c.Metadata)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	if members["stage"], err = json.Marshal(c.Stage); err != nil || c.Owner == nil {
		return members, err
	}
	members["owner"], err = json.Marshal(c.Owner)
	return members, err
}

// hold puts a changed client into this node's copy, or takes a removed one out.
func (r *Registry) hold(c *Client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := maps.Clone(*r.all.Load())
	switch held := changed[c.ID]; {
	case held != nil && held.Version > c.Version: // a later change was quicker here
	case c.removedAt != nil:
		delete(changed, c.ID)
	default:
		changed[c.ID] = c
	}
	r.all.Store(&changed)
}
