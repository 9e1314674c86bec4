// Package debian fetches from Debian what the demo and the tests run beside
// them: PostgreSQL, Redis, Chromium.
package debian

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// clusters keeps Debian from starting a PostgreSQL of its own on port 5432
// while the package is installed.
const clusters = "/etc/postgresql-common/createcluster.d"

// Install installs packages with apt-get, saying so in one line. Who is not root,
// or not on Debian, gets an error that says what to install.
func Install(ctx context.Context, say func(line string), packages ...string) error {
	names := strings.Join(packages, " ")
	apt, err := exec.LookPath("apt-get")
	if err != nil {
		return fmt.Errorf("please install %s: it is not here, and neither is apt-get", names)
	}
	hint := "apt-get install " + names
	if os.Geteuid() != 0 {
		return fmt.Errorf("please install %s as root: %s", names, hint)
	}

	// Test processes start together; apt-get does not wait for another's update.
	dpkg, err := os.Open("/var/lib/dpkg")
	if err != nil {
		return fmt.Errorf("please install %s: this apt-get has no dpkg: %w", names, err)
	}
	defer dpkg.Close()
	if err := syscall.Flock(int(dpkg.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("wait for another installation: %w", err)
	}

	say("installing " + names + " from Debian (" + hint + ")")
	if err := os.MkdirAll(clusters, 0o755); err != nil {
		return fmt.Errorf("%s: %w", hint, err)
	}
	conf := clusters + "/no-main-cluster.conf"
	if err := os.WriteFile(conf, []byte("create_main_cluster = false\n"), 0o644); err != nil {
		return fmt.Errorf("%s: %w", hint, err)
	}
	defer os.Remove(conf)
	for _, args := range [][]string{
		{"update", "-q"},
		append([]string{"install", "-y", "-q", "--no-install-recommends"}, packages...),
	} {
		cmd := exec.CommandContext(ctx, apt, args...)
		// At run level 1 no package starts its service.
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "LC_ALL=C")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w: %s", args[0], err, lastLine(out))
		}
	}
	return nil
}

func lastLine(out []byte) []byte {
	out = bytes.TrimSpace(out)
	return out[bytes.LastIndexByte(out, '\n')+1:]
}
