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
		"say the very same, it is not listened to. The identifier stays blocked until its holder comes to a desk.\n\n" +
		"A restoration that was approved by mistake is undone in the same way: undo proposes it, and another approves."
	command.AddCommand(
		listRestorationsCommand(config), proposeRestorationCommand(config), undoRestorationCommand(config),
		decideRestorationCommand(config, "approve", "Restore the person, or undo that, as is proposed", (*operator.Restorations).Approve),
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
	fmt.Fprintln(table, "ID\tPROPOSED\tPERSON\tWHAT\tBASIS\tSTATE")
	for _, p := range all {
		what := "restore"
		if p.Undoes != nil {
			what = "undo " + p.Undoes.String()
		}
		state := string(p.State)
		if p.UndoneAt != nil {
			state += ", undone"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s of %s\t%s\n", p.ID, p.ProposedAt.UTC().Format(time.RFC3339), p.Number, what, p.Basis.Number, p.Basis.Date, state)
	}
	return table.Flush()
}

func proposeRestorationCommand(config reader) *cobra.Command {
	var person string
	propose := onAct(config, &cobra.Command{Use: "propose", Short: "Propose to restore somebody", Args: cobra.NoArgs},
		func(cmd *cobra.Command, h *house, by clerk.Clerk, basis identity.Basis) (operator.Restoration, error) {
			return h.restored.Propose(cmd.Context(), by, register.FoldNumber(person), basis)
		})
	propose.Flags().StringVar(&person, "person", "", "identification number of whom to restore")
	settings.Require(propose, "person")
	return propose
}

func undoRestorationCommand(config reader) *cobra.Command {
	return onAct(config, &cobra.Command{Use: "undo ID", Short: "Propose to undo a restoration that was approved", Args: cobra.ExactArgs(1)},
		func(cmd *cobra.Command, h *house, by clerk.Clerk, basis identity.Basis) (operator.Restoration, error) {
			id, err := proposalArgument(operator.ErrUnknown)(cmd.Flags().Arg(0))
			if err != nil {
				return operator.Restoration{}, err
			}
			return h.restored.ProposeUndo(cmd.Context(), by, id, basis)
		})
}

// onAct completes a command by which one of the staff proposes something on an act: it writes the id of the proposal.
func onAct(config reader, propose *cobra.Command,
	do func(cmd *cobra.Command, h *house, by clerk.Clerk, basis identity.Basis) (operator.Restoration, error),
) *cobra.Command {
	var by, number, date string
	propose.RunE = func(cmd *cobra.Command, _ []string) error {
		basis, err := identity.ParseBasis(number, date, time.Now())
		if err != nil {
			return fmt.Errorf("--number, --date: %w", err)
		}
		return withHouse(cmd, config, func(h *house) error {
			who, err := h.staff(cmd, "--by", by)
			if err != nil {
				return err
			}
			p, err := do(cmd, h, clerk.Clerk{Person: who}, basis)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), p.ID)
			return err
		})
	}
	flags := propose.Flags()
	flags.StringVar(&by, "by", "", "identification number of the operator's clerk who proposes")
	flags.StringVar(&number, "number", "", "number of the act that it rests on: one word with a digit in it, as 12-5/2026")
	flags.StringVar(&date, "date", "", "date of the act, as 2026-12-31")
	settings.Require(propose, "by", "number", "date")
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
