// Package pgtest gives a test a PostgreSQL database of its own, migrated, and
// breaks it on purpose.
//
// One private server serves a test process, from the first use until the process
// ends; a database is a clone of one that was migrated once.
package pgtest

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/migrations"
	"asoba.example/migrations/localpg"
)

// New gives a migrated database of the provider.
func New(t testing.TB) *pgxpool.Pool { t.Helper(); return idp.New(t) }

// NewCabinet gives a migrated database of the cabinet.
func NewCabinet(t testing.TB) *pgxpool.Pool { t.Helper(); return cabinet.New(t) }

// Counting gives a migrated database of the provider and the count of round trips to it.
func Counting(t testing.TB) (*pgxpool.Pool, *Trips) { t.Helper(); return idp.Counting(t) }

// CountingCabinet gives a migrated database of the cabinet and the count of round trips to it.
func CountingCabinet(t testing.TB) (*pgxpool.Pool, *Trips) { t.Helper(); return cabinet.Counting(t) }

// URL leads to a migrated database of the provider, for a program that connects by itself.
func URL(t testing.TB) string { t.Helper(); return idp.clone(t) }

// CabinetURL leads to a migrated database of the cabinet.
func CabinetURL(t testing.TB) string { t.Helper(); return cabinet.clone(t) }

// With connects to a pool's database once more, by connections that begin with settings.
func With(t testing.TB, pool *pgxpool.Pool, settings map[string]string) *pgxpool.Pool {
	t.Helper()
	cfg := pool.Config()
	maps.Copy(cfg.ConnConfig.RuntimeParams, settings)
	again, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(again.Close)
	return again
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
	// A connection that was idle for a second is asked whether it lives, which would count where a machine is slow.
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
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

// A Template is a database that is made once in a test run; each test has a clone of it.
type Template struct {
	schema migrations.Schema // and the role that owns it, as in production
	name   string
	made   func() error
}

// The templates of New and NewCabinet.
var (
	idp     = migrated(migrations.IDP)
	cabinet = migrated(migrations.Cabinet)
)

func migrated(schema migrations.Schema) *Template {
	return &Template{schema, string(schema), sync.OnceValue(func() error {
		ctx := context.Background()
		server, err := server()
		if err != nil {
			return err
		}
		url, err := server.Create(ctx, string(schema))
		if err != nil {
			return err
		}
		return with(ctx, url, func(ctx context.Context, pool *pgxpool.Pool) error { return migrations.Up(ctx, pool, schema) })
	})}
}

// Furnish gives a template of the provider's database with what all tests of a package begin with, and what takes long to make.
func Furnish(furnish func(ctx context.Context, pool *pgxpool.Pool) error) *Template {
	name := fmt.Sprintf("furnished_%d", last.Add(1))
	return &Template{migrations.IDP, name, sync.OnceValue(func() error {
		url, err := idp.copy(name)
		if err != nil {
			return err
		}
		return with(context.Background(), url, furnish)
	})}
}

// with does something to a database, and leaves it to be cloned.
func with(ctx context.Context, url string, do func(ctx context.Context, pool *pgxpool.Pool) error) error {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	return do(ctx, pool)
}

// New gives a clone.
func (m *Template) New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return connect(t, m.clone(t), nil)
}

// Counting gives a clone and the count of round trips to it.
func (m *Template) Counting(t testing.TB) (*pgxpool.Pool, *Trips) {
	t.Helper()
	trips := new(Trips)
	return connect(t, m.clone(t), trips), trips
}

var last atomic.Int64

// clone leads to a clone that is there until the test ends.
func (m *Template) clone(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", last.Add(1))
	url, err := m.copy(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := admin(`DROP DATABASE ` + name + ` WITH (FORCE)`); err != nil {
			t.Fatal(err)
		}
	})
	return url
}

// copy makes a database like the template.
func (m *Template) copy(name string) (string, error) {
	if err := m.made(); err != nil {
		return "", err
	}
	server, err := server()
	if err != nil {
		return "", err
	}
	// In memory files are copied faster than pages are logged.
	return server.URL(string(m.schema), name),
		admin(`CREATE DATABASE ` + name + ` TEMPLATE ` + m.name + ` OWNER ` + string(m.schema) + ` STRATEGY FILE_COPY`)
}

// admin does something to the server. It takes no context: a test's own may be over.
func admin(statement string) error {
	server, err := server()
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(context.Background(), server.URL("postgres", "postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(context.Background(), statement)
	return err
}
