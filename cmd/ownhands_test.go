package cmd_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// A plain browser has cookies and no scripts. It sends what a page asks for back to the page.
type plain struct {
	t      *testing.T
	client *http.Client
	at     *url.URL
	status int
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
	p.at, p.status, p.body = res.Request.URL, res.StatusCode, string(body)
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
