package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What README says builds the programs does: there is a directory that has the cabinet's name.
func TestReadmeBuildsThePrograms(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`(?m)^go build .*$`).FindString(string(text))
	bin := t.TempDir() + string(filepath.Separator)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(command, " bin/ ", " "+bin+" "))
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	for _, program := range []string{"idp", "cabinet"} {
		if out, err := exec.CommandContext(t.Context(), bin+program, "--help").CombinedOutput(); err != nil {
			t.Errorf("%s --help: %v\n%s", program, err, out)
		}
	}
}
