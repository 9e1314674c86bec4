package clerk

import (
	"errors"
	"net/http"
	"time"

	"asoba.example/login/factor"
	"asoba.example/login/identity"
	"asoba.example/provider/api"
)

// A Gate is where doors let the staff in, each with an access token that their own sign-in gave.
type Gate struct {
	Clerks *Clerks
	Tokens Tokens
	Now    func() time.Time
}

// Tokens checks the access token of a request; manage.Bearer is one.
type Tokens interface {
	Require(w http.ResponseWriter, r *http.Request, scope string) (api.Token, error)
}

// Enter gives the clerk whose token a request brings, if the token has the scope, the clerk may do the duty and has signed in within a time.
func (g Gate) Enter(w http.ResponseWriter, r *http.Request, scope string, d Duty, within time.Duration) (Clerk, error) {
	token, err := g.Tokens.Require(w, r, scope)
	if err != nil {
		return Clerk{}, err
	}
	if token.ByClient() {
		return Clerk{}, api.Refuse(http.StatusForbidden, "not_a_clerk", nil)
	}
	return g.Own(w, r, token, d, within)
}

// Own gives the clerk whose sign-in gave a token, if they may do the duty and have signed in by more than a password, by a passkey where
// they have one, and within a time where one is given.
func (g Gate) Own(w http.ResponseWriter, r *http.Request, token api.Token, d Duty, within time.Duration) (Clerk, error) {
	if err := token.RequireSignIn(w, api.Substantial, within, g.Now()); err != nil {
		return Clerk{}, err
	}
	c, err := g.Named(r, token.Subject, token.AuthTime, d)
	if err != nil {
		return Clerk{}, err
	}
	// A password and a code can be coaxed out of people, a passkey cannot: another sign-in is asked for, however strong this one was.
	if c.Passkey && !factor.Used(token.AMR) {
		return Clerk{}, token.AskSignIn(w, api.Substantial, `max_age="0"`)
	}
	return c, nil
}

// Named gives the clerk who has an identifier, if they may do the duty and, where a sign-in is told, it is worth anything.
func (g Gate) Named(r *http.Request, typed string, signedIn time.Time, d Duty) (Clerk, error) {
	id, err := identity.ParseIdentifier(typed)
	if err != nil {
		return Clerk{}, api.Refuse(http.StatusForbidden, "not_a_clerk", err)
	}
	c, err := g.Clerks.OnDuty(r.Context(), id, signedIn)
	switch {
	case errors.Is(err, ErrUnknown):
		return Clerk{}, api.Refuse(http.StatusForbidden, "not_a_clerk", err)
	case err == nil && !c.May(d):
		return Clerk{}, api.Refuse(http.StatusForbidden, "wrong_role", nil)
	}
	return c, err
}
