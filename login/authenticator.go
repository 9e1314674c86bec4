package login

import (
	"errors"
	"net/http"
	"strings"

	"asoba.example/login/code"
	"asoba.example/login/factor"
	"asoba.example/login/identity"
	"asoba.example/provider/page"
)

// signInAuthenticatorPage handles GET /sign-in/authenticator.
func (l *Login) signInAuthenticatorPage(w http.ResponseWriter, r *http.Request, u underWay) error {
	return l.showSignInAuthenticator(w, r, u)
}

// checkAuthenticator handles POST /sign-in/authenticator: what the person's app shows, after the password.
func (l *Login) checkAuthenticator(w http.ResponseWriter, r *http.Request, u underWay) error {
	if answer := r.PostFormValue("passkey"); answer != "" {
		return l.checkPasskey(w, r, u, answer, l.showSignInAuthenticator)
	}
	digits, wrong := readAppCode(r)
	if wrong != nil {
		return l.showSignInAuthenticator(w, r, u, *wrong)
	}
	home, err := l.cfg.Browsers.KnownBy(r.Context(), r, u.Person)
	if err != nil {
		return err
	}
	used, err := l.cfg.Factors.Authenticators.Check(r.Context(), factor.SignIn, u.Person, digits, home)
	return l.typed(w, r, u, used, err, page.FieldError{Field: "code", Word: "authenticator.wrong"}, l.showSignInAuthenticator)
}

// typed goes on from a factor that was typed, right or wrong.
func (l *Login) typed(
	w http.ResponseWriter, r *http.Request, u underWay, used factor.Proof, err error, wrong page.FieldError, show showStep,
) error {
	if wait, ok := errors.AsType[*factor.WaitError](err); ok {
		return show(w, r, u, page.FieldError{Wait: wait.For})
	}
	if errors.Is(err, factor.ErrWrong) {
		why := "authenticator"
		if wrong.Field == "recovery_code" {
			why = wrong.Field
		}
		if err := l.recordRefusal(r, u.Interaction, u.Person, why); err != nil {
			return err
		}
		return show(w, r, u, wrong)
	}
	if err != nil {
		return err
	}
	return l.finish(w, r, u.Interaction, u.Person, u.ChangedAt, byFactor(used, "pwd"))
}

// readAppCode understands what an app showed.
func readAppCode(r *http.Request) (string, *page.FieldError) {
	typed := r.PostFormValue("code")
	digits, ok := code.Parse(typed)
	switch {
	case strings.TrimSpace(typed) == "":
		return "", &page.FieldError{Field: "code", Word: "authenticator.missing"}
	case !ok:
		return "", &page.FieldError{Field: "code", Word: "authenticator.six_digits"}
	}
	return digits, nil
}

func (l *Login) showSignInAuthenticator(w http.ResponseWriter, r *http.Request, u underWay, wrong ...page.FieldError) error {
	data := typedPage{Service: u.ClientID != "", Ways: u.ways(authenticatorStep)}
	if u.Passkey {
		var err error
		if data.Passkey, err = l.cfg.Factors.Passkeys.Ask(u.ID); err != nil {
			return err
		}
	}
	return l.showWaiting(w, r, u.Interaction, page.View{
		Name: "sign-in-authenticator", Errors: wrong, Data: data,
		Back: u.At("/sign-in"), Script: "passkey.js",
	})
}

// authenticatorPage handles GET /security/authenticator.
func (l *Login) authenticatorPage(w http.ResponseWriter, r *http.Request, v visitor) error {
	return l.showAuthenticator(w, r, v, http.StatusOK)
}

// changeAuthenticator handles POST /security/authenticator.
func (l *Login) changeAuthenticator(w http.ResponseWriter, r *http.Request, v visitor) error {
	if v.Frozen(l.cfg.Now()) {
		return l.showAuthenticator(w, r, v, http.StatusConflict)
	}
	if r.PostFormValue("decision") == "remove" {
		if err := l.cfg.Factors.Authenticators.Remove(r.Context(), v.Session.Person, l.act(r)); err != nil {
			return err
		}
		return l.backToFactors(w, r)
	}
	digits, wrong := readAppCode(r)
	if wrong != nil {
		return l.showAuthenticator(w, r, v, http.StatusUnprocessableEntity, *wrong)
	}
	err := l.cfg.Factors.Authenticators.Add(r.Context(), v.Identity, string(v.Browser), digits, l.act(r))
	switch {
	case errors.Is(err, factor.ErrWrong):
		return l.showAuthenticator(w, r, v, http.StatusUnprocessableEntity, page.FieldError{Field: "code", Word: "security-authenticator.wrong"})
	case err != nil && !errors.Is(err, identity.ErrState): // acted upon from elsewhere, or bound in another window
		return err
	}
	return l.backToFactors(w, r)
}

func (l *Login) showAuthenticator(w http.ResponseWriter, r *http.Request, v visitor, status int, wrong ...page.FieldError) error {
	waits, err := l.waits(r)
	if err != nil {
		return err
	}
	data := authenticatorPage{Frozen: l.frozenTill(v)}
	if data.Bound, data.Has, err = l.cfg.Factors.Authenticators.Of(r.Context(), v.Session.Person); err != nil {
		return err
	}
	if !data.Has && data.Frozen.IsZero() {
		invitation, err := l.cfg.Factors.Authenticators.Invite(r.Context(), v.Identity, string(v.Browser)) // which outlasts a session that ends meanwhile
		if err != nil {
			return err
		}
		if data.Invited, err = invited(invitation); err != nil {
			return err
		}
	}
	return l.showOwn(w, r, v, page.View{
		Status: status, Name: "security-authenticator", Errors: wrong, Back: onTheWay(waits, factorsPath), Data: data,
	})
}
