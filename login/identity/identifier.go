package identity

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"unique"

	"asoba.example/login/register"
)

// An Identifier is the unique identifier: a sequence of characters identical to
// the identification number in the identity document (resolution 792 ¶2). Only
// ParseIdentifier makes one. It is comparable, and the zero Identifier is nobody's.
//
// It is printed on documents and so is no secret, but it tells a birth date and
// finds a person in any list; no verb of fmt, no encoder and no logger writes it.
// The handle is there for the ways around our methods: %p and a private field of
// somebody else's struct print an address.
type Identifier struct{ s unique.Handle[string] }

// ParseIdentifier takes any usual spelling: spaces, hyphens, any case, Cyrillic
// look-alikes. It checks the shape alone: what the register calls somebody is an
// identifier by definition, even where its check digit is wrong.
func ParseIdentifier(s string) (Identifier, error) {
	if len(s) > 64 {
		return Identifier{}, register.ErrNumberShape
	}
	s = register.FoldNumber(s)
	if err := register.CheckNumber(s); errors.Is(err, register.ErrNumberShape) {
		return Identifier{}, err
	}
	return Identifier{unique.Make(s)}, nil
}

// Doubtful tells that the check digit is wrong: most probably a slip of the hand, of whoever types the number or has kept the register.
func (id Identifier) Doubtful() bool { return register.CheckNumber(id.Reveal()) != nil }

// Reveal gives the whole identifier: for the database, the token's sub and the
// citizen's own screen.
func (id Identifier) Reveal() string {
	if id == (Identifier{}) {
		return ""
	}
	return id.s.Value()
}

// String masks the middle.
func (id Identifier) String() string {
	s := id.Reveal()
	if s == "" {
		return "nobody"
	}
	return s[:2] + "…" + s[12:]
}

// Format masks the middle under every verb.
func (id Identifier) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, id.String()) }

// LogValue masks the middle.
func (id Identifier) LogValue() slog.Value { return slog.StringValue(id.String()) }

// MarshalText masks the middle; encoding/json asks it too.
func (id Identifier) MarshalText() ([]byte, error) { return []byte(id.String()), nil }
