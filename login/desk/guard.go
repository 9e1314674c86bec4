package desk

import (
	"errors"
	"slices"
	"time"

	"asoba.example/login/identity"
	"asoba.example/login/register"
)

// An Attestation is something that the clerk has made sure of.
type Attestation string

// Attestations; doc.go says what each means.
const (
	Holder      Attestation = "holder"
	Particulars Attestation = "particulars"
	PhoneUse    Attestation = "phone"
)

// ParseAttestations knows the three attestations.
func ParseAttestations(words []string) ([]Attestation, error) {
	attested := make([]Attestation, 0, len(words))
	for _, word := range words {
		switch a := Attestation(word); a {
		case Holder, Particulars, PhoneUse:
			attested = append(attested, a)
		default:
			return nil, errors.New("no such attestation")
		}
	}
	return attested, nil
}

// facts are what the guards look at.
type facts struct {
	at         time.Time
	by         By
	person     register.Person // zero where the register knows nobody
	document   identity.Document
	attested   []Attestation
	minimumAge int
	state      identity.State
	confirmed  bool // the phone, in this visit
	same       bool // the phone, as the identifier has it
	used       bool // the phone, with another identifier
}

// A guard holds, or the act is refused with its code.
type guard struct {
	code  string
	holds func(facts) bool
}

// A list of guards, in the order in which they are told.
type guards []guard

// forIssuing are the guards of an issuance (resolution 792 ¶4).
func forIssuing() guards {
	return append(always(), []guard{
		alive(),
		{"g8", func(f facts) bool { return f.person.OfAge(f.minimumAge, f.at) }},
		attested(Holder, Particulars, PhoneUse),
		{"g2", func(f facts) bool { return f.state == identity.None }},
		unused(),
	}...)
}

// forChangingPhone are the guards of a change of phone.
func forChangingPhone() guards {
	return append(always(), alive(), attested(PhoneUse), unused())
}

// forServing are the guards of an unblocking and of another temporary password.
func forServing() guards { return append(always(), alive(), attested(Holder, Particulars)) }

// forBlocking are the guards of a block.
func forBlocking() guards { return append(always(), attested(Holder, Particulars)) }

// always are the guards of every act.
func always() guards {
	return guards{
		{"g9", func(f facts) bool { return !f.known() || f.by.Person != f.person.ID }},
		{"g1", func(f facts) bool { return f.document.Valid(f.at) }},
	}
}

// alive is the guard of everything that gives a person something.
func alive() guard {
	return guard{"g6", func(f facts) bool { return f.known() && !f.person.Gone() }}
}

func attested(needed ...Attestation) guard {
	return guard{"g5", func(f facts) bool {
		for _, a := range needed {
			if !slices.Contains(f.attested, a) {
				return false
			}
		}
		return true
	}}
}

func unused() guard { return guard{"g4", func(f facts) bool { return !f.used }} }

// confirmed is the guard that is left for the end of a visit.
func confirmed() guard { return guard{"g3", func(f facts) bool { return f.confirmed }} }

func (f facts) known() bool { return f.person.IdentificationNumber != "" }

// check gives the refusal of the first guard that does not hold.
func (gs guards) check(f facts) error {
	for _, g := range gs {
		if !g.holds(f) {
			return &GuardError{Code: g.code}
		}
	}
	return nil
}

// A GuardError says which guard does not hold.
type GuardError struct{ Code string }

func (e *GuardError) Error() string { return "refused by guard " + e.Code }
