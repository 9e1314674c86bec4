package clients

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// ErrKeys says that a client's keys cannot be read where it keeps them.
var ErrKeys = errors.New("the client's keys cannot be read")

// Keys gives the public keys of a client that may have signed what names kid; "" names none. Those at its jwks_uri are read again for a kid
// that is not there: a client may sign with a key as soon as it has published it (OpenID Connect Core §10.1.1).
func (r *Registry) Keys(ctx context.Context, c *Client, kid string) ([]jose.JSONWebKey, error) {
	all, err := r.keys(ctx, c, func(keys []jose.JSONWebKey) bool {
		return kid == "" || slices.ContainsFunc(keys, func(key jose.JSONWebKey) bool { return key.KeyID == kid })
	})
	// A kid is a hint (RFC 7515 §4.1.4): a key that was published without one may still be what it hints at.
	return slices.DeleteFunc(slices.Clone(all), func(key jose.JSONWebKey) bool {
		return kid != "" && key.KeyID != "" && key.KeyID != kid
	}), err
}

// HasCertificate tells whether a certificate is one that a client registered among its keys for self_signed_tls_client_auth: the very one of
// x5c, or one of the same key where a key stands alone (RFC 8705 §2.2). Keys at its jwks_uri are read again for one that is not there.
func (r *Registry) HasCertificate(ctx context.Context, c *Client, cert *x509.Certificate) (bool, error) {
	public, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok {
		return false, nil
	}
	there := func(keys []jose.JSONWebKey) bool {
		return slices.ContainsFunc(keys, func(key jose.JSONWebKey) bool {
			return public.Equal(key.Public().Key) && (len(key.Certificates) == 0 || key.Certificates[0].Equal(cert))
		})
	}
	keys, err := r.keys(ctx, c, there)
	return there(keys), err
}

// keys are all keys of a client; those at its jwks_uri are read again where what is looked for is not there.
func (r *Registry) keys(ctx context.Context, c *Client, there func([]jose.JSONWebKey) bool) ([]jose.JSONWebKey, error) {
	switch m := c.Metadata; {
	case m.JWKS != nil:
		return m.JWKS.Keys, nil
	case m.JWKSURI != "":
		keys, err := r.published.Find(ctx, m.JWKSURI, there)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKeys, err)
		}
		return keys, nil
	}
	return nil, nil
}

// parseKeys reads a key set as it is published. Keys of other kinds and uses may stand beside those that we can verify with, and are left
// out (RFC 7517 §5).
func parseKeys(document []byte) (all []jose.JSONWebKey, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, err
	}
	if set.Keys == nil {
		return nil, errors.New("not a key set")
	}
	for _, text := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(text) == nil && verifying(key) == "" && len(all) < maxKeys {
			all = append(all, key)
		}
	}
	return all, nil
}
