package identity

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"unique"

	"github.com/nyaruka/phonenumbers"
)

// ErrPhone says that it is no number of a national cellular operator
// (resolution 792 ¶3): fixed, foreign, by Internet, or no number at all.
var ErrPhone = errors.New("not a mobile number of the country")

// A Phone is a subscriber number of a national cellular operator. Only
// ParsePhone makes one. It hides itself as Identifier does.
type Phone struct{ e164 unique.Handle[string] }

// ParsePhone takes any usual spelling: +375 29, 00375 29, 375 29, 8 029, 80 29, 029, 29.
func ParsePhone(s string) (Phone, error) {
	// Letters would be read as keys of a keypad, and "ext" or ";" as more than a number.
	if len(s) > 32 || strings.Trim(s, "+0123456789 ()-\u00a0\u2010\u2011\u2013") != "" {
		return Phone{}, ErrPhone
	}
	if abroad, ok := strings.CutPrefix(strings.TrimLeft(s, " (\u00a0"), "00"); ok { // what other countries dial for the +
		s = "+" + abroad
	}
	n, err := phonenumbers.Parse(s, "BY")
	if err != nil ||
		phonenumbers.GetRegionCodeForNumber(n) != "BY" ||
		phonenumbers.GetNumberType(n) != phonenumbers.MOBILE {
		return Phone{}, ErrPhone // the cause would repeat the number
	}
	return Phone{unique.Make(phonenumbers.Format(n, phonenumbers.E164))}, nil
}

// Reveal gives E.164: for the database, the gateway and the claim phone_number.
func (p Phone) Reveal() string {
	if p == (Phone{}) {
		return ""
	}
	return p.e164.Value()
}

// Neighbours are the numbers that differ from this one by n at most, but for those that are none.
func (p Phone) Neighbours(n int) []Phone {
	own, err := strconv.ParseInt(strings.TrimPrefix(p.Reveal(), "+"), 10, 64)
	if err != nil {
		return nil
	}
	var near []Phone
	for by := -int64(n); by <= int64(n); by++ {
		if other, err := ParsePhone("+" + strconv.FormatInt(own+by, 10)); err == nil && by != 0 {
			near = append(near, other)
		}
	}
	return near
}

// Hint is what a page may show: the last two digits.
func (p Phone) Hint() string {
	s := p.Reveal()
	if s == "" {
		return ""
	}
	return s[len(s)-2:]
}

// String masks all but the country and the last two digits.
func (p Phone) String() string {
	if p == (Phone{}) {
		return "no phone"
	}
	return "+375…" + p.Hint()
}

// Format masks the number under every verb.
func (p Phone) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// LogValue masks the number.
func (p Phone) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalText masks the number; encoding/json asks it too.
func (p Phone) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
