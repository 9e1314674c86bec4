package clients

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"testing"
)

// Names are the same when all their parts are, however they are written (RFC 4514 §2, §4).
func TestNamesAreComparedByTheirParts(t *testing.T) {
	t.Parallel()
	attribute := func(oid []int, value string) pkix.AttributeTypeAndValue {
		return pkix.AttributeTypeAndValue{Type: oid, Value: value}
	}
	cn, o, uid, dc := []int{2, 5, 4, 3}, []int{2, 5, 4, 10}, []int{0, 9, 2342, 19200300, 100, 1, 1}, []int{0, 9, 2342, 19200300, 100, 1, 25}
	office := pkix.RDNSequence{{attribute(o, "A, B + C")}, {attribute(cn, "Ян"), attribute(uid, "7")}}
	site := pkix.RDNSequence{{attribute(dc, "net")}, {attribute(dc, "example")}}
	for text, row := range map[string]struct {
		subject pkix.RDNSequence
		want    bool
	}{
		`CN=Ян+UID=7,O=A\, B \+ C`:                 {office, true},
		`uid=7 + cn=Ян , o=A\2C B \2b C`:           {office, true},
		`2.5.4.3=\D0\AF\D0\BD+UID=7,O=A\, B \+ C`:  {office, true},
		`2.5.4.3=#0C04D0AFD0BD+UID=7,O=A\, B \+ C`: {office, true},
		`DC=example,DC=net`:                        {site, true},
		`DC=net,DC=example`:                        {site, false},
		`O=A\, B \+ C,CN=Ян+UID=7`:                 {office, false},
		`CN=ЯН+UID=7,O=A\, B \+ C`:                 {office, false},
		`CN=Ян,UID=7,O=A\, B \+ C`:                 {office, false},
		`CN=Ян+UID=7`:                              {office, false},
	} {
		registered, err := parseDN(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		raw, err := asn1.Marshal(row.subject)
		if err != nil {
			t.Fatal(err)
		}
		subject, err := dnOf(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.EqualFunc(registered, subject, slices.Equal); got != row.want {
			t.Errorf("%s: got %v, want %v", text, got, row.want)
		}
	}
}

// Whatever is registered for a name is read without a panic.
func FuzzDN(f *testing.F) {
	for _, text := range []string{`CN=a\, b+UID=7,O=c`, `1.2=#0401ff`, `CN=\`, `CN=#`, `=`, `CN=a,`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := parseDN(text); (len(n) == 0) == (err == nil) {
			t.Errorf("%q: got %v, %v", text, n, err)
		}
	})
}
