package deskpage

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/cmd/internal/demo/clients"
	"asoba.example/cmd/internal/demo/management"
	"asoba.example/cmd/internal/demo/workbench"
	"asoba.example/provider/page"
	"asoba.example/provider/page/pagetest"
)

// Every page is sound in every language, with every refusal and every outcome.
func TestPagesAreSound(t *testing.T) {
	t.Parallel()
	site := pagetest.Site(t, Room(), workbench.Room())
	d := New(Config{
		Site: site, Client: func() clients.Credentials { return clients.Credentials{} },
		Password: func(cast.Person) string { return "p" }, Addresses: clients.Addresses{Workbench: "http://localhost:8084"},
	})
	p := cast.All()[0]
	v := &visit{open: map[string]string{"1": p.Key}}
	pages := map[string]http.Handler{"desk": site.Handle(d.desk)}
	shown := func(f form, refused *management.Refusal, done string) http.Handler {
		return site.Handle(func(w http.ResponseWriter, r *http.Request) error { return d.show(w, r, p, f, refused, done) })
	}
	for _, done := range outcomes {
		pages[done] = shown(scanned(p), nil, done)
	}
	for _, code := range append([]string{"something_else"}, explained...) {
		refused := &management.Refusal{Status: http.StatusConflict, Code: code}
		pages[code] = shown(form{}, refused, "")
	}
	pages["code"] = site.Handle(func(w http.ResponseWriter, r *http.Request) error {
		r.SetPathValue("id", "1")
		return d.ask(w, r, v, nil)
	})
	for name, h := range pages {
		for _, language := range page.Languages {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/desk", nil)
			r.Header.Set("Accept-Language", language)
			h.ServeHTTP(w, r)
			if w.Code >= http.StatusInternalServerError {
				t.Errorf("%s in %s answered %d: %s", name, language, w.Code, w.Body)
			}
			pagetest.Sound(t, w.Body.Bytes())
		}
	}
}
