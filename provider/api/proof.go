package api

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/redis/go-redis/v9"
)

// ErrProof says that a DPoP proof is not good. Any other error, but for ErrNonce, means that it cannot be told.
var ErrProof = errors.New("DPoP proof not accepted")

// ErrNonce says that the proof is to be made anew, with the nonce that the answer brings (RFC 9449 §8).
var ErrNonce = errors.New("DPoP proof without a good nonce")

// ProofAlgorithms may sign proofs. None of them is symmetric (RFC 9449 §4.3).
var ProofAlgorithms = []jose.SignatureAlgorithm{jose.PS256, jose.ES256, jose.EdDSA, jose.RS256}

const (
	maxProof   = 8 << 10
	maxProofID = 256
	minRSABits = 2048
	maxRSABits = 4096 // a stranger's key, who may choose how much work it makes
)

// A Proof is a DPoP proof that was checked, all but for whether it was used before.
type Proof struct {
	Thumbprint string // of the key (RFC 7638): jkt
	Algorithm  jose.SignatureAlgorithm

	Place string        // under which it is remembered as used
	For   time.Duration // and for how long: until it is good no more
}

// Proofs checks DPoP proofs (RFC 9449 §4.3).
type Proofs struct {
	URLs   []string              // under which callers know these doors, without a slash at the end
	Nonces *Nonces               // nil: none are handed out, and every clock must be right
	Redis  redis.UniversalClient // remembers which were used
	Now    func() time.Time
}

// proofClaims are those of a proof (RFC 9449 §4.2).
type proofClaims struct {
	ID          string           `json:"jti"`
	Method      string           `json:"htm"`
	URI         string           `json:"htu"`
	IssuedAt    *jwt.NumericDate `json:"iat"`
	NotBefore   *jwt.NumericDate `json:"nbf"`
	Expiry      *jwt.NumericDate `json:"exp"`
	Nonce       string           `json:"nonce"`
	AccessToken string           `json:"ath"`
}

// Read checks the proof of a request in the order of RFC 9449 §4.3; nil where none was sent. It remembers nothing, so that whoever is sent
// away for a nonce, or refused for something else, has used nothing up.
func (p *Proofs) Read(r *http.Request) (*Proof, error) {
	proof, _, err := p.read(r)
	return proof, err
}

// ReadFor is Read beside an access token, where there must be a proof (RFC 9449 §7).
func (p *Proofs) ReadFor(r *http.Request, token string) (*Proof, error) {
	proof, claims, err := p.read(r)
	switch {
	case err != nil:
		return nil, err
	case proof == nil:
		return nil, fmt.Errorf("%w: none was sent", ErrProof)
	case claims.AccessToken != thumbprint([]byte(token)):
		return nil, fmt.Errorf("%w: ath", ErrProof)
	}
	return proof, nil
}

func (p *Proofs) read(r *http.Request) (*Proof, proofClaims, error) {
	var claims proofClaims
	wrong := func(what string) (*Proof, proofClaims, error) {
		return nil, claims, fmt.Errorf("%w: %s", ErrProof, what)
	}
	sent := r.Header.Values("DPoP")
	switch {
	case len(sent) == 0:
		return nil, claims, nil
	case len(sent) > 1:
		return wrong("more than one was sent")
	case len(sent[0]) > maxProof:
		return wrong("too long")
	}
	parsed, err := jwt.ParseSigned(sent[0], ProofAlgorithms)
	if err != nil { // its text may quote what was sent; a jwk with a private part ends here too
		return wrong("not a JWT of an allowed algorithm and public key")
	}
	header := parsed.Headers[0]
	if typ, _ := header.ExtraHeaders[jose.HeaderType].(string); !strings.EqualFold(typ, "dpop+jwt") {
		return wrong("typ")
	}
	key := header.JSONWebKey
	if key == nil || !provable(key.Key) {
		return wrong("jwk")
	}
	if err := parsed.Claims(key.Key, &claims); err != nil {
		return wrong("signature or claims")
	}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return wrong("jwk")
	}
	now := p.Now().Truncate(time.Second) // as whoever signed it tells the time
	switch {
	case claims.ID == "" || len(claims.ID) > maxProofID:
		return wrong("jti")
	case claims.Method != r.Method:
		return wrong("htm")
	case !p.leads(claims.URI, r.URL.Path):
		return wrong("htu")
	case claims.IssuedAt == nil:
		return wrong("iat")
	case claims.Expiry != nil && now.After(claims.Expiry.Time().Add(skew)):
		return wrong("exp")
	case claims.NotBefore != nil && now.Add(skew).Before(claims.NotBefore.Time()):
		return wrong("nbf")
	}
	keep := 2 * skew // good from 10 s before iat to 10 s after it
	if punctual := now.Sub(claims.IssuedAt.Time()).Abs() <= skew; p.Nonces == nil {
		if !punctual {
			return wrong("iat")
		}
	} else if claims.Nonce == "" && !punctual || claims.Nonce != "" && !p.Nonces.good(claims.Nonce, now) {
		return nil, claims, ErrNonce
	} else if claims.Nonce != "" {
		keep = 2 * nonceFor // our own word for when the proof was made, whatever iat says
	}
	id := base64.RawURLEncoding.EncodeToString(sum)
	return &Proof{
		Thumbprint: id, Algorithm: jose.SignatureAlgorithm(header.Algorithm),
		Place: "dpop:{" + thumbprint([]byte(id+claims.ID)) + "}", For: keep + skew, // the clocks of two nodes may differ
	}, claims, nil
}

// provable tells a key that may prove something: public, of a size that is strong and not a burden.
func provable(key any) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() >= minRSABits && k.N.BitLen() <= maxRSABits
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	return false
}

// leads tells whether htu is the address of a request at path: without query and fragment, scheme and host in any case, the default port
// dropped (RFC 9449 §4.3; RFC 3986 §6.2.2–3).
func (p *Proofs) leads(htu, path string) bool {
	asked, ok := target(htu, "")
	if !ok {
		return false
	}
	for _, at := range p.URLs {
		if here, ok := target(at, path); ok && asked == here {
			return true
		}
	}
	return false
}

func target(address, path string) (normal string, ok bool) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return "", false
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Hostname())
	port := u.Port()
	if scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		port = ""
	}
	if path = u.Path + path; path == "" {
		path = "/"
	}
	return scheme + "://" + host + ":" + port + path, true
}

// Use uses a proof up: it is good once (RFC 9449 §11.1).
func (p *Proofs) Use(ctx context.Context, proof *Proof) error {
	err := p.Redis.SetArgs(ctx, proof.Place, "", redis.SetArgs{Mode: "NX", TTL: proof.For}).Err()
	if errors.Is(err, redis.Nil) {
		return fmt.Errorf("%w: used before", ErrProof)
	}
	if err != nil {
		return fmt.Errorf("remember a proof: %w", err)
	}
	return nil
}

// Challenge gives the nonce with which to come again, where err says that one is needed (RFC 9449 §8.1).
func (p *Proofs) Challenge(w http.ResponseWriter, err error) {
	if errors.Is(err, ErrNonce) {
		w.Header().Set("DPoP-Nonce", p.Nonces.At(p.Now()))
	}
}

// Nonces are the provider's word for when a proof was made. Nothing is stored: a nonce is a tag of its minute under a key of ours.
type Nonces struct {
	key []byte
}

// nonceFor is how long a nonce is handed out. It is taken for as long again.
const nonceFor = time.Minute

// NewNonces takes the key of the tags: seal.Box.Key("nonces").
func NewNonces(key []byte) *Nonces { return &Nonces{key} }

// At gives the nonce of a moment.
func (n *Nonces) At(now time.Time) string {
	mac := hmac.New(sha256.New, n.key)
	mac.Write(strconv.AppendInt(nil, now.Unix()/int64(nonceFor/time.Second), 10))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

func (n *Nonces) good(nonce string, now time.Time) bool {
	return hmac.Equal([]byte(nonce), []byte(n.At(now))) || hmac.Equal([]byte(nonce), []byte(n.At(now.Add(-nonceFor))))
}

// thumbprint is the base64url of a SHA-256 digest: of a token (ath), of a certificate (x5t#S256).
func thumbprint(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
