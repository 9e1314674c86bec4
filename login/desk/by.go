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
}

// act is the act of a moment that the clerk does.
func (by By) act(at time.Time, language string) identity.Act {
	return identity.Act{At: at, Clerk: by.Person, Office: by.Office, ClientID: by.ClientID, Language: language}
}

// by finds the clerk who acts: the token's own, or the one whom a desk's system names.
func (d *Doors) by(w http.ResponseWriter, r *http.Request, token api.Token, n named) (By, error) {
	office, err := clerk.ParseOffice(n.Office)
	if err != nil {
		return By{}, invalid([]api.Field{{Name: "/office", Code: "not_an_office"}})
	}
	if token.ByClient() {
		if n.Clerk == "" {
			return By{}, api.Refuse(http.StatusForbidden, "clerk_required", nil)
		}
		c, err := d.Gate.Named(r, n.Clerk, time.Time{}, clerk.Serve)
		if office != "" {
			c.Office = office // the system knows where it stands
		}
		return By{Clerk: c, ClientID: token.ClientID}, err
	}
	if n.Clerk != "" && register.FoldNumber(n.Clerk) != token.Subject {
		return By{}, api.Refuse(http.StatusForbidden, "not_this_clerk", nil)
	}
	c, err := d.Gate.Own(w, r, token, clerk.Serve, 0)
	return By{Clerk: c, ClientID: token.ClientID}, err
}
