package keys_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/migrations/pgtest"
	"asoba.example/provider/keys"
	"asoba.example/provider/seal"
)

func config(t testing.TB, pool *pgxpool.Pool) keys.Config {
	t.Helper()
	now := func() time.Time { return noon }
	box, err := seal.Open(t.Context(), pool, bytes.Repeat([]byte{1}, seal.MasterKeySize), noon)
	if err != nil {
		t.Fatal(err)
	}
	return keys.Config{Pool: pool, Box: box, Now: now}
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newRing(t testing.TB, cfg keys.Config) *keys.Ring {
	t.Helper()
	ring, err := keys.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// However many nodes start at once on an empty database, they have the same keys,
// and each believes what the others sign.
func TestAllNodesHoldOneRing(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	cfg := config(t, pool)
	rings := make([]*keys.Ring, 3)
	var starting sync.WaitGroup
	for i := range rings {
		starting.Go(func() { rings[i] = newRing(t, cfg) })
	}
	starting.Wait()
	other := newRing(t, cfg)
	for _, ring := range rings {
		for _, alg := range keys.Algorithms {
			signed, err := ring.Sign(alg, "at+jwt", map[string]string{"sub": "me"})
			if err != nil {
				t.Fatal(err)
			}
			jws, err := jose.ParseSignedCompact(signed, []jose.SignatureAlgorithm{alg})
			if err != nil {
				t.Fatal(err)
			}
			header := jws.Signatures[0].Protected
			public, err := other.Key(t.Context(), header.KeyID)
			if err != nil {
				t.Fatal(err)
			}
			payload, err := jws.Verify(public)
			if err != nil || string(payload) != `{"sub":"me"}` || header.ExtraHeaders[jose.HeaderType] != "at+jwt" {
				t.Errorf("%s: %s, %v, %v", alg, payload, header.ExtraHeaders, err)
			}
		}
	}
	var n int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM event WHERE kind = 'key.created'`).Scan(&n); err != nil || n != 4 {
		t.Errorf("%d keys recorded, %v", n, err)
	}
}

// The published set holds public halves only, each with kid, alg and use.
func TestNothingPrivateIsPublished(t *testing.T) {
	t.Parallel()
	ring := newRing(t, config(t, pgtest.New(t)))
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(ring.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	allowed := []string{"kty", "kid", "use", "alg", "n", "e", "crv", "x", "y"}
	seen := map[any]bool{}
	for _, key := range set.Keys {
		for member := range key {
			if !slices.Contains(allowed, member) {
				t.Errorf("%s of %s is published", member, key["kty"])
			}
		}
		if key["use"] != "sig" || key["alg"] == "" || key["kid"] == "" || seen[key["kid"]] {
			t.Errorf("got %v", key)
		}
		seen[key["kid"]] = true
	}
	if len(set.Keys) != len(keys.Algorithms) {
		t.Errorf("%d keys", len(set.Keys))
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if got := fmt.Sprintf(verb, ring); got != "ring of keys" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	ring := newRing(b, config(b, pgtest.New(b)))
	claims := map[string]any{"iss": "https://idp.example", "sub": "3080356A001PB5", "exp": 1, "scope": "openid cabinet.profile.read"}
	for _, alg := range keys.Algorithms {
		b.Run(string(alg), func(b *testing.B) {
			for b.Loop() {
				if _, err := ring.Sign(alg, "at+jwt", claims); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
