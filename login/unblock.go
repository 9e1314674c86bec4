package login

import (
	"errors"
	"net/http"

	"asoba.example/login/code"
	"asoba.example/login/factor"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider"
	"asoba.example/provider/audit"
	"asoba.example/provider/page"
)

// unblocking is the errand of who has blocked the identifier and wants it back (resolution 792 ¶6). It takes no less than a sign-in at the
// highest level that the person has bound: the password, a code, and the factor (eIDAS 2015/1502, annex 2.2.3).
var unblocking = errand{
	path: "/unblock", purpose: code.Unblock, codes: codeToUnblock, factor: factor.Unblock,
	sent: "unblock.sent", does: "sign-in-code.submit", otherwise: "unblock.otherwise", passkey: "proof.to_unblock.passkey", app: "proof.to_unblock.app", refused: audit.SignInRefused, closes: true,
}

const (
	unblockProofPath    = "/unblock/proof"
	unblockPasswordPath = "/unblock/password"
	unblockDeskPath     = "/unblock/desk"
)

// unblockPage handles GET /unblock.
func (l *Login) unblockPage(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	return l.showUnblock(w, r, i, i.Typed)
}

// unblock handles POST /unblock: the password, by the tries of a sign-in. Of a block that somebody else has set no password is left, so there
// the answer is that to a wrong one; and whoever is not blocked hears so after the code.
func (l *Login) unblock(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	return l.provePassword(w, r, i, numberForm{passwordToUnblock, l.showUnblock, l.cfg.Registry.CheckBlocked, l.unblockPasswordRight})
}

// unblockPasswordRight has the code sent after the right password.
func (l *Login) unblockPasswordRight(w http.ResponseWriter, r *http.Request, i provider.Interaction, by passwordProof) error {
	return l.asks(w, r, onErrand{Interaction: i, errand: unblocking}, by.id, by.id.Reveal(), by.who, by.home)
}

func (l *Login) showUnblock(w http.ResponseWriter, r *http.Request, i provider.Interaction, typed string, wrong ...page.FieldError) error {
	return l.showFirst(w, r, i, page.View{
		Name: "unblock", Shows: true, Errors: wrong, Back: i.At("/sign-in"),
		Data: recoverPage{Again: said(r), Identifier: typed, Service: i.ClientID != ""},
	})
}

// unblockCodeRight goes on after the code. Whoever is not blocked has proved all that a sign-in asks.
func (l *Login) unblockCodeRight(w http.ResponseWriter, r *http.Request, o onErrand) error {
	who, err := l.unchanged(r.Context(), o.Found)
	switch {
	case err != nil:
		return err
	case who.State == identity.Active:
		if err := l.forgetErrand(r.Context(), &o); err != nil {
			return err
		}
		return l.finish(w, r, o.Interaction, who.Person, who.ChangedAt, byCode())
	case who.State != identity.Blocked || who.BlockReason != identity.Self:
		return l.startOver(w, r, o)
	case who.Closed(l.cfg.Now()) && o.Found.Home == nil:
		return l.toDesk(w, r, o, unblockDeskPath)
	case factor.Strongest(who) > factor.Message:
		return l.goTo(w, r, o, unblockProofPath)
	}
	return l.goTo(w, r, o, unblockPasswordPath)
}

// unblockProved goes on after the factor.
func (l *Login) unblockProved(w http.ResponseWriter, r *http.Request, o onErrand) error {
	return l.goTo(w, r, o, unblockPasswordPath)
}

// unblockPasswordPage handles GET /unblock/password.
func (l *Login) unblockPasswordPage(w http.ResponseWriter, r *http.Request, o onErrand) error {
	return l.showUnblockPassword(w, r, o)
}

// formUnblocked handles POST /unblock/password: with another static password (resolution 792 ¶7) the identifier is in use again, and its person
// signed in.
func (l *Login) formUnblocked(w http.ResponseWriter, r *http.Request, o onErrand) error {
	wrong, err := l.forms(r, o.proved.Person, func(password string) error {
		if err := l.inquire(r.Context(), o.proved.Person); err != nil {
			return err
		}
		return l.cfg.Registry.UnblockSelf(r.Context(), o.proved.Person, o.proved.ChangedAt, o.Found.Home != nil, password, l.forming(r, o.proved.Person))
	})
	switch {
	case errors.Is(err, identity.ErrClosed):
		return l.toDesk(w, r, o, unblockDeskPath)
	case errors.Is(err, identity.ErrState): // acted upon since
		return l.startOver(w, r, o)
	case err != nil:
		return err
	case len(wrong) > 0:
		return l.showUnblockPassword(w, r, o, wrong...)
	}
	return l.returns(w, r, o)
}

func (l *Login) showUnblockPassword(w http.ResponseWriter, r *http.Request, o onErrand, wrong ...page.FieldError) error {
	return l.showWaiting(w, r, o.Interaction, page.View{
		Name: "unblock-password", Shows: true, Errors: wrong,
		Data: newPasswordPage{Identifier: o.proved.Identifier.Reveal(), Shortest: l.shortest(), Service: o.ClientID != ""},
	})
}

// unblockDeskPage handles GET /unblock/desk. It knows nobody.
func (l *Login) unblockDeskPage(w http.ResponseWriter, r *http.Request) error {
	return l.cfg.Site.Show(w, r, page.View{Name: "unblock-desk", Data: unblockDeskPage{For: l.inWords(r, policy.UnblockClosedFor.In(l.cfg.Policies))}})
}
