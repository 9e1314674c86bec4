package consent

import (
	"errors"
	"net/http"
	"time"

	"asoba.example/consent/agreement"
	"asoba.example/provider"
	"asoba.example/provider/clients"
	"asoba.example/provider/page"
)

// A listed agreement, as its person sees it.
type listed struct {
	ClientID string
	Client   string // its official name
	Official bool   // not the person's to withdraw
	Values   []string
	Powers   []power
	GivenAt  time.Time
	Till     time.Time
}

// list handles GET /agreements.
func (c *Consent) list(w http.ResponseWriter, r *http.Request) error {
	s, _, _, err := c.person(r)
	if err != nil {
		return err
	}
	if s.IsZero() {
		return c.signIn(w, r)
	}
	agreements, err := c.cfg.Agreements.List(r.Context(), s.Person, c.cfg.Now())
	if err != nil {
		return err
	}
	language := c.cfg.Site.Language(r)
	data := struct {
		Agreements []listed
		Withdrawn  bool
	}{Withdrawn: r.URL.Query().Has("withdrawn")}
	for _, a := range agreements {
		client, err := c.cfg.Clients.Look(r.Context(), a.ClientID)
		switch {
		case errors.Is(err, clients.ErrUnknown):
			continue // taken out of use: it is given nothing
		case err != nil:
			return err
		}
		data.Agreements = append(data.Agreements, listed{
			ClientID: a.ClientID, Client: client.Name(language), Official: a.Basis == clients.BasisOfficial,
			Values: released(client, a), Powers: powers(a.Scopes), GivenAt: a.GivenAt, Till: a.Till,
		})
	}
	return c.cfg.Site.Show(w, r, page.View{Name: "agreements", Data: data, SignedIn: true})
}

// released names the claims of an agreement.
func released(client *clients.Client, a agreement.Agreement) []string {
	claims := []string{"sub"}
	if !knows(client, a.Scopes) {
		claims = []string{"pairwise"}
	}
	for _, scope := range a.Scopes {
		claims = append(claims, inScope[scope]...)
	}
	return claims
}

// withdraw handles POST /agreements.
func (c *Consent) withdraw(w http.ResponseWriter, r *http.Request) error {
	s, _, _, err := c.person(r)
	if err != nil {
		return err
	}
	if s.IsZero() {
		return c.signIn(w, r)
	}
	if err := c.cfg.Agreements.Withdraw(r.Context(), s, r.PostFormValue("client_id"), c.cfg.Now()); err != nil {
		return err
	}
	return redirect(w, r, "/agreements?withdrawn")
}

// signIn lets somebody who is not signed in do that first, and come back.
func (c *Consent) signIn(w http.ResponseWriter, r *http.Request) error {
	i, err := c.cfg.Interactions.Begin(r.Context(), w, r, provider.Interaction{Page: "/agreements"})
	if err != nil {
		return err
	}
	return redirect(w, r, i.At("/sign-in"))
}
