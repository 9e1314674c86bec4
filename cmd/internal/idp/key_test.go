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
	"asoba.example/provider/seal"
)

// errandEnviron is the environment of an operator's errands on a new database.
func errandEnviron(t *testing.T) []string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "master")
	if err := os.WriteFile(key, []byte(seal.NewMasterKey()), 0o600); err != nil {
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

// A hardware module that is not there, or that this build could not use, is told in one line, by its setting.
func TestAModuleThatIsNotThereIsTold(t *testing.T) {
	t.Parallel()
	pin := filepath.Join(t.TempDir(), "pin")
	environ := append(errandEnviron(t), "IDP_PKCS11_MODULE=/nowhere", "IDP_PKCS11_TOKEN=idp", "IDP_PKCS11_PIN_FILE="+pin)
	told := func(setting string) {
		t.Helper()
		err := Run(t.Context(), environ, nil, new(bytes.Buffer), "key", "list")
		if err == nil || !strings.HasPrefix(err.Error(), setting) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "1234") {
			t.Errorf("got %v, want %s told", err, setting)
		}
	}
	told("IDP_PKCS11_PIN_FILE")
	if err := os.WriteFile(pin, []byte("1234\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	told("IDP_PKCS11_MODULE")
}
