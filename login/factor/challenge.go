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

// challengeFor is how long a page may wait for its answer: as long as a sign-in waits for somebody.
const challengeFor = time.Hour

// freshSize is that of a challenge without its tag: a time, and 128 bits that nobody guesses (WebAuthn §13.4.3).
const freshSize = 8 + 16

// challenge makes one that is good once, for one occasion. It is not kept, so that a page that is only looked at costs
// nothing: a tag tells our own, and Redis keeps those that were answered.
func (p *Passkeys) challenge(occasion string) []byte {
	fresh := make([]byte, freshSize)
	binary.BigEndian.PutUint64(fresh, uint64(p.now().Unix()))
	_, _ = rand.Read(fresh[8:]) // never fails: crypto/rand ends the program instead
	return slices.Concat(fresh, p.mac("challenge", occasion, string(fresh)))
}

// spend takes the challenge that an answer bears. ErrWrong says that it is none of ours, another occasion's, out of
// date, or answered before.
func (p *Passkeys) spend(ctx context.Context, occasion, answered string) error {
	c, err := base64.RawURLEncoding.DecodeString(answered)
	if err != nil || len(c) < freshSize || !hmac.Equal(c[freshSize:], p.mac("challenge", occasion, string(c[:freshSize]))) {
		return ErrWrong
	}
	made := time.Unix(int64(binary.BigEndian.Uint64(c)), 0)
	if !p.now().Before(made.Add(challengeFor)) {
		return ErrWrong
	}
	sum := sha256.Sum256(c)
	err = p.redis.SetArgs(ctx, "passkey:"+hex.EncodeToString(sum[:16]), "", redis.SetArgs{Mode: "NX", TTL: challengeFor}).Err()
	if errors.Is(err, redis.Nil) {
		return ErrWrong
	}
	if err != nil {
		return fmt.Errorf("keep an answered challenge: %w", err)
	}
	return nil
}

func (p *Passkeys) mac(parts ...string) []byte {
	mac := hmac.New(sha256.New, p.key)
	for _, part := range parts {
		fmt.Fprintf(mac, "%d:%s", len(part), part)
	}
	return mac.Sum(nil)
}
