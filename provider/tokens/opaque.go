package tokens

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/google/uuid"
)

// A Kind of opaque token, and the prefix by which scanners for leaked secrets know it. One kind is never taken for the other.
type Kind string

// The kinds.
const (
	Code    Kind = "code"
	Refresh Kind = "refresh"
	Device  Kind = "device" // of the device authorization grant (RFC 8628 §3.2)
)

// Opaque makes tokens that mean nothing to their bearer:
//
//	<kind>_<base64url(id of the grant ‖ 16 bytes of chance ‖ 16 bytes of tag)>
//
// The tag is under a key of ours and covers the whole, so that nothing can be asked or revoked with a token that we did not make. The
// id lets a token whose record is long gone still name what its reuse must end.
type Opaque struct {
	key []byte
}

// NewOpaque takes the key of the tags, 32 bytes: seal.Box.Key("tokens").
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
	var chance [chanceSize]byte
	_, _ = rand.Read(chance[:]) // never fails: crypto/rand ends the program instead
	return o.make(kind, gid, chance[:])
}

func (o Opaque) make(kind Kind, gid uuid.UUID, chance []byte) string {
	var raw [opaqueSize]byte
	copy(raw[:], gid[:])
	copy(raw[idSize:], chance)
	copy(raw[tagAt:], o.tag(kind, raw[:tagAt]))
	return string(kind) + "_" + base64.RawURLEncoding.EncodeToString(raw[:])
}

// Successor makes the token of the same grant that takes another's place: one and the same however often it is asked for. Without our key
// nobody can tell it from chance, whatever tokens they have.
func (o Opaque) Successor(kind Kind, token string) string {
	gid, _ := o.Open(kind, token)
	return o.make(kind, gid, o.tag(kind+" after", []byte(token)))
}

// Open gives the grant of a token that we made as this kind.
func (o Opaque) Open(kind Kind, token string) (gid uuid.UUID, ours bool) {
	text, ok := strings.CutPrefix(token, string(kind)+"_")
	if !ok || len(text) != base64.RawURLEncoding.EncodedLen(opaqueSize) {
		return uuid.Nil, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != opaqueSize || !hmac.Equal(raw[tagAt:], o.tag(kind, raw[:tagAt])) { // it passes over line ends
		return uuid.Nil, false
	}
	return uuid.UUID(raw[:idSize]), true
}

func (o Opaque) tag(kind Kind, body []byte) []byte {
	mac := hmac.New(sha256.New, o.key)
	mac.Write([]byte(kind))
	mac.Write([]byte{0})
	mac.Write(body)
	return mac.Sum(nil)[:tagSize]
}

// Digest is how a token is known to a store: the whole of it, so that no part of one opens another's door.
func Digest(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
