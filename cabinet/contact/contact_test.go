package contact_test

import (
	"strings"
	"testing"

	"asoba.example/cabinet/contact"
)

// What notices can be sent to is taken, in the spelling that the citizen likes, and nothing else.
func TestWhatCanBeReachedIsTaken(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64) + "@" + strings.Repeat("a.", 95) + "by"
	for s, want := range map[string]string{
		"": "", "  ": "", " anna@example.com ": "anna@example.com", "anna+cabinet@пошта.бел": "anna+cabinet@пошта.бел",
	} {
		if got, err := contact.ParseEmail(s); err != nil || got != want {
			t.Errorf("%q: got %q, %v; want %q", s, got, err, want)
		}
	}
	for _, s := range []string{
		"anna", "anna@", "@example.com", "anna@localhost", "anna@[192.0.2.1]", "Anna <anna@example.com>", "a@example.com, b@example.com",
		"anna@example.com\r\nBcc: b@example.com", long,
	} {
		if got, err := contact.ParseEmail(s); err == nil {
			t.Errorf("%q became %q", s, got)
		}
	}
	for s, want := range map[string]string{"": "", "8 029 491-19-11": "+375294911911", "+375 (29) 491-19-11": "+375294911911"} {
		if got, err := contact.ParsePhone(s); err != nil || got != want {
			t.Errorf("%q: got %q, %v; want %q", s, got, err, want)
		}
	}
	for _, s := range []string{"+375 17 200-00-00", "+48 512 345 678", "29", "+375294911911 ext. 5", "CALL-ANNA"} {
		if got, err := contact.ParsePhone(s); err == nil {
			t.Errorf("%q became %q", s, got)
		}
	}
}
