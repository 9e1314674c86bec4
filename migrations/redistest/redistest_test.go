package redistest_test

import (
	"errors"
	"testing"

	"github.com/redis/go-redis/v9"

	"asoba.example/migrations/redistest"
)

// What one test writes, another does not see.
func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	one, other := redistest.New(t), redistest.New(t)
	if err := one.Set(t.Context(), "key", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := other.Get(t.Context(), "key").Err(); !errors.Is(err, redis.Nil) {
		t.Fatalf("key of another test: %v", err)
	}
}
