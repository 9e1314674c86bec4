//go:build !pkcs11

package keys

import "errors"

// OpenPKCS11 tells that this build knows no hardware security modules: they need cgo and the tag pkcs11.
func OpenPKCS11(PKCS11) (HSM, error) {
	return nil, errors.New("this build has no PKCS #11: it needs go build -tags pkcs11")
}
