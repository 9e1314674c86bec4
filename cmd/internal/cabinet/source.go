package cabinet

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"asoba.example/cabinet/profile"
	"asoba.example/cmd/internal/settings"
)

// sourceCommand is the operator's word on which other systems are asked about citizens.
func sourceCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use: "source", Short: "Other systems that are asked about citizens: put in force, taken out, listed", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var by string
	put := &cobra.Command{
		Use: "put", Short: "Put in force the sources that CABINET_SOURCES names", Args: cobra.NoArgs,
		Long: "Put in force the sources that CABINET_SOURCES names, under the title and on the basis that stand there, and have them asked for the\n" +
			"values that stand there; with the record of who did it. The nodes go by it within ten seconds. Others stay as they are.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(by) == "" {
				return errors.New("--by: say who puts them in force")
			}
			named, err := settings.Read[struct {
				Sources string `env:"CABINET_SOURCES"`
			}](environ)
			if err != nil {
				return err
			}
			all, err := profile.ParseSources(named.Sources)
			if err != nil {
				return fmt.Errorf("CABINET_SOURCES: %w", err)
			}
			if len(all) == 0 {
				return errors.New("CABINET_SOURCES: it names none to put in force")
			}
			return withDatabase(environ, func(cmd *cobra.Command, pool *pgxpool.Pool) error {
				changed, err := profile.Put(cmd.Context(), pool, all, by, time.Now())
				if err != nil {
					return err
				}
				for _, s := range all {
					did := "in force so already"
					if slices.Contains(changed, s.Name) {
						did = "put in force"
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", s.Name, did)
				}
				return nil
			})(cmd, args)
		},
	}
	drop := &cobra.Command{
		Use: "drop NAME", Short: "Take a source out: nobody is asked about there any more", Args: cobra.ExactArgs(1),
		Long: "Take a source out, with the record of who did it: nobody is asked about there any more, whatever the nodes' settings name. What it\n" +
			"told stays, under its title and basis; cabinet source put has it in force again.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(by) == "" {
				return errors.New("--by: say who takes it out")
			}
			return withDatabase(environ, func(cmd *cobra.Command, pool *pgxpool.Pool) error {
				return profile.Drop(cmd.Context(), pool, args[0], by, time.Now())
			})(cmd, args)
		},
	}
	for _, act := range []*cobra.Command{put, drop} {
		act.Flags().StringVar(&by, "by", "", "who does it, for the record; required")
		settings.Require(act, "by")
	}
	list := &cobra.Command{
		Use: "list", Short: "Write how all sources stand, since when and by whose act, as JSON lines", Args: cobra.NoArgs,
		RunE: withDatabase(environ, func(cmd *cobra.Command, pool *pgxpool.Pool) error {
			all, err := profile.Standings(cmd.Context(), pool)
			if err != nil {
				return err
			}
			lines := json.NewEncoder(cmd.OutOrStdout())
			for _, s := range all {
				if err := lines.Encode(s); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	command.AddCommand(put, drop, list)
	return command
}
