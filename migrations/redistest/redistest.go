// Package redistest gives a test a real Redis: a database of its own on one
// private server per test process.
package redistest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"asoba.example/migrations/debian"
	"asoba.example/migrations/leash"
)

// New gives an empty database and a client of it until the test ends.
func New(t testing.TB) redis.UniversalClient {
	t.Helper()
	options, err := redis.ParseURL(URL(t))
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

// URL leads to an empty database, for a program that connects by itself.
func URL(t testing.TB) string {
	t.Helper()
	server, err := server()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("unix://%s?db=%d", server.socket, last.Add(1))
}

var last atomic.Int64

// A running server. Its process is held here, because a leash that nobody holds is
// collected as garbage, and with it goes the server.
type running struct {
	socket  string
	process *leash.Process
}

// server is the process's own; the leash ends it with the process.
var server = sync.OnceValues(func() (running, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		if err := debian.Install(ctx, func(line string) { fmt.Println(line) }, "redis-server"); err != nil {
			return running{}, fmt.Errorf("no Redis found: %w", err)
		}
		if bin, err = exec.LookPath("redis-server"); err != nil {
			return running{}, err
		}
	}
	parent := os.TempDir()
	if len(parent) > 64 { // a socket's path has 107 bytes
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, "redistest-")
	if err != nil {
		return running{}, err
	}
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return running{}, errors.Join(err, os.RemoveAll(dir))
	}
	socket := filepath.Join(dir, "redis.sock")
	process, err := leash.Start(leash.Command{
		Args: []string{
			bin, "--port", "0", "--unixsocket", socket, "--dir", dir,
			"--save", "", "--appendonly", "no", "--databases", "10000",
		},
		Dir:  dir,
		Stop: "TERM",
		Log:  log,
	})
	if err != nil {
		return running{}, err
	}
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, DialerRetries: 1})
	defer client.Close()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !exists(socket) || client.Ping(ctx).Err() != nil { // the client complains aloud of a socket that is not there
		if process.Ended() {
			said, _ := io.ReadAll(io.NewSectionReader(log, 0, 8<<10))
			return running{}, fmt.Errorf("start Redis: %s", said)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return running{}, errors.Join(ctx.Err(), process.Stop())
		}
	}
	return running{socket, process}, nil
})

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
