package idp

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"asoba.example/login/identity"
	"asoba.example/provider/clients"
)

func bodyCommand(config reader) *cobra.Command {
	bodies := group("body", "Bodies that run e-services, and who represents them")
	bodies.AddCommand(
		addBodyCommand(config), listBodiesCommand(config), showBodyCommand(config),
		onRepresentative(config, "name BODY", "Make a person a representative of a body", func(cmd *cobra.Command, h *house, id, person uuid.UUID) error {
			return h.bodies.Name(cmd.Context(), id, person, clients.By{At: time.Now()})
		}),
		onRepresentative(config, "remove BODY", "Take from a person the right to act for a body", func(cmd *cobra.Command, h *house, id, person uuid.UUID) error {
			return h.bodies.Remove(cmd.Context(), id, person, clients.By{At: time.Now()})
		}),
	)
	return bodies
}

func addBodyCommand(config reader) *cobra.Command {
	var belarusian, english string
	add := &cobra.Command{
		Use:   "add NAME",
		Short: "Add a body by its official name, and print its id",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			names := clients.Texts{"": args[0]}
			for language, name := range map[string]string{"be": belarusian, "en": english} {
				if name != "" {
					names[language] = name
				}
			}
			return withHouse(cmd, config, func(h *house) error {
				added, err := h.bodies.Add(cmd.Context(), names, clients.By{At: time.Now()})
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), added.ID)
				return err
			})
		},
	}
	add.Flags().StringVar(&belarusian, "be", "", "its name in Belarusian")
	add.Flags().StringVar(&english, "en", "", "its name in English")
	return add
}

func listBodiesCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the bodies: id, name",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withHouse(cmd, config, func(h *house) error {
				all, err := h.bodies.List(cmd.Context())
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for _, b := range all {
					fmt.Fprintf(table, "%s\t%s\n", b.ID, b.Names.In("ru"))
				}
				return table.Flush()
			})
		},
	}
}

func showBodyCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "show BODY",
		Short: "Show a body and its representatives, by their internal ids",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := uuid.Parse(args[0])
			if err != nil {
				return fmt.Errorf("BODY: %w", err)
			}
			return withHouse(cmd, config, func(h *house) error {
				found, err := h.bodies.Find(cmd.Context(), id)
				if err != nil {
					return err
				}
				people, err := h.bodies.Representatives(cmd.Context(), id)
				if err != nil {
					return err
				}
				members := found.Describe()
				members["representatives"] = people
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				return encoder.Encode(members)
			})
		},
	}
}

// onRepresentative is a command upon a person and a body.
func onRepresentative(config reader, use, short string, act func(cmd *cobra.Command, h *house, id, person uuid.UUID) error) *cobra.Command {
	var identifier string
	command := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := uuid.Parse(args[0])
			if err != nil {
				return fmt.Errorf("BODY: %w", err)
			}
			number, err := identity.ParseIdentifier(identifier)
			if err != nil {
				return fmt.Errorf("--identifier: %w", err)
			}
			return withHouse(cmd, config, func(h *house) error {
				who, err := h.identities.Find(cmd.Context(), number)
				if err != nil {
					return err
				}
				return act(cmd, h, id, who.Person)
			})
		},
	}
	command.Flags().StringVar(&identifier, "identifier", "", "the person's identification number")
	return command
}
