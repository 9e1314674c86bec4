package place_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"asoba.example/login/place"
	"asoba.example/login/place/placetest"
)

// A place is told in the page's language, as exactly as the file knows it; what it does not know is nowhere.
func TestAPlaceIsToldInWords(t *testing.T) {
	t.Parallel()
	atlas, err := place.Open(placetest.File(t))
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string][3]string{
		"192.0.2.7:4711":          {"Минск, Беларусь", "Минск, Беларусь", "Minsk, Belarus"},
		"[::ffff:192.0.2.7]:4711": {"Минск, Беларусь", "Минск, Беларусь", "Minsk, Belarus"},
		"198.51.100.7:4711":       {"Брэст, Беларусь", "Brest, Беларусь", "Brest, Belarus"},
		"203.0.113.7:4711":        {"Польшча", "Польша", "Poland"},
		"203.0.113.200:4711":      {},
		"[2001:db8::7]:4711":      {"Atlantis", "Atlantis", "Atlantis"},
		"[2001:db9::7]:4711":      {},
		"127.0.0.1:4711":          {"Минск, Беларусь", "Минск, Беларусь", "Minsk, Belarus"},
		"10.0.0.1:4711":           {},
		"@":                       {},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = address
		found := atlas.Of(r)
		if got := [3]string{found.In("be"), found.In("ru"), found.In("en")}; got != want {
			t.Errorf("%s: got %q, want %q", address, got, want)
		}
		for key, value := range found {
			if value == "" {
				t.Errorf("%s: nothing is kept as %s", address, key)
			}
		}
	}
}

// Without a file there are no places; a file that is none stops the program at its start.
func TestAnAtlasIsThereOrNot(t *testing.T) {
	t.Parallel()
	none, err := place.Open("")
	if err != nil {
		t.Fatal(err)
	}
	if got := none.Of(httptest.NewRequest(http.MethodGet, "/", nil)).In("en"); got != "" {
		t.Errorf("got %q, want nowhere", got)
	}
	torn := filepath.Join(t.TempDir(), "torn.mmdb")
	if err := os.WriteFile(torn, []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{torn, filepath.Join(t.TempDir(), "none.mmdb")} {
		if _, err := place.Open(name); err == nil {
			t.Errorf("%s was opened", filepath.Base(name))
		}
	}
}
