package deskpage

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/uuid"
	"golang.org/x/oauth2"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/cmd/internal/demo/management"
	"asoba.example/provider/page"
)

// A provider is what the discovery document says.
type provider struct {
	oauth2     oauth2.Config
	verifier   *oidc.IDTokenVerifier
	endSession string
}

// discover asks the provider once it is needed; by then the page has been registered.
func (d *Page) discover(ctx context.Context) (*provider, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.provider != nil {
		return d.provider, nil
	}
	client := d.Client()
	if client.ClientID == "" {
		return nil, page.Refuse(http.StatusServiceUnavailable, "desk.early", errors.New("not registered yet"))
	}
	op, err := oidc.NewProvider(oidc.ClientContext(ctx, d.HTTP), d.Addresses.Issuer)
	if err != nil {
		return nil, page.Refuse(http.StatusServiceUnavailable, "desk.early", err)
	}
	var more struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := op.Claims(&more); err != nil {
		return nil, err
	}
	d.provider = &provider{
		verifier:   op.Verifier(&oidc.Config{ClientID: client.ClientID}),
		endSession: more.EndSession,
		oauth2: oauth2.Config{
			ClientID: client.ClientID, ClientSecret: client.ClientSecret, Endpoint: op.Endpoint(),
			RedirectURL: d.Addresses.Workbench + "/desk/callback", Scopes: strings.Fields(client.Scope),
		},
	}
	return d.provider, nil
}

// A visit is a clerk, or somebody of the operator's staff, signed in here.
type visit struct {
	one        sync.Mutex // held while a form is answered: of two at once the second finds what the first has come to
	subject    string
	idToken    string
	token      *oauth2.Token
	api        management.Caller
	person     string            // the clerk's own, as the API names them to whoever oversees
	supervises bool              // may read what an office does, as the API has it
	oversees   bool              // is of the operator's staff
	operates   bool              // proposes and decides what two settle together
	lookups    map[string]lookup // by the visitor's key
	works      map[string]work   // by the page's address
	search     search
	drafts     map[string]draft  // by the matter
	made       map[string]string // where each proposal is, by its form; used under one
}

// enough is how long a token must still be good for a form to be begun with it.
const enough = 2 * time.Minute

func (d *Page) visit(r *http.Request) *visit {
	cookie, err := r.Cookie(d.cookieName("desk"))
	if err != nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.visits[cookie.Value]
}

// clerks is a door for those who are signed in. Where the token's time is running out a page begins with another one,
// by single sign-on, and comes back.
func (d *Page) clerks(h func(http.ResponseWriter, *http.Request, *visit) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		v := d.visit(r)
		switch {
		case r.Method == http.MethodGet && (v == nil || time.Until(v.token.Expiry) < enough):
			again(w, r, r.URL.Path)
			return nil
		case v == nil:
			return page.Refuse(http.StatusUnauthorized, "desk.over", errors.New("nobody is signed in"))
		case r.Method == http.MethodPost:
			v.one.Lock()
			defer v.one.Unlock()
		}
		return h(w, r, v)
	}
}

// again has a clerk sign in again, and come back to a page.
func again(w http.ResponseWriter, r *http.Request, to string) {
	http.Redirect(w, r, "/desk/sign-in?to="+url.QueryEscape(to), http.StatusSeeOther)
}

// afresh has somebody sign in again whose sign-in is too long ago for what they asked (RFC 9470 §4), and come back to a page.
func afresh(w http.ResponseWriter, r *http.Request, to string) {
	http.Redirect(w, r, "/desk/sign-in?prompt=login&to="+url.QueryEscape(to), http.StatusSeeOther)
}

// unsent marks the page of a form that was sent when the sign-in had to be renewed.
const unsent = "unsent"

// told is what is wrong with a form; or, when its clerk is back from a sign-in, that nothing was done yet.
func told(r *http.Request, said []page.FieldError) []page.FieldError {
	if r.URL.Query().Has(unsent) {
		return []page.FieldError{{Word: "desk.unsent"}}
	}
	return said
}

// back is where a clerk goes who has signed in: a page of the desk.
func back(to string) string {
	if form, marked := strings.CutSuffix(to, "?"+unsent); marked {
		return back(form) + "?" + unsent
	}
	if rest, ok := strings.CutPrefix(to, "/desk/visitors/"); ok {
		key, name, _ := strings.Cut(rest, "/")
		if p, known := find(key); known {
			if o, known := findOperation(name); known {
				return address(p, o)
			}
			return "/desk/visitors/" + p.Key
		}
	}
	for _, list := range []string{"/desk/pending", blocks.page(), restorations.page()} {
		if id, ok := strings.CutPrefix(to, list+"/"); ok && uuid.Validate(id) == nil || to == list {
			return to
		}
	}
	if to == "/desk/report" || to == "/desk/papers" {
		return to
	}
	return "/desk"
}

// signInFor is how long a clerk may take at the provider's pages.
const signInFor = 15 * time.Minute

// signIn handles GET /desk/sign-in?to=PAGE&prompt=.
func (d *Page) signIn(w http.ResponseWriter, r *http.Request) error {
	p, err := d.discover(r.Context())
	if err != nil {
		return err
	}
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	d.set(w, "desk_"+state, nonce+"."+verifier+"."+back(r.URL.Query().Get("to")), signInFor)
	options := []oauth2.AuthCodeOption{
		oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier),
		oauth2.SetAuthURLParam("ui_locales", d.Site.Language(r)),
		oauth2.SetAuthURLParam("acr_values", "substantial"), // the desk takes no less
	}
	if r.URL.Query().Get("prompt") == "login" {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"))
	}
	http.Redirect(w, r, p.oauth2.AuthCodeURL(state, options...), http.StatusSeeOther)
	return nil
}

// callback handles the provider's answer.
func (d *Page) callback(w http.ResponseWriter, r *http.Request) error {
	p, err := d.discover(r.Context())
	if err != nil {
		return err
	}
	answer := r.URL.Query()
	cookie, err := r.Cookie(d.cookieName("desk_" + answer.Get("state")))
	if err != nil {
		return page.Refuse(http.StatusBadRequest, "desk.not_begun_here", err)
	}
	d.set(w, "desk_"+answer.Get("state"), "", -time.Second)
	begun := strings.SplitN(cookie.Value, ".", 3)
	if len(begun) != 3 || answer.Get("iss") != d.Addresses.Issuer {
		return page.Refuse(http.StatusBadRequest, "desk.not_begun_here", errors.New("not an answer to us"))
	}
	if refusal := answer.Get("error"); refusal != "" {
		return page.Refuse(http.StatusForbidden, "desk.no_sign_in", errors.New(refusal))
	}
	ctx := oidc.ClientContext(r.Context(), d.HTTP)
	token, err := p.oauth2.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(begun[1]))
	if err != nil {
		return page.Refuse(http.StatusBadGateway, "desk.no_sign_in", err)
	}
	raw, _ := token.Extra("id_token").(string)
	idToken, err := p.verifier.Verify(ctx, raw)
	if err != nil {
		return page.Refuse(http.StatusBadGateway, "desk.no_sign_in", err)
	}
	if idToken.Nonce != begun[0] {
		return page.Refuse(http.StatusBadRequest, "desk.not_begun_here", errors.New("the ID token's nonce is not ours"))
	}
	v := &visit{
		subject: idToken.Subject, idToken: raw, token: token,
		lookups: map[string]lookup{}, works: map[string]work{}, drafts: map[string]draft{}, made: map[string]string{},
		api: management.Caller{
			URL:  d.Addresses.Management,
			HTTP: oauth2.NewClient(oidc.ClientContext(context.WithoutCancel(ctx), d.HTTP), oauth2.StaticTokenSource(token)),
		},
	}
	v.learn(r)
	to := back(begun[2])
	if !d.begin(w, r, v) {
		to = strings.TrimSuffix(to, "?"+unsent)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// learn asks the API what the clerk may do, so that nothing is offered which would be refused.
func (v *visit) learn(r *http.Request) {
	_, refused, err := v.tallies(r, time.Now().In(minsk))
	v.supervises = err == nil && refused == nil
	var staff struct {
		Clerks []struct {
			Person, Identifier string
			Role               cast.Role
		}
	}
	v.oversees = v.api.Call(r.Context(), http.MethodGet, "/clerks", nil, &staff) == nil
	for _, c := range staff.Clerks {
		if c.Identifier == v.subject {
			v.person, v.operates = c.Person, c.Role == cast.Operator
		}
	}
}

// begin remembers the clerk. What the same clerk has on the desk stays there; it tells whether it is the same.
func (d *Page) begin(w http.ResponseWriter, r *http.Request, v *visit) (same bool) {
	before := d.visit(r)
	if same = before != nil && before.subject == v.subject; same {
		v.lookups, v.works, v.search, v.drafts, v.made = before.lookups, before.works, before.search, before.drafts, before.made
	}
	d.end(r)
	key := rand.Text()
	d.set(w, "desk", key, 12*time.Hour)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.visits[key] = v
	return same
}

func (d *Page) end(r *http.Request) {
	if cookie, err := r.Cookie(d.cookieName("desk")); err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.visits, cookie.Value)
	}
}

// signOut handles POST /desk/sign-out: it ends the visit, and sends the form on to the provider, in whose session the
// clerk is (OpenID Connect RP-Initiated Logout §2).
func (d *Page) signOut(w http.ResponseWriter, r *http.Request) error {
	p, err := d.discover(r.Context())
	if err != nil {
		return err
	}
	d.end(r)
	d.set(w, "desk", "", -time.Second)
	http.Redirect(w, r, p.endSession, http.StatusTemporaryRedirect)
	return nil
}

func (d *Page) set(w http.ResponseWriter, name, value string, lasts time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: d.cookieName(name), Value: value, Path: "/", MaxAge: int(lasts.Seconds()),
		HttpOnly: true, Secure: d.Secure, SameSite: http.SameSiteLaxMode,
	})
}

func (d *Page) cookieName(name string) string {
	if d.Secure {
		return "__Host-workbench_" + name
	}
	return "workbench_" + name
}

// refusal turns what the API refused into what the page says; other errors stay errors.
func refusal(err error) (*management.Refusal, error) {
	var refused *management.Refusal
	switch {
	case err == nil:
		return nil, nil
	case !errors.As(err, &refused), refused.Status >= http.StatusInternalServerError && !slices.Contains(explained, refused.Code):
		return nil, page.Refuse(http.StatusBadGateway, "desk.down", err)
	case refused.Status == http.StatusUnauthorized:
		return nil, page.Refuse(http.StatusUnauthorized, "desk.over", err)
	}
	return refused, nil
}

// denied is the page of whoever is given nothing of what it is of.
func denied(refused *management.Refusal) error {
	word := "error.not_found"
	if slices.Contains(explained, refused.Code) {
		word = "refused." + refused.Code
	}
	return page.Refuse(refused.Status, word, refused)
}
