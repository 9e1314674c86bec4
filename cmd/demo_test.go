package cmd_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A demo that is told to end, and told again and again at once as timeout(1) does, takes away what it has begun.
func TestDemoToldTwiceLeavesNothing(t *testing.T) {
	t.Parallel()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), filepath.Join(binaries, "demo"))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
	for part, url := range map[string]string{
		"IDP": "IDP_ISSUER", "IDP_MANAGEMENT": "IDP_MANAGEMENT_URL", "CABINET": "CABINET_URL", "ESERVICE": "ESERVICE_URL", "DEMO": "DEMO_URL",
	} {
		at := freeAddress(t)
		cmd.Env = append(cmd.Env, url+"="+at, part+"_LISTEN="+listen(at))
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	patiently(t, time.Minute, "the demo serves", func() error {
		logs, err := filepath.Glob(filepath.Join(dir, "asoba-demo-*", "log"))
		if err != nil || len(logs) == 0 {
			return errors.Join(err, os.ErrNotExist)
		}
		text, err := os.ReadFile(logs[0])
		if err == nil && !bytes.Contains(text, []byte(`"serving"`)) {
			err = errors.New("not yet")
		}
		return err
	})
	for range 10 {
		cmd.Process.Signal(syscall.SIGTERM)
		time.Sleep(2 * time.Millisecond) // as long as it takes to be told again
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, &said)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
