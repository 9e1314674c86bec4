package migrations_test

import (
	"errors"
	"testing"

	"golang.org/x/sync/errgroup"

	"asoba.example/migrations"
	"asoba.example/migrations/pgtest"
)

// Replicas that start together migrate once; afterwards there is nothing to do.
func TestReplicasMigrateOnce(t *testing.T) {
	t.Parallel()
	for _, schema := range []migrations.Schema{migrations.IDP, migrations.Cabinet} {
		t.Run(string(schema), func(t *testing.T) {
			t.Parallel()
			pool := pgtest.New(t)
			if _, err := pool.Exec(t.Context(), `DROP SCHEMA public CASCADE; CREATE SCHEMA public`); err != nil {
				t.Fatal(err)
			}
			if err := migrations.Check(t.Context(), pool, schema); !errors.Is(err, migrations.ErrBehind) {
				t.Fatalf("check of an empty database: %v", err)
			}
			var replicas errgroup.Group
			for range 3 {
				replicas.Go(func() error { return migrations.Up(t.Context(), pool, schema) })
			}
			if err := replicas.Wait(); err != nil {
				t.Fatal(err)
			}
			if err := migrations.Check(t.Context(), pool, schema); err != nil {
				t.Fatal(err)
			}
		})
	}
}
