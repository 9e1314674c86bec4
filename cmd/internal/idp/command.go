package idp

import (
	"context"
	_ "embed"
	"errors"
	"io"
	"log/slog"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9/logging"
	"github.com/spf13/cobra"

	"asoba.example/cmd/internal/run"
	"asoba.example/cmd/internal/settings"
	"asoba.example/cmd/internal/stores"
	"asoba.example/login/hashing"
	"asoba.example/migrations"
)

//go:embed config.go
var manual string

// Main is the program: it runs the sub-command that the arguments name and gives the exit status.
func Main() int {
	logging.Disable() // of the Redis client, which writes among our lines in words of its own; its errors reach us all the same
	return run.Program("idp", func(ctx context.Context) error {
		return Run(ctx, os.Environ(), os.Stdin, os.Stdout, os.Args[1:]...)
	})
}

// Run runs the sub-command that the arguments name, with its settings from an environment.
func Run(ctx context.Context, environ []string, in io.Reader, out io.Writer, args ...string) error {
	root := command(func() (Config, error) { return settings.Read[Config](environ) })
	root.SetIn(in)
	root.SetOut(out)
	root.SetArgs(args)
	return settings.Execute(ctx, root)
}

// A reader reads the settings; every wrong one is told at once.
type reader func() (Config, error)

func command(config reader) *cobra.Command {
	help, err := settings.Help(manual)
	if err != nil {
		panic(err) // config.go is part of this program
	}
	root := &cobra.Command{
		Use:           "idp",
		Short:         "The identity provider: sign-in for citizens, OpenID Connect for e-services, the desk's API",
		Long:          "The identity provider: sign-in for citizens, OpenID Connect for e-services, the desk's API.\n\nSettings are environment variables:\n\n" + help,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(serveCommand(config), hashCommand(), migrateCommand(config), clientCommand(config), bodyCommand(config), clerkCommand(config), blockCommand(config), registerCommand(config), keyCommand(config), policyCommand(config), auditCommand(config))
	return root
}

// group is a command that only has commands. One that it has not is a mistake, which a script must hear of: cobra
// would help and call it a success.
func group(use, short string) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
}

// withHouse lets an errand act in the provider's house. What it sets off in the
// background, messages above all, is done by the nodes that serve.
func withHouse(cmd *cobra.Command, config reader, act func(h *house) error) error {
	cfg, err := config()
	if err != nil {
		return err
	}
	h, err := newHouse(cmd.Context(), cfg, hashing.Here{}, slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil)))
	if err != nil {
		return err
	}
	defer h.Close()
	return act(h)
}

func serveCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Serve until told to stop",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config()
			if err != nil {
				return err
			}
			apart := hashing.NewProcess("hash")
			return errors.Join(serve(cmd.Context(), cfg, apart, slog.New(slog.NewJSONHandler(os.Stderr, nil))), apart.Close())
		},
	}
}

// hashCommand is what serve starts beside itself.
func hashCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "hash",
		Short:  "Hash what comes by standard input, for the process that serves",
		Args:   cobra.NoArgs,
		Hidden: true,
		RunE:   func(*cobra.Command, []string) error { return hashing.Serve(os.Stdin, os.Stdout) },
	}
}

func migrateCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to the schema of this build",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config()
			if err != nil {
				return err
			}
			return Migrate(cmd.Context(), cfg)
		},
	}
}

// Migrate brings the database to the schema of this build, and sets the audit apart where it has an owner of its own.
func Migrate(ctx context.Context, cfg Config) error {
	setting, url := cfg.owner()
	pool, err := stores.Database(ctx, setting, url, backConnections)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := migrations.Up(ctx, pool, migrations.IDP); err != nil || cfg.DatabaseOwnerURL == "" {
		return err
	}
	program, err := pgx.ParseConfig(cfg.DatabaseURL)
	if err != nil {
		return errors.New("IDP_DATABASE_URL is not the URL of a PostgreSQL database")
	}
	return migrations.Apart(ctx, pool, migrations.IDP, program.User)
}

// owner is the setting that names the role which owns the tables, and what it says.
func (cfg Config) owner() (setting, url string) {
	if cfg.DatabaseOwnerURL != "" {
		return "IDP_DATABASE_OWNER_URL", cfg.DatabaseOwnerURL
	}
	return "IDP_DATABASE_URL", cfg.DatabaseURL
}
