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
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// fill makes a key for a state of which an algorithm has none.
func (r *Ring) fill(ctx context.Context, state State, have map[jose.SignatureAlgorithm]*key) error {
	made := false
	for _, alg := range Algorithms {
		if have[alg] == nil {
			if err := r.make(ctx, alg, state); err != nil {
				return err
			}
			made = true
		}
	}
	if made {
		return r.Refresh(ctx)
	}
	return nil
}

// make puts a new key into the ring where there is none of its algorithm and state.
// Of two nodes that do so at once one succeeds, and both take that one's.
func (r *Ring) make(ctx context.Context, alg jose.SignatureAlgorithm, state State) error {
	k, err := r.generate(alg)
	if err != nil {
		return err
	}
	err = r.turn(ctx, func(tx pgx.Tx) error {
		made, err := r.insert(ctx, tx, k, state)
		if err != nil || !made {
			return err
		}
		return audit.Record(ctx, tx, event(audit.KeyCreated, alg, k.kid, r.now()))
	})
	if err != nil {
		return fmt.Errorf("make %s key: %w", alg, err)
	}
	return nil
}

// turningLock is the advisory lock under which the ring turns: "keys" in ASCII.
const turningLock = 0x6b657973

// turn does one act upon the ring in a transaction, after all others. Only the
// statements after the lock see what was done while it was waited for.
func (r *Ring) turn(ctx context.Context, act func(tx pgx.Tx) error) error {
	const lock = `SELECT pg_advisory_xact_lock($1)`

	return pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lock, turningLock); err != nil {
			return err
		}
		return act(tx)
	})
}

func event(kind audit.Kind, alg jose.SignatureAlgorithm, kid string, at time.Time) audit.Event {
	return audit.Event{Kind: kind, At: at, Detail: map[string]string{"alg": string(alg), "kid": kid}}
}

// fresh is a key that is in no ring yet.
type fresh struct {
	kid    string
	alg    jose.SignatureAlgorithm
	sealed []byte // or label
	label  string
	public []byte
}

// insert puts a new key into the ring, unless there is one of its algorithm and state.
func (r *Ring) insert(ctx context.Context, tx pgx.Tx, k fresh, state State) (bool, error) {
	const insert = `
		INSERT INTO signing_key (kid, alg, state, private_key, label, public_key, created_at, changed_at)
		VALUES ($1, $2, $3, $4, nullif($5, ''), $6, $7, $7)
		ON CONFLICT DO NOTHING`

	tag, err := tx.Exec(ctx, insert, k.kid, k.alg, state, k.sealed, k.label, k.public, r.now())
	return tag.RowsAffected() == 1, err
}

// generate makes a key; it takes its time, so it is done before a transaction.
func (r *Ring) generate(alg jose.SignatureAlgorithm) (k fresh, err error) {
	private, label, err := r.private(alg)
	if err != nil {
		return k, fmt.Errorf("make %s key: %w", alg, err)
	}
	public := jose.JSONWebKey{Key: private.Public(), Algorithm: string(alg), Use: "sig"}
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return k, fmt.Errorf("make %s key: %w", alg, err)
	}
	public.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	k.kid, k.alg, k.label = public.KeyID, alg, label
	if k.public, err = json.Marshal(public); err != nil {
		return k, fmt.Errorf("make %s key: %w", alg, err)
	}
	if label != "" {
		return k, nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return k, fmt.Errorf("make %s key: %w", alg, err)
	}
	if k.sealed, err = r.box.Seal(place(k.kid), der); err != nil {
		return k, fmt.Errorf("make %s key: %w", alg, err)
	}
	return k, nil
}

// private makes a key pair: in the module under a label, if there is one that can.
func (r *Ring) private(alg jose.SignatureAlgorithm) (private crypto.Signer, label string, err error) {
	if r.hsm != nil {
		label = "idp " + string(alg) + " " + rand.Text()
		if private, err = r.hsm.Generate(alg, label); !errors.Is(err, errors.ErrUnsupported) {
			return private, label, err
		}
	}
	private, err = generate(alg)
	return private, "", err
}

// generate makes a key pair; FAPI 2.0 Security Profile §5.4.1 asks for RSA of at least 2048 bits.
func generate(alg jose.SignatureAlgorithm) (private crypto.Signer, err error) {
	switch alg {
	case jose.RS256, jose.PS256:
		return rsa.GenerateKey(rand.Reader, 2048)
	case jose.ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
		return private, err
	default:
		return nil, errors.New("no way to make one")
	}
}
