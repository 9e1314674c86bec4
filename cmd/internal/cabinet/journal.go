package cabinet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/keys"
	"asoba.example/cabinet/profile"
	"asoba.example/cmd/internal/settings"
	"asoba.example/cmd/internal/stores"
	"asoba.example/migrations"
	"asoba.example/provider/seal"
)

// journalCommand is the operator's work with the citizens' journals.
func journalCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use: "journal", Short: "The citizens' journals: what they did not recognise, proof, signed roots, months that are over", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(reportsCommand(environ), verifyCommand(environ), rootsCommand(environ), rotateCommand(environ), dropCommand(environ))
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

// withKeys lets an errand act in the database with the cabinet's keys.
func withKeys(environ []string, act func(ctx context.Context, pool *pgxpool.Pool, ring keys.Ring, out io.Writer) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		cfg, err := settings.Read[struct {
			URL  string `env:"CABINET_DATABASE_URL,required"`
			File string `env:"CABINET_MASTER_KEY_FILE,required"`
		}](environ)
		if err != nil {
			return err
		}
		master, err := seal.ReadMasterKey("CABINET_MASTER_KEY_FILE", cfg.File)
		if err != nil {
			return err
		}
		pool, err := stores.Database(cmd.Context(), "CABINET_DATABASE_URL", cfg.URL, backConnections)
		if err != nil {
			return err
		}
		defer pool.Close()
		if err := migrations.Check(cmd.Context(), pool, migrations.Cabinet); err != nil {
			return err
		}
		box, err := seal.Open(cmd.Context(), pool, master, time.Now())
		if err != nil {
			return err
		}
		return act(cmd.Context(), pool, keys.Ring{Pool: pool, Box: box, Now: time.Now}, cmd.OutOrStdout())
	}
}

func verifyCommand(environ []string) *cobra.Command {
	var file string
	command := &cobra.Command{
		Use: "verify", Short: "Prove that the entries are as they were written",
		Long: "Prove that the entries are as they were written: that each is linked to the one before it in its month, and that the chains go through\n" +
			"every signed root. The first break is named. Roots that were kept away from the database prove it also of whoever owns the database.",
		Args: cobra.NoArgs,
		RunE: withKeys(environ, func(ctx context.Context, pool *pgxpool.Pool, ring keys.Ring, out io.Writer) error {
			var kept []string
			if file != "" {
				text, err := os.ReadFile(file)
				if err != nil {
					return err
				}
				kept = strings.Fields(string(text))
			}
			verifier := journal.Verifier{Pool: pool, Key: ring.Find, Now: time.Now}
			proof, err := verifier.Verify(ctx, kept)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%d entries of %d months are as they were written; %d wait for their places.\n", proof.Entries, proof.Months, proof.Waiting)
			fmt.Fprintf(out, "The chains go through %d signed roots", proof.Roots)
			if proof.Dropped > 0 {
				fmt.Fprintf(out, "; %d months were dropped when their time was over", proof.Dropped)
			}
			_, err = fmt.Fprintln(out, ".")
			return err
		}),
	}
	command.Flags().StringVar(&file, "roots", "", "a file of roots that were kept, one a line, as cabinet journal roots prints them")
	return command
}

func rootsCommand(environ []string) *cobra.Command {
	return &cobra.Command{
		Use: "roots", Short: "Print the signed roots, one a line: keep them away from the database", Args: cobra.NoArgs,
		RunE: withDatabase(environ, func(cmd *cobra.Command, pool *pgxpool.Pool) error {
			roots, err := journal.Roots{Pool: pool}.List(cmd.Context())
			for _, root := range roots {
				if _, err := fmt.Fprintln(cmd.OutOrStdout(), root); err != nil {
					return err
				}
			}
			return err
		}),
	}
}

func rotateCommand(environ []string) *cobra.Command {
	return &cobra.Command{
		Use: "rotate-key", Short: "Sign roots and journals with a new key from now on; what older ones signed is still proved", Args: cobra.NoArgs,
		RunE: withKeys(environ, func(ctx context.Context, _ *pgxpool.Pool, ring keys.Ring, _ io.Writer) error { return ring.Rotate(ctx) }),
	}
}

func dropCommand(environ []string) *cobra.Command {
	return &cobra.Command{
		Use: "drop [MONTH]", Short: "Take a month of entries out for good, once its time is over",
		Long: "Take a month of entries out for good, such as 2026-05, once it was kept for CABINET_JOURNAL_KEPT_YEARS, and with it what profiles were\n" +
			"before they changed in it, and what citizens reported in it as not their own. The other months can still be proved. Without MONTH it tells which is next, and from when it may go. Nobody does this but who calls it: it runs as the role of\n" +
			"CABINET_DATABASE_OWNER_URL, where there is one, and cabinet serve has no right to.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := settings.Read[database](environ)
			if err != nil {
				return err
			}
			pool, err := d.openAsOwner(cmd.Context())
			if err != nil {
				return err
			}
			defer pool.Close()
			if len(args) == 0 {
				month, err := journal.Earliest(cmd.Context(), pool)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "The entries of %s are next: they may go from %s.\n",
					month.Format("2006-01"), journal.OverFrom(month, d.KeptYears).Format(time.DateOnly))
				return err
			}
			month, err := time.Parse("2006-01", args[0])
			if err != nil {
				return errors.New("MONTH is not a month, such as 2026-05")
			}
			if err := journal.Drop(cmd.Context(), pool, month, d.KeptYears, time.Now(), profile.Forget); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "The entries of %s are gone for good.\n", args[0])
			return err
		},
	}
}
