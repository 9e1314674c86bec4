package clerk_test

import (
	"slices"
	"testing"

	"asoba.example/login/clerk"
)

// Who may do what, as drawn in doc.go.
func TestEachRoleHasItsDuties(t *testing.T) {
	t.Parallel()
	all := []clerk.Duty{clerk.Serve, clerk.Supervise, clerk.Oversee, clerk.Inspect, clerk.Appoint, clerk.Secure, clerk.Judge, clerk.Settle, clerk.Import}
	for role, want := range map[clerk.Role][]clerk.Duty{
		clerk.AtDesk:     {clerk.Serve},
		clerk.Supervisor: {clerk.Serve, clerk.Supervise, clerk.Inspect},
		clerk.Operator:   {clerk.Supervise, clerk.Oversee, clerk.Appoint, clerk.Secure, clerk.Judge, clerk.Settle, clerk.Import},
		clerk.Auditor:    {clerk.Supervise, clerk.Oversee, clerk.Inspect},
		"boss":           nil,
	} {
		var got []clerk.Duty
		for _, d := range all {
			if (clerk.Clerk{Role: role}).May(d) {
				got = append(got, d)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s may %v, want %v", role, got, want)
		}
		if _, err := clerk.ParseRole(string(role)); (err == nil) != (want != nil) {
			t.Errorf("%s: %v", role, err)
		}
	}
}
