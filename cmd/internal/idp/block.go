package idp

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"asoba.example/cmd/internal/settings"
	"asoba.example/login/clerk"
	"asoba.example/login/identity"
	"asoba.example/login/operator"
	"asoba.example/login/policy"
)

// blockCommand is what the operator's staff blocks for security, from the terminal.
func blockCommand(config reader) *cobra.Command {
	command := group("block", "Identifiers that the operator's staff blocks for security, two together")
	command.Long = command.Short + ".\n\nOne proposes and another approves. The terminal believes what --by says: two people belong before it."
	command.AddCommand(
		listBlocksCommand(config), showBlockCommand(config), proposeBlockCommand(config),
		decideBlockCommand(config, "approve", "Block what is proposed, all at once", (*operator.Blocks).Approve),
		decideBlockCommand(config, "refuse", "Refuse what is proposed", (*operator.Blocks).Refuse),
		decideBlockCommand(config, "withdraw", "Take back what the same person has proposed", (*operator.Blocks).Withdraw),
	)
	return command
}

func listBlocksCommand(config reader) *cobra.Command {
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
				all, err := h.blocks.List(cmd.Context(), which)
				if err != nil {
					return err
				}
				return tellBlocks(cmd, all...)
			})
		},
	}
	list.Flags().StringVar(&state, "state", "", "only those that are open, approved, refused or withdrawn")
	return list
}

// tellBlocks writes proposals as a table.
func tellBlocks(cmd *cobra.Command, all ...operator.Proposal) error {
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tPROPOSED\tREASON\tBASIS\tSTATE\tPEOPLE\tBLOCKED")
	for _, p := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s of %s\t%s\t%d\t%d\n", p.ID, p.ProposedAt.UTC().Format(time.RFC3339), p.Reason,
			p.Basis.Number, p.Basis.Date, p.State, p.People, p.Blocked)
	}
	return table.Flush()
}

func showBlockCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Tell whose identifiers a proposal names",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := proposalArgument(operator.ErrUnknown)(args[0])
			if err != nil {
				return err
			}
			return withHouse(cmd, config, func(h *house) error {
				p, whose, err := h.blocks.Find(cmd.Context(), id)
				if err != nil {
					return err
				}
				for _, named := range whose {
					fmt.Fprintln(cmd.OutOrStdout(), named.Identifier)
				}
				return tellBlocks(cmd, p)
			})
		},
	}
}

func proposeBlockCommand(config reader) *cobra.Command {
	var by, reason, number, date string
	propose := &cobra.Command{
		Use:   "propose",
		Short: "Propose to block the identifiers that come in, one a line",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			basis, err := identity.ParseBasis(number, date, time.Now())
			if err != nil {
				return fmt.Errorf("--number, --date: %w", err)
			}
			var whose []identity.Identifier
			lines := bufio.NewScanner(cmd.InOrStdin())
			for lines.Scan() {
				typed := strings.TrimSpace(lines.Text())
				if typed == "" {
					continue
				}
				id, err := identity.ParseIdentifier(typed)
				if err != nil {
					return fmt.Errorf("identifier %d: %w", len(whose)+1, err)
				}
				whose = append(whose, id)
			}
			if err := lines.Err(); err != nil { // nobody is left out unseen
				return fmt.Errorf("identifier %d: %w", len(whose)+1, err)
			}
			return withHouse(cmd, config, func(h *house) error {
				if basis.Older(policy.BasisFor.In(h.policies), time.Now()) {
					return fmt.Errorf("--date: %w", identity.ErrOld)
				}
				who, err := h.staff(cmd, "--by", by)
				if err != nil {
					return err
				}
				p, err := h.blocks.Propose(cmd.Context(), clerk.Clerk{Person: who}, operator.Reason(reason), basis, whose)
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
	flags.StringVar(&reason, "reason", string(operator.Takeover), "takeover, leak or deceit")
	flags.StringVar(&number, "number", "", "number of the paper that it rests on")
	flags.StringVar(&date, "date", "", "date of the paper, as 2026-12-31")
	settings.Require(propose, "by", "number", "date")
	return propose
}

func decideBlockCommand(config reader, use, short string,
	decide func(*operator.Blocks, context.Context, clerk.Clerk, uuid.UUID) (operator.Proposal, error),
) *cobra.Command {
	return decideCommand(config, use+" ID", short, proposalArgument(operator.ErrUnknown), func(cmd *cobra.Command, h *house, id, by uuid.UUID) error {
		p, err := decide(h.blocks, cmd.Context(), clerk.Clerk{Person: by}, id)
		if err != nil {
			return err
		}
		return tellBlocks(cmd, p)
	})
}
