package login

import (
	"context"
	"errors"
	"net/http"

	"asoba.example/login/code"
	"asoba.example/login/identity"
	"asoba.example/provider/api"
	"asoba.example/provider/page"
)

// code is what a code of this sign-in is good for.
func (u underWay) code() code.For {
	return code.For{Purpose: code.SignIn, Person: u.Person, Occasion: u.ID, Phone: u.Phone}
}

// codePage handles GET /sign-in/code.
func (l *Login) codePage(w http.ResponseWriter, r *http.Request, u underWay) error {
	return l.showCode(w, r, u)
}

// checkCode handles POST /sign-in/code.
func (l *Login) checkCode(w http.ResponseWriter, r *http.Request, u underWay) error {
	if answer := r.PostFormValue("passkey"); answer != "" {
		return l.checkPasskey(w, r, u, answer, l.showCode)
	}
	if u.passkeyOnly() {
		http.Redirect(w, r, u.At(codePath), http.StatusSeeOther)
		return nil
	}
	if r.PostFormValue("decision") == "again" {
		return l.sendCode(w, r, u)
	}
	wrong, err := l.checkTyped(r, u.code(), func() error { return l.recordRefusal(r, u.Interaction, u.Person, "code") })
	switch {
	case err != nil:
		return err
	case len(wrong) > 0:
		return l.showCode(w, r, u, wrong...)
	}
	how := byCode()
	how.factors = u.addsFactors
	return l.finish(w, r, u.Interaction, u.Person, u.ChangedAt, how)
}

// checkTyped takes a try at a code by what was typed, and tells what is wrong with that. A wrong try is recorded; what is tried where no code is any more
// is nothing, or a person's history could be filled without end.
func (l *Login) checkTyped(r *http.Request, f code.For, record func() error) ([]page.FieldError, error) {
	digits, wrong := l.readCode(r)
	if len(wrong) > 0 {
		return wrong, nil
	}
	err := l.cfg.Codes.Check(r.Context(), f, digits)
	if wrong = wrongCode(err); len(wrong) == 0 {
		return nil, err
	}
	if errors.Is(err, code.ErrWrong) || errors.Is(err, code.ErrLast) {
		return wrong, record()
	}
	return wrong, nil
}

// passkeyOnly tells that nothing less than a passkey leads on: it is bound, and the strongest is asked for.
func (u underWay) passkeyOnly() bool { return u.Passkey && asksStrongest(u.Interaction) }

// sendCode sends a code and leads to its page. Sent, too early or too many, the page tells from when the next can be.
func (l *Login) sendCode(w http.ResponseWriter, r *http.Request, u underWay) error {
	if err := l.send(r, u.code()); err != nil {
		return err
	}
	http.Redirect(w, r, u.At(codePath), http.StatusSeeOther)
	return nil
}

// send sends a code that only somebody asks for who has proved something, unless it is too early or too many were sent.
func (l *Login) send(r *http.Request, f code.For) error {
	ctx := r.Context()
	counted, wait, err := l.take(ctx, codeOfOneself, asker{network: api.Network(r)})
	if err != nil || wait > 0 {
		return err
	}
	if _, err := l.cfg.Codes.Send(ctx, f, l.cfg.Site.Language(r), nil); err != nil {
		return l.unsent(ctx, err, counted)
	}
	return nil
}

// unsent gives back what a code was counted against that did not go out, or whoever keeps asking would use up everybody's. All is counted before it is
// sent, since any number would pass at one moment after it. That it was too early is no fault: the page tells how long.
func (l *Login) unsent(ctx context.Context, why error, counted taken) error {
	if errors.Is(why, code.ErrWait) {
		why = nil
	}
	return errors.Join(why, l.cfg.Throttle.Return(context.WithoutCancel(ctx), counted.all...))
}

// standingOf tells how things stand with a code that somebody may have sent.
func (l *Login) standingOf(ctx context.Context, f code.For, a act, who asker) (stands codeStanding, err error) {
	sent, err := l.cfg.Codes.Standing(ctx, f)
	if err != nil {
		return stands, err
	}
	if !sent.Till.IsZero() {
		stands.Till = sent.Till.In(identity.Minsk).Format("15:04")
	}
	wait, err := l.look(ctx, a, who)
	if wait = max(wait, sent.Again.Sub(l.cfg.Now())); wait > 0 {
		unit, count := page.InWords(wait)
		stands.Wait, stands.Count = "sign-in-code.wait."+unit, count
	}
	return stands, err
}

// wrongCode says what is wrong with a code, if that is what is wrong.
func wrongCode(err error) []page.FieldError {
	switch {
	case errors.Is(err, code.ErrWrong):
		return []page.FieldError{{Field: "code", Word: "sign-in-code.wrong"}}
	case errors.Is(err, code.ErrOver): // or never sent
		return []page.FieldError{{Field: "code", Word: "sign-in-code.over"}}
	}
	return nil
}

// showCode shows the page: where the code went, until when it is good, from when another can be sent.
func (l *Login) showCode(w http.ResponseWriter, r *http.Request, u underWay, wrong ...page.FieldError) error {
	stands, err := l.standingOf(r.Context(), u.code(), codeOfOneself, asker{network: api.Network(r)})
	if err != nil {
		return err
	}
	data := codePage{codeStanding: stands, Phone: u.Phone.Hint(), Service: u.ClientID != "", Ways: u.ways(codePath), PasskeyOnly: u.passkeyOnly()}
	if u.Passkey {
		if data.Passkey, err = l.cfg.Factors.Passkeys.Ask(u.ID); err != nil {
			return err
		}
	}
	title := "sign-in-code.title"
	if u.Passkey && data.Till == "" {
		title = "sign-in-code.title_passkey" // nothing was sent
	}
	return l.showWaiting(w, r, u.Interaction, page.View{
		Name: "sign-in-code", Title: title, Errors: wrong, Data: data,
		Back: u.At("/sign-in"), Script: "passkey.js",
	})
}
