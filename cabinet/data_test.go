package cabinet

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/access"
	"asoba.example/cabinet/contact"
	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/cabinet/signal"
	"asoba.example/migrations/pgtest"
)

// Citizens see what is held about them and who was given it, and take all of it with them, signed: their own and nobody
// else's, whether or not there is anything, and though they have no name (law 99-Z, art. 11 and 12).
func TestWhatIsHeldIsToldAndTakenWhole(t *testing.T) {
	t.Parallel()
	documents := httptest.NewServer(http.NotFoundHandler()) // it is asked, and away
	t.Cleanup(documents.Close)
	source := profile.Source{
		Name: "documents", Title: journal.Names{"": "Register of documents"}, Basis: journal.Names{"": "82"}, URL: documents.URL, Values: []string{"address"},
	}
	w := newWorld(t, source)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/sign-in?return=/profile/data", "/profile/data", 200, "Nobody, since 10 May 2026")

	// Of each of these something is told below.
	const tables = `
		SELECT array_agg(table_name::text ORDER BY table_name) FROM information_schema.columns
		WHERE table_schema = current_schema() AND column_name = 'person_id' AND table_name !~ '^journal_'`
	var got []string
	err := w.pool.QueryRow(t.Context(), tables).Scan(&got)
	if want := []string{"cabinet", "contact", "dispute", "journal", "profile_change", "profile_value", "reader", "refresh", "report", "signal"}; err != nil || !slices.Equal(got, want) {
		t.Fatalf("tables that hold something of a person: got %q, want %q; %v", got, want, err)
	}

	boris, borisNumber := uuid.MustParse("018f0000-0000-7000-8000-000000000002"), "7000000A000PB1"
	w.lived(t)
	w.write(t, func(ctx context.Context, tx pgx.Tx) error {
		if err := profile.Apply(ctx, tx, []profile.Person{{ID: boris, Number: borisNumber, Sex: "M", BirthDate: "1990", Citizenship: "PL"}}, noon); err != nil {
			return err
		}
		if err := journal.Name(ctx, tx, map[string]journal.Names{"pension": {"": "Pension fund"}}); err != nil {
			return err
		}
		return journal.Append(ctx, tx, []journal.Entry{
			{ID: idOf(6), Person: anna, At: noon.Add(-time.Hour), Kind: "grant.given", Actor: journal.Self, ClientID: "pension", Detail: map[string]string{"claims": "birthdate"}},
			{ID: idOf(7), Person: anna, At: noon, Kind: journal.ProfileRead, Actor: journal.Client, ClientID: "pension"},
			{ID: idOf(8), Person: anna, At: noon.AddDate(-3, 0, -1), Kind: journal.ProfileRead, Actor: journal.Client, ClientID: "forgotten"},
			{ID: idOf(10), Person: anna, At: noon, Kind: journal.DeskRefused, Actor: journal.Staff, Office: "17", Detail: map[string]string{"act": "unblock", "code": "g1"}},
			{ID: idOf(9), Person: boris, At: noon, Kind: journal.ProfileRead, Actor: journal.Client, ClientID: "bank"},
		})
	})
	w.write(t, func(ctx context.Context, tx pgx.Tx) error {
		grants := []signal.Grant{
			{ID: idOf(11), Person: anna, ClientID: "tax", Scope: "offline_access cabinet.profile", At: noon},
			{ID: idOf(12), Person: boris, ClientID: "bank", Scope: "offline_access cabinet.profile", At: noon},
		}
		if err := signal.Hold(ctx, tx, grants, noon); err != nil {
			return err
		}
		return signal.Tell(ctx, tx, map[uuid.UUID][]string{anna: {"sex"}, boris: {"sex"}}, noon)
	})
	for number, given := range map[string]contact.Contact{annasNumber: {Email: "anna@example.com"}, borisNumber: {Email: "boris@example.com"}} {
		if err := w.cabinet.cfg.Contacts.Give(t.Context(), number, given, "low", noon); err != nil {
			t.Fatal(err)
		}
	}
	for number, entry := range map[string]uuid.UUID{annasNumber: idOf(2), borisNumber: idOf(9)} {
		if err := (journal.Report{Entry: entry, At: noon}).Make(t.Context(), w.pool, number); err != nil {
			t.Fatal(err)
		}
	}
	if w.asker.Refresh(t.Context(), source) == nil {
		t.Error("it is not away")
	}
	w.end(t, access.Ended{ID: anna, At: noon.Add(-30 * time.Minute)}) // before this sign-in

	for _, says := range []string{
		"Entries that you can see: 10", "Reports: 1", "Told: 1", "5 years at least; you can see and take the last 3 years",
		"Pension fund", "2 times, last on 12 May 2026", "Date of birth", "1 time, on 12 May 2026", "Issuing office 17", "The issuing service refused to unblock the identifier",
		"May read your profile while you are away, since 12 May 2026", "1 notice that the profile or the access to it changed, on 12 May 2026",
		"Register of documents", "Your identifier, to learn what is known of you there", "Last on 12 May 2026, 12:00: your first sign-in", w.provider.URL + "/agreements",
	} {
		b.want("/profile/data", "/profile/data", 200, says)
	}
	w.trips.Take()
	_, _, page := b.open("/profile/data")
	if trips := w.trips.Take(); trips != 1 {
		t.Errorf("%d round trips to PostgreSQL, want 1", trips)
	}

	take := func(b *browser, header http.Header) (*url.URL, int, string) {
		return b.do(http.MethodPost, "/profile/data/export", url.Values{}, header)
	}
	if _, status, _ := take(b, http.Header{"Sec-Fetch-Site": {"cross-site"}}); status != http.StatusForbidden {
		t.Errorf("another site's page took it: %d", status)
	}
	heal := pgtest.FailOn(t, w.pool, "INSERT", "journal")
	if _, status, _ := take(b, nil); status != http.StatusInternalServerError {
		t.Errorf("taken without a record: %d", status)
	}
	heal()
	_, status, body := take(b, nil)
	_, published := w.call(t, "/jwks", "")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(published, &set); err != nil {
		t.Fatal(err)
	}
	jws, err := jose.ParseSignedCompact(body, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || status != http.StatusOK || jws.Signatures[0].Header.ExtraHeaders[jose.HeaderType] != dataType {
		t.Fatalf("%d, %v: %.300s", status, err, body)
	}
	payload, err := jws.Verify(set)
	if err != nil {
		t.Fatal(err)
	}
	for _, others := range []string{borisNumber, boris.String(), "boris@example.com", "bank", idOf(5).String(), idOf(9).String(), "forgotten"} {
		if strings.Contains(page, others) || strings.Contains(string(payload), others) {
			t.Errorf("it tells of %q:\n%s\n%s", others, page, payload)
		}
	}
	var told struct {
		dataFile
		Entries []apiEntry
	}
	if err := json.Unmarshal(payload, &told); err != nil {
		t.Fatal(err)
	}
	if told.Issuer != w.url || told.Subject != annasNumber || told.Profile.BirthDate != "1956-03" || !told.Created.Equal(noon.Add(-48*time.Hour)) {
		t.Errorf("who and what the register says: %s", payload)
	}
	if told.Contact.Email != "anna@example.com" || !told.Contact.GivenAt.Equal(noon) || !told.SignIn.At.Equal(noon) || told.SignIn.ACR != "substantial" {
		t.Errorf("contact data and the sign-in: %s", payload)
	}
	if len(told.Reports) != 1 || told.Reports[0].Entry != idOf(2) || !told.Ended.Equal(noon.Add(-30*time.Minute)) {
		t.Errorf("reports and ends: %s", payload)
	}
	if asked := told.Asked["documents"]; !asked.At.Equal(noon) || asked.For != profile.PrimarySignIn || !asked.Silent.Equal(noon) {
		t.Errorf("who was asked: %s", payload)
	}
	if len(told.Readers) != 1 || told.Readers[0] != (reader{"tax", noon}) || len(told.Signals) != 1 || !slices.Equal(told.Signals[0].Fields, []string{"sex"}) {
		t.Errorf("who may read, and what they were told: %s", payload)
	}
	// The entries of lived, those above, the reported, the contact data, the activation, and that it was taken.
	if len(told.Recipients) != 2 || len(told.Entries) != 11 || told.Entries[0].Kind != journal.DataExported {
		t.Errorf("%d recipients, %d entries: %s", len(told.Recipients), len(told.Entries), payload)
	}
	b.want("/journal", "/journal", 200, "You took all your data with you")

	// A stranger is asked to sign in first, and comes back to the page.
	if at, status, body := take(w.browser(t), nil); at.Path != "/profile/data" || status != http.StatusOK || !strings.Contains(body, "What is held about you") {
		t.Errorf("a stranger was led to %s, %d:\n%s", at, status, body)
	}
}
