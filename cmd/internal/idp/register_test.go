package idp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"asoba.example/login/clerk"
	"asoba.example/login/operator"
	"asoba.example/login/register"
	"asoba.example/provider/pair"
)

const registerHead = "# country BY\n# edition %d\n# period %s\n# kind %s\n# rows %d\n" +
	"identification_number,sex,birth_date,citizenship,death_date,death_act,declared_dead_date,declared_dead_act," +
	"missing_date,missing_act,incapable_date,incapable_act,limited_date,limited_act\n"

// registerFile writes an edition of the register.
func registerFile(t *testing.T, number int, period, kind string, rows ...string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "register.csv")
	text := fmt.Sprintf(registerHead, number, period, kind, len(rows)) + strings.Join(rows, "\n") + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// An operator reads what would become of a file, and then what became of it, line by line.
func TestRegisterImportReports(t *testing.T) {
	t.Parallel()
	environ := errandEnviron(t)
	path := registerFile(t, 12, "2025-01", "full",
		`1010130K001PB9,M,1930-01-01,BY,,,,,,,,,,`, `7000000A000PB2,M,1990,BY,,,,,,,,,,`, `7000001A000PB8,M,1990-01-01,BY,,,,,,,,,,`)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(text))
	run := func(want string, args ...string) {
		t.Helper()
		var out bytes.Buffer
		if err := Run(t.Context(), environ, nil, &out, append([]string{"register"}, args...)...); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); got != want {
			t.Errorf("%s: got:\n%s\nwant:\n%s", args, got, want)
		}
	}
	counts := "SHA-256 " + sum + `, not asked to be signed.
  added       3
  changed     0
  the same    0
  rejected    0
  doubtful    1
  deactivated 0
  restored    0
  missing     0
  withheld    0
line 8: identification_number: check_digit (taken all the same)
`
	run("Edition 12 of 2025-01 (full) would be applied. Nothing is written.\n"+counts, "import", "--dry-run", path)
	run("Edition 12 of 2025-01 (full) is applied.\nId 1, "+counts, "import", path)
	run("line 8: identification_number: check_digit (taken all the same)\n", "bad-rows", "1")
	run("Edition 12 of 2025-01 (full) was applied on "+time.Now().UTC().Format(time.DateOnly)+"; nothing to do.\n", "import", path)
	run("Edition 12 of 2025-01 (full), 3 rows.\nSHA-256 "+sum+"\nIDP_REGISTER_KEY_FILE names no key: nobody can tell who made it.\n", "verify", path)

	next := registerFile(t, 13, "2025-02", "full", `1010130K001PB9,M,1930-01-01,BY,2025-01-03,record 7,,,,,,,,`, `7000000A000PB2,M,1990,BY,,,,,,,,,,`)
	var out bytes.Buffer
	if err := Run(t.Context(), environ, nil, &out, "register", "import", next); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "Known people are missing from it, and stay as they are: idp register missing 2\n") {
		t.Errorf("it said:\n%s", &out)
	}
	out.Reset()
	if err := Run(t.Context(), environ, nil, &out, "register", "missing", "2"); err != nil || !strings.HasSuffix(out.String(), " 7000001A000PB8\n") {
		t.Errorf("%v: missing are:\n%s", err, &out)
	}
}

// A file of which too much is bad is refused by itself, and says why.
func TestRegisterImportRefusesABadFile(t *testing.T) {
	t.Parallel()
	environ := errandEnviron(t)
	rows := []string{`1010130K001PB9,M,1930-01-01,BY,,,,,,,,,,`}
	for range 2000 {
		rows = append(rows, "123,M,1990,BY,,,,,,,,,,")
	}
	var out bytes.Buffer
	err := Run(t.Context(), environ, nil, &out, "register", "import", registerFile(t, 1, "2025-01", "delta", rows...))
	if !errors.Is(err, register.ErrBad) || strings.Count(out.String(), ": shape\n") != 1000 || !strings.HasSuffix(out.String(), "and 1000 more rows\n") ||
		!strings.Contains(out.String(), "  rejected    2000\n") {
		t.Errorf("%v: it said:\n%.1000s", err, &out)
	}
}

// A file that is not the one whose SHA-256 was given, by a flag or beside it, is refused; the right one is taken however that is written.
func TestRegisterImportHoldsTheChecksum(t *testing.T) {
	t.Parallel()
	environ := errandEnviron(t)
	file := registerFile(t, 1, "2025-01", "full", `1010130K001PB9,M,1930,BY,,,,,,,,,,`)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	right, wrong := sha256.Sum256(text), sha256.Sum256(text[1:])
	tries := func(flags ...string) error {
		return Run(t.Context(), environ, nil, io.Discard, append([]string{"register", "import", "--dry-run", file}, flags...)...)
	}
	for given, want := range map[string]error{hex.EncodeToString(right[:]): nil, hex.EncodeToString(wrong[:]): register.ErrSum} {
		if err := tries("--sha256", given); !errors.Is(err, want) {
			t.Errorf("--sha256: got %v, want %v", err, want)
		}
	}
	more := hex.EncodeToString(right[:]) + "00"
	for _, none := range []string{"12", more, hex.EncodeToString(right[:]) + "  register.csv"} {
		if err := tries("--sha256", none); err == nil || errors.Is(err, register.ErrSum) {
			t.Errorf("what is no SHA-256 is taken for one: %v", err)
		}
	}
	if err := os.WriteFile(file+".sha256", []byte(more+"  register.csv\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := tries(); err == nil || errors.Is(err, register.ErrSum) {
		t.Errorf("what is no SHA-256, beside it, is taken for one: %v", err)
	}
	for _, beside := range []struct {
		text []byte
		want error
	}{
		{[]byte(hex.EncodeToString(wrong[:]) + "  register.csv\n"), register.ErrSum},
		{[]byte(hex.EncodeToString(right[:]) + "  register.csv\n"), nil},
		{wrong[:], register.ErrSum},
		{right[:], nil},
	} {
		if err := os.WriteFile(file+".sha256", beside.text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := tries(); !errors.Is(err, beside.want) {
			t.Errorf("beside it: got %v, want %v", err, beside.want)
		}
	}
}

// One of the operator's staff imports an edition that would deactivate many, and another releases it, at the terminal; and so they restore
// somebody.
func TestRegisterImportWaitsForASecondPerson(t *testing.T) {
	t.Parallel()
	environ := errandEnviron(t)
	said := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := Run(t.Context(), environ, nil, &out, args...)
		return out.String(), err
	}
	living := []string{`1010130K001PB9,M,1930,BY,,,,,,,,,,`, `2290296M000BA3,F,1996,RU,,,,,,,,,,`, `6290296C042BI1,F,1996,BY,,,,,,,,,,`, `7000001A000PB8,M,1990,BY,,,,,,,,,,`}
	if _, err := said("register", "import", registerFile(t, 1, "2025-01", "full", living...)); err != nil {
		t.Fatal(err)
	}
	const anna, boris = "1010130K001PB9", "2290296M000BA3"
	for i, operator := range []string{anna, boris} {
		_, err := said("clerk", "add", "--role", "operator", "--identifier", operator, "--office", "Centre", "--phone", fmt.Sprintf("+37529123456%d", i),
			"--family", "A", "--given", "B", "--document-kind", "passport", "--document", fmt.Sprintf("MP123456%d", i), "--valid-till", "2040-01-01")
		if err != nil {
			t.Fatal(err)
		}
	}
	next := registerFile(t, 2, "2025-02", "delta", `6290296C042BI1,F,1996,BY,2025-01-03,record,,,,,,,,`, `7000001A000PB8,M,1990,BY,,,2025-01-03,ruling,,,,,,`)
	if _, err := said("register", "import", next); !errors.Is(err, register.ErrNobody) {
		t.Errorf("by nobody: %v", err)
	}
	if out, err := said("register", "import", next, "--by", anna); err != nil ||
		!strings.HasPrefix(out, "Edition 2 of 2025-02 (delta) waits for a second person: idp register release 2, or refuse.\n") ||
		!strings.Contains(out, "It would deactivate people: idp register deactivated 2\n") {
		t.Errorf("%v: it said:\n%s", err, out)
	}
	if out, err := said("register", "deactivated", "2"); err != nil || strings.Count(out, "\n") != 2 || !strings.Contains(out, " 6290296C042BI1\n") {
		t.Errorf("%v: who decides is told:\n%s", err, out)
	}
	if _, err := said("register", "release", "2", "--by", anna); !errors.Is(err, pair.ErrOwn) {
		t.Errorf("by who imported it: %v", err)
	}
	if _, err := said("register", "release", "2", "--by", "6290296C042BI1"); !errors.Is(err, clerk.ErrRole) {
		t.Errorf("by a citizen: %v", err)
	}
	if _, err := said("register", "withdraw", "2", "--by", boris); !errors.Is(err, pair.ErrOwn) {
		t.Errorf("withdrawn by another: %v", err)
	}
	if out, err := said("register", "withdraw", "2", "--by", anna); err != nil || !strings.Contains(out, " withdrawn ") {
		t.Errorf("%v: it said:\n%s", err, out)
	}
	if out, err := said("register", "import", next, "--by", anna); err != nil || !strings.Contains(out, "register release 3, or refuse") {
		t.Errorf("%v: once more it said:\n%s", err, out)
	}
	third := registerFile(t, 3, "2025-03", "delta", living[0])
	if out, err := said("register", "import", "--dry-run", third); err != nil || !strings.Contains(out, "Another edition waits: until that is released or refused") {
		t.Errorf("%v: of another it said:\n%s", err, out)
	}
	if _, err := said("register", "release", "1", "--by", boris); !errors.Is(err, register.ErrNeverWaited) {
		t.Errorf("one that never waited: %v", err)
	}
	for range 2 { // whoever decides the same again is told the same
		if out, err := said("register", "release", "3", "--by", boris); err != nil || !strings.Contains(out, " applied ") {
			t.Errorf("%v: it said:\n%s", err, out)
		}
	}
	if _, err := said("register", "deactivated", "3"); !errors.Is(err, register.ErrNotWaiting) {
		t.Errorf("whom it would deactivate is told afterwards: %v", err)
	}
	if out, err := said("register", "editions"); err != nil || strings.Count(out, " applied ") != 2 {
		t.Errorf("%v: it said:\n%s", err, out)
	}
	id, err := said("register", "restore", "propose", "--by", anna, "--person", "6290296C042BI1", "--number", "12", "--date", "2026-01-02")
	if err != nil {
		t.Fatal(err)
	}
	id = strings.TrimSpace(id)
	if _, err := said("register", "restore", "approve", id, "--by", anna); !errors.Is(err, pair.ErrOwn) {
		t.Errorf("their own: %v", err)
	}
	for range 2 {
		if out, err := said("register", "restore", "approve", id, "--by", boris); err != nil || !strings.HasSuffix(out, "  6290296C042BI1  restore  12 of 2026-01-02  approved\n") {
			t.Errorf("%v: it said:\n%s", err, out)
		}
	}
	if _, err := said("register", "restore", "refuse", id, "--by", boris); !errors.Is(err, pair.ErrDecided) || !strings.HasSuffix(err.Error(), "approved by "+boris) {
		t.Errorf("decided otherwise: %v", err)
	}
	undo, err := said("register", "restore", "undo", id, "--by", boris, "--number", "13", "--date", "2026-01-03")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := said("register", "restore", "approve", strings.TrimSpace(undo), "--by", anna); err != nil || !strings.HasSuffix(out, "  undo "+id+"  13 of 2026-01-03  approved\n") {
		t.Errorf("%v: undone, it said:\n%s", err, out)
	}
	if _, err := said("register", "restore", "undo", id, "--by", boris, "--number", "13", "--date", "2026-01-03"); !errors.Is(err, operator.ErrNotRestored) {
		t.Errorf("undone twice: %v", err)
	}
	if out, err := said("register", "restore", "list"); err != nil || !strings.Contains(out, "  restore"+strings.Repeat(" ", len(id))+"12 of 2026-01-02  approved, undone\n") {
		t.Errorf("%v: of what was undone it said:\n%s", err, out)
	}
	if out, err := said("register", "restore", "list", "--state", "open"); err != nil || strings.Count(out, "\n") != 1 {
		t.Errorf("%v: it said:\n%s", err, out)
	}
}

// The operator takes in a file of what the register tells between its editions, and is told what came of each.
func TestRegisterEvent(t *testing.T) {
	t.Parallel()
	environ := errandEnviron(t)
	path := filepath.Join(t.TempDir(), "events.json")
	const one = `{"id": "a", "at": "2026-01-02T10:00:00+03:00", "person": {"identification_number": "1010130K001PB9", "sex": "M", "birth_date": "1930", "citizenship": "BY"}}` + "\n"
	text := one + one + strings.Replace(one, `"a"`, `"b"`, 1) + strings.Replace(one, `"M"`, `"X"`, 1)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := Run(t.Context(), environ, nil, &out, "register", "event", path)
	if err == nil || !strings.HasSuffix(err.Error(), "event 4: take an event: sex: unknown") {
		t.Errorf("the fourth: %v", err)
	}
	var came []string
	for line := range strings.Lines(out.String()) {
		id, _, _ := strings.Cut(line, ":")
		_, what, _ := strings.Cut(line, ", ")
		came = append(came, id+" "+strings.TrimSpace(what))
	}
	if got := strings.Join(came, "; "); got != "a changed; a told before; b as it was known" {
		t.Errorf("it said: %s", got)
	}
	if err := os.WriteFile(path, []byte(one+strings.Replace(one, `"id"`, `"name"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	err = Run(t.Context(), environ, nil, new(bytes.Buffer), "register", "event", path)
	if err == nil || !strings.HasPrefix(err.Error(), "event 2, before byte ") || strings.Contains(err.Error(), "name") {
		t.Errorf("what is no event: %v", err)
	}
}

// Whoever leaves out what an errand needs, or says something strange, is told so before the house is opened.
func TestRegisterErrandsAreAskedRightly(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{
		"release 5":                "required flag(s) \"by\" not set\nusage: idp register release EDITION [flags]",
		"refuse --by x":            "accepts 1 arg(s), received 0\nusage: idp register refuse EDITION [flags]",
		"refuse x --by x":          "EDITION: no such edition",
		"bad-rows x":               "EDITION: no such edition",
		"import":                   "accepts 1 arg(s), received 0\nusage: idp register import FILE [flags]",
		"import nothing":           "open nothing: no such file or directory",
		"sample --people many":     "invalid argument \"many\" for \"--people\" flag\nusage: idp register sample [flags]",
		"restore propose":          "required flag(s) \"by\", \"date\", \"number\", \"person\" not set\nusage: idp register restore propose [flags]",
		"restore undo":             "accepts 1 arg(s), received 0\nusage: idp register restore undo ID [flags]",
		"restore approve x --by x": "ID: no such proposal",
		"restore list --state x":   "--state: neither open, approved, refused nor withdrawn",
	} {
		err := Run(t.Context(), nil, nil, new(bytes.Buffer), append([]string{"register"}, strings.Fields(asked)...)...)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", asked, err, want)
		}
	}
}
