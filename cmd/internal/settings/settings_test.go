package settings_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"asoba.example/cmd/internal/settings"
)

type config struct {
	Listen   string        `env:"X_LISTEN" envDefault:"localhost:80"`
	Idle     time.Duration `env:"X_IDLE" envDefault:"15m"`
	Busy     int           `env:"X_BUSY" envDefault:"2"`
	Database string        `env:"X_DATABASE_URL,required"`
	CertFile string        `env:"X_CERT_FILE"`
	Cert     string        `env:"X_CERT"`
}

// A secret may stand in a file; a setting that is a file's name stays a name.
func TestReadTakesFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(path, []byte("postgres://secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := settings.Read[config]([]string{"X_DATABASE_URL_FILE=" + path, "X_IDLE=1h", "X_CERT_FILE=/cert"})
	if err != nil {
		t.Fatal(err)
	}
	want := config{Listen: "localhost:80", Idle: time.Hour, Busy: 2, Database: "postgres://secret", CertFile: "/cert"}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// All mistakes are told at once, by the names that the operator used, without the values.
func TestReadTellsAllMistakes(t *testing.T) {
	t.Parallel()
	_, err := settings.Read[config]([]string{"X_IDLE=secret", "X_BUSY=secret"})
	if err == nil {
		t.Fatal("no mistake found")
	}
	for _, want := range []string{"X_DATABASE_URL is not set", "X_IDLE is not a duration", "X_BUSY is not a whole number"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("a value is told: %v", err)
	}
	_, err = settings.Read[config]([]string{"X_DATABASE_URL=a", "X_DATABASE_URL_FILE=b", "X_LISTEN_FILE=/nowhere"})
	for _, want := range []string{"both set", "X_LISTEN_FILE"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told in: %v", want, err)
		}
	}
}

// An address that is none is told by its setting, before anything goes there.
func TestReadTellsWhatIsNoAddress(t *testing.T) {
	t.Parallel()
	type config struct {
		Site   string `env:"X_SITE" url:""`
		Origin string `env:"X_ORIGIN" url:"origin"`
	}
	for _, right := range []string{"http://localhost:80", "https://example.org"} {
		if _, err := settings.Read[config]([]string{"X_SITE=" + right + "/in/it/", "X_ORIGIN=" + right}); err != nil {
			t.Errorf("%s: %v", right, err)
		}
	}
	for _, wrong := range []string{"secret", "localhost:80", "ftp://secret", "http://", "http://%", "https:secret"} {
		_, err := settings.Read[config]([]string{"X_SITE=" + wrong, "X_ORIGIN=" + wrong})
		if err == nil || !strings.Contains(err.Error(), "X_SITE is not") || !strings.Contains(err.Error(), "X_ORIGIN is not") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", wrong, err)
		}
	}
	for _, more := range []string{"/", "/path", "?", "?a=b", "#f"} {
		if _, err := settings.Read[config]([]string{"X_ORIGIN=https://example.org" + more}); err == nil || !strings.Contains(err.Error(), "X_ORIGIN is not") {
			t.Errorf("an origin with %s: got %v", more, err)
		}
	}
}

func TestHelpIsMadeOfComments(t *testing.T) {
	t.Parallel()
	got, err := settings.Help("package x\n" +
		"type Config struct {\n" +
		"\t// Listen is the address. Needs CertFile.\n" +
		"\tListen string `env:\"X_LISTEN\" envDefault:\":80\"`\n\n" +
		"\t// CertFile is the certificate,\n" +
		"\t// a secret.\n" +
		"\tCertFile string `env:\"X_CERT_FILE,required\"`\n" +
		"\tnow int\n}\n")
	if err != nil {
		t.Fatal(err)
	}
	const want = `X_LISTEN (default :80)
    X_LISTEN is the address. Needs X_CERT_FILE.

X_CERT_FILE (required)
    X_CERT_FILE is the certificate,
    a secret.

Any setting NAME may instead stand in a file that NAME_FILE names: use that for secrets.
`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
