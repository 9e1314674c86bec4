package idp

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/migrations/pgtest"
)

// A body and its client from the terminal: added, somebody named and removed, a draft registered, proposed of, refused, taken live, given away.
func TestBodiesAreManagedFromTheTerminal(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	environ := environment(t, database)
	pool, err := pgxpool.New(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	try := func(in string, args ...string) (string, error) {
		var told bytes.Buffer
		err := Run(t.Context(), environ, strings.NewReader(in), &told, args...)
		return strings.TrimSpace(told.String()), err
	}
	run := func(in string, args ...string) string {
		t.Helper()
		told, err := try(in, args...)
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return told
	}
	const anna = "01920000-0000-7000-8000-000000000001"
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in) VALUES ($1, '1010130K001PB9', 'F', '1856', 'BY', 1)`, anna)

	body := run("", "body", "add", "Налоговая", "--en", "Tax office")
	if got, want := run("", "body", "list"), body+"  Налоговая"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	run("", "body", "name", body, "--identifier", "1010130K001PB9")
	if shown := run("", "body", "show", body); !strings.Contains(shown, anna) || !strings.Contains(shown, `"name#en": "Tax office"`) || strings.Contains(shown, "1010130K") {
		t.Errorf("shown %s", shown)
	}
	run(`{"client_name":"Портал","redirect_uris":["https://portal.example/cb"]}`, "client", "add", "--id", "portal", "--body", body, "-")
	if got, want := run("", "client", "list"), "portal  draft  Портал"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	propose := func(id string) {
		exec(`INSERT INTO proposal (id, client_id, version, base, metadata, state, proposed_by, proposed_at)
			SELECT $1, client_id, version, metadata, metadata, 'open', $2, now() FROM client`, id, anna)
	}
	const first, second = "01920000-0000-7000-8000-000000000002", "01920000-0000-7000-8000-000000000003"
	propose(first)
	if _, err := try("", "client", "refuse", "portal", first); err == nil {
		t.Error("refused for no reason")
	}
	run("", "client", "refuse", "portal", first, "--reason", "Нет цели")
	propose(second)
	if got := run("", "client", "proposals"); !strings.HasPrefix(got, second+"  open") || !strings.HasSuffix(got, "  portal") || strings.Contains(got, first) {
		t.Errorf("waiting: got %s", got)
	}
	run("", "client", "approve", "portal", second)
	if got := run("", "client", "proposals", "portal"); !strings.HasPrefix(got, second+"  approved") || !strings.Contains(got, first+"  refused") {
		t.Errorf("got %s", got)
	}
	run("", "client", "owner", "portal")
	if shown := run("", "client", "show", "portal"); strings.Contains(shown, "owner") || !strings.Contains(shown, `"stage": "live"`) {
		t.Errorf("shown %s", shown)
	}
	run(`{"redirect_uris":["https://portal.example/cb"]}`, "client", "add", "--id", "other", "--body", body, "-")
	if _, err := try("", "client", "owner", "other"); err == nil {
		t.Error("a draft is nobody's")
	}
	if shown := run("", "client", "live", "other"); !strings.Contains(shown, `"stage": "live"`) {
		t.Errorf("shown %s", shown)
	}
	run("", "body", "remove", body, "--identifier", "1010130K001PB9")
	if shown := run("", "body", "show", body); strings.Contains(shown, anna) {
		t.Errorf("shown %s", shown)
	}
}
