package clerk

import (
	"errors"
	"slices"
)

// A Role is what a member of the staff is.
type Role string

// Roles.
const (
	AtDesk     Role = "clerk"
	Supervisor Role = "supervisor"
	Operator   Role = "operator"
	Auditor    Role = "auditor"
)

// ParseRole knows the four roles.
func ParseRole(s string) (Role, error) {
	if _, ok := duties[Role(s)]; !ok {
		return "", errors.New("no such role: clerk, supervisor, operator or auditor")
	}
	return Role(s), nil
}

// A Duty is what only some of the staff may do.
type Duty string

// Duties.
const (
	Serve     Duty = "serve"     // look up people's identifiers at the desk, and act upon them
	Supervise Duty = "supervise" // read what the staff of one's own office does
	Oversee   Duty = "oversee"   // read it of every office, and who is of the staff
	Inspect   Duty = "inspect"   // read what people have signed, for a purpose: in one's own office, or where one oversees them all
	Appoint   Duty = "appoint"   // say who is a clerk, and where
	Secure    Duty = "secure"    // block identifiers for security, two together
	Judge     Duty = "judge"     // decide what bodies propose of their e-services
	Settle    Duty = "settle"    // settle what the law leaves to the operator, two together
	Import    Duty = "import"    // bring editions of the register in; two together, release those that deactivate many, and restore people
)

// duties are who may do what. Nobody who keeps the system serves people, and nobody who serves them says who else may.
var duties = map[Role][]Duty{
	AtDesk:     {Serve},
	Supervisor: {Serve, Supervise, Inspect},
	Operator:   {Supervise, Oversee, Appoint, Secure, Judge, Settle, Import},
	Auditor:    {Supervise, Oversee, Inspect},
}

// May tells whether the clerk's role has a duty.
func (c Clerk) May(d Duty) bool { return slices.Contains(duties[c.Role], d) }
