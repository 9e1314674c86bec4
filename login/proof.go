package login

import (
	"errors"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5"

	"asoba.example/login/code"
	"asoba.example/login/factor"
	"asoba.example/login/identity"
	"asoba.example/provider/page"
)

// proofPage handles GET of the page of an errand that asks for the factor which is bound: the passkey, or what the app shows.
func (l *Login) proofPage(w http.ResponseWriter, r *http.Request, o onErrand) error {
	return l.showProof(w, r, o)
}

// prove makes a door of POST to it: what is to be done once the factor was right.
func (l *Login) prove(right func(http.ResponseWriter, *http.Request, onErrand) error) func(http.ResponseWriter, *http.Request, onErrand) error {
	return func(w http.ResponseWriter, r *http.Request, o onErrand) error {
		answered, why, wrong := l.answeredPasskey, factor.ByPasskey, page.FieldError{Word: "proof.wrong_passkey"}
		if !o.proved.Passkey {
			if strings.TrimSpace(r.PostFormValue("own_code")) == "" {
				return l.showProof(w, r, o, page.FieldError{Field: "own_code", Word: "proof.code_missing"})
			}
			answered, why, wrong = l.answeredCode, factor.ByAuthenticator, page.FieldError{Field: "own_code", Word: "proof.code_wrong"}
		}
		tries, wait, err := l.take(r.Context(), factorOnErrand, asker{person: o.proved.Person, browser: o.Found.Home})
		if err != nil {
			return err
		}
		if wait > 0 {
			return l.showProof(w, r, o, page.FieldError{Wait: wait})
		}
		o.Used, err = l.useFactor(r, o, answered)
		if wait, ok := errors.AsType[*factor.WaitError](err); ok {
			return l.showProof(w, r, o, page.FieldError{Wait: wait.For})
		}
		if errors.Is(err, factor.ErrWrong) {
			if err := l.refuse(r, o, string(why)); err != nil {
				return err
			}
			return l.showProof(w, r, o, wrong)
		}
		if err != nil {
			return err
		}
		if err := l.right(r.Context(), tries); err != nil {
			return err
		}
		return right(w, r, o)
	}
}

// useFactor uses up a factor of the person's, before the page that it opens: between two pages nothing is kept that could be used again.
func (l *Login) useFactor(r *http.Request, o onErrand, answered func(*http.Request, onErrand) (factor.Proof, error)) (factor.Kind, error) {
	used, err := answered(r, o)
	if err != nil {
		return "", err
	}
	if used.Person != o.proved.Person {
		return "", factor.ErrWrong
	}
	err = pgx.BeginFunc(r.Context(), l.cfg.Pool, func(tx pgx.Tx) error { return used.Use(r.Context(), tx, l.act(r)) })
	if errors.Is(err, identity.ErrState) { // used at the same moment
		err = factor.ErrWrong
	}
	return used.By, err
}

func (l *Login) answeredPasskey(r *http.Request, o onErrand) (factor.Proof, error) {
	return l.cfg.Factors.Passkeys.Check(r.Context(), o.factor, o.ID, r.PostFormValue("passkey"), l.act(r))
}

// answeredCode tells from its form whether an app showed a code, or it is a recovery code.
func (l *Login) answeredCode(r *http.Request, o onErrand) (factor.Proof, error) {
	typed := r.PostFormValue("own_code")
	if digits, ok := code.Parse(typed); ok {
		return l.cfg.Factors.Authenticators.Check(r.Context(), o.factor, o.proved.Person, digits, o.Found.Home)
	}
	if kept, ok := factor.ParseRecoveryCode(typed); ok {
		return l.cfg.Factors.RecoveryCodes.Check(r.Context(), o.factor, o.proved.Person, kept, o.Found.Home)
	}
	return factor.Proof{}, factor.ErrWrong
}

func (l *Login) showProof(w http.ResponseWriter, r *http.Request, o onErrand, wrong ...page.FieldError) error {
	data := proofPage{Identifier: o.Typed, Needs: o.app, Otherwise: "proof.no_app", Service: o.ClientID != ""}
	switch {
	case o.proved.Passkey:
		var err error
		data.Needs, data.Otherwise = o.passkey, "proof.no_passkey"
		if data.Passkey, err = l.cfg.Factors.Passkeys.Ask(o.ID); err != nil {
			return err
		}
	case !o.proved.Authenticator:
		data.Needs, data.Otherwise = "proof.recovery_code", "proof.no_recovery_code"
	}
	return l.showWaiting(w, r, o.Interaction, page.View{
		Name: "proof", Errors: wrong, Data: data, Script: "passkey.js", Back: o.At(o.path),
	})
}
