// Package leash keeps a server as a child that is gone when this process is
// gone, with its files.
//
// Between us and the server stands a small shell that holds the reading end of a
// pipe. However this process ends, kill -9 too, the kernel closes the writing
// end; then the shell stops the server and removes what was to be thrown away.
// (A parent-death signal would stop the server but leave its files, and it hangs
// on one thread of the parent, not on the process.)
package leash

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

//go:embed keep.sh
var keep string

// A Command says what to run.
type Command struct {
	Args []string            // program and arguments
	User *syscall.Credential // nil: as we are
	Dir  string              // removed at the end; User must be able to do that
	Stop string              // signal that ends it: INT, TERM, QUIT
	Log  *os.File            // what it says
}

// A Process is a child on the leash.
type Process struct {
	dir  string
	pipe io.Closer
	wait func() error
}

// Start starts the command. If it fails, Dir is removed too. Who starts a process
// holds it: one that nobody holds is collected as garbage, and its server stops.
func Start(c Command) (*Process, error) {
	cmd := exec.Command("/bin/sh", append([]string{"-c", keep, "leash", c.Dir, c.Stop}, c.Args...)...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.Stdout, cmd.Stderr = c.Log, c.Log
	// A session of its own: Ctrl-C is for us, and we end the server after its clients.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: c.User}
	pipe, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", c.Args[0], err), os.RemoveAll(c.Dir))
	}
	return &Process{dir: c.Dir, pipe: pipe, wait: sync.OnceValue(cmd.Wait)}, nil
}

// Ended tells that the server is gone.
func (p *Process) Ended() bool {
	_, err := os.Stat(p.dir)
	return errors.Is(err, os.ErrNotExist)
}

// Stop ends the server and returns when it and its files are gone. It may be called twice.
func (p *Process) Stop() error {
	p.pipe.Close()
	err := p.wait()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return nil // gone all the same; why it ended stands in its log
	}
	return err
}
