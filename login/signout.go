package login

import (
	"net/http"

	"asoba.example/provider"
	"asoba.example/provider/grant"
	"asoba.example/provider/page"
	"asoba.example/provider/session"
)

// signOut handles POST /sign-out: nobody is signed in at this browser any more, and what services were
// given for as long as somebody is, they have no more.
func (l *Login) signOut(w http.ResponseWriter, r *http.Request) error {
	s, err := l.cfg.Sessions.Find(r.Context(), r)
	if err != nil {
		return err
	}
	return l.leave(w, r, s, func() error { return grant.SignOut(r.Context(), l.cfg.Pool, l.cfg.Jobs, l.cfg.Denials, s, l.cfg.Now()) })
}

// leave ends the session of this browser by an act that ends what it gave, and has the browser tell the services that want to hear of it there.
func (l *Login) leave(w http.ResponseWriter, r *http.Request, s session.Session, end func() error) error {
	var frames []string
	if !s.IsZero() {
		var err error
		if frames, err = provider.Frames(r.Context(), l.cfg.Pool, l.cfg.Clients, l.cfg.Subjects, l.cfg.Issuer, s); err != nil {
			return err
		}
		if err := end(); err != nil {
			return err
		}
	}
	if err := l.cfg.Sessions.End(r.Context(), w, r); err != nil {
		return err
	}
	l.cfg.Site.Forget(w, r)
	if len(frames) > 0 {
		return l.cfg.Site.Show(w, r, page.View{Name: "sign-out", Frames: frames, At: "/sign-out"})
	}
	http.Redirect(w, r, "/sign-out", http.StatusSeeOther)
	return nil
}

// signedOutPage handles GET /sign-out, where a sign-out ends. Who is signed in finds the button at /security.
func (l *Login) signedOutPage(w http.ResponseWriter, r *http.Request) error {
	s, _, err := l.signedIn(r)
	if err != nil {
		return err
	}
	if !s.IsZero() {
		http.Redirect(w, r, "/security", http.StatusSeeOther)
		return nil
	}
	return l.cfg.Site.Show(w, r, page.View{Name: "sign-out"})
}
