package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed idp/*.sql cabinet/*.sql
var files embed.FS

// A Schema is one of the two databases.
type Schema string

// The schemas.
const (
	IDP     Schema = "idp"
	Cabinet Schema = "cabinet"
)

// River's tables are one of idp's migrations: a newer River is a new line here
// with a number of its own, so that its schema changes when ours says so.
const (
	riverTables  = 6 // our number
	riverVersion = 8 // River's
)

// ErrBehind says that the database needs migrations that were not applied.
var ErrBehind = errors.New("the database is behind this program: run migrate first")

// Up applies what is missing. Replicas that start together wait for one another.
func Up(ctx context.Context, pool *pgxpool.Pool, schema Schema) error {
	return with(pool, schema, func(p *goose.Provider) error {
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrate %s: %w", schema, err)
		}
		return nil
	})
}

// Check returns ErrBehind where Up has something to do.
func Check(ctx context.Context, pool *pgxpool.Pool, schema Schema) error {
	return with(pool, schema, func(p *goose.Provider) error {
		pending, err := p.HasPending(ctx)
		if err != nil {
			return fmt.Errorf("check the schema of %s: %w", schema, err)
		}
		if pending {
			return ErrBehind
		}
		return nil
	})
}

func with(pool *pgxpool.Pool, schema Schema, act func(*goose.Provider) error) error {
	dir, err := fs.Sub(files, string(schema))
	if err != nil {
		return err
	}
	// Polled each second, because a session that waits inside the server for an
	// advisory lock would hold up CREATE INDEX CONCURRENTLY.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return err
	}
	options := []goose.ProviderOption{
		goose.WithSessionLocker(locker),
		goose.WithDisableGlobalRegistry(true),
	}
	if schema == IDP {
		options = append(options, goose.WithGoMigrations(river(pool)))
	}
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, dir, options...)
	if err != nil {
		return fmt.Errorf("read the migrations of %s: %w", schema, err)
	}
	return act(provider)
}

func river(pool *pgxpool.Pool) *goose.Migration {
	return goose.NewGoMigration(riverTables, &goose.GoFunc{
		RunDB: func(ctx context.Context, _ *sql.DB) error {
			migrator, err := rivermigrate.New[pgx.Tx](riverpgxv5.New(pool), nil)
			if err != nil {
				return err
			}
			_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{TargetVersion: riverVersion})
			return err
		},
	}, nil)
}
