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
	"asoba.example/provider/page"
)

// passkeysPage handles GET /security/passkeys, by ?rename= with a form for another name of one.
func (l *Login) passkeysPage(w http.ResponseWriter, r *http.Request, v visitor) error {
	return l.showPasskeys(w, r, v, http.StatusOK)
}

// changePasskeys handles POST /security/passkeys.
func (l *Login) changePasskeys(w http.ResponseWriter, r *http.Request, v visitor) error {
	switch r.PostFormValue("decision") {
	case "remove":
		return l.removePasskey(w, r, v)
	case "rename":
		return l.renamePasskey(w, r, v)
	}
	return l.addPasskey(w, r, v)
}

// addPasskey adds one.
func (l *Login) addPasskey(w http.ResponseWriter, r *http.Request, v visitor) error {
	if v.Frozen(l.cfg.Now()) {
		return l.showPasskeys(w, r, v, http.StatusConflict)
	}
	name, ok := readPasskeyName(r)
	if !ok {
		return l.showPasskeys(w, r, v, http.StatusUnprocessableEntity, page.FieldError{Field: "passkey_name", Word: "security-passkeys.name"})
	}
	err := l.cfg.Factors.Passkeys.Add(r.Context(), v.Identity, v.SID, r.PostFormValue("passkey"), name, l.act(r))
	switch {
	case errors.Is(err, factor.ErrWrong):
		return l.showPasskeys(w, r, v, http.StatusUnprocessableEntity, page.FieldError{Word: "security-passkeys.wrong"})
	case errors.Is(err, identity.ErrState): // acted upon from elsewhere at the same moment
		http.Redirect(w, r, "/security", http.StatusSeeOther)
		return nil
	case err != nil:
		return err
	}
	return l.backToFactors(w, r)
}

// removePasskey removes one. Who removes the last one goes on with the password and a code.
func (l *Login) removePasskey(w http.ResponseWriter, r *http.Request, v visitor) error {
	if v.Frozen(l.cfg.Now()) {
		return l.showPasskeys(w, r, v, http.StatusConflict)
	}
	if id, err := uuid.Parse(r.PostFormValue("passkey_id")); err == nil { // or else it was no form of ours
		if err := l.cfg.Factors.Passkeys.Remove(r.Context(), v.Session.Person, id, l.act(r)); err != nil {
			return err
		}
	}
	http.Redirect(w, r, r.URL.RequestURI(), http.StatusSeeOther)
	return nil
}

// renamePasskey gives one another name, which the person alone sees.
func (l *Login) renamePasskey(w http.ResponseWriter, r *http.Request, v visitor) error {
	name, ok := readPasskeyName(r)
	if !ok {
		return l.showPasskeys(w, r, v, http.StatusUnprocessableEntity, page.FieldError{Field: "passkey_name", Word: "security-passkeys.name"})
	}
	waits, err := l.waits(r)
	if err != nil {
		return err
	}
	if id, err := uuid.Parse(r.PostFormValue("passkey_id")); err == nil { // or else it was no form of ours
		if err := l.cfg.Factors.Passkeys.Rename(r.Context(), v.Session.Person, id, name); err != nil {
			return err
		}
	}
	http.Redirect(w, r, onTheWay(waits, passkeysPath), http.StatusSeeOther)
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

// waits gives who waits while factors are added at the first sign-in; the zero Interaction where nobody does.
func (l *Login) waits(r *http.Request) (provider.Interaction, error) {
	i, err := l.cfg.Interactions.Find(r.Context(), r)
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
	data := passkeysPage{Frozen: l.frozenTill(v), Rename: passkeysPath + "?rename=", Name: cmp.Or(r.PostFormValue("passkey_name"), browser.Agent(r))}
	if waits.ID != "" {
		data.Rename = waits.At(passkeysPath) + "&rename="
	}
	if data.Passkeys, err = l.cfg.Factors.Passkeys.List(r.Context(), v.Session.Person); err != nil {
		return err
	}
	for _, k := range data.Passkeys {
		if k.ID.String() == r.URL.Query().Get("rename") {
			data.Renaming, data.Name = k.ID.String(), cmp.Or(r.PostFormValue("passkey_name"), k.Name)
		}
	}
	if len(data.Passkeys) < factor.Most && data.Renaming == "" && data.Frozen.IsZero() {
		if data.Invitation, err = l.cfg.Factors.Passkeys.Invite(r.Context(), v.Identity, v.SID); err != nil {
			return err
		}
	}
	return l.showOwn(w, r, v, page.View{
		Status: status, Name: "security-passkeys", Errors: wrong, Back: onTheWay(waits, factorsPath),
		Script: "passkey.js", Data: data,
	})
}
