package cabinet

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
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
			{ID: idOf(1), Person: anna, At: day(1), Kind: "signed_in", Actor: journal.Self, ACR: "low"},
			{ID: idOf(2), Person: anna, At: day(2).Add(-time.Microsecond), Kind: "sign_in.refused", Actor: journal.Self},
			{ID: idOf(3), Person: anna, At: day(2), Kind: "desk.looked_up", Actor: journal.Staff, Office: "17", Detail: map[string]string{"purpose": "visit"}},
			{ID: idOf(4), Person: anna, At: day(3), Kind: "grant.given", Actor: journal.Self, ClientID: "pension", Detail: map[string]string{"scope": "openid phone"}},
			{ID: idOf(5), Person: uuid.New(), At: day(3), Kind: "signed_in", Actor: journal.Self},
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

// A table that spreadsheets open as it is meant: UTF-8 by its mark, lines as RFC 4180 says, and no formula of a stranger's. That it was taken
// stands in the journal before it is.
func TestJournalIsTakenAsATable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	w.lived(t)
	w.write(t, func(ctx context.Context, tx pgx.Tx) error {
		return journal.Append(ctx, tx, []journal.Entry{{Person: anna, At: noon, Kind: "grant.given", Actor: journal.Self, ClientID: "=HYPERLINK(\"http://x\")"}})
	})
	b := w.browser(t)
	take := func(form url.Values) (int, string) {
		_, status, body := b.do(http.MethodPost, "/journal/export", form, nil)
		return status, body
	}
	b.want("/sign-in?return=/journal", "/journal", 200, "Table (CSV)")
	for _, wrong := range []url.Values{{}, {"format": {"xml"}}, {"format": {"csv"}, "since": {"soon"}}} {
		if status, page := take(wrong); status != http.StatusBadRequest || !strings.Contains(page, "Nothing was taken") {
			t.Errorf("%v: %d", wrong, status)
		}
	}
	heal := pgtest.FailOn(t, w.pool, "INSERT", "journal")
	if status, body := take(url.Values{"format": {"csv"}}); status != http.StatusInternalServerError || strings.Contains(body, idOf(1).String()) {
		t.Errorf("taken without a record: %d", status)
	}
	heal()
	status, body := take(url.Values{"format": {"csv"}, "till": {"2026-05-03"}})
	if want := `filename="journal-2023-05-12--2026-05-03.csv"`; !strings.Contains(b.took, want) {
		t.Errorf("it is %s, want %s", b.took, want)
	}
	text, marked := strings.CutPrefix(body, "\ufeff")
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if status != http.StatusOK || !marked || err != nil || len(lines) != 4 || strings.Count(text, "\r\n") != 4 {
		t.Fatalf("%d, marked %t, %d lines, %v:\n%s", status, marked, len(lines), err, text)
	}
	if got, want := lines[1][:5], []string{idOf(3).String(), "2026-05-03 00:00:00", "2026-05-02 21:00:00", "A clerk looked up how your identifier stands: you came in person", "A clerk"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, body = take(url.Values{"format": {"csv"}, "about": {"services"}}); !strings.Contains(body, `"'=HYPERLINK(`) {
		t.Errorf("a formula:\n%s", body)
	}
	b.want("/journal", "/journal", 200, "You took this journal with you, as a table")
}

// A signed file is proved by what /jwks says (RFC 7515), whatever is its length, and by nothing else once a byte of it is another.
func TestJournalIsTakenSigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	w.lived(t)
	const many = 1500
	w.write(t, func(ctx context.Context, tx pgx.Tx) error {
		return journal.Append(ctx, tx, slices.Repeat([]journal.Entry{{Person: anna, At: noon.Add(-time.Hour), Kind: "signed_out", Actor: journal.Self}}, many))
	})
	b := w.browser(t)
	b.want("/sign-in?return=/journal", "/journal", 200, "Signed file")
	_, status, body := b.do(http.MethodPost, "/journal/export", url.Values{"format": {"json"}}, nil)
	if want := `filename="journal-2023-05-12--2026-05-12.jws"`; !strings.Contains(b.took, want) {
		t.Errorf("it is %s, want %s", b.took, want)
	}
	if err := w.keys.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, published := w.call(t, "/jwks", "")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(published, &set); err != nil || len(set.Keys) != 2 || !set.Keys[0].IsPublic() || !set.Keys[1].IsPublic() {
		t.Fatalf("%s, %v", published, err)
	}
	jws, err := jose.ParseSignedCompact(body, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || status != http.StatusOK || jws.Signatures[0].Header.ExtraHeaders[jose.HeaderType] != exportType {
		t.Fatalf("%d, %v", status, err)
	}
	payload, err := jws.Verify(set)
	if err != nil {
		t.Fatal(err)
	}
	var told struct {
		Iss, Sub string
		Iat      int64
		Entries  []apiEntry
	}
	if err := json.Unmarshal(payload, &told); err != nil || told.Iss != w.url || told.Sub != annasNumber || told.Iat != noon.Unix() || len(told.Entries) != many+6 {
		t.Errorf("%d entries, %v: %.300s", len(told.Entries), err, payload)
	}
	for i := 1; i < len(told.Entries); i++ {
		if told.Entries[i].At.After(told.Entries[i-1].At) {
			t.Errorf("entry %d is later than the one before", i)
		}
	}
	dot := strings.LastIndex(body, ".")
	for _, at := range []int{dot - 40, dot + 10} {
		other := body[:at] + map[bool]string{true: "B", false: "A"}[body[at] == 'A'] + body[at+1:]
		if jws, err := jose.ParseSignedCompact(other, []jose.SignatureAlgorithm{jose.ES256}); err == nil {
			if _, err := jws.Verify(set); err == nil {
				t.Errorf("byte %d may be another", at)
			}
		}
	}
}

// What is older than citizens are shown is shown nowhere.
func TestWhatIsTooOldIsNotShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	w.write(t, func(ctx context.Context, tx pgx.Tx) error {
		return journal.Append(ctx, tx, []journal.Entry{
			{ID: idOf(1), Person: anna, At: noon.AddDate(-3, 0, -1), Kind: "password.changed", Actor: journal.Self},
			{ID: idOf(2), Person: anna, At: noon.AddDate(-3, 0, 1), Kind: "signed_out", Actor: journal.Self},
		})
	})
	b := w.browser(t)
	b.want("/sign-in?return=/journal", "/journal", 200, "You signed out")
	_, _, page := b.open("/journal?since=2000-01-01")
	if strings.Contains(page, "password was changed") {
		t.Errorf("too old:\n%s", page)
	}
	b.want("/journal/"+idOf(2).String(), "/journal/"+idOf(2).String(), 200, "You signed out")
	b.want("/journal/"+idOf(1).String(), "/journal/"+idOf(1).String(), 404, "Page not found")
}
