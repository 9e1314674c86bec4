package page_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"asoba.example/provider/page"
)

// room is a small room with one page.
func room() fstest.MapFS {
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	return fstest.MapFS{
		"pages/sign-in.html": text(`<h1>{{.Title}}</h1><form method="post" action="{{.Here}}">` +
			`{{template "input" (field . "identifier" "autocomplete" "username" "value" .Data)}}<p>{{t "tries" "Count" 5}}</p></form>`),
		"words/ru.json": text(`{"site.name":"Единый вход","site.help":"Помощь","sign-in.title":"Вход","field.identifier":"Номер","wrong":"Неверно",
			"tries":{"one":"{{.Count}} попытка","few":"{{.Count}} попытки","many":"{{.Count}} попыток","other":"{{.Count}} попытки"}}`),
		"words/be.json": text(`{"site.name":"Адзіны ўваход","site.help":"Дапамога","sign-in.title":"Уваход","field.identifier":"Нумар","wrong":"Няправільна",
			"tries":{"one":"{{.Count}} спроба","few":"{{.Count}} спробы","many":"{{.Count}} спроб","other":"{{.Count}} спробы"}}`),
		"words/en.json": text(`{"site.name":"Single sign-in","site.help":"Help","sign-in.title":"Sign in","field.identifier":"Number","wrong":"Wrong",
			"tries":{"one":"{{.Count}} try","other":"{{.Count}} tries"}}`),
	}
}

func site(t *testing.T, cfg page.Config) *page.Site {
	t.Helper()
	cfg.Name = "idp"
	cfg.Rooms = append(cfg.Rooms, page.Room{FS: room()})
	s, err := page.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var _ = errors.New
var _ = http.StatusOK
var _ = httptest.NewRecorder
var _ = strings.Contains

func TestX(t *testing.T) {
	s := site(t, page.Config{Secure: true})
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/sign-in?interaction=abc", nil)
	if err := s.Show(w, r, page.View{Name: "sign-in", Data: "x", Errors: []page.FieldError{{Field: "identifier", Word: "wrong"}}}); err != nil {
		t.Fatal(err)
	}
	t.Log(w.Header(), w.Body)
}
