package idp

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"asoba.example/provider/body"
	"asoba.example/provider/clients"
)

// ownerCommand gives a client to a body, or takes it back.
func ownerCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "owner ID [BODY]",
		Short: "Give a client to a body; without one, back to the operator",
		Args:  cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var owner *uuid.UUID
			if len(args) > 1 {
				id, err := uuid.Parse(args[1])
				if err != nil {
					return fmt.Errorf("BODY: %w", err)
				}
				owner = &id
			}
			return withHouse(cmd, config, func(h *house) error {
				_, err := h.bodies.Give(cmd.Context(), args[0], clients.Any, owner, clients.By{At: time.Now()})
				return err
			})
		},
	}
}

// goLive takes a draft to citizens by the operator's word alone.
func goLive(ctx context.Context, h *house, id string) (*clients.Client, error) {
	c, err := h.clients.Look(ctx, id)
	if err != nil {
		return nil, err
	}
	c, _, err = h.bodies.GoLive(ctx, id, c.Version, c.Metadata, clients.By{At: time.Now()})
	return c, err
}

func proposalsCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "proposals [ID]",
		Short: "List what was proposed of a client, or what waits for a decision: id, how it stands, when, by whom, client_id",
		Long: "List what was proposed of a client, the newest first; without one, what waits for a decision of all clients, the oldest first.\n" +
			"Prints id, how it stands, when, by whom, client_id.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withHouse(cmd, config, func(h *house) (err error) {
				var all []body.Proposal
				if len(args) == 0 {
					all, err = h.bodies.Waiting(cmd.Context(), clients.By{})
				} else {
					all, err = h.bodies.Proposals(cmd.Context(), args[0], time.Time{})
				}
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for _, p := range all {
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", p.ID, p.State, p.ProposedAt.UTC().Format(time.RFC3339), p.ProposedBy, p.ClientID)
				}
				return table.Flush()
			})
		},
	}
}

func approveCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "approve ID PROPOSAL",
		Short: "Make a client what was proposed; it is live from then on",
		Long: "Make a client what was proposed; it is live from then on, and all that made-up people had there is over.\n" +
			"Prints client_id and, for a client that had no secret and now needs one, client_secret.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			proposal, err := uuid.Parse(args[1])
			if err != nil {
				return fmt.Errorf("PROPOSAL: %w", err)
			}
			return withHouse(cmd, config, func(h *house) error {
				client, secret, err := h.bodies.Approve(cmd.Context(), args[0], proposal, clients.By{At: time.Now()})
				if err != nil {
					return err
				}
				return tellCredentials(cmd, client, secret)
			})
		},
	}
}

func refuseCommand(config reader) *cobra.Command {
	var reason string
	refuse := &cobra.Command{
		Use:   "refuse ID PROPOSAL",
		Short: "Refuse what was proposed of a client",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			proposal, err := uuid.Parse(args[1])
			if err != nil {
				return fmt.Errorf("PROPOSAL: %w", err)
			}
			if reason == "" {
				return errors.New("--reason: its author is to know why")
			}
			return withHouse(cmd, config, func(h *house) error {
				_, err := h.bodies.Refuse(cmd.Context(), args[0], proposal, reason, clients.By{At: time.Now()})
				return err
			})
		},
	}
	refuse.Flags().StringVar(&reason, "reason", "", "why, for its author")
	return refuse
}
