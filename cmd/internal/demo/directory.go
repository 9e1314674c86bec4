package demo

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// needed is how much room the databases of an untouched demo take, and as much again to breathe.
const needed = 128 << 20

// directory is where the demo keeps its files: the given one, or one to be thrown away.
func directory(given string) (string, error) {
	if given == "" {
		path, err := os.MkdirTemp("", "asoba-demo-")
		if err != nil {
			return "", err
		}
		return path, roomy(path, needed)
	}
	path, err := filepath.Abs(given)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(path, "demo.json")); err == nil {
		return path, roomy(path, needed/4) // it has its databases, and needs only to breathe
	}
	return path, roomy(path, needed)
}

// roomy tells of a disk that is all but full before PostgreSQL tells of what came of it.
func roomy(path string, needed uint64) error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(path, &disk); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if free := disk.Bavail * uint64(disk.Bsize); free < needed {
		return fmt.Errorf("the disk of %s is full: %d MB are free, %d MB are needed", path, free>>20, needed>>20)
	}
	return nil
}

// place puts a file of secrets in place, whole or not at all.
func place(path string, content []byte) error {
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
