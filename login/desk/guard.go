package desk

import (
	"errors"
	"slices"
	"time"

	"asoba.example/login/document"
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
	report     document.Report // "" where the register of documents does not answer
	cause      error           // why it does not
	register   string          // asked, silent or gone; "" where there is no population register to ask
	minimumAge int
	state      identity.State
	confirmed  bool // the phone, in this visit
	same       bool // the phone, as the identifier has it
	used       bool // the phone, with another identifier
}

// A guard holds, or the act is refused with its code. One that looks at what a source
// says does neither while that has not answered.
type guard struct {
	code     string
	holds    func(facts) bool
	answered func(facts) bool // nil where no source is asked, or its silence is an answer
}

// A list of guards, in the order in which they are told.
type guards []guard

// always are the guards of every act.
func always() guards {
	return guards{
		{code: "g9", holds: func(f facts) bool { return !f.known() || f.by.Person != f.person.ID }},
		{code: "g1", holds: func(f facts) bool { return f.document.Valid(f.at) }},
	}
}

// alive is the guard of everything that gives something to a person who must be known already.
func alive() guard { return guard{code: "g6", holds: facts.alive} }

// good is the guard of the document: nothing is said against it.
func good() guard {
	return guard{
		"g7",
		func(f facts) bool { return f.report != document.Invalid && f.report != document.Anothers },
		func(f facts) bool { return f.report != "" },
	}
}

// vouched is the guard of the document where it opens an identifier that exists: its register, where there is one, says
// that it is this person's and valid. A number that the register does not know is easily made up.
func vouched() guard {
	g := good()
	g.holds = func(f facts) bool { return f.report == document.Valid || f.report == document.Attested }
	return g
}

func attested(needed []Attestation) guard {
	return guard{code: "g5", holds: func(f facts) bool {
		for _, a := range needed {
			if !slices.Contains(f.attested, a) {
				return false
			}
		}
		return true
	}}
}

func unused() guard { return guard{code: "g4", holds: func(f facts) bool { return !f.used }} }

// confirmed is the guard that is left for the end of a visit.
func confirmed() guard { return guard{code: "g3", holds: func(f facts) bool { return f.confirmed }} }

func (f facts) known() bool { return f.person.IdentificationNumber != "" }

func (f facts) alive() bool { return f.known() && !f.person.Gone() && f.register != gone }

// gone is what the population register says of the person where we could not take it in.
const gone = "gone"

// check gives the refusal of the first guard that does not hold; or else, where a
// source has not answered, ErrAway.
func (gs guards) check(f facts) error {
	var away error
	for _, g := range gs {
		switch {
		case g.answered != nil && !g.answered(f):
			away = errors.Join(ErrAway, f.cause)
		case !g.holds(f):
			return &GuardError{Code: g.code}
		}
	}
	return away
}

// ErrGuard says that a guard does not hold.
var ErrGuard = errors.New("refused by a guard") // wrapped by *GuardError

// A GuardError says which guard does not hold.
type GuardError struct{ Code string }

func (e *GuardError) Error() string { return "refused by guard " + e.Code }

func (e *GuardError) Unwrap() error { return ErrGuard }
