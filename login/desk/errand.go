package desk

import (
	"context"
	"fmt"

	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider/audit"
)

// An Errand is what somebody comes for. Whatever one has that another has not stands in this file.
type Errand string

// Errands. A visit is for one in which a phone is to be confirmed: never Block, and Unblock and
// Reissue only where another phone comes with them.
const (
	Issuance    Errand = "issuance"
	PhoneChange Errand = "phone_change"
	Unblock     Errand = "unblock"
	Reissue     Errand = "reissue"
	Block       Errand = "block"
)

// Errands are all of them: what an application may be for.
var Errands = []Errand{Issuance, PhoneChange, Block, Unblock, Reissue}

// members are those of a request that an errand cannot do without, besides the identifier and the basis.
func (e Errand) members() []string {
	switch e {
	case Issuance:
		return []string{"/names", "/phone"}
	case PhoneChange:
		return []string{"/phone"}
	case Block, Unblock, Reissue:
	}
	return nil
}

// needs is what a clerk attests in an errand; another phone may come with an unblocking and with a temporary password.
func (e Errand) needs(phone bool) []Attestation {
	switch {
	case e == PhoneChange:
		return []Attestation{Holder, PhoneUse}
	case e == Issuance, phone && e != Block:
		return []Attestation{Holder, Particulars, PhoneUse}
	}
	return []Attestation{Holder, Particulars}
}

// guards are those of an errand, with a phone or without, but for the phone's confirmation.
func (e Errand) guards(phone bool) guards {
	gs := always()
	switch e {
	case Issuance: // resolution 792 ¶4
		gs = append(gs, []guard{
			{"g6", facts.alive, facts.known}, // whom our copy of the register does not know yet may be in the next edition
			{"g8", func(f facts) bool { return f.person.OfAge(f.minimumAge, f.at) }, facts.known},
			good(),
			attested(e.needs(phone)),
			{code: "g2", holds: func(f facts) bool { return f.state == identity.None }},
		}...)
	case PhoneChange, Unblock, Reissue:
		gs = append(gs, alive(), vouched(), attested(e.needs(phone)))
	case Block: // it must be easy, and waits for no register
		document := good()
		document.answered = nil
		gs = append(gs, document, attested(e.needs(phone)))
	}
	if phone {
		gs = append(gs, unused())
	}
	return gs
}

// fits tells whether the errand can end well as the identifier stands now. Where it
// cannot, no code goes to a phone; at the end the act itself decides.
func (e Errand) fits(f facts) bool {
	switch e {
	case PhoneChange:
		return (f.state == identity.Temporary || f.state == identity.Active) && !f.same
	case Unblock:
		return f.state == identity.Blocked
	case Reissue:
		return f.state == identity.Temporary
	case Issuance, Block: // a guard has told
	}
	return true
}

// restores tells whether the errand gives access to an identifier that exists.
func (e Errand) restores() bool { return e == PhoneChange || e == Unblock || e == Reissue }

// renews tells whether the errand sends a temporary password anew: a change of phone where the present one is temporary.
func (e Errand) renews(f facts) bool {
	return e == Unblock || e == Reissue || e == PhoneChange && f.state == identity.Temporary
}

// opened are the records of openings. A block is no visit.
var opened = map[Errand]audit.Kind{
	Issuance: audit.IssuanceOpened, PhoneChange: audit.PhoneChangeOpened, Unblock: audit.UnblockOpened, Reissue: audit.ReissueOpened,
}

// end does what somebody came for, with the phone of the visit where one came, and gives how their identifier stands then.
func (e Errand) end(ctx context.Context, r *identity.Registry, v visit, act identity.Act) (identity.State, error) {
	switch e {
	case Issuance:
		return identity.Temporary, r.Issue(ctx, identity.Assignment{Person: v.person, Phone: v.phone, Names: v.names, Document: v.document}, act)
	case PhoneChange:
		return r.ChangePhone(ctx, v.person, v.phone, act)
	case Unblock:
		return identity.Temporary, r.Unblock(ctx, v.person, v.phone, act)
	case Reissue:
		return identity.Temporary, r.Reissue(ctx, v.person, v.phone, act)
	case Block:
		return identity.Blocked, r.Block(ctx, v.person, identity.Desk, act)
	}
	return "", fmt.Errorf("%q is no errand", e)
}

// many is from how many on of its kind in an hour an errand is unusual, and the question that tells.
func (e Errand) many() (p Pattern, question string, least policy.Of[int]) {
	switch e {
	case Issuance:
		return ManyIssuances, manyIssuances, policy.IssuancesInHour
	case Block:
		return ManyBlocks, manyBlocks, policy.BlocksInHour
	case PhoneChange, Unblock, Reissue:
	}
	return ManyRestorations, manyRestorations, policy.RestorationsInHour
}
