package keys

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider/api"
	"asoba.example/provider/seal"
)

// Algorithms are those we sign with, in the order of preference; each has an active key.
var Algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.EdDSA, jose.RS256}

// Config is what a Ring needs.
type Config struct {
	Pool  *pgxpool.Pool
	Box   *seal.Box
	Every time.Duration // how long a key signs before Tend rotates it; 0: until it is told to
	HSM   HSM           // makes and holds the private keys; nil: they lie in the database, sealed
	Now   func() time.Time

	Relaxed bool // for trials: the next key does not wait
}

// A Ring signs with the active keys and knows every key until nothing signed with it is of use.
type Ring struct {
	pool  *pgxpool.Pool
	box   *seal.Box
	every time.Duration
	lead  time.Duration
	hsm   HSM
	now   func() time.Time
	held  atomic.Pointer[held] // replaced whole

	refreshing sync.Mutex // held from reading to replacing, so that nothing older replaces
}

// held is the ring as the database had it; it does not change.
type held struct {
	all    map[string]*key
	active map[jose.SignatureAlgorithm]*key
	next   map[jose.SignatureAlgorithm]*key
	jwks   []byte
}

// A key is one of the ring. private is nil but in an active key.
type key struct {
	Key
	public  jose.JSONWebKey
	private crypto.Signer
	signers sync.Map // typ → jose.Signer, made once each
}

var _ api.KeySource = (*Ring)(nil)

// Format keeps private keys out of every message a Ring strays into.
func (*Ring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "ring of keys") }

// New reads the ring from the database. Where an algorithm has no active key, as
// in a new database, it makes one that signs at once: nobody knows another.
func New(ctx context.Context, cfg Config) (*Ring, error) {
	if cfg.Every < 0 {
		return nil, errors.New("signing keys: they cannot sign for less than no time")
	}
	r := &Ring{pool: cfg.Pool, box: cfg.Box, every: cfg.Every, lead: lead, hsm: cfg.HSM, now: cfg.Now}
	if cfg.Relaxed {
		r.lead = 0
	}
	r.held.Store(new(held))
	if err := r.Refresh(ctx); err != nil {
		return nil, err
	}
	return r, r.fill(ctx, Active, r.held.Load().active)
}

// Refresh takes over what other nodes have changed; it is to be called every few seconds.
func (r *Ring) Refresh(ctx context.Context) error {
	const find = `
		SELECT kid, alg, state, created_at, changed_at, coalesce(label, ''), private_key, public_key
		FROM signing_key WHERE state <> 'gone' ORDER BY created_at, kid`

	type row struct {
		Key
		Private []byte
		Public  json.RawMessage
	}
	r.refreshing.Lock()
	defer r.refreshing.Unlock()
	rows, _ := r.pool.Query(ctx, find)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return fmt.Errorf("read signing keys: %w", err)
	}
	before := r.held.Load()
	now := &held{all: map[string]*key{}, active: map[jose.SignatureAlgorithm]*key{}, next: map[jose.SignatureAlgorithm]*key{}}
	var published jose.JSONWebKeySet
	at := r.now()
	for _, f := range found {
		k := before.all[f.KID]
		if k == nil || k.State != f.State {
			k = &key{Key: f.Key}
			if err := json.Unmarshal(f.Public, &k.public); err != nil {
				return fmt.Errorf("read signing key %s: %w", f.KID, err)
			}
			if f.State == Active {
				if k.private, err = r.open(f.Key, f.Private); err != nil {
					return fmt.Errorf("read signing key %s: %w", f.KID, err)
				}
			}
		}
		now.all[f.KID] = k
		switch f.State {
		case Active:
			now.active[f.Alg] = k
		case Next:
			now.next[f.Alg] = k
		case Retired, Gone:
		}
		if k.Published(at) {
			published.Keys = append(published.Keys, k.public)
		}
	}
	if now.jwks, err = json.Marshal(published); err != nil {
		return fmt.Errorf("write the JWKS: %w", err)
	}
	r.held.Store(now)
	return nil
}

// Sealed are the columns of this room that hold what is sealed.
var Sealed = []seal.Column{{Table: "signing_key", Name: "private_key", Row: "kid"}}

func place(kid string) string { return "signing_key:private_key:" + kid }

// open gives the private part of a key: what was sealed, or what signs in its stead.
func (r *Ring) open(k Key, sealed []byte) (crypto.Signer, error) {
	if k.Label != "" {
		if r.hsm == nil {
			return nil, errNoHSM
		}
		return r.hsm.Find(k.Label)
	}
	der, err := r.box.Open(place(k.KID), sealed)
	if err != nil {
		return nil, err
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	return private.(crypto.Signer), nil // every kind that we make is one
}

// Key finds a published key by its kid. It is an api.KeySource.
func (r *Ring) Key(_ context.Context, kid string) (jose.JSONWebKey, error) {
	if k := r.held.Load().all[kid]; k != nil && k.Published(r.now()) {
		return k.public, nil
	}
	return jose.JSONWebKey{}, api.ErrUnknownKey
}

// PastKey finds a key by its kid, be it published no more: it proves of an ID
// token that comes back as id_token_hint, or of an access token that is over, that
// it was ours, and nothing else.
func (r *Ring) PastKey(kid string) (jose.JSONWebKey, error) {
	if k := r.held.Load().all[kid]; k != nil {
		return k.public, nil
	}
	return jose.JSONWebKey{}, api.ErrUnknownKey
}

// JWKS is what is published (RFC 7517 §5), written out. It is not to be changed.
func (r *Ring) JWKS() []byte { return r.held.Load().jwks }
