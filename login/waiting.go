package login

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider"
	"asoba.example/provider/clients"
	"asoba.example/provider/page"
)

// door takes no more than a form, and shows what a door returns: a page of what went wrong.
func (l *Login) door(door func(http.ResponseWriter, *http.Request) error) http.Handler {
	return l.cfg.Site.Handle(func(w http.ResponseWriter, r *http.Request) error {
		if err := r.ParseForm(); err != nil {
			return page.Refuse(http.StatusBadRequest, "form.unread", err)
		}
		err := door(w, r)
		if errors.Is(err, identity.ErrBusy) {
			return page.Refuse(http.StatusServiceUnavailable, "busy", err)
		}
		return err
	})
}

// once makes a door of one whose form is acted on once: pressed twice, or sent again since the line died, it leads on as the first time.
func (l *Login) once(door http.Handler) http.Handler {
	return l.cfg.Site.Idempotent(l.cfg.Interactions.Browser, door)
}

// waiting makes a door of a page of somebody who is waited for, on the way that begins at first: the sign-in, or an errand.
func (l *Login) waiting(first string, door func(http.ResponseWriter, *http.Request, provider.Interaction) error) http.Handler {
	return l.door(l.waited(first, door))
}

// waited is what such a door does.
func (l *Login) waited(
	first string, door func(http.ResponseWriter, *http.Request, provider.Interaction) error,
) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		i, err := l.cfg.Interactions.Find(r.Context(), r)
		switch {
		case err != nil:
		case r.Method == http.MethodPost && i.ClientID != "" && r.PostFormValue("decision") == "deny":
			err = l.deny(w, r, i)
		default:
			err = door(w, page.WithLanguage(r, i.Locales), i)
		}
		switch {
		case !errors.Is(err, provider.ErrNoInteraction):
			return err
		case i.ClientID != "": // lost since it was found
			http.Redirect(w, r, again(i, first), http.StatusSeeOther)
			return nil
		}
		return l.nobodyWaits(w, r, first)
	}
}

// nobodyWaits answers whoever comes to a page where nobody waits, of the way that begins at first:
//
//	by hand                                       first; of the sign-in, who is signed in: /security
//	with a browser that keeps no cookies          a page that says so, for first would lead here again
//	whose service waited, as the browser tells    a page that tells the way back to it
//	to the sign-in, who is signed in, or has      a page that says that this one is over, and tells the way on
//	a service that waits elsewhere
//	others                                        first, with the number that was sent, and are told why
func (l *Login) nobodyWaits(w http.ResponseWriter, r *http.Request, first string) error {
	s, _, err := l.signedIn(r)
	if err != nil {
		return err
	}
	left, signIn := r.URL.Query().Get("interaction"), first == signInPath
	service := l.cfg.Interactions.Copy(r, left)
	switch {
	case left == "" && signIn && !s.IsZero():
		http.Redirect(w, r, "/security", http.StatusSeeOther)
		return nil
	case left == "": // opened by hand
	case !l.cfg.Interactions.Binds(r), service.ID == left, signIn && (service.ClientID != "" || !s.IsZero()):
		return l.gone(w, r, service, !s.IsZero())
	}
	i := provider.Interaction{Page: "/security"}
	if id, _, wrong := readIdentifier(r); len(wrong) == 0 {
		i.Typed = id.Reveal()
	}
	if i, err = l.cfg.Interactions.Begin(r.Context(), w, r, i); err != nil {
		return err
	}
	to := i.At(first)
	if left != "" || r.Method == http.MethodPost {
		to = again(i, first)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// showFirst shows the first page of somebody who is waited for, which needs no limit: nothing was proved yet.
func (l *Login) showFirst(w http.ResponseWriter, r *http.Request, i provider.Interaction, view page.View) error {
	view.Status, view.FormAction = status(view.Errors), i.LeadsTo()
	return l.cfg.Site.Show(w, r, view)
}

// status is that of a page by what is wrong with its form.
func status(wrong []page.FieldError) int {
	switch {
	case len(wrong) == 0:
		return http.StatusOK
	case wrong[0].Wait > 0:
		return http.StatusTooManyRequests
	}
	return http.StatusUnprocessableEntity
}

// showWaiting shows a later one: what was proved before it waits as long again.
func (l *Login) showWaiting(w http.ResponseWriter, r *http.Request, i provider.Interaction, view page.View) error {
	view.Limit = l.limit(l.cfg.Now().Add(progressFor))
	return l.showFirst(w, r, i, view)
}

// limit is that of a page which is worth something till then.
func (l *Login) limit(till time.Time) *page.Limit {
	return &page.Limit{
		Till: till.In(identity.Minsk).Format("15:04"),
		Warn: max(0, till.Sub(l.cfg.Now())-policy.SessionWarning.In(l.cfg.Policies)),
	}
}

// deny is for who does not want to sign in, on whichever page: the service that waits is told so (OpenID Connect Core §3.1.2.6).
func (l *Login) deny(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	err := l.cfg.Interactions.Learn(r.Context(), &i, func(i *provider.Interaction) { i.Refused, i.Known, i.Typed = true, uuid.Nil, "" })
	if err != nil {
		return err
	}
	if err := l.forget(r.Context(), signInWay, i); err != nil {
		return err
	}
	http.Redirect(w, r, i.Continue(), http.StatusSeeOther)
	return nil
}

// gone is the page of a sign-in that is over: done already, waited for too long, or another browser's.
func (l *Login) gone(w http.ResponseWriter, r *http.Request, service provider.Interaction, signedIn bool) error {
	if !l.cfg.Interactions.Binds(r) { // to begin anew would lead here again, where it keeps none
		return l.cfg.Site.Show(w, r, page.View{Status: http.StatusGone, Name: "sign-in-no-cookie"})
	}
	data := gonePage{SignedIn: signedIn}
	var err error
	if data.Service, data.GoOn, err = l.wayBack(r, service); err != nil {
		return err
	}
	return l.cfg.Site.Show(w, r, page.View{Status: http.StatusGone, Name: "sign-in-gone", SignedIn: signedIn, Data: data})
}

// wayBack is the service that the browser waited with, and where its person goes on to it: with the same request, or else with another,
// which begins at the service.
func (l *Login) wayBack(r *http.Request, i provider.Interaction) (name, address string, err error) {
	if i.ClientID == "" {
		return "", "", nil
	}
	client, err := l.cfg.Clients.Find(r.Context(), i.ClientID)
	switch {
	case errors.Is(err, clients.ErrUnknown):
		return "", "", nil
	case err != nil:
		return "", "", err
	case i.Request != nil:
		address = i.Continue()
	default:
		address = cmp.Or(client.SignIn(l.cfg.Issuer), client.Metadata.ClientURI)
	}
	return client.Name(l.cfg.Site.Language(r)), address, nil
}

// ask sends the browser to sign in, for a page of ours that waits.
func (l *Login) ask(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	i, err := l.cfg.Interactions.Begin(r.Context(), w, r, i)
	if err != nil {
		return err
	}
	http.Redirect(w, r, i.At(signInPath), http.StatusSeeOther)
	return nil
}
