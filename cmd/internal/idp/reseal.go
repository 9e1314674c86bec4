package idp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"asoba.example/cmd/internal/stores"
	"asoba.example/login/desk"
	"asoba.example/login/factor"
	"asoba.example/login/identity"
	"asoba.example/login/sms"
	"asoba.example/provider/keys"
	"asoba.example/provider/seal"
)

// sealed are all columns that hold what is sealed, but for answers to requests, which live an hour.
func sealed() []seal.Column {
	return slices.Concat(identity.Sealed, factor.Sealed, desk.Sealed, sms.Sealed, keys.Sealed)
}

func resealCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "reseal",
		Short: "Seal everything in the database anew, by a new key",
		Long: "Seal everything in the database anew, by a new key, while the programs run. It waits twice for half a minute, until every node knows\n" +
			"the key and seals by it. Broken off, it goes on where it was. The former key is taken out for good when it is called again an hour\n" +
			"later; only then is there another new key. What finds sealed values, the digests of phones and documents, and the pepper of passwords\n" +
			"stay as they are.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withHouse(cmd, config, func(h *house) error { return reseal(cmd.Context(), h.box, follow, cmd.OutOrStdout()) })
		},
	}
}

// follow waits until every node has followed, and tells the time.
func follow(ctx context.Context) (time.Time, error) {
	select {
	case <-time.After(seal.Lead):
		return time.Now(), nil
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
}

// toldEvery is after how many rows it is told how far it is.
const toldEvery = 10_000

// reseal does it, and has every node follow twice: before the new key seals, and before what others sealed is looked for.
func reseal(ctx context.Context, box *seal.Box, follow func(context.Context) (time.Time, error), out io.Writer) error {
	at := time.Now()
	for done := false; !done; {
		var err error
		if done, err = box.Rotate(ctx, at); err != nil && !errors.Is(err, seal.ErrTooSoon) {
			return err
		}
		fmt.Fprintln(out, "Waiting until every node has followed.")
		if at, err = follow(ctx); err != nil {
			return err
		}
	}
	for _, column := range sealed() {
		n := 0
		err := box.Reseal(ctx, column, func() {
			if n++; n%toldEvery == 0 {
				fmt.Fprintf(out, "%s.%s: %d so far\n", column.Table, column.Name, n)
			}
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s.%s: %d sealed anew\n", column.Table, column.Name, n)
	}
	gone, err := box.Retire(ctx, sealed(), at)
	if errors.Is(err, seal.ErrNeeded) {
		_, err = fmt.Fprintf(out, "The former key is kept for what lives no longer than %s. Reseal again then, to take it out.\n", seal.Keep)
		return err
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Former keys that are gone for good: %d.\n", gone)
	return err
}

func rewrapCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "rewrap FILE",
		Short: "Take the master key in FILE instead of the one in use",
		Long: "Take the master key in FILE instead of the one in use, IDP_MASTER_KEY_FILE. Put FILE in the old one's place, and start every node\n" +
			"anew: those that run go on, and say in the log that they cannot follow the keys that seal. Reseal only after that.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config()
			if err != nil {
				return err
			}
			old, err := seal.ReadMasterKey("IDP_MASTER_KEY_FILE", cfg.MasterKeyFile)
			if err != nil {
				return err
			}
			fresh, err := seal.ReadMasterKey("FILE", args[0])
			if err != nil {
				return err
			}
			pool, err := stores.Database(cmd.Context(), "IDP_DATABASE_URL", cfg.DatabaseURL, 1)
			if err != nil {
				return err
			}
			defer pool.Close()
			return seal.Rewrap(cmd.Context(), pool, old, fresh)
		},
	}
}
