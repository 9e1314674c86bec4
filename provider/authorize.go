package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
	"asoba.example/provider/page"
	"asoba.example/provider/session"
)

// authorize handles GET and POST /authorize (OpenID Connect Core §3.1.2.1), and the return of those who waited.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if r.Method == http.MethodGet && r.URL.Query().Has("interaction") {
		i, err := p.cfg.Interactions.claim(ctx, w, r)
		if errors.Is(err, ErrNoInteraction) {
			redirect(w, Gone(r))
			return nil
		}
		if err != nil {
			return err
		}
		r = page.WithLanguage(r, i.Locales)
		q := new(request)
		q.resume(i)
		if err := p.read(ctx, q); err != nil {
			return p.refuseRequest(w, r, q, err)
		}
		return p.decide(w, r, q, i)
	}
	values, err := parameters(w, r)
	if err != nil {
		return p.refuseRequest(w, r, &request{}, err)
	}
	q := &request{values: values}
	err = p.read(ctx, q)
	r = page.WithLanguage(r, q.values.Get("ui_locales"))
	if err != nil {
		return p.refuseRequest(w, r, q, err)
	}
	i := q.interaction(p.cfg.Now())
	if r.Method == http.MethodPost {
		// Another site's POST brings no cookies along (SameSite=Lax): the browser comes back for its session by GET.
		if i, err = p.cfg.Interactions.keep(ctx, i); err != nil {
			return p.refuseRequest(w, r, q, err)
		}
		redirect(w, i.Continue())
		return nil
	}
	return p.decide(w, r, q, i)
}

// decide asks Next and does what it says.
func (p *Provider) decide(w http.ResponseWriter, r *http.Request, q *request, i Interaction) error {
	ctx := r.Context()
	now := p.cfg.Now()
	question, err := p.question(r, q, i)
	if err != nil {
		return p.refuseRequest(w, r, q, err)
	}
	step := Next(question, now)
	if step != Login && step != Consent {
		p.cfg.Interactions.dropCopy(w, r, i)
	}
	switch step {
	case Confirm: // is asked for a device, and a device's request has a door of its own (devicepages.go)
		return over()
	case Login, Consent:
		if i.ID == "" {
			if i, err = p.cfg.Interactions.Begin(ctx, w, r, i); err != nil {
				return p.refuseRequest(w, r, q, err)
			}
		}
		path := "/sign-in"
		if step == Consent {
			path = "/consent"
		}
		redirect(w, i.At(path))
		return nil
	case Answer:
		code, err := p.code(ctx, q, i, question.Session, now)
		if errors.Is(err, ErrNoInteraction) { // answered at the same moment
			redirect(w, Gone(r))
			return nil
		}
		if err != nil {
			return p.refuseRequest(w, r, q, err)
		}
		return p.answer(w, r, q, url.Values{"code": {code}})
	case RefuseAccessDenied:
		if err = p.spendRefused(ctx, q); err == nil {
			err = refuse("access_denied", "The person refused.")
		}
	case RefuseSandbox:
		err = refuse("access_denied", sandbox)
	case RefuseLoginRequired:
		err = refuse("login_required", "The person must sign in, as the one whom the request asks for.")
	case RefuseConsentRequired:
		err = refuse("consent_required", "The person must agree.")
	}
	return p.refuseRequest(w, r, q, err)
}

// sandbox tells an integrator why a person cannot sign in though the person did all right.
const sandbox = "A draft is for specimens, made-up people, and a live client for all others. With prompt=login somebody else can sign in."

// question gathers what Next looks at: the session in one trip, the person in another.
func (p *Provider) question(r *http.Request, q *request, i Interaction) (Question, error) {
	ctx := r.Context()
	s, err := p.cfg.Sessions.Find(ctx, r)
	if err != nil {
		return Question{}, err
	}
	question := Question{
		Prompt: q.prompt, MaxAge: q.maxAge, ACR: q.acr, Hint: q.hint,
		Asked: i.Asked, Session: s, Agreed: len(i.Agreed) > 0, Refused: i.Refused, Device: i.Page == "/device", Confirmed: i.Confirmed,
		Covered: q.client.Metadata.FirstParty, Draft: q.client.IsDraft(),
		Informs: q.client.Metadata.Basis == clients.BasisOfficial,
	}
	if s.IsZero() {
		return question, nil
	}
	var b pgx.Batch
	p.cfg.Accounts.Standing(&b, s.Person, &question.Standing)
	if !question.Covered {
		p.cfg.Consents.Covers(&b, s.Person, q.client, granted(asks(q.scopes, q.claims), i), p.cfg.Now(), &question.Covered)
	}
	if err := p.cfg.Pool.SendBatch(ctx, &b).Close(); err != nil {
		return Question{}, fmt.Errorf("ask how a person stands: %w", err)
	}
	question.Subject = p.cfg.Subjects.Of(q.client, question.Standing)
	return question, nil
}

// granted gives the scopes asked for, or those of them that were agreed to on the page.
func granted(scopes []string, i Interaction) []string {
	if len(i.Agreed) == 0 {
		return scopes
	}
	return common(scopes, append([]string{"openid"}, i.Agreed...))
}

// grantOf is what the session's person grants the client.
func (p *Provider) grantOf(gid uuid.UUID, q *request, i Interaction, s session.Session) grant.Grant {
	scopes, audience := granted(q.scopes, i), q.audience
	if len(scopes) < len(q.scopes) && !q.values.Has("resource") {
		audience = p.audiences(scopes)
	}
	return grant.Grant{
		ID: gid, Person: s.Person, ClientID: q.client.ID, SID: s.SID, Scopes: scopes, Audience: audience,
		Claims:   claimsWithin(q.claims, granted(asks(q.scopes, q.claims), i)),
		AuthTime: s.AuthTime, ACR: s.ACR, AMR: s.AMR, Agent: s.Agent,
	}
}

// code makes the code for what the session's person grants the client.
func (p *Provider) code(ctx context.Context, q *request, i Interaction, s session.Session, now time.Time) (string, error) {
	gid, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	response, err := p.fosite.NewAuthorizeResponse(ctx, q.fosite, &ticket{
		client: q.client, now: now, nonce: q.nonce, redirectURI: q.redirectURI, challenge: q.challenge, key: q.key, interaction: i.ID, pushed: q.pushed,
		grant: p.grantOf(gid, q, i, s),
	})
	if err != nil {
		return "", err
	}
	return response.GetCode(), nil
}

// refuseRequest answers with an error: to the client, or where its redirect URI is not to be trusted, to the person.
func (p *Provider) refuseRequest(w http.ResponseWriter, r *http.Request, q *request, err error) error {
	e := asRefusal(err)
	if q.redirectURI != "" {
		api.Note(r, e)
		return p.answer(w, r, q, url.Values{"error": {e.code}, "error_description": {printable(e.description)}})
	}
	if e.code == "temporarily_unavailable" {
		return err // ours: shown as a page of our fault
	}
	return p.refuseToPerson(w, r, q.client, e)
}

// refuseToPerson shows that a request is wrong, with a word for whoever built it.
func (p *Provider) refuseToPerson(w http.ResponseWriter, r *http.Request, client *clients.Client, e *refusal) error {
	return p.cfg.Site.Show(w, r, refusalView(http.StatusBadRequest, p.mistake(r, client, e)))
}

// mistake notes that a request is wrong, and gives what a page says of it.
func (p *Provider) mistake(r *http.Request, client *clients.Client, e *refusal) refusalPage {
	api.Note(r, e)
	data := refusalPage{Code: e.code, Description: printable(e.description), RequestID: api.RequestID(r.Context())}
	if client != nil {
		data.Client = client.Name(p.cfg.Site.Language(r))
	}
	return data
}

// answer carries the answer to the client through the browser, with state and issuer (RFC 9207 §2); signed, where that is asked for
// (JARM §2.3), it is one JWT that has them.
func (p *Provider) answer(w http.ResponseWriter, r *http.Request, q *request, values url.Values) error {
	values.Set("iss", p.cfg.Issuer)
	if q.state != "" {
		values.Set("state", q.state)
	}
	mode, signed := strings.CutSuffix(q.mode, "jwt")
	if signed {
		response, err := p.tokens.Response(q.policy.response, q.client.ID, values, p.cfg.Now())
		if err != nil {
			return err
		}
		values = url.Values{"response": {response}}
	}
	if strings.TrimSuffix(mode, ".") == "form_post" {
		data := formPostPage{Action: q.redirectURI}
		for name := range values {
			data.Fields = append(data.Fields, hidden{name, values.Get(name)})
		}
		slices.SortFunc(data.Fields, func(a, b hidden) int { return strings.Compare(a.Name, b.Name) })
		return p.cfg.Site.Show(w, r, formPostView(data))
	}
	redirect(w, withQuery(q.redirectURI, values))
	return nil
}

// withQuery adds parameters to an address. A query that is registered with it stays as it is (RFC 6749 §3.1.2).
func withQuery(address string, values url.Values) string {
	if strings.Contains(address, "?") {
		return address + "&" + values.Encode()
	}
	return address + "?" + values.Encode()
}

// redirect sends the browser on by GET, whatever it came by (RFC 9700 §4.12).
func redirect(w http.ResponseWriter, to string) {
	h := w.Header()
	h.Set("Location", to)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
}
