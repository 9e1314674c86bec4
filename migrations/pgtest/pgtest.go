// Package pgtest gives a test a PostgreSQL database of its own, migrated, and
// breaks it on purpose.
//
// One private server serves a test process, from the first use until the process
// ends; a database is a clone of one that was migrated once.
package pgtest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/migrations"
	"asoba.example/migrations/localpg"
)

// New gives a migrated database of the provider.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return connect(t, URL(t), nil)
}

// NewCabinet gives a migrated database of the cabinet.
func NewCabinet(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return connect(t, CabinetURL(t), nil)
}

// Counting gives a migrated database of the provider and the count of round trips to it.
func Counting(t testing.TB) (*pgxpool.Pool, *Trips) {
	t.Helper()
	trips := new(Trips)
	return connect(t, URL(t), trips), trips
}

// CountingCabinet gives a migrated database of the cabinet and the count of round trips to it.
func CountingCabinet(t testing.TB) (*pgxpool.Pool, *Trips) {
	t.Helper()
	trips := new(Trips)
	return connect(t, CabinetURL(t), trips), trips
}

// URL leads to a migrated database of the provider, for a program that connects by itself.
func URL(t testing.TB) string {
	t.Helper()
	return clone(t, migrations.IDP)
}

// CabinetURL leads to a migrated database of the cabinet.
func CabinetURL(t testing.TB) string {
	t.Helper()
	return clone(t, migrations.Cabinet)
}

// connect connects to a database until the test ends.
func connect(t testing.TB, url string, trips *Trips) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	cfg.MaxConns = 8
	if trips != nil {
		cfg.ConnConfig.Tracer, cfg.ConnConfig.DialFunc = trips, trips.dial
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// server is the process's own; the leash ends it with the process.
var server = sync.OnceValues(func() (*localpg.Server, error) {
	return localpg.Start(context.Background(), localpg.Config{
		Fast:     true,
		InMemory: true,
		Settings: []string{"shared_buffers=64MB"},
		Say:      func(line string) { fmt.Println(line) },
	})
})

// templates are migrated once, each by the role that owns it, as in production.
var templates = map[migrations.Schema]func() error{
	migrations.IDP:     sync.OnceValue(func() error { return migrate(migrations.IDP) }),
	migrations.Cabinet: sync.OnceValue(func() error { return migrate(migrations.Cabinet) }),
}

func migrate(schema migrations.Schema) error {
	ctx := context.Background()
	server, err := server()
	if err != nil {
		return err
	}
	url, err := server.Create(ctx, string(schema))
	if err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	return migrations.Up(ctx, pool, schema)
}

var last atomic.Int64

func clone(t testing.TB, schema migrations.Schema) string {
	t.Helper()
	if err := templates[schema](); err != nil {
		t.Fatal(err)
	}
	server, err := server()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("test_%d", last.Add(1))
	admin := func(statement string) {
		// The test's own context may be over.
		conn, err := pgx.Connect(context.Background(), server.URL("postgres", "postgres"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(context.Background(), statement); err != nil {
			t.Fatal(err)
		}
	}
	// In memory files are copied faster than pages are logged.
	admin(`CREATE DATABASE ` + name + ` TEMPLATE ` + string(schema) + ` OWNER ` + string(schema) + ` STRATEGY FILE_COPY`)
	t.Cleanup(func() { admin(`DROP DATABASE ` + name + ` WITH (FORCE)`) })
	return server.URL(string(schema), name)
}
