package cabinet

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
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

	"asoba.example/cabinet/dispute"
	"asoba.example/cabinet/journal"
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
	for _, change := range []string{"Before: Belarus. Now: stateless.", "Before: stateless. Now: Poland."} {
		b.want("/profile/values/citizenship", "/profile/values/citizenship", 200, change)
	}

	_, _, taken := b.do(http.MethodPost, "/profile/data/export", url.Values{}, nil)
	jws, err := jose.ParseSignedCompact(taken, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	_, shown := w.call(t, "/api/v1/journal", w.provider.AccessToken(w.url, signIn()))
	for of, text := range map[string][]byte{"the export": jws.UnsafePayloadWithoutVerification(), "the journal's API": shown} {
		var told struct{ Entries []apiEntry }
		if err := json.Unmarshal(text, &told); err != nil {
			t.Fatalf("%s: %v: %s", of, err, text)
		}
		var were []string // the latest first
		for _, e := range told.Entries {
			if e.Detail["field"] == "citizenship" {
				were = append(were, e.Detail["old"])
			}
		}
		if !slices.Equal(were, []string{"stateless", "BY"}) {
			t.Errorf("%s tells that the citizenship was %v: %s", of, were, text)
		}
	}

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

// However often a value has changed, its changes are all shown, by pages, and those of no other value among them.
func TestChangesOfAValueAreShownByPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	const others = 250
	for i := range onePage + 1 {
		w.write(t, func(ctx context.Context, tx pgx.Tx) error {
			citizenship := []string{"PL", "LT"}[i%2]
			return profile.Apply(ctx, tx, []profile.Person{{ID: anna, Number: annasNumber, Sex: "F", BirthDate: "1956-03", Citizenship: citizenship}}, noon.Add(time.Duration(i)*time.Second))
		})
	}
	w.write(t, func(ctx context.Context, tx pgx.Tx) error {
		return journal.Append(ctx, tx, slices.Repeat([]journal.Entry{{
			Person: anna, At: noon.Add(time.Hour), Kind: journal.ProfileChanged, Actor: journal.System, Detail: map[string]string{"field": "sex", "old": "F", "new": "M"},
		}}, others))
	})
	const path = "/profile/values/citizenship"
	b := w.browser(t)
	b.want("/sign-in?return="+path, path, 200, "Earlier entries")
	_, _, page := b.open(path)
	if n := strings.Count(page, "Source: the population register."); n != onePage {
		t.Errorf("%d changes are shown, want %d:\n%s", n, onePage, page)
	}
	_, older, _ := strings.Cut(page, `href="`+path+"?from=")
	older, _, _ = strings.Cut(older, "#changes\"")
	b.want(path+"?from="+older, path, 200, "Before: Belarus. Now: Poland.")
	_, _, page = b.open(path + "?from=" + older)
	if n := strings.Count(page, "Source: the population register."); n != 1 || strings.Contains(page, "Earlier entries") || !strings.Contains(page, `href="`+path+`#changes"`) {
		t.Errorf("%d changes are shown on the last page, want 1, and the way back to the first:\n%s", n, page)
	}
	b.want(path+"?from=nowhere", path, 404, "Page not found")
}

// What a citizen gives is theirs: kept sealed, whole or not at all, told in the journal once, changed by nobody else's page,
// and given to no e-service. The language they like is the cabinet's wherever they sign in.
func TestContactDataAreTheCitizensOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/sign-in?return=/settings", "/settings", 200, "they never prove who you are")
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
		_, status, page := b.do(http.MethodPost, "/settings", url.Values{"email": {email}, "phone": {phone}, "language": {language}}, header)
		return status, page
	}
	const email, phone = "anna@example.com", "8 029 491-19-11"
	status, page := give("anna", "17", "pl", nil)
	for _, says := range []string{"Enter an e-mail address", "Enter a Belarusian mobile number", "Choose a language", `value="anna"`} {
		if status != http.StatusBadRequest || !strings.Contains(page, says) {
			t.Errorf("what is wrong: got %d, want 400, %q in:\n%s", status, says, page)
		}
	}
	if _, status, _ := b.do(http.MethodPost, "/settings", url.Values{"email": {email}}, nil); status != http.StatusBadRequest {
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
	for _, fault := range []struct{ verb, table string }{{"DELETE", "contact"}, {"INSERT", "journal"}} {
		heal := pgtest.FailOn(t, w.pool, fault.verb, fault.table)
		if status, _ := give("", "", "", nil); status != http.StatusInternalServerError {
			t.Errorf("taken back over a broken %s: %d", fault.table, status)
		}
		heal()
		check("taken back over a broken "+fault.table, 1, 1)
	}
	if status, _ := give("", "", "", nil); status != 200 {
		t.Errorf("taking back: %d", status)
	}
	check("taken back", 0, 2)
}

// Who likes large type reads all pages of the cabinet in it, wherever they sign in, until they like it no more; whoever signs in after them does not.
func TestLargeTypeIsOnEveryPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b, other := w.browser(t), w.browser(t)
	const large = `class="govuk-template site-large"`
	shows := func(b *browser, want bool, paths ...string) {
		t.Helper()
		for _, path := range paths {
			if _, _, page := b.open(path); strings.Contains(page, large) != want {
				t.Errorf("%s: in large type %t, want %t:\n%s", path, !want, want, page)
			}
		}
	}
	give := func(email string, yes bool) (status int, page string) {
		form := url.Values{"email": {email}, "phone": {""}, "language": {""}}
		if yes {
			form.Set("large", "yes")
		}
		_, status, page = b.do(http.MethodPost, "/settings", form, nil)
		return status, page
	}
	shows(b, false, "/sign-in?return=/settings", "/profile")
	if status, page := give("nobody", true); status != http.StatusBadRequest || !strings.Contains(page, "checked") || strings.Contains(page, large) {
		t.Errorf("beside a wrong address: %d\n%s", status, page)
	}
	if status, page := give("", true); status != 200 || !strings.Contains(page, large) {
		t.Errorf("chosen: %d\n%s", status, page)
	}
	shows(b, true, "/", "/profile", "/settings", "/journal", "/services", "/nowhere")
	b.want("/settings", "/settings", 200, "checked")
	shows(other, false, "/")
	shows(other, true, "/sign-in?return=/profile", "/journal")
	if status, page := give("", false); status != 200 || strings.Contains(page, large) {
		t.Errorf("chosen no more: %d\n%s", status, page)
	}
	shows(other, true, "/profile")
	shows(other, false, "/sign-in?return=/profile", "/journal")
}

// On the occasions of order 82, p. 12 other systems are asked what they know of a citizen, though the citizen has no name here: at the primary
// sign-in, and as an e-service says. Nobody waits for them, the page and the API tell each value with its source, date and basis, and while a
// source is away its last word, dated.
func TestOtherSystemsAreAskedOnTheirOccasions(t *testing.T) {
	t.Parallel()
	answer := `{"at": "2026-05-11T09:00:00Z", "values": {"name_be": "Янка Купала", "address": "Мінск"}}`
	status := http.StatusOK
	documents := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(documents.Close)
	source := profile.Source{
		Name: "documents", Title: journal.Names{"en": "Register of documents"}, Basis: journal.Names{"en": "decree 7"}, URL: documents.URL,
		Values: []string{"name_be", "address"},
	}
	w := newWorld(t, source)
	refresh := func() error { return w.asker.Refresh(t.Context(), source) }
	w.call(t, "/api/v1/profile", w.provider.AccessToken(w.url, signIn())) // the primary sign-in was at an e-service
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/sign-in?return=/profile", "/profile", 200, "Why is my name not here?")
	if err := refresh(); err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{
		"Янка Купала", "Register of documents, as of 11 May 2026 (decree 7)", "Before: none. Now: Мінск. Source: Register of documents.",
	} {
		b.want("/profile", "/profile", 200, says)
		b.want("/journal?about=profile", "/journal", 200, "Before: none. Now: Мінск. Source: Register of documents.")
	}
	b.want("/", "/", 200, "Now: Янка Купала")
	b.want("/profile/data", "/profile/data", 200, "Values: 2.")

	type told struct {
		Values  map[string]string
		Sources map[string]struct {
			Source, Basis string
			AsOf          time.Time `json:"as_of"`
			HeardAt       time.Time `json:"heard_at"`
			Silent        time.Time `json:"silent_since"`
		}
	}
	order := func(occasion string, status int) (got told) {
		t.Helper()
		answer, body := w.post(t, "/api/v1/profile/refreshes", w.provider.AccessToken(w.url, signIn()), `{"occasion": "`+occasion+`"}`)
		if answer.StatusCode != status {
			t.Errorf("%s: %d %s", occasion, answer.StatusCode, body)
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	before := w.entries(t)
	order("curiosity", 400)
	order("primary_sign_in", 400)
	if w.entries(t) != before {
		t.Error("what was refused stands in the journal")
	}
	answer, status = "away", http.StatusBadGateway
	w.later.Store(int64(time.Hour))
	w.hear(t, noon.Add(time.Hour))
	order("application", 200)
	if refresh() == nil {
		t.Error("it is not away")
	}
	got := order("complaint", 200)
	says := got.Sources["name_be"]
	if got.Values["name_be"] != "Янка Купала" || says.Source != "documents" || says.Basis != "decree 7" || !says.AsOf.Equal(noon.Add(-24*time.Hour)) ||
		!says.HeardAt.Equal(noon) || !says.Silent.Equal(noon.Add(time.Hour)) {
		t.Errorf("while it is away: %+v", got)
	}
	b = w.browser(t)
	b.want("/sign-in?return=/profile", "/profile", 200, "Since 12 May 2026, 13:00. This is what it said last.")
	b.want("/journal", "/journal", 200, "A site had your profile brought up to date and read it")

	lately := signIn()
	lately["auth_time"] = noon.Add(time.Hour).Unix()
	_, body := w.call(t, "/api/v1/journal", w.provider.AccessToken(w.url, lately))
	if bytes.Contains(body, []byte("Купала")) || !bytes.Contains(body, []byte(`"source":"documents"`)) {
		t.Errorf("the journal gives e-services more than that something changed: %s", body)
	}
}

// A citizen says in their own words that a value is wrong, though they have no name; it stands at the value until it is answered, on the page and
// to e-services, which are not given the value where the citizen wants so. Another's values are not theirs to dispute, and no other site's page
// disputes any.
func TestAWrongValueIsDisputed(t *testing.T) {
	t.Parallel()
	documents := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"at": "2026-05-11T09:00:00Z", "values": {"address": "Мінск"}}`)
	}))
	t.Cleanup(documents.Close)
	source := profile.Source{Name: "documents", Title: journal.Names{"": "Register of documents"}, Basis: journal.Names{"": "82"}, URL: documents.URL, Values: []string{"address"}}
	w := newWorld(t, source)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/sign-in?return=/profile/values/citizenship", "/profile/values/citizenship", 200, "What is wrong, and how it should be")
	if err := w.asker.Refresh(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	for _, nothing := range []string{"incapable", "name_ru", "password", "sub"} {
		b.want("/profile/values/"+nothing, "/profile/values/"+nothing, 404, "Page not found")
	}
	act := func(value string, form url.Values, header http.Header) (int, string) {
		t.Helper()
		_, status, page := b.do(http.MethodPost, "/profile/values/"+value, form, header)
		return status, page
	}
	type told struct {
		Citizenship string
		Values      map[string]string
		Changes     []struct{ Value, Old, New, Source string }
		Sources     map[string]struct {
			DisputedAt time.Time `json:"disputed_at"`
			Restricted bool
		}
	}
	order := func() (got told) { // the same, each time
		t.Helper()
		_, body := w.send(t, http.MethodPost, "/api/v1/profile/refreshes", `{"occasion": "order"}`, http.Header{
			"Authorization": {"Bearer " + w.provider.AccessToken(w.url, signIn())}, "Content-Type": {"application/json"}, "Idempotency-Key": {"an order"},
		})
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := order(); got.Values["address"] != "Мінск" {
		t.Errorf("an order is answered %+v", got)
	}
	words := url.Values{"words": {"I have moved.\r\nTo Brest."}, "restricts": {"yes"}}
	if status, page := act("address", url.Values{"words": {" "}, "restricts": {"yes"}}, nil); status != http.StatusBadRequest ||
		!strings.Contains(page, "Write what is wrong") || !strings.Contains(page, "checked") {
		t.Errorf("of no words: %d\n%s", status, page)
	}
	if status, _ := act("address", words, http.Header{"Sec-Fetch-Site": {"cross-site"}}); status != http.StatusForbidden {
		t.Errorf("another site's page disputed a value: %d", status)
	}
	if status, _ := act("name_ru", words, nil); status != http.StatusNotFound {
		t.Errorf("what is not there was disputed: %d", status)
	}
	b.want("/profile", "/profile", 200, "Мінск")
	for value, says := range map[string]string{"address": "Sites are not given this value for now.", "citizenship": "Received: the operator will send it"} {
		if status, page := act(value, words, nil); status != 200 || !strings.Contains(page, says) || !strings.Contains(page, "I have moved.<br>To Brest.") {
			t.Errorf("%s: %d\n%s", value, status, page)
		}
	}
	b.want("/profile", "/profile", 200, "You dispute it")
	b.want("/profile/data", "/profile/data", 200, "Disputes: 2.")
	b.want("/journal", "/journal", 200, "You reported a mistake in your profile")

	read := func(path string) (got told) {
		t.Helper()
		_, body := w.call(t, path, w.provider.AccessToken(w.url, signIn()))
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := read("/api/v1/profile")
	if got.Values["address"] != "" || !got.Sources["address"].Restricted || !got.Sources["address"].DisputedAt.Equal(noon) {
		t.Errorf("the address is withheld: %+v", got)
	}
	if again := order(); again.Values["address"] != "" || again.Sources["address"] != got.Sources["address"] {
		t.Errorf("whoever did not hear is answered what is withheld since: %+v", again)
	}
	if got.Citizenship != "BY" || got.Sources["citizenship"].Restricted || !got.Sources["citizenship"].DisputedAt.Equal(noon) {
		t.Errorf("the citizenship is disputed: %+v", got)
	}
	if got := read("/api/v1/profile/changes"); len(got.Changes) != 0 {
		t.Errorf("what the address was is told: %+v", got)
	}

	if status, page := act("address", url.Values{"decision": {"withdraw"}}, nil); status != 200 || !strings.Contains(page, "You took it back") {
		t.Errorf("withdrawn: %d\n%s", status, page)
	}
	if got := read("/api/v1/profile"); got.Values["address"] != "Мінск" || !got.Sources["address"].DisputedAt.IsZero() {
		t.Errorf("withdrawn: %+v", got)
	}
	if again := order(); again.Values["address"] != "Мінск" {
		t.Errorf("withdrawn, whoever did not hear is answered %+v", again)
	}
	got = read("/api/v1/profile/changes")
	if len(got.Changes) != 1 || got.Changes[0].Value != "address" || got.Changes[0].Old != "" || got.Changes[0].New != "Мінск" || got.Changes[0].Source != "documents" {
		t.Errorf("changes: %+v", got)
	}
	var id uuid.UUID
	if err := w.pool.QueryRow(t.Context(), `SELECT id FROM dispute WHERE ended_at IS NULL`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	operators := dispute.Book{Pool: w.pool, Box: w.cabinet.cfg.Disputes.Box}
	if _, err := operators.Send(t.Context(), id, "Operator", noon); err != nil {
		t.Fatal(err)
	}
	if err := operators.Answer(t.Context(), id, dispute.Answer{Outcome: dispute.Upheld, Words: "Your passport says so.", By: "Operator", At: noon}); err != nil {
		t.Fatal(err)
	}
	b.want("/profile/values/citizenship", "/profile/values/citizenship", 200, "Your passport says so.")
	b.want("/profile/data", "/profile/data", 200, "The operator of the cabinet")
}
