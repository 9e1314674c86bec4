package keys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider/seal"
)

// ErrUnknown says that no key of ours has this kid.
var ErrUnknown = errors.New("no such key")

// A Ring is all keys of the cabinet: ES256 (RFC 7518 §3.4).
type Ring struct {
	Pool *pgxpool.Pool
	Box  *seal.Box
	Now  func() time.Time
}

// A key is one of them.
type key struct {
	kid     string
	private *ecdsa.PrivateKey
}

// public is its public half (RFC 7517 §4).
func (k key) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private.Public(), KeyID: k.kid, Algorithm: string(jose.ES256), Use: "sig"}
}

// Rotate makes a key, which signs from now on.
func (r Ring) Rotate(ctx context.Context) error {
	made, err := generate()
	if err == nil {
		err = r.keep(ctx, made, false)
	}
	if err != nil {
		return fmt.Errorf("rotate the key: %w", err)
	}
	return nil
}

// Sign signs claims with the newest key, as a compact JWS.
func (r Ring) Sign(ctx context.Context, typ string, claims any) (string, error) {
	k, err := r.newest(ctx)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: k.private, KeyID: k.kid}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return signed.CompactSerialize()
}

// Public gives the public halves of all keys, the newest first. There is one after the first signature.
func (r Ring) Public(ctx context.Context) (set jose.JSONWebKeySet, err error) {
	all, err := r.all(ctx)
	set.Keys = []jose.JSONWebKey{}
	for _, k := range all {
		set.Keys = append(set.Keys, k.public())
	}
	return set, err
}

// Check names the keys that do not open: somebody has written there who has not the master key, or the master key is another one.
func (r Ring) Check(ctx context.Context) error {
	_, shut, err := r.read(ctx)
	if err == nil && len(shut) > 0 {
		err = fmt.Errorf("keys that do not open: %s", strings.Join(shut, ", "))
	}
	return err
}

// Find gives the public half of a key. That it is ours, the seal says, and not whoever has written into the database.
func (r Ring) Find(ctx context.Context, kid string) (jose.JSONWebKey, error) {
	all, err := r.all(ctx)
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	for _, k := range all {
		if k.kid == kid {
			return k.public(), nil
		}
	}
	return jose.JSONWebKey{}, ErrUnknown
}

// newest gives the key that signs, having made it if there is none.
func (r Ring) newest(ctx context.Context) (key, error) {
	all, shut, err := r.read(ctx)
	if err == nil && len(all)+len(shut) == 0 {
		var made key
		if made, err = generate(); err == nil {
			err = r.keep(ctx, made, true)
		}
		if err == nil {
			all, _, err = r.read(ctx)
		}
	}
	if err == nil && len(all) == 0 {
		err = errors.New("no key opens")
	}
	if err != nil {
		return key{}, err
	}
	return all[0], nil
}

func generate() (key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return key{}, err
	}
	thumbprint, err := (&jose.JSONWebKey{Key: private.Public()}).Thumbprint(crypto.SHA256) // RFC 7638
	return key{base64.RawURLEncoding.EncodeToString(thumbprint), private}, err
}

func place(kid string) string { return "signing_key:private_key:" + kid }

// keep writes a key down; the first only where there is no other yet, so that of nodes that start at once one makes it.
func (r Ring) keep(ctx context.Context, k key, first bool) error {
	const lock = `LOCK TABLE signing_key IN SHARE ROW EXCLUSIVE MODE`
	const insert = `
		INSERT INTO signing_key (kid, private_key, created_at)
		SELECT $1, $2, $3 WHERE NOT $4 OR NOT EXISTS (SELECT FROM signing_key)`

	plain, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return err
	}
	sealed, err := r.Box.Seal(place(k.kid), plain)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, r.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lock); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, insert, k.kid, sealed, r.Now(), first)
		return err
	})
}

// all gives every key that opens, the newest first.
func (r Ring) all(ctx context.Context) ([]key, error) {
	all, _, err := r.read(ctx)
	return all, err
}

// read gives the keys, the newest first, and apart from them the names of those that do not open: they are passed over, so that one row that
// somebody spoilt does not stop the others.
func (r Ring) read(ctx context.Context) (all []key, shut []string, err error) {
	const find = `SELECT kid, private_key FROM signing_key ORDER BY created_at DESC, kid`

	var (
		kid    string
		sealed []byte
	)
	rows, _ := r.Pool.Query(ctx, find)
	_, err = pgx.ForEachRow(rows, []any{&kid, &sealed}, func() error {
		if private, err := r.open(kid, sealed); err != nil {
			shut = append(shut, kid)
		} else {
			all = append(all, key{kid, private})
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read the keys: %w", err)
	}
	return all, shut, nil
}

func (r Ring) open(kid string, sealed []byte) (*ecdsa.PrivateKey, error) {
	plain, err := r.Box.Open(place(kid), sealed)
	if err != nil {
		return nil, err
	}
	opened, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		return nil, err
	}
	private, ok := opened.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("of another kind")
	}
	return private, nil
}
