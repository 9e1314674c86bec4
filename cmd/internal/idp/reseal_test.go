package idp

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/cmd/internal/settings"
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/seal"
)

// Nothing that is sealed is forgotten when all is sealed anew: whatever bytes a table holds are sealed, or are no secret.
func TestEverySealedColumnIsSealedAnew(t *testing.T) {
	t.Parallel()
	open := []string{
		"answer.key_hash", "answer.request_hash", "answer.sealed", // lives an hour
		"client.previous_secret_hash", "client.registration_hash", "client.secret_hash", "desk_act.request_body", "desk_act.request_key", "desk_refusal.request_key",
		"edition.checksum", "edition.staged_sum", "event.link", "event_base.link", "event_head.link",
		"identity.document_index", "identity.phone_index", "initial_access_token.token_hash", "issuance.code_key", "issuance.phone_index", "issuance.request_body", "issuance.request_key",
		"key_set.wrapped", // by the master key
		"known_browser.token_hash", "not_me.token_hash", "passkey.credential_id", "passkey_answer.challenge", "person_event.digest", "phone_change.phone_index", "refresh_token.token_hash", "river_job.unique_key",
	}
	const columns = `
		SELECT c.table_name || '.' || c.column_name
		FROM information_schema.columns c JOIN pg_class k ON k.relname = c.table_name
		WHERE c.table_schema = 'public' AND c.data_type = 'bytea' AND NOT k.relispartition`
	rows, _ := pgtest.New(t).Query(t.Context(), columns)
	have, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range sealed() {
		open = append(open, c.Table+"."+c.Name)
	}
	slices.Sort(have)
	slices.Sort(open)
	if got, want := strings.Join(have, "\n"), strings.Join(open, "\n"); got != want {
		t.Errorf("the tables hold:\n%s\nknown are:\n%s", got, want)
	}
}

// All is sealed anew by a new key, and the master key is replaced; the provider opens what it had.
func TestKeysThatSealAreReplacedFromTheTerminal(t *testing.T) {
	t.Parallel()
	environ := errandEnviron(t)
	cfg, err := settings.Read[Config](environ)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	withHouseOf(t, cfg, func(h *house) { // has made signing keys, four of which are sealed
		at := time.Now()
		lead := seal.Lead
		follow := func(context.Context) (time.Time, error) {
			at = at.Add(lead)
			return at, nil
		}
		if err := reseal(t.Context(), h.box, follow, &said); err != nil {
			t.Fatal(err)
		}
		lead = seal.Keep
		if err := reseal(t.Context(), h.box, follow, &said); err != nil {
			t.Fatal(err)
		}
	})
	for _, want := range []string{
		"signing_key.private_key: 4 sealed anew\n", "The former key is kept for what lives no longer than 1h0m0s.",
		"signing_key.private_key: 0 sealed anew\n", "Former keys that are gone for good: 1.\n",
	} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("does not say %q:\n%s", want, &said)
		}
	}
	fresh := filepath.Join(t.TempDir(), "fresh")
	if err := os.WriteFile(fresh, []byte(seal.NewMasterKey()), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) error { return Run(t.Context(), environ, nil, new(bytes.Buffer), args...) }
	if err := run("key", "rewrap", fresh); err != nil {
		t.Fatal(err)
	}
	if err := run("key", "list"); err == nil || !strings.Contains(err.Error(), "master key") {
		t.Errorf("by the old master key: %v", err)
	}
	if err := os.Rename(fresh, cfg.MasterKeyFile); err != nil {
		t.Fatal(err)
	}
	if err := run("key", "list"); err != nil {
		t.Errorf("by the new one: %v", err)
	}
	pool, err := pgxpool.New(t.Context(), cfg.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var keys int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM signing_key`).Scan(&keys); err != nil || keys != 4 {
		t.Errorf("%d signing keys, %v: they were made anew", keys, err)
	}
}
