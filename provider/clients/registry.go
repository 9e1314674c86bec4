package clients

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/singleflight"
)

// Meanings.
var (
	ErrUnknown = errors.New("no such client")
	ErrTaken   = errors.New("the client_id is taken")
)

// Config is what a Registry needs.
type Config struct {
	Pool *pgxpool.Pool
	Key  []byte // keys the digests of secrets; seal.Box.Key("client secrets")
	Now  func() time.Time
}

// A Registry is the register of clients, with an in-process copy so that no request reads it from the database.
type Registry struct {
	pool *pgxpool.Pool
	key  []byte
	now  func() time.Time

	all     atomic.Pointer[map[string]*Client] // replaced whole
	missing singleflight.Group

	mu     sync.Mutex // held while the copy is replaced
	newest time.Time  // the latest change in the copy
	looked time.Time  // when the database was last read
}

// New reads every client.
func New(ctx context.Context, cfg Config) (*Registry, error) {
	r := &Registry{pool: cfg.Pool, key: cfg.Key, now: cfg.Now}
	r.all.Store(&map[string]*Client{})
	if err := r.Refresh(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// overlap is how far a refresh looks back: changes become visible in another
// order than that of their times, and nodes' clocks differ.
const overlap = time.Minute

// Refresh takes over what other nodes have changed; it is to be called every few seconds.
func (r *Registry) Refresh(ctx context.Context) error {
	const find = `
		SELECT client_id, secret_hash, metadata, created_at, changed_at, removed_at IS NOT NULL
		FROM client WHERE changed_at > $1`

	r.mu.Lock()
	defer r.mu.Unlock()
	began := r.now()
	rows, _ := r.pool.Query(ctx, find, r.newest.Add(-overlap))
	changed := maps.Clone(*r.all.Load())
	var (
		c       Client
		removed bool
	)
	_, err := pgx.ForEachRow(rows, []any{&c.ID, &c.secret, &c.Metadata, &c.CreatedAt, &c.ChangedAt, &removed}, func() error {
		if c.ChangedAt.After(r.newest) {
			r.newest = c.ChangedAt
		}
		if removed {
			delete(changed, c.ID)
			return nil
		}
		found := c
		found.key = r.key
		changed[c.ID] = &found
		return nil
	})
	if err != nil {
		return fmt.Errorf("read clients: %w", err)
	}
	r.all.Store(&changed)
	r.looked = began
	return nil
}

// patience is how often ids that nobody knows may make us read the database, all together.
const patience = 100 * time.Millisecond

// Find gives a client or ErrUnknown. Only for an id it does not know it reads
// the database, and that seldom: strangers may ask for what they like. Who asks
// too soon after the last reading waits for the next, so that a client registered
// at one node a moment ago is known at all.
func (r *Registry) Find(ctx context.Context, id string) (*Client, error) {
	if c := (*r.all.Load())[id]; c != nil {
		return c, nil
	}
	if !wellFormed(id) {
		return nil, ErrUnknown
	}
	reading := r.missing.DoChan("", func() (any, error) {
		<-time.After(r.rest())
		return nil, r.Refresh(context.WithoutCancel(ctx)) // for everybody who waits, not for the first of them alone
	})
	select {
	case read := <-reading:
		if read.Err != nil {
			return nil, fmt.Errorf("find client: %w", read.Err)
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c := (*r.all.Load())[id]; c != nil {
		return c, nil
	}
	return nil, ErrUnknown
}

// rest is how long it is still too soon to read the database again.
func (r *Registry) rest() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return patience - r.now().Sub(r.looked)
}

// List gives all clients in use, by id.
func (r *Registry) List(ctx context.Context) ([]*Client, error) {
	if err := r.Refresh(ctx); err != nil {
		return nil, err
	}
	return slices.SortedFunc(maps.Values(*r.all.Load()), func(a, b *Client) int { return strings.Compare(a.ID, b.ID) }), nil
}

// wellFormed tells what may be a client_id: it stands in addresses, in headers and in logs.
func wellFormed(id string) bool {
	return id != "" && len(id) <= 64 && !strings.ContainsFunc(id, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && !strings.ContainsRune("-._", c)
	})
}
