package login

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"asoba.example/login/factor"
	"asoba.example/login/identity"
	"asoba.example/provider/page"
)

// signInRecoveryCodePage handles GET /sign-in/recovery-code.
func (l *Login) signInRecoveryCodePage(w http.ResponseWriter, r *http.Request, u underWay) error {
	return l.showSignInRecoveryCode(w, r, u)
}

// checkRecoveryCode handles POST /sign-in/recovery-code: one of the codes that the person has kept, after the password.
func (l *Login) checkRecoveryCode(w http.ResponseWriter, r *http.Request, u underWay) error {
	typed := r.PostFormValue("recovery_code")
	code, ok := factor.ParseRecoveryCode(typed)
	if !ok {
		word := "recovery-code.form"
		if strings.TrimSpace(typed) == "" {
			word = "recovery-code.missing"
		}
		return l.showSignInRecoveryCode(w, r, u, page.FieldError{Field: "recovery_code", Word: word})
	}
	home, err := l.cfg.Browsers.KnownBy(r.Context(), r, u.Person)
	if err != nil {
		return err
	}
	used, err := l.cfg.Factors.RecoveryCodes.Check(r.Context(), factor.SignIn, u.Person, code, home)
	return l.typed(w, r, u, used, err, page.FieldError{Field: "recovery_code", Word: "recovery-code.wrong"}, l.showSignInRecoveryCode)
}

func (l *Login) showSignInRecoveryCode(w http.ResponseWriter, r *http.Request, u underWay, wrong ...page.FieldError) error {
	return l.showWaiting(w, r, u.Interaction, page.View{
		Name: "sign-in-recovery-code", Errors: wrong, Back: u.At("/sign-in"),
		Data: typedPage{Service: u.ClientID != "", Ways: u.ways(recoveryCodeStep)},
	})
}

// recoveryCodesPage handles GET /security/recovery-codes.
func (l *Login) recoveryCodesPage(w http.ResponseWriter, r *http.Request, v visitor) error {
	return l.showRecoveryCodes(w, r, v, http.StatusOK, nil)
}

// makeRecoveryCodes handles POST /security/recovery-codes. The codes are shown by this answer, and by that to a second press, and never again: whoever loads
// it once more is told so, and keeps those that were shown.
func (l *Login) makeRecoveryCodes(w http.ResponseWriter, r *http.Request, v visitor) error {
	if v.Frozen(l.cfg.Now()) {
		return l.showRecoveryCodes(w, r, v, http.StatusConflict, nil)
	}
	var replaced time.Time
	if at, err := strconv.ParseInt(r.PostFormValue("replaced"), 10, 64); err == nil {
		replaced = time.UnixMicro(at)
	}
	codes, err := l.cfg.Factors.RecoveryCodes.Make(r.Context(), v.Identity, v.SID, replaced, l.act(r))
	if errors.Is(err, factor.ErrMade) {
		return l.showRecoveryCodes(w, r, v, http.StatusConflict, nil, page.FieldError{Word: "security-recovery-codes.made"})
	}
	if errors.Is(err, identity.ErrState) { // acted upon from elsewhere at the same moment
		return l.backToFactors(w, r)
	}
	if err != nil {
		return err
	}
	return l.showRecoveryCodes(w, r, v, http.StatusOK, codes)
}

func (l *Login) showRecoveryCodes(w http.ResponseWriter, r *http.Request, v visitor, status int, fresh []string, wrong ...page.FieldError) error {
	waits, err := l.waits(r)
	if err != nil {
		return err
	}
	data := recoveryCodesPage{Frozen: l.frozenTill(v), Fresh: fresh, Done: onTheWay(waits, factorsPath)}
	if data.Left, data.MadeAt, err = l.cfg.Factors.RecoveryCodes.Left(r.Context(), v.Session.Person); err != nil {
		return err
	}
	view := page.View{Status: status, Name: "security-recovery-codes", Errors: wrong, Data: data}
	if fresh != nil { // there is nothing to enter, so no limit to it, and no second time
		view.SignedIn, view.Script = true, "print.js"
		return l.cfg.Site.Show(w, r, view)
	}
	view.Back = data.Done
	return l.showOwn(w, r, v, view)
}
