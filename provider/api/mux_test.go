package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"asoba.example/provider/api"
)

// What there is no door for is refused by a problem, as doors refuse (RFC 9457); what there is a door for is left to it.
func TestWhereThereIsNoDoorIsAProblem(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.Handle("GET /things/{id}", api.Handler(func(w http.ResponseWriter, r *http.Request) error {
		return api.Write(w, http.StatusOK, r.PathValue("id"))
	}))
	doors := api.Refusing(mux)
	for _, test := range []struct {
		method, path string
		status       int
		body, allow  string
	}{
		{"GET", "/things/1", 200, "\"1\"\n", ""},
		{"GET", "/nothing", 404, `{"type":"about:blank","title":"Not Found","status":404,"code":"no_such_path"}` + "\n", ""},
		{"PATCH", "/things/1", 405, `{"type":"about:blank","title":"Method Not Allowed","status":405,"code":"method_not_allowed"}` + "\n", "GET, HEAD"},
		{"GET", "/nothing//", 307, "", ""},
	} {
		w := httptest.NewRecorder()
		doors.ServeHTTP(w, httptest.NewRequest(test.method, test.path, nil))
		if got := w.Body.String(); w.Code != test.status || got != test.body || w.Header().Get("Allow") != test.allow {
			t.Errorf("%s %s: got %d %s, Allow %s", test.method, test.path, w.Code, got, w.Header().Get("Allow"))
		}
		if kind := w.Header().Get("Content-Type"); test.status >= 400 && kind != "application/problem+json" {
			t.Errorf("%s %s: a problem is sent as %s", test.method, test.path, kind)
		}
	}
}
