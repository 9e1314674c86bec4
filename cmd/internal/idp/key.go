package idp

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/spf13/cobra"

	"asoba.example/provider/keys"
	"asoba.example/provider/seal"
)

func keyCommand(config reader) *cobra.Command {
	key := group("key", "Keys: those that sign, and the master key")
	list := &cobra.Command{
		Use:   "list",
		Short: "List the signing keys there have been",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withHouse(cmd, config, func(h *house) error { return listKeys(cmd, h.keys) })
		},
	}
	var compromised bool
	rotate := &cobra.Command{
		Use:   "rotate [ALG]",
		Short: "Let the next key sign, of one algorithm or of all",
		Long: "Let the next key sign, of one algorithm or of all. What was signed before stays good.\n" +
			"A compromised key and all before it are believed no more; cmd/idp/keys.md says what that breaks.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			algs := keys.Algorithms
			if len(args) == 1 {
				algs = []jose.SignatureAlgorithm{jose.SignatureAlgorithm(args[0])}
			}
			return withHouse(cmd, config, func(h *house) error {
				var errs []error
				for _, alg := range algs {
					if err := h.keys.Rotate(cmd.Context(), keys.Rotation{Alg: alg, Compromised: compromised}); err != nil {
						errs = append(errs, fmt.Errorf("%s: %w", alg, err))
					}
				}
				return errors.Join(append(errs, listKeys(cmd, h.keys))...)
			})
		},
	}
	rotate.Flags().BoolVar(&compromised, "compromised", false, "others may have the key: believe nothing that was signed so far")
	key.AddCommand(list, rotate, resealCommand(config), rewrapCommand(config), &cobra.Command{
		Use:   "master",
		Short: "Print a new master key, for IDP_MASTER_KEY_FILE",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), seal.NewMasterKey())
			return err
		},
	})
	return key
}

// listKeys prints the ring as a table.
func listKeys(cmd *cobra.Command, ring *keys.Ring) error {
	all, err := ring.List(cmd.Context())
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ALG\tSTATE\tSINCE\tIN JWKS\tKID")
	for _, k := range all {
		published := "no"
		if k.Published(time.Now()) {
			published = "yes"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", k.Alg, k.State, k.ChangedAt.UTC().Format(time.RFC3339), published, k.KID)
	}
	return table.Flush()
}

// hsm opens the hardware security module, where there is one.
func (cfg Config) hsm() (keys.HSM, error) {
	if cfg.PKCS11Module == "" {
		return nil, nil
	}
	pin, err := os.ReadFile(cfg.PKCS11PINFile)
	if err != nil {
		return nil, fmt.Errorf("IDP_PKCS11_PIN_FILE: %w", err)
	}
	module, err := keys.OpenPKCS11(keys.PKCS11{Module: cfg.PKCS11Module, Token: cfg.PKCS11Token, PIN: strings.TrimRight(string(pin), "\r\n")})
	if err != nil {
		return nil, fmt.Errorf("IDP_PKCS11_MODULE: %w", err)
	}
	return module, nil
}
