package login

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider/api"
	"asoba.example/provider/page"
)

// firstPasswordPage handles GET /sign-in/password.
func (l *Login) firstPasswordPage(w http.ResponseWriter, r *http.Request, u underWay) error {
	return l.showFirstPassword(w, r, u)
}

// formFirstPassword handles POST /sign-in/password: the static password is formed at the first
// sign-in (resolution 792 ¶5), and with it the identifier becomes active.
func (l *Login) formFirstPassword(w http.ResponseWriter, r *http.Request, u underWay) error {
	wrong, err := l.forms(r, u.Person, func(password string) error {
		return l.cfg.Registry.Activate(r.Context(), u.Person, password, l.formingFirst(r, u.Person))
	})
	switch {
	case errors.Is(err, identity.ErrState): // blocked, or formed in another window: the sign-in begins again
		return l.restart(w, r, u.Interaction)
	case err != nil:
		return err
	case len(wrong) > 0:
		return l.showFirstPassword(w, r, u, wrong...)
	}
	who, err := l.cfg.Registry.Of(r.Context(), u.Person)
	if err != nil {
		return err
	}
	adds := r.PostFormValue("decision") == "factors"
	if api.Level(u.ACR) < api.Level(api.Substantial) && !adds {
		return l.finish(w, r, u.Interaction, u.Person, who.ChangedAt, byPassword().toldOf())
	}
	// The service asks for more than the first sign-in gives, or a factor will give more: the code comes next.
	if err := l.keep(r.Context(), signInWay, u.Interaction, progress{Person: u.Person, Changed: who.ChangedAt, Page: codePath, Factors: adds}); err != nil {
		return err
	}
	return l.sendCode(w, r, underWay{Interaction: u.Interaction, Identity: who})
}

func (l *Login) showFirstPassword(w http.ResponseWriter, r *http.Request, u underWay, wrong ...page.FieldError) error {
	return l.showWaiting(w, r, u.Interaction, page.View{
		Name: "sign-in-password", Shows: true, Errors: wrong,
		Data: newPasswordPage{Identifier: u.Identifier.Reveal(), Shortest: l.shortest(), Service: u.ClientID != ""},
	})
}

// forms has a new password formed of somebody who was asked for no other one, so often and no more. Where it was not, it tells what is wrong with the form.
func (l *Login) forms(r *http.Request, person uuid.UUID, form func(password string) error) (wrong []page.FieldError, err error) {
	password, wrong := readNewPassword(r)
	if len(wrong) > 0 {
		return wrong, nil
	}
	_, wait, err := l.take(r.Context(), newPassword, asker{person: person})
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		return []page.FieldError{{Wait: wait}}, nil
	}
	err = form(password)
	if wrong = l.weak(err); wrong != nil {
		return wrong, nil
	}
	return nil, err
}

// forming is the act of forming a static password. With it every browser becomes a stranger: nobody
// shall come in by one that an earlier password had opened.
func (l *Login) forming(r *http.Request, person uuid.UUID) identity.Act {
	act := l.act(r)
	act.Within = func(ctx context.Context, tx pgx.Tx) error {
		// Held first, so that no sign-in that is under way makes its browser known behind our back.
		if _, _, err := identity.Hold(ctx, tx, person); err != nil {
			return err
		}
		return l.cfg.Browsers.Forget(ctx, tx, person)
	}
	return act
}

// formingFirst is that of the first one. Who comes back from a block begins as at the issuance, without passkeys.
func (l *Login) formingFirst(r *http.Request, person uuid.UUID) identity.Act {
	act := l.forming(r, person)
	forget := act.Within
	act.Within = func(ctx context.Context, tx pgx.Tx) error {
		if err := forget(ctx, tx); err != nil {
			return err
		}
		return l.cfg.Factors.Forget(ctx, tx, person, act)
	}
	return act
}

// readNewPassword understands the two fields of a new password.
func readNewPassword(r *http.Request) (string, []page.FieldError) {
	password, again := r.PostFormValue("new_password"), r.PostFormValue("new_password_again")
	switch {
	case password == "":
		return "", []page.FieldError{{Field: "new_password", Word: "new-password.missing"}}
	case again == "":
		return "", []page.FieldError{{Field: "new_password_again", Word: "new-password.again_missing"}}
	case password != again:
		return "", []page.FieldError{{Field: "new_password_again", Word: "new-password.differ"}}
	}
	return password, nil
}

// weak says what is wrong with a new password, if that is what is wrong.
func (l *Login) weak(err error) []page.FieldError {
	if e, ok := errors.AsType[*identity.WeakError](err); ok {
		return []page.FieldError{{Field: "new_password", Word: e.Word, Args: map[string]any{"Shortest": l.shortest(), "Longest": policy.LongestPassword.In(l.cfg.Policies)}}}
	}
	return nil
}

// shortest is how many characters a static password has at least.
func (l *Login) shortest() int { return policy.ShortestPassword.In(l.cfg.Policies) }
