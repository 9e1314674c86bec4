package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"asoba.example/provider/api"
)

const things = `{
	"openapi": "3.1.0", "info": {"title": "Things", "version": "1"},
	"paths": {
		"/things": {
			"parameters": [{"name": "kind", "in": "query", "schema": {"type": "string", "enum": ["red", "blue"]}}],
			"get": {
				"parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 500}}],
				"responses": {"200": {"description": "Things"}}
			}
		}
	}
}`

// A door takes no parameter of the query but those that its document has, each once and within its bounds, and tells all that are wrong. A
// door of no document takes none.
func TestDoorsAreHeldToTheirDocument(t *testing.T) {
	t.Parallel()
	document, err := api.ReadDocument([]byte(things))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	doors := document.Hold(mux)
	for _, path := range []string{"/things", "/others"} {
		doors.Handle("GET "+path, api.Handler(func(w http.ResponseWriter, r *http.Request) error {
			return api.Write(w, http.StatusOK, r.Pattern)
		}))
	}
	for target, want := range map[string][]api.Field{
		"/things":                            nil,
		"/things?":                           nil,
		"/things?limit=500&kind=blue":        nil,
		"/things?limit=501":                  {{Name: "/limit", Code: "invalid"}},
		"/things?limit=0":                    {{Name: "/limit", Code: "invalid"}},
		"/things?limit=1.0":                  {{Name: "/limit", Code: "wrong_type"}},
		"/things?limit=":                     {{Name: "/limit", Code: "wrong_type"}},
		"/things?limit=99999999999999999999": {{Name: "/limit", Code: "wrong_type"}},
		"/things?kind=green":                 {{Name: "/kind", Code: "invalid"}},
		"/things?limit=1&limit=1":            {{Name: "/limit", Code: "repeated"}},
		"/things?foo=1&lim%69t=1":            {{Name: "/foo", Code: "unknown"}},
		"/things?Limit=1&foo&kind&kind":      {{Name: "/Limit", Code: "unknown"}, {Name: "/foo", Code: "unknown"}, {Name: "/kind", Code: "repeated"}},
		"/things?limit=1;kind=red":           {},
		"/things?limit=%zz":                  {},
		"/others":                            nil,
		"/others?limit=1":                    {{Name: "/limit", Code: "unknown"}},
	} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		if want == nil {
			if w.Code != http.StatusOK {
				t.Errorf("%s: got %d %s", target, w.Code, w.Body)
			}
			continue
		}
		var got api.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if w.Code != http.StatusBadRequest || got.Code != "invalid_parameter" || !slices.Equal(got.Fields, want) {
			t.Errorf("%s: got %d %s %v, want %v", target, w.Code, got.Code, got.Fields, want)
		}
	}
}
