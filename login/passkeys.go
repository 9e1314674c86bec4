package login

import (
	"cmp"
	"errors"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"asoba.example/login/browser"
	"asoba.example/login/factor"
	"asoba.example/login/identity"
	"asoba.example/provider"
	"asoba.example/provider/api"
	"asoba.example/provider/page"
)

// passkeysPath is the page where people look after their passkeys.
const passkeysPath = "/security/passkeys"

// strongest tells whether a visitor came by the strongest factor that they have: who has a passkey, by one. So a new one never weakens what
// there is, and none is given up by less (OWASP ASVS 5.0 6.4.4: who has lost all of them proves at the desk who they are).
func (v visitor) strongest() bool {
	if v.Passkey {
		return factor.Used(v.AMR)
	}
	return v.ACR == api.Substantial
}

// ownByStrongest makes a door of a page of ours where factors are bound and given up: as own does, for visitors who came by the strongest.
func (l *Login) ownByStrongest(path string, times int, door func(http.ResponseWriter, *http.Request, visitor) error) http.Handler {
	return l.door(func(w http.ResponseWriter, r *http.Request) error {
		s, who, err := l.signedIn(r)
		if err != nil {
			return err
		}
		v := visitor{s, who}
		if s.IsZero() || !l.fresh(s, times) || !v.strongest() {
			return l.ask(w, r, provider.Interaction{Page: path, ACR: api.Substantial})
		}
		return door(w, r, v)
	})
}

// passkeysPage handles GET /security/passkeys.
func (l *Login) passkeysPage(w http.ResponseWriter, r *http.Request, v visitor) error {
	return l.showPasskeys(w, r, v, http.StatusOK)
}

// changePasskeys handles POST /security/passkeys.
func (l *Login) changePasskeys(w http.ResponseWriter, r *http.Request, v visitor) error {
	if r.PostFormValue("decision") == "remove" {
		return l.removePasskey(w, r, v)
	}
	return l.addPasskey(w, r, v)
}

// addPasskey adds one, and leads back to whoever waits.
func (l *Login) addPasskey(w http.ResponseWriter, r *http.Request, v visitor) error {
	name, ok := readPasskeyName(r)
	if !ok {
		return l.showPasskeys(w, r, v, http.StatusUnprocessableEntity, page.FieldError{Field: "passkey_name", Word: "security-passkeys.name"})
	}
	err := l.factors.Passkeys.Add(r.Context(), v.Identity, v.SID, r.PostFormValue("passkey"), name, l.act(r))
	switch {
	case errors.Is(err, factor.ErrWrong):
		return l.showPasskeys(w, r, v, http.StatusUnprocessableEntity, page.FieldError{Word: "security-passkeys.wrong"})
	case errors.Is(err, identity.ErrState): // acted upon from elsewhere at the same moment
		http.Redirect(w, r, "/security", http.StatusSeeOther)
		return nil
	case err != nil:
		return err
	}
	waits, err := l.waits(r)
	if err != nil {
		return err
	}
	to := "/security?passkey"
	if waits.ID != "" {
		to = waits.Continue()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// removePasskey removes one. Who removes the last one goes on with the password and a code.
func (l *Login) removePasskey(w http.ResponseWriter, r *http.Request, v visitor) error {
	if id, err := uuid.Parse(r.PostFormValue("passkey_id")); err == nil { // or else it was no form of ours
		if err := l.factors.Passkeys.Remove(r.Context(), v.Session.Person, id, l.act(r)); err != nil {
			return err
		}
	}
	http.Redirect(w, r, passkeysPath, http.StatusSeeOther)
	return nil
}

// readPasskeyName understands what the person calls a passkey; the browser's name where they call it nothing.
func readPasskeyName(r *http.Request) (string, bool) {
	name := strings.Join(strings.Fields(r.PostFormValue("passkey_name")), " ")
	if name == "" {
		name = browser.Agent(r)
	}
	return name, utf8.ValidString(name) && utf8.RuneCountInString(name) <= 64 && !strings.ContainsFunc(name, unicode.IsControl)
}

// waits gives who waits while a passkey is added at the first sign-in; the zero Interaction where nobody does.
func (l *Login) waits(r *http.Request) (provider.Interaction, error) {
	i, err := l.interactions.Find(r.Context(), r)
	if errors.Is(err, provider.ErrNoInteraction) {
		return provider.Interaction{}, nil
	}
	return i, err
}

func (l *Login) showPasskeys(w http.ResponseWriter, r *http.Request, v visitor, status int, wrong ...page.FieldError) error {
	waits, err := l.waits(r)
	if err != nil {
		return err
	}
	data := passkeysPage{Name: cmp.Or(r.PostFormValue("passkey_name"), browser.Agent(r))}
	if data.Passkeys, err = l.factors.Passkeys.List(r.Context(), v.Session.Person); err != nil {
		return err
	}
	if len(data.Passkeys) < factor.Most {
		if data.Invitation, err = l.factors.Passkeys.Invite(r.Context(), v.Identity, v.SID); err != nil {
			return err
		}
	}
	back := "/security"
	if waits.ID != "" {
		back, data.Later = "", waits.Continue()
	}
	return l.site.Show(w, r, page.View{
		Status: status, Name: "security-passkeys", Errors: wrong, SignedIn: true, Back: back,
		FormAction: waits.LeadsTo(), Script: "passkey.js", Data: data,
	})
}
