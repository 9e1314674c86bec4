package contact

import (
	"errors"
	"fmt"
	"io"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"

	"asoba.example/provider/page"
)

// Meanings.
var (
	ErrEmail    = errors.New("not an e-mail address")
	ErrPhone    = errors.New("not a mobile number of the country")
	ErrLanguage = errors.New("not a language of the cabinet")
)

// A Contact is what a citizen gave; "" is what they did not.
type Contact struct {
	Email    string
	Phone    string // E.164; for notices, not the one that they sign in with
	Language string
	Large    bool      // type
	GivenAt  time.Time // once it is kept
}

// Format keeps it out of texts.
func (Contact) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "contact data") }

// longestEmail is what fits into a path (RFC 5321 §4.5.3.1.3).
const longestEmail = 254

// ParseEmail takes an address by itself, or none.
func ParseEmail(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", nil
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > longestEmail {
		return "", ErrEmail // the cause would repeat the address
	}
	// A domain of the Internet has a dot; without one it is somebody's own machine.
	if _, domain, _ := strings.Cut(s, "@"); !strings.Contains(domain, ".") || strings.HasPrefix(domain, "[") {
		return "", ErrEmail
	}
	return s, nil
}

// ParsePhone takes a mobile number of the country in any usual spelling, or none: others get no SMS.
func ParsePhone(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", nil
	}
	// Letters would be read as keys of a keypad, and "ext" or ";" as more than a number.
	if len(s) > 32 || strings.Trim(s, "+0123456789 ()-\u00a0\u2010\u2011\u2013") != "" {
		return "", ErrPhone
	}
	n, err := phonenumbers.Parse(s, "BY")
	if err != nil || phonenumbers.GetRegionCodeForNumber(n) != "BY" || phonenumbers.GetNumberType(n) != phonenumbers.MOBILE {
		return "", ErrPhone
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

// ParseLanguage takes a language of the cabinet, or none.
func ParseLanguage(s string) (string, error) {
	if s != "" && !slices.Contains(page.Languages[:], s) {
		return "", ErrLanguage
	}
	return s, nil
}
