package keys

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/api"
)

// A State is where a key is in its life, which is drawn in doc.go.
type State string

// The states.
const (
	Next    State = "next"
	Active  State = "active"
	Retired State = "retired"
	Gone    State = "gone"
)

const (
	// Longest is the longest that anything we sign may be good, other clocks' skew
	// included, for so long is its key published after it has retired.
	Longest = time.Hour

	// lead is how long a key is published before it signs.
	lead = time.Hour

	// hintsFor is how long after its retirement a key proves that a hint is ours.
	hintsFor = 365 * 24 * time.Hour
)

// A Key is what anybody may know of a key of the ring.
type Key struct {
	KID       string
	Alg       jose.SignatureAlgorithm
	State     State
	CreatedAt time.Time
	ChangedAt time.Time // in its state since
	Label     string    // in the hardware module; "" where the database has the private part
}

// Published tells whether the key is in JWKS.
func (k Key) Published(now time.Time) bool {
	switch k.State {
	case Next, Active:
		return true
	case Retired:
		return now.Before(k.ChangedAt.Add(Longest))
	case Gone:
	}
	return false
}

// List gives every key there has been, by algorithm, the newest first.
func (r *Ring) List(ctx context.Context) ([]Key, error) {
	const list = `
		SELECT kid, alg, state, created_at, changed_at, coalesce(label, '')
		FROM signing_key ORDER BY alg, created_at DESC, kid`

	rows, _ := r.pool.Query(ctx, list)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Key])
	if err != nil {
		return nil, fmt.Errorf("list signing keys: %w", err)
	}
	return all, nil
}

// PublicKey gives the public part of any key there has ever been, for what is proved long after it was signed.
func (r *Ring) PublicKey(ctx context.Context, kid string) (key jose.JSONWebKey, err error) {
	const find = `SELECT public_key FROM signing_key WHERE kid = $1`

	switch err := r.pool.QueryRow(ctx, find, kid).Scan(&key); {
	case errors.Is(err, pgx.ErrNoRows):
		return key, api.ErrUnknownKey
	case err != nil:
		return key, fmt.Errorf("find key %s: %w", kid, err)
	}
	return key, nil
}
