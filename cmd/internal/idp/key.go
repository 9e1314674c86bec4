package idp

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"asoba.example/provider/seal"
)

func keyCommand() *cobra.Command {
	key := group("key", "Keys")
	key.AddCommand(&cobra.Command{
		Use:   "master",
		Short: "Print a new master key, for IDP_MASTER_KEY_FILE",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), NewMasterKey())
			return err
		},
	})
	return key
}

// NewMasterKey makes the content of a master key file.
func NewMasterKey() string {
	key := make([]byte, seal.MasterKeySize)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the program instead
	return base64.StdEncoding.EncodeToString(key)
}

// masterKey reads what NewMasterKey made.
func masterKey(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("IDP_MASTER_KEY_FILE: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != seal.MasterKeySize {
		return nil, errors.New("IDP_MASTER_KEY_FILE does not hold 32 bytes in base64: make them with idp key master")
	}
	return key, nil
}
