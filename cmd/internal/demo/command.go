package demo

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9/logging"
	"github.com/spf13/cobra"

	"asoba.example/cmd/internal/settings"
)

//go:embed config.go
var manual string

// Main is the program: it gives the exit status.
func Main() int {
	logging.Disable() // of the Redis client, which writes among what we say
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// Whoever asks a second time does not want to wait. What comes at once is the same request told twice: timeout(1)
	// and others tell the program and then its whole group.
	context.AfterFunc(ctx, func() { time.Sleep(time.Second); stop() })
	if err := settings.Execute(ctx, command()); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return 1
	}
	return 0
}

func command() *cobra.Command {
	help, err := settings.Help(manual)
	if err != nil {
		panic(err) // config.go is part of this program
	}
	options := Options{Environ: os.Environ(), Out: os.Stdout}
	root := &cobra.Command{
		Use:   "demo",
		Short: "The whole system on one machine, with made-up people",
		Long: "The whole system on one machine, with made-up people: sign-in, cabinet, e-service, desk, phones.\n" +
			"As root on Debian it installs PostgreSQL where there is none.\n\n" +
			"Settings are environment variables; those of idp, cabinet and eservice work as well:\n\n" + help,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return Run(cmd.Context(), options) },
	}
	root.Flags().StringVar(&options.Data, "data", "", "keep everything in this directory between runs")
	root.Flags().StringVar(&options.Env, "env", "", "write the settings of idp and cabinet to this file, for a shell to read, as long as the demo runs")
	root.Flags().BoolVar(&options.Relaxed, "relaxed", false, "lift the limits on attempts, SMS and clients, let keys rotate at once, and allow outgoing calls to this machine")
	return root
}
