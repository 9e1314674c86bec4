package seal_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"asoba.example/migrations/pgtest"
	"asoba.example/provider/seal"
)

var (
	master = bytes.Repeat([]byte{1}, seal.MasterKeySize)
	noon   = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
)

// What one node seals every node opens, in its place only; also after a restart.
func TestWhatIsSealedOpensInItsPlaceOnly(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	boxes := make([]*seal.Box, 8)
	var starting sync.WaitGroup
	for i := range boxes { // all nodes start at once, on an empty database
		starting.Go(func() {
			var err error
			if boxes[i], err = seal.Open(t.Context(), pool, master, noon); err != nil {
				t.Error(err)
			}
		})
	}
	starting.Wait()
	again, err := seal.Open(t.Context(), pool, master, noon)
	if err != nil {
		t.Fatal(err)
	}
	plain, place := []byte("+375291234567"), "identity:phone:1"
	for _, box := range boxes {
		sealed, err := box.Seal(place, plain)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(sealed, plain[4:]) {
			t.Error("readable")
		}
		if got, err := again.Open(place, sealed); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("got %s, %v", got, err)
		}
		if _, err := again.Open("identity:phone:2", sealed); err == nil {
			t.Error("opens in another row")
		}
		sealed[len(sealed)-1] ^= 1
		if _, err := again.Open(place, sealed); err == nil {
			t.Error("opens after it was changed")
		}
	}
}

func TestIndexesAndKeysAreTheSameEverywhereAndAlikeNowhere(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	one, err := seal.Open(t.Context(), pool, master, noon)
	if err != nil {
		t.Fatal(err)
	}
	other, err := seal.Open(t.Context(), pool, master, noon)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := seal.Open(t.Context(), pgtest.New(t), master, noon)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, use := range []struct {
		name   string
		derive func(*seal.Box) ([]byte, error)
	}{
		{"phone 1", func(b *seal.Box) ([]byte, error) { return b.Index("identity:phone", []byte("1")) }},
		{"phone 2", func(b *seal.Box) ([]byte, error) { return b.Index("identity:phone", []byte("2")) }},
		{"document 1", func(b *seal.Box) ([]byte, error) { return b.Index("identity:document", []byte("1")) }},
		{"pepper", func(b *seal.Box) ([]byte, error) { return b.Key("pepper") }},
		{"tokens", func(b *seal.Box) ([]byte, error) { return b.Key("tokens") }},
	} {
		got, err := use.derive(one)
		if err != nil || len(got) != 32 {
			t.Fatalf("%s: %d bytes, %v", use.name, len(got), err)
		}
		if again, _ := use.derive(other); !bytes.Equal(got, again) {
			t.Errorf("%s differs between nodes", use.name)
		}
		if elsewhere, _ := use.derive(foreign); bytes.Equal(got, elsewhere) {
			t.Errorf("%s is the same under another key set", use.name)
		}
		if twin, ok := seen[string(got)]; ok {
			t.Errorf("%s equals %s", use.name, twin)
		}
		seen[string(got)] = use.name
	}
}

func TestAWrongMasterKeyIsToldAtOnce(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	if _, err := seal.Open(t.Context(), pool, master[1:], noon); err == nil {
		t.Error("a short master key is taken")
	}
	if _, err := seal.Open(t.Context(), pool, master, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Open(t.Context(), pool, bytes.Repeat([]byte{2}, seal.MasterKeySize), noon); !errors.Is(err, seal.ErrMaster) {
		t.Errorf("got %v", err)
	}
}

// A master key is read as it was made; what a file holds by mistake is told without a byte of it.
func TestAMasterKeyIsReadAsItWasMade(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "master")
	for held, want := range map[string]bool{
		seal.NewMasterKey() + "\n": true,
		seal.NewMasterKey()[4:]:    false,
		string(master):             false,
		"":                         false,
	} {
		if err := os.WriteFile(file, []byte(held), 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := seal.ReadMasterKey("KEY_FILE", file)
		if (err == nil) != want || want && len(key) != seal.MasterKeySize {
			t.Errorf("%q: got %d bytes, %v", held, len(key), err)
		}
		if err != nil && held != "" && strings.Contains(err.Error(), held) {
			t.Errorf("%v tells what is in the file", err)
		}
	}
	if _, err := seal.ReadMasterKey("KEY_FILE", file+"s"); err == nil || !strings.HasPrefix(err.Error(), "KEY_FILE: ") {
		t.Errorf("no file: %v", err)
	}
}

func TestABoxDoesNotPrintItsKeys(t *testing.T) {
	t.Parallel()
	box, err := seal.Open(t.Context(), pgtest.New(t), master, noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if got := fmt.Sprintf(verb, box); got != "sealed box" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}
