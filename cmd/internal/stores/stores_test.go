package stores_test

import (
	"net"
	"strings"
	"testing"

	"asoba.example/cmd/internal/stores"
	"asoba.example/migrations/pgtest"
	"asoba.example/migrations/redistest"
)

// Stores that answer are let be.
func TestStoresThatAnswer(t *testing.T) {
	t.Parallel()
	if err := stores.PostgreSQL(t.Context(), "X_DATABASE_URL", pgtest.URL(t)); err != nil {
		t.Error(err)
	}
	if err := stores.Redis(t.Context(), "X_REDIS_URL", redistest.URL(t)); err != nil {
		t.Error(err)
	}
}

// A store that does not is told in one line by its setting, and no password is.
func TestStoresThatDoNot(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	for _, wrong := range []string{"//u:secret@" + nobody + "/0", "//u:secret@nowhere.invalid/0", "//u:secret@%/0"} {
		for setting, err := range map[string]error{
			"X_DATABASE_URL": stores.PostgreSQL(t.Context(), "X_DATABASE_URL", "postgres:"+wrong),
			"X_REDIS_URL":    stores.Redis(t.Context(), "X_REDIS_URL", "redis:"+wrong),
		} {
			if err == nil || !strings.HasPrefix(err.Error(), setting) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: got %v", wrong, err)
			}
		}
	}
}
