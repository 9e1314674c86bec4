package cabinet

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/profile"
	"asoba.example/migrations/pgtest"
)

// Each official value tells since when it has stood so, and every change of one is told to the citizen: what it was, and
// what it is.
func TestOfficialValuesTellWhenceTheyAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/sign-in?return=/profile", "/profile", 200, "Population register, since 10 May 2026")
	b.want("/profile", "/profile", 200, "Nothing has changed since 10 May 2026")

	for i, citizenship := range []string{"stateless", "PL"} {
		w.write(t, func(ctx context.Context, tx pgx.Tx) error {
			return profile.Apply(ctx, tx, []profile.Person{{
				ID: anna, Number: annasNumber, Sex: "F", BirthDate: "1956-03", Citizenship: citizenship,
			}}, noon.Add(time.Duration(i)*24*time.Hour))
		})
	}
	b.want("/profile", "/profile", 200, "Population register, since 13 May 2026")
	b.want("/profile", "/profile", 200, "Before: stateless. Now: Poland. Source: the population register.")
	b.want("/profile", "/profile", 200, "Before: Belarus. Now: stateless.")

	_, body := w.call(t, "/api/v1/profile", w.provider.AccessToken(w.url, signIn()))
	var got struct {
		Sources map[string]struct{ Since time.Time }
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	for member, want := range map[string]time.Time{
		"sub": noon.Add(-48 * time.Hour), "sex": noon.Add(-48 * time.Hour), "birth_date": noon.Add(-48 * time.Hour),
		"citizenship": noon.Add(24 * time.Hour), "limited_since": {}, // which is not so any more
	} {
		if since := got.Sources[member].Since; !since.Equal(want) {
			t.Errorf("%s: since %v, want %v", member, since, want)
		}
	}
}

// What a citizen gives is theirs: kept sealed, whole or not at all, told in the journal once, changed by nobody else's page,
// and given to no e-service. The language they like is the cabinet's wherever they sign in.
func TestContactDataAreTheCitizensOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/sign-in?return=/profile/contact", "/profile/contact", 200, "they never prove who you are")
	b.want("/profile", "/profile", 200, "not given")
	check := func(when string, rows, entries int) {
		t.Helper()
		var gotRows, gotEntries int
		err := w.pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM contact), (SELECT count(*) FROM journal WHERE kind = 'contact.given')`).
			Scan(&gotRows, &gotEntries)
		if err != nil || gotRows != rows || gotEntries != entries {
			t.Errorf("%s: %d rows, %d entries, want %d, %d; %v", when, gotRows, gotEntries, rows, entries, err)
		}
	}
	give := func(email, phone, language string, header http.Header) (int, string) {
		_, status, page := b.do(http.MethodPost, "/profile/contact", url.Values{"email": {email}, "phone": {phone}, "language": {language}}, header)
		return status, page
	}
	const email, phone = "anna@example.com", "8 029 491-19-11"
	status, page := give("anna", "17", "pl", nil)
	for _, says := range []string{"Enter an e-mail address", "Enter a Belarusian mobile number", "Choose a language", `value="anna"`} {
		if status != http.StatusBadRequest || !strings.Contains(page, says) {
			t.Errorf("what is wrong: got %d, want 400, %q in:\n%s", status, says, page)
		}
	}
	if _, status, _ := b.do(http.MethodPost, "/profile/contact", url.Values{"email": {email}}, nil); status != http.StatusBadRequest {
		t.Errorf("half a form was taken: %d", status)
	}
	if status, _ := give(email, phone, "be", http.Header{"Sec-Fetch-Site": {"cross-site"}}); status != http.StatusForbidden {
		t.Errorf("another site's page gave contact data: %d", status)
	}
	for _, table := range []string{"contact", "journal"} {
		heal := pgtest.FailOn(t, w.pool, "INSERT", table)
		if status, _ := give(email, phone, "be", nil); status != http.StatusInternalServerError {
			t.Errorf("given over a broken %s: %d", table, status)
		}
		heal()
	}
	check("nothing is right yet", 0, 0)
	for range 2 {
		status, page := give(email, phone, "be", nil)
		if status != 200 || !strings.Contains(page, email) || !strings.Contains(page, "+375294911911") || !strings.Contains(page, "Пазначана вамі") {
			t.Errorf("%d:\n%s", status, page)
		}
	}
	check("given twice", 1, 1)
	w.browser(t).want("/sign-in?return=/profile", "/profile", 200, "Пазначана вамі")

	var kept []byte
	err := w.pool.QueryRow(t.Context(), `SELECT convert_to(contact::text, 'UTF8') || email || phone FROM contact`).Scan(&kept)
	if err != nil || bytes.Contains(kept, []byte("anna@")) || bytes.Contains(kept, []byte("4911911")) {
		t.Errorf("it lies open: %s, %v", kept, err)
	}
	for _, path := range []string{"/api/v1/profile", "/api/v1/journal"} {
		_, body := w.call(t, path, w.provider.AccessToken(w.url, signIn()))
		if bytes.Contains(body, []byte("anna@")) || bytes.Contains(body, []byte("4911911")) {
			t.Errorf("an e-service is given it: %s", body)
		}
	}
	if status, _ := give("", "", "", nil); status != 200 {
		t.Errorf("taking back: %d", status)
	}
	check("taken back", 0, 2)
}
