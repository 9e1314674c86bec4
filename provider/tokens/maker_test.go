package tokens_test

import (
	"strings"
	"testing"
	"time"

	"asoba.example/migrations/pgtest"
	"asoba.example/provider/keys"
	"asoba.example/provider/seal"
	"asoba.example/provider/tokens"
)

// Nothing is taken for a hint but an ID token that was signed here (OpenID Connect Core §3.1.2.1; RP-Initiated Logout §2).
func FuzzHint(f *testing.F) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	pool := pgtest.New(f)
	box, err := seal.Open(f.Context(), pool, make([]byte, seal.MasterKeySize), now)
	if err != nil {
		f.Fatal(err)
	}
	ring, err := keys.New(f.Context(), keys.Config{Pool: pool, Box: box, Now: func() time.Time { return now }})
	if err != nil {
		f.Fatal(err)
	}
	maker := &tokens.Maker{Ring: ring, Issuer: "https://id.example", IDFor: func() time.Duration { return time.Minute }}
	genuine, err := maker.ID("ES256", tokens.ID{Subject: "somebody", ClientID: "portal", AuthTime: now}, "access", now)
	if err != nil {
		f.Fatal(err)
	}
	if hint, err := maker.ReadHint(genuine); err != nil || hint.Subject != "somebody" {
		f.Errorf("got %v, %v", hint, err)
	}
	header, rest, _ := strings.Cut(genuine, ".")
	body, signature, _ := strings.Cut(rest, ".")
	f.Add(header, body, strings.Repeat("A", len(signature)))
	f.Add("eyJhbGciOiJub25lIn0", body, "")
	f.Add("eyJhbGciOiJFUzI1NiIsImtpZCI6IiIsInR5cCI6IkpXVCJ9", "e30", signature)
	f.Add(header, "", "")
	f.Add(strings.Repeat(".", 9999), "\x00", "..")
	f.Fuzz(func(t *testing.T, header, body, signature string) {
		if hint, err := maker.ReadHint(header + "." + body + "." + signature); err == nil {
			t.Errorf("%s.%s.%s is a hint of %v", header, body, signature, hint)
		}
	})
}
