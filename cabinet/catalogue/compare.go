package catalogue

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"time"
)

// An Act is what an edition does to a service.
type Act string

// Acts.
const (
	Added    Act = "added"
	Changed  Act = "changed"
	Closed   Act = "closed"   // the edition tells of it no more
	Restored Act = "restored" // and then it does again
)

// A Change is what an edition does to one service.
type Change struct {
	Code   Code     `json:"code"`
	Act    Act      `json:"act"`
	Fields []string `json:"fields,omitempty"` // that change
	Name   string   `json:"-"`                // in Russian

	service Service // as it will be
}

// Report is what an edition does.
type Report struct {
	Number  int
	Date    time.Time
	Changes []Change // in the order of codes
	Same    int

	// Again says that this very edition is in force already, since At, brought by By.
	Again bool
	At    time.Time
	By    string
}

// Count counts what is done to services.
func (r Report) Count(act Act) (n int) {
	for _, c := range r.Changes {
		if c.Act == act {
			n++
		}
	}
	return n
}

// Compare tells what an edition does to the services that are known.
func Compare(known []Service, e Edition) Report {
	before, report := map[Code]Service{}, Report{Number: e.Number, Date: e.Date, Changes: []Change{}}
	for _, s := range known {
		before[s.Code] = s
	}
	for _, s := range e.Services {
		old, stood := before[s.Code]
		delete(before, s.Code)
		if s.ValidFrom.IsZero() {
			if s.ValidFrom = e.Date; stood && !over(old, e.Date) {
				s.ValidFrom = old.ValidFrom
			}
		}
		change := Change{Code: s.Code, Name: s.Name.RU, service: s}
		switch change.Fields = differ(old, s); {
		case !stood:
			change.Act, change.Fields = Added, nil
		case len(change.Fields) == 0:
			report.Same++
			continue
		case over(old, e.Date) && !over(s, e.Date):
			change.Act = Restored
		default:
			change.Act = Changed
		}
		report.Changes = append(report.Changes, change)
	}
	for _, s := range before {
		if over(s, e.Date) {
			continue
		}
		// The last day is the one before; what never came into force ends before it would have.
		till := e.Date.AddDate(0, 0, -1)
		if till.Before(s.ValidFrom) {
			till = s.ValidFrom.AddDate(0, 0, -1)
		}
		s.ValidTill = &till
		report.Changes = append(report.Changes, Change{Code: s.Code, Act: Closed, Name: s.Name.RU, service: s})
	}
	slices.SortFunc(report.Changes, func(a, b Change) int { return slices.Compare(a.Code.numbers(), b.Code.numbers()) })
	return report
}

// over tells whether a service has ended by a day.
func over(s Service, day time.Time) bool { return s.ValidTill != nil && s.ValidTill.Before(day) }

// differ names the members by which two services differ.
func differ(old, fresh Service) []string {
	a, b := members(old), members(fresh)
	var all []string
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if !reflect.DeepEqual(a[name], b[name]) {
			all = append(all, name)
		}
	}
	return all
}

func members(s Service) (all map[string]any) {
	text, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		panic(err) // a Service is JSON
	}
	return all
}
