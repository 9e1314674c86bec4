package keys

import (
	"crypto"
	"errors"

	"github.com/go-jose/go-jose/v4"
)

// An HSM is a hardware security module: it makes private keys and signs with them,
// and gives none away. What there is under a label, every node finds there.
type HSM interface {
	// Generate makes a key under a label that is new; errors.ErrUnsupported where the module cannot do the algorithm.
	Generate(alg jose.SignatureAlgorithm, label string) (crypto.Signer, error)
	// Find gives the key under a label.
	Find(label string) (crypto.Signer, error)
	// Destroy destroys the key under a label. That there is none is no error.
	Destroy(label string) error
}

// PKCS11 names a token of a module by the words of PKCS #11.
type PKCS11 struct {
	Module string // path of the module's library
	Token  string // label of the token
	PIN    string // of the token's user
}

var errNoHSM = errors.New("its private part is in a hardware security module, and none is set")
