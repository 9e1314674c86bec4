package keys

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
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
	Pool *pgxpool.Pool
	Box  *seal.Box
	Now  func() time.Time
}

// A Ring signs with the active keys and knows every key until nothing signed with it is alive.
type Ring struct {
	pool *pgxpool.Pool
	box  *seal.Box
	now  func() time.Time
	held atomic.Pointer[held] // replaced whole
}

// held is the ring as the database had it; it does not change.
type held struct {
	active map[jose.SignatureAlgorithm]*key
	all    map[string]*key
	public jose.JSONWebKeySet
}

// A key is one of the ring. private is nil but in an active key.
type key struct {
	public  jose.JSONWebKey
	private crypto.Signer
	signers sync.Map // typ → jose.Signer, made once each
}

var _ api.KeySource = (*Ring)(nil)

// Format keeps private keys out of every message a Ring strays into.
func (*Ring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "ring of keys") }

// New reads the ring from the database and makes the keys that are missing: one
// active key for each algorithm.
func New(ctx context.Context, cfg Config) (*Ring, error) {
	r := &Ring{pool: cfg.Pool, box: cfg.Box, now: cfg.Now}
	r.held.Store(new(held))
	if err := r.Refresh(ctx); err != nil {
		return nil, err
	}
	made := false
	for _, alg := range Algorithms {
		if r.held.Load().active[alg] == nil {
			if err := r.make(ctx, alg); err != nil {
				return nil, err
			}
			made = true
		}
	}
	if made {
		return r, r.Refresh(ctx)
	}
	return r, nil
}

// Refresh takes over what other nodes have changed; it is to be called now and then.
func (r *Ring) Refresh(ctx context.Context) error {
	const find = `
		SELECT kid, alg, state = 'active', private_key, public_key
		FROM signing_key ORDER BY created_at, kid`

	type row struct {
		KID     string
		Alg     jose.SignatureAlgorithm
		Active  bool
		Private []byte
		Public  json.RawMessage
	}
	rows, _ := r.pool.Query(ctx, find)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return fmt.Errorf("read signing keys: %w", err)
	}
	before := r.held.Load()
	now := &held{active: map[jose.SignatureAlgorithm]*key{}, all: map[string]*key{}}
	for _, f := range found {
		k := before.all[f.KID]
		if k == nil || f.Active != (k.private != nil) {
			k = new(key)
			if err := json.Unmarshal(f.Public, &k.public); err != nil {
				return fmt.Errorf("read signing key %s: %w", f.KID, err)
			}
			if f.Active {
				if k.private, err = r.open(f.KID, f.Private); err != nil {
					return fmt.Errorf("read signing key %s: %w", f.KID, err)
				}
			}
		}
		now.all[f.KID] = k
		now.public.Keys = append(now.public.Keys, k.public)
		if f.Active {
			now.active[f.Alg] = k
		}
	}
	r.held.Store(now)
	return nil
}

func place(kid string) string { return "signing_key:private_key:" + kid }

func (r *Ring) open(kid string, sealed []byte) (crypto.Signer, error) {
	der, err := r.box.Open(place(kid), sealed)
	if err != nil {
		return nil, err
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	return private.(crypto.Signer), nil // every kind that we make is one
}

// Key finds a public key by its kid, retired ones too. It is an api.KeySource.
func (r *Ring) Key(_ context.Context, kid string) (jose.JSONWebKey, error) {
	if k := r.held.Load().all[kid]; k != nil {
		return k.public, nil
	}
	return jose.JSONWebKey{}, api.ErrUnknownKey
}

// Public is the JWKS as published (RFC 7517 §5).
func (r *Ring) Public() jose.JSONWebKeySet { return r.held.Load().public }
