package login

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"asoba.example/login/identity"
	"asoba.example/provider"
	"asoba.example/provider/api"
	"asoba.example/provider/page"
)

// passwordPage handles GET /security/password.
func (l *Login) passwordPage(w http.ResponseWriter, r *http.Request, v visitor) error {
	return l.showPassword(w, r, v)
}

// changePassword handles POST /security/password: a static password may be formed any number of times
// (resolution 792 ¶5). The current one is asked, and of who has bound a factor that too; of others no code, since to change it often is a right, until
// there are so many changes in a day that it may not be its owner who has the password. Everybody else who is signed in as this person is signed out; this browser goes on.
func (l *Login) changePassword(w http.ResponseWriter, r *http.Request, v visitor) error {
	ctx, current := r.Context(), r.PostFormValue("password")
	password, wrong := readNewPassword(r)
	if current == "" {
		wrong = append([]page.FieldError{{Field: "password", Word: "security-password.missing"}}, wrong...)
	}
	if len(wrong) > 0 {
		return l.showPassword(w, r, v, wrong...)
	}
	person := v.Session.Person
	if api.Level(v.ACR) < api.Level(api.Substantial) {
		wait, err := l.look(ctx, passwordChange, asker{person: person})
		if err != nil {
			return err
		}
		if wait > 0 {
			return l.ask(w, r, provider.Interaction{Page: "/security/password", ACR: api.Substantial})
		}
	}
	home, err := l.cfg.Browsers.KnownBy(ctx, r, person) // which none is after it
	if err != nil {
		return err
	}
	tries, wait, err := l.take(ctx, currentPassword, asker{person: person, browser: home})
	if err != nil {
		return err
	}
	if wait > 0 {
		return l.showPassword(w, r, v, page.FieldError{Wait: wait})
	}
	err = l.cfg.Registry.ChangePassword(ctx, person, current, password, l.forming(r, person))
	if errors.Is(err, identity.ErrWrong) {
		return l.showPassword(w, r, v, page.FieldError{Field: "password", Word: "security-password.wrong"})
	}
	wrong = l.weak(err)
	if err == nil || wrong != nil { // the current password was right: the tries were the person's own
		if err := l.right(ctx, tries); err != nil {
			return err
		}
	}
	if wrong != nil {
		return l.showPassword(w, r, v, wrong...)
	}
	if err == nil {
		err = l.passwordChanged(w, r, person, home != nil)
	}
	if errors.Is(err, identity.ErrState) { // changed or blocked from elsewhere at the same moment
		http.Redirect(w, r, "/security", http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	to := "/security?changed"
	if home == nil {
		i, err := l.cfg.Interactions.Begin(ctx, w, r, provider.Interaction{Page: "/security"})
		if err != nil {
			return err
		}
		to = changed(i)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// passwordChanged counts the change and begins a session anew: all sign-ins so far have ended, this one with them.
// The password alone was proved, so it is of the lower level; at a browser that is not known it signs nobody in, for there it would make
// one known of whoever has stolen the session and learnt the password.
func (l *Login) passwordChanged(w http.ResponseWriter, r *http.Request, person uuid.UUID, known bool) error {
	if _, _, err := l.take(r.Context(), passwordChange, asker{person: person}); err != nil {
		return err
	}
	if !known {
		return nil
	}
	who, err := l.cfg.Registry.Of(r.Context(), person)
	if err != nil {
		return err
	}
	_, err = l.begin(r.Context(), w, r, "", person, who.ChangedAt, byPassword().toldOf())
	return err
}

func (l *Login) showPassword(w http.ResponseWriter, r *http.Request, v visitor, wrong ...page.FieldError) error {
	return l.showOwn(w, r, v, page.View{
		Name: "security-password", Shows: true, Errors: wrong, Back: "/security",
		Data: newPasswordPage{Identifier: v.Identifier.Reveal(), Shortest: l.shortest()},
	})
}
