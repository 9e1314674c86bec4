package idp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"asoba.example/provider/clients"
)

func clientCommand(config reader) *cobra.Command {
	client := group("client", "Clients: e-services, desks' systems, the cabinet")
	client.AddCommand(
		addClientCommand(config), listClientsCommand(config), changeClientCommand(config), rotateSecretCommand(config), assertionCommand(),
		initialTokenCommand(config), listInitialCommand(config), revokeInitialCommand(config), ownerCommand(config), proposalsCommand(config), approveCommand(config), refuseCommand(config),
		onClient(config, "live ID", "Take a body's draft to citizens as it is, without a proposal", goLive),
		onClient(config, "show ID", "Show a client and its version", func(ctx context.Context, h *house, id string) (*clients.Client, error) {
			return h.clients.Look(ctx, id)
		}),
		onClient(config, "disable ID", "Keep everything from a client until it is enabled", func(ctx context.Context, h *house, id string) (*clients.Client, error) {
			return h.clients.Disable(ctx, id, clients.Any, clients.By{At: time.Now()})
		}),
		onClient(config, "enable ID", "Let a disabled client have again what it had", func(ctx context.Context, h *house, id string) (*clients.Client, error) {
			return h.clients.Enable(ctx, id, clients.Any, clients.By{At: time.Now()})
		}),
		onClient(config, "revoke-registration ID", "End the token by which a client changes itself at /register (RFC 7592)", func(ctx context.Context, h *house, id string) (*clients.Client, error) {
			return h.clients.RevokeRegistration(ctx, id, clients.Any, clients.By{At: time.Now()})
		}),
		&cobra.Command{
			Use:   "remove ID",
			Short: "Take a client out of use, for ever",
			Args:  cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return withHouse(cmd, config, func(h *house) error {
					return h.clients.Remove(cmd.Context(), args[0], clients.Any, clients.By{At: time.Now()})
				})
			},
		},
	)
	return client
}

func addClientCommand(config reader) *cobra.Command {
	var id, owner string
	add := &cobra.Command{
		Use:   "add FILE",
		Short: "Register a client from its metadata (RFC 7591), a JSON file or - for standard input",
		Long: "Register a client from its metadata (RFC 7591), a JSON file or - for standard input.\n" +
			"Prints client_id and, for a client with a secret, client_secret: it is told only here, only once.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			metadata, err := readMetadata(cmd, args[0])
			if err != nil {
				return err
			}
			register := func(h *house) (*clients.Client, string, error) {
				return h.clients.Register(cmd.Context(), id, metadata, clients.By{At: time.Now()})
			}
			if owner != "" {
				body, err := uuid.Parse(owner)
				if err != nil {
					return fmt.Errorf("--body: %w", err)
				}
				register = func(h *house) (*clients.Client, string, error) {
					if _, err := h.bodies.Find(cmd.Context(), body); err != nil {
						return nil, "", err
					}
					return h.clients.RegisterDraft(cmd.Context(), id, body, metadata, clients.By{At: time.Now()})
				}
			}
			return withHouse(cmd, config, func(h *house) error {
				registered, secret, err := register(h)
				if err != nil {
					return err
				}
				return tellCredentials(cmd, registered, secret)
			})
		},
	}
	add.Flags().StringVar(&owner, "body", "", "the body whose draft it is; one that is nobody's is live at once")
	add.Flags().StringVar(&id, "id", "", "the client_id; one is made where none is chosen")
	return add
}

func changeClientCommand(config reader) *cobra.Command {
	var version int64
	change := &cobra.Command{
		Use:   "change ID FILE",
		Short: "Set a client's metadata, whole, from a JSON file or - for standard input",
		Long: "Set a client's metadata, whole, from a JSON file or - for standard input. What is left out is back at its default.\n" +
			"Prints client_id and, for a client that had no secret and now needs one, client_secret.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			metadata, err := readMetadata(cmd, args[1])
			if err != nil {
				return err
			}
			return withHouse(cmd, config, func(h *house) error {
				changed, secret, err := h.clients.Replace(cmd.Context(), args[0], clients.Version(version), metadata, clients.By{At: time.Now()})
				if err != nil {
					return err
				}
				return tellCredentials(cmd, changed, secret)
			})
		},
	}
	change.Flags().Int64Var(&version, "version", int64(clients.Any), "the version that the change is made from, as show tells it; 0 for any")
	return change
}

func rotateSecretCommand(config reader) *cobra.Command {
	var overlap time.Duration
	rotate := &cobra.Command{
		Use:   "rotate-secret ID",
		Short: "Give a client a new secret; the one before stays good for a while",
		Long: "Give a client a new secret; the one before stays good for a while.\n" +
			"Prints client_id and client_secret: it is told only here, only once.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if overlap < 0 {
				return fmt.Errorf("--overlap: %s is less than nothing", overlap)
			}
			return withHouse(cmd, config, func(h *house) error {
				client, secret, err := h.clients.Rotate(cmd.Context(), args[0], clients.Any, overlap, clients.By{At: time.Now()})
				if err != nil {
					return err
				}
				return tellCredentials(cmd, client, secret)
			})
		},
	}
	rotate.Flags().DurationVar(&overlap, "overlap", 7*24*time.Hour, "how long the secret before stays good; 0 ends it at once")
	return rotate
}

func initialTokenCommand(config reader) *cobra.Command {
	var (
		scope string
		uses  int
		term  time.Duration
	)
	initial := &cobra.Command{
		Use:   "initial-token",
		Short: "Print a token by which somebody else registers clients at /register (RFC 7591)",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if uses < 1 || term <= 0 {
				return errors.New("--uses and --for: a token must be good for something, and for a time")
			}
			return withHouse(cmd, config, func(h *house) error {
				now := time.Now()
				token, err := h.clients.IssueInitial(cmd.Context(), clients.Initial{Scope: scope, Uses: uses, Till: now.Add(term)}, clients.By{At: now}, nil)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), token)
				return err
			})
		},
	}
	initial.Flags().StringVar(&scope, "scope", "openid", "the most that a client may be registered for")
	initial.Flags().IntVar(&uses, "uses", 1, "how many clients may be registered")
	initial.Flags().DurationVar(&term, "for", 24*time.Hour, "how long the token is good")
	return initial
}

func listInitialCommand(config reader) *cobra.Command {
	const page = 500
	return &cobra.Command{
		Use:   "initial-tokens",
		Short: "List the tokens by which others can register clients: id, till when, for how many more, scope",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withHouse(cmd, config, func(h *house) error {
				table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for after := uuid.Nil; ; {
					found, err := h.clients.ListInitial(cmd.Context(), after, page, time.Now())
					if err != nil {
						return err
					}
					for _, i := range found {
						fmt.Fprintf(table, "%s\t%s\t%d\t%s\n", i.ID, i.Till.UTC().Format(time.RFC3339), i.Uses, i.Scope)
						after = i.ID
					}
					if len(found) < page {
						return table.Flush()
					}
				}
			})
		},
	}
}

func revokeInitialCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke-initial-token ID",
		Short: "End an initial token early; whom it registered stays",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := uuid.Parse(args[0])
			if err != nil {
				return err
			}
			return withHouse(cmd, config, func(h *house) error {
				return h.clients.RevokeInitial(cmd.Context(), id, clients.By{At: time.Now()})
			})
		},
	}
}

func listClientsCommand(config reader) *cobra.Command {
	const page = 500
	return &cobra.Command{
		Use:   "list",
		Short: "List the clients: client_id, how it stands, name",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withHouse(cmd, config, func(h *house) error {
				table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for after := ""; ; {
					found, err := h.clients.List(cmd.Context(), after, page)
					if err != nil {
						return err
					}
					for _, c := range found {
						standing := "in use"
						switch {
						case c.DisabledAt != nil:
							standing = "disabled"
						case c.IsDraft():
							standing = "draft"
						}
						fmt.Fprintf(table, "%s\t%s\t%s\n", c.ID, standing, c.Name("ru"))
						after = c.ID
					}
					if len(found) < page {
						return table.Flush()
					}
				}
			})
		},
	}
}

// onClient is a command that does something with one client, and shows it.
func onClient(config reader, use, short string, act func(context.Context, *house, string) (*clients.Client, error)) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withHouse(cmd, config, func(h *house) error {
				client, err := act(cmd.Context(), h, args[0])
				if err != nil {
					return err
				}
				members, err := client.Describe("", time.Now())
				if err != nil {
					return err
				}
				members["version"] = client.Version
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				return encoder.Encode(members)
			})
		},
	}
}

// readMetadata reads metadata from a file, or - for what comes in.
func readMetadata(cmd *cobra.Command, name string) (metadata clients.Metadata, err error) {
	raw, err := readInput(cmd, name)
	if err != nil {
		return metadata, err
	}
	if err := json.Unmarshal(raw, &metadata); err != nil {
		return metadata, fmt.Errorf("%s is not client metadata: %w", name, err)
	}
	return metadata, nil
}

// readInput reads a file, or - for what comes in.
func readInput(cmd *cobra.Command, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(cmd.InOrStdin())
	}
	return os.ReadFile(name)
}

// tellCredentials prints what a client authenticates with, for scripts.
func tellCredentials(cmd *cobra.Command, c *clients.Client, secret string) error {
	return json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret,omitempty"`
	}{c.ID, secret})
}
