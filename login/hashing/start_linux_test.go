package hashing

import (
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// Whatever hashes has long turns and gives way at once, and what asks for it runs as before.
// It runs alone: others start children meanwhile.
func TestWhatHashesHasLongTurns(t *testing.T) {
	slices := func(pid int) (all []uint64) {
		t.Helper()
		threads, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
		if err != nil {
			t.Fatal(err)
		}
		for _, thread := range threads {
			tid, err := strconv.Atoi(thread.Name())
			if err != nil {
				t.Fatal(err)
			}
			if attr, err := unix.SchedGetAttr(tid, 0); err == nil { // or it has ended
				all = append(all, attr.Runtime)
			}
		}
		return all
	}
	if own := slices(os.Getpid()); own[0] == 0 {
		t.Skip("this kernel tells no slices")
	}
	p := newProcess(t)
	wide := creation
	wide.Params.Parallelism = 4
	var hash string
	if err := p.Create(wide, &hash); err != nil {
		t.Fatal(err)
	}
	for _, got := range slices(p.child.cmd.Process.Pid) {
		if got != uint64(slice) {
			t.Errorf("a thread of the child has %d ns, want %d", got, slice)
		}
	}
	for _, got := range slices(os.Getpid()) {
		if got >= uint64(slice) {
			t.Errorf("a thread of ours has %d ns", got)
		}
	}
}
