package login

import (
	"errors"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5"

	"asoba.example/login/code"
	"asoba.example/login/factor"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider"
	"asoba.example/provider/audit"
	"asoba.example/provider/page"
)

// recovering is the errand of who has lost the password: the static one, or the temporary one before it was ever used.
var recovering = errand{path: "/recover", purpose: code.Recover, does: "sign-in-code.submit", refused: audit.RecoveryRefused, proves: factor.Recover}

// The pages after the code.
const (
	recoverProofPath    = "/recover/proof"
	recoverPasswordPath = "/recover/password"
	recoverSentPath     = "/recover/sent"
)

// mayRecover tells whose password may be replaced by the person alone. Who is blocked, or has no identifier, hears no more than nobody.
func mayRecover(who identity.Identity) bool {
	return (who.State == identity.Active || who.State == identity.Temporary) && who.Phone != (identity.Phone{})
}

// recoverPage handles GET /recover.
func (l *Login) recoverPage(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	return l.showRecover(w, r, i, http.StatusOK, "")
}

// recover handles POST /recover: a code goes to the phone, if there is one.
func (l *Login) recover(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	id, typed, wrong := readIdentifier(r)
	if len(wrong) > 0 {
		return l.showRecover(w, r, i, http.StatusUnprocessableEntity, typed, wrong...)
	}
	wait, err := l.asks(w, r, i, recovering, id, mayRecover)
	if wait > 0 {
		return l.showRecover(w, r, i, http.StatusTooManyRequests, typed, tooMany(w, wait))
	}
	return err
}

func (l *Login) showRecover(w http.ResponseWriter, r *http.Request, i provider.Interaction, status int, typed string, wrong ...page.FieldError) error {
	return l.showWaiting(w, r, i, page.View{
		Status: status, Name: "recover", Errors: wrong, Back: i.At("/sign-in"),
		Data: recoverPage{Identifier: typed, Service: i.ClientID != ""},
	})
}

// recoverCodeRight goes on after the code.
func (l *Login) recoverCodeRight(w http.ResponseWriter, r *http.Request, o onErrand) error {
	return l.goTo(w, r, o, recoverProofPath)
}

// recoverProofPage handles GET /recover/proof, and /unblock/proof: a code to the phone alone would make whoever has the phone the citizen (NIST SP 800-63B-4 §4.2).
func (l *Login) recoverProofPage(w http.ResponseWriter, r *http.Request, o onErrand) error {
	return l.showRecoverProof(w, r, o, http.StatusOK)
}

// proveRecovery handles POST to it. The passkey is asked of who has one, else what their app shows, or a recovery code in place of it,
// and the document of the others only: a recovery needs no less than the person has bound (OWASP ASVS 5.0 6.4.3).
func (l *Login) proveRecovery(w http.ResponseWriter, r *http.Request, o onErrand) error {
	field, missing := "document_number", "recover-proof.missing"
	if o.who.Authenticator {
		field, missing = "own_code", "recover-proof.code_missing"
	}
	if !o.who.Passkey && strings.TrimSpace(r.PostFormValue(field)) == "" {
		return l.showRecoverProof(w, r, o, http.StatusUnprocessableEntity, page.FieldError{Field: field, Word: missing})
	}
	tries := l.try(policy.RecoveryProofs, o.Person.String())
	wait, err := l.throttle.Take(r.Context(), tries)
	if err != nil {
		return err
	}
	if wait > 0 {
		return l.showRecoverProof(w, r, o, http.StatusTooManyRequests, tooMany(w, wait))
	}
	why, wrong := "document", page.FieldError{Field: field, Word: "recover-proof.wrong"}
	switch factor.Strongest(o.who) {
	case factor.Unphishable:
		why, wrong = string(factor.ByPasskey), page.FieldError{Word: "recover-proof.wrong_passkey"}
		o.By, err = l.useFactor(r, o, l.answeredPasskey)
	case factor.Owned:
		why, wrong = string(factor.ByAuthenticator), page.FieldError{Field: field, Word: "recover-proof.code_wrong"}
		o.By, err = l.useFactor(r, o, l.answeredCode)
	case factor.Message, factor.Password:
		_, err = l.registry.Match(r.Context(), o.who.Identifier, r.PostFormValue(field))
	}
	if wait, ok := errors.AsType[*factor.WaitError](err); ok {
		return l.showRecoverProof(w, r, o, http.StatusTooManyRequests, tooMany(w, wait.For))
	}
	switch {
	case errors.Is(err, factor.ErrWrong), errors.Is(err, identity.ErrUnknown):
		if err := l.recordErrandRefused(r, o, why); err != nil {
			return err
		}
		if err := o.failed(l, r); err != nil {
			return err
		}
		return l.showRecoverProof(w, r, o, http.StatusUnprocessableEntity, wrong)
	case err != nil:
		return err
	}
	if err := l.throttle.Forgive(r.Context(), tries); err != nil {
		return err
	}
	switch {
	case o.path == unblocking.path:
		return l.goTo(w, r, o, unblockPasswordPath)
	case o.who.State == identity.Temporary:
		return l.reissue(w, r, o)
	}
	return l.goTo(w, r, o, recoverPasswordPath)
}

// useFactor uses up a factor of the person's, before the page that it opens: between two pages nothing is kept that could be used again.
func (l *Login) useFactor(r *http.Request, o onErrand, answered func(*http.Request, onErrand) (factor.Proof, error)) (factor.Kind, error) {
	used, err := answered(r, o)
	if err != nil {
		return "", err
	}
	if used.Person != o.Person {
		return "", factor.ErrWrong
	}
	err = pgx.BeginFunc(r.Context(), l.pool, func(tx pgx.Tx) error { return used.Use(r.Context(), tx, l.act(r)) })
	if errors.Is(err, identity.ErrState) { // used at the same moment
		err = factor.ErrWrong
	}
	return used.By, err
}

func (l *Login) answeredPasskey(r *http.Request, o onErrand) (factor.Proof, error) {
	return l.factors.Passkeys.Check(r.Context(), o.proves, o.ID, r.PostFormValue("passkey"), l.act(r))
}

// answeredCode tells from its form whether an app showed a code, or it is a recovery code.
func (l *Login) answeredCode(r *http.Request, o onErrand) (factor.Proof, error) {
	known, err := l.browsers.Known(r.Context(), r, o.Person)
	if err != nil {
		return factor.Proof{}, err
	}
	typed := r.PostFormValue("own_code")
	if digits, ok := code.Parse(typed); ok {
		return l.factors.Authenticators.Check(r.Context(), o.proves, o.Person, digits, known)
	}
	if kept, ok := factor.ParseRecoveryCode(typed); ok {
		return l.factors.RecoveryCodes.Check(r.Context(), o.proves, o.Person, kept, known)
	}
	return factor.Proof{}, factor.ErrWrong
}

// reissue sends another temporary password to who has lost the one that was sent, or let its term pass: to the confirmed phone, so that the
// first sign-in is as it would have been.
func (l *Login) reissue(w http.ResponseWriter, r *http.Request, o onErrand) error {
	wait, err := l.throttle.Take(r.Context(), l.try(policy.TemporaryPasswords, o.Person.String()))
	if err != nil {
		return err
	}
	if wait > 0 {
		return l.showRecoverProof(w, r, o, http.StatusTooManyRequests, page.FieldError{Word: "recover-proof.too_many"})
	}
	err = l.registry.Reissue(r.Context(), o.Person, identity.Phone{}, l.act(r))
	if errors.Is(err, identity.ErrState) { // acted upon at the same moment
		return l.startOver(w, r, o)
	}
	if err != nil {
		return err
	}
	if err := l.forgetErrand(r.Context(), o); err != nil {
		return err
	}
	http.Redirect(w, r, o.At(recoverSentPath), http.StatusSeeOther)
	return nil
}

func (l *Login) showRecoverProof(w http.ResponseWriter, r *http.Request, o onErrand, status int, wrong ...page.FieldError) error {
	data := recoverProofPage{App: o.who.Authenticator, Service: o.ClientID != ""}
	if o.who.Passkey {
		var err error
		if data.Passkey, err = l.factors.Passkeys.Ask(o.ID); err != nil {
			return err
		}
	}
	return l.showWaiting(w, r, o.Interaction, page.View{
		Status: status, Name: "recover-proof", Errors: wrong, Data: data, Script: "passkey.js", Back: o.At(o.path),
	})
}

// recoverSentPage handles GET /recover/sent. It knows nobody.
func (l *Login) recoverSentPage(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	return l.site.Show(w, r, page.View{Name: "recover-sent", Data: recoverSentPage{SignIn: i.At("/sign-in")}})
}

// recoverPasswordPage handles GET /recover/password.
func (l *Login) recoverPasswordPage(w http.ResponseWriter, r *http.Request, o onErrand) error {
	return l.showRecoverPassword(w, r, o, http.StatusOK)
}

// formRecovered handles POST /recover/password: the static password is formed anew (resolution 792 ¶5), and its person is signed in.
func (l *Login) formRecovered(w http.ResponseWriter, r *http.Request, o onErrand) error {
	password, wrong := readNewPassword(r)
	if len(wrong) == 0 {
		err := l.registry.Recover(r.Context(), o.Person, o.Changed, password, l.forming(r, o.Person))
		wrong = l.weak(err)
		switch {
		case errors.Is(err, identity.ErrState): // acted upon since
			return l.startOver(w, r, o)
		case err != nil && wrong == nil:
			return err
		}
	}
	if len(wrong) > 0 {
		return l.showRecoverPassword(w, r, o, http.StatusUnprocessableEntity, wrong...)
	}
	return l.returns(w, r, o)
}

// returns signs in who has formed a password on an errand.
func (l *Login) returns(w http.ResponseWriter, r *http.Request, o onErrand) error {
	who, err := l.registry.Of(r.Context(), o.Person)
	if err != nil {
		return err
	}
	if err := l.forgetErrand(r.Context(), o); err != nil {
		return err
	}
	return l.finish(w, r, o.Interaction, o.Person, who.ChangedAt, byErrand(o.By).toldOf())
}

func (l *Login) showRecoverPassword(w http.ResponseWriter, r *http.Request, o onErrand, status int, wrong ...page.FieldError) error {
	return l.showWaiting(w, r, o.Interaction, page.View{
		Status: status, Name: "recover-password", Errors: wrong,
		Data: newPasswordPage{Identifier: o.who.Identifier.Reveal(), Shortest: l.shortest(), Service: o.ClientID != "", Frozen: l.now().Add(policy.RecoveryFreeze.In(l.policies))},
	})
}
