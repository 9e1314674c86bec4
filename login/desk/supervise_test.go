package desk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/desk"
	"asoba.example/login/identity/identitytest"
	"asoba.example/provider/audit"
)

// Who reads what: a supervisor of his own office, who oversees all of any, and nobody else.
func TestTheReportAndTheAlertsAreForWhoSupervises(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	tokens := map[string]string{"a system": d.system}
	for _, role := range []clerk.Role{clerk.AtDesk, clerk.Supervisor, clerk.Operator, clerk.Auditor} {
		_, id := d.world.clerk(t, role)
		tokens[string(role)] = d.own(t, id, uuid.New())
	}
	_, citizen := d.Active(t)
	tokens["a citizen"] = d.own(t, citizen, uuid.New())
	const report = "/desk/report?from=2026-11-01&to=2026-11-30"
	for name, want := range map[string]struct{ own, other, all string }{ // codes; "" for an answer
		"clerk":      {"wrong_role", "wrong_role", "wrong_role"},
		"supervisor": {"", "not_this_office", ""},
		"operator":   {"", "", ""},
		"auditor":    {"", "", ""},
		"a citizen":  {"not_a_clerk", "not_a_clerk", "not_a_clerk"},
		"a system":   {"not_a_clerk", "not_a_clerk", "not_a_clerk"},
	} {
		for path, code := range map[string]string{
			report + "&office=Minsk-1": want.own, "/desk/alerts?office=Minsk-1": want.own,
			report + "&office=Brest-3": want.other, "/desk/alerts?office=Brest-3": want.other,
			"/desk/alerts": want.all,
		} {
			status, answer := d.knock(t, tokens[name], "GET", path, nil)
			if code == "" && status != 200 || code != "" && answer["code"] != code {
				t.Errorf("%s: %s: %d %v, want %q", name, path, status, answer, code)
			}
		}
	}
	d.asks(t, tokens["supervisor"], "GET", report, nil, 200, map[string]any{"office": "Minsk-1"})
	for query, field := range map[string]string{
		"":                               "/from",
		"?from=2026-11-01":               "/to",
		"?from=2026-11-02&to=2026-11-01": "/to",
		"?from=2025-01-01&to=2026-01-01": "/to",
		"?from=2026-11-01&to=2026-11-30": "/office",
		"?from=2026-11-01&to=2026-11-30&office=%ff": "/office",
	} {
		_, answer := d.knock(t, tokens["auditor"], "GET", "/desk/report"+query, nil)
		fields, _ := answer["fields"].([]any)
		if answer["code"] != "invalid_parameter" || len(fields) != 1 || fields[0].(map[string]any)["name"] != field {
			t.Errorf("%s: %v", query, answer)
		}
	}
	for _, after := range []string{"x", "1"} { // of no event yet: none has its place before the sealer gives it one
		d.asks(t, tokens["auditor"], "GET", "/desk/alerts?after="+after, nil, 400, map[string]any{"code": "invalid_cursor"})
	}
}

// A report counts what was done on its days, in Minsk, at its office, by clerk.
func TestAReportCountsWhatAClerkHasDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.issue(t, 100)
	w.issue(t, 200)
	_, id := w.Active(t)
	papers := w.papers(t, id)
	for _, act := range []func() error{
		func() error {
			_, err := w.desk.LookUp(t.Context(), w.by, id, documentOf(t, w, id), desk.InPerson)
			return err
		},
		func() error { _, err := w.desk.Block(t.Context(), w.by, visit(id)); return err },
		func() error { _, err := w.desk.Unblock(t.Context(), w.by, papers); return err },
		func() error { _, err := w.desk.Reissue(t.Context(), w.by, papers); return err },
	} {
		if err := act(); err != nil {
			t.Fatal(err)
		}
	}
	first := w.by
	second, own := w.clerk(t, clerk.AtDesk)
	if _, err := w.desk.Block(t.Context(), second, visit(own)); err == nil {
		t.Fatal("a clerk serves himself")
	}
	elsewhere := second
	elsewhere.Office = "Brest-3"
	if _, err := w.desk.Block(t.Context(), elsewhere, visit(id)); err != nil {
		t.Fatal(err)
	}
	feed := audit.NewFeed(w.Pool, w.Pool)
	report := func(office, from, to string) map[uuid.UUID]desk.Report {
		t.Helper()
		day := func(s string) time.Time {
			at, err := time.Parse(time.DateOnly, s)
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
		all, err := desk.Reports(t.Context(), feed, w.clerks, office, day(from), day(to))
		if err != nil {
			t.Fatal(err)
		}
		by := map[uuid.UUID]desk.Report{}
		for _, r := range all {
			by[r.Clerk] = r
		}
		return by
	}
	got := report("Minsk-1", "2026-11-22", "2026-11-22")
	if r := got[first.Person]; r.Issuances != 2 || r.LookUps != 1 || r.Blocks != 1 || r.Unblocks != 1 || r.Reissues != 1 || r.PhoneChanges != 0 ||
		len(r.Refusals) != 0 || len(r.Alerts) != 0 || !strings.HasPrefix(r.Identifier, "7") {
		t.Errorf("the first clerk: %+v", r)
	}
	if r := got[second.Person]; r.Refusals["g9"] != 1 || r.Alerts[desk.OwnIdentifier] != 1 || r.Blocks != 0 {
		t.Errorf("the second clerk: %+v", r)
	}
	if r := report("Brest-3", "2026-11-22", "2026-11-22"); len(r) != 1 || r[second.Person].Blocks != 1 {
		t.Errorf("the other office: %+v", r)
	}
	if r := report("Minsk-1", "2026-11-23", "2026-11-30"); len(r) != 0 {
		t.Errorf("other days: %+v", r)
	}

	if err := (&audit.Sealer{Pool: w.Pool}).Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	alerts, cursor, err := desk.Alerts(t.Context(), feed, w.clerks, "Minsk-1", 0)
	if err != nil || len(alerts) != 1 || alerts[0].Clerk != second.Person || alerts[0].Pattern != desk.OwnIdentifier || !alerts[0].At.Equal(identitytest.Noon.Add(time.Hour)) {
		t.Errorf("the alerts: %+v, %v", alerts, err)
	}
	if more, _, err := desk.Alerts(t.Context(), feed, w.clerks, "", cursor); err != nil || len(more) != 0 {
		t.Errorf("after the last: %+v, %v", more, err)
	}
	if other, _, err := desk.Alerts(t.Context(), feed, w.clerks, "Brest-3", 0); err != nil || len(other) != 0 {
		t.Errorf("of another office: %+v, %v", other, err)
	}
}
