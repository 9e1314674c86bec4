package login

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"asoba.example/login/code"
	"asoba.example/login/factor"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/login/register"
	"asoba.example/provider"
	"asoba.example/provider/audit"
	"asoba.example/provider/page"
)

// recovering is the errand of who has lost the password: the static one, or the temporary one before it was ever used.
var recovering = errand{
	path: "/recover", purpose: code.Recover, comes: numberToRecover, codes: codeToRecover, factor: factor.Recover,
	sent: "errand-code.sent", does: "sign-in-code.submit", otherwise: "errand-code.never", passkey: "proof.to_recover.passkey", app: "proof.to_recover.app", refused: audit.RecoveryRefused,
}

// The pages after the code.
const (
	recoverProofPath    = "/recover/proof"
	recoverPasswordPath = "/recover/password"
	recoverSentPath     = "/recover/sent"
	recoverDeskPath     = "/recover/desk"
)

// mayRecover tells whose password may be replaced by the person alone. Who is blocked, or has no identifier, hears no more than nobody.
func mayRecover(who identity.Identity) bool {
	return (who.State == identity.Active || who.State == identity.Temporary) && who.Phone != (identity.Phone{})
}

// recoverPage handles GET /recover.
func (l *Login) recoverPage(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	return l.showRecover(w, r, i, i.Typed)
}

// recover handles POST /recover: a code goes to the phone if the document is the right one too, or if none was typed and a factor or a recovery code is kept,
// which will be asked for in its place. The document is asked before the code, and neither whether it was right is told nor whether a factor is bound: whoever
// knows only the number, which is no secret, uses up nothing of who comes with a document.
func (l *Login) recover(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	id, typed, wrong := readIdentifier(r)
	if len(wrong) > 0 {
		return l.showRecover(w, r, i, typed, wrong...)
	}
	document := register.FoldNumber(r.PostFormValue("document_number"))
	// From here on the work is the same whoever is asked about, and whether there is anybody.
	from, wait, err := l.comes(r, recovering, i, id)
	tooMany := wait > 0
	if err == nil && document != "" { // which waits for nobody who comes without
		_, wait, err = l.take(r.Context(), documentToRecover, from)
	}
	if err != nil {
		return err
	}
	if wait > 0 {
		return l.showRecover(w, r, i, typed, page.FieldError{Wait: wait})
	}
	var who identity.Identity
	if document != "" {
		who, err = l.cfg.Registry.Match(r.Context(), id, document)
	} else {
		who, err = l.cfg.Registry.Find(r.Context(), id)
	}
	if err != nil && !errors.Is(err, identity.ErrUnknown) {
		return err
	}
	if !mayRecover(who) || document == "" && !standsIn(who) {
		who = identity.Identity{}
	}
	o := onErrand{Interaction: i, errand: recovering, asked: asked{Claim: claim{Document: document != "", TooMany: tooMany}}}
	return l.asks(w, r, o, id, id.Reveal()+" "+document, who, from.browser)
}

func (l *Login) showRecover(w http.ResponseWriter, r *http.Request, i provider.Interaction, typed string, wrong ...page.FieldError) error {
	return l.showFirst(w, r, i, page.View{
		Name: "recover", Errors: wrong, Back: i.At("/sign-in"),
		Data: recoverPage{Again: said(r), Identifier: typed, Service: i.ClientID != ""},
	})
}

// recoverCodeRight goes on after the code: a recovery needs no less than the person has bound (OWASP ASVS 5.0 6.4.3). The code and a factor that is
// bound do without the document (NIST SP 800-63B-4 §4.2), and where none is bound, the document and the code: two factors of different kinds.
func (l *Login) recoverCodeRight(w http.ResponseWriter, r *http.Request, o onErrand) error {
	who, err := l.unchanged(r.Context(), o.Found)
	switch {
	case err != nil:
		return err
	case who.Person == uuid.Nil: // acted upon since
		return l.startOver(w, r, o)
	case factor.Strongest(who) > factor.Message, !o.Claim.Document && standsIn(who):
		return l.goTo(w, r, o, recoverProofPath)
	case !o.Claim.Document: // what stood in for it was given up since
		return l.startOver(w, r, o)
	}
	o.proved = who
	return l.recoverProved(w, r, o)
}

// standsIn tells whether somebody has what can stand in for the number of their document.
func standsIn(who identity.Identity) bool {
	return factor.Strongest(who) > factor.Message || who.RecoveryCodes > 0
}

// recoverProved goes on after all that was asked.
func (l *Login) recoverProved(w http.ResponseWriter, r *http.Request, o onErrand) error {
	if o.proved.State == identity.Temporary {
		return l.reissue(w, r, o)
	}
	return l.goTo(w, r, o, recoverPasswordPath)
}

// owns keeps that somebody has proved whose the number is: at the sign-in their tries are apart from those of strangers, for which they are not told any
// more to wait.
func (l *Login) owns(w http.ResponseWriter, r *http.Request, o *onErrand) error {
	l.cfg.Site.Forget(w, r)
	return l.cfg.Interactions.Learn(r.Context(), &o.Interaction, func(i *provider.Interaction) { i.Owner = o.proved.Person })
}

// reissue sends another temporary password to who has lost the one that was sent, or let its term pass: to the confirmed phone, so that the
// first sign-in is as it would have been; but with tries of its own, for nobody has a browser yet that is known and strangers may be at the number.
func (l *Login) reissue(w http.ResponseWriter, r *http.Request, o onErrand) error {
	if err := l.owns(w, r, &o); err != nil {
		return err
	}
	_, wait, err := l.take(r.Context(), passwordSent, asker{person: o.proved.Person})
	if err != nil {
		return err
	}
	if wait > 0 {
		return l.toDesk(w, r, o, recoverDeskPath)
	}
	err = l.cfg.Registry.Reissue(r.Context(), o.proved.Person, identity.Phone{}, l.act(r))
	if errors.Is(err, identity.ErrState) { // acted upon at the same moment
		return l.startOver(w, r, o)
	}
	if err != nil {
		return err
	}
	l.done(r, &o)
	http.Redirect(w, r, o.At(recoverSentPath), http.StatusSeeOther)
	return nil
}

// recoverSentPage handles GET /recover/sent. It knows nobody.
func (l *Login) recoverSentPage(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	return l.cfg.Site.Show(w, r, page.View{Name: "recover-sent", Data: recoverSentPage{SignIn: i.At("/sign-in")}})
}

// recoverDeskPage handles GET /recover/desk. It knows nobody.
func (l *Login) recoverDeskPage(w http.ResponseWriter, r *http.Request) error {
	return l.cfg.Site.Show(w, r, page.View{Name: "recover-desk"})
}

// recoverPasswordPage handles GET /recover/password.
func (l *Login) recoverPasswordPage(w http.ResponseWriter, r *http.Request, o onErrand) error {
	return l.showRecoverPassword(w, r, o)
}

// formRecovered handles POST /recover/password: the static password is formed anew (resolution 792 ¶5), and its person is signed in.
func (l *Login) formRecovered(w http.ResponseWriter, r *http.Request, o onErrand) error {
	if r.PostFormValue("decision") == "keep" {
		return l.keepPassword(w, r, o)
	}
	wrong, err := l.forms(r, o.proved.Person, func(password string) error {
		return l.cfg.Registry.Recover(r.Context(), o.proved.Person, o.proved.ChangedAt, password, l.forming(r, o.proved.Person))
	})
	switch {
	case errors.Is(err, identity.ErrState): // acted upon since
		return l.startOver(w, r, o)
	case err != nil:
		return err
	case len(wrong) > 0:
		return l.showRecoverPassword(w, r, o, wrong...)
	}
	return l.returns(w, r, o)
}

// keepPassword leads to the sign-in who knows the password and came only because strangers are at the number: there they try it apart from them, and since
// nothing was recovered nothing is frozen.
func (l *Login) keepPassword(w http.ResponseWriter, r *http.Request, o onErrand) error {
	if err := l.owns(w, r, &o); err != nil {
		return err
	}
	if err := l.forget(r.Context(), o.way(), o.Interaction); err != nil {
		return err
	}
	http.Redirect(w, r, o.At(signInPath), http.StatusSeeOther)
	return nil
}

// returns signs in who has formed a password on an errand.
func (l *Login) returns(w http.ResponseWriter, r *http.Request, o onErrand) error {
	who, err := l.cfg.Registry.Of(r.Context(), o.proved.Person)
	if err != nil {
		return err
	}
	l.done(r, &o)
	return l.finish(w, r, o.Interaction, o.proved.Person, who.ChangedAt, byErrand(o.Used).toldOf())
}

func (l *Login) showRecoverPassword(w http.ResponseWriter, r *http.Request, o onErrand, wrong ...page.FieldError) error {
	return l.showWaiting(w, r, o.Interaction, page.View{
		Name: "recover-password", Shows: true, Errors: wrong,
		Data: newPasswordPage{Identifier: o.proved.Identifier.Reveal(), Shortest: l.shortest(), Service: o.ClientID != "", Frozen: l.cfg.Now().Add(policy.RecoveryFreeze.In(l.cfg.Policies))},
	})
}
