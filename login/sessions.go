package login

import (
	"net/http"

	"asoba.example/login/browser"
	"asoba.example/provider"
	"asoba.example/provider/page"
)

// sessionsPath is the page where people see where they are signed in, and end it. To end a session is safe, so no fresh sign-in is asked; to
// forget a browser is not, for there its person comes in past all that strangers try.
const sessionsPath = "/security/sessions"

// sessionsPage handles GET /security/sessions.
func (l *Login) sessionsPage(w http.ResponseWriter, r *http.Request, v visitor) error {
	return l.showSessions(w, r, v, false)
}

func (l *Login) showSessions(w http.ResponseWriter, r *http.Request, v visitor, ended bool) error {
	browsers, err := l.cfg.Browsers.List(r.Context(), v.Session)
	if err != nil {
		return err
	}
	return l.showOwn(w, r, v, page.View{
		Name: "security-sessions", Back: "/security",
		Data: sessionsPage{Browsers: browsers, SID: v.SID, Ended: ended},
	})
}

// endSessions handles POST /security/sessions. What is over already stays so: whoever comes Back and sends the form again harms nothing, and ends what has
// begun since. Only what ends this session too is acted on once, for it leads away.
func (l *Login) endSessions(w http.ResponseWriter, r *http.Request, v visitor) error {
	var err error
	switch ctx := r.Context(); r.PostFormValue("decision") {
	case "end":
		err = l.cfg.Browsers.End(ctx, v.Session, r.PostFormValue("session"))
	case "forget":
		if !l.fresh(v.AuthTime, sendFreshly) {
			return l.ask(w, r, provider.Interaction{Page: sessionsPath})
		}
		id := r.PostFormValue("browser")
		if browser.Is(id, v.Session) {
			return l.leave(w, r, v.Session, func() error { return l.cfg.Browsers.Drop(ctx, v.Session, id) })
		}
		err = l.cfg.Browsers.Drop(ctx, v.Session, id)
	case "end_others":
		err = l.cfg.Browsers.EndOthers(ctx, v.Session)
	case "end_all":
		return l.leave(w, r, v.Session, func() error { return l.cfg.Browsers.EndAll(ctx, v.Session) })
	}
	if err != nil {
		return err
	}
	return l.showSessions(w, r, v, true)
}
