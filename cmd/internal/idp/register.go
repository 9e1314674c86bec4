package idp

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/spf13/cobra"

	"asoba.example/cmd/internal/run"
	"asoba.example/login/register"
)

// toldRows is how many bad rows a report tells one by one.
const toldRows = 10_000

// registerCommand is the operator's work with the population register.
func registerCommand(config reader) *cobra.Command {
	command := group("register", "The population register")
	command.AddCommand(importCommand(config), sampleCommand())
	return command
}

func importCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE",
		Short: "Apply an edition of the population register",
		Long: "Apply an edition of the population register, in one transaction.\n\n" +
			"Bad rows are told by their line, and the rest is applied. The same file twice changes nothing.\n" +
			"The format is described in cmd/idp/register.md.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer file.Close()
			return withHouse(cmd, config, func(h *house) error {
				return importFile(cmd.Context(), h.register, file, cmd.OutOrStdout(), cmd.ErrOrStderr())
			})
		},
	}
}

// importFile shows how far it is where somebody watches, and reports at the end.
func importFile(ctx context.Context, r *register.Register, file io.ReadSeeker, out, screen io.Writer) error {
	bar := progress.NewWriter()
	bar.SetOutputWriter(screen)
	bar.SetUpdateFrequency(100 * time.Millisecond)
	bar.SetStyle(progress.StyleBlocks)
	bar.SetMessageLength(8)
	bar.Style().Visibility.Value = true
	reading := &progress.Tracker{Message: "Reading", Units: progress.UnitsBytes}
	applying := &progress.Tracker{Message: "Applying", DeferStart: true} // of unknown length
	bar.AppendTrackers([]*progress.Tracker{reading, applying})
	show := func(context.Context) error {
		if watched(screen) {
			bar.Render() // until both are done
		}
		return nil
	}

	var edition register.Edition
	var bad []register.BadRow
	more := 0
	load := func(ctx context.Context) (err error) {
		edition, err = r.Import(ctx, file, time.Now(), func(done, total int64) {
			reading.UpdateTotal(total)
			reading.SetValue(done)
			if done == total {
				applying.Start()
			}
		}, func(row register.BadRow) {
			if len(bad) == toldRows {
				more++
				return
			}
			bad = append(bad, row)
		})
		if err != nil {
			reading.MarkAsErrored()
			applying.MarkAsErrored()
			return err
		}
		reading.MarkAsDone()
		applying.MarkAsDone()
		return nil
	}
	bar.SetAutoStop(true)
	if err := run.All(ctx, show, load); err != nil {
		return err
	}
	return report(out, edition, bad, more)
}

func watched(screen io.Writer) bool {
	file, ok := screen.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func report(out io.Writer, e register.Edition, bad []register.BadRow, more int) error {
	if e.Again {
		_, err := fmt.Fprintf(out, "Edition %d of %s was applied on %s; nothing to do.\n",
			e.Number, e.Period.Format("2006-01"), e.AppliedAt.UTC().Format(time.DateOnly))
		return err
	}
	fmt.Fprintf(out, "Edition %d of %s is applied.\n", e.Number, e.Period.Format("2006-01"))
	for _, count := range []struct {
		what string
		n    int64
	}{
		{"added", e.Added}, {"changed", e.Changed}, {"the same", e.Same}, {"rejected", e.Rejected},
	} {
		fmt.Fprintf(out, "  %-9s %d\n", count.what, count.n)
	}
	for _, row := range bad {
		fmt.Fprintf(out, "line %d: ", row.Line)
		if row.Column != "" {
			fmt.Fprintf(out, "%s: ", row.Column)
		}
		fmt.Fprint(out, row.Reason)
		if row.Taken {
			fmt.Fprint(out, " (taken all the same)")
		}
		fmt.Fprintln(out)
	}
	if more > 0 {
		fmt.Fprintf(out, "and %d more bad rows\n", more)
	}
	return nil
}

func sampleCommand() *cobra.Command {
	var sample register.Sample
	command := &cobra.Command{
		Use:   "sample",
		Short: "Write a made-up register file, for trials",
		Long: "Write a made-up register file to standard output, for trials.\n\n" +
			"Nobody real is in it: its identification numbers are of the nineteenth century.\n" +
			"The same numbers give the same file; the next edition has some more deaths in it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return sample.Write(cmd.OutOrStdout()) },
	}
	command.Flags().IntVar(&sample.People, "people", 1000, "how many people")
	command.Flags().IntVar(&sample.Edition, "edition", 1, "number of the edition")
	command.Flags().Uint64Var(&sample.Seed, "seed", 1, "another seed gives other people")
	return command
}
