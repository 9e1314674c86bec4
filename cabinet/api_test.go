package cabinet

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"

	"asoba.example/cabinet/access"
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

// What is described is there, and what is there is described.
func TestDocumentAndRoutesAgree(t *testing.T) {
	t.Parallel()
	var want []string
	for path, item := range described(t).Paths.Map() {
		for method := range item.Operations() {
			want = append(want, method+" "+path)
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(new(Cabinet).api())); !slices.Equal(got, want) {
		t.Errorf("routes:\n%v\ndescribed:\n%v", got, want)
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
