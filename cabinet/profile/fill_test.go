package profile

import (
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/migrations/pgtest"
)

// A first load and whoever is at two of its tables meanwhile, in whichever order they come to them, do not wait for each other.
func TestAFirstLoadWaitsForNobodyWhoWaitsForIt(t *testing.T) {
	t.Parallel()
	for order, tables := range map[string][2]string{
		"from cabinets": {"cabinet", "refresh"}, "to cabinets": {"refresh", "cabinet"}, "past cabinets": {"refresh", "contact"}, "and back": {"contact", "refresh"},
	} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			pool := pgtest.NewCabinet(t)
			other, err := pool.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			hold := func(table string) {
				t.Helper()
				if _, err := other.Exec(t.Context(), `LOCK TABLE `+table+` IN ROW EXCLUSIVE MODE`); err != nil {
					t.Error(err)
				}
			}
			hold(tables[0])
			var filling sync.WaitGroup
			filling.Go(func() {
				people := []Person{{ID: uuid.Must(uuid.NewV7()), Number: "0000000A000PB2", Sex: "F", BirthDate: "1956", Citizenship: "BY"}}
				err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
					return Fill(t.Context(), tx, func() (p Person, err error) {
						if len(people) == 0 {
							return p, io.EOF
						}
						p, people = people[0], people[1:]
						return p, nil
					}, time.Now())
				})
				if err != nil {
					t.Error(err)
				}
			})
			const waits = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
			for waiting := 0; waiting == 0 && err == nil; err = pool.QueryRow(t.Context(), waits).Scan(&waiting) {
			}
			hold(tables[1])
			err = errors.Join(err, other.Commit(t.Context()))
			filling.Wait()
			var filled int
			const count = `SELECT (SELECT count(*) FROM cabinet) + (SELECT count(*) FROM pg_constraint WHERE confrelid = 'cabinet'::regclass AND conrelid = 'contact'::regclass)`
			if err := errors.Join(err, pool.QueryRow(t.Context(), count).Scan(&filled)); err != nil || filled != 2 {
				t.Errorf("%v, and a cabinet and what refers to it are %d", err, filled)
			}
		})
	}
}
