package idp

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"asoba.example/cmd/internal/settings"
	"asoba.example/login/clerk"
	"asoba.example/login/identity"
	"asoba.example/login/operator"
	"asoba.example/login/register"
)

// restoreCommand is whom the operator's staff restores, from the terminal.
func restoreCommand(config reader) *cobra.Command {
	command := group("restore", "People whom the register tells to be dead or missing, and who are not")
	command.Long = command.Short + ".\n\nOne of the operator's staff proposes and another approves, on the act of a court or an authority. While the register goes on to\n" +
		"say the very same, it is not listened to. The identifier stays blocked until its holder comes to a desk."
	command.AddCommand(
		listRestorationsCommand(config), proposeRestorationCommand(config),
		decideRestorationCommand(config, "approve", "Restore the person", (*operator.Restorations).Approve),
		decideRestorationCommand(config, "refuse", "Refuse what is proposed", (*operator.Restorations).Refuse),
		decideRestorationCommand(config, "withdraw", "Take back what the same person has proposed", (*operator.Restorations).Withdraw),
	)
	return command
}

func listRestorationsCommand(config reader) *cobra.Command {
	var state string
	list := &cobra.Command{
		Use:   "list",
		Short: "List the last hundred proposals",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			which, err := stateFlag(state)
			if err != nil {
				return err
			}
			return withHouse(cmd, config, func(h *house) error {
				all, err := h.restored.List(cmd.Context(), which)
				if err != nil {
					return err
				}
				return tellRestorations(cmd, all...)
			})
		},
	}
	list.Flags().StringVar(&state, "state", "", "only those that are open, approved, refused or withdrawn")
	return list
}

// tellRestorations writes proposals as a table.
func tellRestorations(cmd *cobra.Command, all ...operator.Restoration) error {
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tPROPOSED\tPERSON\tBASIS\tSTATE")
	for _, p := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s of %s\t%s\n", p.ID, p.ProposedAt.UTC().Format(time.RFC3339), p.Number, p.Basis.Number, p.Basis.Date, p.State)
	}
	return table.Flush()
}

func proposeRestorationCommand(config reader) *cobra.Command {
	var by, person, number, date string
	propose := &cobra.Command{
		Use:   "propose",
		Short: "Propose to restore somebody",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			basis, err := identity.ParseBasis(number, date, time.Now())
			if err != nil {
				return fmt.Errorf("--number, --date: %w", err)
			}
			return withHouse(cmd, config, func(h *house) error {
				who, err := h.staff(cmd, "--by", by)
				if err != nil {
					return err
				}
				p, err := h.restored.Propose(cmd.Context(), clerk.Clerk{Person: who}, register.FoldNumber(person), basis)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), p.ID)
				return err
			})
		},
	}
	flags := propose.Flags()
	flags.StringVar(&by, "by", "", "identification number of the operator's clerk who proposes")
	flags.StringVar(&person, "person", "", "identification number of whom to restore")
	flags.StringVar(&number, "number", "", "number of the act that it rests on: one word with a digit in it, as 12-5/2026")
	flags.StringVar(&date, "date", "", "date of the act, as 2026-12-31")
	settings.Require(propose, "by", "person", "number", "date")
	return propose
}

func decideRestorationCommand(config reader, use, short string,
	decide func(*operator.Restorations, context.Context, clerk.Clerk, uuid.UUID) (operator.Restoration, error),
) *cobra.Command {
	return decideCommand(config, use+" ID", short, proposalArgument(operator.ErrUnknown), func(cmd *cobra.Command, h *house, id, by uuid.UUID) error {
		p, err := decide(h.restored, cmd.Context(), clerk.Clerk{Person: by}, id)
		if err != nil {
			return err
		}
		return tellRestorations(cmd, p)
	})
}
