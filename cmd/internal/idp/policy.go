package idp

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"asoba.example/cmd/internal/settings"
	"asoba.example/login/policy"
	"asoba.example/provider/pair"
)

// policyCommand is what the operator's staff settle, from the terminal.
func policyCommand(config reader) *cobra.Command {
	command := group("policy", "What the law leaves to the operator: how long, how often, how many")
	command.Long = command.Short + ".\n\nOne of the operator's staff proposes and another approves. The terminal believes what --by says: two people belong before it."
	decide := func(use, short string, act func(*policy.Policies, context.Context, uuid.UUID, uuid.UUID) (policy.Row, error)) *cobra.Command {
		return decideCommand(config, use+" ID", short, proposalArgument(policy.ErrUnknown), func(cmd *cobra.Command, h *house, id, by uuid.UUID) error {
			_, err := act(h.policies, cmd.Context(), id, by)
			return err
		})
	}
	command.AddCommand(
		listPoliciesCommand(config), proposePolicyCommand(config),
		decide("approve", "Bring a proposed value into force, from its date", (*policy.Policies).Approve),
		decide("refuse", "Refuse a proposed value", (*policy.Policies).Refuse),
	)
	return command
}

func listPoliciesCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List what is in force, and what is proposed",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withHouse(cmd, config, func(h *house) error {
				rows, err := h.policies.InForce(cmd.Context())
				if err != nil {
					return err
				}
				history, err := h.policies.History(cmd.Context())
				if err != nil {
					return err
				}
				inForce := map[string]policy.Row{}
				for _, row := range rows {
					inForce[row.Name] = row
				}
				table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "NAME\tIN FORCE\tSINCE\tDEFAULT")
				for _, item := range policy.Items {
					value, since := item.Default(), ""
					if row, ok := inForce[item.Name()]; ok {
						value, since = row.Value, row.InForceFrom.UTC().Format(time.RFC3339)
					}
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", item.Name(), value, since, item.Default())
				}
				for _, row := range history {
					if row.State == pair.Open {
						fmt.Fprintf(table, "%s\tproposed: %s\t%s\t%s\n", row.Name, row.Value, row.InForceFrom.UTC().Format(time.RFC3339), row.ID)
					}
				}
				return table.Flush()
			})
		},
	}
}

func proposePolicyCommand(config reader) *cobra.Command {
	var by, from, title, number, date string
	command := &cobra.Command{
		Use:   "propose NAME VALUE",
		Short: "Propose a value; another of the operator's staff approves it",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ground := policy.Ground{Title: title, Number: number}
			var err error
			if ground.Date, err = dayFlag("--date", date); err != nil {
				return err
			}
			since := time.Now()
			if from != "" {
				if since, err = time.Parse(time.RFC3339, from); err != nil {
					return errors.New("--from is not a time, such as 2026-12-31T00:00:00+03:00")
				}
			}
			return withHouse(cmd, config, func(h *house) error {
				who, err := h.staff(cmd, "--by", by)
				if err != nil {
					return err
				}
				row, err := h.policies.Propose(cmd.Context(), who, args[0], args[1], since, ground)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), row.ID)
				return err
			})
		},
	}
	flags := command.Flags()
	flags.StringVar(&by, "by", "", "identification number of the operator's clerk who proposes")
	flags.StringVar(&from, "from", "", "in force from, as 2027-01-01T00:00:00Z; without it from its approval")
	flags.StringVar(&title, "title", "", "title of the document that it rests on")
	flags.StringVar(&number, "number", "", "number of the document")
	flags.StringVar(&date, "date", "", "date of the document, as 2026-12-31")
	settings.Require(command, "by", "title", "number", "date")
	return command
}
