package clients_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"asoba.example/migrations/pgtest"
	"asoba.example/provider/clients"
	"asoba.example/provider/fetch"
)

// A client belongs to a sector only if the sector says so of every redirect URI, when it is registered and when it is changed (OpenID
// Connect Registration §5).
func TestASectorNamesItsMembers(t *testing.T) {
	t.Parallel()
	registry, _ := newRegistry(t)
	documents := map[string]string{
		"/all":     `["https://portal.example/cb","https://other.example/cb","https://third.example/cb"]`,
		"/one":     `["https://portal.example/cb"]`,
		"/none":    `[]`,
		"/null":    `null`,
		"/object":  `{"https://portal.example/cb":true,"https://other.example/cb":true}`,
		"/numbers": `[1]`,
		"/text":    `https://portal.example/cb https://other.example/cb`,
		"/long":    `["https://portal.example/cb","https://other.example/cb","` + strings.Repeat("a", 64<<10) + `"]`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if document, ok := documents[r.URL.Path]; ok {
			fmt.Fprint(w, document)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(server.Close)
	member := func(path string) string {
		return `{"redirect_uris":["https://portal.example/cb","https://other.example/cb"],"subject_type":"pairwise","sector_identifier_uri":"` +
			server.URL + path + `"}`
	}
	c, _ := register(t, registry, member("/all"))
	if c.Sector() != "127.0.0.1" || !c.Pairwise() {
		t.Errorf("got sector %q", c.Sector())
	}
	for _, path := range []string{"/one", "/none", "/null", "/object", "/numbers", "/text", "/long", "/nowhere"} {
		_, _, err := registry.Register(t.Context(), "", metadata(t, member(path)), by)
		_, _, errChanged := registry.Replace(t.Context(), c.ID, clients.Any, metadata(t, member(path)), by)
		for _, err := range []error{err, errChanged} {
			if wrong, ok := errors.AsType[*clients.MetadataError](err); !ok || wrong.Member != "sector_identifier_uri" {
				t.Errorf("%s: got %v", path, err)
			}
		}
	}
}

// Without a document the sector is the one host of the redirect URIs (OpenID Connect Core §8.1).
func TestASectorIsAHost(t *testing.T) {
	t.Parallel()
	registry, _ := newRegistry(t)
	c, _ := register(t, registry, `{"redirect_uris":["https://portal.example/cb","https://PORTAL.example:8443/other"],"subject_type":"pairwise"}`)
	if c.Sector() != "portal.example" {
		t.Errorf("got sector %q", c.Sector())
	}
}

// The lists of sectors have a caller of their own, since whoever registers may name slow ones: nobody's keys wait for those.
func TestSectorsAreReadByACallerOfTheirOwn(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keys" {
			fmt.Fprint(w, `{"keys":[`+publicKey+`]}`)
			return
		}
		fmt.Fprint(w, `["https://portal.example/cb"]`)
	}))
	t.Cleanup(server.Close)
	for name, loopback := range map[string]bool{"keys": true, "lists": false} { // which of them may be on this machine
		pool := pgtest.New(t)
		registry, err := clients.New(t.Context(), clients.Config{
			Pool: pool, Back: pool, Key: make([]byte, 32), Now: func() time.Time { return noon },
			Caller: fetch.New(fetch.Config{AllowLoopback: loopback}), Sectors: fetch.New(fetch.Config{AllowLoopback: !loopback}),
		})
		if err != nil {
			t.Fatal(err)
		}
		keyed, _, err := registry.Register(t.Context(), "keyed", metadata(t,
			`{"redirect_uris":["https://portal.example/cb"],"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"`+server.URL+`/keys"}`), by)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := registry.Keys(t.Context(), keyed, ""); (err == nil) != loopback {
			t.Errorf("%s: keys: got %v", name, err)
		}
		_, _, err = registry.Register(t.Context(), "member", metadata(t,
			`{"redirect_uris":["https://portal.example/cb"],"sector_identifier_uri":"`+server.URL+`/list"}`), by)
		if (err == nil) == loopback {
			t.Errorf("%s: lists: got %v", name, err)
		}
	}
}
