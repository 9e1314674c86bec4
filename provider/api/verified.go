package api

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
)

// Verified remembers access tokens whose signature is good, so that it is not checked again of a token that is shown again. A good signature
// stays good; the rest of a token is read and judged each time, and so is whether its key is still believed.
//
// A token is known by the digest of the whole of it, its signature among it, so that nothing else passes for it. The memory has a fixed size:
// each digest has one place, where the latest stands. Only what the issuer has signed comes to one, so strangers push nothing out.
type Verified struct {
	mu     sync.Mutex
	places [1 << 13][sha256.Size]byte // under mu
}

// Add remembers a token that was signed or checked just now.
func (v *Verified) Add(token string) {
	if v == nil {
		return
	}
	digest := sha256.Sum256([]byte(token))
	v.mu.Lock()
	defer v.mu.Unlock()
	*v.place(digest) = digest
}

func (v *Verified) has(token string) bool {
	if v == nil {
		return false
	}
	digest := sha256.Sum256([]byte(token))
	v.mu.Lock()
	defer v.mu.Unlock()
	return *v.place(digest) == digest
}

func (v *Verified) place(digest [sha256.Size]byte) *[sha256.Size]byte {
	return &v.places[int(binary.BigEndian.Uint16(digest[:]))%len(v.places)]
}
