package idp

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"asoba.example/migrations/pgtest"
	"asoba.example/migrations/redistest"
)

// errandEnviron is the environment of an operator's errands on a new database.
func errandEnviron(t *testing.T) []string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "master")
	if err := os.WriteFile(key, []byte(NewMasterKey()), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{
		"IDP_DATABASE_URL=" + pgtest.URL(t), "IDP_REDIS_URL=" + redistest.URL(t),
		"IDP_MASTER_KEY_FILE=" + key, "IDP_SMS_GATEWAY_URL=http://localhost:1",
	}
}

// An operator sees the ring before and after, and is told when a key may follow.
func TestKeysAreRotatedFromTheTerminal(t *testing.T) {
	t.Parallel()
	environ := errandEnviron(t)
	kids := regexp.MustCompile(`  [\w-]{43}\n`)
	times := regexp.MustCompile(`  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	run := func(args ...string) (said string, err error) {
		var out bytes.Buffer
		err = Run(t.Context(), environ, nil, &out, append([]string{"key"}, args...)...)
		return times.ReplaceAllString(kids.ReplaceAllString(out.String(), "  KID\n"), "  TIME"), err
	}
	of := func(alg, said string) (lines string) {
		for line := range strings.Lines(said) {
			if strings.HasPrefix(line, alg) {
				lines += line
			}
		}
		return lines
	}
	said, err := run("list")
	if want := "EdDSA  active  TIME  yes      KID\n"; err != nil || !strings.Contains(said, want) || strings.Contains(said, "next") {
		t.Errorf("%v\n%s", err, said)
	}
	said, err = run("rotate", "ES256")
	if err == nil || !strings.Contains(err.Error(), "ES256: the next key has not been published for long enough: it may sign from ") {
		t.Errorf("too soon: got %v\n%s", err, said)
	}
	if _, err = run("rotate", "HS256"); err == nil {
		t.Error("an algorithm that we do not sign with was rotated")
	}
	said, err = run("rotate", "ES256", "--compromised")
	for _, want := range []string{"ES256  next    TIME  yes      KID\n", "ES256  active  TIME  yes      KID\n", "ES256  gone    TIME  no       KID\n"} {
		if err != nil || strings.Count(of("ES256", said), want) != 1 {
			t.Errorf("%v\n%s", err, said)
		}
	}
}
