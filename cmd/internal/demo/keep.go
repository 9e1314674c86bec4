package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"asoba.example/cmd/internal/demo/clients"
)

// A keep is what the demo itself must remember between runs: the credentials that were told once, and whether the
// people were brought to their states.
type keep struct {
	path string

	mu   sync.Mutex // held while writing, so that the file is always a whole one
	kept kept
}

type kept struct {
	Clients  []named `json:"clients"`
	Prepared bool    `json:"prepared"`
}

type named struct {
	Key        string          `json:"key"`
	Registered json.RawMessage `json:"registered"`
	clients.Credentials
}

func openKeep(dir string) (*keep, error) {
	k := &keep{path: filepath.Join(dir, "demo.json")}
	b, err := os.ReadFile(k.path)
	if errors.Is(err, os.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &k.kept); err != nil {
		return nil, fmt.Errorf("read %s: %w", k.path, err)
	}
	return k, nil
}

// put remembers a client.
func (k *keep) put(c clients.Credentials) error {
	return k.write(func(kept *kept) {
		now := named{c.Key, c.Registered, c}
		if i := slices.IndexFunc(kept.Clients, func(n named) bool { return n.Key == c.Key }); i >= 0 {
			kept.Clients[i] = now
			return
		}
		kept.Clients = append(kept.Clients, now)
	})
}

// prepare remembers that the people were brought to their states, once for all.
func (k *keep) prepare() error {
	return k.write(func(kept *kept) { kept.Prepared = true })
}

func (k *keep) prepared() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kept.Prepared
}

// clients are those registered so far.
func (k *keep) clients() []clients.Credentials {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := []clients.Credentials{}
	for _, n := range k.kept.Clients {
		n.Credentials.Key, n.Credentials.Registered = n.Key, n.Registered
		all = append(all, n.Credentials)
	}
	return all
}

// client gives one of them; the zero Credentials where it is not registered yet.
func (k *keep) client(key string) clients.Credentials {
	all := k.clients()
	if i := slices.IndexFunc(all, func(c clients.Credentials) bool { return c.Key == key }); i >= 0 {
		return all[i]
	}
	return clients.Credentials{}
}

// write changes what is kept.
func (k *keep) write(change func(*kept)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	changed := kept{Clients: slices.Clone(k.kept.Clients), Prepared: k.kept.Prepared}
	change(&changed)
	b, err := json.Marshal(changed)
	if err != nil {
		return err
	}
	if err := place(k.path, b); err != nil {
		return err
	}
	k.kept = changed
	return nil
}
