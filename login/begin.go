package login

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/factor"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
	"asoba.example/provider/grant"
	"asoba.example/provider/session"
)

// A proof is how somebody has shown who they are: its level, and the methods by RFC 8176.
type proof struct {
	acr     string
	amr     []string
	factor  *factor.Proof // the factor that is used up by it; nil for none
	by      factor.Kind   // that of the factor, whenever it was used; "" for none
	told    bool          // the phone is told of what was done at this browser already
	factors bool          // are to be added next
	formed  bool          // a password was, and the page of security tells so
}

// byPassword is proof of the lower level: at a browser known for the person, or at the first sign-in.
func byPassword() proof { return proof{acr: api.Low, amr: []string{"pwd"}} }

// byCode is the password and a code by SMS.
func byCode() proof { return proof{acr: api.Substantial, amr: []string{"pwd", "sms", "mfa"}} }

// byErrand is a code by SMS, one more proof, and the password that was formed upon them.
func byErrand(by factor.Kind) proof {
	p := byCode()
	if by != "" {
		p.amr = by.Methods("sms")
	}
	p.by, p.formed = by, true
	return p
}

// byFactor is a factor, alone or after what was proved before it.
func byFactor(used factor.Proof, before ...string) proof {
	return proof{acr: api.Substantial, amr: used.By.Methods(before...), factor: &used, by: used.By}
}

// toldOf is proof with an act at this browser of which another message tells the phone.
func (p proof) toldOf() proof {
	p.told = true
	return p
}

// finish ends a sign-in that went well: the session begins, and the browser goes back to what waits.
func (l *Login) finish(w http.ResponseWriter, r *http.Request, i provider.Interaction, person uuid.UUID, changed time.Time, how proof) error {
	sid, err := l.begin(r.Context(), w, r, i.ClientID, person, changed, how)
	if errors.Is(err, identity.ErrState) { // acted upon between two pages, or while the password was checked
		return l.restart(w, r, i)
	}
	if err != nil {
		return err
	}
	if err := l.keep(r.Context(), signInWay, i, progress{Person: person, Changed: changed, Proved: l.cfg.Now(), AMR: how.amr, SID: sid, Formed: how.formed}); err != nil {
		return err
	}
	if err := l.forgetNumber(r.Context(), &i); err != nil {
		return err
	}
	if how.factors {
		i.Page = factorsPath
	}
	to := onward(i)
	if how.formed && to == "/security" {
		to += "?changed"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// onward is where a sign-in leads that is done. A page of factors is told which one it was.
func onward(i provider.Interaction) string {
	if ofFactors(i) {
		return i.At(i.Page)
	}
	return i.Continue()
}

// begin makes the browser known, records the sign-in, and starts the session. In this order:
// no session without its record.
//
// changed is the identity's ChangedAt when it was proved: identity.ErrState says that it was acted upon since.
func (l *Login) begin(
	ctx context.Context, w http.ResponseWriter, r *http.Request, clientID string, person uuid.UUID, changed time.Time, how proof,
) (sid string, err error) {
	act := l.act(r)
	at := act.At
	if sid, err = l.sid(r, person); err != nil {
		return "", err
	}
	s := session.Session{SID: sid, Person: person, ACR: how.acr, AMR: how.amr, Agent: act.Agent}
	err = pgx.BeginFunc(ctx, l.cfg.Pool, func(tx pgx.Tx) (err error) {
		var first, stranger bool
		if s.AuthTime, first, err = identity.SignIn(ctx, tx, person, changed, at); err != nil {
			return err
		}
		if s.Browser, stranger, err = l.cfg.Browsers.Remember(ctx, tx, w, r, person, act.Where); err != nil {
			return err
		}
		if stranger && !first && !how.told {
			if err := l.cfg.Registry.TellOfBrowser(ctx, tx, person, policy.NewBrowserPause.In(l.cfg.Policies), act); err != nil {
				return err
			}
		}
		signedIn := audit.Event{
			Kind: audit.SignedIn, At: at, Person: person, ClientID: clientID, SID: s.SID, ACR: s.ACR, Agent: s.Agent, Where: act.Where,
		}
		if how.factor != nil {
			if err := how.factor.Use(ctx, tx, act); err != nil {
				return err
			}
		}
		if how.by != "" {
			signedIn.Detail = map[string]string{"by": string(how.by)}
		}
		return audit.Record(ctx, tx, signedIn)
	})
	if err != nil {
		return "", err
	}
	l.cfg.Site.Forget(w, r) // somebody else may have sent forms here before
	_, err = l.cfg.Sessions.Begin(ctx, w, r, s)
	return sid, err
}

// keepNumber keeps the number that was typed, for the form, should it be opened anew.
func (l *Login) keepNumber(ctx context.Context, i *provider.Interaction, id identity.Identifier) error {
	return l.cfg.Interactions.Learn(ctx, i, func(i *provider.Interaction) { i.Typed = id.Reveal() })
}

// forgetNumber forgets the number that was typed, and whose password was right: whoever opens the page of a sign-in that is over is told none.
func (l *Login) forgetNumber(ctx context.Context, i *provider.Interaction) error {
	if i.Known == uuid.Nil && i.Typed == "" {
		return nil
	}
	err := l.cfg.Interactions.Learn(ctx, i, func(i *provider.Interaction) { i.Known, i.Typed = uuid.Nil, "" })
	if errors.Is(err, provider.ErrNoInteraction) {
		return nil
	}
	return err
}

// sid names the session that begins. Who proves anew who they are goes on with the session at this browser, since it is by its name that
// clients will hear of its end. Somebody else's ends here.
func (l *Login) sid(r *http.Request, person uuid.UUID) (string, error) {
	ctx := r.Context()
	before, err := l.cfg.Sessions.Find(ctx, r)
	if err != nil || before.IsZero() {
		return session.NewSID(), err
	}
	if before.Person != person {
		return session.NewSID(), grant.SignOut(ctx, l.cfg.Pool, l.cfg.Jobs, l.cfg.Denials, before, l.cfg.Now())
	}
	standing, err := l.standing(ctx, person)
	if err != nil || !standing.Holds(before.AuthTime) {
		return session.NewSID(), err
	}
	return before.SID, nil
}
