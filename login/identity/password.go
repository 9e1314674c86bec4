package identity

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/text/unicode/norm"

	"asoba.example/login/register"
)

// ErrBusy says that more passwords wait to be hashed than can be in a bearable time.
var ErrBusy = errors.New("too many passwords are being checked at once")

// patience is how long a password waits for its turn to be hashed.
const patience = 10 * time.Second

// A Cost is what it takes to hash a password (Argon2id, RFC 9106 §3.1): memory in MiB, passes over it, and lanes.
type Cost struct{ Memory, Passes, Lanes int }

// ErrCost says that hashing would be too cheap for whoever tries a stolen database, or too dear for us.
var ErrCost = errors.New("from 19 MiB and 2 passes, 46 MiB and 1, or 12 MiB and 3, to 64 MiB, 6 passes and 4 lanes, and to 192 MiB in all passes; written like 19MiB t=2 p=1")

// ParseCost reads a cost as String writes it. The least are those of OWASP ASVS 5.0 appendix C; the most of them takes five times as long as
// the usual one, and of memory no more than 64 MiB for each password at once.
func ParseCost(s string) (c Cost, err error) {
	_, err = fmt.Sscanf(s, "%dMiB t=%d p=%d", &c.Memory, &c.Passes, &c.Lanes)
	strong := c.Passes >= 1 && c.Memory >= 46 || c.Passes >= 2 && c.Memory >= 19 || c.Passes >= 3 && c.Memory >= 12
	bearable := c.Memory <= 64 && c.Passes <= 6 && c.Memory*c.Passes <= 192 && c.Lanes >= 1 && c.Lanes <= 4
	if err != nil || c.String() != s || !strong || !bearable {
		return Cost{}, ErrCost
	}
	return c, nil
}

// String writes it like "19MiB t=2 p=1".
func (c Cost) String() string { return fmt.Sprintf("%dMiB t=%d p=%d", c.Memory, c.Passes, c.Lanes) }

// A hasher turns passwords into what is kept of them, so many at once and no
// more: each takes the memory that a Cost says, and some time of one processor. Strangers never fill
// every place, so that a storm of guesses leaves room for people at their own
// browsers.
type hasher struct {
	pepper    []byte // lies under the master key: a stolen database cannot be tried
	cost      func() Cost
	places    chan struct{}
	strangers chan struct{}
	came      *prometheus.CounterVec
}

func newHasher(pepper []byte, cost func() Cost, atOnce int) *hasher {
	return &hasher{
		pepper:    pepper,
		cost:      cost,
		places:    make(chan struct{}, max(atOnce, 2)),
		strangers: make(chan struct{}, max(atOnce-1, 1)),
		came: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "idp_passwords_total",
			Help: "Passwords that came to be hashed: those that were, and those that waited too long for a place.",
		}, []string{"outcome"}),
	}
}

// params are what a password costs now.
func (h *hasher) params() *argon2id.Params {
	c := h.cost()
	return &argon2id.Params{
		Memory: uint32(c.Memory) * 1024, Iterations: uint32(c.Passes), Parallelism: uint8(c.Lanes),
		SaltLength: 16, KeyLength: 32,
	}
}

// dummy is a hash of no password, as costly to compare as one that is made now.
func (h *hasher) dummy() string {
	c, random := h.params(), make([]byte, 48)
	_, _ = rand.Read(random) // never fails: crypto/rand stops the program instead
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", c.Memory, c.Iterations, c.Parallelism, encode(random[:16]), encode(random[16:]))
}

// mac is what is hashed in a password's stead. It names the person: a hash
// copied into another row proves nothing there.
func (h *hasher) mac(person uuid.UUID, password string) string {
	m := hmac.New(sha256.New, h.pepper)
	m.Write(person[:])
	m.Write([]byte(password))
	return string(m.Sum(nil))
}

// hash gives the PHC string to keep. It is slow by design: never in a transaction.
func (h *hasher) hash(ctx context.Context, person uuid.UUID, password string) (string, error) {
	leave, err := h.enter(ctx, true) // who forms a password has been let in before
	if err != nil {
		return "", err
	}
	defer leave()
	h.came.WithLabelValues("hashed").Inc()
	hash, err := argon2id.CreateHash(h.mac(person, password), h.params())
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return hash, nil
}

// matches tells whether any of the passwords is the one hashed. Without a hash
// it does the same work and says no.
func (h *hasher) matches(ctx context.Context, person uuid.UUID, hash string, known bool, passwords ...string) (bool, error) {
	leave, err := h.enter(ctx, known)
	if err != nil {
		return false, err
	}
	defer leave()
	against := hash
	if hash == "" {
		against = h.dummy()
	}
	for _, password := range passwords {
		h.came.WithLabelValues("hashed").Inc()
		ok, err := argon2id.ComparePasswordAndHash(h.mac(person, password), against)
		if err != nil {
			return false, fmt.Errorf("compare a password: %w", err)
		}
		if ok && hash != "" {
			return true, nil
		}
	}
	return false, nil
}

// stale tells a hash that was made with other parameters than are used now.
func (h *hasher) stale(hash string) bool {
	made, _, _, err := argon2id.DecodeHash(hash)
	return err == nil && *made != *h.params()
}

// enter waits for a place to hash at.
func (h *hasher) enter(ctx context.Context, known bool) (leave func(), err error) {
	waiting, cancel := context.WithTimeoutCause(ctx, patience, ErrBusy)
	defer cancel()
	defer func() {
		if errors.Is(err, ErrBusy) {
			h.came.WithLabelValues("turned away").Inc()
		}
	}()
	if !known {
		select {
		case h.strangers <- struct{}{}:
		case <-waiting.Done():
			return nil, context.Cause(waiting)
		}
	}
	leave = func() {
		<-h.places
		if !known {
			<-h.strangers
		}
	}
	select {
	case h.places <- struct{}{}:
		return leave, nil
	case <-waiting.Done():
		if !known {
			<-h.strangers
		}
		return nil, context.Cause(waiting)
	}
}

// symbols of a temporary password: 31 without look-alikes, ten of them make 49 bits.
const symbols = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

// How many symbols a temporary password has: its message is one segment with the most of them too.
const (
	FewestSymbols = 10
	MostSymbols   = 15
)

// formTemporary makes a temporary password, as it is read from the phone: XXXXX-XXXXX.
// Nobody chooses, types or sees it but the citizen (resolution 792 ¶4, ¶7).
func formTemporary(length int) string {
	const group = 5
	var (
		password strings.Builder
		random   [4 * MostSymbols]byte
	)
	for n := 0; n < length; {
		_, _ = rand.Read(random[:]) // never fails: crypto/rand stops the program instead
		for _, b := range random {
			if n == length || int(b) >= 256/len(symbols)*len(symbols) {
				continue // so that every symbol is equally likely
			}
			if n > 0 && n%group == 0 {
				password.WriteByte('-')
			}
			password.WriteByte(symbols[int(b)%len(symbols)])
			n++
		}
	}
	return password.String()
}

// foldTemporary takes a temporary password as it may be typed: with or without
// hyphens, in any case, on a Cyrillic keyboard.
func foldTemporary(s string) string { return register.FoldNumber(s) }

// foldStatic makes one spelling of characters that look and mean the same
// (NIST SP 800-63B-4 §3.1.1.2); nothing else of a static password is changed.
func foldStatic(s string) string { return norm.NFC.String(s) }

// derived gives the temporary passwords that a static one may be made of: the whole, its
// beginning and its end, forwards and backwards; of any length, for when the temporary one
// was formed another may have been settled.
func derived(static string) []string {
	folded := foldTemporary(static)
	var passwords []string
	for n := FewestSymbols; n <= min(MostSymbols, len(folded)); n++ {
		for _, s := range []string{folded[:n], folded[len(folded)-n:]} {
			if strings.Trim(s, symbols) != "" {
				continue // cannot be one
			}
			back := []byte(s)
			slices.Reverse(back)
			passwords = append(passwords, s, string(back))
		}
	}
	return passwords
}
