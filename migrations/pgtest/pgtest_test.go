package pgtest_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"asoba.example/migrations/pgtest"
)

// What one test writes, another does not see.
func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	one, other := pgtest.NewCabinet(t), pgtest.NewCabinet(t)
	const insert = `INSERT INTO edition (id, at, after) VALUES (1, now(), gen_random_uuid())`
	if _, err := one.Exec(t.Context(), insert); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec(t.Context(), insert); err != nil {
		t.Fatal(err)
	}
}

func TestFailOnBreaksOneVerbUntilHealed(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	insert := func() error {
		_, err := pool.Exec(t.Context(), `INSERT INTO edition (id, at, after) VALUES (1, now(), gen_random_uuid())`)
		return err
	}
	heal := pgtest.FailOn(t, pool, "INSERT", "edition")
	if insert() == nil {
		t.Fatal("INSERT went through a broken table")
	}
	if _, err := pool.Exec(t.Context(), `UPDATE edition SET id = 2`); err != nil {
		t.Fatalf("UPDATE is not broken: %v", err)
	}
	heal()
	if err := insert(); err != nil {
		t.Fatal(err)
	}
}

func TestTripsCountABatchOnce(t *testing.T) {
	t.Parallel()
	pool, trips := pgtest.Counting(t)
	trips.Take()
	batch := &pgx.Batch{}
	batch.Queue(`SELECT 1`)
	batch.Queue(`SELECT 2`)
	if err := pool.SendBatch(t.Context(), batch).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), `SELECT 3`); err != nil {
		t.Fatal(err)
	}
	if got, want := trips.Take(), 2; got != want {
		t.Errorf("round trips: got %d, want %d", got, want)
	}
}
