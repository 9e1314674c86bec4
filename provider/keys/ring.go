// Package keys is the ring of signing keys: next, active, retired.
package keys

import (
	"context"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider/seal"
)

// Config is what a Ring needs.
type Config struct {
	Pool *pgxpool.Pool
	Box  *seal.Box
	Now  func() time.Time
}

// A Ring signs with the active keys and knows every key until nothing signed with it is alive.
type Ring struct{}

// New reads the ring from the database and makes the keys that are missing: one active key for each of RS256, ES256, PS256 and EdDSA.
func New(ctx context.Context, cfg Config) (*Ring, error) { panic("unwritten") }

// Run refreshes the in-process copy until ctx ends.
func (r *Ring) Run(ctx context.Context) error { panic("unwritten") }

// Sign makes a compact JWS of claims with the active key of alg; typ is the header's typ ("at+jwt", "JWT", "logout+jwt").
func (r *Ring) Sign(alg jose.SignatureAlgorithm, typ string, claims any) (string, error) {
	panic("unwritten")
}

// Key finds a public key by its kid, retired ones too. It is an api.KeySource.
func (r *Ring) Key(ctx context.Context, kid string) (jose.JSONWebKey, error) { panic("unwritten") }

// Public is the JWKS as published (RFC 7517 §5).
func (r *Ring) Public() jose.JSONWebKeySet { panic("unwritten") }
