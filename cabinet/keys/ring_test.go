package keys_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"asoba.example/cabinet/keys"
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/seal"
)

// Nodes that start at once sign with one key; after a rotation a new one signs, and what the first has signed is still proved. A key that somebody
// has written into the database, or moved there, is none of ours.
func TestTheRing(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	now := time.Date(2026, 5, 12, 9, 30, 0, 0, time.UTC)
	box, err := seal.Open(t.Context(), pool, []byte("01234567890123456789012345678901"), now)
	if err != nil {
		t.Fatal(err)
	}
	ring := keys.Ring{Pool: pool, Box: box, Now: func() time.Time { return now }}
	signed := make([]string, 4)
	var nodes sync.WaitGroup
	for i := range signed {
		nodes.Go(func() {
			var err error
			if signed[i], err = ring.Sign(t.Context(), "test+jwt", map[string]string{"iss": "us"}); err != nil {
				t.Error(err)
			}
		})
	}
	nodes.Wait()
	now = now.Add(time.Second)
	if err := ring.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	set, err := ring.Public(t.Context())
	if err != nil || len(set.Keys) != 2 {
		t.Fatalf("%d keys, %v", len(set.Keys), err)
	}
	check := func(signed, kid string) {
		t.Helper()
		jws, err := jose.ParseSignedCompact(signed, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			t.Fatal(err)
		}
		if got := jws.Signatures[0].Header.KeyID; got != kid {
			t.Errorf("signed by %s, want %s", got, kid)
		}
		key, err := ring.Find(t.Context(), kid)
		if err == nil {
			_, err = jws.Verify(key)
		}
		if err != nil || !key.IsPublic() {
			t.Errorf("proved by %v, %v", key, err)
		}
	}
	for _, s := range signed {
		check(s, set.Keys[1].KeyID)
	}
	var streamed bytes.Buffer
	stream, err := ring.Stream(t.Context(), "test+jwt", &streamed)
	if err == nil {
		_, err = stream.Write([]byte(`{"iss":`))
	}
	if err == nil {
		_, err = stream.Write([]byte(`"us"}`))
	}
	if err := errors.Join(err, stream.Close()); err != nil {
		t.Fatal(err)
	}
	check(streamed.String(), set.Keys[0].KeyID)

	if _, err := ring.Find(t.Context(), "another"); !errors.Is(err, keys.ErrUnknown) {
		t.Errorf("found another: %v", err)
	}
	if _, err := pool.Exec(t.Context(), `UPDATE signing_key SET kid = 'moved' WHERE kid = $1`, set.Keys[1].KeyID); err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Find(t.Context(), "moved"); !errors.Is(err, keys.ErrUnknown) {
		t.Errorf("a key that was moved opens: %v", err)
	}
	// It stops none of the others; where none is left, no other takes their place unasked.
	if err := ring.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "moved") {
		t.Errorf("which key does not open: %v", err)
	}
	if left, err := ring.Public(t.Context()); err != nil || len(left.Keys) != 1 || left.Keys[0].KeyID != set.Keys[0].KeyID {
		t.Errorf("left are %v, %v", left, err)
	}
	after, err := ring.Sign(t.Context(), "test+jwt", map[string]string{"iss": "us"})
	if err != nil {
		t.Fatal(err)
	}
	check(after, set.Keys[0].KeyID)
	if _, err := pool.Exec(t.Context(), `UPDATE signing_key SET private_key = '\x00'`); err != nil {
		t.Fatal(err)
	}
	if signed, err := ring.Sign(t.Context(), "test+jwt", map[string]string{}); err == nil {
		t.Errorf("signed %s though no key opens", signed)
	}
}

// A rotation that cannot be written is none: the key before it signs on, and the next rotation is whole.
func TestARotationIsWholeOrNone(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	now := time.Date(2026, 5, 12, 9, 30, 0, 0, time.UTC)
	box, err := seal.Open(t.Context(), pool, []byte("01234567890123456789012345678901"), now)
	if err != nil {
		t.Fatal(err)
	}
	ring := keys.Ring{Pool: pool, Box: box, Now: func() time.Time { return now }}
	signs := func(want int) string {
		t.Helper()
		signed, err := ring.Sign(t.Context(), "test+jwt", map[string]string{"iss": "us"})
		if err != nil {
			t.Fatal(err)
		}
		jws, err := jose.ParseSignedCompact(signed, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			t.Fatal(err)
		}
		if set, err := ring.Public(t.Context()); err != nil || len(set.Keys) != want {
			t.Errorf("%d keys, %v, want %d", len(set.Keys), err, want)
		}
		return jws.Signatures[0].Header.KeyID
	}
	first := signs(1)
	now = now.Add(time.Second)
	heal := pgtest.FailOn(t, pool, "INSERT", "signing_key")
	if err := ring.Rotate(t.Context()); err == nil {
		t.Error("rotated over a broken table")
	}
	heal()
	if kid := signs(1); kid != first {
		t.Errorf("%s signs after a rotation that was not, and not %s", kid, first)
	}
	if err := ring.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kid := signs(2); kid == first {
		t.Error("the first key still signs after a rotation")
	}
}
