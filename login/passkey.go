package login

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"asoba.example/login/factor"
	"asoba.example/provider"
	"asoba.example/provider/api"
	"asoba.example/provider/page"
)

// signInByPasskey handles POST /sign-in with the answer of a passkey: it names its person, and stands for the password and the code.
func (l *Login) signInByPasskey(w http.ResponseWriter, r *http.Request, i provider.Interaction, answer string) error {
	used, err := l.cfg.Factors.Passkeys.Check(r.Context(), factor.SignIn, i.ID, answer, l.act(r))
	if errors.Is(err, factor.ErrWrong) {
		if err := l.recordWrongPasskey(r, i, used.Person); err != nil {
			return err
		}
		return l.showSignIn(w, r, i, "", page.FieldError{Word: "passkey.wrong"})
	}
	if err != nil {
		return err
	}
	return l.finish(w, r, i, used.Person, used.Changed, byFactor(used))
}

// checkPasskey handles what a page of the second step is sent with the answer of a passkey in place of the code: one of the person whose password was right.
func (l *Login) checkPasskey(w http.ResponseWriter, r *http.Request, u underWay, answer string, show showStep) error {
	used, err := l.cfg.Factors.Passkeys.Check(r.Context(), factor.SignIn, u.ID, answer, l.act(r))
	if err == nil && used.Person != u.Person {
		err = factor.ErrWrong
	}
	if errors.Is(err, factor.ErrWrong) {
		if err := l.recordWrongPasskey(r, u.Interaction, u.Person); err != nil {
			return err
		}
		return show(w, r, u, page.FieldError{Word: "passkey.wrong"})
	}
	if err != nil {
		return err
	}
	return l.finish(w, r, u.Interaction, u.Person, u.ChangedAt, byFactor(used, "pwd"))
}

// recordWrongPasskey records what failed, so often and no more, or strangers could fill the journal. Nobody can guess a passkey, so nobody is made to wait for
// what was tried; and whatever was wrong, the answer is one.
func (l *Login) recordWrongPasskey(r *http.Request, i provider.Interaction, person uuid.UUID) error {
	_, over, err := l.take(r.Context(), wrongPasskey, asker{person: person, network: api.Network(r)})
	if err == nil && over == 0 {
		err = l.recordRefusal(r, i, person, "passkey")
	}
	return err
}
