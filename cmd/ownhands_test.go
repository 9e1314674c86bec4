package cmd_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// A plain browser has cookies and no scripts. It sends what a page asks for back to the page.
type plain struct {
	t      *testing.T
	client *http.Client
	at     *url.URL
	status int
	head   http.Header
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
	p.at, p.status, p.head, p.body = res.Request.URL, res.StatusCode, res.Header, string(body)
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

// What a citizen does for himself, with nothing in hand but a phone, a document and a browser without scripts: blocks by the link in a
// warning with one factor, comes back with two and a new password, and never over a block of the desk's; recovers a temporary password that
// was lost, and a static one (resolution 792 ¶5–7).
func TestWhatIsInTheCitizensOwnHands(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	c.errand("idp", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	c.serve("idp", c.issuer)
	desk := c.desk()
	c.signIn(citizenNumber, desk.issue(citizenNumber, citizenPhone), c.issuer+"/security", c.issuer+"/security")
	p := newPlain(t)
	sentCode := func() string { t.Helper(); return code(t, c.phone.next(t, "code")) }

	p.open(find(t, c.issuer+`/not-me/\w+`, c.phone.next(t, "notice", "/not-me/")))
	p.send("decision", "block")
	p.want("/block/done", http.StatusOK)
	p.open(c.issuer + "/security")
	p.send("identifier", citizenNumber, "password", strong)
	p.want("/sign-in", http.StatusUnprocessableEntity)
	p.open(c.issuer + "/unblock")
	p.send("identifier", citizenNumber, "password", strong)
	p.want("/unblock/code", http.StatusOK)
	asks := p.at.String()
	p.open(strings.Replace(asks, "/code", "/password", 1)) // one factor is not enough
	p.want("/unblock/code", http.StatusOK)
	p.open(asks)
	p.send("code", sentCode())
	p.want("/unblock/password", http.StatusOK)
	p.send("new_password", strong, "new_password_again", strong)
	p.want("/unblock/password", http.StatusUnprocessableEntity) // it must be another
	p.send("new_password", stronger, "new_password_again", stronger)
	p.want("/security", http.StatusOK)

	act := map[string]any{"identifier": citizenNumber, "document": document, "basis": basis, "attested": attested}
	desk.act("/desk/blocks", http.StatusOK, act)
	p.open(c.issuer + "/unblock")
	p.send("identifier", citizenNumber, "password", stronger)
	p.want("/unblock", http.StatusUnprocessableEntity)
	desk.act("/desk/unblocks", http.StatusOK, act)
	lost := password(t, c.phone.next(t, "temporary_password"))

	number := document["number"].(string)
	recoverTo := func(path string) {
		t.Helper()
		p.open(c.issuer + "/recover")
		p.send("identifier", strings.ToLower(citizenNumber), "document_number", strings.ToLower(number))
		p.want("/recover/code", http.StatusOK)
		p.send("code", sentCode())
		p.want(path, http.StatusOK)
	}
	recoverTo("/recover/sent")
	temporary := password(t, c.phone.next(t, "temporary_password"))
	p.open(c.issuer + "/security")
	p.send("identifier", citizenNumber, "password", lost)
	p.want("/sign-in", http.StatusUnprocessableEntity)
	p.send("identifier", citizenNumber, "password", temporary)
	p.want("/sign-in/password", http.StatusOK)
	p.send("new_password", strong, "new_password_again", strong)
	p.want("/security", http.StatusOK)

	recoverTo("/recover/password")
	p.send("new_password", stronger, "new_password_again", stronger)
	p.want("/security", http.StatusOK)
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
	anew := regexp.MustCompile(`interaction=\w+|data-ask="[^"]*"|value="` + numberForm + `"`)
	answer := func(number string) string {
		t.Helper()
		p := newPlain(t)
		p.open(c.issuer + "/security")
		p.send("identifier", number, "password", "not this one at all")
		p.want("/sign-in", http.StatusUnprocessableEntity)
		for _, each := range []string{"Date", "X-Request-Id"} {
			p.head.Del(each)
		}
		var head strings.Builder
		if err := p.head.Write(&head); err != nil {
			t.Fatal(err)
		}
		return head.String() + anew.ReplaceAllString(p.body, "")
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
