package pagetest

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

var wildcard = regexp.MustCompile(`\{\w+\}`)

// Forms fails unless each of the patterns that takes a form can be opened by who reads, for there its answer may stand: it has a page, or leads to
// the one above.
func Forms(t *testing.T, patterns []string) {
	t.Helper()
	mux := http.NewServeMux()
	for _, pattern := range patterns {
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
	}
	program := Site(t).Over(mux)
	open := func(at string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, at, nil)
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		program.ServeHTTP(w, r)
		return w
	}
	forms := 0
	for _, pattern := range patterns {
		at, takes := strings.CutPrefix(wildcard.ReplaceAllString(pattern, "x"), "POST ")
		if !takes {
			continue
		}
		forms++
		w := open(at)
		if to := w.Header().Get("Location"); w.Code == http.StatusSeeOther {
			w = open(to)
		}
		if w.Code != http.StatusOK {
			t.Errorf("who loads %s once more is answered with %d", at, w.Code)
		}
	}
	if forms == 0 {
		t.Error("there are no forms")
	}
}
