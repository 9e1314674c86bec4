package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// leaving is how long the server of a run that was killed may take to write its data and go.
const leaving = 5 * time.Second

// claim opens the server's log, locked: whoever has it may use the data beside it.
//
// The server and everything that it starts write to this log, and so inherit the lock. It is free when the last of
// them has ended, and not before; a run that was killed leaves a server that has only just been told to stop.
func claim(ctx context.Context, path string) (*os.File, error) {
	// Opened by us and read by us: the shell may have removed it when we ask why.
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	patience := time.After(leaving)
	for {
		err := syscall.Flock(int(log.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return log, log.Truncate(0)
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), log.Close())
		}
		select {
		case <-tick.C:
		case <-patience:
			return nil, errors.Join(fmt.Errorf("start PostgreSQL: another one is at work beside %s", path), log.Close())
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), log.Close())
		}
	}
}
