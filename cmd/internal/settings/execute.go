package settings

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Execute runs the command that the arguments name. Whoever asks for it wrongly is told how it is asked for.
func Execute(ctx context.Context, root *cobra.Command) error {
	begun := false
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		err := cmd.ValidateRequiredFlags() // cobra would only afterwards
		begun = err == nil
		return err
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		told, _, _ := strings.Cut(err.Error(), ": strconv.") // how Go read it helps nobody
		return errors.New(told)
	})
	asked, err := root.ExecuteContextC(ctx)
	if err == nil || begun {
		return err
	}
	return fmt.Errorf("%w\nusage: %s", err, asked.UseLine())
}

// Require names the flags without which a command does not begin.
func Require(cmd *cobra.Command, flags ...string) {
	for _, name := range flags {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the command has no such flag
		}
	}
}
