package identity

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"
	"golang.org/x/text/unicode/norm"

	"asoba.example/login/hashing"
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

// params writes it as a hash tells it.
func (c Cost) params() string { return fmt.Sprintf("m=%d,t=%d,p=%d", c.Memory*1024, c.Passes, c.Lanes) }

// Hashing makes and compares hashes; hashing.Here does it in this process, a hashing.Process in another.
type Hashing interface {
	Create(c hashing.Creation, hash *string) error
	Compare(c hashing.Comparison, fits *bool) error
}

// A hasher turns passwords into what is kept of them, so many at once and no more: each takes the memory that a Cost says, some time of as many
// processors as it has lanes, and as many places. Strangers never fill every place, so that a storm of guesses leaves room for people at their
// own browsers; where one password takes all the places, they wait for the one that is being hashed, and for no other.
type hasher struct {
	pepper    []byte // lies under the master key: a stolen database cannot be tried
	cost      func() Cost
	hashing   Hashing
	atOnce    int
	places    *semaphore.Weighted
	strangers *semaphore.Weighted
	came      *prometheus.CounterVec
}

func newHasher(pepper []byte, cost func() Cost, hashing Hashing, atOnce int) *hasher {
	atOnce = max(atOnce, 2)
	return &hasher{
		pepper:    pepper,
		cost:      cost,
		hashing:   hashing,
		atOnce:    atOnce,
		places:    semaphore.NewWeighted(int64(atOnce)),
		strangers: semaphore.NewWeighted(int64(atOnce - 1)),
		came: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "idp_passwords_total",
			Help: "Passwords that came to be hashed: those that were, and those that waited too long for a place.",
		}, []string{"outcome"}),
	}
}

// dummy is a hash of no password, as costly to compare as one of these parameters.
func dummy(params string) string {
	random := make([]byte, 48)
	_, _ = rand.Read(random) // never fails: crypto/rand stops the program instead
	encode := base64.RawStdEncoding.EncodeToString
	return "$argon2id$v=19$" + params + "$" + encode(random[:16]) + "$" + encode(random[16:])
}

// paramsOf are those that a hash was made with, as it tells them.
func paramsOf(hash string) string { return paramsIn.FindString(hash) }

const paramsForm = `m=[0-9]+,t=[0-9]+,p=[0-9]+`

var paramsIn = regexp.MustCompile(paramsForm)

// against gives what a password is compared with: the hash, if there is one, and a dummy of every other cost that any hash has, or will have from now
// on. So the work is the same whoever is asked about: who has no password, and who has not had it hashed anew since the cost was changed.
func (h *hasher) against(hash string, kept []string) (hashes []string) {
	costs := append(kept, h.cost().params())
	if hash != "" {
		hashes = []string{hash}
		costs = slices.DeleteFunc(costs, func(params string) bool { return params == paramsOf(hash) })
	}
	slices.Sort(costs)
	for _, params := range slices.Compact(costs) {
		hashes = append(hashes, dummy(params))
	}
	return hashes
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
	cost := h.cost()
	leave, err := h.enter(ctx, true, cost.Lanes) // who forms a password has been let in before
	if err != nil {
		return "", err
	}
	defer leave()
	return h.make(person, password, cost)
}

// hashNow is hash for whom nobody shall wait: it gives ErrBusy where no place is free.
func (h *hasher) hashNow(person uuid.UUID, password string) (string, error) {
	cost := h.cost()
	places := h.taken(cost.Lanes, true)
	if !h.places.TryAcquire(places) {
		return "", ErrBusy
	}
	defer h.places.Release(places)
	return h.make(person, password, cost)
}

// make hashes, at its places.
func (h *hasher) make(person uuid.UUID, password string, c Cost) (string, error) {
	h.came.WithLabelValues("hashed").Inc()
	creation := hashing.Creation{Secret: h.mac(person, password), Params: argon2id.Params{
		Memory: uint32(c.Memory) * 1024, Iterations: uint32(c.Passes), Parallelism: uint8(c.Lanes),
		SaltLength: 16, KeyLength: 32,
	}}
	var hash string
	if err := h.hashing.Create(creation, &hash); err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return hash, nil
}

// matches tells whether any of the hashes is of any of the passwords. Where none is, it has compared all with all.
func (h *hasher) matches(ctx context.Context, person uuid.UUID, known bool, hashes []string, passwords ...string) (bool, error) {
	lanes := 0
	for _, hash := range hashes {
		params, _, _, err := argon2id.DecodeHash(hash)
		if err != nil {
			return false, fmt.Errorf("compare a password: %w", err)
		}
		lanes = max(lanes, int(params.Parallelism))
	}
	leave, err := h.enter(ctx, known, lanes)
	if err != nil {
		return false, err
	}
	defer leave()
	for _, hash := range hashes {
		for _, password := range passwords {
			h.came.WithLabelValues("hashed").Inc()
			var fits bool
			if err := h.hashing.Compare(hashing.Comparison{Secret: h.mac(person, password), Hash: hash}, &fits); err != nil {
				return false, fmt.Errorf("compare a password: %w", err)
			}
			if fits {
				return true, nil
			}
		}
	}
	return false, nil
}

// stale tells a hash that was made at another cost than is settled now.
func (h *hasher) stale(hash string) bool { return paramsOf(hash) != h.cost().params() }

// taken is how many places a password takes: one for each lane, or all that there are.
func (h *hasher) taken(lanes int, known bool) int64 {
	if !known {
		return int64(min(lanes, h.atOnce-1))
	}
	return int64(min(lanes, h.atOnce))
}

// enter waits for the places that so many lanes take.
func (h *hasher) enter(ctx context.Context, known bool, lanes int) (leave func(), err error) {
	waiting, cancel := context.WithTimeoutCause(ctx, patience, ErrBusy)
	defer cancel()
	defer func() {
		if errors.Is(err, ErrBusy) {
			h.came.WithLabelValues("turned away").Inc()
		}
	}()
	places := h.taken(lanes, known)
	if !known {
		if h.strangers.Acquire(waiting, places) != nil {
			return nil, context.Cause(waiting)
		}
		defer func() {
			if err != nil {
				h.strangers.Release(places)
			}
		}()
	}
	if h.places.Acquire(waiting, places) != nil {
		return nil, context.Cause(waiting)
	}
	return func() {
		h.places.Release(places)
		if !known {
			h.strangers.Release(places)
		}
	}, nil
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
