package desk

import (
	"net/http"
	"time"

	"asoba.example/login/clerk"
	"asoba.example/login/identity"
	"asoba.example/login/register"
	"asoba.example/provider/api"
)

// By is who acts: a clerk, where, and through which client.
type By struct {
	clerk.Clerk
	ClientID string
	Named    bool   // by a desk's system, which the client is then
	Key      string // of this request, by which they ask again without acting again (Idempotency-Key); "" where it has none
}

// act is the act of a moment that the clerk does.
func (by By) act(at time.Time, language string) identity.Act {
	return identity.Act{At: at, Clerk: by.Person, Office: by.Office, ClientID: by.ClientID, Language: language}
}

// by finds the clerk who acts: the token's own, or the one whom a desk's system names. Where they act is the clerk's own office, whatever a
// system says of where it stands.
func (d *Doors) by(w http.ResponseWriter, r *http.Request, token api.Token, n named) (By, error) {
	office, err := clerk.ParseOffice(n.Office)
	if err != nil {
		return By{}, invalid([]api.Field{{Name: "/office", Code: "not_an_office"}})
	}
	var c clerk.Clerk
	if token.ByClient() {
		c, err = d.named(w, r, token, n.Clerk)
	} else {
		c, err = d.own(w, r, token, n.Clerk)
	}
	switch {
	case err != nil:
		return By{}, err
	case office != "" && office != c.Office:
		return By{}, api.Refuse(http.StatusForbidden, "not_this_office", nil)
	}
	key, err := api.IdempotencyKey(r)
	return By{Clerk: c, ClientID: token.ClientID, Named: token.ByClient(), Key: key}, err
}

// own finds the clerk whose own token it is, and who may be named beside it.
func (d *Doors) own(w http.ResponseWriter, r *http.Request, token api.Token, beside string) (clerk.Clerk, error) {
	if beside != "" && register.FoldNumber(beside) != token.Subject {
		return clerk.Clerk{}, api.Refuse(http.StatusForbidden, "not_this_clerk", nil)
	}
	return d.Gate.Own(w, r, token, clerk.Serve, 0)
}

// named finds the clerk whom a desk's system names.
func (d *Doors) named(w http.ResponseWriter, r *http.Request, token api.Token, who string) (clerk.Clerk, error) {
	if who == "" {
		return clerk.Clerk{}, api.Refuse(http.StatusForbidden, "clerk_required", nil)
	}
	if err := d.keyed(w, r, token); err != nil {
		return clerk.Clerk{}, err
	}
	return d.Gate.Named(r, who, time.Time{}, clerk.Serve)
}

// keyed holds that a desk's system has a key: whoever has copied a secret would speak for every clerk there is.
func (d *Doors) keyed(w http.ResponseWriter, r *http.Request, token api.Token) error {
	client, err := d.Clients.Find(r.Context(), token.ClientID)
	if err != nil || client.ByKey() {
		return err
	}
	if err := d.Desk.refuseKeyless(r.Context(), client.ID); err != nil {
		return d.refusal(w, err)
	}
	return api.Refuse(http.StatusForbidden, "key_required", nil)
}
