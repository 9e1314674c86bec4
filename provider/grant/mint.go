package grant

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// A Mint makes the opaque tokens of one kind, codes or refresh tokens:
//
//	<prefix>_<base64url(32 random bytes ‖ 8 bytes of tag)>
//
// The prefix lets scanners of leaked secrets know what they found. The tag is
// keyed, so garbage is dropped without asking a store. A store keeps the digest
// of the whole token and nothing else of it.
type Mint struct {
	prefix string
	key    []byte
}

const (
	randomSize = 32
	tagSize    = 8
)

// NewMint makes a Mint. The key is 32 bytes; seal.Box.Key("tokens").
func NewMint(prefix string, key []byte) Mint { return Mint{prefix: prefix, key: key} }

// New makes a token.
func (m Mint) New() string {
	b := make([]byte, randomSize, randomSize+tagSize)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return m.prefix + "_" + base64.RawURLEncoding.EncodeToString(append(b, m.tag(b)...))
}

// Digest is what a store knows the token by; false for what this Mint never made.
func (m Mint) Digest(token string) ([]byte, bool) {
	text, ok := strings.CutPrefix(token, m.prefix+"_")
	if !ok || base64.RawURLEncoding.DecodedLen(len(text)) != randomSize+tagSize {
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || !hmac.Equal(b[randomSize:], m.tag(b[:randomSize])) {
		return nil, false
	}
	sum := sha256.Sum256([]byte(token))
	return sum[:], true
}

// tag covers the prefix too: a code is no refresh token.
func (m Mint) tag(random []byte) []byte {
	h := hmac.New(sha256.New, m.key)
	h.Write([]byte(m.prefix + "\x00"))
	h.Write(random)
	return h.Sum(nil)[:tagSize]
}
