package tokens_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"asoba.example/provider/tokens"
)

// What was not made here, as this kind and whole, is dropped without asking a store.
func TestOpaqueKnowsItsOwn(t *testing.T) {
	t.Parallel()
	ours, theirs := tokens.NewOpaque(make([]byte, 32)), tokens.NewOpaque([]byte("another key, of thirty-two bytes"))
	gid := uuid.Must(uuid.NewV7())
	token := ours.New(tokens.Code, gid)
	if got, ok := ours.Open(tokens.Code, token); !ok || got != gid {
		t.Errorf("got %v, %v for its own", got, ok)
	}
	if token == ours.New(tokens.Code, gid) {
		t.Error("two alike")
	}
	after := ours.Successor(tokens.Code, token)
	if got, ok := ours.Open(tokens.Code, after); !ok || got != gid || after == token {
		t.Errorf("got %v, %v for a successor", got, ok)
	}
	if after != ours.Successor(tokens.Code, token) || after == theirs.Successor(tokens.Code, token) {
		t.Error("a successor follows from the token and the key")
	}
	for i := range token {
		broken := []byte(token)
		broken[i] ^= 1
		if _, ok := ours.Open(tokens.Code, string(broken)); ok {
			t.Errorf("%s passes for %s", broken, token)
		}
	}
	for _, foreign := range []string{
		"", "code_", token + "A", token[:len(token)-1], token + "\n", token[:len(token)-1] + "\n", "refresh" + token[len("code"):],
		ours.New(tokens.Refresh, gid), theirs.New(tokens.Code, gid),
	} {
		if _, ok := ours.Open(tokens.Code, foreign); ok {
			t.Errorf("%q passes", foreign)
		}
	}
}

// Nothing that a stranger sends is taken for a token of ours.
func FuzzOpaque(f *testing.F) {
	ours := tokens.NewOpaque([]byte("a key of thirty-two bytes, of us"))
	f.Add("code_" + strings.Repeat("A", 64))
	f.Add(tokens.NewOpaque(make([]byte, 32)).New(tokens.Code, uuid.Nil))
	f.Add("code_" + strings.Repeat("A", 63) + "\n")
	f.Add("refresh_\xff")
	f.Fuzz(func(t *testing.T, sent string) {
		for _, kind := range []tokens.Kind{tokens.Code, tokens.Refresh, tokens.Device} {
			if gid, ok := ours.Open(kind, sent); ok {
				t.Errorf("%q is a %s of %s", sent, kind, gid)
			}
		}
	})
}
