package fetch_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"asoba.example/provider/fetch"
)

// Only addresses of the open Internet are called: none of a private network, of a cloud's metadata, or with another address inside.
func TestOnlyTheOpenInternetIsCalled(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"8.8.8.8":              true,
		"86.57.128.1":          true,
		"2a00:1450:4001::1":    true,
		"::ffff:8.8.8.8":       true,
		"0.0.0.0":              false,
		"0.1.2.3":              false,
		"127.0.0.1":            false,
		"127.255.255.254":      false,
		"10.0.0.1":             false,
		"172.16.0.1":           false,
		"172.31.255.255":       false,
		"192.168.0.1":          false,
		"100.64.0.1":           false, // CGNAT
		"100.100.100.200":      false, // metadata
		"169.254.169.254":      false, // metadata
		"168.63.129.16":        false, // metadata
		"192.0.0.192":          false, // metadata
		"192.0.2.1":            false,
		"198.18.0.1":           false,
		"198.51.100.1":         false,
		"203.0.113.1":          false,
		"224.0.0.1":            false,
		"239.255.255.255":      false,
		"240.0.0.1":            false,
		"255.255.255.255":      false,
		"::":                   false,
		"::1":                  false,
		"::ffff:127.0.0.1":     false,
		"::ffff:10.0.0.1":      false,
		"::127.0.0.1":          false, // IPv4-compatible
		"64:ff9b::7f00:1":      false, // NAT64
		"64:ff9b:1::a00:1":     false, // NAT64 of one's own
		"2002:7f00:1::":        false, // 6to4
		"2001:0:7f00:1::":      false, // Teredo
		"fe80::1":              false,
		"fe80::1%eth0":         false,
		"fc00::1":              false,
		"fd00:ec2::254":        false, // metadata
		"fec0::1":              false,
		"ff02::1":              false,
		"100::1":               false,
		"2001:db8::1":          false,
		"2a00:1450:4001::1%en": false,
	} {
		if got := fetch.Open(netip.MustParseAddr(address).Unmap()); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}

// An address that carries another is not open, or no more open than the one inside.
func FuzzNoAddressHidesAnother(f *testing.F) {
	for _, seed := range []string{"127.0.0.1", "8.8.8.8", "64:ff9b::7f00:1", "2002:7f00:1::", "::ffff:10.0.0.1", "2001::1", "3fff::1"} {
		f.Add(netip.MustParseAddr(seed).AsSlice())
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		a, ok := netip.AddrFromSlice(bytes)
		if !ok {
			return
		}
		if a = a.Unmap(); !fetch.Open(a) {
			return
		}
		if a.IsLoopback() || a.IsPrivate() || a.IsMulticast() || a.IsLinkLocalUnicast() || a.IsUnspecified() {
			t.Errorf("%s is open", a)
		}
		for prefix, at := range map[string]int{"64:ff9b::": 12, "64:ff9b:1::": 12, "::": 12, "2002::": 2, "2001::": 4} {
			around := netip.MustParseAddr(prefix).As16()
			copy(around[at:], a.AsSlice())
			if around := netip.AddrFrom16(around); fetch.Open(around) {
				t.Errorf("%s is open", around)
			}
		}
	})
}

// A server on this machine, told apart by what it does, with a count of who came.
func serve(t *testing.T, start func(*httptest.Server), door http.HandlerFunc) (server *httptest.Server, came *atomic.Int32) {
	t.Helper()
	came = new(atomic.Int32)
	server = httptest.NewUnstartedServer(door)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			came.Add(1)
		}
	}
	start(server)
	t.Cleanup(server.Close)
	return server, came
}

// However this machine is spelled, and whatever name leads to it, it is not called: what counts is the address that a connection would be
// made to. For the same reason a name cannot mean one address when it is looked at and another when it is called.
func TestThisMachineIsNotCalled(t *testing.T) {
	t.Parallel()
	server, came := serve(t, (*httptest.Server).StartTLS, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, host := range []string{
		"127.0.0.1", "localhost", "localhost.", "LOCALHOST", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
		"127.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "017700000001", "127.0.0.1%00", "①②⑦.0.0.1",
	} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second) // names that nobody knows
			defer cancel()
			if _, err := fetch.New(fetch.Config{}).Get(ctx, "https://"+host+":"+port); err == nil {
				t.Error("was called")
			}
		})
	}
	t.Cleanup(func() {
		if n := came.Load(); n != 0 {
			t.Errorf("%d connections were made", n)
		}
	})
}

// The address is a whole one of https, and bears no credentials.
func TestOnlyHTTPSIsCalled(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{
		"http://portal.example/keys", "HTTP://portal.example", "ftp://portal.example", "file:///etc/passwd", "gopher://portal.example",
		"//portal.example", "/keys", "", "https://user:password@portal.example", "https://portal.example:port", "http://127.0.0.1",
	} {
		if _, err := fetch.New(fetch.Config{}).Get(t.Context(), uri); !errors.Is(err, fetch.ErrAddress) {
			t.Errorf("%s: got %v", uri, err)
		}
	}
	for _, uri := range []string{"http://portal.example/keys", "http://127.0.0.1.portal.example", "http://10.0.0.1", "http://localhost.portal.example"} {
		if _, err := fetch.New(fetch.Config{AllowLoopback: true}).Get(t.Context(), uri); !errors.Is(err, fetch.ErrAddress) {
			t.Errorf("with loopback allowed, %s: got %v", uri, err)
		}
	}
}

// Trials call this machine, by http or https, and still no private network.
func TestLoopbackMayBeAllowed(t *testing.T) {
	t.Parallel()
	caller := fetch.New(fetch.Config{AllowLoopback: true})
	answer := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "keys") }
	for name, start := range map[string]func(*httptest.Server){"http": (*httptest.Server).Start, "https": (*httptest.Server).StartTLS} {
		server, _ := serve(t, start, answer)
		if name == "https" {
			if _, err := caller.Get(t.Context(), server.URL); err == nil {
				t.Error("a certificate that nobody vouches for was taken")
			}
			roots := x509.NewCertPool()
			roots.AddCert(server.Certificate())
			caller.Trust(roots)
		}
		if body, err := caller.Get(t.Context(), server.URL); err != nil || string(body) != "keys" {
			t.Errorf("%s: got %q, %v", name, body, err)
		}
	}
	if _, err := caller.Get(t.Context(), "https://10.0.0.1"); !errors.Is(err, fetch.ErrAddress) {
		t.Errorf("a private network: got %v", err)
	}
}

// No call is made by TLS before 1.2 (OpenID Connect Back-Channel Logout §2.7; BCP 195, RFC 9325 §3.1.1): to whoever has no other nothing is
// sent. Keys, sector identifiers' lists and notices all go this way.
func TestOldTLSIsNotSpoken(t *testing.T) {
	t.Parallel()
	for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		var asked atomic.Int32
		server, _ := serve(t, func(s *httptest.Server) {
			s.TLS = &tls.Config{MinVersion: version, MaxVersion: version}
			s.StartTLS()
		}, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		caller := fetch.New(fetch.Config{AllowLoopback: true})
		caller.Trust(roots)
		_, got := caller.Get(t.Context(), server.URL)
		_, posted := caller.Post(t.Context(), server.URL, url.Values{"logout_token": {"x"}})
		if (got == nil) != want || (posted == nil) != want || (asked.Load() == 2) != want {
			t.Errorf("%s: got %v, %v and asked %d times", tls.VersionName(version), got, posted, asked.Load())
		}
	}
}

// What the operator has named may be in a private network, and want a name and a password: by https all the same, and
// never on this machine.
func TestThePrivateNetworkMayBeAllowed(t *testing.T) {
	t.Parallel()
	caller := fetch.New(fetch.Config{AllowPrivate: true})
	for uri, want := range map[string]bool{
		"https://10.0.0.1": true, "https://user:password@192.168.0.1": true,
		"http://10.0.0.1": false, "https://127.0.0.1": false, "https://169.254.169.254": false,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := caller.Get(ctx, uri)
		cancel()
		if got := !errors.Is(err, fetch.ErrAddress); got != want {
			t.Errorf("%s is called: %v, want %v", uri, got, want)
		}
	}
}

// A system that wants to know who calls it is shown a certificate (RFC 8446 §4.4.2), where the caller has one.
func TestACertificateIsShownToWhoAsks(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, func(s *httptest.Server) {
		s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
		s.StartTLS()
	}, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, len(r.TLS.PeerCertificates)) })
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	for _, certificates := range [][]tls.Certificate{nil, server.TLS.Certificates} {
		caller := fetch.New(fetch.Config{AllowLoopback: true, Certificates: certificates})
		caller.Trust(roots)
		body, err := caller.Ask(t.Context(), server.URL, []byte("{}"))
		if shown := err == nil && string(body) == "1"; shown != (certificates != nil) {
			t.Errorf("with %d certificates: got %q, %v", len(certificates), body, err)
		}
	}
}

// What an answer can do is little: it is short, leads nowhere, and leaves nothing behind. The error tells the host, and no more of an
// address that may hold a secret.
func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	elsewhere, came := serve(t, (*httptest.Server).Start, func(http.ResponseWriter, *http.Request) {})
	var cookies atomic.Int32
	server, _ := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
		cookies.Add(int32(len(r.Cookies())))
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		switch r.URL.Path {
		case "/whole":
			fmt.Fprint(w, strings.Repeat("a", 64<<10))
		case "/long":
			fmt.Fprint(w, strings.Repeat("a", 64<<10+1))
		case "/head":
			w.Header().Set("A", strings.Repeat("a", 64<<10))
		case "/away":
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		case "/none":
			w.WriteHeader(http.StatusNoContent)
		case "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	caller := fetch.New(fetch.Config{AllowLoopback: true})
	for path, want := range map[string]bool{"/whole": true, "/long": false, "/head": false, "/away": false, "/none": false, "/broken": false} {
		switch _, err := caller.Get(t.Context(), server.URL+path+"?secret"); {
		case (err == nil) != want:
			t.Errorf("%s: got %v", path, err)
		case err != nil && strings.Contains(err.Error(), "secret"):
			t.Errorf("%s: the error tells the address: %v", path, err)
		}
	}
	if n := came.Load(); n != 0 {
		t.Error("a redirect was followed")
	}
	if n := cookies.Load(); n != 0 {
		t.Error("a cookie came back")
	}
}

// A form is posted as it is. What the status of the answer means, the caller knows.
func TestPost(t *testing.T) {
	t.Parallel()
	got := make(chan url.Values, 1)
	server, _ := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got <- r.PostForm
		w.WriteHeader(map[string]int{"/": http.StatusOK, "/none": http.StatusNoContent, "/bad": http.StatusBadRequest}[r.URL.Path])
	})
	caller := fetch.New(fetch.Config{AllowLoopback: true})
	for path, want := range map[string]int{"/": http.StatusOK, "/none": http.StatusNoContent, "/bad": http.StatusBadRequest} {
		status, err := caller.Post(t.Context(), server.URL+path, url.Values{"logout_token": {"a b"}})
		if form := <-got; err != nil || status != want || form.Get("logout_token") != "a b" {
			t.Errorf("%s: got %d, %v, having sent %v", path, status, err, form)
		}
	}
}

// A client that does not answer is left after 3 seconds, wherever it stops.
func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			fmt.Fprint(w, "{")
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	})
	for _, path := range []string{"/head", "/body"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			_, err := fetch.New(fetch.Config{AllowLoopback: true}).Get(t.Context(), server.URL+path)
			if !errors.Is(err, context.DeadlineExceeded) || t.Context().Err() != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}
