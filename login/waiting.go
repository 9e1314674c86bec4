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
	return l.site.Handle(func(w http.ResponseWriter, r *http.Request) error {
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

// waiting makes a door of somebody's sign-in: of those who are waited for. Who opened the address by hand
// is sent to sign in for /security; who comes too late is told so, and how to begin again.
func (l *Login) waiting(door func(http.ResponseWriter, *http.Request, provider.Interaction) error) http.Handler {
	return l.waitingOr(l.opened, l.lost, door)
}

// waitingOr is that of a page which answers otherwise to who opened it by hand, and to whose interaction is no more.
func (l *Login) waitingOr(
	opened, lost func(http.ResponseWriter, *http.Request) error, door func(http.ResponseWriter, *http.Request, provider.Interaction) error,
) http.Handler {
	return l.door(func(w http.ResponseWriter, r *http.Request) error {
		i, err := l.interactions.Find(r.Context(), r)
		switch {
		case errors.Is(err, provider.ErrNoInteraction) && r.URL.Query().Get("interaction") == "":
			return opened(w, r)
		case errors.Is(err, provider.ErrNoInteraction):
			return lost(w, r)
		case err != nil:
			return err
		}
		if r.Method == http.MethodPost && i.ClientID != "" && r.PostFormValue("decision") == "deny" {
			err = l.deny(w, r, i)
		} else {
			err = door(w, page.WithLanguage(r, i.Locales), i)
		}
		if errors.Is(err, provider.ErrNoInteraction) { // lost since it was found
			if i.ClientID == "" {
				return lost(w, r)
			}
			http.Redirect(w, r, again(i, "/sign-in"), http.StatusSeeOther)
			return nil
		}
		return err
	})
}

// showFirst shows the first page of somebody who is waited for, which needs no limit: nothing was proved yet.
func (l *Login) showFirst(w http.ResponseWriter, r *http.Request, i provider.Interaction, view page.View) error {
	view.FormAction = i.LeadsTo()
	return l.site.Show(w, r, view)
}

// showWaiting shows a later one: what was proved before it waits as long again.
func (l *Login) showWaiting(w http.ResponseWriter, r *http.Request, i provider.Interaction, view page.View) error {
	view.Limit = l.limit(l.now().Add(progressFor))
	return l.showFirst(w, r, i, view)
}

// limit is that of a page which is worth something till then.
func (l *Login) limit(till time.Time) *page.Limit {
	return &page.Limit{
		Till: till.In(identity.Minsk).Format("15:04"),
		Warn: max(0, till.Sub(l.now())-policy.SessionWarning.In(l.policies)),
	}
}

// deny is for who does not want to sign in, on whichever page: the service that waits is told so (OpenID Connect Core §3.1.2.6).
func (l *Login) deny(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	i.Refused, i.Known, i.Typed = true, uuid.Nil, ""
	if err := l.interactions.Save(r.Context(), i); err != nil {
		return err
	}
	if err := l.forget(r.Context(), i); err != nil {
		return err
	}
	http.Redirect(w, r, i.Continue(), http.StatusSeeOther)
	return nil
}

// opened answers the address /sign-in without an interaction.
func (l *Login) opened(w http.ResponseWriter, r *http.Request) error {
	s, _, err := l.signedIn(r)
	if err != nil {
		return err
	}
	if s.IsZero() {
		return l.ask(w, r, provider.Interaction{Page: "/security"})
	}
	http.Redirect(w, r, "/security", http.StatusSeeOther)
	return nil
}

// lost answers whose sign-in is over: who opens its page is told so, and who sends its form and has not signed in elsewhere begins anew.
func (l *Login) lost(w http.ResponseWriter, r *http.Request) error {
	s, _, err := l.signedIn(r)
	if err != nil {
		return err
	}
	if r.Method != http.MethodPost || !s.IsZero() || l.interactions.Copy(r).ClientID != "" { // a service may wait, and its page tells the way back
		return l.gone(w, r)
	}
	return l.anew(w, r, "/sign-in")
}

// anew begins once more at a first page, with the number that was typed, unless a service waits that its person would have to go back to.
func (l *Login) anew(w http.ResponseWriter, r *http.Request, path string) error {
	if !l.interactions.Binds(r) || l.interactions.Copy(r).ID == r.URL.Query().Get("interaction") {
		return l.gone(w, r)
	}
	i := provider.Interaction{Page: "/security"}
	if id, _, wrong := readIdentifier(r); len(wrong) == 0 {
		i.Typed = id.Reveal()
	}
	i, err := l.interactions.Begin(r.Context(), w, r, i)
	if err != nil {
		return err
	}
	http.Redirect(w, r, again(i, path), http.StatusSeeOther)
	return nil
}

// gone is the page of a sign-in that is over: done already, waited for too long, or another browser's.
func (l *Login) gone(w http.ResponseWriter, r *http.Request) error {
	if !l.interactions.Binds(r) { // to begin anew would lead here again, where it keeps none
		return l.site.Show(w, r, page.View{Status: http.StatusGone, Name: "sign-in-no-cookie"})
	}
	s, _, err := l.signedIn(r)
	if err != nil {
		return err
	}
	data := gonePage{SignedIn: !s.IsZero()}
	if data.Service, data.GoOn, err = l.wayBack(r); err != nil {
		return err
	}
	return l.site.Show(w, r, page.View{Status: http.StatusGone, Name: "sign-in-gone", SignedIn: data.SignedIn, Data: data})
}

// wayBack is the service that the browser waited with last, and where its person goes on to it: with the same request, or else with another,
// which begins at the service.
func (l *Login) wayBack(r *http.Request) (name, address string, err error) {
	i := l.interactions.Copy(r)
	if i.ClientID == "" {
		return "", "", nil
	}
	client, err := l.clients.Find(r.Context(), i.ClientID)
	switch {
	case errors.Is(err, clients.ErrUnknown):
		return "", "", nil
	case err != nil:
		return "", "", err
	case i.Request != nil:
		address = i.Continue()
	default:
		address = cmp.Or(client.SignIn(l.issuer), client.Metadata.ClientURI)
	}
	return client.Name(l.site.Language(r)), address, nil
}

// ask sends the browser to sign in, for a page of ours that waits.
func (l *Login) ask(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	i, err := l.interactions.Begin(r.Context(), w, r, i)
	if err != nil {
		return err
	}
	http.Redirect(w, r, i.At("/sign-in"), http.StatusSeeOther)
	return nil
}
