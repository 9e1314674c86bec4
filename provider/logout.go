package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
	"asoba.example/provider/page"
	"asoba.example/provider/session"
)

// A farewell is a logout request that was checked (OpenID Connect RP-Initiated Logout §2).
type farewell struct {
	client  *clients.Client // who asks; nil when nobody says so
	hint    string          // digest of the subject that id_token_hint names; "" for no such hint
	sid     string          // the session that it names, or logout_hint
	person  uuid.UUID       // whose session it is that logout_hint names; uuid.Nil for nobody's yet
	leadsTo string          // where to go afterwards; "" for our own page
	locales string
}

// sidForm is what a sid looks like, whatever client has it. Nothing else is looked for.
var sidForm = regexp.MustCompile(`^[\w-]{1,64}$`)

// logout handles GET and POST /logout, the end_session_endpoint. With a hint of who is signed in they are signed out at once; else the
// person is asked.
func (p *Provider) logout(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	f, err := p.readLogout(w, r)
	if err != nil {
		return p.refuseLogout(w, r, f.client, err)
	}
	if r.Method == http.MethodPost {
		// Another site's POST brings no cookies along (SameSite=Lax): the browser comes back for its session by GET.
		i, err := p.cfg.Interactions.keep(ctx, f.interaction())
		if err != nil {
			return err
		}
		redirect(w, i.Continue())
		return nil
	}
	r = page.WithLanguage(r, f.locales)
	s, err := p.cfg.Sessions.Find(ctx, r)
	if err != nil {
		return err
	}
	if f, err = p.heed(ctx, f, s); err != nil {
		return err
	}
	if s.IsZero() {
		return p.bidFarewell(w, r, f, nil)
	}
	theirs, err := p.isTheirs(ctx, f, s)
	if err != nil {
		return err
	}
	if !theirs {
		return p.askLogout(w, r, f)
	}
	frames, err := p.endSession(w, r, s)
	if err != nil {
		return err
	}
	return p.bidFarewell(w, r, f, frames)
}

// askLogout asks the person.
func (p *Provider) askLogout(w http.ResponseWriter, r *http.Request, f farewell) error {
	i, err := p.cfg.Interactions.Begin(r.Context(), w, r, f.interaction())
	if err != nil {
		return err
	}
	data := logoutPage{Action: "/logout/decision", Fields: []hidden{{"interaction", i.ID}}}
	if f.client != nil {
		data.Client = f.client.Name(p.cfg.Site.Language(r))
	}
	return p.cfg.Site.Show(w, r, logoutView(data, f.leadsTo))
}

// decideLogout handles POST /logout/decision: what the person answered. Unlike /logout it is not open to other sites, so nobody can answer
// for them (RP-Initiated Logout §6).
func (p *Provider) decideLogout(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	values, err := form(w, r)
	if err != nil {
		return p.refuseLogout(w, r, nil, err)
	}
	i, err := p.cfg.Interactions.Find(ctx, r)
	if err != nil {
		return err
	}
	f, err := p.farewellOf(ctx, i)
	if err != nil {
		return err
	}
	r = page.WithLanguage(r, f.locales)
	if values.Get("decision") != "logout" {
		redirect(w, "/security")
		return nil
	}
	s, err := p.cfg.Sessions.Find(ctx, r)
	if err != nil {
		return err
	}
	if s.IsZero() {
		return p.bidFarewell(w, r, f, nil)
	}
	frames, err := p.endSession(w, r, s)
	if err != nil {
		return err
	}
	return p.bidFarewell(w, r, f, frames)
}

// readLogout reads and checks a logout request, or takes up one that came by POST. It leads to a redirect URI only when a hint says who asks
// and that client has registered it. Whether a logout_hint does, heed tells.
func (p *Provider) readLogout(w http.ResponseWriter, r *http.Request) (farewell, error) {
	ctx := r.Context()
	if r.Method == http.MethodGet && r.URL.Query().Has("interaction") {
		i, err := p.cfg.Interactions.claim(ctx, w, r)
		if err != nil {
			return farewell{}, err
		}
		return p.farewellOf(ctx, i)
	}
	values, err := parameters(w, r)
	if err != nil {
		return farewell{}, err
	}
	if err := once(values); err != nil {
		return farewell{}, err
	}
	f := farewell{locales: values.Get("ui_locales")}
	clientID := values.Get("client_id")
	if token := values.Get("id_token_hint"); token != "" {
		hint, err := p.tokens.ReadHint(token)
		if err != nil {
			return f, refuse("invalid_request", "id_token_hint is not an ID token of this provider.").because(err)
		}
		if clientID != "" && clientID != hint.ClientID {
			return f, refuse("invalid_request", "client_id is not the one that id_token_hint was issued to.")
		}
		clientID, f.hint, f.sid = hint.ClientID, digest(hint.Subject), hint.SID
	}
	if f.client, err = p.findClient(ctx, clientID); err != nil {
		return f, err
	}
	if hint := values.Get("logout_hint"); f.hint == "" && f.client != nil && sidForm.MatchString(hint) {
		f.sid = hint
	}
	to := values.Get("post_logout_redirect_uri")
	if to == "" || f.hint == "" && f.sid == "" {
		return f, nil
	}
	if f.client == nil || !slices.Contains(f.client.Metadata.PostLogoutRedirectURIs, to) {
		return f, refuse("invalid_request", "post_logout_redirect_uri is not one that the client is registered with.")
	}
	switch state := values.Get("state"); {
	case len(state) > maxState:
		return f, refuse("invalid_request", "state is too long.")
	case state != "":
		to = withQuery(to, url.Values{"state": {state}})
	}
	f.leadsTo = to
	return f, nil
}

// interaction is the farewell as something that waits: it keeps of the hint only digests.
func (f farewell) interaction() Interaction {
	i := Interaction{Page: "/logout", Hint: f.hint, Locales: f.locales, Request: url.Values{"sid": {f.sid}, "redirect_uri": {f.leadsTo}}}
	if f.client != nil {
		i.ClientID = f.client.ID
	}
	return i
}

func (p *Provider) farewellOf(ctx context.Context, i Interaction) (farewell, error) {
	if i.Page != "/logout" {
		return farewell{}, over()
	}
	client, err := p.findClient(ctx, i.ClientID)
	f := farewell{client: client, hint: i.Hint, sid: i.Request.Get("sid"), leadsTo: i.Request.Get("redirect_uri"), locales: i.Locales}
	if client == nil && f.hint == "" { // taken out of use since: a logout_hint was its word alone
		f.sid, f.leadsTo = "", ""
	}
	return f, err
}

// findClient gives the client, or nil where there is none of this id.
func (p *Provider) findClient(ctx context.Context, id string) (*clients.Client, error) {
	if id == "" {
		return nil, nil
	}
	client, err := p.cfg.Clients.Find(ctx, id)
	if errors.Is(err, clients.ErrUnknown) {
		return nil, nil
	}
	return client, err
}

// heed finds out whose session a logout_hint names: by the sid of the client's ID tokens, which nobody else is told, and only one that the client
// took part in. Any other is no hint: the person is asked, and does not come back, for anybody may have sent them.
func (p *Provider) heed(ctx context.Context, f farewell, s session.Session) (farewell, error) {
	if f.hint != "" || f.sid == "" {
		return f, nil
	}
	sid := f.sid
	if sid == p.cfg.Subjects.SID(f.client, s.SID) {
		sid = s.SID // of a pairwise client's we know no other
	}
	person, lives, err := grant.Whose(ctx, p.cfg.Pool, f.client.ID, sid)
	switch {
	case errors.Is(err, grant.ErrUnknown):
		f.sid, f.leadsTo, err = "", "", nil
	case lives: // else who is signed in by now is asked, and led back all the same
		f.person = person
	}
	return f, err
}

// isTheirs tells whether the hint names who is signed in: by the session, or where that has changed since, by the person.
func (p *Provider) isTheirs(ctx context.Context, f farewell, s session.Session) (bool, error) {
	switch {
	case f.hint == "":
		return f.person == s.Person, nil
	case f.client == nil: // taken out of use since: only the session tells
		return f.sid == s.SID, nil
	case f.sid == p.cfg.Subjects.SID(f.client, s.SID):
		return true, nil
	}
	var (
		b        pgx.Batch
		standing Standing
	)
	p.cfg.Accounts.Standing(&b, s.Person, &standing)
	if err := p.cfg.Pool.SendBatch(ctx, &b).Close(); err != nil {
		return false, fmt.Errorf("ask who is signed in: %w", err)
	}
	return digest(p.cfg.Subjects.Of(f.client, standing)) == f.hint, nil
}

// endSession signs the person out at this browser, and gives what the browser is to load so that clients hear of it.
func (p *Provider) endSession(w http.ResponseWriter, r *http.Request, s session.Session) (frames []string, err error) {
	ctx := r.Context()
	if frames, err = Frames(ctx, p.cfg.Pool, p.cfg.Clients, p.cfg.Subjects, p.cfg.Issuer, s); err != nil {
		return nil, err
	}
	if err := grant.SignOut(ctx, p.cfg.Pool, p.cfg.Jobs, p.cfg.Denials, s, p.cfg.Now()); err != nil {
		return nil, err
	}
	p.cfg.Site.Forget(w, r)
	return frames, p.cfg.Sessions.End(ctx, w, r)
}

// bidFarewell is where a sign-out ends: at the client, at once or by way of our page where that has frames to load, or at our page.
func (p *Provider) bidFarewell(w http.ResponseWriter, r *http.Request, f farewell, frames []string) error {
	if f.leadsTo != "" && len(frames) == 0 {
		redirect(w, f.leadsTo)
		return nil
	}
	data := signedOutPage{LeadsTo: f.leadsTo}
	if f.client != nil {
		data.Client, data.ClientURI = f.client.Name(p.cfg.Site.Language(r)), f.client.Metadata.ClientURI
		data.SignIn = f.client.SignIn(p.cfg.Issuer)
	}
	return p.cfg.Site.Show(w, r, signedOutView(data, frames))
}

// refuseLogout tells the person that the request is wrong. It goes nowhere, and signs nobody out.
func (p *Provider) refuseLogout(w http.ResponseWriter, r *http.Request, client *clients.Client, err error) error {
	e, ok := errors.AsType[*refusal](err)
	if !ok {
		return err
	}
	return p.cfg.Site.Show(w, r, logoutRefusalView(logoutRefusalPage(p.mistake(r, client, e))))
}
