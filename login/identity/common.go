package identity

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"strings"
	"sync"
)

// common/NOTICE.md tells whose list it is and how it was made.
//
//go:embed common/common.txt.gz
var commonPasswords []byte

// readCommon gives the passwords of twelve characters and more that people choose most. They are read once.
var readCommon = sync.OnceValues(func() (map[string]struct{}, error) {
	z, err := gzip.NewReader(bytes.NewReader(commonPasswords))
	if err != nil {
		return nil, fmt.Errorf("open the list of common passwords: %w", err)
	}
	var list strings.Builder
	if _, err := io.Copy(&list, z); err != nil { //nolint:gosec // the list is our own
		return nil, fmt.Errorf("read the list of common passwords: %w", err)
	}
	common := make(map[string]struct{}, strings.Count(list.String(), "\n"))
	for password := range strings.Lines(list.String()) {
		common[strings.TrimSuffix(password, "\n")] = struct{}{}
	}
	return common, nil
})
