package keys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// make puts an active key into the ring where there is none of its algorithm. Of
// two nodes that do so at once one succeeds, and both take that one's.
func (r *Ring) make(ctx context.Context, alg jose.SignatureAlgorithm) error {
	const insert = `
		INSERT INTO signing_key (kid, alg, state, private_key, public_key, created_at, changed_at)
		VALUES ($1, $2, 'active', $3, $4, $5, $5)
		ON CONFLICT (alg) WHERE state = 'active' DO NOTHING`

	private, public, err := generate(alg)
	if err != nil {
		return fmt.Errorf("make %s key: %w", alg, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return fmt.Errorf("make %s key: %w", alg, err)
	}
	sealed, err := r.box.Seal(place(public.KeyID), der)
	if err != nil {
		return fmt.Errorf("make %s key: %w", alg, err)
	}
	published, err := json.Marshal(public)
	if err != nil {
		return fmt.Errorf("make %s key: %w", alg, err)
	}
	at := r.now()
	err = pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, insert, public.KeyID, alg, sealed, published, at)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return audit.Record(ctx, tx, audit.Event{
			Kind: audit.KeyCreated, At: at, Detail: map[string]string{"alg": string(alg), "kid": public.KeyID},
		})
	})
	if err != nil {
		return fmt.Errorf("make %s key: %w", alg, err)
	}
	return nil
}

// generate makes a key pair; FAPI 2.0 Security Profile §5.4.1 asks for RSA of at least 2048 bits.
func generate(alg jose.SignatureAlgorithm) (private crypto.Signer, public jose.JSONWebKey, err error) {
	switch alg {
	case jose.RS256, jose.PS256:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case jose.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		err = errors.New("no way to make one")
	}
	if err != nil {
		return nil, jose.JSONWebKey{}, err
	}
	public = jose.JSONWebKey{Key: private.Public(), Algorithm: string(alg), Use: "sig"}
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, jose.JSONWebKey{}, err
	}
	public.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return private, public, nil
}
