package login

import (
	"cmp"
	"net/http"
	"time"

	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider"
	"asoba.example/provider/page"
	"asoba.example/provider/session"
)

// signedIn gives the session of this browser and whose it is; the zero Session where nobody is signed in,
// or where the sign-in is worth nothing any more: the identifier is not active, or sign-ins were ended since.
func (l *Login) signedIn(r *http.Request) (session.Session, identity.Identity, error) {
	s, err := l.cfg.Sessions.Find(r.Context(), r)
	if err != nil || s.IsZero() {
		return session.Session{}, identity.Identity{}, err
	}
	standing, err := l.standing(r.Context(), s.Person)
	if err != nil || !standing.Holds(s.AuthTime) {
		return session.Session{}, identity.Identity{}, err
	}
	who, err := l.cfg.Registry.Of(r.Context(), s.Person)
	if err != nil {
		return session.Session{}, identity.Identity{}, err
	}
	return s, who, nil
}

// A visitor is somebody signed in at this browser.
type visitor struct {
	session.Session
	identity.Identity
	till time.Time // when they will have to sign in again for what they do
}

// visitor is somebody signed in, who has proved lately who they are for what a page does.
func (l *Login) visitor(s session.Session, who identity.Identity, proved time.Time) visitor {
	v := visitor{s, who, l.cfg.Sessions.Till(s)}
	if stale := proved.Add(sendFreshly * policy.FreshFor.In(l.cfg.Policies)); stale.Before(v.till) {
		v.till = stale
	}
	return v
}

// showOwn shows a page of theirs.
func (l *Login) showOwn(w http.ResponseWriter, r *http.Request, v visitor, view page.View) error {
	view.Status, view.SignedIn, view.Limit = cmp.Or(view.Status, status(view.Errors)), true, l.limit(v.till)
	return l.cfg.Site.Show(w, r, view)
}

// own makes a door of a page of ours, for the person signed in at this browser. Others are sent to sign in first.
func (l *Login) own(path string, door func(http.ResponseWriter, *http.Request, visitor) error) http.Handler {
	return l.door(func(w http.ResponseWriter, r *http.Request) error {
		s, who, err := l.signedIn(r)
		if err != nil {
			return err
		}
		if s.IsZero() {
			return l.ask(w, r, provider.Interaction{Page: path})
		}
		return door(w, r, visitor{s, who, l.cfg.Sessions.Till(s)})
	})
}

// Of a grave act a page is opened as freshly as it asks, and may be sent a while later: times as late.
const (
	openFreshly = 1
	sendFreshly = 2
)

// fresh tells whether somebody signed in no longer ago than a grave act asks for, times that.
func (l *Login) fresh(proved time.Time, times int) bool {
	return l.cfg.Now().Sub(proved) <= time.Duration(times)*policy.FreshFor.In(l.cfg.Policies)
}
