package desk

import "context"

// Admit counts an act that is not done.
func (d *Desk) Admit(ctx context.Context, by By, act string) error { return d.admit(ctx, by, act) }

// Slips are the codes of all refusals there are, and whether the person at the counter takes a slip of one home.
func Slips() map[string]bool {
	slips := map[string]bool{}
	for _, a := range answers {
		slips[a.code] = a.slip
	}
	return slips
}
