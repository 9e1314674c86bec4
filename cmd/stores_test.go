package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A store that does not answer is told in one line by the setting that names it, and the program ends.
func TestStoresThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	nobody := listen(freeAddress(t))
	settings := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir(),
		"IDP_DATABASE_URL=postgres://idp:secret@" + nobody + "/idp", "IDP_REDIS_URL=redis://:secret@" + nobody,
		"CABINET_DATABASE_URL=postgres://cabinet:secret@" + nobody + "/cabinet", "CABINET_REDIS_URL=redis://:secret@" + nobody,
		"IDP_MASTER_KEY_FILE=/nowhere", "IDP_SMS_GATEWAY_URL=http://" + nobody,
		"IDP_LISTEN=localhost:0", "IDP_MANAGEMENT_LISTEN=localhost:0", "CABINET_LISTEN=localhost:0",
		"ESERVICE_LISTEN=localhost:0", "DEMO_LISTEN=localhost:0",
	}
	for _, program := range []struct {
		args []string
		told []string
	}{
		{[]string{"idp", "migrate"}, []string{"IDP_DATABASE_URL"}},
		{[]string{"idp", "serve"}, []string{"IDP_REDIS_URL"}},
		{[]string{"cabinet", "migrate"}, []string{"CABINET_DATABASE_URL"}},
		{[]string{"demo"}, []string{"IDP_DATABASE_URL", "IDP_REDIS_URL", "CABINET_DATABASE_URL", "CABINET_REDIS_URL"}},
	} {
		t.Run(strings.Join(program.args, " "), func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), filepath.Join(binaries, program.args[0]), program.args[1:]...)
			cmd.Env = settings
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Error("it went well")
			}
			lines := strings.Split(strings.TrimPrefix(strings.TrimSpace(string(out)), program.args[0]+": "), "\n")
			if len(lines) != len(program.told) || strings.Contains(string(out), "secret") {
				t.Fatalf("it said:\n%s", out)
			}
			for i, setting := range program.told {
				if !strings.HasPrefix(lines[i], setting+": ") {
					t.Errorf("line %d: got %q, want %s and why", i+1, lines[i], setting)
				}
			}
		})
	}
}
