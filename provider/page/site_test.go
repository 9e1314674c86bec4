package page_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"asoba.example/provider/page"
	"asoba.example/provider/page/pagetest"
)

// room is a small room with one page; change makes it a wrong one.
func room(change func(fstest.MapFS)) fstest.MapFS {
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	fs := fstest.MapFS{
		"pages/sign-in.html": text(`<h1>{{.Title}}</h1><form method="post" action="{{.Here}}">` +
			`{{template "input" (field . "identifier" "autocomplete" "username" "value" .Data)}}` +
			`{{template "input" (field . "password" "autocomplete" "current-password")}}` +
			`<button type="submit">{{t "tries" "Count" 5}}</button></form>`),
		"words/ru.json": text(`{"site.name": "Единый вход", "site.help": "Помощь", "sign-in.title": "Вход", "wrong": "Неверно",
			"field.identifier": "Номер", "field.identifier.hint": "Как в паспорте", "field.password": "Пароль", "busy": "Подождите",
			"tries": {"one": "{{.Count}} попытка", "few": "{{.Count}} попытки", "many": "{{.Count}} попыток", "other": "{{.Count}} попытки"}}`),
		"words/be.json": text(`{"site.name": "Адзіны ўваход", "site.help": "Дапамога", "sign-in.title": "Уваход", "wrong": "Няправільна",
			"field.identifier": "Нумар", "field.identifier.hint": "Як у пашпарце", "field.password": "Пароль", "busy": "Пачакайце",
			"tries": {"one": "{{.Count}} спроба", "few": "{{.Count}} спробы", "many": "{{.Count}} спроб", "other": "{{.Count}} спробы"}}`),
		"words/en.json": text(`{"site.name": "Single sign-in", "site.help": "Help", "sign-in.title": "Sign in", "wrong": "Wrong",
			"field.identifier": "Number", "field.identifier.hint": "As in the passport", "field.password": "Password", "busy": "Please wait",
			"tries": {"one": "{{.Count}} try", "other": "{{.Count}} tries"}}`),
	}
	if change != nil {
		change(fs)
	}
	return fs
}

func newSite(t testing.TB, secure bool) *page.Site {
	t.Helper()
	s, err := page.New(page.Config{Name: "idp", Secure: secure, Rooms: []page.Room{{FS: room(nil)}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What cannot be said in one of the languages stops the program at its start.
func TestASiteIsWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	replace := func(file, old, by string) func(fstest.MapFS) {
		return func(fs fstest.MapFS) {
			fs[file] = &fstest.MapFile{Data: []byte(strings.Replace(string(fs[file].Data), old, by, 1))}
		}
	}
	for name, change := range map[string]func(fstest.MapFS){
		"a word is missing in one language":     replace("words/be.json", `"wrong"`, `"rong"`),
		"a page names a word that nobody wrote": replace("pages/sign-in.html", `"tries"`, `"attempts"`),
		"a field has no label":                  replace("pages/sign-in.html", `"identifier"`, `"number"`),
		"a page has no title":                   func(fs fstest.MapFS) { fs["pages/other.html"] = fs["pages/sign-in.html"] },
		"a page is no template":                 replace("pages/sign-in.html", `{{template`, `{{tmplate`),
		"two rooms bring one page":              func(fs fstest.MapFS) { fs["pages/error.html"] = fs["pages/sign-in.html"] },
		"two rooms bring one word":              replace("words/ru.json", `"busy"`, `"error.title"`),
		"two rooms bring one file":              func(fs fstest.MapFS) { fs["static/style.css"] = &fstest.MapFile{} },
	} {
		if _, err := page.New(page.Config{Name: "idp", Rooms: []page.Room{{FS: room(change)}}}); err == nil {
			t.Errorf("%s, and the site was made", name)
		}
	}
}

func TestAPageCarriesItsHeadersAndErrors(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/sign-in?interaction=abc", nil)
		err := newSite(t, secure).Show(w, r, page.View{
			Status: http.StatusUnprocessableEntity, Name: "sign-in", Data: `"><script>`,
			Errors: []page.FieldError{{Field: "identifier", Word: "wrong"}},
			FormAction: []string{
				"https://portal.example:444/cb?a=b", "http://[::1]:3901/cb", "by.example.app:/cb", "https://a;script-src*/", "no address",
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if w.Code != http.StatusUnprocessableEntity {
			t.Errorf("status %d, want 422", w.Code)
		}
		want := http.Header{
			"Content-Type": {"text/html; charset=utf-8"}, "Content-Language": {"ru"}, "Cache-Control": {"no-store"},
			"Content-Security-Policy": {"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; " +
				"form-action 'self' https://portal.example:444 http: by.example.app: https:"},
			"X-Content-Type-Options": {"nosniff"}, "X-Frame-Options": {"DENY"}, "Referrer-Policy": {"same-origin"},
			"Cross-Origin-Resource-Policy": {"same-origin"},
			"Permissions-Policy":           {"camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
		}
		if secure {
			want["Strict-Transport-Security"] = []string{"max-age=63072000"}
		}
		for name := range want {
			if got := w.Header().Get(name); got != want.Get(name) {
				t.Errorf("%s: %s, want %s", name, got, want.Get(name))
			}
		}
		if len(w.Header()) != len(want) {
			t.Errorf("headers are %v, want %v", w.Header(), want)
		}
		body := w.Body.String()
		pagetest.Sound(t, w.Body.Bytes())
		for _, text := range []string{
			`<title>Ошибка: Вход – Единый вход</title>`, `<a href="#identifier">Неверно</a>`, `aria-describedby="identifier-hint identifier-error"`,
			`action="/sign-in?interaction=abc"`, `href="/sign-in?interaction=abc&amp;language=be"`, `value="&#34;&gt;&lt;script&gt;"`,
			`type="password" autocomplete="current-password"`, `5 попыток`,
		} {
			if !strings.Contains(body, text) {
				t.Errorf("the page has no %s:\n%s", text, body)
			}
		}
	}
}

// A page whose time is over some day says so in its text, and by its script, which may ask for the page once more; without scripts nothing is hidden.
func TestAPageSaysTillWhenItIsGood(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	err := newSite(t, true).Show(w, httptest.NewRequest(http.MethodGet, "/sign-in?interaction=abc", nil), page.View{
		Name: "sign-in", Data: "", Limit: &page.Limit{Till: "12:15", Warn: 13*time.Minute + time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	pagetest.Sound(t, w.Body.Bytes())
	for _, text := range []string{`действует до 12:15`, `href="/sign-in?interaction=abc" target="_blank"`, `data-warn="780"`, `<script src="/static/limit.`} {
		if !strings.Contains(w.Body.String(), text) {
			t.Errorf("the page has no %s:\n%s", text, w.Body)
		}
	}
	if policy := w.Header().Get("Content-Security-Policy"); !strings.HasSuffix(policy, "; script-src 'self'; connect-src 'self'") {
		t.Errorf("the policy is %s", policy)
	}
}

func TestTheReadersLanguage(t *testing.T) {
	t.Parallel()
	s := newSite(t, false)
	// press answers the switch at an address, with the cookies given, and gives the cookie it sets.
	press := func(address, to string) string {
		w := httptest.NewRecorder()
		s.Handle(nil).ServeHTTP(w, httptest.NewRequest(http.MethodGet, address+"&language="+to, nil))
		if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != address {
			t.Errorf("the switch at %s leads to %q by %d", address, got, w.Code)
		}
		return strings.Split(w.Header().Get("Set-Cookie"), ";")[0]
	}
	pressed := press("/sign-in?interaction=abc", "be")
	elsewhere := press("/sign-in?interaction=xyz", "be")

	for _, row := range []struct{ name, cookie, locales, browser, want string }{
		{"nobody says anything", "", "", "", "ru"},
		{"the browser's", "", "", "de, en;q=0.8, ru;q=0.5", "en"},
		{"a near one", "", "", "en-GB", "en"},
		{"none of ours", "", "", "de, fr", "ru"},
		{"the switch, used earlier, before the browser's", elsewhere, "", "en", "be"},
		{"the client's before the switch", elsewhere, "xx-bad! fr en ru", "ru", "en"},
		{"the client's is none of ours", elsewhere, "fr de", "en", "be"},
		{"the switch, pressed on this very request, before the client's", pressed, "en", "ru", "be"},
		{"a cookie that we never set", "idp_language=de.x", "", "en", "en"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/sign-in/code?interaction=abc", nil)
		r.Header.Set("Accept-Language", row.browser)
		r.Header.Set("Cookie", row.cookie)
		if row.locales != "" {
			r = page.WithLanguage(r, row.locales)
		}
		if got := s.Language(r); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

// The switch keeps to our own origin, whatever the address looks like, and does nothing on a form that was sent.
func TestTheSwitchLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	s := newSite(t, true)
	for _, at := range []string{"//evil.example/x", "/\\evil.example/", "/%5Cevil.example", "///evil.example"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL = &url.URL{Path: at, RawQuery: "language=en"}
		w := httptest.NewRecorder()
		s.Handle(nil).ServeHTTP(w, r)
		to := w.Header().Get("Location")
		if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.Contains(to, `\`) {
			t.Errorf("%s leads to %s", at, to)
		}
		if cookie := w.Header().Get("Set-Cookie"); !strings.HasPrefix(cookie, "__Host-idp_language=en.") || !strings.Contains(cookie, "; Secure") {
			t.Errorf("the cookie is %s", cookie)
		}
	}
	called := false
	door := s.Handle(func(http.ResponseWriter, *http.Request) error { called = true; return nil })
	door.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/sign-in?language=en", strings.NewReader("a=b")))
	if !called {
		t.Error("a form was taken for a press of the switch")
	}
}

// Whatever the reader's languages and the address are, the page is in one of ours and the switch stays with us.
func FuzzLanguage(f *testing.F) {
	f.Add("uk,en;q=0.5", "se be", "en.x", "/sign-in", "language=en&interaction=x")
	f.Add("*;q=nan", "x-\x00", "..", "//evil.example", "language=be")
	f.Add("be-BY-u-co-search", "ru-Latn", "be", "/\\evil.example", "language=be&language=en&;")
	f.Add("", "", "", "/sign-in", "l%61nguage=be&again")
	s := newSite(f, false)
	f.Fuzz(func(t *testing.T, accepted, locales, cookie, path, query string) {
		if _, err := url.ParseRequestURI("/?" + query); err != nil {
			t.Skip("no request has such an address")
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL = &url.URL{Path: path, RawQuery: query}
		r.Header.Set("Accept-Language", accepted)
		r.Header.Set("Cookie", "idp_language="+cookie)
		if got := s.Language(page.WithLanguage(r, locales)); !slices.Contains(page.Languages[:], got) {
			t.Errorf("the language is %q", got)
		}
		w := httptest.NewRecorder()
		s.Handle(func(http.ResponseWriter, *http.Request) error { return nil }).ServeHTTP(w, r)
		to := w.Header().Get("Location")
		if u, err := url.Parse(to); to != "" && (err != nil || u.Host != "" || u.Scheme != "" || to[0] != '/' || strings.HasPrefix(to, "/\\")) {
			t.Errorf("%q?%q leads to %q", path, query, to)
		} else if to != "" && u.Query().Has("language") {
			t.Errorf("%q?%q leads to %q, and so on", path, query, to)
		}
	})
}

func TestAnErrorIsAPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, false)
	secret := errors.New("password of 3080356A001PB5")
	for name, row := range map[string]struct {
		door   func(http.ResponseWriter, *http.Request) error
		status int
		says   string
		panics bool
		within time.Duration
	}{
		"with a meaning": {
			door:   func(http.ResponseWriter, *http.Request) error { return page.Refuse(429, "busy", secret) },
			status: 429, says: "Подождите",
		},
		"with a title": {
			door:   func(http.ResponseWriter, *http.Request) error { return page.Refuse(404, "error.not_found", nil) },
			status: 404, says: "Страница не найдена",
		},
		"without a meaning": {
			door:   func(http.ResponseWriter, *http.Request) error { return secret },
			status: 500, says: "не у вас",
		},
		"without time": {
			door: func(_ http.ResponseWriter, r *http.Request) error {
				<-r.Context().Done()
				return secret
			},
			status: 503, says: "не успел ответить", within: time.Nanosecond,
		},
		"a panic": {
			door:   func(http.ResponseWriter, *http.Request) error { panic(secret) },
			status: 500, says: "не у вас", panics: true,
		},
	} {
		w := httptest.NewRecorder()
		ctx, cancel := context.WithTimeout(t.Context(), cmp.Or(row.within, time.Hour))
		defer cancel()
		func() {
			defer func() {
				if (recover() != nil) != row.panics {
					t.Errorf("%s: the panic went on: %t", name, !row.panics)
				}
			}()
			s.Handle(row.door).ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/sign-in", nil))
		}()
		pagetest.Sound(t, w.Body.Bytes())
		if w.Code != row.status || !strings.Contains(w.Body.String(), row.says) || strings.Contains(w.Body.String(), "3080356A001PB5") {
			t.Errorf("%s: status %d and\n%s", name, w.Code, w.Body)
		}
	}
}

func TestStrangersAreMetByPages(t *testing.T) {
	t.Parallel()
	s := newSite(t, false)
	mux := http.NewServeMux()
	s.Mount(mux)
	took := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }
	mux.HandleFunc("POST /sign-in", took)
	mux.HandleFunc("POST /token", took)
	mux.HandleFunc("POST /token/a", took)
	mux.HandleFunc("GET /cases/{id}", took)
	mux.HandleFunc("POST /cases/{id}/act/now", took)
	program := s.Protect(s.Over(mux), "POST /token")

	for _, row := range []struct {
		name, method, path, site string
		status                   int
		html                     bool
	}{
		{"a form of ours", http.MethodPost, "/sign-in", "same-origin", 204, false},
		{"another site's form", http.MethodPost, "/sign-in", "cross-site", 403, true},
		{"another site's form, to a door that does not go by cookies", http.MethodPost, "/token", "cross-site", 204, false},
		{"no such page", http.MethodGet, "/sing-in", "none", 404, true},
		{"not by this method", http.MethodGet, "/token", "none", 405, false},
		{"not by this method, somebody who reads", http.MethodGet, "/sign-in", "none", 405, true},
		{"nor there, beneath no page", http.MethodGet, "/token/a", "none", 405, true},
		{"beneath a page, somebody who reads", http.MethodGet, "/cases/7/act/now?a=b", "none", 303, false},
		{"beneath a page, a program", http.MethodGet, "/cases/7/act/now", "none", 405, false},
		{"nothing is sent to beneath a page", http.MethodGet, "/cases/7/act", "none", 404, true},
	} {
		r := httptest.NewRequest(row.method, row.path, nil)
		if row.html || strings.HasSuffix(row.name, "somebody who reads") {
			r.Header.Set("Accept", "text/html,*/*;q=0.8")
		}
		r.Header.Set("Sec-Fetch-Site", row.site)
		w := httptest.NewRecorder()
		program.ServeHTTP(w, r)
		if html := strings.Contains(w.Body.String(), "</html>"); w.Code != row.status || html != row.html {
			t.Errorf("%s: status %d, a page: %t; want %d, %t", row.name, w.Code, html, row.status, row.html)
		}
		if to := w.Header().Get("Location"); w.Code == http.StatusSeeOther && to != "/cases/7?a=b" {
			t.Errorf("%s: it leads to %s", row.name, to)
		}
	}
}

// A page that is not there has a way on: the navigation for who was signed in, and for others the start.
func TestAMissingPageHasAWayOn(t *testing.T) {
	t.Parallel()
	const way = `<main class="site-sheet" id="main">
<h1 class="govuk-heading-l">Страница не найдена</h1>
<p class="govuk-body">Такой страницы нет. Возможно, ссылка устарела или адрес набран с ошибкой.</p>
<p class="govuk-body"><a class="govuk-link" href="/start">Начать сначала</a></p>`
	for _, in := range []bool{false, true} {
		s, err := page.New(page.Config{
			Name: "idp", Rooms: []page.Room{{FS: room(nil)}}, SignedIn: func(*http.Request) bool { return in }, Start: "/start",
		})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		s.Over(http.NewServeMux()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/sing-in", nil))
		pagetest.Sound(t, w.Body.Bytes())
		if strings.Contains(w.Body.String(), way) == in {
			t.Errorf("signed in: %t; the page is\n%s", in, w.Body)
		}
	}
}

// Every file that the page names is there, under an address that may be kept for ever.
func TestStaticFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t, false)
	mux := http.NewServeMux()
	s.Mount(mux)
	mux.Handle("GET /sign-in", s.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return s.Show(w, r, page.View{Name: "sign-in", Data: "", Script: "submit.js"})
	}))
	server := httptest.NewServer(mux)
	defer server.Close()
	get := func(at string) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+at, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(body)
	}
	response, body := get("/sign-in")
	if policy := response.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self'") {
		t.Errorf("the page has a script that its policy forbids: %s", policy)
	}
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".js": "text/javascript; charset=utf-8"}
	seen := map[string]bool{}
	for _, address := range regexp.MustCompile(`/static/[^"]+`).FindAllString(body, -1) {
		response, content := get(address)
		kind := path.Ext(address)
		seen[kind] = true
		if response.StatusCode != http.StatusOK || content == "" || response.Header.Get("Content-Type") != kinds[kind] ||
			!strings.Contains(response.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %s, %d characters, %v", address, response.Status, len(content), response.Header)
		}
	}
	if len(seen) != len(kinds) {
		t.Errorf("the page names files of the kinds %v, want %v", seen, kinds)
	}
	if response, _ := get("/static/style.css"); response.StatusCode != http.StatusNotFound {
		t.Errorf("a file is served under an address that does not name its content: %s", response.Status)
	}
}
