package tokens

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"

	"github.com/google/uuid"
)

// A Kind of opaque token. One kind is never taken for the other.
type Kind byte

// The kinds.
const (
	Code    Kind = 'c'
	Refresh Kind = 'r'
)

// Opaque makes tokens that mean nothing to their bearer. Each carries the id of its grant, so that a token whose record is long gone
// still names what its reuse must end; 128 bits of chance; and a tag under a key of ours, so that nothing can be asked, and nothing
// revoked, with a token that we did not make.
type Opaque struct {
	key []byte
}

// NewOpaque takes the key of the tags, 32 bytes.
func NewOpaque(key []byte) Opaque { return Opaque{key} }

const (
	idSize     = 16
	chanceSize = 16
	tagSize    = 16
	tagAt      = idSize + chanceSize
	opaqueSize = tagAt + tagSize
)

// New makes a token of a grant.
func (o Opaque) New(kind Kind, gid uuid.UUID) string {
	var raw [opaqueSize]byte
	copy(raw[:], gid[:])
	_, _ = rand.Read(raw[idSize:tagAt]) // never fails: the program ends if there is no chance to be had
	copy(raw[tagAt:], o.tag(kind, raw[:tagAt]))
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// Open gives the grant of a token that we made as this kind.
func (o Opaque) Open(kind Kind, token string) (uuid.UUID, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != opaqueSize || !hmac.Equal(raw[tagAt:], o.tag(kind, raw[:tagAt])) {
		return uuid.Nil, false
	}
	return uuid.UUID(raw[:idSize]), true
}

func (o Opaque) tag(kind Kind, body []byte) []byte {
	mac := hmac.New(sha256.New, o.key)
	mac.Write([]byte{byte(kind)})
	mac.Write(body)
	return mac.Sum(nil)[:tagSize]
}

// Digest is how a token is known to a store: the whole of it, so that no part of one opens another's door.
func Digest(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
