package cabinet

import (
	"context"
	_ "embed"
	"errors"
	"io"
	"log/slog"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9/logging"
	"github.com/spf13/cobra"

	"asoba.example/cabinet/follow"
	"asoba.example/cmd/internal/run"
	"asoba.example/cmd/internal/settings"
	"asoba.example/cmd/internal/stores"
	"asoba.example/migrations"
)

//go:embed config.go
var manual string

// Main is the program: it runs the sub-command that the arguments name and gives the exit status.
func Main() int {
	logging.Disable() // of the Redis client, which writes among our lines in words of its own; its errors reach us all the same
	return run.Program("cabinet", func(ctx context.Context) error {
		return Run(ctx, os.Environ(), os.Stdout, os.Args[1:]...)
	})
}

// Run runs the sub-command that the arguments name, with its settings from an environment.
func Run(ctx context.Context, environ []string, out io.Writer, args ...string) error {
	root := command(environ)
	root.SetOut(out)
	root.SetArgs(args)
	return settings.Execute(ctx, root)
}

func command(environ []string) *cobra.Command {
	help, err := settings.Help(manual)
	if err != nil {
		panic(err) // config.go is part of this program
	}
	const short = "The personal electronic cabinet: an API for e-services, pages for citizens"
	root := &cobra.Command{
		Use: "cabinet", Short: short, Long: short + ".\n\nSettings are environment variables:\n\n" + help,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(&cobra.Command{
		Use: "serve", Short: "Serve until told to stop", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := settings.Read[Config](environ)
			if err != nil {
				return err
			}
			return Serve(cmd.Context(), cfg, slog.New(slog.NewJSONHandler(os.Stderr, nil)))
		},
	})
	root.AddCommand(&cobra.Command{
		Use: "verify", Short: "Compare all cabinets with the provider's register, and name whose differ", Args: cobra.NoArgs,
		Long: "Compare all cabinets with the provider's register, and name whose differ though the feed was followed, as they are found: by their\n" +
			"id, and what is not the same. The cabinet is being served meanwhile. What it finds, cabinet follow-anew repairs.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := settings.Read[Config](environ)
			if err != nil {
				return err
			}
			return Verify(cmd.Context(), cfg, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	})
	errand := func(use, short string, act func(cmd *cobra.Command, args []string) error) {
		root.AddCommand(&cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: act})
	}
	errand("migrate", "Bring the database to the schema of this build", func(cmd *cobra.Command, _ []string) error {
		d, err := settings.Read[database](environ)
		if err != nil {
			return err
		}
		return migrate(cmd.Context(), d)
	})
	errand("follow-anew", "Have the provider's feed read again from its beginning, to repair what was missed; nothing is doubled",
		withDatabase(environ, func(cmd *cobra.Command, pool *pgxpool.Pool) error { return follow.Anew(cmd.Context(), pool) }))
	root.AddCommand(journalCommand(environ))
	root.AddCommand(disputeCommand(environ))
	root.AddCommand(catalogueCommand(environ))
	root.AddCommand(sourceCommand(environ))
	return root
}

// A database is what errands in it need to know, and nothing else, so that it can be prepared before the cabinet is registered.
type database struct {
	URL       string `env:"CABINET_DATABASE_URL,required"`
	OwnerURL  string `env:"CABINET_DATABASE_OWNER_URL"`
	KeptYears int    `env:"CABINET_JOURNAL_KEPT_YEARS" envDefault:"7"`
}

// open opens it as the program does.
func (d database) open(ctx context.Context) (*pgxpool.Pool, error) {
	return stores.Database(ctx, "CABINET_DATABASE_URL", d.URL, backConnections)
}

// openAsOwner opens it as the role that owns what is in it.
func (d database) openAsOwner(ctx context.Context) (*pgxpool.Pool, error) {
	if d.OwnerURL == "" {
		return d.open(ctx)
	}
	return stores.Database(ctx, "CABINET_DATABASE_OWNER_URL", d.OwnerURL, backConnections)
}

// withDatabase lets an errand act in it.
func withDatabase(environ []string, act func(cmd *cobra.Command, pool *pgxpool.Pool) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		d, err := settings.Read[database](environ)
		if err != nil {
			return err
		}
		pool, err := d.open(cmd.Context())
		if err != nil {
			return err
		}
		defer pool.Close()
		return act(cmd, pool)
	}
}

// migrate brings the database to the schema of this build, and sets the journal apart where it has an owner of its own.
func migrate(ctx context.Context, d database) error {
	pool, err := d.openAsOwner(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := migrations.Up(ctx, pool, migrations.Cabinet); err != nil || d.OwnerURL == "" {
		return err
	}
	program, err := pgx.ParseConfig(d.URL)
	if err != nil {
		return errors.New("CABINET_DATABASE_URL is not the URL of a PostgreSQL database")
	}
	return migrations.Apart(ctx, pool, migrations.Cabinet, program.User)
}
