package idp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/spf13/cobra"

	"asoba.example/cmd/internal/run"
	"asoba.example/cmd/internal/stores"
	"asoba.example/login/policy"
	"asoba.example/provider/audit"
)

// auditCommand is the auditor's work with what happened.
func auditCommand(config reader) *cobra.Command {
	command := group("audit", "What happened: proof, export, signed roots, years that are over")
	command.AddCommand(verifyCommand(config), exportCommand(config), rootsCommand(config), dropCommand(config))
	return command
}

func verifyCommand(config reader) *cobra.Command {
	var file string
	command := &cobra.Command{
		Use:   "verify",
		Short: "Prove that the events are as they were recorded",
		Long: "Prove that the events are as they were recorded: that each is linked to the one before it, and that the chain goes through every\n" +
			"signed root. The first break is named. It is proved of everybody but who owns the database and has made the end of the chain anew;\n" +
			"by roots that were kept away from the database, of the owner too, up to the last of them.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			kept, err := keptRoots(file)
			if err != nil {
				return err
			}
			return withHouse(cmd, config, func(h *house) error {
				return h.verify(cmd.Context(), kept, cmd.OutOrStdout(), cmd.ErrOrStderr())
			})
		},
	}
	command.Flags().StringVar(&file, "roots", "", "a file of roots that were kept, one a line, as idp audit roots prints them")
	return command
}

// keptRoots reads a file of signed roots.
func keptRoots(path string) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return strings.Fields(string(text)), nil
}

// verify shows how far it is where somebody watches, and reports at the end.
func (h *house) verify(ctx context.Context, kept []string, out, screen io.Writer) error {
	bar := progress.NewWriter()
	bar.SetOutputWriter(screen)
	bar.SetUpdateFrequency(100 * time.Millisecond)
	bar.SetStyle(progress.StyleBlocks)
	bar.SetAutoStop(true)
	verifying := &progress.Tracker{Message: "Verifying"}
	bar.AppendTracker(verifying)
	show := func(context.Context) error {
		if watched(screen) {
			bar.Render() // until it is done
		}
		return nil
	}
	var proof audit.Proof
	verify := func(ctx context.Context) (err error) {
		verifier := audit.Verifier{Pool: h.Back, Key: h.keys.PublicKey, Now: time.Now}
		proof, err = verifier.Verify(ctx, kept, func(done, total int64) {
			verifying.UpdateTotal(total)
			verifying.SetValue(done)
		})
		if err != nil {
			verifying.MarkAsErrored()
			return err
		}
		verifying.MarkAsDone()
		return nil
	}
	if err := run.All(ctx, show, verify); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d events, from place %d to %d, are as they were recorded.\n", proof.To-proof.From, proof.From+1, proof.To)
	fmt.Fprintf(out, "The chain goes through %d signed roots", proof.Roots)
	if proof.Earlier > 0 {
		fmt.Fprintf(out, "; %d are of events that were dropped", proof.Earlier)
	}
	if !proof.Signed.IsZero() {
		fmt.Fprintf(out, ", the last of %s", proof.Signed.Format(time.DateOnly))
	}
	fmt.Fprintln(out, ".")
	if proof.Kept == 0 {
		_, err := fmt.Fprintln(out, "Of whoever owns the database nothing is proved: that takes roots that were kept elsewhere (--roots).")
		return err
	}
	_, err := fmt.Fprintf(out, "Of whoever owns the database, too, that is proved up to place %d.\n", proof.Kept)
	return err
}

// linesAtOnce is how many events are read at once.
const linesAtOnce = 1000

func exportCommand(config reader) *cobra.Command {
	var after string
	command := &cobra.Command{
		Use:   "export",
		Short: "Write the events as JSON lines",
		Long: "Write the events as JSON lines, in the order of their places. To go on later, give the cursor of the last line.\n" +
			"There is no personal data in them; people are named by their internal id.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, err := audit.ParseCursor(after)
			if err == nil {
				err = withHouse(cmd, config, func(h *house) error { return export(cmd.Context(), h.feed, from, cmd.OutOrStdout()) })
			}
			if errors.Is(err, audit.ErrCursor) {
				err = errors.New("--after is not the cursor of any event")
			}
			return err
		},
	}
	command.Flags().StringVar(&after, "after", "", "the cursor of the last line of before")
	return command
}

func export(ctx context.Context, feed *audit.Feed, after audit.Cursor, out io.Writer) error {
	buffered := bufio.NewWriter(out)
	lines := json.NewEncoder(buffered)
	lines.SetEscapeHTML(false)
	for {
		found, next, err := feed.Search(ctx, audit.Filter{}, after, linesAtOnce)
		if err != nil {
			return err
		}
		for _, line := range found {
			if err := lines.Encode(line); err != nil {
				return err
			}
		}
		if next == after {
			return buffered.Flush()
		}
		after = next
	}
}

func rootsCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "roots",
		Short: "Print the signed roots, one a line: keep them away from the database",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withHouse(cmd, config, func(h *house) error {
				for after := (time.Time{}); ; {
					found, err := h.roots().List(cmd.Context(), after, linesAtOnce)
					if err != nil || len(found) == 0 {
						return err
					}
					for _, root := range found {
						if _, err := fmt.Fprintln(cmd.OutOrStdout(), root.Signed); err != nil {
							return err
						}
						after = root.Day
					}
				}
			})
		},
	}
}

func dropCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "drop [YEAR]",
		Short: "Take a year of events out for good, once its time is over",
		Long: "Take a year of events out for good, once it was kept as long as the rules in force say (audit.years). The rest of the chain can\n" +
			"still be proved. Without YEAR it tells which year is next, and from when it may go. Nobody does this but who calls it: it runs as\n" +
			"the role of IDP_DATABASE_OWNER_URL, where there is one, and idp serve has no right to.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config()
			if err != nil {
				return err
			}
			setting, url := cfg.owner()
			pool, err := stores.Database(cmd.Context(), setting, url, 1)
			if err != nil {
				return err
			}
			defer pool.Close()
			policies, err := policy.New(cmd.Context(), pool, time.Now)
			if err != nil {
				return err
			}
			kept := policy.AuditYears.In(policies)
			if len(args) == 0 {
				return tellNextToDrop(cmd.Context(), pool, kept, cmd.OutOrStdout())
			}
			year, err := strconv.Atoi(args[0])
			if err != nil {
				return errors.New("YEAR is not a number")
			}
			if err := audit.Drop(cmd.Context(), pool, year, kept, time.Now()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "The events of %d are gone for good.\n", year)
			return err
		},
	}
}

// tellNextToDrop tells which year of events goes next, and when.
func tellNextToDrop(ctx context.Context, pool *pgxpool.Pool, kept int, out io.Writer) error {
	year, err := audit.Earliest(ctx, pool)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Events are kept for %d years after their own. Those of %d are next: they may go from %d-01-01.\n", kept, year, year+kept+1)
	return err
}
