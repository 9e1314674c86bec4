package cabinet

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"asoba.example/cabinet/journal"
)

// journalCommand is the operator's work with the citizens' journals.
func journalCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use: "journal", Short: "The citizens' journals: what they did not recognise", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(reportsCommand(environ))
	return command
}

func reportsCommand(environ []string) *cobra.Command {
	var since string
	command := &cobra.Command{
		Use: "reports", Short: "Write which entries citizens have reported as not their own, as JSON lines",
		Long: "Write which entries citizens have reported as not their own, as JSON lines, the earliest first. People are named by their internal\n" +
			"id; the provider's audit has the event of an entry that came from there under the id of the entry.",
		Args: cobra.NoArgs,
		RunE: withDatabase(environ, func(cmd *cobra.Command, pool *pgxpool.Pool) error {
			var from time.Time
			if since != "" {
				var err error
				if from, err = time.Parse(time.DateOnly, since); err != nil {
					return errors.New("--since is not a day, such as 2026-05-12")
				}
			}
			found, err := journal.Reports(cmd.Context(), pool, from)
			if err != nil {
				return err
			}
			lines := json.NewEncoder(cmd.OutOrStdout())
			for _, report := range found {
				if err := lines.Encode(report); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	command.Flags().StringVar(&since, "since", "", "from this day on, UTC: 2026-05-12; without it, all")
	return command
}
