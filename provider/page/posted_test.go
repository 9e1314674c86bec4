package page_test

import (
	"encoding/base64"
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"asoba.example/migrations/pgtest"
	"asoba.example/migrations/redistest"
	"asoba.example/provider/page"
	"asoba.example/provider/page/pagetest"
	"asoba.example/provider/seal"
)

// A posting is a site whose form at /sign-in is refused whatever is sent, and a browser.
type posting struct {
	t       *testing.T
	server  *httptest.Server
	browser *http.Client
	box     *seal.Box
	now     time.Time
	posted  int  // how many forms came
	away    bool // nobody is signed in any more
}

const typed = "3080356A001PB5"

// known are browsers that are, by what.
var known = map[string][]byte{"Anna's": []byte("a"), "Boris's": []byte("b")}

var noon = time.Date(2026, 5, 12, 12, 0, 0, 0, time.UTC)

func newPosting(t *testing.T, in redis.UniversalClient) *posting {
	t.Helper()
	p := &posting{t: t, now: noon, browser: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	var err error
	if p.browser.Jar, err = cookiejar.New(nil); err != nil {
		t.Fatal(err)
	}
	if p.box, err = seal.Open(t.Context(), pgtest.New(t), make([]byte, seal.MasterKeySize), noon); err != nil {
		t.Fatal(err)
	}
	s, err := newSite(t, false).Keeping(in, p.box, func() time.Time { return p.now })
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /sign-in", s.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return s.Show(w, r, page.View{Name: "sign-in", Data: "", FormAction: []string{"https://portal.example/cb"}})
	}))
	mux.Handle("POST /sign-in", s.Handle(func(w http.ResponseWriter, r *http.Request) error {
		p.posted++
		view := page.View{
			Status: http.StatusUnprocessableEntity, Name: "sign-in", Data: r.PostFormValue("identifier") + r.URL.Query().Get("more"),
			Errors: []page.FieldError{{Field: "identifier", Word: "wrong"}}, At: r.URL.Query().Get("at"), Now: r.URL.Query().Has("now"),
		}
		if wait, err := time.ParseDuration(r.URL.Query().Get("wait")); err == nil {
			view.Status, view.Errors = http.StatusTooManyRequests, []page.FieldError{{Wait: wait}}
		}
		return s.Show(w, r, view)
	}))
	mux.Handle("/done", s.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return s.Show(w, r, page.View{Name: "sign-in", Data: r.PostFormValue("identifier")})
	}))
	mux.Handle("/own", s.Handle(func(w http.ResponseWriter, r *http.Request) error {
		if p.away {
			w.WriteHeader(http.StatusSeeOther)
			return nil
		}
		return s.Show(w, r, page.View{Name: "sign-in", Data: r.PostFormValue("identifier"), SignedIn: true})
	}))
	mux.Handle("GET /missing", s.Handle(func(http.ResponseWriter, *http.Request) error {
		return page.Refuse(http.StatusNotFound, "busy", errors.New("gone"))
	}))
	mux.Handle("POST /accept", s.Handle(func(w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, "/elsewhere", http.StatusSeeOther)
		return nil
	}))
	mux.Handle("/once", s.Idempotent(func(r *http.Request) []byte { return known[r.Header.Get("Browser")] }, s.Handle(func(w http.ResponseWriter, r *http.Request) error {
		if r.Method == http.MethodGet {
			return nil
		}
		p.posted++
		if r.PostFormValue("form") == "wrong" {
			return page.Refuse(http.StatusConflict, "busy", errors.New("wrong"))
		}
		http.SetCookie(w, &http.Cookie{Name: "act", Value: strconv.Itoa(p.posted)})
		http.Redirect(w, r, "/elsewhere", http.StatusSeeOther)
		return nil
	})))
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

// What answers a form is told by GET, to the browser that sent it and at its address; the browser's cookie tells nothing of it, and Redis has nothing.
func TestWhatAnswersAFormIsAskedForByGET(t *testing.T) {
	t.Parallel()
	in := redistest.New(t)
	p := newPosting(t, in)
	status, head, body := p.ask(http.MethodPost, "/sign-in?interaction=one", "")
	if status != http.StatusSeeOther || head.Get("Location") != "/sign-in?interaction=one" || body != "" || head.Get("Cache-Control") != "no-store" {
		t.Fatalf("the form is answered with %d, %v\n%s", status, head, body)
	}
	cookie := head.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "idp_answer_") || !strings.Contains(cookie, "; Path=/; Max-Age=300; HttpOnly; SameSite=Lax") || len(cookie) > 500 {
		t.Errorf("the cookie is %s", cookie)
	}
	_, value, _ := strings.Cut(cookie, "=")
	value, _, _ = strings.Cut(value, ";")
	if plain, err := base64.RawURLEncoding.DecodeString(value); err != nil || strings.Contains(string(plain), typed) || strings.Contains(string(plain), "wrong") {
		t.Errorf("the cookie tells the answer: %q, %v", plain, err)
	}
	if keys := in.Keys(t.Context(), "*").Val(); len(keys) != 0 {
		t.Errorf("kept are %v", keys)
	}

	// Another tab, and another browser.
	if status, _, body := p.ask(http.MethodGet, "/sign-in?interaction=two", ""); status != http.StatusOK || strings.Contains(body, typed) {
		t.Errorf("another address tells it: %d\n%s", status, body)
	}
	jar := p.browser.Jar
	p.browser.Jar = nil
	if status, _, body := p.ask(http.MethodGet, "/sign-in?interaction=one", ""); status != http.StatusOK || strings.Contains(body, typed) {
		t.Errorf("another browser tells it: %d\n%s", status, body)
	}
	p.browser.Jar = jar

	status, head, body = p.ask(http.MethodGet, "/sign-in?interaction=one", "")
	if status != http.StatusUnprocessableEntity || !strings.Contains(head.Get("Content-Security-Policy"), "https://portal.example") || head.Get("Retry-After") != "" {
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

// A form that was refused says so until it is sent again, in whichever language, with all that was typed; and how long is to be waited still.
func TestHowLongItIsToldWhatWasRefused(t *testing.T) {
	t.Parallel()
	p := newPosting(t, redistest.New(t))
	refused := func(what string, want int, after string, says ...string) {
		t.Helper()
		status, head, body := p.ask(http.MethodGet, "/sign-in?interaction=one", "")
		if status != want || head.Get("Retry-After") != after {
			t.Errorf("%s: %d, %v", what, status, head)
		}
		for _, text := range says {
			if !strings.Contains(body, text) {
				t.Errorf("%s does not say %s\n%s", what, text, body)
			}
		}
	}
	from := p.server.URL + "/sign-in?interaction=one"
	const once = http.StatusUnprocessableEntity
	p.ask(http.MethodPost, "/sign-in", from)
	refused("at first", once, "", typed, "Неверно")
	refused("after a reload", once, "", typed, "Неверно")
	p.ask(http.MethodGet, "/sign-in?interaction=one&language=be", "")
	refused("in another language", once, "", typed, "Няправільна", "Памылка")
	p.now = p.now.Add(5*time.Minute - time.Millisecond)
	refused("there, minutes later", once, "", typed, "Няправільна")
	p.now = p.now.Add(time.Millisecond)
	refused("at last", http.StatusOK, "")

	p.ask(http.MethodPost, "/sign-in?wait=40m", from)
	refused("at first", http.StatusTooManyRequests, "2400", typed, "Пачакайце 40 хвілін")
	p.now = p.now.Add(39*time.Minute + 18500*time.Millisecond)
	refused("after most of the wait", http.StatusTooManyRequests, "42", typed, "Пачакайце 42 секунды")
	p.now = p.now.Add(41500 * time.Millisecond)
	refused("after the wait", http.StatusOK, "")

	// A short wait may be over before the page is there, which yet tells what was the matter; a very long one is not carried about.
	p.ask(http.MethodPost, "/sign-in?wait=2s", from)
	p.now = p.now.Add(4 * time.Second)
	refused("after a short wait", http.StatusTooManyRequests, "1", typed, "Пачакайце 1 секунду")
	p.now = p.now.Add(time.Second)
	refused("a while after a short wait", http.StatusOK, "")
	p.ask(http.MethodPost, "/sign-in?wait=10s", from)
	p.now = p.now.Add(10 * time.Second)
	refused("once the wait is over that was told", http.StatusOK, "")
	p.ask(http.MethodPost, "/sign-in?wait=24h", from)
	p.now = p.now.Add(time.Hour - time.Millisecond)
	refused("during a long wait", http.StatusTooManyRequests, "82801", typed, "Пачакайце 24 гадзіны")
	p.now = p.now.Add(time.Millisecond)
	refused("during a long wait, later", http.StatusOK, "")

	p.ask(http.MethodPost, "/sign-in", from)
	p.ask(http.MethodPost, "/accept", from)
	refused("after the form was sent again, and accepted", http.StatusOK, "")
	if _, head, _ := p.ask(http.MethodPost, "/sign-in", from); len(head["Set-Cookie"]) != 1 {
		t.Errorf("the first sets %q", head["Set-Cookie"])
	}
	if _, head, _ := p.ask(http.MethodPost, "/sign-in", from); len(head["Set-Cookie"]) != 1 || strings.Contains(head.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("the second sets %q", head["Set-Cookie"])
	}
	refused("after it was sent again, and refused", once, "", typed, "Няправільна")
}

// The switch of languages leads back to the very address, in whichever order and spelling its parameters stand.
func TestWhatWasRefusedIsToldInAnotherLanguageAtAnyAddress(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"/sign-in?interaction=one&again", "/sign-in?b=%7e&a=+", "/sign-in"} {
		p := newPosting(t, redistest.New(t))
		_, head, _ := p.ask(http.MethodPost, "/sign-in", p.server.URL+at)
		_, _, body := p.ask(http.MethodGet, head.Get("Location"), "")
		link, _, _ := strings.Cut(body, `" lang="be" hreflang`)
		_, head, _ = p.ask(http.MethodGet, html.UnescapeString(link[strings.LastIndex(link, `"`)+1:]), "")
		if got := head.Get("Location"); got != at {
			t.Errorf("from %s the switch leads to %q", at, got)
		}
		if status, _, body := p.ask(http.MethodGet, head.Get("Location"), ""); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Няправільна") {
			t.Errorf("at %s in another language: %d\n%s", at, status, body)
		}
	}
}

// What was done is shown once, and so is an error that stands in the form's place. What is somebody's own is shown only by a door that lets them in.
func TestWhatIsToldOnce(t *testing.T) {
	t.Parallel()
	in := redistest.New(t)
	p := newPosting(t, in)
	p.ask(http.MethodPost, "/done", "")
	keys := in.Keys(t.Context(), "*").Val()
	if len(keys) != 1 || in.TTL(t.Context(), keys[0]).Val() <= 0 {
		t.Fatalf("kept are %v", keys)
	}
	if kept := in.Get(t.Context(), keys[0]).Val(); strings.Contains(kept, typed) || strings.Contains(kept, "html") {
		t.Errorf("Redis tells the answer: %q", kept)
	}
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

	p.ask(http.MethodPost, "/own", "")
	p.away = true
	if status, _, body := p.ask(http.MethodGet, "/own", ""); status != http.StatusSeeOther || strings.Contains(body, typed) {
		t.Errorf("to whoever is not signed in is told %d\n%s", status, body)
	}
	p.away = false
	for _, want := range []bool{true, false} {
		if _, _, body := p.ask(http.MethodGet, "/own", ""); strings.Contains(body, typed) != want {
			t.Errorf("what was done of somebody's own is shown as, not %t\n%s", want, body)
		}
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
	} {
		status, head, _ := p.ask(http.MethodPost, row.to, row.from)
		if got := head.Get("Location"); status != http.StatusSeeOther || got != row.at {
			t.Errorf("%s from %q: %d to %q, want %q", row.to, row.from, status, got, row.at)
			continue
		}
		if status, _, body := p.ask(http.MethodGet, row.at, ""); status != http.StatusConflict || !strings.Contains(body, `language=be"`) {
			t.Errorf("%s shows %d\n%s", row.at, status, body)
		}
	}
	for at, want := range map[string]int{"/sign-in?c": http.StatusUnprocessableEntity, "/missing": http.StatusNotFound} { // where another page is by now, that is shown
		_, head, _ := p.ask(http.MethodPost, "/sign-in?at="+url.QueryEscape(at), p.server.URL+"/sign-in")
		if got := head.Get("Location"); got != at {
			t.Errorf("it leads to %s, not %s", got, at)
		}
		if status, _, body := p.ask(http.MethodGet, at, ""); status != want || strings.Contains(body, "Неверно") != (want == http.StatusUnprocessableEntity) {
			t.Errorf("%s shows %d\n%s", at, status, body)
		}
	}
}

// Answered at once is what is our own fault, what no door of ours was asked, what must be, what is too long to be carried, and what was done where it cannot be
// kept.
func TestWhatIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	in := redistest.New(t)
	p := newPosting(t, in)
	for path, want := range map[string]int{
		"/fail": http.StatusInternalServerError, "/sign-on": http.StatusNotFound, "/sign-in?now": http.StatusUnprocessableEntity,
		"/sign-in?now&wait=17s": http.StatusTooManyRequests, "/sign-in?more=" + strings.Repeat("x", 2000): http.StatusUnprocessableEntity,
	} {
		status, head, body := p.ask(http.MethodPost, path, "")
		if status != want || !strings.Contains(body, "</html>") || (head.Get("Retry-After") == "17") != (want == http.StatusTooManyRequests) {
			t.Errorf("%s is answered with %d, want %d", path, status, want)
		}
		if strings.Contains(body, "hreflang=") { // by which what was typed would be lost
			t.Errorf("%s is offered in another language:\n%s", path, body)
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
	p.ask(http.MethodPost, "/done", "")
	in.FlushDB(t.Context())
	for path, want := range map[string]int{"/sign-in": http.StatusUnprocessableEntity, "/done": http.StatusOK} {
		if status, _, body := p.ask(http.MethodGet, path, ""); status != want || !strings.Contains(body, `name="password"`) {
			t.Errorf("after a loss %s is answered with %d\n%s", path, status, body)
		}
	}

	away := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	defer away.Close()
	if status, head, body := newPosting(t, away).ask(http.MethodPost, "/done", ""); status != http.StatusOK || !strings.Contains(body, typed) {
		t.Errorf("where Redis is away the form is answered with %d, %v", status, head)
	}
}

// However many forms are refused, a browser has no more of it than a server takes: the oldest is told no more, wherever the form was.
func TestOfManyAnswersTheLatestAreTold(t *testing.T) {
	t.Parallel()
	const last = 39
	p := newPosting(t, redistest.New(t))
	at := func(n int) string { return "/sign-in?interaction=" + strconv.Itoa(n) }
	for n := range last + 1 {
		p.ask(http.MethodPost, at(n), "")
		p.now = p.now.Add(time.Second)
		if n == last-1 { // sent again, so it is the latest of them but one
			p.ask(http.MethodPost, at(2), "")
			p.now = p.now.Add(time.Second)
		}
	}
	home, err := url.Parse(p.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, has := range p.browser.Jar.Cookies(home) {
		size += len(has.Value)
	}
	if size > 4<<10 || size < 3<<10 {
		t.Errorf("the browser has %d bytes of them", size)
	}
	for n, want := range map[int]int{0: 200, 1: 200, 2: 422, 3: 200, last - 1: 422, last: 422} {
		if status, _, _ := p.ask(http.MethodGet, at(n), ""); status != want {
			t.Errorf("%d is answered with %d, want %d", n, status, want)
		}
	}
}

// Over https the cookie of an answer is the host's own, another address does not open what it seals, and who only looks at the head takes nothing away.
func TestAnAnswerIsOfItsAddress(t *testing.T) {
	t.Parallel()
	s, err := newSite(t, true).Keeping(redistest.New(t), newPosting(t, nil).box, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
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

// once sends a form that is acted on once, or asks for its page, with the cookies that are given. It gives the number of the act by the cookie that came with
// the answer, where it led, and all its cookies.
func (p *posting) once(method, browser, form string, with ...*http.Cookie) (act int, to string, cookies []*http.Cookie) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.server.URL+"/once", strings.NewReader("form="+form))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Browser", browser)
	for _, cookie := range with {
		r.AddCookie(cookie)
	}
	answer, err := (&http.Client{CheckRedirect: p.browser.CheckRedirect}).Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = answer.Body.Close()
	for _, cookie := range answer.Cookies() {
		if cookie.Name == "act" {
			act, _ = strconv.Atoi(cookie.Value)
		}
	}
	return act, answer.Header.Get("Location"), answer.Cookies()
}

// The same form of the same browser at the same address is acted on once, and led on with the same cookies. Whatever else comes is another: with something
// else in it, from another browser, refused before, or of a page that was opened anew.
func TestAFormIsActedOnOnce(t *testing.T) {
	t.Parallel()
	p := newPosting(t, redistest.New(t))
	for i, sent := range []struct {
		method, browser, form string
		act                   int // 0 for none
	}{
		{http.MethodPost, "Anna's", "one", 1},
		{http.MethodPost, "Anna's", "one", 1},
		{http.MethodPost, "Boris's", "one", 2},
		{http.MethodPost, "Anna's", "one", 1},
		{http.MethodPost, "nobody's", "one", 3},
		{http.MethodPost, "nobody's", "one", 4},
		{http.MethodPost, "Anna's", "two", 5},
		{http.MethodPost, "Anna's", "two", 5},
		{http.MethodPost, "Anna's", "one", 6},
		{http.MethodGet, "Anna's", "", 0},
		{http.MethodPost, "Anna's", "one", 7},
		{http.MethodPost, "Boris's", "wrong", 0},
		{http.MethodPost, "Boris's", "wrong", 0},
		{http.MethodPost, "Boris's", "one", 10},
	} {
		act, to, _ := p.once(sent.method, sent.browser, sent.form)
		if led := to == "/elsewhere"; act != sent.act || led != (act > 0) {
			t.Errorf("%d: act %d leads to %q, want act %d", i, act, to, sent.act)
		}
	}
	if p.posted != 10 {
		t.Errorf("%d forms were acted on", p.posted)
	}
}

// The cookies that a form has led on with are forgotten once the browser has brought them, on whichever page, or with the same form: whoever has captured the
// request hears where it led, and no more. What was never heard is kept for a moment.
func TestWhatAFormHasLedOnWithIsForgottenOnceItWasHeard(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/sign-in", "/once"} {
		in := redistest.New(t)
		p := newPosting(t, in)
		_, _, cookies := p.once(http.MethodPost, "Anna's", "one")
		if act, to, _ := p.once(http.MethodPost, "Anna's", "one"); act != 1 || to != "/elsewhere" {
			t.Errorf("before it was heard, act %d leads to %q", act, to)
		}
		for _, key := range in.Keys(t.Context(), "*").Val() {
			if left := in.TTL(t.Context(), key).Val(); left <= 0 || left > 30*time.Second {
				t.Errorf("%s is kept for %s", key, left)
			}
		}
		if path == "/once" {
			if act, to, _ := p.once(http.MethodPost, "Anna's", "one", cookies...); act != 0 || to != "/elsewhere" {
				t.Errorf("to who has heard it, act %d leads to %q", act, to)
			}
		} else {
			at, err := url.Parse(p.server.URL)
			if err != nil {
				t.Fatal(err)
			}
			p.browser.Jar.SetCookies(at, cookies)
			p.ask(http.MethodGet, path, "")
		}
		if act, to, _ := p.once(http.MethodPost, "Anna's", "one"); act != 0 || to != "/elsewhere" {
			t.Errorf("after it was heard at %s, act %d leads to %q", path, act, to)
		}
		if p.posted != 1 {
			t.Errorf("%d forms were acted on", p.posted)
		}
	}
}
