package idp

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/cmd/internal/settings"
	"asoba.example/login/hashing"
	"asoba.example/provider/audit"
)

// An auditor exports what happened, keeps the signed roots, and proves by them that nothing was changed since.
func TestTheAuditIsProvedFromTheTerminal(t *testing.T) {
	t.Parallel()
	environ := errandEnviron(t)
	run := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := Run(t.Context(), environ, nil, &out, append([]string{"audit"}, args...)...)
		return out.String(), err
	}
	cfg, err := settings.Read[Config](environ)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), cfg.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	exec := func(statement string) {
		t.Helper()
		if _, err := pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	happen := func(n int) {
		t.Helper()
		for range n {
			if err := audit.Record(t.Context(), pool, audit.Event{Kind: audit.SignedIn, At: time.Now(), Person: uuid.New()}); err != nil {
				t.Fatal(err)
			}
		}
		if err := (&audit.Sealer{Pool: pool}).Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if said, err := run("roots"); err != nil || said != "" { // and makes the keys, of which there are events
		t.Errorf("%v\n%s", err, said)
	}
	happen(2)
	all, err := run("export")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(all, "\n"), "\n")
	if len(lines) != 6 || !strings.HasPrefix(lines[5], `{"cursor":"6","kind":"signed_in",`) {
		t.Errorf("exported:\n%s", all)
	}
	if rest, err := run("export", "--after", "5"); err != nil || rest != lines[5]+"\n" {
		t.Errorf("from a cursor: %v\n%s", err, rest)
	}
	for _, none := range []string{"now", "-1", "7", "99999"} { // the last are of no event yet
		if said, err := run("export", "--after", none); err == nil || err.Error() != "--after is not the cursor of any event" || said != "" {
			t.Errorf("--after %s: %v\n%s", none, err, said)
		}
	}
	if said, err := run("export", "--after", "6"); err != nil || said != "" {
		t.Errorf("after the last event: %v\n%s", err, said)
	}

	withHouseOf(t, cfg, func(h *house) {
		if err := h.roots().SignToday(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	root, err := run("roots")
	if err != nil || strings.Count(root, "\n") != 1 {
		t.Fatalf("%v\n%s", err, root)
	}
	kept := filepath.Join(t.TempDir(), "roots")
	if err := os.WriteFile(kept, []byte(root), 0o600); err != nil {
		t.Fatal(err)
	}
	const proved = "6 events, from place 1 to 6, are as they were recorded.\nThe chain goes through 2 signed roots, the last of "
	if said, err := run("verify", "--roots", kept); err != nil || !strings.HasPrefix(said, proved) || !strings.HasSuffix(said, "that is proved up to place 6.\n") {
		t.Errorf("%v\n%s", err, said)
	}
	if said, err := run("verify"); err != nil || !strings.Contains(said, "Of whoever owns the database nothing is proved") {
		t.Errorf("%v\n%s", err, said)
	}

	const next = "Events are kept for 7 years after their own. Those of 2026 are next: they may go from 2034-01-01.\n"
	if said, err := run("drop"); err != nil || said != next {
		t.Errorf("%v\n%s", err, said)
	}
	if _, err := run("drop", "2026"); err == nil || !strings.Contains(err.Error(), "kept for 7 years") {
		t.Errorf("a year whose time is not over: %v", err)
	}
	exec(`ALTER TABLE event DISABLE TRIGGER USER; UPDATE event SET acr = 'high' WHERE place = 3`)
	if said, err := run("verify"); err == nil || !strings.Contains(err.Error(), "at place 3, event ") || said != "" {
		t.Errorf("after a change: %v\n%s", err, said)
	}
}

// withHouseOf lets a test act in the house as a node that serves does.
func withHouseOf(t *testing.T, cfg Config, act func(*house)) {
	t.Helper()
	h, err := newHouse(t.Context(), cfg, hashing.Here{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	act(h)
}
