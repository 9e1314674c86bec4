package login

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/browser"
	"asoba.example/login/code"
	"asoba.example/login/factor"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
	"asoba.example/provider/page"
)

// An errand is what somebody comes for who cannot sign in. It begins with the number, as a sign-in does; a code to the phone follows.
// Up to the right code everything is alike for all numbers: pages, work and waits.
type errand struct {
	path      string // of its first page
	purpose   code.Purpose
	comes     act            // that somebody comes by a number alone
	codes     act            // that they have a code sent
	factor    factor.Purpose // what one is shown for
	sent      string         // the word of when a code was sent
	does      string         // of what a right code does
	otherwise string         // and of what else there is where none comes
	passkey   string         // the word of why the passkey is asked for that is bound
	app       string         // and the app
	refused   audit.Kind     // of what was not proved
	closes    bool           // whoever fails too often, after the password, closes it for a while
}

// code is the page that asks for the code.
func (e errand) code() string { return e.path + "/code" }

// way is that of the errand, on which it is kept how far somebody has come.
func (e errand) way() string { return "errand:" + string(e.purpose) }

// An asked is how far an errand has come: a number was typed, and a page is to come. It waits as a progress does.
type asked struct {
	Claim claim
	Found found
	Next  string      // the page that is to come
	Used  factor.Kind // the factor that was shown; "" for none
}

// A claim is what somebody has typed of whom they say they are, which proves nothing.
type claim struct {
	Alias    uuid.UUID // of what was typed: what strangers may have sent is counted by it, from wherever they ask
	Here     uuid.UUID // alias of it as it was typed here, in a browser of its person's or in a network: the codes are kept by it
	Doubtful bool
	Document bool // a document's number was typed too
	TooMany  bool // come from here: what comes to nothing leaves no record
}

// A found is whose the number is, which nobody is told before the code was right.
type found struct {
	Person  uuid.UUID // nil where it is nobody's, or nobody's who may
	Changed time.Time // the identity's ChangedAt, as it was then
	Home    []byte    // what the browser is known by to whose it is, whether they may or not; nil elsewhere
}

// An onErrand is somebody on one.
type onErrand struct {
	provider.Interaction
	errand
	asked
	proved identity.Identity // who they are, once the code was right; nobody before
}

// codeFor is what the code of an errand is good for.
func (o onErrand) codeFor() code.For {
	return code.For{Purpose: o.purpose, Person: o.Claim.Here, Occasion: o.ID}
}

// during makes a door of a later page of an errand. Only the page that is to come next can be reached. After the code the person must
// stand as when the number was typed; before it nothing is looked at, for a stranger would see from the answer that something was done.
func (l *Login) during(e errand, path string, door func(http.ResponseWriter, *http.Request, onErrand) error) http.Handler {
	return l.once(l.waiting(e.path, func(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
		var p asked
		err := l.found(r.Context(), e.way(), i, &p)
		if err != nil {
			return err
		}
		switch {
		case p.Next == "":
			return l.goOn(w, r, i, e.path)
		case p.Next != path:
			http.Redirect(w, r, i.At(p.Next), http.StatusSeeOther)
			return nil
		}
		o := onErrand{Interaction: i, errand: e, asked: p}
		if path != e.code() {
			if o.proved, err = l.unchanged(r.Context(), p.Found); err != nil {
				return err
			}
			if o.proved.Person == uuid.Nil {
				return l.startOver(w, r, o)
			}
		}
		return door(w, r, o)
	}))
}

// unchanged gives who was found, if they stand as they did then; the zero Identity where there is nobody, or they were acted upon since.
func (l *Login) unchanged(ctx context.Context, f found) (identity.Identity, error) {
	who, err := l.cfg.Registry.Of(ctx, f.Person)
	switch {
	case errors.Is(err, identity.ErrUnknown):
		return identity.Identity{}, nil
	case err != nil:
		return identity.Identity{}, err
	case !who.ChangedAt.Equal(f.Changed):
		return identity.Identity{}, nil
	}
	return who, nil
}

// startOver leads back to the first page: what was proved is worth nothing any more. Nothing has ended, so the number need not be typed again.
func (l *Login) startOver(w http.ResponseWriter, r *http.Request, o onErrand) error {
	if err := l.forget(r.Context(), o.way(), o.Interaction); err != nil {
		return err
	}
	http.Redirect(w, r, again(o.Interaction, o.path), http.StatusSeeOther)
	return nil
}

// again is the address of the first page for who must begin again there, and is told so.
func again(i provider.Interaction, path string) string { return i.At(path) + "&again" }

// changed is the address of a sign-in with another password than before, of which it tells.
func changed(i provider.Interaction) string { return i.At(signInPath) + "&changed" }

// said is the word of why somebody comes to a first page who was further already; "" for others.
func said(r *http.Request) string {
	switch query := r.URL.Query(); {
	case page.Answers(r) != "":
	case query.Has("again"):
		return "sign-in.begin_again"
	case query.Has("changed"):
		return "sign-in.changed"
	}
	return ""
}

// toDesk ends an errand that only the desk goes on with, at a page that says so.
func (l *Login) toDesk(w http.ResponseWriter, r *http.Request, o onErrand, path string) error {
	if err := l.forgetErrand(r.Context(), &o); err != nil {
		return err
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// goTo keeps how far an errand has come, and leads to the page that is to come next.
func (l *Login) goTo(w http.ResponseWriter, r *http.Request, o onErrand, path string) error {
	o.Next = path
	if err := l.keep(r.Context(), o.way(), o.Interaction, o.asked); err != nil {
		return err
	}
	http.Redirect(w, r, o.At(path), http.StatusSeeOther)
	return nil
}

// forgetErrand forgets an errand that has ended, and the number that it began with.
func (l *Login) forgetErrand(ctx context.Context, o *onErrand) error {
	if err := l.forget(ctx, o.way(), o.Interaction); err != nil {
		return err
	}
	return l.forgetNumber(ctx, &o.Interaction)
}

// done forgets an errand whose act is done: that it was is no less true where it cannot be forgotten.
func (l *Login) done(r *http.Request, o *onErrand) {
	api.Note(r, l.forgetErrand(r.Context(), o))
}

// comes counts that somebody comes on an errand by a number alone, for each leaves a record, and tells who they are and how long to wait.
func (l *Login) comes(r *http.Request, e errand, i provider.Interaction, id identity.Identifier) (who asker, wait time.Duration, err error) {
	if who, err = l.asker(r, i, id); err != nil {
		return asker{}, 0, err
	}
	who.purpose = e.purpose
	_, wait, err = l.take(r.Context(), e.comes, who)
	return who, wait, err
}

// asks has a code sent for what was typed, to whose it is if they may, and leads to the page that asks for it. Who they are was found out by the same
// work for all. Codes are counted in each browser of their own by itself, and elsewhere by the network: what is one's own nobody else uses up.
func (l *Login) asks(
	w http.ResponseWriter, r *http.Request, o onErrand, id identity.Identifier, typed string, who identity.Identity, home []byte,
) error {
	if err := l.keepNumber(r.Context(), &o.Interaction, id); err != nil {
		return err
	}
	here := cmp.Or(string(home), api.Network(r))
	o.Claim.Alias, o.Claim.Here, o.Claim.Doubtful = l.cfg.Codes.Alias(typed), l.cfg.Codes.Alias(typed+" "+here), id.Doubtful()
	o.Found = found{who.Person, who.ChangedAt, home}
	return l.sendAlike(w, r, o, who)
}

// asker is who has a code sent on an errand.
func (o onErrand) asker() asker {
	return asker{purpose: o.purpose, typed: o.Claim.Alias, browser: o.Found.Home}
}

// sendAlike sends the code, or none, and leads to its page, which tells how long it is to the next.
func (l *Login) sendAlike(w http.ResponseWriter, r *http.Request, o onErrand, to identity.Identity) error {
	counted, wait, err := l.take(r.Context(), o.codes, o.asker())
	if err == nil && wait == 0 {
		err = l.sendCounted(r, o, to, counted)
	}
	if err != nil {
		return err
	}
	return l.goTo(w, r, o, o.code())
}

// sendCounted sends what was counted. With the last code to block that strangers may have sent goes a link that blocks: whoever has the phone in hand
// needs no other, so strangers who use up the codes of a day take nothing from its person.
func (l *Login) sendCounted(r *http.Request, o onErrand, to identity.Identity, counted taken) error {
	ctx := r.Context()
	var offer func(context.Context, pgx.Tx) error
	if o.purpose == code.Block && o.Found.Home == nil {
		wait, err := l.look(ctx, o.codes, o.asker())
		if err != nil {
			return err
		}
		if wait > 0 {
			offer = func(ctx context.Context, tx pgx.Tx) error { return l.cfg.Registry.OfferBlock(ctx, tx, to, l.act(r)) }
		}
	}
	if _, err := l.cfg.Codes.SendAlike(ctx, o.codeFor(), to, l.cfg.Site.Language(r), o.Claim.TooMany, offer); err != nil {
		return l.unsent(ctx, err, counted)
	}
	return nil
}

// errandCodePage handles GET of the page that asks for the code.
func (l *Login) errandCodePage(w http.ResponseWriter, r *http.Request, o onErrand) error {
	return l.showErrandCode(w, r, o)
}

// errandCode makes a door of POST to it: what is to be done once the code is right.
func (l *Login) errandCode(right func(http.ResponseWriter, *http.Request, onErrand) error) func(http.ResponseWriter, *http.Request, onErrand) error {
	return func(w http.ResponseWriter, r *http.Request, o onErrand) error {
		if r.PostFormValue("decision") == "again" {
			return l.errandCodeAgain(w, r, o)
		}
		wrong, err := l.checkTyped(r, o.codeFor(), func() error { return l.refuse(r, o, "code") })
		switch {
		case err != nil:
			return err
		case len(wrong) > 0:
			return l.showErrandCode(w, r, o, wrong...)
		}
		return right(w, r, o)
	}
}

func (l *Login) errandCodeAgain(w http.ResponseWriter, r *http.Request, o onErrand) error {
	to, err := l.unchanged(r.Context(), o.Found)
	if err != nil {
		return err
	}
	return l.sendAlike(w, r, o, to)
}

func (l *Login) showErrandCode(w http.ResponseWriter, r *http.Request, o onErrand, wrong ...page.FieldError) error {
	stands, err := l.standingOf(r.Context(), o.codeFor(), o.codes, o.asker())
	if err != nil {
		return err
	}
	data := errandCodePage{codeStanding: stands, Identifier: o.Typed, Sent: o.sent, Submit: o.does, Otherwise: o.otherwise, Slip: o.Claim.Doubtful, Service: o.ClientID != ""}
	return l.showWaiting(w, r, o.Interaction, page.View{
		Name: "errand-code", Errors: wrong, Data: data, Back: o.At(o.path),
	})
}

// refuse records what was not proved, and counts it where it closes the errand. Nobody is named where the number is nobody's.
func (l *Login) refuse(r *http.Request, o onErrand, why string) error {
	record := func(tx audit.Batcher) error {
		return audit.Record(r.Context(), tx, audit.Event{
			Kind: o.refused, At: l.cfg.Now(), Person: o.Found.Person, ClientID: o.ClientID,
			Agent: browser.Agent(r), Where: l.cfg.Atlas.Of(r), Detail: audit.Refused(why, o.Found.Home != nil),
		})
	}
	var err error
	if o.Claim.TooMany {
		err = pgx.BeginFunc(r.Context(), l.cfg.Pool, func(tx pgx.Tx) error {
			return code.KeepAlike(r.Context(), tx, o.Found.Person != uuid.Nil, func(tx pgx.Tx) error { return record(tx) })
		})
	} else {
		err = record(l.cfg.Pool)
	}
	if err == nil && o.closes && o.Found.Home == nil {
		err = l.cfg.Registry.CountUnblock(r.Context(), o.Found.Person, l.cfg.Now())
	}
	return err
}

// readIdentifier understands the number that is typed on a page. What cannot be one is told at once: it leaks nothing.
func readIdentifier(r *http.Request) (id identity.Identifier, typed string, wrong []page.FieldError) {
	typed = r.PostFormValue("identifier")
	id, err := identity.ParseIdentifier(typed)
	switch {
	case strings.TrimSpace(typed) == "":
		wrong = []page.FieldError{{Field: "identifier", Word: "sign-in.no_identifier"}}
	case err != nil:
		wrong = []page.FieldError{{Field: "identifier", Word: "sign-in.check_identifier"}}
	}
	return id, typed, wrong
}

// readCode understands a code.
func (l *Login) readCode(r *http.Request) (string, []page.FieldError) {
	typed := r.PostFormValue("code")
	digits, ok := code.Parse(typed)
	switch {
	case strings.TrimSpace(typed) == "":
		return "", []page.FieldError{{Field: "code", Word: "sign-in-code.missing"}}
	case !ok:
		return "", []page.FieldError{{Field: "code", Word: "sign-in-code.digits", Args: map[string]any{"Count": policy.CodeDigits.In(l.cfg.Policies)}}}
	}
	return digits, nil
}
