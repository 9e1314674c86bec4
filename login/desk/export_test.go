package desk

import (
	"cmp"
	"context"
	"fmt"
)

// Admit counts an act that is not done.
func (d *Desk) Admit(ctx context.Context, by By, act string) error { return d.admit(ctx, by, act) }

// Slips are the codes of all refusals there are, and whether the person at the counter takes a slip of one home.
func Slips() map[string]bool {
	all := answers[1:] // the first is of all guards
	for n := range 9 {
		all = append(all, answer{means: &GuardError{Code: fmt.Sprint("g", n+1)}})
	}
	slips := map[string]bool{}
	for _, a := range all {
		code := decided(a.means)
		slips[cmp.Or(code, a.code)] = code != ""
	}
	return slips
}
