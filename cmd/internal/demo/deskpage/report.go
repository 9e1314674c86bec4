package deskpage

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/cmd/internal/demo/management"
	"asoba.example/provider/page"
)

// A tally is what a clerk of the office has done in the days of the report.
type tally struct {
	Identifier                            string
	Issuances, Reissues, Blocks, Unblocks int
	PhoneChanges                          int `json:"phone_changes"`
	LookUps                               int `json:"look_ups"`
	Refusals                              map[string]int
}

// Refused counts the refusals, whatever for.
func (t tally) Refused() (n int) {
	for _, count := range t.Refusals {
		n += count
	}
	return n
}

// An alert is something unusual that a clerk did.
type alert struct {
	At                       time.Time
	Pattern, Act, Identifier string
}

// patterns and acts are those that have a word here. The API may come to know others.
var (
	patterns = []string{
		"own_identifier", "too_many_acts", "many_issuances", "many_restorations", "many_blocks", "many_refusals", "staff_blocked",
		"neighbouring_phones", "passing_phone", "blocked_and_restored", "unvouched_document", "out_of_hours",
	}
	acts = []string{"issuance", "phone_change", "reissue", "block", "unblock", "look_up", "keep_paper", "read_paper", "read_trail"}
)

// What is the key of the word for what was unusual.
func (a alert) What() string {
	if slices.Contains(patterns, a.Pattern) {
		return "alert." + a.Pattern
	}
	return "alert.other"
}

// In is the key of the word for the act; "" where there is none.
func (a alert) In() string {
	if slices.Contains(acts, a.Act) {
		return "act." + a.Act
	}
	return ""
}

// minsk is the zone in which the API counts days.
var minsk = time.FixedZone("Minsk", 3*60*60)

// reported is how many days a report looks back, today counted in.
const reported = 7

// report handles GET /desk/report: what the desk's office did this week, and what was unusual, the latest first.
func (d *Page) report(w http.ResponseWriter, r *http.Request, v *visit) error {
	from := time.Now().In(minsk).AddDate(0, 0, 1-reported)
	tallies, refused, err := v.tallies(r, from)
	var alerts []alert
	if err == nil && refused == nil {
		alerts, refused, err = v.alerts(r)
	}
	switch {
	case err != nil:
		return err
	case refused != nil:
		return denied(refused)
	}
	return d.show(w, r, page.View{
		Name: "report", Back: "/desk", Wide: true,
		Data: struct {
			From   time.Time
			Clerks []tally
			Alerts []alert
		}{from, tallies, alerts},
	})
}

// tallies asks what the clerks of the desk's office have done from a day to this one.
func (v *visit) tallies(r *http.Request, from time.Time) ([]tally, *management.Refusal, error) {
	asked := url.Values{"office": {cast.Office}, "from": {from.Format(time.DateOnly)}, "to": {time.Now().In(minsk).Format(time.DateOnly)}}
	var answer struct{ Clerks []tally }
	refused, err := refusal(v.api.Call(r.Context(), http.MethodGet, "/desk/report?"+asked.Encode(), nil, &answer))
	return answer.Clerks, refused, err
}

// alerts reads them all, as the API tells them, from the first.
func (v *visit) alerts(r *http.Request) (all []alert, refused *management.Refusal, err error) {
	for after := ""; ; {
		var answer struct {
			Alerts []alert
			Cursor string
		}
		refused, err = refusal(v.api.Call(r.Context(), http.MethodGet, "/desk/alerts?office="+cast.Office+"&after="+url.QueryEscape(after), nil, &answer))
		if err != nil || refused != nil {
			return nil, refused, err
		}
		if len(answer.Alerts) == 0 || answer.Cursor == after {
			slices.Reverse(all)
			return all, nil, nil
		}
		all, after = append(all, answer.Alerts...), answer.Cursor
	}
}
