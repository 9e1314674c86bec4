package deskpage

import "slices"

// An operation is what somebody comes to the desk for, on a written application.
type operation struct {
	Name     string   // as the API names it
	at       string   // its address at the API
	Phone    bool     // it brings another phone, or may
	Must     bool     // it cannot do without one
	Names    bool     // it takes down the names
	Attested []string // what the clerk makes sure of (resolution 792 ¶3, ¶4)
}

// operations in the order of the page. The first needs no identifier, the others do.
var operations = []operation{
	{Name: "issuance", at: "/desk/issuances", Phone: true, Must: true, Names: true, Attested: []string{"holder", "particulars", "phone"}},
	{Name: "phone_change", at: "/desk/phone-changes", Phone: true, Must: true, Attested: []string{"holder", "phone"}},
	{Name: "reissue", at: "/desk/reissues", Phone: true, Attested: []string{"holder", "particulars", "phone"}},
	{Name: "block", at: "/desk/blocks", Attested: []string{"holder", "particulars"}},
	{Name: "unblock", at: "/desk/unblocks", Phone: true, Attested: []string{"holder", "particulars", "phone"}},
}

func findOperation(name string) (operation, bool) {
	i := slices.IndexFunc(operations, func(o operation) bool { return o.Name == name })
	if i < 0 {
		return operation{}, false
	}
	return operations[i], true
}
