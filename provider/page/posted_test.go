package page_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"asoba.example/migrations/redistest"
	"asoba.example/provider/page"
	"asoba.example/provider/page/pagetest"
)

// A posting is a site whose form at /sign-in is refused whatever is sent, and a browser.
type posting struct {
	t       *testing.T
	server  *httptest.Server
	browser *http.Client
	posted  int // how many forms came
}

const typed = "3080356A001PB5"

func newPosting(t *testing.T, in redis.UniversalClient) *posting {
	t.Helper()
	p := &posting{t: t, browser: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	var err error
	if p.browser.Jar, err = cookiejar.New(nil); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, false).Keeping(in)
	mux := http.NewServeMux()
	mux.Handle("GET /sign-in", s.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return s.Show(w, r, page.View{Name: "sign-in", Data: ""})
	}))
	mux.Handle("POST /sign-in", s.Handle(func(w http.ResponseWriter, r *http.Request) error {
		p.posted++
		w.Header().Set("Retry-After", "17")
		return s.Show(w, r, page.View{
			Status: http.StatusTooManyRequests, Name: "sign-in", Data: r.PostFormValue("identifier"), FormAction: []string{"https://portal.example/cb"},
			Errors: []page.FieldError{{Field: "identifier", Word: "wrong"}}, At: r.URL.Query().Get("at"), Now: r.URL.Query().Has("now"),
			SignedIn: r.URL.Query().Has("own"),
		})
	}))
	mux.Handle("/done", s.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return s.Show(w, r, page.View{Name: "sign-in", Data: r.PostFormValue("identifier")})
	}))
	mux.Handle("POST /accept", s.Handle(func(w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, "/elsewhere", http.StatusSeeOther)
		return nil
	}))
	mux.Handle("POST /refuse", s.Handle(func(http.ResponseWriter, *http.Request) error {
		return page.Refuse(http.StatusConflict, "busy", errors.New("twice"))
	}))
	mux.Handle("POST /fail", s.Handle(func(http.ResponseWriter, *http.Request) error { return errors.New("a fault") }))
	program := http.NewServeMux() // as programs have it, around all that is theirs
	program.Handle("/", s.Protect(s.Over(mux)))
	mux.HandleFunc("POST /leave", s.Forget)
	p.server = httptest.NewServer(program)
	t.Cleanup(p.server.Close)
	return p
}

// ask gives the status, where it leads, and what it says; from is the page that a form is on.
func (p *posting) ask(method, path, from string) (status int, head http.Header, body string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.server.URL+path, strings.NewReader(url.Values{"identifier": {typed}}.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if from != "" {
		r.Header.Set("Referer", from)
	}
	answer, err := p.browser.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if len(raw) > 0 {
		pagetest.Sound(p.t, raw)
	}
	return answer.StatusCode, answer.Header, string(raw)
}

// What answers a form is shown by GET, to the browser that sent it and at its address; and Redis tells nothing of it.
func TestWhatAnswersAFormIsAskedForByGET(t *testing.T) {
	t.Parallel()
	in := redistest.New(t)
	p := newPosting(t, in)
	status, head, body := p.ask(http.MethodPost, "/sign-in?interaction=one", "")
	if status != http.StatusSeeOther || head.Get("Location") != "/sign-in?interaction=one" || body != "" || head.Get("Cache-Control") != "no-store" ||
		head.Get("Retry-After") != "" {
		t.Fatalf("the form is answered with %d, %v\n%s", status, head, body)
	}
	if cookie := head.Get("Set-Cookie"); !strings.HasPrefix(cookie, "idp_answer_") || !strings.Contains(cookie, "; Path=/; Max-Age=30; HttpOnly; SameSite=Lax") {
		t.Errorf("the cookie is %s", cookie)
	}
	keys := in.Keys(t.Context(), "*").Val()
	if len(keys) != 1 || in.TTL(t.Context(), keys[0]).Val() <= 0 {
		t.Fatalf("kept are %v", keys)
	}
	if kept := in.Get(t.Context(), keys[0]).Val(); strings.Contains(kept, typed) || strings.Contains(kept, "html") {
		t.Errorf("Redis tells the answer: %q", kept)
	}

	// Another tab, and another browser.
	if status, _, body := p.ask(http.MethodGet, "/sign-in?interaction=two", ""); status != http.StatusOK || strings.Contains(body, typed) {
		t.Errorf("another address shows it: %d\n%s", status, body)
	}
	jar := p.browser.Jar
	p.browser.Jar = nil
	if status, _, body := p.ask(http.MethodGet, "/sign-in?interaction=one", ""); status != http.StatusOK || strings.Contains(body, typed) {
		t.Errorf("another browser shows it: %d\n%s", status, body)
	}
	p.browser.Jar = jar

	status, head, body = p.ask(http.MethodGet, "/sign-in?interaction=one", "")
	if status != http.StatusTooManyRequests || head.Get("Retry-After") != "17" || !strings.Contains(head.Get("Content-Security-Policy"), "https://portal.example") {
		t.Errorf("the page is answered with %d, %v", status, head)
	}
	for _, says := range []string{`<title>Ошибка: Вход`, `<a href="#identifier">Неверно</a>`, `value="` + typed + `"`, `action="/sign-in?interaction=one"`, `href="/sign-in?interaction=one&amp;language=be"`} {
		if !strings.Contains(body, says) {
			t.Errorf("the page does not say %s\n%s", says, body)
		}
	}
	if p.posted != 1 {
		t.Errorf("%d forms were sent", p.posted)
	}
}

// What was done is shown once, and so is an error that stands in the form's place. A form that was refused says so until it is sent again, and no longer
// than is to be waited; in another language too.
func TestHowLongAnAnswerIsShown(t *testing.T) {
	t.Parallel()
	in := redistest.New(t)
	p := newPosting(t, in)
	p.ask(http.MethodPost, "/done", "")
	for _, want := range []bool{true, false} {
		if _, _, body := p.ask(http.MethodGet, "/done", ""); strings.Contains(body, typed) != want || strings.Contains(body, "language=") == want {
			t.Errorf("what was done is shown as, not %t\n%s", want, body)
		}
	}

	p.ask(http.MethodPost, "/refuse", p.server.URL+"/sign-in?a")
	for _, want := range []int{http.StatusConflict, http.StatusOK} {
		if status, _, body := p.ask(http.MethodGet, "/sign-in?a", ""); status != want {
			t.Errorf("an error is shown in the form's place as %d, not %d\n%s", status, want, body)
		}
	}

	p.ask(http.MethodPost, "/sign-in?own", "") // what is somebody's own does not outlive a session that ends meanwhile
	for _, want := range []bool{true, false} {
		if _, _, body := p.ask(http.MethodGet, "/sign-in?own", ""); strings.Contains(body, typed) != want {
			t.Errorf("what was refused of somebody's own is shown as, not %t\n%s", want, body)
		}
	}

	refused := func(what string, says ...string) {
		t.Helper()
		status, head, body := p.ask(http.MethodGet, "/sign-in?interaction=one", "")
		if status != http.StatusTooManyRequests || head.Get("Retry-After") != "17" {
			t.Errorf("%s: %d, %v", what, status, head)
		}
		for _, text := range says {
			if !strings.Contains(body, text) {
				t.Errorf("%s does not say %s\n%s", what, text, body)
			}
		}
	}
	p.ask(http.MethodPost, "/sign-in?interaction=one", "")
	refused("at first", typed, "Неверно")
	refused("after a reload", typed, "Неверно")
	if keys := in.Keys(t.Context(), "*").Val(); len(keys) != 1 || in.TTL(t.Context(), keys[0]).Val() > 17*time.Second {
		t.Errorf("kept are %v, longer than is to be waited", keys)
	}
	p.ask(http.MethodGet, "/sign-in?interaction=one&language=be", "")
	refused("in another language", "Няправільна", "Памылка")
	refused("there, after a reload", "Няправільна")
	p.ask(http.MethodGet, "/sign-in?interaction=one&language=ru", "")
	refused("in the first language again", typed, "Неверно")

	p.ask(http.MethodPost, "/accept?interaction=one", p.server.URL+"/sign-in?interaction=one")
	if status, head, body := p.ask(http.MethodGet, "/sign-in?interaction=one", ""); status != http.StatusOK || strings.Contains(body, "Неверно") ||
		!strings.Contains(head.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("after the form was sent again, and accepted: %d, %v\n%s", status, head, body)
	}
}

// It is shown where its view says, or on the page that the form is on, even where its door has no page; never elsewhere than with us.
func TestWhereAnAnswerIsShown(t *testing.T) {
	t.Parallel()
	p := newPosting(t, redistest.New(t))
	for _, row := range []struct{ to, from, at string }{
		{"/refuse?a", "", "/refuse?a"},
		{"/refuse", p.server.URL + "/sign-in?b", "/sign-in?b"},
		{"/refuse", "https://other.example/sign-in", "/refuse"},
		{"/refuse", p.server.URL + "//other.example/", "/other.example/"},
		{"/refuse", p.server.URL, "/"},
		{"/sign-in?at=/elsewhere%3Fc", p.server.URL + "/sign-in", "/elsewhere?c"},
	} {
		status, head, _ := p.ask(http.MethodPost, row.to, row.from)
		if got := head.Get("Location"); status != http.StatusSeeOther || got != row.at {
			t.Errorf("%s from %q: %d to %q, want %q", row.to, row.from, status, got, row.at)
			continue
		}
		if status, _, body := p.ask(http.MethodGet, row.at, ""); status != http.StatusConflict && status != http.StatusTooManyRequests || !strings.Contains(body, `language=be"`) {
			t.Errorf("%s shows %d\n%s", row.at, status, body)
		}
	}
}

// Answered at once is what is our own fault, what no door of ours was asked, what must be, and every form where nothing can be kept.
func TestWhatIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	in := redistest.New(t)
	p := newPosting(t, in)
	for path, want := range map[string]int{
		"/fail": http.StatusInternalServerError, "/sign-on": http.StatusNotFound, "/sign-in?now": http.StatusTooManyRequests,
	} {
		if status, _, body := p.ask(http.MethodPost, path, ""); status != want || !strings.Contains(body, "</html>") {
			t.Errorf("%s is answered with %d, want %d", path, status, want)
		}
	}
	if keys := in.Keys(t.Context(), "*").Val(); len(keys) != 0 {
		t.Errorf("kept are %v", keys)
	}

	cross, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.server.URL+"/sign-in", nil)
	if err != nil {
		t.Fatal(err)
	}
	cross.Header.Set("Sec-Fetch-Site", "cross-site")
	if answer, err := p.browser.Do(cross); err != nil || answer.StatusCode != http.StatusForbidden || len(answer.Cookies()) > 0 {
		t.Errorf("a form of another site's is answered with %+v, %v", answer, err)
	} else {
		answer.Body.Close()
	}
	if keys := in.Keys(t.Context(), "*").Val(); len(keys) != 0 {
		t.Errorf("kept are %v", keys)
	}

	// Left to another, who is shown nothing of it; or lost on the way: the form is there anew.
	for _, path := range []string{"/sign-in", "/leave"} {
		p.ask(http.MethodPost, path, "")
	}
	if status, _, body := p.ask(http.MethodGet, "/sign-in", ""); status != http.StatusOK || strings.Contains(body, typed) {
		t.Errorf("who comes after is answered with %d\n%s", status, body)
	}
	if status, _, _ := p.ask(http.MethodPost, "/sign-in", ""); status != http.StatusSeeOther {
		t.Errorf("answered with %d", status)
	}
	in.FlushDB(t.Context())
	if status, _, body := p.ask(http.MethodGet, "/sign-in", ""); status != http.StatusOK || !strings.Contains(body, `name="password"`) {
		t.Errorf("after a loss the page is answered with %d\n%s", status, body)
	}

	away := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	defer away.Close()
	if status, head, body := newPosting(t, away).ask(http.MethodPost, "/sign-in", ""); status != http.StatusTooManyRequests || !strings.Contains(body, typed) ||
		head.Get("Retry-After") != "17" {
		t.Errorf("where Redis is away the form is answered with %d, %v", status, head)
	}
}

// Over https the cookie of an answer is the host's own, another address does not open what it seals, and who only looks at the head takes nothing away.
func TestAnAnswerIsOfItsAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t, true).Keeping(redistest.New(t))
	program := s.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return s.Show(w, r, page.View{Name: "sign-in", Data: map[string]string{http.MethodPost: typed}[r.Method]})
	})
	ask := func(method, path string, cookies ...*http.Cookie) *http.Response {
		r := httptest.NewRequest(method, path, nil)
		for _, cookie := range cookies {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		program.ServeHTTP(w, r)
		return w.Result()
	}
	named := func(path string) *http.Cookie {
		cookies := ask(http.MethodPost, path).Cookies()
		if len(cookies) != 1 || !strings.HasPrefix(cookies[0].Name, "__Host-") || !cookies[0].Secure || !cookies[0].HttpOnly || cookies[0].Path != "/" {
			t.Fatalf("%s sets %v", path, cookies)
		}
		return cookies[0]
	}
	shows := func(answer *http.Response) bool {
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(body), typed)
	}
	own, other := named("/sign-in"), named("/other")
	if shows(ask(http.MethodGet, "/other", &http.Cookie{Name: other.Name, Value: own.Value})) {
		t.Error("an address shows what is kept for another")
	}
	ask(http.MethodHead, "/sign-in", own)
	if !shows(ask(http.MethodGet, "/sign-in", own)) {
		t.Error("what a look at the head has taken away is lost")
	}
}
