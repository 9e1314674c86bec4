package consent

import (
	"errors"
	"net/http"
	"time"

	"asoba.example/consent/agreement"
	"asoba.example/provider"
	"asoba.example/provider/clients"
	"asoba.example/provider/page"
	"asoba.example/provider/session"
)

// An asking is all that stands on the page of a request.
type asking struct {
	Client     string // its official name
	Official   bool   // the person is informed, not asked
	Purpose    string
	LegalBasis string
	PolicyURI  string
	TOSURI     string
	Till       time.Time // when an agreement that is given now would end
	Values     []value
	Powers     []power
	SID        string // whose page this is: the answer must come from the same session
}

// ask handles GET /consent.
func (c *Consent) ask(w http.ResponseWriter, r *http.Request) error {
	i, client, err := c.request(r)
	if errors.Is(err, provider.ErrNoInteraction) {
		return redirect(w, r, provider.Gone(r))
	}
	if err != nil {
		return err
	}
	if client == nil {
		return redirect(w, r, i.Continue())
	}
	scopes := i.Asks()
	s, standing, claims, err := c.person(r, scopes...)
	if err != nil {
		return err
	}
	if s.IsZero() {
		return redirect(w, r, i.Continue()) // the authorization endpoint knows what to do with nobody
	}
	identifier := standing.Identifier
	if !knows(client, scopes) {
		identifier = ""
	}
	r = page.WithLanguage(r, i.Locales)
	language := c.cfg.Site.Language(r)
	official := agreement.Basis(client) == clients.BasisOfficial
	name := "consent"
	if official {
		name = "consent-official"
	}
	return c.cfg.Site.Show(w, r, page.View{
		Name: name,
		Data: asking{
			Client:     client.Name(language),
			Official:   official,
			Purpose:    client.Metadata.Purpose.In(language),
			LegalBasis: client.Metadata.LegalBasis.In(language),
			PolicyURI:  client.Metadata.PolicyURI,
			TOSURI:     client.Metadata.TOSURI,
			Till:       c.cfg.Agreements.Term(c.cfg.Now()),
			Values:     values(identifier, scopes, claims, language),
			Powers:     powers(scopes),
			SID:        s.SID,
		},
		FormAction: i.LeadsTo(),
	})
}

// answer handles POST /consent.
func (c *Consent) answer(w http.ResponseWriter, r *http.Request) error {
	i, client, err := c.request(r)
	if errors.Is(err, provider.ErrNoInteraction) {
		return redirect(w, r, provider.Gone(r))
	}
	if err != nil {
		return err
	}
	if client == nil {
		return redirect(w, r, i.Continue())
	}
	s, _, _, err := c.person(r)
	if err != nil {
		return err
	}
	if s.IsZero() {
		return redirect(w, r, i.Continue())
	}
	if r.PostFormValue("sid") != s.SID {
		// Somebody else has signed in at this browser since: they have not seen the page.
		return redirect(w, r, i.At("/consent"))
	}
	switch r.PostFormValue("decision") {
	case "allow":
		err = c.allow(r, s, client, &i)
	case "deny":
		err = c.cfg.Interactions.Learn(r.Context(), &i, func(i *provider.Interaction) { i.Refused = true })
	default:
		return redirect(w, r, i.At("/consent"))
	}
	if err != nil {
		return err
	}
	return redirect(w, r, i.Continue())
}

// allow keeps the agreement. Of a sign-in that was ended meanwhile nothing is kept, and the request goes on without.
func (c *Consent) allow(r *http.Request, s session.Session, client *clients.Client, i *provider.Interaction) error {
	scopes := i.Asks()
	err := c.cfg.Agreements.Give(r.Context(), s, client, scopes, c.cfg.Now())
	if errors.Is(err, agreement.ErrEnded) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.cfg.Interactions.Learn(r.Context(), i, func(i *provider.Interaction) { i.Agreed = scopes })
}

// request finds the authorization request that waits and the client that sent it; no client where a page of ours
// waits, or where the client was taken out of use meanwhile.
func (c *Consent) request(r *http.Request) (provider.Interaction, *clients.Client, error) {
	i, err := c.cfg.Interactions.Find(r.Context(), r)
	if err != nil || i.ClientID == "" {
		return i, nil, err
	}
	client, err := c.cfg.Clients.Find(r.Context(), i.ClientID)
	if errors.Is(err, clients.ErrUnknown) {
		return i, nil, nil
	}
	return i, client, err
}

// redirect leads on after a page, by GET.
func redirect(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
