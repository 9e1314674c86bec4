package desk

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

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

// system tells a token that a client got for itself from one that a person's sign-in gave it.
func system(token api.Token) bool { return token.GID == "" }

// by finds the clerk who acts: the token's own, or the one whom a desk's system names.
func (d *Doors) by(ctx context.Context, token api.Token, n named) (By, error) {
	office, err := parseOffice(n.Office)
	if err != nil {
		return By{}, invalid([]api.Field{{Name: "/office", Code: "not_an_office"}})
	}
	if system(token) {
		if n.Clerk == "" {
			return By{}, api.Refuse(http.StatusForbidden, "clerk_required", nil)
		}
		c, err := d.clerk(ctx, n.Clerk, time.Time{})
		if office != "" {
			c.Office = office // the system knows where it stands
		}
		return By{Clerk: c, ClientID: token.ClientID}, err
	}
	if n.Clerk != "" && register.FoldNumber(n.Clerk) != token.Subject {
		return By{}, api.Refuse(http.StatusForbidden, "not_this_clerk", nil)
	}
	c, err := d.clerk(ctx, token.Subject, token.AuthTime)
	return By{Clerk: c, ClientID: token.ClientID}, err
}

// clerk finds a clerk who may serve now.
func (d *Doors) clerk(ctx context.Context, typed string, signedIn time.Time) (clerk.Clerk, error) {
	id, err := identity.ParseIdentifier(typed)
	if err != nil {
		return clerk.Clerk{}, api.Refuse(http.StatusForbidden, "not_a_clerk", err)
	}
	c, err := d.Clerks.OnDuty(ctx, id, signedIn)
	if errors.Is(err, clerk.ErrUnknown) || err == nil && !c.Serves() {
		return clerk.Clerk{}, api.Refuse(http.StatusForbidden, "not_a_clerk", err)
	}
	return c, err
}

// parseOffice takes the name of an office as a desk's system writes it.
func parseOffice(s string) (string, error) {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > 64 || strings.ContainsFunc(s, unicode.IsControl) {
		return "", errors.New("not the name of an office")
	}
	return s, nil
}
