package pagetest

import (
	"bytes"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"

	"asoba.example/provider/page"
)

var update = flag.Bool("update", false, "write golden files anew")

// sites are those that were made, by their rooms: one does not change, and takes long to make.
var sites sync.Map

// Site gives a site of the rooms. A room that is not a program's own does not bring the site's name; it gets one here.
func Site(t *testing.T, rooms ...page.Room) *page.Site {
	t.Helper()
	var of any
	for _, room := range rooms {
		of = [2]any{of, room}
	}
	if site, ok := sites.Load(of); ok {
		return site.(*page.Site)
	}
	named := slices.ContainsFunc(rooms, func(room page.Room) bool {
		_, ok := read(t, room.FS)["ru"]["site.name"]
		return ok
	})
	if !named {
		words := &fstest.MapFile{Data: []byte(`{"site.name": "Site", "site.help": "Help"}`)}
		rooms = append(rooms, page.Room{FS: fstest.MapFS{
			"words/ru.json": words, "words/be.json": words, "words/en.json": words,
		}})
	}
	site, err := page.New(page.Config{Name: "test", Rooms: rooms})
	if err != nil {
		t.Fatal(err)
	}
	sites.Store(of, site)
	return site
}

// Golden shows a view at an address in every language, holds it to the form of a good page, and compares what stands
// within <main> with testdata/NAME.html (go test -update writes it).
func Golden(t *testing.T, site *page.Site, name, address string, view page.View) {
	t.Helper()
	var got bytes.Buffer
	for _, language := range page.Languages {
		r := page.WithLanguage(httptest.NewRequest(http.MethodGet, address, nil), language)
		w := httptest.NewRecorder()
		if err := site.Show(w, r, view); err != nil {
			t.Fatalf("%s in %s: %v", name, language, err)
		}
		Sound(t, w.Body.Bytes())
		_, body, _ := strings.Cut(w.Body.String(), "<main")
		_, body, _ = strings.Cut(body, ">")
		body, _, _ = strings.Cut(body, "</main>")
		got.WriteString("<!-- " + language + " -->" + body)
	}
	golden := filepath.Join("testdata", name+".html")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s is not as in %s; go test -update writes it, git diff shows what changed", name, golden)
	}
}

// Sound holds a page to what every page of ours keeps: one heading of the first rank; each field has its label and
// says what it is for; ids are given once, and what is pointed at is there; a form has one primary button; nothing
// needs a script or a style that the security policy forbids.
func Sound(t *testing.T, body []byte) {
	t.Helper()
	document, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	ids, labels, headings := map[string]int{}, map[string]bool{}, 0
	var fields, pointers []*html.Node
	for n := range document.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if id := attribute(n, "id"); id != "" {
			ids[id]++
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s %s>: the security policy forbids it", n.Data, a.Key)
			}
			if a.Key == "aria-describedby" || a.Key == "aria-labelledby" || a.Key == "href" && strings.HasPrefix(a.Val, "#") {
				pointers = append(pointers, n)
			}
		}
		switch n.Data {
		case "h1":
			headings++
		case "label":
			labels[attribute(n, "for")] = true
		case "input", "select", "textarea":
			if attribute(n, "type") != "hidden" {
				fields = append(fields, n)
			}
		case "style":
			t.Error("<style>: the security policy forbids it")
		case "script":
			if attribute(n, "src") == "" {
				t.Error("<script> in the page: the security policy forbids it")
			}
		case "img":
			if !slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "alt" }) {
				t.Error("<img> without alt")
			}
		case "form":
			checkForm(t, n)
		}
	}
	if headings != 1 {
		t.Errorf("%d headings h1, want 1", headings)
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("id %q stands %d times", id, n)
		}
	}
	for _, f := range fields {
		if !labels[attribute(f, "id")] {
			t.Errorf("field %q has no label", attribute(f, "name"))
		}
		if attribute(f, "type") == "password" && attribute(f, "autocomplete") == "" {
			t.Errorf("field %q does not say which password it takes", attribute(f, "name"))
		}
	}
	for _, p := range pointers {
		to := strings.Fields(attribute(p, "aria-describedby") + " " + attribute(p, "aria-labelledby"))
		if anchor, ok := strings.CutPrefix(attribute(p, "href"), "#"); ok {
			to = append(to, anchor)
		}
		for _, id := range to {
			if ids[id] == 0 {
				t.Errorf("<%s> points at #%s, which is not there", p.Data, id)
			}
		}
	}
}

// checkForm counts the primary buttons of a form, and finds the button that Enter would press.
func checkForm(t *testing.T, form *html.Node) {
	t.Helper()
	primary := 0
	for n := range form.Descendants() {
		if n.Type != html.ElementNode || n.Data != "button" {
			continue
		}
		if attribute(n, "type") == "button" && attribute(n.Parent, "data-show") != "" {
			continue // a script brings it to light, which does what it is for
		}
		if attribute(n, "type") != "submit" {
			t.Errorf("a button of type %q", attribute(n, "type"))
		}
		if classes := strings.Fields(attribute(n, "class")); !slices.Contains(classes, "govuk-button--secondary") {
			primary++
		}
	}
	if primary != 1 {
		t.Errorf("the form to %q has %d primary buttons, want 1", attribute(form, "action"), primary)
	}
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
