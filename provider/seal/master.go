package seal

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
)

// MasterKeySize is the master key's length in bytes.
const MasterKeySize = 32

// NewMasterKey makes a master key in the form in which a file holds it.
func NewMasterKey() string {
	key := make([]byte, MasterKeySize)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the program instead
	return base64.StdEncoding.EncodeToString(key)
}

// ReadMasterKey reads the master key from a file, which a setting or an argument has named.
func ReadMasterKey(named, file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", named, err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != MasterKeySize {
		return nil, fmt.Errorf("%s does not hold %d bytes in base64, as idp key master makes them", named, MasterKeySize)
	}
	return key, nil
}
