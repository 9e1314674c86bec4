// Package walk goes through pages as a person with a password manager does: it reads forms, fills fields by their
// autocomplete tokens, and presses buttons. It knows nothing else of the pages.
package walk

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// A Browser keeps cookies and stands on a page.
type Browser struct {
	client *http.Client
	page   page
}

// page is what the browser looks at.
type page struct {
	at     *url.URL
	status int
	forms  []form
	says   string // what stands in its errors, for the reader of a failure
}

type form struct {
	method, action string
	values         url.Values
	byToken        map[string][]string // names of fields by autocomplete token
	buttons        []button
}

type button struct{ name, value string }

// A Wallet has what a page may ask of a person.
type Wallet struct {
	Identifier  string
	Password    string                                // for current-password
	NewPassword string                                // for new-password
	Code        func(context.Context) (string, error) // reads the one-time code from the phone
}

// New is a browser that nobody has seen before.
func New() (*Browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &Browser{client: &http.Client{Jar: jar, Timeout: 20 * time.Second}}, nil
}

// Cookies are what the browser keeps.
func (b *Browser) Cookies() http.CookieJar { return b.client.Jar }

// Open goes to an address and wherever it leads.
func (b *Browser) Open(ctx context.Context, address string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	return b.do(r)
}

// At tells whether the browser has come to an address, whatever its query.
func (b *Browser) At(address string) bool {
	u, err := url.Parse(address)
	return err == nil && b.page.at.Host == u.Host && b.page.at.Path == u.Path
}

// maxPages is more than any walk needs: who is still walking goes in a circle.
const maxPages = 12

// Walk fills and sends form after form until the browser has come to an address.
func (b *Browser) Walk(ctx context.Context, to string, w Wallet) error {
	for range maxPages {
		if b.At(to) && b.page.status == http.StatusOK {
			return nil
		}
		if b.page.status >= http.StatusBadRequest {
			return b.lost("is refused")
		}
		f, asked := b.asking()
		if !asked {
			return b.lost("ends")
		}
		if err := b.fill(ctx, f, w); err != nil {
			return err
		}
		if err := b.send(ctx, f, button{}); err != nil {
			return err
		}
	}
	return b.lost("goes in a circle")
}

// Decide presses the choice, filling what its form asks; the page that follows must not be an error.
func (b *Browser) Decide(ctx context.Context, decision string, w Wallet) error {
	choice := button{"decision", decision}
	for _, f := range b.page.forms {
		if !slices.Contains(f.buttons, choice) {
			continue
		}
		if err := b.fill(ctx, f, w); err != nil {
			return err
		}
		if err := b.send(ctx, f, choice); err != nil {
			return err
		}
		if b.page.status >= http.StatusBadRequest {
			return b.lost("is refused")
		}
		return nil
	}
	return b.lost("has no choice " + decision)
}

// asking gives the form that asks for something a wallet has.
func (b *Browser) asking() (form, bool) {
	for _, f := range b.page.forms {
		for token := range f.byToken {
			switch token {
			case "username", "current-password", "new-password", "one-time-code":
				return f, true
			}
		}
	}
	return form{}, false
}

func (b *Browser) fill(ctx context.Context, f form, w Wallet) error {
	for token, names := range f.byToken {
		var value string
		switch token {
		case "username":
			value = w.Identifier
		case "current-password":
			value = w.Password
		case "new-password":
			value = w.NewPassword
		case "one-time-code":
			if w.Code == nil {
				return b.lost("wants a code")
			}
			var err error
			if value, err = w.Code(ctx); err != nil {
				return err
			}
		default:
			continue
		}
		for _, name := range names {
			f.values.Set(name, value)
		}
	}
	return nil
}

func (b *Browser) send(ctx context.Context, f form, pressed button) error {
	values := f.values
	if pressed.name != "" {
		values.Set(pressed.name, pressed.value)
	}
	action, err := b.page.at.Parse(f.action)
	if err != nil {
		return err
	}
	body := strings.NewReader(values.Encode())
	if f.method == http.MethodGet {
		action.RawQuery = values.Encode()
		body = strings.NewReader("")
	}
	r, err := http.NewRequestWithContext(ctx, f.method, action.String(), body)
	if err != nil {
		return err
	}
	if f.method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return b.do(r)
}

func (b *Browser) do(r *http.Request) error {
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) demo")
	r.Header.Set("Accept-Language", "ru")
	answer, err := b.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	root, err := html.Parse(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return err
	}
	b.page = page{at: answer.Request.URL, status: answer.StatusCode}
	b.page.read(root, nil)
	return nil
}

// lost says where a walk went wrong, without the address's query.
func (b *Browser) lost(how string) error {
	err := fmt.Errorf("the walk %s at %s%s (%d)", how, b.page.at.Host, b.page.at.Path, b.page.status)
	if b.page.says != "" {
		err = fmt.Errorf("%w: %s", err, b.page.says)
	}
	return err
}

// read takes the forms out of a page. in is the form that n stands in.
func (p *page) read(n *html.Node, in *form) {
	if n.Type == html.ElementNode {
		switch n.Data {
		case "form":
			p.forms = append(p.forms, form{
				method: strings.ToUpper(attr(n, "method")), action: attr(n, "action"),
				values: url.Values{}, byToken: map[string][]string{},
			})
			in = &p.forms[len(p.forms)-1]
			if in.method == "" {
				in.method = http.MethodGet
			}
		case "input":
			if in != nil {
				in.input(n)
			}
		case "button":
			if in != nil && attr(n, "name") != "" {
				in.buttons = append(in.buttons, button{attr(n, "name"), attr(n, "value")})
			}
		}
		if attr(n, "role") == "alert" || strings.Contains(attr(n, "class"), "error-message") {
			p.says = strings.Join(strings.Fields(p.says+" "+text(n)), " ")
		}
	}
	for child := range n.ChildNodes() {
		p.read(child, in)
	}
}

func (f *form) input(n *html.Node) {
	name := attr(n, "name")
	if name == "" {
		return
	}
	switch attr(n, "type") {
	case "submit", "image", "reset", "button":
		return
	case "checkbox", "radio":
		if !has(n, "checked") {
			return
		}
	}
	f.values.Add(name, attr(n, "value"))
	for _, token := range strings.Fields(attr(n, "autocomplete")) {
		f.byToken[token] = append(f.byToken[token], name)
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

func text(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var all []string
	for child := range n.ChildNodes() {
		all = append(all, text(child))
	}
	return strings.Join(all, " ")
}
