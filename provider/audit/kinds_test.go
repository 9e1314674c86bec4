package audit_test

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"testing"

	"asoba.example/provider/audit"
)

// The list of kinds is closed: whatever is declared is in it, and nothing else is one.
func TestKinds(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("audit.go")
	if err != nil {
		t.Fatal(err)
	}
	var declared []audit.Kind
	for _, kind := range regexp.MustCompile(`\bKind = "([^"]+)"`).FindAllSubmatch(source, -1) {
		declared = append(declared, audit.Kind(kind[1]))
	}
	if !slices.Equal(audit.Kinds, declared) {
		t.Errorf("got %q, want %q", audit.Kinds, declared)
	}
	for _, kind := range declared {
		if got, err := audit.ParseKind(string(kind)); got != kind || err != nil {
			t.Errorf("%q: got %q, %v", kind, got, err)
		}
	}
	for _, other := range []string{"", "nope", "signed_in ", "Signed_in", "client.%", "\x00"} {
		if got, err := audit.ParseKind(other); !errors.Is(err, audit.ErrKind) {
			t.Errorf("%q: got %q, %v", other, got, err)
		}
	}
}
