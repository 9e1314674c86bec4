package foreign

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// nobody is where clients are that do not listen: a browser that is sent there stops, and tells what it was sent with.
const nobody = "http://127.0.0.1:1/"

// A browser is a citizen at one: it keeps cookies, and does what a page asks of a person.
type browser struct {
	t      *testing.T
	client http.Client
	at     *url.URL  // the page that is open, or where nobody is
	asked  time.Time // when it was asked for
	status int
	text   string
	forms  []form

	signedIn int // how often it was asked for a password
}

type form struct {
	method, action string
	values         url.Values
	tokens         map[string]string // names of fields by autocomplete token
	choices        []string          // values of the buttons named decision
}

func newBrowser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t}
	b.client = http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if b.at = r.URL; strings.HasPrefix(b.at.String(), nobody) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return b
}

// open opens an address and does what the pages ask of a person who wants to sign in, until one asks nothing more. It gives
// the address that this has led to.
func (b *browser) open(address string) *url.URL {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.do(r)
	for range 12 {
		f, ok := b.asks()
		if !ok {
			return b.at
		}
		b.send(f)
	}
	b.t.Fatalf("the pages go in a circle: %s", b.text)
	return nil
}

// decide presses a button.
func (b *browser) decide(choice string) {
	b.t.Helper()
	for _, f := range b.forms {
		if slices.Contains(f.choices, choice) {
			f.values.Set("decision", choice)
			b.send(f)
			return
		}
	}
	b.t.Fatalf("no page asks to %s: %s", choice, b.text)
}

// asks fills in the form that the page asks for, if it asks for one.
func (b *browser) asks() (form, bool) {
	for _, f := range b.forms {
		asked := false
		for token, name := range f.tokens {
			switch token {
			case "username":
				f.values.Set(name, land.citizen.Identifier)
			case "current-password":
				f.values.Set(name, land.citizen.Password)
				b.signedIn++
			case "one-time-code":
				f.values.Set(name, land.code(b.t, b.asked))
			default:
				continue
			}
			asked = true
		}
		switch {
		case slices.Contains(f.choices, "allow"):
			f.values.Set("decision", "allow")
			return f, true
		case asked,
			f.values.Has("user_code"),                                             // a device's, which was opened with it
			f.values.Has("code"), f.values.Has("error"), f.values.Has("response"): // form_post
			return f, true
		}
	}
	return form{}, false
}

func (b *browser) send(f form) {
	b.t.Helper()
	action, err := b.at.Parse(f.action)
	if err != nil {
		b.t.Fatal(err)
	}
	if strings.HasPrefix(action.String(), nobody) {
		action.RawQuery, b.forms = f.values.Encode(), nil
		b.at = action
		return
	}
	r, err := http.NewRequestWithContext(b.t.Context(), f.method, action.String(), strings.NewReader(f.values.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	b.do(r)
}

func (b *browser) do(r *http.Request) {
	b.t.Helper()
	r.Header.Set("Accept", "text/html")
	b.at, b.asked, b.forms = r.URL, time.Now(), nil
	got, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer got.Body.Close()
	root, err := html.Parse(got.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.status = got.StatusCode
	var text strings.Builder
	b.look(root, &text)
	if b.text = strings.Join(strings.Fields(text.String()), " "); b.status >= http.StatusBadRequest {
		b.t.Fatalf("%s answers %s: %s", b.at.Redacted(), got.Status, b.text)
	}
}

// look takes the text and the forms out of a page.
func (b *browser) look(n *html.Node, text *strings.Builder) {
	attributes := map[string]string{}
	for _, a := range n.Attr {
		attributes[a.Key] = a.Val
	}
	name := attributes["name"]
	switch {
	case n.Type == html.TextNode:
		text.WriteString(n.Data + " ")
	case n.Data == "form":
		b.forms = append(b.forms, form{strings.ToUpper(attributes["method"]), attributes["action"], url.Values{}, map[string]string{}, nil})
	case len(b.forms) == 0:
	case n.Data == "input" && name != "":
		f := b.forms[len(b.forms)-1]
		f.values.Set(name, attributes["value"])
		f.tokens[attributes["autocomplete"]] = name
	case n.Data == "button" && name == "decision":
		f := &b.forms[len(b.forms)-1]
		f.choices = append(f.choices, attributes["value"])
	}
	for child := range n.ChildNodes() {
		b.look(child, text)
	}
}
