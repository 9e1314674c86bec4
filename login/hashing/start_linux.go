package hashing

import (
	"os/exec"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// slice is how long what hashes may be let run before others have their turn, the longest that Linux knows (sched(7)). Whoever waits and asks for less has
// theirs at once, though all have the same share: a request does not wait for the tick by which a hash would be sent away.
const slice = 100 * time.Millisecond

// start starts a command whose threads run by the slice, which they have from the one that starts it. Where the kernel has none to set, before Linux 6.12,
// or does not let us, they run as all others do.
func start(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if own, err := unix.SchedGetAttr(0, 0); err == nil {
		long := *own
		long.Runtime = uint64(slice)
		if unix.SchedSetAttr(0, &long, 0) == nil {
			defer func() { _ = unix.SchedSetAttr(0, own, 0) }()
		}
	}
	return cmd.Start()
}
