package register_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/login/register"
	"asoba.example/migrations"
	"asoba.example/migrations/localpg"
	"asoba.example/migrations/pgtest"
)

// untilKilled names the database, in the environment of a process that imports until it is killed.
const untilKilled = "IMPORT_UNTIL_KILLED"

// An import that was killed goes on where it was when the same file comes again: what was staged is not staged twice.
func TestAnImportGoesOnAfterAKill(t *testing.T) {
	var file bytes.Buffer
	if err := (register.Sample{People: 20_000, Edition: 2}).Write(&file); err != nil {
		t.Fatal(err)
	}
	if url := os.Getenv(untilKilled); url != "" {
		importUntilKilled(t, url, file.String())
		return
	}
	t.Parallel()
	url := pgtest.URL(t)
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	r := register.Register{Pool: pool, DeactivatedShare: func() float64 { return 0 }}.ByPieces(100_000)
	var first bytes.Buffer
	if err := (register.Sample{People: 20_000, Edition: 1}).Write(&first); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, r, first.String())

	killed := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAnImportGoesOnAfterAKill$")
	killed.Env = append(os.Environ(), untilKilled+"="+url)
	said, err := killed.CombinedOutput()
	if status, ok := killed.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("it was not killed: %v\n%s", err, said)
	}
	all, err := r.Editions(t.Context(), 0, 1)
	if err != nil || all[0].State != register.Staging {
		t.Fatalf("%v: %+v", err, all)
	}
	before := touches(t, pool, "staged_person")
	if n := len(before); n == 0 || n >= 20_000 {
		t.Fatalf("%d rows were staged", n)
	}

	o := order(file.String())
	var who string
	if err := pool.QueryRow(t.Context(), `SELECT min(id::text) FROM person`).Scan(&who); err != nil {
		t.Fatal(err)
	}
	o.By = uuid.MustParse(who)
	e, err := r.Import(t.Context(), o) // and waits, so that what is staged can be looked at
	if err != nil || e.State != register.Waiting || e.ID != all[0].ID || e.Announced != 20_000 {
		t.Fatalf("%v: %+v", err, e.Edition)
	}
	after := touches(t, pool, "staged_person")
	for number, row := range before {
		if after[number] != row {
			t.Fatalf("a row was staged twice:\n%s\n%s", row, after[number])
		}
	}
	if len(after) != 20_000 {
		t.Errorf("%d rows are staged", len(after))
	}
	fresh := register.Register{Pool: pgtest.New(t)}
	mustLoad(t, fresh, first.String())
	if want := mustLoad(t, fresh, file.String()); e.Changed != want.Changed || e.Deactivated != want.Deactivated || e.Restored != want.Restored || e.Missing != 0 {
		t.Errorf("got %+v, want %+v", e.Edition, want.Edition)
	}
}

// importUntilKilled imports a file and dies by SIGKILL once some of it is staged.
func importUntilKilled(t *testing.T, url, file string) {
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	r := register.Register{Pool: pool}.ByPieces(100_000)
	o := register.Order{File: &mortal{strings.NewReader(file), 0}, At: at, Progress: func(int64, int64) {}}
	_, err = r.Import(context.WithoutCancel(t.Context()), o)
	t.Fatalf("it has lived: %v", err)
}

// A mortal file kills whoever has read it once and then most of it again.
type mortal struct {
	text *strings.Reader
	read int64
}

func (m *mortal) Seek(to int64, whence int) (int64, error) { return m.text.Seek(to, whence) }

func (m *mortal) Read(p []byte) (int, error) {
	n, err := m.text.Read(p[:min(len(p), 10_000)])
	if m.read += int64(n); m.read > m.text.Size()*17/10 {
		_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
	}
	return n, err
}

// killedAt is a connection of a process that is killed once something is asked by it: no other one tells the server so.
type killedAt struct {
	net.Conn
	asked string
	gone  *atomic.Bool
}

func (k killedAt) Write(p []byte) (int, error) {
	n, err := k.Conn.Write(p)
	if bytes.Contains(p, []byte(k.asked)) {
		k.gone.Store(true)
		k.Close()
	}
	return n, err
}

// What PostgreSQL does for an import that was killed ends with it: the same file is applied without waiting for that.
func TestAKilledImportHoldsUpNobody(t *testing.T) {
	t.Parallel()
	const long = `SELECT pg_sleep(600)`
	cfg, err := pgxpool.ParseConfig(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	r := register.Register{Pool: newPool(t, cfg.Copy())}
	mustLoad(t, r, full(edition(10, living...)))
	next := edition(11, deaths...)
	gone := new(atomic.Bool)
	cfg.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if gone.Load() {
			return nil, net.ErrClosed
		}
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return killedAt{conn, long, gone}, err
	}
	killed := register.Register{Pool: newPool(t, cfg), Cascade: func(ctx context.Context, tx pgx.Tx, _ []uuid.UUID, _ time.Time) error {
		_, err := tx.Exec(ctx, long)
		return err
	}}
	if e, err := load(t, killed, next); err == nil {
		t.Fatalf("it was not killed: %+v", e)
	}
	if e := mustLoad(t, r, next); e.Again || e.Deactivated != 2 {
		t.Errorf("afterwards: %+v", e)
	}
}

// A process of PostgreSQL is killed, which empties what is not logged. An edition that waits with nothing but bad rows is read again too: whom they
// mention is not missing.
func TestACrashEmptiesAnEditionOfBadRows(t *testing.T) {
	t.Parallel()
	server, err := localpg.Start(t.Context(), localpg.Config{InMemory: true, Say: func(line string) { t.Log(line) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	url, err := server.Create(t.Context(), "idp")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	pool := newPool(t, cfg)
	if err := migrations.Up(t.Context(), pool, migrations.IDP); err != nil {
		t.Fatal(err)
	}
	r := register.Register{Pool: pool, MissingShare: func() float64 { return 0.1 }}
	mustLoad(t, r, full(edition(10, living...)))
	anna, boris, _ := staff(t, &r)
	for i, story := range []struct {
		bad     string
		missing int64
	}{
		{"123,M,1930,BY,,,,,,,,,,", 5},
		{"1010130K001PB9,M,soon,BY,,,,,,,,,,", 4},
	} {
		bring := func() register.Report {
			t.Helper()
			o := order(full(edition(11+i, story.bad)))
			o.By = anna
			e, err := r.Import(t.Context(), o)
			if err != nil || e.State != register.Waiting || e.Missing != story.missing {
				t.Fatalf("%s: %v: %+v", story.bad, err, e.Edition)
			}
			return e
		}
		e := bring()
		crash(t, pool)
		if _, err := r.Release(t.Context(), e.ID, boris, at); !errors.Is(err, register.ErrLost) {
			t.Fatalf("%s: released: %v", story.bad, err)
		}
		if again := bring(); again.Again || again.ID != e.ID {
			t.Errorf("%s: read again: %+v", story.bad, again.Edition)
		}
		if e, err := r.Release(t.Context(), e.ID, boris, at); err != nil || e.Missing != story.missing {
			t.Errorf("%s: released: %v: %+v", story.bad, err, e)
		}
	}
}

// crash kills one of PostgreSQL's processes, so that it starts all of them anew, and waits for that.
func crash(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	var pid int
	if err := pool.QueryRow(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	for after := false; !after; {
		if time.Since(begun) > time.Minute {
			t.Fatal("PostgreSQL does not come back")
		}
		<-time.After(20 * time.Millisecond)
		pool.Reset()
		_ = pool.QueryRow(t.Context(), `SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)`, pid).Scan(&after)
	}
}
