package api

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
)

// Verified remembers access tokens whose signature is good, and what they say, so that neither is gone through again of a token that is shown
// again. A good signature stays good, and so does what it is under; whether that will do is judged each time, and so is whether the key is
// still believed.
//
// A token is known by the digest of the whole of it, its signature among it, so that nothing else passes for it. The memory has a fixed number of
// places: each digest has one, where the latest stands. Only what the issuer has signed comes to one, so strangers push nothing out.
type Verified struct {
	mu     sync.Mutex
	places [1 << 13]verified // under mu
}

// verified is a token that is known; says is nil where it was made here and never shown.
type verified struct {
	digest [sha256.Size]byte
	says   *said // which nobody changes
}

// Add remembers a token that was signed just now.
func (v *Verified) Add(token string) { v.keep(token, nil) }

// keep remembers a token that was signed or checked just now, with what it says.
func (v *Verified) keep(token string, says *said) {
	if v == nil {
		return
	}
	digest := sha256.Sum256([]byte(token))
	v.mu.Lock()
	defer v.mu.Unlock()
	*v.place(digest) = verified{digest, says}
}

// find tells whether a token's signature is known to be good, and what it says, where that was read.
func (v *Verified) find(token string) (says *said, good bool) {
	if v == nil {
		return nil, false
	}
	digest := sha256.Sum256([]byte(token))
	v.mu.Lock()
	defer v.mu.Unlock()
	if known := v.place(digest); known.digest == digest {
		return known.says, true
	}
	return nil, false
}

func (v *Verified) place(digest [sha256.Size]byte) *verified {
	return &v.places[int(binary.BigEndian.Uint16(digest[:]))%len(v.places)]
}
