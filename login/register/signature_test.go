package register_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"reflect"
	"strings"
	"testing"

	"asoba.example/login/register"
	"asoba.example/migrations/pgtest"
)

// publicPEM is a key as openssl writes it.
func publicPEM(t testing.TB, public crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// Where a key is named, what its owner has not signed is refused, and nothing of it remains.
func TestOnlyWhatIsSignedIsTaken(t *testing.T) {
	t.Parallel()
	file := edition(1, `1010130K001PB9,M,1930,BY,,,,,,,,,,`)
	other := edition(1, `1010130K001PB9,M,1931,BY,,,,,,,,,,`)
	sum, otherSum := sha256.Sum256([]byte(file)), sha256.Sum256([]byte(other))

	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, k := range map[string]struct {
		public crypto.PublicKey
		sign   func(sum []byte) ([]byte, error)
	}{
		"Ed25519": {public, func(sum []byte) ([]byte, error) { return ed25519.Sign(private, sum), nil }},
		"ECDSA":   {curve.Public(), func(sum []byte) ([]byte, error) { return ecdsa.SignASN1(rand.Reader, curve, sum) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, err := register.ParseKey(publicPEM(t, k.public))
			if err != nil {
				t.Fatal(err)
			}
			r := register.Register{Pool: pgtest.New(t), Key: key}
			right, err := k.sign(sum[:])
			if err != nil {
				t.Fatal(err)
			}
			others, err := k.sign(otherSum[:])
			if err != nil {
				t.Fatal(err)
			}
			damaged := append([]byte{}, right...)
			damaged[len(damaged)-1] ^= 1
			before := all(t, r.Pool, contents)
			for what, wrong := range map[string]struct {
				signature []byte
				want      error
			}{
				"none":           {nil, register.ErrUnsigned},
				"another file's": {others, register.ErrSignature},
				"damaged":        {damaged, register.ErrSignature},
				"no signature":   {[]byte("signed"), register.ErrSignature},
			} {
				o := order(file)
				o.Signature = wrong.signature
				if _, err := r.Import(t.Context(), o); !errors.Is(err, wrong.want) {
					t.Errorf("%s: got %v, want %v", what, err, wrong.want)
				}
				if _, err := r.Try(t.Context(), o); !errors.Is(err, wrong.want) {
					t.Errorf("%s, tried: got %v, want %v", what, err, wrong.want)
				}
				if _, err := register.Verify(strings.NewReader(file), wrong.signature, key); !errors.Is(err, wrong.want) {
					t.Errorf("%s, verified: got %v, want %v", what, err, wrong.want)
				}
			}
			if after := all(t, r.Pool, contents); !reflect.DeepEqual(before, after) {
				t.Fatalf("something remains: %v", after)
			}
			o := order(file)
			o.Signature = []byte(base64.StdEncoding.EncodeToString(right) + "\n")
			if e, err := r.Import(t.Context(), o); err != nil || !e.Signed {
				t.Errorf("in base64: %+v, %v", e, err)
			}
			if e, err := register.Verify(strings.NewReader(file), right, key); err != nil || !e.Signed || e.Number != 1 {
				t.Errorf("as it was made: %+v, %v", e, err)
			}
		})
	}
}

// What is no key that signs files is not taken for one.
func TestAKeyIsOneOfTwoKinds(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"none":        nil,
		"RSA":         publicPEM(t, weak.Public()),
		"private":     pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		"cut off":     publicPEM(t, public)[:40],
		"of no kind":  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("key")}),
		"another PEM": []byte("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"),
	} {
		if _, err := register.ParseKey(text); err == nil {
			t.Errorf("%s is a key", name)
		}
	}
}

// Whatever lies beside a file, it is its signature or it is refused.
func FuzzSignature(f *testing.F) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	key, err := register.ParseKey(publicPEM(f, public))
	if err != nil {
		f.Fatal(err)
	}
	file := edition(1, `1010130K001PB9,M,1930,BY,,,,,,,,,,`)
	sum := sha256.Sum256([]byte(file))
	right := ed25519.Sign(private, sum[:])
	f.Add([]byte{}, 0)
	f.Add(make([]byte, 64), 1)
	f.Fuzz(func(t *testing.T, signature []byte, flip int) {
		if e, err := register.Verify(strings.NewReader(file), signature, key); err == nil || e.Signed {
			t.Errorf("%x is a signature", signature)
		}
		damaged := append([]byte{}, right...)
		damaged[uint(flip)%64] ^= byte(1 + uint(flip)/64%255)
		if _, err := register.Verify(strings.NewReader(file), damaged, key); !errors.Is(err, register.ErrSignature) {
			t.Errorf("damaged: %v", err)
		}
	})
}
