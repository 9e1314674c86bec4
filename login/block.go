package login

import (
	"context"
	"errors"
	"net/http"

	"asoba.example/login/code"
	"asoba.example/login/identity"
	"asoba.example/provider"
	"asoba.example/provider/audit"
	"asoba.example/provider/page"
)

// blocking is the errand of who wants nobody to sign in as them any more, and is not signed in. One factor is enough: the password, or a
// code to the phone (NIST SP 800-63B-4 §4.3).
var blocking = errand{path: "/block", purpose: code.Block, comes: numberToBlock, codes: codeToBlock, sent: "errand-code.sent", does: "block.submit", otherwise: "block-errand.otherwise", refused: audit.SignInRefused}

// mayBlock tells who may block the identifier himself.
func mayBlock(who identity.Identity) bool {
	return who.State == identity.Active && who.Phone != (identity.Phone{})
}

// blocks makes a door of /block: of who is signed in, freshly enough for a grave act, and of others.
func (l *Login) blocks(
	times int, own func(http.ResponseWriter, *http.Request, visitor) error, others func(http.ResponseWriter, *http.Request, provider.Interaction) error,
) http.Handler {
	errand := l.waited(blocking.path, others)
	return l.once(l.door(func(w http.ResponseWriter, r *http.Request) error {
		s, who, err := l.signedIn(r)
		if err != nil {
			return err
		}
		if s.IsZero() || !l.fresh(s.AuthTime, times) {
			return errand(w, r)
		}
		return own(w, r, l.visitor(s, who, s.AuthTime))
	}))
}

// blockPage handles GET /block of who is signed in: what blocking does and what it does not.
func (l *Login) blockPage(w http.ResponseWriter, r *http.Request, v visitor) error {
	return l.showOwn(w, r, v, page.View{
		Name: "block", Back: "/security",
		Data: blockPage{Identifier: v.Identifier.String(), Phone: v.Phone.Hint()},
	})
}

// block handles POST /block: the person refuses to use the identifier (resolution 792 ¶6).
func (l *Login) block(w http.ResponseWriter, r *http.Request, v visitor) error {
	if r.PostFormValue("decision") != "block" {
		http.Redirect(w, r, "/security", http.StatusSeeOther)
		return nil
	}
	err := l.cfg.Registry.Block(r.Context(), v.Session.Person, identity.Self, l.act(r))
	if err != nil && !errors.Is(err, identity.ErrState) {
		return err
	}
	if err := l.cfg.Sessions.End(r.Context(), w, r); err != nil {
		return err
	}
	l.cfg.Site.Forget(w, r)
	return l.blocked(w, r, nil)
}

// blocked leads on after a block. Blocked meanwhile from another window is what was asked.
func (l *Login) blocked(w http.ResponseWriter, r *http.Request, err error) error {
	if err != nil && !errors.Is(err, identity.ErrState) {
		return err
	}
	http.Redirect(w, r, "/block/done", http.StatusSeeOther)
	return nil
}

// blockErrandPage handles GET /block of others.
func (l *Login) blockErrandPage(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	return l.showBlockErrand(w, r, i, i.Typed)
}

// blockErrand handles POST /block of others: the right password blocks. The tries are those of a sign-in, for they are at the same
// password; and where it is not known, a code is sent.
func (l *Login) blockErrand(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	if r.PostFormValue("decision") == "code" {
		return l.blockByCode(w, r, i)
	}
	check := func(ctx context.Context, id identity.Identifier, password string, from identity.From, act identity.Act) (identity.Identity, error) {
		proved, err := l.cfg.Registry.Check(ctx, id, password, from, act)
		if err == nil && proved.State != identity.Active { // a temporary password blocks nothing
			err = identity.ErrWrong
		}
		return proved, err
	}
	return l.provePassword(w, r, i, numberForm{passwordToBlock, l.showBlockErrand, check, l.blockPasswordRight})
}

// blockPasswordRight blocks after the right password.
func (l *Login) blockPasswordRight(w http.ResponseWriter, r *http.Request, i provider.Interaction, by passwordProof) error {
	act := l.act(r)
	act.ClientID, act.By = i.ClientID, "password"
	if err := l.cfg.Registry.Block(r.Context(), by.who.Person, identity.Self, act); err != nil && !errors.Is(err, identity.ErrState) {
		return err
	}
	l.done(r, &onErrand{Interaction: i, errand: blocking}) // a code may have been asked for before
	return l.blocked(w, r, nil)
}

// blockByCode has a code sent to the phone, if there is one.
func (l *Login) blockByCode(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	id, typed, wrong := readIdentifier(r)
	if len(wrong) > 0 {
		return l.showBlockErrand(w, r, i, typed, wrong...)
	}
	from, wait, err := l.comes(r, blocking, i, id)
	if err != nil {
		return err
	}
	if wait > 0 {
		return l.showBlockErrand(w, r, i, typed, page.FieldError{Wait: wait})
	}
	who, err := l.cfg.Registry.Find(r.Context(), id)
	if err != nil && !errors.Is(err, identity.ErrUnknown) {
		return err
	}
	if !mayBlock(who) {
		who = identity.Identity{}
	}
	return l.asks(w, r, onErrand{Interaction: i, errand: blocking}, id, id.Reveal(), who, from.browser)
}

// blockCodeRight blocks after the code.
func (l *Login) blockCodeRight(w http.ResponseWriter, r *http.Request, o onErrand) error {
	act := l.act(r)
	act.ClientID, act.By = o.ClientID, identity.ByCode
	err := l.cfg.Registry.Block(r.Context(), o.Found.Person, identity.Self, act)
	l.done(r, &o)
	return l.blocked(w, r, err)
}

func (l *Login) showBlockErrand(w http.ResponseWriter, r *http.Request, i provider.Interaction, typed string, wrong ...page.FieldError) error {
	return l.showFirst(w, r, i, page.View{
		Name: "block-errand", Shows: true, Errors: wrong, Back: i.At("/sign-in"),
		Data: blockErrandPage{Again: said(r), Identifier: typed, Recover: i.At(recovering.path), Service: i.ClientID != ""},
	})
}

// blockedPage handles GET /block/done. It knows nobody: it only tells how to restore access.
func (l *Login) blockedPage(w http.ResponseWriter, r *http.Request) error {
	return l.cfg.Site.Show(w, r, page.View{Name: "block-done"})
}

// warnings are the words of what warnings are of, by those of the messages.
var warnings = map[string]string{
	"sms.activated":             "history.identifier.activated",
	"sms.authenticator_added":   "history.authenticator.added",
	"sms.authenticator_removed": "history.authenticator.removed",
	"sms.block_offered":         "not-me.block_offered",
	"sms.new_browser":           "not-me.new_browser",
	"sms.new_browsers":          "not-me.new_browsers",
	"sms.passkey_added":         "history.passkey.added",
	"sms.passkey_removed":       "history.passkey.removed",
	"sms.password_changed":      "history.password.changed",
	"sms.password_recovered":    "history.password.recovered",
	"sms.phone_change":          "history.phone_change.asked",
	"sms.phone_change_dropped":  "history.phone_change.cancelled",
	"sms.phone_changed":         "history.phone.changed",
	"sms.recovery_code_used":    "history.recovery_code.used",
	"sms.recovery_codes_made":   "history.recovery_codes.made",
	"sms.unblocked":             "history.identifier.unblocked",
}

// notMePage handles GET /not-me/{token}, the link in a warning: it tells which one, as the message and the journal do, and not whose. It changes
// nothing: programs follow links before people do.
func (l *Login) notMePage(w http.ResponseWriter, r *http.Request) error {
	of, err := l.cfg.Registry.Warned(r.Context(), r.PathValue("token"), l.cfg.Now())
	if errors.Is(err, identity.ErrUnknown) {
		return l.notMeGone(w, r)
	}
	if err != nil {
		return err
	}
	data := notMePage{Word: warnings[of.Word], What: "not-me.what", At: of.At, Agent: of.Agent, Place: of.Place}
	if of.Word == "sms.block_offered" {
		data.What = "not-me.block_offered.what"
	}
	return l.cfg.Site.Show(w, r, page.View{Name: "not-me", Data: data})
}

// notMeGone tells that the link is worth nothing any more.
func (l *Login) notMeGone(w http.ResponseWriter, r *http.Request) error {
	return l.cfg.Site.Show(w, r, page.View{Status: http.StatusGone, Name: "not-me-gone"})
}

// notMe handles POST /not-me/{token}: whoever was warned blocks the identifier. It signs nobody in.
func (l *Login) notMe(w http.ResponseWriter, r *http.Request) error {
	if r.PostFormValue("decision") != "block" {
		return l.notMePage(w, r)
	}
	err := l.cfg.Registry.NotMe(r.Context(), r.PathValue("token"), l.act(r))
	if !errors.Is(err, identity.ErrUnknown) && !errors.Is(err, identity.ErrState) {
		return l.blocked(w, r, err)
	}
	switch before, err := l.cfg.Registry.BlockedBefore(r.Context(), r.PathValue("token"), l.cfg.Now()); {
	case err != nil:
		return err
	case before: // by the first of two presses, or from elsewhere
		return l.blocked(w, r, nil)
	}
	return l.notMeGone(w, r)
}
