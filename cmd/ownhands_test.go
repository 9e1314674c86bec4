package cmd_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/redis/go-redis/v9"
)

// A plain browser has cookies and no scripts. It sends what a page asks for back to the page.
type plain struct {
	t      *testing.T
	client *http.Client
	at     *url.URL
	status int
	head   http.Header
	led    http.Header // of the redirect that led there last; nil where none did
	body   string
}

func newPlain(t *testing.T) *plain {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &plain{t: t, client: &http.Client{Jar: jar}}
}

func (p *plain) do(res *http.Response, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	p.at, p.status, p.head, p.body, p.led = res.Request.URL, res.StatusCode, res.Header, string(body), nil
	if before := res.Request.Response; before != nil {
		p.led = before.Header
	}
}

func (p *plain) open(address string) { p.t.Helper(); p.do(p.client.Get(address)) }

func (p *plain) send(fields ...string) {
	p.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	p.do(p.client.PostForm(p.at.String(), form))
}

func (p *plain) want(path string, status int) {
	p.t.Helper()
	if p.at.Path != path || p.status != status {
		p.t.Fatalf("at %s with %d, want %s with %d", p.at.Path, p.status, path, status)
	}
}

// A restless person reloads whatever a form leads to, goes Back, and comes again.
type restless struct{ *browser }

func (r restless) submit() { r.t.Helper(); r.browser.submit(); r.survives() }

func (r restless) decide(decision string) { r.t.Helper(); r.browser.decide(decision); r.survives() }

// survives fails unless the form was taken, and the page is there again after a reload and after Back, which leads to a page with a way on.
func (r restless) survives() {
	r.t.Helper()
	status, err := chromedp.Run(r.ctx, chromedp.Evaluate[int](`performance.getEntriesByType("navigation")[0].responseStatus`))
	if err != nil || status != http.StatusOK {
		r.t.Fatalf("the form was answered with %d: %v\n%s", status, err, r.page())
	}
	at, _, _ := strings.Cut(r.location(), "?")
	r.do("reload", chromedp.Reload())
	r.at(at)
	r.do("go back", chromedp.NavigateBack())
	r.holds("there is a way on", `document.querySelector("main a[href], main form") !== null`)
	r.do("come again", chromedp.NavigateForward())
	r.at(at)
}

// refused submits a form that is not taken, reloads what is said of it, which sends nothing again, goes Back to the form, and opens it anew.
func (r restless) refused(why string) {
	r.t.Helper()
	r.browser.submit()
	r.told(why)
	r.do("reload", chromedp.Reload())
	r.told(why)
	r.do("go back", chromedp.NavigateBack())
	r.told(why)
	r.open(r.location()) // the browser gives back what was typed, whenever it likes
}

// told fails unless the page has the form that was refused, and says why.
func (r restless) told(why string) {
	r.t.Helper()
	r.holds("the form is there", `document.querySelector("main form") !== null && performance.getEntriesByType("navigation")[0].responseStatus >= 400`)
	r.see(why)
}

// anew fails unless the page has a form, and nothing is said of one that was sent.
func (r restless) anew(why string) {
	r.t.Helper()
	r.holds("the form is there anew", `document.querySelector("main form") !== null && performance.getEntriesByType("navigation")[0].responseStatus === 200`)
	if page := r.page(); strings.Contains(page, why) {
		r.t.Fatalf("it is told again:\n%s", page)
	}
}

// Nobody ends on a dead page, with no script either: what is said of a form that was refused is a page like any other to reload, Back and Forward, and none
// of them sends the form again. So neither do they once its person is signed in; and the e-service gets its answer. So it is in the cabinet.
func TestARefusedFormIsNoDeadEnd(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	c.errand("idp", "migrate")
	c.errand("cabinet", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	eservice := c.register(c.eserviceMetadata())
	c.env = append(c.env, "ESERVICE_CLIENT_ID="+eservice.ID, "ESERVICE_CLIENT_SECRET="+eservice.Secret)
	c.registerCabinet()
	c.serve("idp", c.issuer)
	c.serve("cabinet", c.cabinet)
	c.serve("eservice", c.eservice)
	c.signIn(citizenNumber, c.desk().issue(citizenNumber, citizenPhone), c.issuer+"/security", c.issuer+"/security")
	b := restless{newBrowser(t)}
	b.scriptless()
	tried := func() string {
		t.Helper()
		response, err := http.Get(c.management + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return find(t, `(?m)^idp_passwords_total\{outcome="hashed"\}.*$`, string(text))
	}
	back := func() { t.Helper(); b.do("go back", chromedp.NavigateBack()) }
	forward := func() { t.Helper(); b.do("go forward", chromedp.NavigateForward()) }

	b.open(c.eservice + "/")
	b.press(`a[href^="/sign-in"]`)
	b.fill("username", citizenNumber)
	b.fill("current-password", stronger)
	b.browser.submit()
	const wrong = "does not match"
	b.told(wrong)
	b.holds("what was typed is there, and what is wrong is said first", `document.querySelector("[autocomplete~=username]").value === "`+citizenNumber+`" &&
		document.querySelector("#password").value === "" && document.querySelector("#password").ariaInvalid === "true" && document.title.startsWith("Error")`)
	once := tried()
	b.do("reload", chromedp.Reload())
	b.told(wrong)
	back()
	b.told(wrong)
	forward()
	b.told(wrong)
	for _, other := range []struct{ language, says string }{{"be", "не падышлі"}, {"en", wrong}} {
		b.press(`a[hreflang="` + other.language + `"]`)
		b.told(other.says)
		b.holds("what was typed is there", `document.querySelector("[autocomplete~=username]").value === "`+citizenNumber+`"`)
	}
	if got := tried(); got != once {
		t.Errorf("the password was tried again: %s, and it was %s", got, once)
	}

	b.fill("username", citizenNumber)
	b.fill("current-password", strong)
	b.submit()
	b.at(c.issuer + "/sign-in/code")
	b.fill("one-time-code", "000000")
	b.refused("The code does not match")
	b.fill("one-time-code", code(t, c.phone.next(t, "code")))
	b.submit()
	b.decide("allow")
	b.at(c.eservice)
	b.see(citizenNumber)
	for range 3 { // the consent, the code, the password
		back()
		b.holds("there is a way on", `document.querySelector("main a[href], main form") !== null`)
	}
	b.open(c.eservice + "/sign-in")
	b.at(c.eservice)
	b.see(citizenNumber)

	b.open(c.cabinet + "/sign-in?return=/settings")
	b.at(c.cabinet + "/settings")
	b.write("email", "alesya")
	b.browser.submit()
	b.see("Enter an e-mail address")
	b.do("reload", chromedp.Reload())
	b.told("Enter an e-mail address")
	b.sees(`[name="email"][value="alesya"]`, 1)
	b.write("email", "alesya@example.com")
	b.browser.submit()
	b.at(c.cabinet + "/profile")
	back()
	b.anew("Enter an e-mail address")
}

// Who writes something in the cabinet is warned over the page before their session is over, and on one press it goes on, with what was written as it is;
// with no script the page says until when there is time. Signing out there ends the session at the provider too, and leads back.
func TestAVisitToTheCabinetThatTakesLong(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	c.errand("idp", "migrate")
	c.errand("cabinet", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	c.registerCabinet()
	c.serve("idp", c.issuer)
	c.serve("cabinet", c.cabinet)
	c.signIn(citizenNumber, c.desk().issue(citizenNumber, citizenPhone), c.issuer+"/security", c.issuer+"/security")
	b := newBrowser(t)
	b.waits("/settings")
	b.open(c.cabinet + "/sign-in?return=/settings")
	b.fill("username", citizenNumber)
	b.fill("current-password", strong)
	b.submit()
	b.at(c.issuer + "/sign-in/code")
	b.fill("one-time-code", code(t, c.phone.next(t, "code")))
	b.submit()
	b.at(c.cabinet + "/settings")
	b.write("email", "alesya@example.com")
	options, err := redis.ParseURL(c.setting("CABINET_REDIS_URL"))
	if err != nil {
		t.Fatal(err)
	}
	store := redis.NewClient(options)
	defer store.Close()
	session := c.sessionsAtCabinet()[0]
	if err := store.Expire(t.Context(), session, 2*time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	b.line(network.Conditions{Offline: true})
	b.holds("the warning is shown", `(document.querySelector("#limit").former = true, late(), document.querySelector("dialog").open)`)
	b.do("stay", chromedp.Click(chromedp.CSS("dialog button")))
	b.holds("it is told that there is no more time yet", `document.querySelector("dialog[open] [role=alert]").checkVisibility()`)
	b.line(network.Conditions{})
	b.do("stay", chromedp.Click(chromedp.CSS("dialog button")))
	b.holds("there is more time", `!document.querySelector("#limit").former && !document.querySelector("dialog[open]")`)
	b.stays()
	if left, err := store.TTL(t.Context(), session).Result(); err != nil || left < 10*time.Minute {
		t.Errorf("the session goes on for %s, %v", left, err)
	}
	b.holds("as where a session may last no longer", `(() => {
		window.late();
		window.fetch = (asked => async (...of) => {
			const answer = await asked(...of);
			return new Response((await answer.text()).replace(/data-warn="\d+"/, 'data-warn="0"'));
		})(window.fetch);
		return true;
	})()`)
	b.do("stay", chromedp.Click(chromedp.CSS("dialog button")))
	b.holds("it is told that there can be no more time", `document.querySelector("dialog[open]").innerText.includes("no more time")`)
	b.do("understand", chromedp.Click(chromedp.CSS("dialog[open] button")))
	b.holds("what was written is there", `!document.querySelector("dialog[open]") && document.querySelector("[name=email]").value === "alesya@example.com"`)
	b.submit()
	b.at(c.cabinet + "/profile")
	b.see("alesya@example.com")

	b.scriptless()
	b.open(c.cabinet + "/settings")
	b.see("You have until", "More time")
	b.open(c.cabinet + "/sign-out")
	b.submit()
	b.see("You already have a cabinet")
	b.at(c.cabinet + "/")
	b.open(c.issuer + "/security")
	b.at(c.issuer + "/sign-in")
}

// Where the browser keeps the pages that were left, Back gives them back as they stood. None of ours comes back after a sign-out; and after a refusal
// there is the form, to be sent.
func TestAKeptPageShowsNobody(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	c.errand("idp", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	c.serve("idp", c.issuer)
	c.signIn(citizenNumber, c.desk().issue(citizenNumber, citizenPhone), c.issuer+"/security", c.issuer+"/security")
	b := startBrowser(t)
	back := func() { t.Helper(); b.holds("it goes back", `history.back(), true`) } // without waiting for a page to load

	others := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<h1>Another site</h1>")
	}))
	t.Cleanup(others.Close)
	const mark, marked = `window.left = true`, `window.left === true`
	b.open(others.URL + "/left")
	b.holds("it is marked", mark)
	b.open(others.URL + "/other")
	back()
	b.holds("a page that may be kept comes back as it stood", `location.pathname === "/left" && `+marked)

	b.open(c.issuer + "/security")
	b.fill("username", citizenNumber)
	b.fill("current-password", stronger)
	b.submit()
	b.see("does not match")
	b.holds("it is marked", mark)
	back()
	b.holds("the form is there", `location.pathname === "/sign-in" && document.querySelector("[autocomplete~=username]")?.value === "`+citizenNumber+`" && document.readyState === "complete" && !(`+marked+`)`)
	b.fill("current-password", strong)
	b.submit()
	b.at(c.issuer + "/sign-in/code")
	b.fill("one-time-code", code(t, c.phone.next(t, "code")))
	b.submit()
	b.at(c.issuer + "/security")
	b.press(`main a[href="/security/history"]`)
	b.at(c.issuer + "/security/history")
	b.holds("it is marked", mark)
	b.open(c.issuer + "/security")
	b.holds("it is marked", mark)
	b.press(`form[action="/sign-out"] button`)
	b.at(c.issuer + "/sign-out")
	for range 2 {
		b.holds("it is marked", mark)
		back()
		b.holds("whoever goes Back is asked who they are", `location.pathname === "/sign-in" && document.querySelector("main form") !== null && !(`+marked+`)`)
	}
}

// What a citizen does for himself, with nothing in hand but a phone, a document, and a browser without scripts and with a restless person before
// it: recovers a temporary password that was lost, and a static one; blocks by the link in a warning, by a press and by a code, with one factor, and comes
// back with two and a new password; changes the password, asks for another phone, binds an app and gives it up, and ends what is open elsewhere
// (resolution 792 ¶5–7).
func TestWhatIsInTheCitizensOwnHands(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	c.set("IDP_RELAXED", "true") // all of it is done within a minute
	c.errand("idp", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	c.serve("idp", c.issuer)
	desk := c.desk()
	lost := desk.issue(citizenNumber, citizenPhone)
	home := restless{newBrowser(t)}
	home.scriptless()
	at := func(path string) { t.Helper(); home.at(c.issuer + path) }
	sentCode := func() string { t.Helper(); return code(t, c.phone.next(t, "code")) }
	forms := func(password string) { t.Helper(); home.fill("new-password", password); home.submit() }
	types := func(b restless, password string) {
		t.Helper()
		b.fill("username", citizenNumber)
		b.fill("current-password", password)
	}
	signsIn := func(password string) { t.Helper(); types(home, password); home.submit() }
	wrongly := func(password string) { t.Helper(); types(home, password); home.refused("does not match") }
	signsInByCode := func(password string) {
		t.Helper()
		signsIn(password)
		at("/sign-in/code")
		home.fill("one-time-code", sentCode())
		home.submit()
	}
	help := func(path string) { // that the page of the sign-in keeps folded up
		t.Helper()
		link := `a[href^="` + path + `"]`
		home.do("unfold", chromedp.Click(chromedp.CSS(`details:has(`+link+`) summary`)))
		home.press(link)
	}
	recovers := func() {
		t.Helper()
		home.open(c.issuer + "/security")
		help("/recover")
		home.fill("username", strings.ToLower(citizenNumber))
		home.write("document_number", strings.ToLower(document["number"].(string)))
		home.submit()
		at("/recover/code")
		home.fill("one-time-code", sentCode())
		home.submit()
	}
	comesBack := func(from, to string) {
		t.Helper()
		signsIn(from)
		at("/unblock/code")
		home.open(strings.Replace(home.location(), "/code", "/password", 1)) // one factor is not enough
		at("/unblock/code")
		home.fill("one-time-code", sentCode())
		home.submit()
		at("/unblock/password")
		home.fill("new-password", from)
		home.refused("Think of another")
		forms(to)
		at("/security")
	}

	// The temporary password is lost before it was ever used.
	recovers()
	at("/recover/sent")
	home.press(`main a[href^="/sign-in"]`)
	wrongly(lost)
	signsIn(password(t, c.phone.next(t, "temporary_password")))
	at("/sign-in/password")
	forms(strong)
	at("/security")

	// The link in a warning blocks; with the password, the code and another password the identifier is in use again.
	home.open(find(t, c.issuer+`/not-me/\w+`, c.phone.next(t, "notice", "/not-me/")))
	home.decide("block")
	at("/block/done")
	home.open(c.issuer + "/security")
	wrongly(strong)
	help("/unblock")
	comesBack(strong, stronger)

	// Another password, at once.
	home.press(`main a[href="/security/password"]`)
	home.fill("current-password", stronger)
	forms(strong)
	at("/security")
	home.see("The password has been changed")

	// Another phone: more than the password is asked for first. It is given up again.
	home.press(`main a[href="/security/phone"]`)
	signsInByCode(strong)
	at("/security/phone")
	home.write("phone", "8 029 491-19-13")
	home.submit()
	home.fill("one-time-code", sentCode())
	home.submit()
	home.see("your number will be the one that ends in 13")
	home.decide("cancel")
	at("/security/phone")
	home.sees(`[name="phone"]`, 1)

	// An app, by its key.
	home.open(c.issuer + "/security/factors")
	home.press(`main a[href^="/security/authenticator"]`)
	signsInByCode(strong)
	at("/security/authenticator")
	key := home.appKey()
	home.fill("one-time-code", shows(t, key, 0))
	home.submit()
	at("/security/factors")
	home.see("You have an authenticator app")

	// What is open elsewhere ends, and stands in the history.
	elsewhere := restless{newBrowser(t)}
	elsewhere.scriptless()
	elsewhere.open(c.issuer + "/security")
	types(elsewhere, strong)
	elsewhere.submit()
	elsewhere.at(c.issuer + "/sign-in/authenticator")
	elsewhere.press(`main a[href^="/sign-in/code"]`)
	elsewhere.decide("again")
	elsewhere.fill("one-time-code", sentCode())
	elsewhere.submit()
	elsewhere.at(c.issuer + "/security")
	home.open(c.issuer + "/security/sessions")
	home.decide("end_others")
	at("/security/sessions")
	home.press(`main a[href="/security/history"]`)
	home.see("An authenticator app was added", "A change of the phone was asked for")
	elsewhere.do("reload", chromedp.Reload())
	elsewhere.at(c.issuer + "/sign-in")

	// The app is given up by what it shows.
	home.open(c.issuer + "/security/authenticator")
	signsIn(strong)
	at("/sign-in/authenticator")
	home.fill("one-time-code", shows(t, key, 30*time.Second)) // each is good once
	home.submit()
	at("/security/authenticator")
	home.decide("remove")
	at("/security/factors")

	// Who is signed in blocks by a press, and comes back.
	home.open(c.issuer + "/security")
	home.press(`main a[href="/block"]`)
	home.decide("block")
	at("/block/done")
	home.press(`main a[href="/unblock"]`)
	comesBack(strong, stronger)

	// Who is not, by a code; and since access was got back lately, the desk alone gives it back then.
	elsewhere.open(c.issuer + "/block")
	elsewhere.fill("username", citizenNumber)
	elsewhere.decide("code")
	elsewhere.fill("one-time-code", sentCode())
	elsewhere.submit()
	elsewhere.at(c.issuer + "/block/done")
	home.open(c.issuer + "/unblock")
	wrongly(stronger)
	desk.act("/desk/unblocks", http.StatusOK, map[string]any{"identifier": citizenNumber, "document": document, "basis": basis, "attested": attested})
	home.open(c.issuer + "/security")
	signsIn(password(t, c.phone.next(t, "temporary_password")))
	forms(strong)
	at("/security")

	// The static password is remembered in time, and then lost.
	home.press(`form[action="/sign-out"] button`)
	recovers()
	at("/recover/password")
	home.decide("keep")
	at("/sign-in")
	home.fill("current-password", strong) // the number stands there
	home.submit()
	at("/security")
	home.press(`form[action="/sign-out"] button`)
	recovers()
	at("/recover/password")
	forms(stronger)
	at("/security")
	home.see("The password has been changed")
}

// Whoever presses twice, as people do where the line is slow, comes to where one press leads, though the browser gives up the answer to the first, the session
// in it and all: so a sign-in ends, and the password is changed, lost and formed anew, and the identifier blocked and got back.
func TestTwoPressesOnASlowLine(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	c.set("IDP_RELAXED", "true") // all of it is done within a minute
	c.errand("idp", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	c.serve("idp", c.issuer)
	c.signIn(citizenNumber, c.desk().issue(citizenNumber, citizenPhone), c.issuer+"/security", c.issuer+"/security")
	b := newBrowser(t)
	b.slow(400)
	twice := func(button, path, says string) {
		t.Helper()
		b.holds("it is pressed twice", `(button => { button.click(); setTimeout(() => button.click(), 150); return true; })(document.querySelector("main form `+button+`"))`)
		b.comes(c.issuer + path)
		b.see(says)
	}
	const primary = `button[type=submit]`
	proves := func(path, password string) {
		t.Helper()
		b.open(c.issuer + path)
		b.fill("username", citizenNumber)
		b.fill("current-password", password)
		b.submit()
		b.fill("one-time-code", code(t, c.phone.next(t, "code")))
	}
	proves("/security", strong)
	twice(primary, "/security", "password and a code by SMS")

	b.open(c.issuer + "/security/password")
	b.fill("current-password", strong)
	b.fill("new-password", stronger)
	twice(primary, "/security?changed", "The password has been changed")

	b.open(c.issuer + "/block")
	twice(`button[value=block]`, "/block/done", "The identifier is blocked")

	proves("/unblock", stronger)
	b.submit()
	b.fill("new-password", strong)
	twice(primary, "/security?changed", "The password has been changed")

	b.press(`form[action="/sign-out"] button`)
	b.open(c.issuer + "/recover")
	b.fill("username", citizenNumber)
	b.write("document_number", document["number"].(string))
	b.submit()
	b.fill("one-time-code", code(t, c.phone.next(t, "code")))
	b.submit()
	b.fill("new-password", stronger)
	twice(primary, "/security?changed", "The password has been changed")
}

// Unknown, without an identifier, with a temporary password, active and blocked: whoever tries a number is answered alike, head and body, but
// for what they typed themselves and what is made anew for each answer (OWASP ASVS 5.0 6.3.8). BenchmarkRefusals compares the times.
func TestRefusalsTellNobodyApart(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	c.errand("idp", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	c.serve("idp", c.issuer)
	desk := c.desk()
	c.signIn(citizenNumber, desk.issue(citizenNumber, citizenPhone), c.issuer+"/security", c.issuer+"/security")
	anew := regexp.MustCompile(`interaction=\w+|answer_\w+=[\w-]*|data-ask="[^"]*"|value="` + numberForm + `"`)
	answer := func(number string) string {
		t.Helper()
		p := newPlain(t)
		p.open(c.issuer + "/security")
		p.send("identifier", number, "password", "not this one at all")
		p.want("/sign-in", http.StatusUnprocessableEntity)
		var all strings.Builder
		for _, head := range []http.Header{p.led, p.head} {
			for _, each := range []string{"Date", "X-Request-Id"} {
				head.Del(each)
			}
			if err := head.Write(&all); err != nil {
				t.Fatal(err)
			}
		}
		return anew.ReplaceAllString(all.String()+p.body, "")
	}
	want := answer("7000001A000PB8") // of nobody
	const other = "2290296M000BA3"
	for _, who := range []struct {
		stands, number string
		come           func()
	}{
		{"without an identifier", other, func() {}},
		{"temporary", other, func() { desk.issue(other, "+375294911913") }},
		{"active", citizenNumber, func() {}},
		{"blocked", citizenNumber, func() {
			p := newPlain(t)
			p.open(c.issuer + "/block")
			p.send("identifier", citizenNumber, "password", strong)
			p.want("/block/done", http.StatusOK)
		}},
	} {
		if who.come(); answer(who.number) != want {
			t.Errorf("%s: told apart from nobody", who.stands)
		}
	}
}

const numberForm = `\d{7}[A-Z]\d{3}[A-Z]{2}\d`
