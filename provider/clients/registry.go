package clients

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/singleflight"

	"asoba.example/provider/fetch"
)

// Meanings.
var (
	ErrUnknown  = errors.New("no such client")
	ErrDisabled = fmt.Errorf("%w in use: it is disabled", ErrUnknown)
	ErrTaken    = errors.New("the client_id is taken")
	ErrStale    = errors.New("the client has changed meanwhile")
	ErrBeyond   = errors.New("the client has a scope that whoever changes it has not")
	ErrKeyless  = errors.New("what speaks for clerks is changed by whoever authenticates by a key")
	ErrNoSecret = errors.New("the client has no secret")
)

// Config is what a Registry needs.
type Config struct {
	Pool    *pgxpool.Pool
	Back    *pgxpool.Pool // follows what other nodes change; strangers who try tokens must not stand in its way
	Key     []byte        // keys the digests of secrets; seal.Box.Key("client secrets")
	Caller  *fetch.Caller // reads the keys that a client keeps at an address of its own
	Sectors *fetch.Caller // reads the lists of sectors: whoever registers may name slow ones, and nobody's keys wait for those
	Now     func() time.Time
}

// A Registry is the register of clients, with an in-process copy so that no request reads it from the database.
type Registry struct {
	pool *pgxpool.Pool
	back *pgxpool.Pool
	key  []byte
	now  func() time.Time

	sectors   *fetch.Caller
	published *fetch.Documents[[]jose.JSONWebKey] // the keys at every jwks_uri

	all     atomic.Pointer[map[string]*Client] // replaced whole
	missing singleflight.Group

	mu     sync.Mutex // held while the copy is replaced
	newest time.Time  // the latest change in the copy
	looked time.Time  // when the database was last read
}

// New reads every client.
func New(ctx context.Context, cfg Config) (*Registry, error) {
	r := &Registry{
		pool: cfg.Pool, back: cfg.Back, key: cfg.Key, now: cfg.Now, sectors: cfg.Sectors,
		published: fetch.NewDocuments(fetch.DocumentsConfig[[]jose.JSONWebKey]{Caller: cfg.Caller, Parse: parseKeys, Now: cfg.Now}),
	}
	r.all.Store(&map[string]*Client{})
	if err := r.Refresh(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// overlap is how far a refresh looks back: changes become visible in another
// order than that of their times, and nodes' clocks differ.
const overlap = time.Minute

// Every statement that reads clients reads these columns, and scan takes them.
const columns = `
	SELECT client_id, version, secret_hash, previous_secret_hash, previous_secret_till, metadata, stage, owner_id, owned_at,
	       created_at, changed_at, disabled_at, removed_at, registration_hash, registration_scope
	FROM client `

func (r *Registry) scan(row pgx.CollectableRow) (*Client, error) {
	c := &Client{key: r.key}
	return c, row.Scan(&c.ID, &c.Version, &c.secret, &c.previous, &c.PreviousSecretTill, &c.Metadata, &c.Stage, &c.Owner, &c.OwnedAt,
		&c.CreatedAt, &c.ChangedAt, &c.DisabledAt, &c.removedAt, &c.registration, &c.registrationScope)
}

// Refresh takes over what other nodes have changed; it is to be called every second.
func (r *Registry) Refresh(ctx context.Context) error {
	const find = columns + `WHERE changed_at > $1`

	r.mu.Lock()
	defer r.mu.Unlock()
	began := r.now()
	rows, _ := r.back.Query(ctx, find, r.newest.Add(-overlap))
	found, err := pgx.CollectRows(rows, r.scan)
	if err != nil {
		return fmt.Errorf("read clients: %w", err)
	}
	changed := maps.Clone(*r.all.Load())
	for _, c := range found {
		if c.ChangedAt.After(r.newest) {
			r.newest = c.ChangedAt
		}
		if c.removedAt != nil {
			delete(changed, c.ID)
		} else {
			changed[c.ID] = c
		}
	}
	r.all.Store(&changed)
	r.looked = began
	return nil
}

// patience is how often ids that nobody knows may make us read the database, all together.
const patience = 100 * time.Millisecond

// Find gives a client in use: the one that may ask for something. ErrUnknown, where there is none; a client that is
// disabled is ErrDisabled, which is ErrUnknown to whoever does not ask further.
func (r *Registry) Find(ctx context.Context, id string) (*Client, error) {
	c, err := r.Look(ctx, id)
	if err == nil && c.DisabledAt != nil {
		return nil, ErrDisabled
	}
	return c, err
}

// Look gives a registered client, disabled or not, or ErrUnknown. Only for an id it does not know it reads
// the database, and that seldom: strangers may ask for what they like. Who asks
// too soon after the last reading waits for the next, so that a client registered
// at one node a moment ago is known at all.
func (r *Registry) Look(ctx context.Context, id string) (*Client, error) {
	if c := (*r.all.Load())[id]; c != nil {
		return c, nil
	}
	if !WellFormed(id) {
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

// read gives a client as the database has it, for whoever is about to change it.
func (r *Registry) read(ctx context.Context, tx pgx.Tx, id string) (*Client, error) {
	const find = columns + `WHERE client_id = $1 AND removed_at IS NULL`

	return r.one(ctx, tx, find, id)
}

// Hold gives a client as the database has it, and keeps it so until the transaction ends: for whoever decides by it without changing it.
func (r *Registry) Hold(ctx context.Context, tx pgx.Tx, id string) (*Client, error) {
	const find = columns + `WHERE client_id = $1 AND removed_at IS NULL FOR SHARE`

	return r.one(ctx, tx, find, id)
}

func (r *Registry) one(ctx context.Context, tx pgx.Tx, find, id string) (*Client, error) {
	if !WellFormed(id) {
		return nil, ErrUnknown
	}
	rows, _ := tx.Query(ctx, find, id)
	c, err := pgx.CollectExactlyOneRow(rows, r.scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrUnknown
	}
	return c, err
}

// rest is how long it is still too soon to read the database again.
func (r *Registry) rest() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return patience - r.now().Sub(r.looked)
}

// List gives clients by id, disabled ones among them: those after an id, a limited number.
func (r *Registry) List(ctx context.Context, after string, limit int) ([]*Client, error) {
	const find = columns + `WHERE client_id > $1 AND removed_at IS NULL ORDER BY client_id LIMIT $2`

	rows, _ := r.pool.Query(ctx, find, after, limit)
	all, err := pgx.CollectRows(rows, r.scan)
	if err != nil {
		return nil, fmt.Errorf("list clients: %w", err)
	}
	return all, nil
}

// Owned gives a body's clients by id, disabled ones among them.
func (r *Registry) Owned(ctx context.Context, owner uuid.UUID) ([]*Client, error) {
	const find = columns + `WHERE owner_id = $1 AND removed_at IS NULL ORDER BY client_id`

	rows, _ := r.pool.Query(ctx, find, owner)
	all, err := pgx.CollectRows(rows, r.scan)
	if err != nil {
		return nil, fmt.Errorf("list a body's clients: %w", err)
	}
	return all, nil
}

// WellFormed tells what may be a client_id: it stands in addresses, in headers and in logs.
func WellFormed(id string) bool {
	return id != "" && len(id) <= 64 && !strings.ContainsFunc(id, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && !strings.ContainsRune("-._", c)
	})
}
