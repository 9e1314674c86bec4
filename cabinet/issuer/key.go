package issuer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// A Key is the client's private key. It does not print itself.
type Key struct{ jwk jose.JSONWebKey }

// ParseKey reads a private JWK (RFC 7517): EC P-256 or RSA of 2048 bits or more.
func ParseKey(text []byte) (Key, error) {
	var k Key
	if err := json.Unmarshal(text, &k.jwk); err != nil {
		return Key{}, errors.New("not a JWK") // the library's text may quote the key
	}
	if !k.jwk.Valid() || k.jwk.IsPublic() {
		return Key{}, errors.New("not a private JWK")
	}
	if _, err := k.algorithm(); err != nil {
		return Key{}, err
	}
	return k, nil
}

// algorithm is what providers of high security take (FAPI 2.0 Security Profile §5.4).
func (k Key) algorithm() (jose.SignatureAlgorithm, error) {
	switch key := k.jwk.Key.(type) {
	case *ecdsa.PrivateKey:
		if key.Curve == elliptic.P256() {
			return jose.ES256, nil
		}
	case *rsa.PrivateKey:
		if key.N.BitLen() >= 2048 {
			return jose.PS256, nil
		}
	}
	return "", errors.New("a client key is EC P-256 or RSA of at least 2048 bits")
}

func (k Key) signer() (jose.Signer, error) {
	alg, err := k.algorithm()
	if err != nil {
		return nil, err
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	if k.jwk.KeyID != "" {
		options = options.WithHeader("kid", k.jwk.KeyID)
	}
	return jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: k.jwk.Key}, options)
}

// Format and LogValue keep the key out of texts.
func (k Key) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte("key " + k.jwk.KeyID)) }
func (k Key) LogValue() slog.Value         { return slog.StringValue("key " + k.jwk.KeyID) }
func (k Key) MarshalJSON() ([]byte, error) { return json.Marshal("key " + k.jwk.KeyID) }

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	assertionFor  = time.Minute
)

// assertion proves that we are the client (RFC 7523 §3): once, within a minute, to this provider alone.
func (i *Issuer) assertion() (string, error) {
	now := i.cfg.Now()
	return jwt.Signed(i.signer).Claims(jwt.Claims{
		Issuer:   i.cfg.ClientID,
		Subject:  i.cfg.ClientID,
		Audience: jwt.Audience{i.cfg.URL},
		ID:       rand.Text(),
		IssuedAt: jwt.NewNumericDate(now),
		Expiry:   jwt.NewNumericDate(now.Add(assertionFor)),
	}).Serialize()
}
