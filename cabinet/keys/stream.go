package keys

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash"
	"io"

	"github.com/go-jose/go-jose/v4"
)

// A Stream signs what is written to it as a compact JWS (RFC 7515 §3.1), however long it is: the payload goes out as it comes, and
// the signature at Close.
type Stream struct {
	key     key
	out     io.Writer
	digest  hash.Hash // of what went out
	payload io.WriteCloser
}

// Stream begins one. What is written before Close is worth nothing without it.
func (r Ring) Stream(ctx context.Context, typ string, out io.Writer) (*Stream, error) {
	k, err := r.newest(ctx)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	header, err := json.Marshal(map[string]string{"alg": string(jose.ES256), "kid": k.kid, "typ": typ})
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	s := &Stream{key: k, out: out, digest: sha256.New()}
	both := io.MultiWriter(out, s.digest)
	if _, err := io.WriteString(both, base64.RawURLEncoding.EncodeToString(header)+"."); err != nil {
		return nil, err
	}
	s.payload = base64.NewEncoder(base64.RawURLEncoding, both)
	return s, nil
}

// Write writes a part of the payload.
func (s *Stream) Write(part []byte) (int, error) { return s.payload.Write(part) }

// Close ends the payload and signs it: R and S, each of 32 octets (RFC 7518 §3.4).
func (s *Stream) Close() error {
	if err := s.payload.Close(); err != nil {
		return err
	}
	one, two, err := ecdsa.Sign(rand.Reader, s.key.private, s.digest.Sum(nil))
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	var signature [64]byte
	one.FillBytes(signature[:32])
	two.FillBytes(signature[32:])
	_, err = io.WriteString(s.out, "."+base64.RawURLEncoding.EncodeToString(signature[:]))
	return err
}
