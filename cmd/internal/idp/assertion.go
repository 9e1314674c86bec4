package idp

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/spf13/cobra"
)

func assertionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "assertion ISSUER ID FILE",
		Short: "Print what proves for a minute that a client with a key asks: a client_assertion (RFC 7523)",
		Long: "Print what proves for a minute that a client with a key asks: a client_assertion (RFC 7523), signed by its private JWK, a file or - for standard input.\n" +
			"It is good for one request to the issuer. Neither settings nor a database are needed.",
		Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readInput(cmd, args[2])
			if err != nil {
				return err
			}
			assertion, err := assert(args[0], args[1], text, time.Now())
			if err != nil {
				return fmt.Errorf("%s: %w", args[2], err)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), assertion)
			return err
		},
	}
}

// assert signs a client's assertion by its private key, for an issuer alone (RFC 7523 §3).
func assert(issuer, clientID string, private []byte, now time.Time) (string, error) {
	var key jose.JSONWebKey
	if err := json.Unmarshal(private, &key); err != nil || !key.Valid() || key.IsPublic() {
		return "", errors.New("not a private JWK") // the library's text may quote the key
	}
	var alg jose.SignatureAlgorithm
	switch key.Key.(type) {
	case *ecdsa.PrivateKey:
		alg = jose.ES256
	case *rsa.PrivateKey:
		alg = jose.PS256
	case ed25519.PrivateKey:
		alg = jose.EdDSA
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: clientID, Subject: clientID, Audience: jwt.Audience{issuer}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute)),
	}).Serialize()
}
