package cast_test

import (
	"testing"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/login/identity"
)

// Everybody has a number, a phone and a document that the system takes, and shares none of them.
func TestPeopleCanBeServed(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, p := range cast.All() {
		for what, value := range map[string]string{"key": p.Key, "number": p.IdentificationNumber, "phone": p.Phone, "document": p.Document.Number} {
			if other, twice := seen[value]; twice {
				t.Errorf("%s and %s have one %s", p.Key, other, what)
			}
			seen[value] = p.Key
		}
		if id, err := identity.ParseIdentifier(p.IdentificationNumber); err != nil || id.Reveal() != p.IdentificationNumber {
			t.Errorf("%s: the number: %v", p.Key, err)
		}
		if phone, err := identity.ParsePhone(p.Phone); err != nil || phone.Reveal() != p.Phone {
			t.Errorf("%s: the phone: %v", p.Key, err)
		}
		if _, err := identity.ParseDocument(p.Document.Kind, p.Document.Number, p.Document.ValidTill); err != nil {
			t.Errorf("%s: the document: %v", p.Key, err)
		}
	}
}

// Nobody alive can have such a number: its birth date is of the nineteenth century, or it is a specimen's.
func TestNumbersAreNobodys(t *testing.T) {
	t.Parallel()
	for _, p := range cast.All() {
		if century := p.IdentificationNumber[0]; century != '0' && century != '1' && century != '2' {
			t.Errorf("%s has a number that somebody may have", p.Key)
		}
	}
}
