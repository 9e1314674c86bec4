package identity_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	"asoba.example/login/identity"
	"asoba.example/login/register"
)

func TestAnIdentifierIsReadInEveryUsualSpelling(t *testing.T) {
	t.Parallel()
	want, err := identity.ParseIdentifier("7000001A000PB8")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"7000001a000pb8", "7000001 A 000 PB 8", "7000001-A-000-PB-8", "7000001А000РВ8"} {
		if got, err := identity.ParseIdentifier(s); err != nil || got != want {
			t.Errorf("ParseIdentifier(%q) = %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "7000001A000PB", "7000001A000P8B", strings.Repeat(" ", 100) + "7000001A000PB8"} {
		if got, err := identity.ParseIdentifier(s); err == nil || got != (identity.Identifier{}) {
			t.Errorf("ParseIdentifier(%q) = %v, %v, want an error", s, got, err)
		}
	}
	doubtful, err := identity.ParseIdentifier("7000001A000PB9") // there are such in the register
	if err != nil || !doubtful.Doubtful() || want.Doubtful() {
		t.Errorf("%v is doubtful: %t, %v: %t (%v)", doubtful, doubtful.Doubtful(), want, want.Doubtful(), err)
	}
	if want.Reveal() != "7000001A000PB8" || (identity.Identifier{}).Reveal() != "" {
		t.Error("Reveal does not reveal")
	}
}

// A number is accepted in the spellings people write it in, and only if a national cellular operator's (resolution 792 ¶3).
func TestAPhoneIsAMobileNumberOfTheCountry(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"+375294911911", "375294911911", "80294911911", "8 029 491-19-11", "80 29 4911911", "+375 (29) 491 19 11", "029 491 19 11", "294911911",
		"00375294911911", "00375 29 491-19-11", "00 375 (29) 491 19 11", "(00375) 29 4911911", "8 10 375 29 491 19 11", "8 (029) 491-19-11", "8-029-491-19-11",
		"8029 491 19 11", "0294911911", "(029) 491-19-11", "29 491-19-11", "+375 29 491–19–11", "+375\u00a029\u00a04911911", " +375294911911 ",
	} {
		if p, err := identity.ParsePhone(s); err != nil || p.Reveal() != "+375294911911" || p.Hint() != "11" {
			t.Errorf("ParsePhone(%q) = %v, %v", s, p, err)
		}
	}
	for what, s := range map[string]string{
		"fixed": "+375172000000", "by Internet": "+375249000000", "Russian": "+79161234567", "Polish": "+48501234567", "Russian, from here": "0079161234567", "of one 0 too many": "00294911911",
		"short": "+37529491191", "long": "+3752949119111", "with an extension": "+375294911911;ext=2",
		"of letters": "+37529GOVHELP", "nothing": "", "emergency": "112", "much": strings.Repeat("3", 1000),
	} {
		if p, err := identity.ParsePhone(s); !errors.Is(err, identity.ErrPhone) || p != (identity.Phone{}) {
			t.Errorf("a number %s: ParsePhone(%q) = %v, %v", what, s, p, err)
		}
	}
}

// An identifier and a phone that stray into a log, an error or a page are of no use there.
func FuzzNoVerbPrintsAPerson(f *testing.F) {
	f.Add(uint32(1), "v", "+", uint8(3))
	f.Add(uint32(2), "x", "#", uint8(0))
	f.Add(uint32(3), "p", " ", uint8(9))
	f.Add(uint32(4), "s", "-", uint8(40))
	f.Add(uint32(5), "q", "0", uint8(1))
	f.Add(uint32(6), "d", "", uint8(0))
	f.Add(uint32(7), "!", "", uint8(0))
	f.Fuzz(func(t *testing.T, n uint32, verb, flags string, width uint8) {
		number := fmt.Sprintf("7%06dA%03dPB", n%1_000_000, n/1_000_000%1000)
		number += string(register.CheckDigit(number))
		id, err := identity.ParseIdentifier(number)
		if err != nil {
			t.Fatal(err)
		}
		phone, err := identity.ParsePhone(fmt.Sprintf("+37529%07d", 1_000_000+n%1_000_000))
		if err != nil {
			t.Fatal(err)
		}
		things := []any{
			id, &id,
			[]identity.Identifier{id},
			map[identity.Identifier]identity.Phone{id: phone},
			struct{ ID, private identity.Identifier }{id, id},
			fmt.Errorf("block %v", id),
			phone, &phone,
			struct{ p identity.Phone }{phone},
			identity.Identity{Identifier: id, Phone: phone},
		}
		for _, text := range printed(things, verb, flags, width) {
			for _, secret := range []string{number, number[2:12], phone.Reveal(), phone.Reveal()[4:]} {
				if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
					t.Errorf("%q stands in %q", secret, text)
				}
			}
		}
	})
}

// printed writes things in every way that is at hand.
func printed(things []any, verb, flags string, width uint8) []string {
	var (
		out    []string
		logged bytes.Buffer
	)
	for _, thing := range things {
		out = append(
			out,
			fmt.Sprint(thing),
			fmt.Sprintf("%"+flags+verb, thing),
			fmt.Sprintf("%"+flags+strconv.Itoa(int(width))+verb, thing),
			fmt.Sprintf("%v %+v %#v %s %q %x %X %d %p %t %e %c %U %b %o", thing, thing, thing, thing, thing, thing, thing, thing, thing, thing, thing, thing, thing, thing, thing),
		)
		text, _ := json.Marshal(thing)
		markup, _ := xml.Marshal(thing)
		out = append(out, string(text), string(markup))
		slog.New(slog.NewTextHandler(&logged, nil)).Info("m", "thing", thing)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("m", "thing", thing)
	}
	return append(out, logged.String())
}

func TestNoVerbPrintsPapers(t *testing.T) {
	t.Parallel()
	things := []any{
		identity.Names{Family: "Каваленка", Given: "Алена"},
		identity.Document{Kind: "passport", Number: "MP0000001", ValidTill: "2030-01-01"},
		identity.Identity{Names: identity.Names{Family: "Каваленка"}},
		identity.Assignment{Names: identity.Names{Given: "Алена"}, Document: identity.Document{Number: "MP0000001"}},
	}
	for _, thing := range things {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			text := fmt.Sprintf(verb, thing)
			if strings.Contains(text, "Кавал") || strings.Contains(text, "Алена") || strings.Contains(text, "0000001") {
				t.Errorf("%s: %s", verb, text)
			}
		}
	}
}
