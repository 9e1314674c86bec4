package cabinet

import (
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/cabinet/access"
	"asoba.example/cabinet/issuer/issuertest"
	"asoba.example/cabinet/profile"
	"asoba.example/provider/page/pagetest"
)

// A page that is not there has the menu, by which whoever is signed in goes on.
func TestNoSuchPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "Анна")
	b := w.browser(t)
	if _, status, page := b.open("/profiles"); status != 404 || strings.Contains(page, `href="/profile"`) {
		t.Errorf("not signed in: got %d:\n%s", status, page)
	}
	b.want("/profile", "/profile", 200, "Population register")
	b.want("/profiles", "/profiles", 404, `href="/profile"`)
}

// What answers a form can be loaded once more, wherever it stands.
func TestWhereFormsAreSentToCanBeOpened(t *testing.T) {
	t.Parallel()
	pagetest.Forms(t, slices.Collect(maps.Keys(new(Cabinet).pages())))
}

// browser is somebody's, with its own cookies; it speaks English.
type browser struct {
	t      *testing.T
	w      *world
	client *http.Client
	took   string // what the last answer was to be kept as; "" for a page
}

func (w *world) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, w: w, client: &http.Client{Jar: jar}}
}

// open follows redirects to the page they lead to.
func (b *browser) open(address string) (at *url.URL, status int, page string) {
	b.t.Helper()
	return b.do(http.MethodGet, address, nil, nil)
}

func (b *browser) do(method, address string, form url.Values, header http.Header) (at *url.URL, status int, page string) {
	b.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.w.url + address
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept-Language", "en")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name := range header {
		r.Header.Set(name, header.Get(name))
	}
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	b.took = answer.Header.Get("Content-Disposition")
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer.Request.URL, answer.StatusCode, html.UnescapeString(string(body))
}

// want opens an address and wants to end at a path, with a status and a page that says something.
func (b *browser) want(address, path string, status int, says string) {
	b.t.Helper()
	at, got, page := b.open(address)
	if at.Path != path || got != status || !strings.Contains(page, says) {
		b.t.Errorf("%s led to %s, %d; want %s, %d, %q in:\n%s", address, at.Path, got, path, status, says, page)
	}
}

// leave stops before the provider: it gives where the browser was sent to.
func (b *browser) leave(address string) *url.URL {
	b.t.Helper()
	b.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), b.w.url) {
			return nil
		}
		return http.ErrUseLastResponse
	}
	defer func() { b.client.CheckRedirect = nil }()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.w.url+address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	answer.Body.Close()
	to, err := answer.Location()
	if err != nil {
		b.t.Fatal(err)
	}
	return to
}

// back goes on to the provider and gives the response it sends to the callback, without taking it there.
func (b *browser) back(to *url.URL) string {
	b.t.Helper()
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { b.client.CheckRedirect = nil }()
	answer, err := b.client.Get(to.String())
	if err != nil {
		b.t.Fatal(err)
	}
	answer.Body.Close()
	return answer.Header.Get("Location")
}

// Settings and security are a step away from every page; security is the provider's.
func TestSettingsAndSecurityAreInTheNavigation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/profile", "/profile", 200, `href="/settings">Settings`)
	b.want("/services", "/services", 200, `href="/security">Security`)
	b.want("/settings", "/settings", 200, `href="/settings" aria-current="page"`)
	if got, want := b.leave("/security").String(), w.provider.URL+"/security"; got != want {
		t.Errorf("security is at %s, want %s", got, want)
	}
}

// Whoever asks for a page signs in and comes back to it; the cabinet opens by that and says so in the journal.
func TestCitizenSignsIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "Анна")
	b := w.browser(t)
	b.want("/", "/", 200, "You already have a cabinet")
	b.want("/profile", "/profile", 200, annasNumber)
	if got, want := w.provider.Scope, "openid profile cabinet.profile cabinet.journal"; got != want {
		t.Errorf("asked for %q, want %q", got, want)
	}
	b.want("/", "/", 200, "Welcome, Анна!")
	b.want("/journal", "/journal", 200, "The cabinet was activated")
	for _, path := range []string{"/cases", "/inbox"} {
		b.want(path, path, 200, "yet.")
	}
	b.want("/sign-in?return=/journal", "/journal", 200, "Journal")
	b.want("/nowhere", "/nowhere", 404, "Page not found")
	b.want("/journal?from=nowhere", "/journal", 404, "Page not found")
}

// A sign-in leads to pages of ours only.
func TestSignInLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	for _, to := range []string{"https://elsewhere.example/", "//elsewhere.example/", "/api/v1/profile", "/sign-out", `\\elsewhere.example`} {
		b := w.browser(t)
		b.want("/sign-in?return="+url.QueryEscape(to), "/", 200, "Welcome!")
	}
}

// A response of the provider is good once, in the browser that asked, and only from this provider.
func TestResponsesAreBoundToTheirRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b, stranger := w.browser(t), w.browser(t)

	// Somebody has the citizen's browser take a response of another sign-in (RFC 6749 §10.12).
	stranger.want(b.back(b.leave("/sign-in")), "/callback", 400, "out of date")
	stranger.want("/", "/", 200, "You already have a cabinet")

	response := b.back(b.leave("/sign-in"))
	mixed := strings.Replace(response, url.QueryEscape(w.provider.URL), url.QueryEscape("https://elsewhere.example"), 1)
	b.want(mixed, "/callback", 400, "did not work")
	b.want(response, "/callback", 400, "out of date") // the one above was the last

	response = b.back(b.leave("/sign-in?return=/inbox"))
	b.want(response, "/inbox", 200, "Messages")
	b.want(response, "/", 200, "Welcome") // loaded again
	b.want("/callback", "/", 200, "Welcome")
}

// Each tab comes back to its own page, in whatever order; of more than a browser may have, the oldest is given up. Of strangers nothing is kept.
func TestSignInsAreOnTheirWayInTheirBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	pages := []string{"/services", "/profile", "/journal", "/cases", "/inbox", "/profile/data"}
	var responses []string
	for _, page := range pages {
		w.later.Add(int64(time.Second))
		responses = append(responses, b.back(b.leave("/sign-in?return="+page)))
	}
	if keys, err := w.redis.Keys(t.Context(), "*").Result(); err != nil || len(keys) != 0 {
		t.Errorf("of who has only begun is kept %v, %v", keys, err)
	}
	b.want(responses[0], "/callback", 400, "out of date")
	for i := len(pages) - 1; i > 0; i-- {
		b.want(responses[i], pages[i], 200, "")
	}

	// What a browser has of one sign-in is no good for another, nor for ever.
	other := w.browser(t)
	here, err := url.Parse(w.url)
	if err != nil {
		t.Fatal(err)
	}
	response := other.back(other.leave("/sign-in"))
	mine := other.client.Jar.Cookies(here)
	strange := w.browser(t)
	strangers := strange.back(strange.leave("/sign-in"))
	parsed, err := url.Parse(strangers)
	if err != nil {
		t.Fatal(err)
	}
	forged := *mine[0]
	forged.Name = "cabinet_request_" + parsed.Query().Get("state")
	other.client.Jar.SetCookies(here, []*http.Cookie{&forged})
	other.want(strangers, "/callback", 400, "out of date")
	w.later.Add(int64(requestFor))
	other.want(response, "/callback", 400, "out of date")
	other.leave("/sign-in")
	if left := other.client.Jar.Cookies(here); len(left) != 1 {
		t.Errorf("besides the one on its way the browser has %v", left)
	}
}

// A refusal is told in plain words, and what the provider said is not repeated to the page.
func TestRefusedSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t)
	w.provider.Refuse("access_denied")
	b.want("/sign-in", "/callback", 403, "You did not sign in")
	for _, code := range []string{"server_error", "<script>"} {
		w.provider.Refuse(code)
		b.want("/sign-in", "/callback", 502, "did not work")
		_, _, page := b.open("/sign-in")
		if page = link.ReplaceAllString(page, ""); strings.Contains(page, code) {
			t.Errorf("the page repeats %q:\n%s", code, page)
		}
	}
	w.provider.Down(true)
	b.want("/sign-in", "/authorize", 502, "") // the browser is sent there, and sees for itself
	w.browser(t).want("/", "/", 200, "You already have a cabinet")
}

// What the feed has ended is refused with the very next page, and the session is over with it.
func TestEndedSignInIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world){
		"blocked":              func(w *world) { w.end(t, access.Ended{ID: anna, At: noon}) },
		"signed out, by grant": func(w *world) { w.end(t, access.Ended{ID: grant, At: noon}) },
		"silent, not active": func(w *world) {
			silence(t, w)
			w.provider.Inactive(true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.provider.SignIn(signIn(), "")
			b := w.browser(t)
			b.want("/profile", "/profile", 200, annasNumber)
			end(w)
			b.want("/profile", "/profile", 403, "You are signed out")
			b.want("/", "/", 200, "You already have a cabinet")
		})
	}
}

// Whose sign-in was ended but who is signed in at the provider anew, as after a change of password, is simply back; so is who was let in
// since, however often that happens.
func TestSignedInAnewIsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/profile", "/profile", 200, annasNumber)
	for i := range 3 {
		at := noon.Add(time.Duration(i) * time.Minute)
		w.end(t, access.Ended{ID: anna, At: at})
		later := signIn()
		later["auth_time"], later["gid"] = at.Add(time.Second).Unix(), uuid.NewString()
		w.provider.SignIn(later, "")
		b.want("/profile", "/profile", 200, annasNumber)
	}
	w.end(t, access.Ended{ID: anna, At: noon.Add(time.Hour)})
	for range 2 { // who presses there to sign in is sent there again, and the page says so again
		b.want("/profile", "/profile", 403, "You are signed out")
		b.want("/sign-in?return=/profile", "/profile", 403, "You are signed out")
	}
}

// While nobody can tell, nothing is shown, and nothing is lost.
func TestNobodyCanTell(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/profile", "/profile", 200, annasNumber)
	silence(t, w)
	b.want("/profile", "/profile", 200, annasNumber)
	if w.provider.Asked() == 0 {
		t.Error("the feed was silent and the provider was not asked")
	}
	w.provider.Down(true)
	b.want("/profile", "/profile", 503, "does not answer")
	w.hear(t, noon)
	b.want("/profile", "/profile", 200, annasNumber)

	w.provider.Down(false)
}

// A session outlives its token: of that the provider is asked, while the feed is silent, whether the citizen has signed out since. Where it cannot tell, the
// session waits.
func TestASessionOutlivesItsTokenThoughTheFeedIsSilent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/profile", "/profile", 200, annasNumber)
	w.later.Store(int64(10 * time.Minute))
	b.want("/profile", "/profile", 200, annasNumber)
	if w.provider.Asked() == 0 {
		t.Error("the feed was silent and the provider was not asked")
	}
	words := url.Values{"words": {"It is another."}}
	if at, status, page := b.do(http.MethodPost, "/profile/values/sex", words, nil); status != 200 || !strings.Contains(page, "It is another.") {
		t.Errorf("what was written led to %s, %d:\n%s", at, status, page)
	}
	for name, cannot := range map[string]func(bool){"is away": w.provider.Down, "tells nothing": w.provider.Inactive} {
		cannot(true)
		if _, status, page := b.open("/profile"); status != 503 || !strings.Contains(page, "does not answer") {
			t.Errorf("where the provider %s: got %d", name, status)
		}
		cannot(false)
		b.want("/profile", "/profile", 200, annasNumber)
	}
	w.provider.SignOut()
	w.provider.Refuse("access_denied")
	b.want("/profile", "/callback", 403, "You did not sign in")
	b.want("/", "/", 200, "You already have a cabinet")
}

// What Redis has and no node of this kind has kept there is no session, whatever it is; and it is counted.
func TestWhatCannotBeReadIsNoSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/profile", "/profile", 200, annasNumber)
	keys, err := w.redis.Keys(t.Context(), "cabinet:session:*").Result()
	if err != nil || len(keys) != 1 {
		t.Fatalf("sessions: %v, %v", keys, err)
	}
	key := keys[0]
	kept := w.redis.Get(t.Context(), key).Val()
	sealed := func(plain string) string {
		text, err := w.cabinet.sessions.begun.Seal(key, []byte(plain))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	counted := func() float64 {
		t.Helper()
		families, err := w.metrics.Gather()
		if err != nil || len(families) != 1 {
			t.Fatalf("metrics: %v, %v", families, err)
		}
		return families[0].GetMetric()[0].GetCounter().GetValue()
	}
	count := 0.0
	for name, value := range map[string]any{
		"nothing":                      "",
		"junk":                         "\x00\xff{",
		"a session that is not sealed": `{"Token":{"Subject":"` + annasNumber + `","AuthTime":"2026-05-12T08:59:00Z"},"BeganAt":"2026-05-12T09:00:00Z"}`,
		"half of one":                  kept[:len(kept)/2],
		"what is sealed and no JSON":   sealed("over"),
		"another form":                 sealed(`{"Token":"","BeganAt":0}`),
		"a session of nobody":          sealed(`{"Token":{"ClientID":"cabinet"},"BeganAt":"2026-05-12T09:00:00Z"}`),
		"a list":                       []any{kept},
	} {
		w.redis.Del(t.Context(), key)
		if list, ok := value.([]any); ok {
			w.redis.RPush(t.Context(), key, list...)
		} else {
			w.redis.Set(t.Context(), key, value, time.Hour)
		}
		count++
		b.want("/", "/", 200, "You already have a cabinet")
		if got := counted(); got != count {
			t.Errorf("%s: counted to %v, want %v", name, got, count)
		}
	}
	w.redis.Del(t.Context(), key)
	w.redis.Set(t.Context(), key, over, time.Hour)
	b.want("/", "/", 200, "You already have a cabinet")
	if got := counted(); got != count {
		t.Errorf("one that is over counts too: %v", got)
	}
	w.redis.Del(t.Context(), key)
	w.redis.RPush(t.Context(), key, kept)
	b.want("/profile", "/profile", 200, annasNumber) // whoever signs in anew is in
}

// The gone are told so; somebody whose record is on its way is asked to wait.
func TestGoneAndNotYetHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/profile", "/profile", 200, annasNumber)
	w.register(t, profile.Missing)
	b.want("/profile", "/profile", 403, "deactivated")

	claims := signIn()
	claims["sub"] = "7000000A000PB1"
	w.provider.SignIn(claims, "")
	w.browser(t).want("/profile", "/profile", 503, "being prepared")
}

var link = regexp.MustCompile(`href="[^"]*"`) // the language switch leads to this very address

var field = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]+)"`)

// A sign-out ends the session here and names the one at the provider in a body, by no token; no other site's page can press it.
func TestSignOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var got url.Values
	w.provider.Mux.HandleFunc("POST /end-session", func(_ http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		got = r.PostForm
	})
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/sign-out", "/", 200, "You already have a cabinet") // nobody is in
	b.want("/profile", "/profile", 200, annasNumber)
	_, _, page := b.open("/sign-out")
	form := url.Values{}
	for _, found := range field.FindAllStringSubmatch(page, -1) {
		form.Set(found[1], found[2])
	}
	want := url.Values{"client_id": {issuertest.ClientID}, "logout_hint": {sid}, "post_logout_redirect_uri": {w.url + "/"}}
	if form.Encode() != want.Encode() || strings.Contains(page, "eyJ") {
		t.Errorf("the form has %v, want %v, and no token on the page:\n%s", form, want, page)
	}

	_, status, _ := b.do(http.MethodPost, "/sign-out", form, http.Header{"Sec-Fetch-Site": {"cross-site"}})
	if status != http.StatusForbidden || got != nil {
		t.Errorf("another site's page signed the citizen out: %d", status)
	}
	b.want("/", "/", 200, "Welcome!")

	at, status, _ := b.do(http.MethodPost, "/sign-out", form, nil)
	if at.Path != "/end-session" || at.RawQuery != "" || status != 200 || got.Encode() != form.Encode() {
		t.Errorf("led to %s, %d, with %v", at, status, got)
	}
	b.want("/", "/", 200, "You already have a cabinet")
}

// A session ends when its whole time is over, and when nobody uses it.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/profile", "/profile", 200, annasNumber)
	keys, err := w.redis.Keys(t.Context(), "cabinet:session:*").Result()
	if err != nil || len(keys) != 1 {
		t.Fatalf("sessions: %v, %v", keys, err)
	}
	idle, err := w.redis.TTL(t.Context(), keys[0]).Result()
	if err != nil || idle > 15*time.Minute || idle < 14*time.Minute {
		t.Errorf("an unused session lives %v, %v", idle, err)
	}
	w.later.Store(int64(12 * time.Hour))
	b.want("/", "/", 200, "You already have a cabinet")
}

// Who writes something is told until when it can be sent, and warned before; where it was refused, too. Opening the page once more gives more time, as
// long as the session may last at all.
func TestWritingHasALimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/sign-in", "/", 200, "Welcome!")
	for at, has := range map[time.Duration]struct{ till, warn time.Duration }{
		0:                            {15 * time.Minute, 13 * time.Minute},
		5 * time.Minute:              {20 * time.Minute, 13 * time.Minute},
		12*time.Hour - 5*time.Minute: {12 * time.Hour, 3 * time.Minute},
		12*time.Hour - time.Minute:   {12 * time.Hour, 0},
	} {
		w.later.Store(int64(at))
		w.hear(t, noon.Add(at))
		says := "You have until " + noon.Add(has.till).In(w.cabinet.minsk).Format("15:04")
		warns := fmt.Sprintf(`data-warn="%d"`, int(has.warn.Seconds()))
		for address, form := range map[string]url.Values{
			"/settings":           {"email": {"no address"}, "phone": {""}, "language": {""}},
			"/profile/values/sex": {"words": {""}},
		} {
			_, _, asked := b.do(http.MethodGet, address, nil, nil)
			_, _, refused := b.do(http.MethodPost, address, form, nil)
			for name, page := range map[string]string{"asked for": asked, "refused": refused} {
				if !strings.Contains(page, says) || !strings.Contains(page, warns) || !strings.Contains(page, "/static/limit.") {
					t.Errorf("%s after %s, %s: not %q and %s:\n%s", address, at, name, says, warns, page)
				}
			}
		}
	}
}

// Who reads Redis can neither take over a session nor learn whose it is, and who writes there cannot put it under a word of their own.
func TestRedisTellsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/profile", "/profile", 200, annasNumber)
	keys, err := w.redis.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) != 3 { // the session, and what it comes of, twice
		t.Fatalf("keys: %v, %v", keys, err)
	}
	here, err := url.Parse(w.url)
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{annasNumber, digest(annasNumber), sid, digest(sid), anna.String(), grant.String()}
	for _, c := range b.client.Jar.Cookies(here) {
		secrets = append(secrets, c.Value)
	}
	sessionOfMine := "cabinet:session:{" + digest("mine") + "}"
	secrets = append(secrets, "Subject", "eyJ") // a member of a session, how a token begins
	for _, key := range keys {
		value, err := w.redis.Get(t.Context(), key).Result()
		if err == nil {
			w.redis.Set(t.Context(), sessionOfMine, value, time.Hour)
		} else {
			value = strings.Join(w.redis.SMembers(t.Context(), key).Val(), " ")
		}
		for _, secret := range secrets {
			if strings.Contains(key, secret) || strings.Contains(value, secret) {
				t.Errorf("%s tells %s", key, secret)
			}
		}
	}
	thief := w.browser(t)
	thief.client.Jar.SetCookies(here, []*http.Cookie{{Name: "cabinet_session", Value: "mine", Path: "/"}})
	w.provider.Down(true)
	thief.want("/profile", "/authorize", 502, "down") // to sign in
}
