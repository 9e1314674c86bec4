package cmd_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"asoba.example/cmd/internal/demo/walk"
)

// A specimen is in the register like everybody: only the number tells that nobody is meant.
const (
	specimenNumber = "0000000A000PB2"
	specimenPhone  = "+375294911913"
	sandboxEdition = `# country BY
# edition 1
# period 2025-11
# rows 3
identification_number,sex,birth_date,citizenship,death_date,death_act,declared_dead_date,declared_dead_act,missing_date,missing_act,incapable_date,incapable_act,limited_date,limited_act
1010130K001PB9,M,1830-01-01,BY,,,,,,,,,,
2311299B500PB9,F,1899-12,BY,,,,,,,,,,
0000000A000PB2,F,1800-01-01,BY,,,,,,,,,,
`
	verifier = "a-verifier-of-forty-three-characters-or-more-is-good"
)

// A representative is somebody at the pages of the e-services, signed in by a password and a code.
type representative struct {
	c      *country
	client *http.Client
}

// represent signs a person in who has formed a static password, as a new browser asks it: with a code.
func (c *country) represent(number string) representative {
	c.t.Helper()
	return representative{c, &http.Client{Jar: c.walk(number, c.issuer+"/e-services", c.issuer+"/e-services").Cookies()}}
}

// walk goes through a sign-in from an address to another one.
func (c *country) walk(number, from, to string) *walk.Browser {
	c.t.Helper()
	b, err := walk.New()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := b.Open(c.t.Context(), from); err != nil {
		c.t.Fatal(err)
	}
	wallet := walk.Wallet{Identifier: number, Password: strong, Code: func(context.Context) (string, error) {
		return code(c.t, c.phone.next(c.t, "code")), nil
	}}
	if err := b.Walk(c.t.Context(), to, wallet); err != nil {
		c.t.Fatal(err)
	}
	return b
}

// send sends a form, or asks for a page where there is none, and gives where that led.
func (p representative) send(path string, form url.Values, want int) (page, at string) {
	p.c.t.Helper()
	r, err := http.NewRequestWithContext(p.c.t.Context(), http.MethodGet, p.c.issuer+path, nil)
	if form != nil {
		r, err = http.NewRequestWithContext(p.c.t.Context(), http.MethodPost, p.c.issuer+path, strings.NewReader(form.Encode()))
	}
	if err != nil {
		p.c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept-Language", "en")
	answer, err := p.client.Do(r)
	if err != nil {
		p.c.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		p.c.t.Fatal(err)
	}
	if answer.StatusCode != want {
		p.c.t.Fatalf("%s: got %d, want %d\n%s", path, answer.StatusCode, want, text)
	}
	return string(text), answer.Request.URL.RequestURI()
}

// seen is the version of an e-service that the page shows, as a form sends it.
func (p representative) seen(id string) url.Values {
	p.c.t.Helper()
	page, _ := p.send("/e-services/"+id, nil, http.StatusOK)
	return url.Values{"version": {regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(page)[1]}}
}

// A body's e-service comes to citizens by two people: one registers it and tries it on somebody made up, the other
// approves. Until then no citizen gets in, and from then on nobody made up.
func TestABodyTakesAnEServiceToCitizens(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	c.errand("idp", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", sandboxEdition))
	c.serve("idp", c.issuer)
	desk := c.desk() // its clerk is Boris
	for number, phone := range map[string]string{citizenNumber: citizenPhone, specimenNumber: specimenPhone} {
		c.signIn(number, desk.issue(number, phone), c.issuer+"/security", c.issuer+"/security")
	}
	office := strings.TrimSpace(c.errand("idp", "body", "add", "Налоговая", "--en", "Tax office"))
	c.errand("idp", "body", "name", office, "--identifier", citizenNumber)
	c.errand("idp", "body", "name", office, "--identifier", clerkNumber)

	answers := make(chan url.Values, 1)
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { answers <- r.URL.Query() }))
	t.Cleanup(service.Close)
	callback := service.URL + "/cb"

	// 1. Anna registers a draft, and is told its secret once.
	anna := c.represent(citizenNumber)
	empty, _ := anna.send("/e-services", nil, http.StatusOK)
	if !strings.Contains(empty, "Tax office") || !strings.Contains(empty, "There are no e-services yet") {
		t.Errorf("at first:\n%s", empty)
	}
	form := url.Values{"body": {office}, "name": {"Tax account"}, "redirect_uris": {"ftp://nowhere"}, "scope": {"phone"}, "method": {"client_secret_basic"}}
	anna.send("/e-services/new", form, http.StatusUnprocessableEntity)
	form.Set("redirect_uris", callback)
	told, _ := anna.send("/e-services/new", form, http.StatusOK)
	secret := find(t, `idp_secret_[\w-]+`, told)
	id := regexp.MustCompile(`href="/e-services/([a-z0-9]+)"`).FindStringSubmatch(told)[1]
	if page, _ := anna.send("/e-services/"+id, nil, http.StatusOK); strings.Contains(page, secret) || !strings.Contains(page, "Only made-up people can sign in") {
		t.Errorf("the e-service:\n%s", page)
	}

	// signIn has somebody sign in at the e-service, and gives what it is answered.
	sum := sha256.Sum256([]byte(verifier))
	asks := c.issuer + "/authorize?" + url.Values{
		"client_id": {id}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid phone"}, "state": {"st"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}.Encode()
	refused := func(number string) {
		t.Helper()
		c.walk(number, asks, callback)
		if answer := <-answers; answer.Get("error") != "access_denied" || answer.Has("code") {
			t.Errorf("answered %v", answer)
		}
	}
	admitted := func(number string) (accessToken string) {
		t.Helper()
		b := c.walk(number, asks, c.issuer+"/consent")
		if err := b.Decide(t.Context(), "allow", walk.Wallet{}); err != nil {
			t.Fatal(err)
		}
		answer := <-answers
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.issuer+"/token", strings.NewReader(url.Values{
			"grant_type": {"authorization_code"}, "code": {answer.Get("code")}, "redirect_uri": {callback}, "code_verifier": {verifier},
		}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(id, secret)
		var tokens struct {
			Access string `json:"access_token"`
		}
		if status := exchange(t, r, &tokens); status != http.StatusOK {
			t.Fatalf("answered %v, and the code gives %d", answer, status)
		}
		return tokens.Access
	}
	userinfo := func(accessToken string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.issuer+"/userinfo", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+accessToken)
		return exchange(t, r, new(map[string]any))
	}

	// 2. In the sandbox: somebody made up signs in, and Anna herself cannot.
	tried := admitted(specimenNumber)
	if status := userinfo(tried); status != http.StatusOK {
		t.Errorf("the specimen's token: got %d", status)
	}
	refused(citizenNumber)

	// 3. Anna proposes to go live, and cannot approve that. Boris sees what she proposes, and approves.
	anna.send("/e-services/"+id+"/live", anna.seen(id), http.StatusOK)
	page, _ := anna.send("/e-services/"+id, nil, http.StatusOK)
	proposal := find(t, `/e-services/`+id+`/proposals/[0-9a-f-]{36}`, page)
	anna.send(proposal, url.Values{"decision": {"approve"}}, http.StatusForbidden)
	boris := c.represent(clerkNumber)
	boris.send(proposal, url.Values{"decision": {"refuse"}}, http.StatusUnprocessableEntity)
	if page, at := boris.send(proposal, url.Values{"decision": {"approve"}}, http.StatusOK); at != "/e-services/"+id+"?approved" || !strings.Contains(page, "Citizens sign in to it") {
		t.Errorf("approved, and at %s:\n%s", at, page)
	}

	// 4. Citizens sign in, and nobody made up does; what the specimen had there is over.
	refused(specimenNumber)
	if status := userinfo(tried); status != http.StatusUnauthorized {
		t.Errorf("the specimen's token: got %d", status)
	}
	if status := userinfo(admitted(citizenNumber)); status != http.StatusOK {
		t.Errorf("the citizen's token: got %d", status)
	}

	// 5. A change is proposed from now on, a stale one cannot be approved, and it is all in the history.
	form.Set("name", "Tax account 2")
	form.Set("version", anna.seen(id).Get("version"))
	if _, at := anna.send("/e-services/"+id+"/change", form, http.StatusOK); at != "/e-services/"+id+"?proposed" {
		t.Errorf("changed at once: at %s", at)
	}
	anna.send("/e-services/"+id+"/change", form, http.StatusConflict)
	anna.send("/e-services/"+id+"/remove", anna.seen(id), http.StatusConflict)
	again, _ := boris.send("/e-services/"+id, nil, http.StatusOK)
	if !strings.Contains(again, "Tax account 2") {
		t.Errorf("what would change is not told:\n%s", again)
	}
	proposal = regexp.MustCompile(`/e-services/` + id + `/proposals/[0-9a-f-]{36}`).FindString(again)
	boris.send(proposal, url.Values{"decision": {"refuse"}, "reason": {"The old name is better"}}, http.StatusOK)
	told, _ = boris.send("/e-services/"+id+"/secret", boris.seen(id), http.StatusOK)
	if find(t, `idp_secret_[\w-]+`, told) == secret {
		t.Error("the new secret is the old one")
	}
	eventually(t, "the history is told", func() error {
		page, _ := anna.send("/e-services/"+id, nil, http.StatusOK)
		for _, line := range []string{"registered", "going live was proposed", "was approved", "was refused", "another secret"} {
			if !strings.Contains(page, line) {
				return errors.New("not told: " + line)
			}
		}
		return nil
	})
	stranger := c.represent(specimenNumber)
	stranger.send("/e-services/"+id, nil, http.StatusNotFound)
	stranger.send("/e-services/new?body="+office, nil, http.StatusNotFound)
	if page, _ := stranger.send("/e-services", nil, http.StatusOK); !strings.Contains(page, "You do not represent any organisation") {
		t.Errorf("a stranger is told:\n%s", page)
	}
}
