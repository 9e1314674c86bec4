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
	used, err := l.factors.Passkeys.Check(r.Context(), factor.SignIn, i.ID, answer, l.act(r))
	if errors.Is(err, factor.ErrWrong) {
		return l.refusePasskey(r, i, used.Person, func(status int, wrong page.FieldError) error {
			return l.showSignIn(w, r, i, status, "", wrong)
		})
	}
	if err != nil {
		return err
	}
	return l.finish(w, r, i, used.Person, used.Changed, byFactor(used))
}

// checkPasskey handles what a page of the second step is sent with the answer of a passkey in place of the code: one of the person whose password was right.
func (l *Login) checkPasskey(w http.ResponseWriter, r *http.Request, u underWay, answer string, show func(int, page.FieldError) error) error {
	used, err := l.factors.Passkeys.Check(r.Context(), factor.SignIn, u.ID, answer, l.act(r))
	if err == nil && used.Person != u.Person {
		err = factor.ErrWrong
	}
	if errors.Is(err, factor.ErrWrong) {
		return l.refusePasskey(r, u.Interaction, u.Person, show)
	}
	if err != nil {
		return err
	}
	return l.finish(w, r, u.Interaction, u.Person, u.ChangedAt, byFactor(used, "pwd"))
}

// refusePasskey answers alike whatever is wrong. Nobody can guess a passkey, so nobody is made to wait for what was tried; what fails is recorded so
// often and no more, or strangers could fill the journal.
func (l *Login) refusePasskey(r *http.Request, i provider.Interaction, person uuid.UUID, show func(int, page.FieldError) error) error {
	_, over, err := l.take(r.Context(), wrongPasskey, asker{person: person, network: api.Network(r)})
	if err == nil && over == 0 {
		err = l.recordRefusal(r, i, person, "passkey")
	}
	if err != nil {
		return err
	}
	return show(http.StatusUnprocessableEntity, page.FieldError{Word: "passkey.wrong"})
}
