package printed_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"asoba.example/login/desk"
	"asoba.example/login/desk/printed"
	"asoba.example/login/identity"
)

var update = flag.Bool("update", false, "write golden files anew")

func press(t *testing.T) *printed.Press {
	t.Helper()
	p, err := printed.New()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// application is one with every member given.
func application(t *testing.T, errand desk.Errand) printed.Application {
	t.Helper()
	id, err := identity.ParseIdentifier("7000001A000PB8")
	if err != nil {
		t.Fatal(err)
	}
	phone, err := identity.ParsePhone("+375294911911")
	if err != nil {
		t.Fatal(err)
	}
	return printed.Application{
		Errand: string(errand), Office: "Minsk-1", Identifier: id, Phone: phone,
		Names:    identity.Names{Family: "Каваленка", Given: "Алена", Middle: "Пятроўна"},
		Document: identity.Document{Kind: "passport", Number: "MP1234567", ValidTill: "2030-01-31"},
		Basis:    identity.Basis{Number: "12-7", Date: "2026-11-22"},
	}
}

// Every sheet is as it was read and agreed, is one page of the web that loads nothing and runs nothing, and says in its
// headers that no cache keeps it.
func TestSheetsAreAsAgreed(t *testing.T) {
	t.Parallel()
	p := press(t)
	for _, language := range printed.Languages {
		var all bytes.Buffer
		for _, errand := range desk.Errands {
			w := httptest.NewRecorder()
			if err := p.Application(w, language, application(t, errand)); err != nil {
				t.Fatal(err)
			}
			all.WriteString(sound(t, w, language))
		}
		w := httptest.NewRecorder()
		if err := p.Application(w, language, printed.Application{Errand: "issuance"}); err != nil {
			t.Fatal(err)
		}
		all.WriteString(sound(t, w, language))
		golden(t, "application."+language+".html", all.Bytes())

		all.Reset()
		for _, code := range []string{"g1", "g2", "g3", "g4", "g5", "g6", "g7", "g8", "g9", "wrong_state", "unknown_identifier", "too_many_reissues"} {
			w := httptest.NewRecorder()
			slip := printed.Slip{
				Number: "019ab000-0000-7000-8000-000000000000", At: time.Date(2026, 11, 22, 21, 30, 0, 0, time.UTC),
				Office: "Minsk-1", Errand: "issuance", Code: code,
			}
			if err := p.Slip(w, language, slip); err != nil {
				t.Fatal(err)
			}
			all.WriteString(sound(t, w, language))
		}
		golden(t, "slip."+language+".html", all.Bytes())
	}
}

// What somebody writes stays a text.
func TestWhatIsWrittenIsNoMarkup(t *testing.T) {
	t.Parallel()
	a := application(t, "block")
	a.Office, a.Basis.Number = `<img src=x onerror=alert(1)>`, `"><script>`
	w := httptest.NewRecorder()
	if err := press(t).Application(w, "be", a); err != nil {
		t.Fatal(err)
	}
	sound(t, w, "be")
}

// sound holds a sheet to what it must be, and gives its body without the style.
func sound(t *testing.T, w *httptest.ResponseRecorder, language string) string {
	t.Helper()
	h, text := w.Header(), w.Body.String()
	_, rest, _ := strings.Cut(text, "<style>")
	style, body, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	if policy := h.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; ") {
		t.Errorf("the policy %q does not let the style in, or more than it", policy)
	}
	if h.Get("Cache-Control") != "no-store" || h.Get("Content-Language") != language || h.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("the headers are %v", h)
	}
	document, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	headings := 0
	for n := range document.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script", "img", "link", "iframe", "object", "a", "form", "input":
			t.Errorf("the sheet has a <%s>", n.Data)
		case "h1":
			headings++
		case "html":
			if len(n.Attr) != 1 || n.Attr[0].Val != language {
				t.Errorf("the sheet says of its language %v", n.Attr)
			}
		}
	}
	if headings != 1 {
		t.Errorf("%d headings", headings)
	}
	return strings.TrimPrefix(body, "\n</head>\n")
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s has changed; -update writes it anew", file)
	}
}
