package seal_test

import (
	"bytes"
	"fmt"
	"testing"

	"asoba.example/migrations/pgtest"
	"asoba.example/provider/seal"
)

// What a pouch has sealed opens in its place, on every node, and nowhere else: nor in a pouch for another purpose, nor in the box.
func TestAPouchOpensWhatItSealed(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	box, err := seal.Open(t.Context(), pool, master, noon)
	if err != nil {
		t.Fatal(err)
	}
	again, err := seal.Open(t.Context(), pool, master, noon)
	if err != nil {
		t.Fatal(err)
	}
	pouch := func(b *seal.Box, purpose string) *seal.Pouch {
		t.Helper()
		p, err := b.Pouch(purpose)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	plain, place := []byte("state=st&nonce=n"), "cookie:request:1"
	sealed, err := pouch(box, "copies").Seal(place, plain)
	if err != nil {
		t.Fatal(err)
	}
	if nonce, tag := 24, 16; len(sealed) != nonce+len(plain)+tag || bytes.Contains(sealed, plain) {
		t.Errorf("sealed as %x", sealed)
	}
	if got, err := pouch(again, "copies").Open(place, sealed); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("another node: %s, %v", got, err)
	}
	for what, open := range map[string]func() ([]byte, error){
		"another place":   func() ([]byte, error) { return pouch(box, "copies").Open("cookie:request:2", sealed) },
		"another purpose": func() ([]byte, error) { return pouch(box, "numbers").Open(place, sealed) },
		"the box":         func() ([]byte, error) { return box.Open(place, sealed) },
		"nothing":         func() ([]byte, error) { return pouch(box, "copies").Open(place, nil) },
	} {
		if got, err := open(); err == nil {
			t.Errorf("%s opens %s", what, got)
		}
	}
	if got := fmt.Sprintf("%+v", pouch(box, "copies")); got != "sealed pouch" {
		t.Errorf("it prints %s", got)
	}
}
