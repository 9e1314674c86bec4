package desk

import "context"

// Admit counts an act that is not done.
func (d *Desk) Admit(ctx context.Context, by By, act string) error { return d.admit(ctx, by, act) }
