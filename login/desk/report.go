package desk

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/identity"
	"asoba.example/provider/audit"
)

// A Report is what one clerk has done in a time.
type Report struct {
	Clerk        uuid.UUID       `json:"clerk"`
	Identifier   string          `json:"identifier"`
	Issuances    int             `json:"issuances"`
	PhoneChanges int             `json:"phone_changes"`
	Reissues     int             `json:"reissues"`
	Blocks       int             `json:"blocks"`
	Unblocks     int             `json:"unblocks"`
	LookUps      int             `json:"look_ups"`
	Refusals     map[string]int  `json:"refusals"` // by code
	Alerts       map[Pattern]int `json:"alerts"`
}

// Reports tells what each clerk has done at an office from one day to another, both of Minsk and both counted in.
func Reports(ctx context.Context, feed *audit.Feed, clerks *clerk.Clerks, office string, from, to time.Time) ([]Report, error) {
	tallies, err := feed.Tally(ctx, office, midnight(from), midnight(to.AddDate(0, 0, 1)))
	if err != nil {
		return nil, err
	}
	all := []Report{}
	for _, t := range tallies {
		if n := len(all); n == 0 || all[n-1].Clerk != t.Clerk {
			all = append(all, Report{Clerk: t.Clerk, Refusals: map[string]int{}, Alerts: map[Pattern]int{}})
		}
		all[len(all)-1].add(t)
	}
	people := make([]uuid.UUID, len(all))
	for i, r := range all {
		people[i] = r.Clerk
	}
	names, err := clerks.Identifiers(ctx, people)
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Identifier = names[all[i].Clerk].Reveal()
	}
	slices.SortFunc(all, func(a, b Report) int { return b.Issuances - a.Issuances })
	return all, nil
}

func (r *Report) add(t audit.Tally) {
	switch t.Kind { //nolint:exhaustive // nothing else is counted of a clerk
	case audit.IdentifierIssued:
		r.Issuances += t.Count
	case audit.PhoneChanged:
		r.PhoneChanges += t.Count
	case audit.PasswordReissued:
		r.Reissues += t.Count
	case audit.IdentifierBlocked:
		r.Blocks += t.Count
	case audit.IdentifierUnblocked:
		r.Unblocks += t.Count
	case audit.DeskLookedUp:
		r.LookUps += t.Count
	case audit.DeskRefused:
		r.Refusals[t.Why] += t.Count
	case audit.DeskAlerted:
		r.Alerts[Pattern(t.Why)] += t.Count
	}
}

// An Alert is something unusual that a clerk did.
type Alert struct {
	At         time.Time `json:"at"`
	Pattern    Pattern   `json:"pattern"`
	Act        string    `json:"act,omitempty"` // an errand, or a look-up
	Office     string    `json:"office"`
	Clerk      uuid.UUID `json:"clerk"`
	Identifier string    `json:"identifier"`
	ClientID   string    `json:"client_id"`
}

// alertsAtOnce is how many of them are told at once.
const alertsAtOnce = 100

// Alerts gives the alerts of an office, or with "" of all, after a cursor, and the cursor to go on from.
func Alerts(ctx context.Context, feed *audit.Feed, clerks *clerk.Clerks, office string, after audit.Cursor) ([]Alert, audit.Cursor, error) {
	lines, cursor, err := feed.Alerts(ctx, office, after, alertsAtOnce)
	if err != nil {
		return nil, 0, err
	}
	people := make([]uuid.UUID, len(lines))
	for i, line := range lines {
		people[i] = line.Clerk
	}
	names, err := clerks.Identifiers(ctx, people)
	if err != nil {
		return nil, 0, err
	}
	all := make([]Alert, len(lines))
	for i, line := range lines {
		all[i] = Alert{line.At, Pattern(line.Detail["pattern"]), line.Detail["act"], line.Office, line.Clerk, names[line.Clerk].Reveal(), line.ClientID}
	}
	return all, cursor, nil
}

// midnight is when a day begins in Minsk.
func midnight(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, identity.Minsk)
}
