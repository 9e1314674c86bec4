package cabinet

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
	"asoba.example/migrations/pgtest"
)

// idOf is that of the n-th entry of a test.
func idOf(n int) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("019ac000-0000-7000-8000-%012d", n))
}

// lived is what has happened to Anna, and the last of it to somebody else.
func (w *world) lived(t *testing.T) {
	t.Helper()
	day := func(n int) time.Time { return time.Date(2026, 5, n, 21, 0, 0, 0, time.UTC) } // midnight in Minsk
	w.write(t, func(ctx context.Context, tx pgx.Tx) error {
		return journal.Append(ctx, tx, []journal.Entry{
			{ID: idOf(1), Person: anna, At: day(1), Kind: "signed_in", Actor: journal.Self, ACR: "low", Cursor: "1"},
			{ID: idOf(2), Person: anna, At: day(2).Add(-time.Microsecond), Kind: "sign_in.refused", Actor: journal.Self, Cursor: "2"},
			{ID: idOf(3), Person: anna, At: day(2), Kind: "desk.looked_up", Actor: journal.Staff, Office: "17", Detail: map[string]string{"purpose": "visit"}, Cursor: "3"},
			{ID: idOf(4), Person: anna, At: day(3), Kind: "grant.given", Actor: journal.Self, ClientID: "pension", Detail: map[string]string{"scope": "openid phone"}, Cursor: "4"},
			{ID: idOf(5), Person: uuid.New(), At: day(3), Kind: "signed_in", Actor: journal.Self, Cursor: "5"},
		})
	})
}

// What is looked for is found, page by page, and nothing else; what cannot be looked for is refused by its name.
func TestJournalIsFiltered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.lived(t)
	token := w.provider.AccessToken(w.url, signIn())
	found := func(query string) (status int, ids string) {
		for from := ""; ; {
			answer, body := w.call(t, "/api/v1/journal?limit=1&till=2026-05-05&"+query+from, token)
			var page struct {
				Entries []struct{ ID string }
				Next    string
				Fields  []struct{ Name string }
			}
			if err := json.Unmarshal(body, &page); err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Entries {
				ids += e.ID[len(e.ID)-1:]
			}
			for _, f := range page.Fields {
				ids += f.Name
			}
			if page.Next == "" {
				return answer.StatusCode, ids
			}
			from = "&from=" + page.Next
		}
	}
	for query, want := range map[string]string{
		"":                                "4321",
		"actor=staff":                     "3",
		"actor=system":                    "",
		"about=sign_ins":                  "21",
		"about=desk":                      "3",
		"about=services":                  "4",
		"about=desk&actor=self":           "",
		"since=2026-05-03":                "43",
		"since=2026-05-02&about=sign_ins": "21",
		"since=2026-05-03&about=sign_ins": "",
		"since=2026-05-03&actor=self":     "4",
		"actor=nobody":                    "/actor",
		"about=everything":                "/about",
		"since=2026-05-32":                "/since",
		"since=2026-05-06":                "/till",
		"before=2026-05-02":               "/before",
		"actor=self&actor=staff":          "/actor",
	} {
		status, got := found(query)
		if wanted := map[bool]int{true: 400, false: 200}[strings.HasPrefix(want, "/")]; got != want || status != wanted {
			t.Errorf("%s: got %d %s, want %d %s", query, status, got, wanted, want)
		}
	}
}

// The form keeps what was entered, on this page and in the links to others; nothing found, and what is wrong, are told with what to do.
func TestTheFilterKeepsWhatWasEntered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	w.lived(t)
	b := w.browser(t)
	b.want("/sign-in?return=/journal", "/journal", 200, "Choose which entries")
	b.want("/journal?about=desk&since=2026-05-01", "/journal", 200, `<option value="desk" selected>`)
	b.want("/journal?about=desk&since=2026-05-01", "/journal", 200, `value="2026-05-01"`)
	b.want("/journal?about=desk&since=2026-05-01", "/journal", 200, "you came in person")
	b.want("/journal?actor=system&till=2026-04-01", "/journal", 200, "Nothing fits")
	b.want("/journal?since=yesterday", "/journal", 400, "Enter the first day")
	b.want("/journal?since=2026-05-02&till=2026-05-01", "/journal", 400, "not earlier than the first")
	w.write(t, func(ctx context.Context, tx pgx.Tx) error {
		entries := slices.Repeat([]journal.Entry{{Person: anna, At: noon, Kind: "signed_out", Actor: journal.Self}}, onePage+1)
		return journal.Append(ctx, tx, entries)
	})
	b.want("/journal?about=sign_ins", "/journal", 200, `href="/journal?about=sign_ins&from=`)
}

// An entry is shown whole, to its person only.
func TestAnEntryIsWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	w.lived(t)
	b := w.browser(t)
	path := "/journal/" + idOf(4).String()
	b.want("/sign-in?return="+path, path, 200, "Phone number")
	b.want(path, path, 200, "2026-05-03 21:00:00 UTC")
	b.want(path, path, 200, w.provider.URL+"/agreements")
	for _, other := range []string{"/journal/" + idOf(5).String(), "/journal/" + idOf(6).String(), "/journal/nowhere"} {
		b.want(other, other, 404, "Page not found")
	}
}

// What a citizen does not recognise is reported once, by the citizen alone, with an entry of its own; the page then tells what to do.
func TestWhatIsNotRecognisedIsReportedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	w.lived(t)
	b := w.browser(t)
	path := "/journal/" + idOf(2).String()
	b.want("/sign-in?return="+path, path, 200, "I do not recognise this")
	check := func(when string, want int) {
		t.Helper()
		var reports, entries int
		err := w.pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM report), (SELECT count(*) FROM journal WHERE kind = 'entry.reported')`).
			Scan(&reports, &entries)
		if err != nil || reports != want || entries != want {
			t.Errorf("%s: %d reports, %d entries, want %d; %v", when, reports, entries, want, err)
		}
	}
	press := func(id uuid.UUID, header http.Header) (int, string) {
		_, status, page := b.do(http.MethodPost, "/journal/"+id.String()+"/report", url.Values{}, header)
		return status, page
	}
	if status, _ := press(idOf(2), http.Header{"Sec-Fetch-Site": {"cross-site"}}); status != http.StatusForbidden {
		t.Errorf("another site's page reported: %d", status)
	}
	if status, _ := press(idOf(5), nil); status != http.StatusNotFound {
		t.Errorf("somebody else's entry was reported: %d", status)
	}
	for _, table := range []string{"report", "journal"} {
		heal := pgtest.FailOn(t, w.pool, "INSERT", table)
		if status, _ := press(idOf(2), nil); status != http.StatusInternalServerError {
			t.Errorf("reported over a broken %s: %d", table, status)
		}
		heal()
	}
	check("nothing is right yet", 0)
	for range 2 {
		if status, page := press(idOf(2), nil); status != 200 || !strings.Contains(page, "You said on") || !strings.Contains(page, w.provider.URL+"/block") {
			t.Errorf("%d:\n%s", status, page)
		}
	}
	check("pressed twice", 1)
	found, err := journal.Reports(t.Context(), w.pool, noon)
	if err != nil || len(found) != 1 || found[0].Entry != idOf(2) || found[0].Kind != "sign_in.refused" || found[0].Person != anna {
		t.Errorf("operators read %+v, %v", found, err)
	}
	b.want("/journal", "/journal", 200, "You do not recognise it")
}
