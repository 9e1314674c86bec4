package cabinet

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/access"
	"asoba.example/cabinet/catalogue"
)

// stock brings the sample of the catalogue into force.
func (w *world) stock(t *testing.T) {
	t.Helper()
	e, err := catalogue.Parse(catalogue.Sample)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := catalogue.Import(t.Context(), w.pool, e, 0, "Anna", noon); err != nil {
		t.Fatal(err)
	}
}

// The catalogue is everybody's: a client reads it by its own token, and a citizen's token leaves nothing in the journal.
// All the same it is read by no client that the provider has disabled.
func TestTheCatalogueIsEverybodys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stock(t)
	own := map[string]any{"sub": "service", "client_id": "service", "scope": "cabinet.services.read"}
	persons := maps.Clone(signIn())
	persons["scope"] = "cabinet.services"
	w.call(t, "/api/v1/services", w.provider.AccessToken(w.url, own)) // the first of a node reads what all others find in memory
	for _, path := range []string{"/api/v1/services", "/api/v1/services?q=паспрот", "/api/v1/services/200.8.1", "/api/v1/bodies"} {
		for story, claims := range map[string]map[string]any{"a client's own token": own, "a citizen's token": persons} {
			w.trips.Take()
			if answer, _ := w.call(t, path, w.provider.AccessToken(w.url, claims)); answer.StatusCode != http.StatusOK {
				t.Errorf("%s, %s: got %s", path, story, answer.Status)
			}
			if got := w.trips.Take(); got != 1 {
				t.Errorf("%s, %s: %d round trips, want 1", path, story, got)
			}
		}
	}
	var visits int
	w.write(t, func(ctx context.Context, tx pgx.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM journal WHERE actor = 'client'`).Scan(&visits)
	})
	if visits != 0 {
		t.Errorf("reading what is everybody's left %d entries in a citizen's journal", visits)
	}
	refused := func(story string, claims map[string]any, status int) {
		t.Helper()
		if answer, _ := w.call(t, "/api/v1/bodies", w.provider.AccessToken(w.url, claims)); answer.StatusCode != status {
			t.Errorf("%s: got %s, want %d", story, answer.Status, status)
		}
	}
	silence(t, w)
	refused("the feed is silent, and the provider says that the token is good", own, 200)
	w.provider.Inactive(true)
	refused("the feed is silent, and the provider says that it is not", own, 401)
	w.hear(t, noon)
	w.end(t, access.Ended{ID: anna, At: noon})
	refused("signed in before a block", persons, 401)
	w.write(t, func(ctx context.Context, tx pgx.Tx) error {
		return access.Disable(ctx, tx, []access.Disabled{{ClientID: "service", Now: true, At: noon}})
	})
	refused("the client is disabled", own, 401)
}

// The catalogue is read by pages, in the caller's language, and what was kept is asked about again by its ETag
// (RFC 9110 §13.1.2).
func TestReadingTheCatalogue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stock(t)
	bearer := "Bearer " + w.provider.AccessToken(w.url, map[string]any{"sub": "service", "scope": "cabinet.services"})
	read := func(path string, status int, header ...string) (*http.Response, map[string]any) {
		t.Helper()
		h := http.Header{"Authorization": {bearer}}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		answer, body := w.send(t, http.MethodGet, path, "", h)
		if answer.StatusCode != status {
			t.Errorf("%s: got %s, want %d: %s", path, answer.Status, status, body)
		}
		var value map[string]any
		if len(body) > 0 {
			if err := json.Unmarshal(body, &value); err != nil {
				t.Fatal(err)
			}
		}
		return answer, value
	}
	names := func(value map[string]any, list, member string) (all []string) {
		for _, one := range value[list].([]any) {
			all = append(all, one.(map[string]any)[member].(string))
		}
		return all
	}

	_, first := read("/api/v1/services?limit=2", 200)
	_, second := read("/api/v1/services?limit=2&after="+first["next"].(string), 200)
	if got := slices.Concat(names(first, "services", "code"), names(second, "services", "code")); !slices.Equal(got, []string{"200.1.1", "200.1.2", "200.1.3", "200.1.4"}) {
		t.Errorf("two pages: %s", got)
	}
	_, bodies := read("/api/v1/bodies?limit=1", 200, "Accept-Language", "en")
	if got := names(bodies, "bodies", "name"); !slices.Equal(got, []string{"Area archive (sample)"}) || bodies["next"] != "archive" {
		t.Errorf("bodies: %s, next %s", got, bodies["next"])
	}
	_, found := read("/api/v1/services?q=gfcgjhn&kind=procedure&body=migration&situation=documents&limit=1", 200, "Accept-Language", "be")
	if got := names(found, "services", "name"); !slices.Equal(got, []string{"Выдача пашпарта"}) {
		t.Errorf("found %s", got)
	}
	if _, guessed := read("/api/v1/services?q=шоле", 200); !reflect.DeepEqual(guessed["shown_for"], []any{"школу"}) || len(guessed["services"].([]any)) != 2 {
		t.Errorf("guessed %v", guessed)
	}
	if _, known := read("/api/v1/services?q=школе", 200); known["shown_for"] != nil || len(known["services"].([]any)) != 2 {
		t.Errorf("known %v", known)
	}

	answer, be := read("/api/v1/services/200.9.1", 200, "Accept-Language", "be")
	form := be["form"].(map[string]any)["properties"].(map[string]any)["category"].(map[string]any)
	if answer.Header.Get("Content-Language") != "be" || form["title"] != "Катэгорыя правоў" || be["acr"] != "substantial" {
		t.Errorf("in Belarusian: %s %v", answer.Header.Get("Content-Language"), be)
	}
	tag := answer.Header.Get("ETag")
	for _, kept := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
		if _, body := read("/api/v1/services/200.9.1", 304, "Accept-Language", "be", "If-None-Match", kept); body != nil {
			t.Errorf("%s: said again what was kept", kept)
		}
	}
	read("/api/v1/services/200.9.1", 200, "Accept-Language", "ru", "If-None-Match", tag)
	read("/api/v1/services/200.99.1", 404)
	for _, wrong := range []string{"nothing", "%00", "%FF"} {
		if _, problem := read("/api/v1/services/"+wrong, 404); problem["code"] != "no_such_service" {
			t.Errorf("%s: %v", wrong, problem)
		}
	}
	for _, wrong := range []string{
		"services?after=x", "services?after=%00", "services?kind=wish", "services?kind=%00", "services?body=A", "services?body=%FF",
		"services?situation=%00", "services?limit=0", "services?q=" + strings.Repeat("a", 101), "bodies?after=%00", "bodies?after=%FF",
	} {
		if _, problem := read("/api/v1/"+wrong, 400); problem["code"] != "invalid_parameter" {
			t.Errorf("%s: %v", wrong, problem)
		}
	}
	read("/api/v1/services?q=%00%FF", 200)
	read("/api/v1/bodies?after=", 200)
}

// A citizen finds a service by the situation, by the body, or by words, and is told what it takes and how to apply.
func TestCitizenReadsTheCatalogue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "Анна")
	b := w.browser(t)
	b.want("/services", "/services", 200, "has not been loaded yet")
	w.stock(t)
	b.want("/services", "/services", 200, `href="/services?situation=family"`)
	b.want("/services?situation=family", "/services", 200, "Registration of a marriage")
	b.want("/services?body=archive", "/services", 200, "Archive statement of work and wages")
	b.want("/services?q=lost+pasport", "/services", 200, `<a class="govuk-link" href="/services/200.8.2">Passport in place of a lost one</a>`)
	b.want("/services?q=lost+pasport", "/services", 200, "There is no exact match. Shown for “passport”.")
	b.want("/services?q=lost+pasport", "/services", 200, `value="lost pasport"`)
	b.want("/services?q=%3Cscript%3E", "/services", 200, "Nothing was found.")
	b.want("/services?q=+", "/services", 200, "By life situation")
	b.want("/services?situation=housing&after=0-200.10.1", "/services", 200, "Extract of rights to real estate")
	b.want("/services?situation=housing", "/services", 200, `rel="next">`)
	for _, wrong := range []string{"after=x", "after=%00", "body=A", "body=%00", "body=%FF", "situation=%00", "situation=%FF"} {
		b.want("/services?"+wrong, "/services", 404, "Page not found")
	}
	b.want("/services?q=%00%FF", "/services", 200, "By life situation")
	b.want("/services/200.8.2", "/services/200.8.2", 200, "ID card or digital signature")
	for from, back := range map[string]string{
		w.url + "/services?q=pasport&after=x": "/services?q=pasport&after=x", // what was looked for is not lost
		w.url + "/services":                   "/services",
		w.url + "/journal?about=desk":         "/services",
		"https://idp.example/services?q=x":    "/services",
	} {
		if _, _, page := b.do(http.MethodGet, "/services/200.8.2", nil, http.Header{"Referer": {from}}); !strings.Contains(page, `<a href="`+back+`" class="govuk-back-link">`) {
			t.Errorf("from %s: the way back is not %s", from, back)
		}
	}
	b.want("/services/200.99.1", "/services/200.99.1", 404, "Page not found")
	b.want("/services/x", "/services/x", 404, "Page not found")
	b.want("/services/%00", "/services/\x00", 404, "Page not found")
	b.want("/services/%FF", "/services/\xff", 404, "Page not found")
	stranger := w.browser(t)
	stranger.want("/services/200.8.2", "/services/200.8.2", 200, "How to apply now")

	// What the next edition tells of no more is still told of.
	e, err := catalogue.Parse(catalogue.Sample)
	if err != nil {
		t.Fatal(err)
	}
	e.Number, e.Services = 2, slices.DeleteFunc(e.Services, func(s catalogue.Service) bool { return s.Code == "200.8.2" })
	e.Date = time.Date(2026, 5, 12, 0, 0, 0, 0, time.UTC)
	if _, err := catalogue.Import(t.Context(), w.pool, e, 1, "Anna", noon); err != nil {
		t.Fatal(err)
	}
	b.want("/services/200.8.2", "/services/200.8.2", 200, "This service is no longer rendered.")
}
