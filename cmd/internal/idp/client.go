package idp

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"asoba.example/provider/clients"
)

func clientCommand(config reader) *cobra.Command {
	client := group("client", "Clients: e-services, desks' systems, the cabinet")
	var id string
	add := &cobra.Command{
		Use:   "add FILE",
		Short: "Register a client from its metadata (RFC 7591), a JSON file or - for standard input",
		Long: "Register a client from its metadata (RFC 7591), a JSON file or - for standard input.\n" +
			"Prints client_id and, for a client with a secret, client_secret: it is told only here, only once.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := cmd.InOrStdin()
			if args[0] != "-" {
				file, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer file.Close()
				in = file
			}
			raw, err := io.ReadAll(in)
			if err != nil {
				return err
			}
			var metadata clients.Metadata
			if err := json.Unmarshal(raw, &metadata); err != nil {
				return fmt.Errorf("%s is not client metadata: %w", args[0], err)
			}
			return withHouse(cmd, config, func(h *house) error {
				registered, secret, err := h.clients.Register(cmd.Context(), id, metadata, clients.By{At: time.Now()})
				if err != nil {
					return err
				}
				return json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
					ID     string `json:"client_id"`
					Secret string `json:"client_secret,omitempty"`
				}{registered.ID, secret})
			})
		},
	}
	add.Flags().StringVar(&id, "id", "", "the client_id; one is made where none is chosen")
	client.AddCommand(add)
	return client
}
