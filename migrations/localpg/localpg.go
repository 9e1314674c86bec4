package localpg

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/migrations/leash"
)

//go:embed run.sh
var run string

// longest is how long a start may take: initdb on a slow disk, or the recovery of kept data.
const longest = 2 * time.Minute

// Config says what kind of server is wanted.
type Config struct {
	// Dir is where the data is kept between runs, in a directory named by
	// PostgreSQL's major version. Empty: the data is thrown away at the end.
	Dir string
	// Fast trades the data's life after a crash of the machine for speed.
	Fast bool
	// InMemory keeps data that is thrown away in memory, where there is room for it, unless TMPDIR names a place. To make and drop
	// a database of some hundred files costs a tenth there.
	InMemory bool
	// Settings are lines of postgresql.conf: "log_statement=all".
	Settings []string
	// Say is told, in one line, what takes long: an installation.
	Say func(line string)
}

// A Server is a running PostgreSQL.
type Server struct {
	socket  string // directory
	log     *os.File
	process *leash.Process
}

// Start starts a server and returns when it answers.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	found, err := find(ctx, cfg)
	if err != nil {
		return nil, err
	}
	owner, err := owner()
	if err != nil {
		return nil, err
	}
	socket, err := makeSocket(cfg, owner)
	if err != nil {
		return nil, err
	}
	data, logPath := filepath.Join(socket, "data"), filepath.Join(socket, "log")
	if cfg.Dir != "" {
		if data, logPath, err = makeData(cfg.Dir, found, owner); err != nil {
			return nil, errors.Join(err, os.RemoveAll(socket))
		}
	}
	log, err := claim(ctx, logPath)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(socket))
	}

	settings := []string{"listen_addresses=", "unix_socket_directories=" + socket, "max_connections=200", "max_wal_size=4GB"}
	if cfg.Fast {
		settings = append(settings, "fsync=off", "full_page_writes=off", "synchronous_commit=off", "dynamic_shared_memory_type=mmap")
	}
	var flags []string
	for _, setting := range append(settings, cfg.Settings...) {
		flags = append(flags, "-c", setting)
	}
	stop, initdb := "INT", "" // fast: clients are sent away, data is written
	if cfg.Dir == "" {
		stop, initdb = "QUIT", "--no-sync" // at once: nobody will read the data
	}
	process, err := leash.Start(leash.Command{
		Args: append([]string{"/bin/sh", "-c", run, "localpg", found.bin, data, initdb}, flags...),
		User: owner,
		Dir:  socket,
		Stop: stop,
		Log:  log,
	})
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	s := &Server{socket: socket, log: log, process: process}
	if err := s.await(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// await returns when the server answers, or with the reason why it will not.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres", "postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		if s.process.Ended() {
			return fmt.Errorf("start PostgreSQL: %s", s.lastWords())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("start PostgreSQL: %w: %s", ctx.Err(), s.lastWords())
		}
	}
}

// URL is how to connect to a database as a role.
func (s *Server) URL(role, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database}
	u.RawQuery = url.Values{"host": {s.socket}, "sslmode": {"disable"}}.Encode()
	return u.String()
}

// Create makes a database and a role of one name, where they are missing, and
// gives the way to it. Nobody else may enter but the role of OwnerURL.
func (s *Server) Create(ctx context.Context, name string) (string, error) {
	if err := s.create(ctx, name); err != nil {
		return "", fmt.Errorf("create database %s: %w", name, err)
	}
	return s.URL(name, name), nil
}

// OwnerURL is the way to a database that Create made, as the role that owns it
// and may do whatever its own role may.
func (s *Server) OwnerURL(name string) string { return s.URL(name+"_owner", name) }

func (s *Server) create(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres", "postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	role, owner := pgx.Identifier{name}.Sanitize(), pgx.Identifier{name + "_owner"}.Sanitize()
	for _, step := range []struct {
		there     string // there is nothing to do where a row of it has the name
		name      string
		statement string
	}{
		{`pg_roles WHERE rolname`, name, `CREATE ROLE ` + role + ` LOGIN`},
		{`pg_roles WHERE rolname`, name + "_owner", `CREATE ROLE ` + owner + ` LOGIN IN ROLE ` + role},
		{`pg_database WHERE datname`, name, `CREATE DATABASE ` + role + ` OWNER ` + owner},
	} {
		var there bool
		if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM `+step.there+` = $1)`, step.name).Scan(&there); err != nil {
			return err
		}
		if there {
			continue
		}
		if _, err := conn.Exec(ctx, step.statement); err != nil {
			return err
		}
	}
	for _, statement := range []string{ // also for a database of before there was an owner apart
		`ALTER DATABASE ` + role + ` OWNER TO ` + owner,
		`REVOKE ALL ON DATABASE ` + role + ` FROM PUBLIC`,
		`GRANT CONNECT, TEMPORARY ON DATABASE ` + role + ` TO ` + role,
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	inside, err := pgx.Connect(ctx, s.URL("postgres", name))
	if err != nil {
		return err
	}
	defer inside.Close(context.WithoutCancel(ctx))
	_, err = inside.Exec(ctx, `GRANT CREATE ON SCHEMA public TO `+role)
	return err
}

// Watch returns when ctx ends, or with an error when the server ends before.
func (s *Server) Watch(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if s.process.Ended() {
				return fmt.Errorf("PostgreSQL ended: %s", s.lastWords())
			}
		}
	}
}

// Stop ends the server and returns when it and its files are gone. It may be called twice.
func (s *Server) Stop() error {
	err := s.process.Stop()
	s.log.Close()
	return err
}

// lastWords is the line in which the server told why it ended.
func (s *Server) lastWords() string {
	const tail = 8 << 10
	info, err := s.log.Stat()
	if err != nil {
		return err.Error()
	}
	text, err := io.ReadAll(io.NewSectionReader(s.log, max(0, info.Size()-tail), tail))
	if err != nil {
		return err.Error()
	}
	last := "it said nothing"
	for line := range strings.Lines(string(text)) {
		for _, mark := range []string{"FATAL:", "PANIC:", "initdb: error:"} {
			if _, after, ok := strings.Cut(line, mark); ok {
				last = strings.TrimSpace(after)
			}
		}
	}
	return last
}

// owner is the user that postgres runs as: it refuses root.
func owner() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

// makeSocket makes the directory of the socket, which is the only way in, and of data that is thrown away.
func makeSocket(cfg Config, owner *syscall.Credential) (string, error) {
	const longest = 107 - len("/.s.PGSQL.5432") // sockaddr_un
	parent := os.TempDir()
	if cfg.Dir == "" && cfg.InMemory && os.Getenv("TMPDIR") == "" && roomy(memory) {
		parent = memory
	}
	if len(parent)+len("/localpg-0123456789") > longest || !open(parent, owner) {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, "localpg-")
	if err != nil {
		return "", fmt.Errorf("make a directory for PostgreSQL's socket: %w", err)
	}
	return dir, give(dir, owner)
}

// memory is where Linux keeps files in memory (shm_overview(7)); containers are often given next to none.
const memory = "/dev/shm"

// roomy tells whether there is room for the data of many tests.
func roomy(dir string) bool {
	var fs syscall.Statfs_t
	err := syscall.Statfs(dir, &fs)
	return err == nil && fs.Bavail*uint64(fs.Bsize) >= 4<<30
}

// makeData makes the directory that keeps the data of this major version.
func makeData(dir string, found installed, owner *syscall.Credential) (data, log string, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return "", "", err
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return "", "", fmt.Errorf("make the data directory: %w", err)
	}
	if owner != nil {
		info, err := os.Stat(dir)
		if err != nil {
			return "", "", err
		}
		if err := os.Chmod(dir, info.Mode().Perm()|0o011); err != nil {
			return "", "", fmt.Errorf("let PostgreSQL enter the data directory: %w", err)
		}
	}
	if err := entered(dir, owner); err != nil {
		return "", "", err
	}
	data = filepath.Join(dir, "postgresql-"+strconv.Itoa(found.major))
	if err := os.MkdirAll(data, 0o700); err != nil {
		return "", "", fmt.Errorf("make the data directory: %w", err)
	}
	return data, data + ".log", give(data, owner)
}

func give(dir string, owner *syscall.Credential) error {
	if owner == nil {
		return nil
	}
	return os.Chown(dir, int(owner.Uid), int(owner.Gid))
}

// open tells whether the owner may remove from dir what is its own.
func open(dir string, owner *syscall.Credential) bool {
	info, err := os.Stat(dir)
	return owner == nil || err == nil && info.Mode().Perm()&0o002 != 0 && entered(dir, owner) == nil
}

// entered tells whether the owner may pass through every directory on the way to dir.
func entered(dir string, owner *syscall.Credential) error {
	if owner == nil {
		return nil
	}
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o001 == 0 {
			return fmt.Errorf("%s is closed to the user that PostgreSQL runs as: choose a directory outside of it", at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}
