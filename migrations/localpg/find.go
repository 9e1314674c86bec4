package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"asoba.example/migrations/debian"
)

// installed is one installed PostgreSQL.
type installed struct {
	bin   string // directory
	major int
}

var version = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// find gives the PostgreSQL to run: the one whose data is kept, else the newest,
// installing it where there is none.
func find(ctx context.Context, cfg Config) (installed, error) {
	all := list(ctx)
	if err := ctx.Err(); err != nil { // it could not be looked for
		return installed{}, err
	}
	if len(all) == 0 {
		say := cfg.Say
		if say == nil {
			say = func(string) {}
		}
		if err := debian.Install(ctx, say, "postgresql"); err != nil {
			return installed{}, fmt.Errorf("no PostgreSQL found: %w", err)
		}
		if all = list(ctx); len(all) == 0 {
			return installed{}, errors.New("postgresql of Debian is installed, but there is no /usr/lib/postgresql/*/bin/postgres")
		}
	}
	kept, err := filepath.Glob(filepath.Join(cfg.Dir, "postgresql-*", "PG_VERSION"))
	if cfg.Dir == "" || err != nil || len(kept) == 0 {
		return all[0], err
	}
	for _, one := range all {
		if slices.Contains(kept, filepath.Join(cfg.Dir, "postgresql-"+strconv.Itoa(one.major), "PG_VERSION")) {
			return one, nil
		}
	}
	return installed{}, fmt.Errorf("%s is of a PostgreSQL that is not installed; the newest here is %d",
		filepath.Dir(kept[0]), all[0].major)
}

// list gives the installed ones, newest first; Debian's before the one in PATH.
func list(ctx context.Context) []installed {
	paths, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return nil
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		paths = append(paths, path)
	}
	var all []installed
	for _, path := range paths {
		bin := filepath.Dir(path)
		if _, err := os.Stat(filepath.Join(bin, "initdb")); err != nil {
			continue
		}
		out, err := exec.CommandContext(ctx, path, "--version").Output()
		if err != nil {
			continue
		}
		match := version.FindStringSubmatch(strings.TrimSpace(string(out)))
		if match == nil {
			continue
		}
		major, err := strconv.Atoi(match[1])
		if err != nil {
			continue
		}
		all = append(all, installed{bin: bin, major: major})
	}
	slices.SortStableFunc(all, func(a, b installed) int { return b.major - a.major })
	return all
}
