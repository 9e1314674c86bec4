//go:build pkcs11

package keys

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ThalesGroup/crypto11"
	"github.com/go-jose/go-jose/v4"
)

// OpenPKCS11 opens a token of a hardware security module.
func OpenPKCS11(cfg PKCS11) (HSM, error) {
	token, err := crypto11.Configure(&crypto11.Config{
		Path: cfg.Module, TokenLabel: cfg.Token, Pin: cfg.PIN,
		PoolWaitTimeout: 10 * time.Second, // for one of the module's sessions
	})
	if err != nil {
		return nil, fmt.Errorf("open the token: %w", err)
	}
	return pkcs11{token}, nil
}

type pkcs11 struct{ token *crypto11.Context }

// Generate makes a key that the module lets nobody read. It makes none of Ed25519: crypto11 knows no mechanism for it.
func (p pkcs11) Generate(alg jose.SignatureAlgorithm, label string) (crypto.Signer, error) {
	id := []byte(label) // by which the private part finds its public one
	switch alg {
	case jose.ES256:
		return p.token.GenerateECDSAKeyPairWithLabel(id, id, elliptic.P256())
	case jose.RS256, jose.PS256:
		key, err := p.token.GenerateRSAKeyPairWithLabel(id, id, 2048)
		return rsaSigner{key}, err
	}
	return nil, errors.ErrUnsupported
}

// Find gives the key under a label.
func (p pkcs11) Find(label string) (crypto.Signer, error) {
	key, err := p.token.FindKeyPair(nil, []byte(label))
	if err != nil {
		return nil, err
	}
	if _, ok := key.Public().(*rsa.PublicKey); ok {
		return rsaSigner{key}, nil
	}
	return key, nil
}

// Destroy destroys the private part first, and the public one with it.
func (p pkcs11) Destroy(label string) error {
	found, err := p.token.FindKeyPairs(nil, []byte(label))
	if err != nil {
		return err
	}
	for _, key := range found {
		if err := key.Delete(); err != nil {
			return err
		}
	}
	return nil
}

// rsaSigner salts PS256 with as many bytes as the digest has (RFC 7518 §3.5). Modules
// do not choose a length by themselves, which is what they would be asked for.
type rsaSigner struct{ crypto.Signer }

func (s rsaSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if pss, ok := opts.(*rsa.PSSOptions); ok {
		opts = &rsa.PSSOptions{Hash: pss.Hash, SaltLength: rsa.PSSSaltLengthEqualsHash}
	}
	return s.Signer.Sign(random, digest, opts)
}
