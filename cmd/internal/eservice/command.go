package eservice

// This file alone uses something of this module: the manner in which its programs start and take their settings. Yours has its own.

import (
	"context"
	_ "embed"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"asoba.example/cmd/internal/run"
	"asoba.example/cmd/internal/settings"
)

//go:embed config.go
var manual string

// Main is the program: it runs the sub-command that the arguments name and gives the exit status.
func Main() int {
	return run.Program("eservice", func(ctx context.Context) error {
		return settings.Execute(ctx, command())
	})
}

func command() *cobra.Command {
	help, err := settings.Help(manual)
	if err != nil {
		panic(err) // config.go is part of this program
	}
	root := &cobra.Command{
		Use:           "eservice",
		Short:         "A sample government e-service: sign-in by OpenID Connect, the cabinet's API by an access token",
		Long:          "A sample government e-service: sign-in by OpenID Connect, the cabinet's API by an access token.\n\nSettings are environment variables:\n\n" + help,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(&cobra.Command{
		Use:   "serve",
		Short: "Serve until told to stop",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := settings.Read[Config](os.Environ())
			if err != nil {
				return err
			}
			return Serve(cmd.Context(), cfg, slog.New(slog.NewJSONHandler(os.Stderr, nil)))
		},
	})
	return root
}
