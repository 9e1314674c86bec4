package hashing

import (
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"os"
	"os/exec"
	"sync"
)

// service is the name under which the child offers what Here does.
const service = "Hashing"

// A Process hashes in a child process, as Here does in this one.
type Process struct {
	args []string

	mu    sync.Mutex
	child *child // under mu; nil until the first hash, and when closed
}

// A child is a process that serves.
type child struct {
	*rpc.Client
	cmd *exec.Cmd
}

// NewProcess hashes in a child that runs this program with these arguments, which call Serve.
func NewProcess(args ...string) *Process { return &Process{args: args} }

// Create does what Here.Create does.
func (p *Process) Create(c Creation, hash *string) error { return p.call("Create", c, hash) }

// Compare does what Here.Compare does.
func (p *Process) Compare(c Comparison, fits *bool) error { return p.call("Compare", c, fits) }

// call asks the child; where it is lost, killed for its memory perhaps, its successor is asked once.
func (p *Process) call(method string, question, answer any) error {
	var lost *child
	for {
		c, err := p.other(lost)
		if err != nil {
			return fmt.Errorf("start what hashes: %w", err)
		}
		err = c.Call(service+"."+method, question, answer)
		if _, answered := errors.AsType[rpc.ServerError](err); err == nil || answered || lost != nil {
			return err
		}
		lost = c
	}
}

// other gives the child that serves, which is started where there is none but the lost one.
func (p *Process) other(lost *child) (*child, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.child != nil && p.child != lost {
		return p.child, nil
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	cmd := exec.Command("/proc/self/exe", p.args...) // the file may be another by now, of a later version
	cmd.Args[0] = os.Args[0]
	cmd.Env = []string{} // an inherited one would hold the passwords of our stores
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p.child = &child{rpc.NewClient(pipes{out, in}), cmd}
	return p.child, nil
}

// Close ends the child.
func (p *Process) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.end()
}

// end closes the pipes, by which the child ends, and waits for it, under mu.
func (p *Process) end() error {
	if p.child == nil {
		return nil
	}
	c := p.child
	p.child = nil
	if err := c.Close(); err != nil && !errors.Is(err, rpc.ErrShutdown) {
		return err
	}
	err := c.cmd.Wait()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return nil // lost: its successor is what helps
	}
	return err
}

// Serve hashes for the parent at the other end of the pipes, until it closes them.
func Serve(in io.ReadCloser, out io.WriteCloser) error {
	s := rpc.NewServer()
	if err := s.RegisterName(service, Here{}); err != nil {
		return err
	}
	s.ServeConn(pipes{in, out})
	return nil
}

// pipes are a connection.
type pipes struct {
	io.ReadCloser
	io.WriteCloser
}

// Close closes the writing end first: the child reads its end there, and closes the other.
func (p pipes) Close() error { return errors.Join(p.WriteCloser.Close(), p.ReadCloser.Close()) }
