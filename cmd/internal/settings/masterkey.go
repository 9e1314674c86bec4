package settings

import (
	"encoding/base64"
	"fmt"
	"os"
	"strings"

	"asoba.example/provider/seal"
)

// MasterKey reads from a file, which a setting or an argument has named, the key that a database never sees.
func MasterKey(named, file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", named, err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != seal.MasterKeySize {
		return nil, fmt.Errorf("%s does not hold %d bytes in base64, as idp key master makes them", named, seal.MasterKeySize)
	}
	return key, nil
}
