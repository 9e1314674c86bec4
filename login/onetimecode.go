package login

import (
	"errors"
	"net/http"

	"asoba.example/login/code"
	"asoba.example/login/identity"
	"asoba.example/provider/page"
)

// code is what a code of this sign-in is good for.
func (u underWay) code() code.For {
	return code.For{Purpose: code.SignIn, Person: u.Person, Occasion: u.ID, Phone: u.Phone}
}

// codePage handles GET /sign-in/code.
func (l *Login) codePage(w http.ResponseWriter, r *http.Request, u underWay) error {
	return l.showCode(w, r, u, http.StatusOK)
}

// checkCode handles POST /sign-in/code.
func (l *Login) checkCode(w http.ResponseWriter, r *http.Request, u underWay) error {
	if answer := r.PostFormValue("passkey"); answer != "" {
		return l.checkPasskey(w, r, u, answer, func(status int, wrong page.FieldError) error { return l.showCode(w, r, u, status, wrong) })
	}
	if u.passkeyOnly() {
		http.Redirect(w, r, u.At(codePath), http.StatusSeeOther)
		return nil
	}
	if r.PostFormValue("decision") == "again" {
		return l.sendCode(w, r, u)
	}
	digits, wrong := l.readCode(r)
	if wrong != nil {
		return l.showCode(w, r, u, http.StatusUnprocessableEntity, wrong...)
	}
	err := l.codes.Check(r.Context(), u.code(), digits)
	switch {
	case err == nil:
		how := byCode()
		how.factors = u.addsFactors
		return l.finish(w, r, u.Interaction, u.Person, u.ChangedAt, how)
	case !errors.Is(err, code.ErrWrong) && !errors.Is(err, code.ErrOver):
		return err
	}
	if err := l.recordRefusal(r, u.Interaction, u.Person, "code"); err != nil {
		return err
	}
	word := "sign-in-code.wrong"
	if errors.Is(err, code.ErrOver) {
		word = "sign-in-code.over"
	}
	return l.showCode(w, r, u, http.StatusUnprocessableEntity, page.FieldError{Field: "code", Word: word})
}

// passkeyOnly tells that nothing less than a passkey leads on: it is bound, and the strongest is asked for.
func (u underWay) passkeyOnly() bool { return u.Passkey && asksStrongest(u.Interaction) }

// sendCode sends a code and leads to its page. Sent, too early or too many, the page tells from when the next can be.
func (l *Login) sendCode(w http.ResponseWriter, r *http.Request, u underWay) error {
	wait, err := l.throttle.Take(r.Context(), l.codeBudget(r)...)
	if err != nil {
		return err
	}
	if wait == 0 {
		_, err = l.codes.Send(r.Context(), u.code(), l.site.Language(r), nil)
	}
	if err != nil && !errors.Is(err, code.ErrWait) {
		return err
	}
	http.Redirect(w, r, u.At(codePath), http.StatusSeeOther)
	return nil
}

// showCode shows the page: where the code went, until when it is good, from when another can be sent.
func (l *Login) showCode(w http.ResponseWriter, r *http.Request, u underWay, status int, wrong ...page.FieldError) error {
	sent, err := l.codes.Standing(r.Context(), u.code())
	if err != nil {
		return err
	}
	data := codePage{Phone: u.Phone.Hint(), Service: u.ClientID != "", Ways: u.ways(codePath), PasskeyOnly: u.passkeyOnly()}
	if u.Passkey {
		if data.Passkey, err = l.factors.Passkeys.Ask(u.ID); err != nil {
			return err
		}
	}
	if !sent.Till.IsZero() {
		data.Till = sent.Till.In(identity.Minsk).Format("15:04")
	}
	wait := sent.Again.Sub(l.now())
	for _, try := range l.codeBudget(r) {
		many, err := l.throttle.Look(r.Context(), try)
		if err != nil {
			return err
		}
		wait = max(wait, many)
	}
	if wait > 0 {
		unit, count := inWords(wait)
		data.Wait, data.Count = "sign-in-code.wait."+unit, count
	}
	title := "sign-in-code.title"
	if u.Passkey && data.Till == "" {
		title = "sign-in-code.title_passkey" // nothing was sent
	}
	return l.showWaiting(w, r, u.Interaction, page.View{
		Status: status, Name: "sign-in-code", Title: title, Errors: wrong, Data: data,
		Back: u.At("/sign-in"), Script: "passkey.js",
	})
}
