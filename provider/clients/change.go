package clients

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// By says who changes a client, for the record.
type By struct {
	ClientID string // the management client; "" for an operator's command
	At       time.Time
}

// Register adds a client; its secret is given once, and "" to a client without one. A chosen id may be "": one is made.
func (r *Registry) Register(ctx context.Context, id string, m Metadata, by By) (*Client, string, error) {
	const insert = `
		INSERT INTO client (client_id, secret_hash, metadata, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $4)
		ON CONFLICT (client_id) DO NOTHING`

	m, err := m.checked()
	if err != nil {
		return nil, "", err
	}
	if id == "" {
		id = strings.ToLower(rand.Text())
	}
	if !wellFormed(id) {
		return nil, "", &MetadataError{InvalidClientMetadata, "client_id", "has other characters than letters, digits, hyphens, dots and underscores"}
	}
	c := &Client{ID: id, Metadata: m, CreatedAt: by.At, ChangedAt: by.At, key: r.key}
	secret := c.settle()
	err = r.change(ctx, c, audit.ClientRegistered, by, ErrTaken, insert, c.ID, c.secret, c.Metadata, by.At)
	if err != nil {
		return nil, "", fmt.Errorf("register client: %w", err)
	}
	r.hold(c.ID, c)
	return c, secret, nil
}

// Replace sets the client's metadata, whole. A secret is given only to a client that had none and now needs one.
func (r *Registry) Replace(ctx context.Context, id string, m Metadata, by By) (*Client, string, error) {
	const update = `
		UPDATE client SET secret_hash = $2, metadata = $3, changed_at = $4
		WHERE client_id = $1 AND removed_at IS NULL`

	m, err := m.checked()
	if err != nil {
		return nil, "", err
	}
	before, err := r.Find(ctx, id)
	if err != nil {
		return nil, "", err
	}
	c := &Client{ID: id, Metadata: m, CreatedAt: before.CreatedAt, ChangedAt: by.At, secret: before.secret, key: r.key}
	secret := c.settle()
	err = r.change(ctx, c, audit.ClientChanged, by, ErrUnknown, update, c.ID, c.secret, c.Metadata, by.At)
	if err != nil {
		return nil, "", fmt.Errorf("replace client: %w", err)
	}
	r.hold(c.ID, c)
	return c, secret, nil
}

// Remove takes the client out of use. Its row stays, since grants and records name it, and its id is never given again.
func (r *Registry) Remove(ctx context.Context, id string, by By) error {
	const remove = `
		UPDATE client SET secret_hash = NULL, removed_at = $2, changed_at = $2
		WHERE client_id = $1 AND removed_at IS NULL`

	if err := r.change(ctx, &Client{ID: id}, audit.ClientRemoved, by, ErrUnknown, remove, id, by.At); err != nil {
		return fmt.Errorf("remove client: %w", err)
	}
	r.hold(id, nil)
	return nil
}

// settle gives the client the secret that its authentication needs, or takes it; a new one is told.
func (c *Client) settle() (secret string) {
	needs := strings.HasPrefix(c.Metadata.TokenEndpointAuthMethod, "client_secret_")
	switch {
	case !needs:
		c.secret = nil
	case c.secret == nil:
		secret = newSecret()
		c.secret = digest(c.key, secret)
	}
	return secret
}

// change is one transaction: the statement, which must meet one row, and its record.
func (r *Registry) change(ctx context.Context, c *Client, kind audit.Kind, by By, otherwise error, statement string, args ...any) error {
	event := audit.Event{Kind: kind, At: by.At, ClientID: c.ID}
	if by.ClientID != "" {
		event.Detail = map[string]string{"by": by.ClientID}
	}
	return pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, statement, args...)
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return otherwise
		}
		return audit.Record(ctx, tx, event)
	})
}

// hold puts a changed client into this node's copy, or takes one out.
func (r *Registry) hold(id string, c *Client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := maps.Clone(*r.all.Load())
	if c == nil {
		delete(changed, id)
	} else {
		changed[id] = c
	}
	r.all.Store(&changed)
}
