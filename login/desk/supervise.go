package desk

import (
	"errors"
	"net/http"
	"time"

	"asoba.example/login/clerk"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
)

// longest is the most that one report is of: what a supervisor reads, not what a year of a country is.
const longest = 92 * 24 * time.Hour

// supervised is the office that a request is about. A supervisor sees only their own; whoever oversees all of them may name one, and "" is all.
func (d *Doors) supervised(w http.ResponseWriter, r *http.Request) (string, error) {
	c, err := d.Gate.Enter(w, r, Scope, clerk.Supervise, 0)
	if err != nil {
		return "", err
	}
	asked, err := clerk.ParseOffice(r.URL.Query().Get("office"))
	switch {
	case err != nil:
		return "", api.RefuseParameter("office", errors.New("not an office"))
	case c.May(clerk.Oversee):
		return asked, nil
	case asked != "" && asked != c.Office:
		return "", api.Refuse(http.StatusForbidden, "not_this_office", nil)
	}
	return c.Office, nil
}

// report handles GET /desk/report?from=&to=&office=.
func (d *Doors) report(w http.ResponseWriter, r *http.Request) error {
	office, err := d.supervised(w, r)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	from, err := time.Parse(time.DateOnly, query.Get("from"))
	if err != nil {
		return api.RefuseParameter("from", err)
	}
	to, err := time.Parse(time.DateOnly, query.Get("to"))
	if err != nil || to.Before(from) || to.Sub(from) > longest {
		return api.RefuseParameter("to", err)
	}
	if office == "" {
		return api.RefuseParameter("office", nil)
	}
	clerks, err := Reports(r.Context(), d.Feed, d.Gate.Clerks, office, from, to)
	if err != nil {
		return err
	}
	return api.Write(w, http.StatusOK, struct {
		Office string   `json:"office"`
		From   string   `json:"from"`
		To     string   `json:"to"`
		Clerks []Report `json:"clerks"`
	}{office, query.Get("from"), query.Get("to"), clerks})
}

// alerts handles GET /desk/alerts?after=&office=.
func (d *Doors) alerts(w http.ResponseWriter, r *http.Request) error {
	office, err := d.supervised(w, r)
	if err != nil {
		return err
	}
	var (
		found  []Alert
		cursor audit.Cursor
	)
	after, err := audit.ParseCursor(r.URL.Query().Get("after"))
	if err == nil {
		found, cursor, err = Alerts(r.Context(), d.Feed, d.Gate.Clerks, office, after)
	}
	if err != nil {
		return d.refusal(w, err)
	}
	return api.Write(w, http.StatusOK, struct {
		Alerts []Alert      `json:"alerts"`
		Cursor audit.Cursor `json:"cursor"`
	}{found, cursor})
}
