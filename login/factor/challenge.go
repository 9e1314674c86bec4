package factor

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// freshSize is that of a challenge without its tag: a time, and 128 bits that nobody guesses (WebAuthn §13.4.3).
const freshSize = 8 + 16

// challenge makes one that is good once, for one occasion. It is not kept, so that a page that is only looked at costs
// nothing: a tag tells our own. Redis keeps those that were answered, and since it may be emptied, the database those that a passkey was used by.
func (p *Passkeys) challenge(occasion string) []byte {
	fresh := make([]byte, freshSize)
	binary.BigEndian.PutUint64(fresh, uint64(p.now().Unix()))
	_, _ = rand.Read(fresh[8:]) // never fails: crypto/rand ends the program instead
	return slices.Concat(fresh, p.mac("challenge", occasion, string(fresh)))
}

// A spent challenge was answered, and nobody answers it again.
type spent struct {
	digest []byte
	till   time.Time // when it would be good no more
}

// spend takes the challenge that an answer bears. ErrWrong says that it is none of ours, another occasion's, out of
// date, or answered before.
func (p *Passkeys) spend(ctx context.Context, occasion, answered string) (spent, error) {
	c, err := base64.RawURLEncoding.DecodeString(answered)
	if err != nil || len(c) < freshSize || !hmac.Equal(c[freshSize:], p.mac("challenge", occasion, string(c[:freshSize]))) {
		return spent{}, ErrWrong
	}
	till := time.Unix(int64(binary.BigEndian.Uint64(c)), 0).Add(p.waits)
	if !p.now().Before(till) {
		return spent{}, ErrWrong
	}
	sum := sha256.Sum256(c)
	err = p.redis.SetArgs(ctx, "passkey:"+hex.EncodeToString(sum[:16]), "", redis.SetArgs{Mode: "NX", TTL: p.waits}).Err()
	if errors.Is(err, redis.Nil) {
		return spent{}, ErrWrong
	}
	if err != nil {
		return spent{}, fmt.Errorf("keep an answered challenge: %w", err)
	}
	return spent{sum[:16], till}, nil
}

func (p *Passkeys) mac(parts ...string) []byte {
	mac := hmac.New(sha256.New, p.key)
	for _, part := range parts {
		fmt.Fprintf(mac, "%d:%s", len(part), part)
	}
	return mac.Sum(nil)
}
