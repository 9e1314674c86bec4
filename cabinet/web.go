package cabinet

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/access"
	"asoba.example/cabinet/catalogue"
	"asoba.example/cabinet/issuer"
	"asoba.example/provider/page"
)

// pages are what a citizen may come back to after a sign-in.
var pages = map[string]bool{
	"/": true, "/profile": true, "/profile/data": true, "/services": true, "/cases": true, "/inbox": true, "/journal": true, "/settings": true,
}

// isPage tells whether a citizen may come back to a path: one of those, one entry of the journal, one value, or one service.
func isPage(path string) bool {
	if isValue(path) {
		return true
	}
	if id, ok := strings.CutPrefix(path, "/journal/"); ok {
		parsed, err := uuid.Parse(id)
		return err == nil && parsed.String() == id
	}
	if code, ok := strings.CutPrefix(path, "/services/"); ok {
		_, err := catalogue.ParseCode(code)
		return err == nil
	}
	return pages[path]
}

// A visitor is a citizen who was let in for this one page.
type visitor struct{ session }

// visit lets the citizen in and asks what the page shows, or answers instead. Whoever has not signed in is shown the front door, or sent to sign in
// and comes back to this page. in tells whether the page is still to be shown.
func (c *Cabinet) visit(w http.ResponseWriter, r *http.Request, ask func(b *pgx.Batch, subject string)) (v visitor, in bool, err error) {
	v.session, err = c.sessions.find(r.Context(), r)
	switch {
	case errors.Is(err, errNoSession) && r.URL.Path == "/":
		return v, false, c.site.Show(w, r, page.View{Name: "welcome"})
	case errors.Is(err, errNoSession):
		http.Redirect(w, r, signInAt(r.URL.Path), http.StatusSeeOther)
		return v, false, nil
	case err != nil:
		return v, false, err
	}
	decision, err := c.gate.Admit(r.Context(), c.question(v.Token), v.AccessToken, func(b *pgx.Batch) {
		if ask != nil {
			ask(b, v.Token.Subject)
		}
	})
	switch {
	case errors.Is(err, issuer.ErrAway):
		w.Header().Set("Retry-After", retryAfter)
		return v, false, page.Refuse(http.StatusServiceUnavailable, "error.provider_away", err)
	case err != nil:
		return v, false, err
	}
	in, err = c.decided(w, r, decision)
	return v, in, err
}

// decided tells whether the gate lets in, or says why not. The session of whom it refuses is over.
func (c *Cabinet) decided(w http.ResponseWriter, r *http.Request, decision access.Decision) (bool, error) {
	again := c.sessions.cookie(r, "again") != "" // it was refused, and sent to sign in again
	if good := decision == access.Admit || decision == access.RefuseUnknown; good && again {
		http.SetCookie(w, c.sessions.made("again", "", -1))
	}
	switch decision {
	case access.Admit:
		return true, nil
	case access.RefuseUnknown:
		w.Header().Set("Retry-After", retryAfter)
		return false, page.Refuse(http.StatusServiceUnavailable, "error.no_cabinet_yet", nil)
	default: // the sign-in is worth nothing here any more
	}
	if err := c.sessions.end(r.Context(), w, r); err != nil {
		return false, err
	}
	if decision == access.RefuseDeactivated {
		return false, page.Refuse(http.StatusForbidden, "error.deactivated", nil)
	}
	if !again {
		// Whoever has only changed the password is still signed in at the provider and comes straight back; anybody else
		// is asked there. Once: where the next sign-in is refused too, the page says so.
		http.SetCookie(w, c.sessions.made("again", "1", int(requestFor/time.Second)))
		http.Redirect(w, r, signInAt(r.URL.Path), http.StatusSeeOther)
		return false, nil
	}
	http.SetCookie(w, c.sessions.made("again", "", -1))
	return false, c.site.Show(w, r, page.View{
		Status: http.StatusForbidden, Name: "ended", Data: endedPage{SignIn: signInAt(r.URL.Path)}, Now: true,
	})
}

// show shows a page to somebody who is in.
func (c *Cabinet) show(w http.ResponseWriter, r *http.Request, name string, data any) error {
	return c.site.Show(w, r, page.View{Name: name, Data: data, SignedIn: true, Wide: true})
}

// warnFor is how long before a session is over its citizen is warned.
const warnFor = 2 * time.Minute

// showForm shows a page on which somebody who is in writes: that would be lost with their session.
func (c *Cabinet) showForm(w http.ResponseWriter, r *http.Request, v visitor, view page.View) error {
	till := c.sessions.till(v.session)
	view.SignedIn, view.Wide = true, true
	view.Limit = &page.Limit{Till: till.In(c.minsk).Format("15:04"), Warn: max(0, till.Sub(c.cfg.Now())-warnFor)}
	return c.site.Show(w, r, view)
}

// back is the list that one was reached from, with what was looked for in it.
func (c *Cabinet) back(r *http.Request, list string) string {
	if from, ours := strings.CutPrefix(r.Referer(), c.cfg.URL); ours && strings.HasPrefix(from, list+"?") {
		return from
	}
	return list
}

// security handles GET /security: what one signs in with is seen and changed at the provider's.
func (c *Cabinet) security(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, c.securityPage(), http.StatusSeeOther)
	return nil
}

func (c *Cabinet) securityPage() string { return c.cfg.IssuerURL + "/security" }

// signInAt is where one signs in for a page, or for what a form of it does: that leads back to the page.
func signInAt(path string) string {
	path = strings.TrimSuffix(strings.TrimSuffix(path, "/report"), "/export")
	if !isPage(path) || path == "/" {
		return "/sign-in"
	}
	return "/sign-in?" + url.Values{"return": {path}}.Encode()
}
