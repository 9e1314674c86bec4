package migrations_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/migrations"
	"asoba.example/migrations/localpg"
)

// Once the record is set apart, a program's role may do all it needs, and nothing to what was recorded.
func TestTheProgramCannotChangeTheRecord(t *testing.T) {
	t.Parallel()
	server, err := localpg.Start(t.Context(), localpg.Config{Fast: true, InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	for schema, statements := range map[migrations.Schema]struct{ may, mayNot []string }{
		migrations.IDP: {
			may: []string{
				`INSERT INTO event (id, at, kind, office) VALUES ('019ac000-0000-7000-8000-000000000001', now(), 'signed_in', '1')`,
				`UPDATE event SET place = 1, link = '\x00'`,
				`UPDATE event_head SET place = 1, link = '\x00'`,
				`INSERT INTO audit_root (day, place, signed, at) VALUES ('2026-11-22', 1, 'signed', now())`,
				`ALTER TABLE person ADD COLUMN other text`, // the rest is its own
				`CREATE TEMPORARY TABLE staged (LIKE person)`,
			},
			mayNot: []string{
				`UPDATE event SET office = '2'`,
				`UPDATE event_2026 SET place = NULL, link = NULL`,
				`DELETE FROM event`,
				`INSERT INTO event (id, at, kind, place, link) VALUES ('019ac000-0000-7000-8000-000000000002', now(), 'signed_in', 2, '\x00')`,
				`DELETE FROM event_2026`,
				`TRUNCATE event`,
				`DROP TABLE event_2026`,
				`ALTER TABLE event DISABLE TRIGGER USER`,
				`ALTER TABLE event OWNER TO idp`,
				`UPDATE event_base SET place = 1`,
				`UPDATE audit_root SET signed = ''`,
				`DELETE FROM audit_root`,
				`SET ROLE idp_owner`,
			},
		},
		migrations.Cabinet: {
			may: []string{
				`INSERT INTO journal (id, person_id, at, kind, actor) VALUES (gen_random_uuid(), gen_random_uuid(), '2026-11-22', 'signed_in', 'self') ON CONFLICT (id, at) DO NOTHING`,
				`UPDATE journal SET place = 1, link = '\x00'`,
				`INSERT INTO journal (id, person_id, at, kind, actor, place, link) VALUES (gen_random_uuid(), gen_random_uuid(), '2026-11-23', 'signed_in', 'self', 2, '\x00')`,
				`INSERT INTO journal_head (month, place, link) VALUES ('2026-11-01', 1, '\x00') ON CONFLICT (month) DO UPDATE SET place = 2`,
				`INSERT INTO journal_root (day, signed, at) VALUES ('2026-11-22', 'signed', now())`,
				`INSERT INTO report (entry_id, entry_at, person_id, at) VALUES (gen_random_uuid(), now(), gen_random_uuid(), now())`,
				`SELECT journal_make_months((now() + interval '10 months')::date)`,
				`ALTER TABLE cabinet ADD COLUMN other text`,
			},
			mayNot: []string{
				`UPDATE journal SET office = '2'`,
				`UPDATE journal_2026_11 SET place = NULL, link = NULL`,
				`DELETE FROM journal`,
				`DELETE FROM journal_2026_11`,
				`TRUNCATE journal`,
				`DROP TABLE journal_2026_11`,
				`ALTER TABLE journal DISABLE TRIGGER USER`,
				`DELETE FROM journal_head`,
				`UPDATE journal_root SET signed = ''`,
				`DELETE FROM report`,
				`SET ROLE cabinet_owner`,
			},
		},
	} {
		t.Run(string(schema), func(t *testing.T) {
			name := string(schema)
			program, err := server.Create(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			connect := func(url string) *pgxpool.Pool {
				pool, err := pgxpool.New(t.Context(), url)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(pool.Close)
				return pool
			}
			owner := connect(server.OwnerURL(name))
			for range 2 { // as each new build does
				if err := migrations.Up(t.Context(), owner, schema); err != nil {
					t.Fatal(err)
				}
				if err := migrations.Apart(t.Context(), owner, schema, name); err != nil {
					t.Fatal(err)
				}
			}
			pool := connect(program)
			for _, statement := range statements.may {
				if _, err := pool.Exec(t.Context(), statement); err != nil {
					t.Errorf("%s: %v", statement, err)
				}
			}
			for _, statement := range statements.mayNot {
				_, err := pool.Exec(t.Context(), statement)
				if err == nil || !strings.Contains(err.Error(), "denied") && !strings.Contains(err.Error(), "must be owner") {
					t.Errorf("%s: %v", statement, err)
				}
			}
		})
	}
}
