package run_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"asoba.example/cmd/internal/run"
)

// Only a proxy of ours is believed, and only as far back as the chain is ours.
func TestBehindBelievesOurProxiesOnly(t *testing.T) {
	for _, row := range []struct{ peer, header, want string }{
		{"10.0.0.1:4000", "198.51.100.7", "198.51.100.7:0"},
		{"10.0.0.1:4000", "203.0.113.9, 198.51.100.7, 10.0.0.2", "198.51.100.7:0"}, // the first is the client's own invention
		{"10.0.0.1:4000", "rubbish", "10.0.0.1:4000"},
		{"10.0.0.1:4000", "", "10.0.0.1:4000"},
		{"198.51.100.7:4000", "203.0.113.9", "198.51.100.7:4000"},
	} {
		var got string
		h, err := run.Behind([]string{"10.0.0.0/8"}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr }))
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = row.peer
		if row.header != "" {
			r.Header.Set("X-Forwarded-For", row.header)
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		if got != row.want {
			t.Errorf("%s, X-Forwarded-For %q: got %s, want %s", row.peer, row.header, got, row.want)
		}
	}
	if _, err := run.Behind([]string{"10.0.0.0"}, nil); err == nil {
		t.Error("an address that is not a network was taken")
	}
}
