package cabinet

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/google/uuid"

	"asoba.example/cabinet/access"
	"asoba.example/provider/api"
)

// update is registered by pagetest.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// described reads the document, which has to be right by itself.
func described(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return doc
}

// Where there is no door is a problem: none of that path, or none of that method (RFC 9110 §15.5.5–6).
func TestWhereTheAPIHasNoDoorIsAProblem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for asked, want := range map[string]struct {
		status int
		allow  string
	}{
		"POST /api/v1/profile":   {http.StatusMethodNotAllowed, "GET, HEAD"},
		"DELETE /api/v1/journal": {http.StatusMethodNotAllowed, "GET, HEAD"},
		"POST /openapi.json":     {http.StatusMethodNotAllowed, "GET, HEAD"},
		"GET /api/v1/nothing":    {http.StatusNotFound, ""},
		"POST /api/":             {http.StatusNotFound, ""},
	} {
		method, path, _ := strings.Cut(asked, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, w.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want.status || answer.Header.Get("Allow") != want.allow || answer.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d, %v", asked, answer.StatusCode, answer.Header)
		}
	}
}

// What is described is there, and what is there is described; no door stands open but those that are named so; and nothing leads to a door that
// no table has, by which the other tests go.
func TestDocumentAndRoutesAgree(t *testing.T) {
	t.Parallel()
	c := newWorld(t).cabinet
	var described []string
	for path, item := range c.document.Paths.Map() {
		for method, operation := range item.Operations() {
			route := method + " " + path
			described = append(described, route)
			if free := len(*operation.Security) == 0; free != slices.Contains([]string{"GET /jwks", "GET /openapi.json"}, route) {
				t.Errorf("%s takes a token: %v", route, !free)
			}
			demanded := operation.Security
			operation.Security = &openapi3.SecurityRequirements{}
			if _, err := demandsOf(c.document); (err == nil) != (len(*demanded) == 0) {
				t.Errorf("where %s stands open: %v", route, err)
			}
			operation.Security = demanded
		}
	}
	slices.Sort(described)
	if got := slices.Sorted(maps.Keys(c.api())); !slices.Equal(got, described) {
		t.Errorf("routes:\n%v\ndescribed:\n%v", got, described)
	}
	if got := routesOf(c.toAPI); !slices.Equal(got, described) {
		t.Errorf("routes:\n%v\ndescribed:\n%v", got, described)
	}
	all := append(slices.Collect(maps.Keys(c.pages())), "/api/", "/jwks", "/openapi.json", "POST /back-channel-logout", "GET /static/")
	slices.Sort(all)
	if got := routesOf(c.toAll); !slices.Equal(got, all) {
		t.Errorf("routes:\n%v\nin the table:\n%v", got, all)
	}
}

// Which scope opens a door, the guide tells of each.
func TestTheGuideNamesEveryDoor(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../cmd/cabinet/README.md")
	if err != nil {
		t.Fatal(err)
	}
	doors := map[string]bool{}
	for line := range strings.Lines(string(guide)) {
		if strings.HasPrefix(line, "   | ") {
			for _, named := range regexp.MustCompile("`([A-Z]+ /api/v1/[^`]+)`").FindAllStringSubmatch(line, -1) {
				doors[named[1]] = true
			}
		}
	}
	demanded := slices.Sorted(maps.Keys(newWorld(t).cabinet.demands))
	if named := slices.Sorted(maps.Keys(doors)); !slices.Equal(named, demanded) {
		t.Errorf("the guide's table names\n%v\nand the doors are\n%v", named, demanded)
	}
}

// No door sends a citizen to sign in at a level that no sign-in has (RFC 9470 §3); and where the catalogue names one, the document says so.
func TestLevelsAreThoseThatSignInsHave(t *testing.T) {
	t.Parallel()
	for route, d := range newWorld(t).cabinet.demands {
		if d.acr != "" && !slices.Contains(api.Levels, d.acr) {
			t.Errorf("%s needs a sign-in of level %s", route, d.acr)
		}
	}
	read, err := api.ReadDocument(bytes.Replace(document, []byte(`"x-acr": "substantial"`), []byte(`"x-acr": "high"`), 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := demandsOf(read); err == nil {
		t.Error("a door may ask for a level that nobody has")
	}
	for _, of := range []string{"ServiceLine", "Service"} {
		level := described(t).Components.Schemas[of].Value.Properties["acr"].Value
		for _, acr := range level.Enum {
			if !slices.Contains(api.Levels, acr.(string)) && !strings.Contains(level.Description, "`"+acr.(string)+"` is that of") {
				t.Errorf("of the level %s of a service it is not said that no sign-in has it", acr)
			}
		}
	}
}

// routesOf are those that a mux has. It tells them to nobody, so they are read where it keeps them.
func routesOf(mux *http.ServeMux) (all []string) {
	index := reflect.ValueOf(mux).Elem().FieldByName("index")
	tell := func(patterns reflect.Value) {
		for i := range patterns.Len() {
			if route := patterns.Index(i).Elem().FieldByName("str").String(); !slices.Contains(all, route) {
				all = append(all, route)
			}
		}
	}
	for _, patterns := range index.FieldByName("segments").Seq2() {
		tell(patterns)
	}
	tell(index.FieldByName("multis"))
	slices.Sort(all)
	return all
}

// A page is its citizen's alone: whoever has no session is sent to sign in, but at the front door and those of signing in and out.
func TestPagesAreForWhoHasSignedIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	free := []string{"GET /{$}", "GET /sign-in", "GET /callback", "GET /sign-out", "POST /sign-out", "GET /security"}
	for route := range w.cabinet.pages() {
		if slices.Contains(free, route) {
			continue
		}
		method, path, _ := strings.Cut(strings.NewReplacer("{name}", "sex", "{id}", uuid.Nil.String(), "{code}", "200.8.1").Replace(route), " ")
		answer := httptest.NewRecorder()
		w.cabinet.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), method, w.url+path, nil))
		if to := answer.Header().Get("Location"); answer.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/sign-in") {
			t.Errorf("%s: %d, %q", route, answer.Code, to)
		}
	}
}

// Whatever is read has a tag, by which whoever keeps it is told that it is still the same (RFC 9110 §13.1.2), and that it is another when it
// is.
func TestWhatIsReadHasATag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stock(t)
	asked := strings.NewReplacer("{code}", "200.8.1", "/journal", "/journal?till=2026-05-01") // a read stands in the journal of today
	for _, route := range slices.Sorted(maps.Keys(w.cabinet.demands)) {
		method, path, _ := strings.Cut(route, " ")
		if method != http.MethodGet {
			continue
		}
		claims := signIn()
		if w.cabinet.demands[route].own {
			claims = map[string]any{"sub": "service"}
		}
		claims["scope"] = w.cabinet.demands[route].scopes[0]
		token := w.provider.AccessToken(w.url, claims)
		first, body := w.call(t, asked.Replace(path), token)
		tag := first.Header.Get("ETag")
		if first.StatusCode != http.StatusOK || tag == "" || first.Header.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("%s: %d %s, tag %q, %s", route, first.StatusCode, body, tag, first.Header.Get("Cache-Control"))
		}
		for seen, want := range map[string]int{tag: http.StatusNotModified, `"another"`: http.StatusOK} {
			header := http.Header{"Authorization": {"Bearer " + token}, "If-None-Match": {seen}}
			if again, _ := w.send(t, http.MethodGet, asked.Replace(path), "", header); again.StatusCode != want || again.Header.Get("ETag") != tag {
				t.Errorf("%s, having %s: %d, tag %q", route, seen, again.StatusCode, again.Header.Get("ETag"))
			}
		}
	}
}

// call reads the API and holds the answer to the document.
func (w *world) call(t *testing.T, path, token string) (*http.Response, []byte) {
	t.Helper()
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "bearer "+token)
	}
	return w.send(t, http.MethodGet, path, "", header)
}

// post acts by the API, and holds the answer to the document.
func (w *world) post(t *testing.T, path, token, body string) (*http.Response, []byte) {
	t.Helper()
	return w.send(t, http.MethodPost, path, body, http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}})
}

func (w *world) send(t *testing.T, method, path, body string, header http.Header) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	w.held(t, r, answer.StatusCode, answer.Header, said)
	return answer, said
}

// held holds an answer to the document.
func (w *world) held(t *testing.T, r *http.Request, status int, header http.Header, body []byte) {
	t.Helper()
	doc := described(t)
	doc.Servers = openapi3.Servers{{URL: w.url}}
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	route, params, err := router.FindRoute(r)
	if err != nil {
		t.Fatal(err)
	}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route},
		Status:                 status, Header: header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		t.Errorf("%s: the answer is not as described: %v", r.URL.Path, err)
	}
}

// What the feed said last is worth something while it speaks. While it is silent the provider is asked, and where nobody can tell, nobody is
// let in.
func TestNobodyIsLetInOnOldNews(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	read := func(story string, status int, code string) {
		t.Helper()
		answer, body := w.call(t, "/api/v1/profile", w.provider.AccessToken(w.url, signIn()))
		var problem struct{ Code string }
		if err := json.Unmarshal(body, &problem); err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != status || problem.Code != code || strings.Contains(string(body), annasNumber) != (status == http.StatusOK) {
			t.Errorf("%s: got %d %s, want %d %q", story, answer.StatusCode, body, status, code)
		}
	}
	w.provider.Down(true)
	read("the keys were never read", 503, "keys_unavailable")
	w.provider.Down(false)
	w.later.Store(int64(time.Minute)) // without a word of the feed
	read("silent, and the provider vouches", 200, "")
	w.provider.Inactive(true)
	read("silent, and the provider does not", 401, "invalid_token")
	w.provider.Down(true)
	read("silent, and the provider is away", 503, "provider_away")
	w.hear(t, noon.Add(time.Minute))
	read("the feed speaks again", 200, "")
}

func silence(t *testing.T, w *world) { w.hear(t, noon.Add(-access.Silence)) }

// What e-services read, whole; the citizen sees in the journal who read it.
func TestAnswersAreAsBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.provider.AccessToken(w.url, signIn())
	for _, c := range []struct{ name, path string }{
		{"profile", "/api/v1/profile"},
		{"journal", "/api/v1/journal"},
		{"journal-page", "/api/v1/journal?limit=1"},
		{"journal-wrong", "/api/v1/journal?limit=0"},
	} {
		_, body := w.call(t, c.path, token)
		// Ids, and the place made of one, are new each time.
		body = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`).ReplaceAll(body, []byte("018f0000-0000-7000-8000-000000000000"))
		body = regexp.MustCompile(`"next":"[^"]+"`).ReplaceAll(body, []byte(`"next":"…"`))
		var got bytes.Buffer
		if err := json.Indent(&got, body, "", "  "); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", "api-"+c.name+".json")
		if updating() {
			if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: got:\n%s\nwant:\n%s", c.path, got.Bytes(), want)
		}
	}
}

// A read is one round trip to PostgreSQL, with the check, the citizen's journal and all.
func TestReadIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.provider.AccessToken(w.url, signIn())
	for _, path := range []string{"/api/v1/profile", "/api/v1/journal"} {
		w.trips.Take()
		if answer, _ := w.call(t, path, token); answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", path, answer.Status)
		}
		if got := w.trips.Take(); got != 1 {
			t.Errorf("%s: %d round trips, want 1", path, got)
		}
	}
}
