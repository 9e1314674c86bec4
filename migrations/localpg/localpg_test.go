package localpg_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"asoba.example/migrations/localpg"
)

// Data that is kept outlives the server, and its role enters its own database only.
func TestKeptDataOutlivesTheServer(t *testing.T) {
	t.Parallel()
	dir := publicDir(t)
	for _, statement := range []string{`CREATE TABLE kept ()`, `SELECT FROM kept`} {
		server := start(t, localpg.Config{Dir: dir, Fast: true})
		own, err := server.Create(t.Context(), "idp")
		if err != nil {
			t.Fatal(err)
		}
		foreign, err := server.Create(t.Context(), "cabinet")
		if err != nil {
			t.Fatal(err)
		}
		conn, err := pgx.Connect(t.Context(), own)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		conn.Close(t.Context())
		if _, err := pgx.Connect(t.Context(), strings.Replace(foreign, "cabinet@", "idp@", 1)); err == nil {
			t.Fatal("the role idp entered the database cabinet")
		}
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}

// A second server on the same data is refused in one line, and the first goes on.
func TestDataHasOneServer(t *testing.T) {
	t.Parallel()
	dir := publicDir(t)
	server := start(t, localpg.Config{Dir: dir, Fast: true})
	_, err := localpg.Start(t.Context(), localpg.Config{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "another one is at work") || strings.Contains(err.Error(), "\n") {
		t.Fatalf("second server on the same data: %v", err)
	}
	conn, err := pgx.Connect(t.Context(), server.URL("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close(t.Context())
}

// A server that has only just been told to stop, as after a kill of its parent, is waited for.
func TestALeavingServerIsWaitedFor(t *testing.T) {
	t.Parallel()
	dir := publicDir(t)
	first := start(t, localpg.Config{Dir: dir, Fast: true})
	var leaving errgroup.Group
	leaving.Go(first.Stop)
	second := start(t, localpg.Config{Dir: dir, Fast: true})
	conn, err := pgx.Connect(t.Context(), second.URL("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close(t.Context())
	if err := leaving.Wait(); err != nil {
		t.Error(err)
	}
}

// A wrong setting is told, and nothing stays behind.
func TestStartTellsWhyItFailed(t *testing.T) {
	t.Parallel()
	_, err := localpg.Start(t.Context(), localpg.Config{Settings: []string{"shared_buffers=none"}})
	if err == nil || !strings.Contains(err.Error(), `"shared_buffers"`) {
		t.Fatalf("a server with wrong settings: %v", err)
	}
}

// However its parent dies, a server is gone soon after, with its children and files.
func TestNothingOutlivesTheParent(t *testing.T) {
	t.Parallel()
	if os.Getenv("LOCALPG_PARENT") != "" {
		server := start(t, localpg.Config{Fast: true})
		conn, err := pgx.Connect(t.Context(), server.URL("postgres", "postgres"))
		if err != nil {
			t.Fatal(err)
		}
		var data string
		if err := conn.QueryRow(t.Context(), `SHOW data_directory`).Scan(&data); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("data=" + data + "\n")
		// Busy to the end, so that a backend is there to be orphaned.
		_, _ = conn.Exec(t.Context(), `SELECT pg_sleep(600)`)
		return
	}

	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNothingOutlivesTheParent$")
	cmd.Env = append(os.Environ(), "LOCALPG_PARENT=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said string
	for buf := make([]byte, 256); !strings.Contains(said, "\n"); {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("the child said %q: %v", said, err)
		}
		said += string(buf[:n])
	}
	data := strings.TrimSpace(strings.TrimPrefix(said, "data="))
	postmaster := firstLine(t, filepath.Join(data, "postmaster.pid"))
	children := firstLine(t, "/proc/"+postmaster+"/task/"+postmaster+"/children")

	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()

	within(t, func() bool {
		_, err := os.Stat(filepath.Dir(data))
		return errors.Is(err, os.ErrNotExist)
	})
	for _, pid := range append(strings.Fields(children), postmaster) {
		within(t, func() bool {
			_, err := os.Stat("/proc/" + pid)
			return errors.Is(err, os.ErrNotExist)
		})
	}
}

func start(t *testing.T, cfg localpg.Config) *localpg.Server {
	t.Helper()
	cfg.Say = func(line string) { t.Log(line) }
	server, err := localpg.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// publicDir is a directory that PostgreSQL's user can reach; those of t.TempDir are closed.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "localpg-test-") //nolint:usetesting // as said above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func firstLine(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// within waits for what another process does.
func within(t *testing.T, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("not within a minute")
		}
	}
}
