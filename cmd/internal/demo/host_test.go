package demo

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A name that somebody else has made to lead here shows nothing.
func TestTheWorkbenchAnswersToItsOwnNames(t *testing.T) {
	t.Parallel()
	doors, err := known("http://demo.example:8084", http.NotFoundHandler())
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{
		"demo.example:8084": http.StatusNotFound, "DEMO.example": http.StatusNotFound, "localhost:8084": http.StatusNotFound,
		"127.0.0.1:8084": http.StatusNotFound, "[::1]:8084": http.StatusNotFound, "[::1]": http.StatusNotFound,
		"rebound.example:8084": http.StatusMisdirectedRequest, "localhost.rebound.example": http.StatusMisdirectedRequest,
		"192.0.2.1:8084": http.StatusNotFound, "": http.StatusMisdirectedRequest,
	} {
		r := httptest.NewRequest(http.MethodGet, "/api/clients", nil)
		r.Host = host
		w := httptest.NewRecorder()
		doors.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: got %d, want %d", host, w.Code, want)
		}
	}
}
