package idp

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An operator reads what became of a file, line by line.
func TestRegisterImportReports(t *testing.T) {
	t.Parallel()
	environ := errandEnviron(t)
	path := filepath.Join(t.TempDir(), "register.csv")
	const file = `# edition 12
# period 2026-11
# rows 3
identification_number,sex,birth_date,citizenship,death_date,death_act,declared_dead_date,declared_dead_act,missing_date,missing_act,incapable_date,incapable_act,limited_date,limited_act
1010130K001PB9,M,1930-01-01,BY,,,,,,,,,,
7000000A000PB2,M,1990,BY,,,,,,,,,,
123,M,1990,BY,,,,,,,,,,
`
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(want string) {
		t.Helper()
		var out bytes.Buffer
		if err := Run(t.Context(), environ, nil, &out, "register", "import", path); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	}
	run(`Edition 12 of 2026-11 is applied.
  added     2
  changed   0
  the same  0
  rejected  1
line 6: identification_number: check_digit (taken all the same)
line 7: identification_number: shape
`)
	run("Edition 12 of 2026-11 was applied on " + time.Now().UTC().Format(time.DateOnly) + "; nothing to do.\n")
}
