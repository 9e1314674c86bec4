package login

import (
	"errors"
	"net/http"
	"strings"

	"asoba.example/login/code"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider/api"
	"asoba.example/provider/page"
)

// phonePath is the page where people ask for another phone, having come by the strongest factor that they have.
const phonePath = "/security/phone"

// numberView asks for the new number. Each step has a view of its own, so that none shows what was refused of another.
const numberView = "security-phone"

// phonePage handles GET /security/phone.
func (l *Login) phonePage(w http.ResponseWriter, r *http.Request, v visitor) error {
	return l.showPhone(w, r, v, http.StatusOK)
}

// changePhone handles POST /security/phone, whichever step of a change it is of.
func (l *Login) changePhone(w http.ResponseWriter, r *http.Request, v visitor) error {
	if r.PostFormValue("decision") == "cancel" {
		if err := l.cfg.Registry.CancelPhone(r.Context(), v.Session.Person, l.act(r)); err != nil {
			return err
		}
		return l.toPhone(w, r)
	}
	if v.Frozen(l.cfg.Now()) {
		return l.showPhone(w, r, v, http.StatusConflict)
	}
	asked, err := l.cfg.Registry.PhoneChangeOf(r.Context(), v.Session.Person)
	switch {
	case err != nil:
		return err
	case !asked.DueAt.IsZero(): // confirmed in another window
		return l.toPhone(w, r)
	case r.PostForm.Has("phone"):
		return l.askPhone(w, r, v)
	case asked.AskedAt.IsZero(): // given up in another window
		return l.toPhone(w, r)
	case r.PostFormValue("decision") == "again":
		return l.sendPhoneCode(w, r, v, asked.Phone)
	}
	return l.confirmPhone(w, r, v, asked.Phone)
}

// askPhone takes the new number, and sends a code there. It does so for every number: only who has the phone is told whether it is another's.
func (l *Login) askPhone(w http.ResponseWriter, r *http.Request, v visitor) error {
	phone, err := identity.ParsePhone(r.PostFormValue("phone"))
	word := ""
	switch {
	case strings.TrimSpace(r.PostFormValue("phone")) == "":
		word = "security-phone.missing"
	case err != nil:
		word = "security-phone.no_phone"
	case phone == v.Phone:
		word = "security-phone.same"
	}
	if word != "" {
		return l.showPhone(w, r, v, http.StatusUnprocessableEntity, page.FieldError{Field: "phone", Word: word})
	}
	err = l.inquire(r.Context(), v.Session.Person)
	if errors.Is(err, identity.ErrState) {
		return l.showPhone(w, r, v, http.StatusConflict, page.FieldError{Field: "phone", Word: "security-phone.refused"})
	}
	if err != nil {
		return err
	}
	err = l.cfg.Registry.AskPhone(r.Context(), v.Session.Person, phone, l.act(r))
	if errors.Is(err, identity.ErrState) { // one is pending since, or the identifier is blocked
		return l.toPhone(w, r)
	}
	if err != nil {
		return err
	}
	return l.sendPhoneCode(w, r, v, phone)
}

func (l *Login) sendPhoneCode(w http.ResponseWriter, r *http.Request, v visitor, phone identity.Phone) error {
	if err := l.send(r, v.phoneCode(phone)); err != nil {
		return err
	}
	return l.toPhone(w, r)
}

// confirmPhone takes the code. A change is confirmed once, so the code is spent only when that is done: where it could not be, the same code is good still.
func (l *Login) confirmPhone(w http.ResponseWriter, r *http.Request, v visitor, phone identity.Phone) error {
	digits, wrong := l.readCode(r)
	if wrong != nil {
		return l.showPhone(w, r, v, http.StatusUnprocessableEntity, wrong...)
	}
	ctx, f := r.Context(), v.phoneCode(phone)
	err := l.cfg.Codes.Try(ctx, f, digits)
	if err == nil {
		err = l.cfg.Registry.ConfirmPhone(ctx, v.Session.Person, phone, policy.PhoneChangeDelay.In(l.cfg.Policies), l.act(r))
		if err == nil || errors.Is(err, identity.ErrPhoneTaken) {
			err = errors.Join(err, l.cfg.Codes.Spend(ctx, f, digits))
		}
	}
	wrong = wrongCode(err)
	switch {
	case wrong != nil:
		return l.showPhone(w, r, v, http.StatusUnprocessableEntity, wrong...)
	case errors.Is(err, identity.ErrPhoneTaken):
		return l.showPhone(w, r, v, http.StatusConflict, page.FieldError{Field: "phone", Word: "security-phone.taken"})
	case err != nil && !errors.Is(err, identity.ErrState):
		return err
	}
	return l.toPhone(w, r)
}

// phoneCode is what the code to a new phone is good for: that phone, in this session.
func (v visitor) phoneCode(phone identity.Phone) code.For {
	return code.For{Purpose: code.ChangePhone, Person: v.Session.Person, Occasion: v.SID + phone.Reveal(), Phone: phone}
}

// toPhone leads to the page, which shows how far the change is.
func (l *Login) toPhone(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, r.URL.RequestURI(), http.StatusSeeOther)
	return nil
}

func (l *Login) showPhone(w http.ResponseWriter, r *http.Request, v visitor, status int, wrong ...page.FieldError) error {
	asked, err := l.cfg.Registry.PhoneChangeOf(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	data := phonePage{Phone: v.Phone.Hint(), Typed: r.PostFormValue("phone"), Next: asked.Phone.Hint(), Due: asked.DueAt, Frozen: l.frozenTill(v)}
	view := page.View{Status: status, Name: numberView, Errors: wrong, Back: "/security"}
	refused := page.Answers(r) == numberView || len(wrong) > 0 && wrong[0].Field == "phone" // the number, maybe in another window
	switch {
	case !asked.DueAt.IsZero():
		view.Name = "security-phone-due"
	case !asked.AskedAt.IsZero() && data.Frozen.IsZero() && !refused:
		view.Name = "security-phone-code"
		if data.codeStanding, err = l.standingOf(r.Context(), v.phoneCode(asked.Phone), codeOfOneself, asker{network: api.Network(r)}); err != nil {
			return err
		}
	}
	view.Data = data
	return l.showOwn(w, r, v, view)
}
