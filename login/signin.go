package login

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"asoba.example/login/browser"
	"asoba.example/login/factor"
	"asoba.example/login/identity"
	"asoba.example/provider"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
	"asoba.example/provider/clients"
	"asoba.example/provider/page"
	"asoba.example/provider/session"
)

// signInPage handles GET /sign-in.
func (l *Login) signInPage(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	if i.Known == uuid.Nil {
		return l.showSignIn(w, r, i, i.Typed)
	}
	who, err := l.cfg.Registry.Of(r.Context(), i.Known)
	if err != nil {
		return err
	}
	return l.showSignIn(w, r, i, who.Identifier.Reveal())
}

// signIn handles POST /sign-in.
func (l *Login) signIn(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	if answer := r.PostFormValue("passkey"); answer != "" {
		return l.signInByPasskey(w, r, i, answer)
	}
	return l.provePassword(w, r, i, numberForm{passwordToSignIn, l.showSignIn, l.cfg.Registry.Check, l.signInPasswordRight})
}

// signInPasswordRight goes on with a sign-in after the right password.
func (l *Login) signInPasswordRight(w http.ResponseWriter, r *http.Request, i provider.Interaction, by passwordProof) error {
	proved := by.who
	s, _, err := l.signedIn(r)
	if err != nil {
		return err
	}
	if s.Person != proved.Person {
		s = session.Session{}
	}
	next := after(underWay{Interaction: i, Identity: proved}, by.home != nil, s.ACR)
	if next == "" {
		return l.finish(w, r, i, proved.Person, proved.ChangedAt, byPassword())
	}
	if err := l.cfg.Interactions.Learn(r.Context(), &i, func(i *provider.Interaction) { i.Known = proved.Person }); err != nil {
		return err
	}
	if err := l.keep(r.Context(), signInWay, i, progress{Person: proved.Person, Changed: proved.ChangedAt, Page: next}); err != nil {
		return err
	}
	if next == codePath && !proved.Passkey { // who has a passkey is offered it first
		return l.sendCode(w, r, underWay{Interaction: i, Identity: proved})
	}
	http.Redirect(w, r, i.At(next), http.StatusSeeOther)
	return nil
}

// after decides which page follows a right password; "" for none. The temporary password came to the
// confirmed phone and stands for the code.
//
// Who proves anew who they are proves no less than the session has at this browser that they go on with, for it will be what it was proved by last: before
// is its level. And where a service asks for a fresh sign-in, who has bound a factor shows it too: the service asks for the person, and not for whoever sits
// at their browser.
func after(u underWay, known bool, before string) string {
	surer := max(api.Level(u.ACR), api.Level(before)) >= api.Level(api.Substantial)
	switch bound := factor.Strongest(u.Identity) > factor.Message; {
	case u.State == identity.Temporary:
		return firstPasswordPath
	case !known || surer || bound && u.Fresh:
		return u.first()
	default:
		return ""
	}
}

// A numberForm asks for a number and its password.
type numberForm struct {
	try   act
	show  func(w http.ResponseWriter, r *http.Request, i provider.Interaction, typed string, wrong ...page.FieldError) error
	check func(ctx context.Context, id identity.Identifier, password string, from identity.From, act identity.Act) (identity.Identity, error)
	right func(w http.ResponseWriter, r *http.Request, i provider.Interaction, by passwordProof) error // what is to be done once the password is right
}

// A passwordProof is whose password was right, by the number that was typed.
type passwordProof struct {
	id   identity.Identifier
	home []byte // what the browser is known by to whose it is; nil elsewhere
	who  identity.Identity
}

// provePassword takes the right password of a form, by the tries of a sign-in. After any other the form is shown again.
func (l *Login) provePassword(w http.ResponseWriter, r *http.Request, i provider.Interaction, form numberForm) error {
	ctx, password := r.Context(), r.PostFormValue("password")
	id, typed, wrong := readIdentifier(r)
	if password == "" {
		wrong = append(wrong, page.FieldError{Field: "password", Word: "sign-in.no_password"})
	}
	if len(wrong) > 0 {
		return form.show(w, r, i, typed, wrong...)
	}
	refuse := func(wrong ...page.FieldError) error {
		if err := l.keepNumber(ctx, &i, id); err != nil {
			return err
		}
		return form.show(w, r, i, typed, wrong...)
	}
	act := l.act(r)
	act.ClientID = i.ClientID
	// From here on the work is the same whoever is asked about, and whether there is anybody.
	from, err := l.asker(r, i, id)
	if err != nil {
		return err
	}
	tried, wait, err := l.take(ctx, form.try, from)
	if err != nil {
		return err
	}
	if wait > 0 {
		return refuse(page.FieldError{Wait: wait})
	}
	who, err := form.check(ctx, id, password, from.at(), act)
	if errors.Is(err, identity.ErrWrong) {
		return refuse(mismatch(id)...)
	}
	if err != nil {
		return err
	}
	if err := l.right(ctx, tried); err != nil {
		return err
	}
	return form.right(w, r, i, passwordProof{id, from.browser, who})
}

// mismatch is the one answer to a number and a password that do not go together. Of a number that is doubtful it says so as well, whosever it is.
func mismatch(id identity.Identifier) (wrong []page.FieldError) {
	if id.Doubtful() {
		wrong = append(wrong, page.FieldError{Field: "identifier", Word: "sign-in.check_identifier"})
	}
	return append(wrong, page.FieldError{Field: "password", Word: "sign-in.wrong"})
}

// showSignIn shows the page. The identifier comes back to who typed it, and to who is signed in at this browser; the password never does.
func (l *Login) showSignIn(w http.ResponseWriter, r *http.Request, i provider.Interaction, typed string, wrong ...page.FieldError) error {
	passkey, err := l.cfg.Factors.Passkeys.Ask(i.ID)
	if err != nil {
		return err
	}
	s, who, err := l.signedIn(r)
	if err != nil {
		return err
	}
	if !s.IsZero() && r.Method == http.MethodGet {
		typed = cmp.Or(typed, who.Identifier.Reveal())
	}
	data := signInPage{
		Again: cmp.Or(said(r), onceMore(i, s)), Identifier: typed, Passkey: passkey,
		Recover: i.At(recovering.path), Block: i.At(blocking.path), Unblock: i.At(unblocking.path),
	}
	if i.ClientID != "" {
		switch client, err := l.cfg.Clients.Find(r.Context(), i.ClientID); {
		case errors.Is(err, clients.ErrUnknown): // taken out of use meanwhile: the provider will refuse it
		case err != nil:
			return err
		default:
			data.Client, data.Draft = client.Name(l.cfg.Site.Language(r)), client.IsDraft()
		}
	}
	return l.showFirst(w, r, i, page.View{Name: "sign-in", Shows: true, Errors: wrong, Script: "passkey.js", Data: data})
}

// onceMore is the word of why somebody who is signed in is asked to do so again; "" for others.
func onceMore(i provider.Interaction, s session.Session) string {
	switch {
	case s.IsZero(), i.ClientID == "" && i.Page == "/security":
		return ""
	case i.ClientID == "" && asksStrongest(i):
		return "sign-in.again_strongest"
	case i.ClientID == "":
		return "sign-in.again"
	case api.Level(i.ACR) > api.Level(s.ACR):
		return "sign-in.again_surer"
	}
	return "sign-in.again_service"
}

// recordRefusal records a sign-in that failed after the password, or without one.
func (l *Login) recordRefusal(r *http.Request, i provider.Interaction, person uuid.UUID, why string) error {
	known, err := l.cfg.Browsers.Known(r.Context(), r, person)
	if err != nil {
		return err
	}
	return audit.Record(r.Context(), l.cfg.Pool, audit.Event{
		Kind: audit.SignInRefused, At: l.cfg.Now(), Person: person, ClientID: i.ClientID,
		Agent: browser.Agent(r), Where: l.cfg.Atlas.Of(r), Detail: audit.Refused(why, known),
	})
}
