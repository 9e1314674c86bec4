package register

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"strings"
)

// What may be wrong with a file's signature.
var (
	ErrUnsigned  = errors.New("the file comes without its signature")
	ErrSignature = errors.New("the signature is not the register's, or the file is not the one that was signed")
)

// A Key tells what the register's owner has signed: the SHA-256 of a file.
type Key struct{ public crypto.PublicKey }

// ParseKey reads an Ed25519 or ECDSA public key in PEM.
func ParseKey(text []byte) (*Key, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errors.New("not a public key in PEM")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, errors.New("not a public key in PEM")
	}
	switch public.(type) {
	case ed25519.PublicKey, *ecdsa.PublicKey:
		return &Key{public}, nil
	}
	return nil, errors.New("neither an Ed25519 nor an ECDSA key")
}

// Verify reads what a file says of itself, and holds that it was signed; it is told of where only the signature is wrong.
func Verify(in io.ReadSeeker, signature []byte, key *Key) (Edition, error) {
	f, err := open(in, func(int64, int64) {})
	if err != nil {
		return Edition{}, err
	}
	e := Edition{Number: f.number, Period: f.period, AsOf: f.asOf, Kind: f.kind, Announced: f.rows, Checksum: f.checksum[:]}
	err = key.check(f.checksum, signature)
	e.Signed = key != nil && err == nil
	return e, err
}

// check holds that a file of this checksum was signed. The signature is as it was made, or that in base64. Without a key nothing is asked of it.
func (k *Key) check(checksum [sha256.Size]byte, signature []byte) error {
	switch {
	case k == nil:
		return nil
	case len(signature) == 0:
		return ErrUnsigned
	case k.signed(checksum, signature):
		return nil
	}
	if text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(signature))); err == nil && k.signed(checksum, text) {
		return nil
	}
	return ErrSignature
}

func (k *Key) signed(checksum [sha256.Size]byte, signature []byte) bool {
	switch public := k.public.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(public, checksum[:], signature)
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(public, checksum[:], signature)
	}
	return false
}
