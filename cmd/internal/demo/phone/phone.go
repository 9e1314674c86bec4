// Package phone plays the mobile network: it takes messages as an operator's SMS gateway does, and shows what
// stands on each phone.
package phone

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"sync"
	"time"
)

// A Message is one SMS on a phone.
type Message struct {
	ID   string    `json:"-"`
	At   time.Time `json:"at"`
	To   string    `json:"to"`   // E.164
	Kind string    `json:"kind"` // code, temporary_password, notice
	Text string    `json:"text"`
}

// kept is how a message stands in the file.
type kept struct {
	ID string `json:"id"`
	Message
}

// Network is all phones.
type Network struct {
	now  func() time.Time
	file *os.File // nil where nothing is kept

	mu       sync.Mutex
	messages []Message // oldest first
	seen     map[string]bool
	changed  chan struct{} // closed and replaced at each message
}

// Open reads the messages kept in a file and goes on writing there; with no path nothing is kept.
func Open(path string, now func() time.Time) (*Network, error) {
	n := &Network{now: now, seen: map[string]bool{}, changed: make(chan struct{})}
	if path == "" {
		return n, nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the phones' messages: %w", err)
	}
	n.file = file
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var k kept
		if err := json.Unmarshal(lines.Bytes(), &k); err != nil {
			continue // what a killed run was writing
		}
		k.Message.ID = k.ID
		n.messages, n.seen[k.ID] = append(n.messages, k.Message), true
	}
	return n, lines.Err()
}

// Close closes the file.
func (n *Network) Close() error {
	if n.file == nil {
		return nil
	}
	return n.file.Close()
}

// ServeHTTP is the gateway: POST {"id","kind","to","text"}. The same id again is the same message, delivered already.
func (n *Network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct{ ID, Kind, To, Text string }
	decode := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	if err := decode.Decode(&body); err != nil || body.ID == "" || body.To == "" {
		http.Error(w, "want id, kind, to, text", http.StatusBadRequest)
		return
	}
	if err := n.take(Message{ID: body.ID, At: n.now().UTC(), To: body.To, Kind: body.Kind, Text: body.Text}); err != nil {
		http.Error(w, "the phones' messages cannot be kept", http.StatusInsufficientStorage)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (n *Network) take(m Message) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.seen[m.ID] {
		return nil
	}
	if n.file != nil {
		line, err := json.Marshal(kept{ID: m.ID, Message: m})
		if err != nil {
			return err
		}
		// The line's end stands before it, so that half a line of a killed run spoils only itself.
		if _, err := n.file.Write(append([]byte{'\n'}, line...)); err != nil {
			return err
		}
	}
	n.messages, n.seen[m.ID] = append(n.messages, m), true
	close(n.changed)
	n.changed = make(chan struct{})
	return nil
}

// On gives what stands on a phone, newest first.
func (n *Network) On(to string) []Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	on := []Message{}
	for _, m := range slices.Backward(n.messages) {
		if m.To == to {
			on = append(on, m)
		}
	}
	return on
}

// Newest gives the newest messages on all phones, newest first.
func (n *Network) Newest(most int) []Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := slices.Clone(n.messages[max(0, len(n.messages)-most):])
	slices.Reverse(all)
	return all
}

// Changed is closed when the next message comes.
func (n *Network) Changed() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changed
}

// Await gives the newest message of a kind that came to a phone at or after since, waiting for it.
func (n *Network) Await(ctx context.Context, to, kind string, since time.Time) (Message, error) {
	for {
		changed := n.Changed()
		for _, m := range n.On(to) {
			if m.Kind == kind && !m.At.Before(since) {
				return m, nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Message{}, errors.Join(fmt.Errorf("no %s came to the phone", kind), ctx.Err())
		}
	}
}

// The forms of a code and of a temporary password, of whatever length the rules in force let them have (code.digits, temporary_password.symbols).
var (
	code              = regexp.MustCompile(`\b\d{6,8}\b`)
	temporaryPassword = regexp.MustCompile(`\b[0-9A-Z]{5}-[0-9A-Z]{5}(-[0-9A-Z]{1,5})?\b`)
)

// Code gives the one-time code of a message that brings one.
func (m Message) Code() string {
	if m.Kind != "code" { // it may tell another number
		return ""
	}
	return code.FindString(m.Text)
}

// TemporaryPassword gives the temporary password of a text.
func (m Message) TemporaryPassword() string { return temporaryPassword.FindString(m.Text) }
