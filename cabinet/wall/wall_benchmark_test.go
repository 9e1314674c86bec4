package wall_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/access"
	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/cabinet/wall"
	"asoba.example/migrations/pgtest"
)

// BenchmarkWall tells what the second wall costs: what an e-service reads of a profile, with the entry that says so, and a page of the journal, as
// the doors ask for them, with row-level security and without it, in turn.
//
//	go test -run NONE -bench Wall -benchtime 5000x ./cabinet/wall
func BenchmarkWall(b *testing.B) {
	const people, entries, page = 5000, 40, 20
	back := pgtest.NewCabinet(b)
	doors := pgtest.With(b, back, wall.Settings())
	at := time.Date(2026, 5, 12, 9, 30, 0, 0, time.UTC)
	err := pgx.BeginFunc(b.Context(), back, func(tx pgx.Tx) error {
		crowd := []profile.Person{{ID: uuid.Must(uuid.NewV7()), Number: anna, Sex: "F", BirthDate: "1956", Citizenship: "BY"}}
		for n := range people {
			crowd = append(crowd, profile.Person{ID: uuid.Must(uuid.NewV7()), Number: fmt.Sprintf("3%06dA000PB0", n), Sex: "F", BirthDate: "1956", Citizenship: "BY"})
		}
		if err := profile.Apply(b.Context(), tx, crowd, at); err != nil {
			return err
		}
		_, err := tx.Exec(b.Context(), `
			WITH heard AS (UPDATE follow SET heard_at = $1)
			INSERT INTO journal (id, person_id, at, kind, actor)
			SELECT gen_random_uuid(), person_id, $1::timestamptz - n * interval '1 hour', 'signed_in', 'self' FROM cabinet, generate_series(1, $2::integer) AS n`, at, entries)
		return err
	})
	if err == nil {
		_, err = back.Exec(b.Context(), `ANALYZE`)
	}
	if err != nil {
		b.Fatal(err)
	}
	gate := access.Gate{Pool: doors}
	reads := map[string]func(ctx context.Context) error{
		"profile": func(ctx context.Context) error {
			var found profile.Profile
			q := access.Question{Subject: anna, AuthTime: at, At: at, Kind: journal.ProfileRead, ClientID: "service"}
			decision, err := gate.Admit(ctx, q, "token", func(b *pgx.Batch) { profile.Queue(b, anna, &found) })
			if err == nil && (decision != access.Admit || found.Citizenship != "BY") {
				err = fmt.Errorf("%s, %+v", decision, found)
			}
			return err
		},
		"journal": func(ctx context.Context) error {
			var found journal.Page
			_, err := gate.Admit(ctx, access.Question{Subject: anna, AuthTime: at, At: at}, "token", func(b *pgx.Batch) {
				journal.Queue(b, anna, journal.Filter{Since: at.AddDate(-3, 0, 0)}, journal.Place{}, page, &found)
			})
			if err == nil && len(found.Entries) != page {
				err = fmt.Errorf("%d entries", len(found.Entries))
			}
			return err
		},
	}
	for _, name := range []string{"journal", "profile"} {
		b.Run(name, func(b *testing.B) {
			took := map[string][]time.Duration{}
			for range max(b.N/100, 1) { // in turn, so that both see the same machine
				for _, built := range []struct{ name, statement string }{{"with", "ENABLE"}, {"without", "DISABLE"}} {
					const each = `
						DO $$ DECLARE one regclass; BEGIN
							FOR one IN SELECT DISTINCT polrelid FROM pg_policy LOOP EXECUTE format('ALTER TABLE %s %s ROW LEVEL SECURITY', one); END LOOP;
						END $$`
					if _, err := back.Exec(b.Context(), fmt.Sprintf(each, "%s", built.statement)); err != nil {
						b.Fatal(err)
					}
					for n := range 60 {
						began := time.Now()
						if err := reads[name](b.Context()); err != nil {
							b.Fatal(err)
						}
						if n >= 10 { // statements are planned anew
							took[built.name] = append(took[built.name], time.Since(began))
						}
					}
				}
			}
			for built, all := range took {
				slices.Sort(all)
				for _, percent := range []int{50, 99} {
					b.ReportMetric(float64(all[(len(all)-1)*percent/100].Microseconds()), fmt.Sprintf("%s-p%d-µs", built, percent))
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
