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

// common/NOTICE.md tells whose lists these are and how they were made.
var (
	//go:embed common/common.txt.gz
	commonPasswords []byte

	//go:embed common/ru.txt
	russianWords string
	//go:embed common/be.txt
	belarusianWords string
	//go:embed common/latin.txt
	latinWords string
)

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
	passwords := make(map[string]struct{}, strings.Count(list.String(), "\n"))
	for password := range strings.Lines(list.String()) {
		passwords[strings.TrimSuffix(password, "\n")] = struct{}{}
	}
	return passwords, nil
})

// readWords gives every form of the words that people make passwords of.
var readWords = sync.OnceValue(func() map[string]struct{} {
	var words []string
	for line := range strings.Lines(russianWords + belarusianWords + latinWords) {
		if !strings.HasPrefix(line, "#") {
			words = append(words, strings.Fields(line)...)
		}
	}
	forms := make(map[string]struct{})
	for _, form := range expected(words) {
		forms[form] = struct{}{}
	}
	return forms
})
