package hashing

import (
	"errors"
	"os"
	"strconv"
	"testing"

	"github.com/alexedwards/argon2id"
)

// The child of these tests is this very program.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "hash" {
		if err := Serve(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

var creation = Creation{"keyed digest", argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}}

func TestAProcessHashesAsItIsDoneHere(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	var hash string
	if err := p.Create(creation, &hash); err != nil {
		t.Fatal(err)
	}
	for secret, want := range map[string]bool{"keyed digest": true, "another": false} {
		for where, compare := range map[string]func(Comparison, *bool) error{"in a process": p.Compare, "here": Here{}.Compare} {
			var got bool
			if err := compare(Comparison{secret, hash}, &got); err != nil || got != want {
				t.Errorf("%s %s: got %t, %v, want %t", secret, where, got, err, want)
			}
		}
	}
	var got bool
	if here, there := (Here{}).Compare(Comparison{"keyed digest", "no hash"}, &got), p.Compare(Comparison{"keyed digest", "no hash"}, &got); there == nil || there.Error() != here.Error() {
		t.Errorf("what is no hash: got %v, want %v", there, here)
	}
}

// Whatever kills the child, the kernel for want of memory above all, keeps nobody out.
func TestALostChildHasASuccessor(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	for range 3 {
		var hash string
		if err := p.Create(creation, &hash); err != nil {
			t.Fatal(err)
		}
		if err := p.child.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheChildIsToldNothingAndEndsWithItsParent(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	var hash string
	if err := p.Create(creation, &hash); err != nil {
		t.Fatal(err)
	}
	of := "/proc/" + strconv.Itoa(p.child.cmd.Process.Pid)
	environment, err := os.ReadFile(of + "/environ")
	if err != nil || len(environment) > 0 {
		t.Errorf("its environment: %d bytes, %v", len(environment), err)
	}
	if err := p.Close(); err != nil { // its pipes, as the kernel does however a parent ended
		t.Fatal(err)
	}
	if _, err := os.Stat(of); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the child is still there: %v", err)
	}
}

func newProcess(t *testing.T) *Process {
	t.Helper()
	p := NewProcess("hash")
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}
