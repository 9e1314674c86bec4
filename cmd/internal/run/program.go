package run

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Program runs what a program does until it is done or told to stop, and gives the exit status.
func Program(name string, do func(ctx context.Context) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		return 1
	}
	return 0
}
