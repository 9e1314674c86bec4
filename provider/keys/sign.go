package keys

import (
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// Sign makes a compact JWS of claims with the active key of alg; typ is the
// header's typ: "at+jwt", "JWT", "logout+jwt".
func (r *Ring) Sign(alg jose.SignatureAlgorithm, typ string, claims any) (string, error) {
	k := r.held.Load().active[alg]
	if k == nil {
		return "", fmt.Errorf("sign %s: no active key of %s", typ, alg)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	signer, err := k.signer(alg, typ)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	return signed.CompactSerialize()
}

func (k *key) signer(alg jose.SignatureAlgorithm, typ string) (jose.Signer, error) {
	if s, ok := k.signers.Load(typ); ok {
		return s.(jose.Signer), nil
	}
	var private any = k.private
	if k.Label != "" {
		private = cryptosigner.Opaque(k.private)
	}
	s, err := jose.NewSigner(
		jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: private, KeyID: k.public.KeyID}},
		new(jose.SignerOptions).WithType(jose.ContentType(typ)),
	)
	if err == nil {
		k.signers.Store(typ, s)
	}
	return s, err
}
