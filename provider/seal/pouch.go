package seal

import (
	"fmt"
	"io"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// A Pouch seals what is carried and not kept: a copy in a browser, a record that passes through Redis. Strangers have such things sealed as often as
// they come, so it has a key of its own, which wears out nothing that is kept, and nonces of 192 bits: those of AES-GCM have 96, and by chance alone
// one key is good for 2³² of them (NIST SP 800-38D §8.3).
type Pouch struct{ aead tink.AEAD }

// Format keeps the key out of every message a Pouch strays into.
func (*Pouch) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "sealed pouch") }

// Pouch makes one for a purpose.
func (b *Box) Pouch(purpose string) (*Pouch, error) {
	key, err := b.derive("pouch", purpose, nil)
	if err != nil {
		return nil, err
	}
	aead, err := subtle.NewXChaCha20Poly1305(key)
	if err != nil {
		return nil, fmt.Errorf("make a pouch for %s: %w", purpose, err)
	}
	return &Pouch{aead}, nil
}

// Seal encrypts plain for one place; it opens nowhere else.
func (p *Pouch) Seal(place string, plain []byte) ([]byte, error) {
	sealed, err := p.aead.Encrypt(plain, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", place, err)
	}
	return sealed, nil
}

// Open decrypts what was sealed for the place.
func (p *Pouch) Open(place string, sealed []byte) ([]byte, error) {
	plain, err := p.aead.Decrypt(sealed, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("unseal %s: %w", place, err)
	}
	return plain, nil
}
