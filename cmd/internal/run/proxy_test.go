package run_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
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

// Whatever stands in the header, a request is from an address; and from no other than the last one that is not ours.
func FuzzBehind(f *testing.F) {
	for _, header := range []string{"198.51.100.7", "203.0.113.9, 198.51.100.7, 10.0.0.2", "::ffff:10.0.0.2", "fe80::1%eth0", ",,", "10.0.0.2, \x00", "[::1]"} {
		f.Add(header)
	}
	var from string
	behind, err := run.Behind([]string{"10.0.0.0/8"}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { from = r.RemoteAddr }))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "10.0.0.1:4000"
		r.Header["X-Forwarded-For"] = []string{header}
		behind.ServeHTTP(httptest.NewRecorder(), r)
		got, err := netip.ParseAddrPort(from)
		if err != nil {
			t.Fatalf("%q: from %q: %v", header, from, err)
		}
		last := header[strings.LastIndex(header, ",")+1:]
		if hop, err := netip.ParseAddr(strings.TrimSpace(last)); err != nil && from != "10.0.0.1:4000" ||
			err == nil && !netip.MustParsePrefix("10.0.0.0/8").Contains(hop.Unmap()) && got.Addr() != hop {
			t.Errorf("%q: from %s", header, from)
		}
	})
}
