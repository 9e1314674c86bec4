package login

import (
	"net/http"
	"time"

	"asoba.example/login/factor"
	"asoba.example/login/identity"
	"asoba.example/provider"
	"asoba.example/provider/api"
	"asoba.example/provider/page"
	"asoba.example/provider/session"
)

// The pages where people look after what they prove themselves by besides the password.
const (
	factorsPath       = "/security/factors"
	passkeysPath      = "/security/passkeys"
	authenticatorPath = "/security/authenticator"
	recoveryCodesPath = "/security/recovery-codes"
)

// grave tells whether a page is of an act that asks for a sign-in of its own (OWASP ASVS 5.0 7.5.1). On the page of the password the present one is
// asked for instead.
func grave(path string) bool {
	return path == passkeysPath || path == authenticatorPath || path == recoveryCodesPath || path == phonePath
}

// ofFactors tells whether nobody waits but such a page, or the one that leads to them.
func ofFactors(i provider.Interaction) bool {
	return i.Request == nil && (i.Page == factorsPath || grave(i.Page))
}

// ownBy makes a door of a page of ours as own does, for visitors who came lately, and by a factor as strong as the strongest that they have. So a new
// one never weakens what there is, and none is given up by less (OWASP ASVS 5.0 6.4.4: who has lost all of them proves at the desk who they
// are). Of who has bound none the level is asked.
//
// To a page of a grave act it is the sign-in that was asked for by it, its time and its methods, and not another of the same person's: whoever
// has stolen a session's cookie has none.
func (l *Login) ownBy(acr string, times int, door func(http.ResponseWriter, *http.Request, visitor) error) http.Handler {
	return l.door(func(w http.ResponseWriter, r *http.Request) error {
		s, who, err := l.signedIn(r)
		if err != nil {
			return err
		}
		waits, err := l.waits(r)
		if err != nil {
			return err
		}
		proved, amr, least, times := s.AuthTime, s.AMR, acr, times
		if page.Answers(r) != "" {
			times = sendFreshly
		}
		if grave(r.URL.Path) {
			if proved, amr, err = l.provedFor(r, waits, s, who); err != nil {
				return err
			}
		}
		if factor.Strongest(who) > factor.Message {
			least = api.Substantial
		}
		if s.IsZero() || !l.fresh(proved, times) || least != "" && factor.Of(amr) < factor.Strongest(who) {
			return l.ask(w, r, provider.Interaction{Page: r.URL.Path, Then: then(waits), ACR: least})
		}
		return door(w, r, l.visitor(s, who, proved))
	})
}

// then is where somebody goes on after the pages of factors; "" where nobody waits.
func then(waits provider.Interaction) string {
	if waits.ID == "" || ofFactors(waits) {
		return waits.Then
	}
	return waits.Continue()
}

// provedFor tells when and how the person of a session has signed in to it on the way to this page, and was not acted upon since; the zero time
// where they have not.
func (l *Login) provedFor(r *http.Request, waits provider.Interaction, s session.Session, who identity.Identity) (time.Time, []string, error) {
	if waits.ID == "" {
		return time.Time{}, nil, nil
	}
	p, err := l.progress(r.Context(), waits)
	if err != nil || p.SID != s.SID || p.Person != who.Person || !p.Changed.Equal(who.ChangedAt) {
		return time.Time{}, nil, err
	}
	return p.Proved, p.AMR, nil
}

// asksStrongest tells whether what waits is a page of ours that asks for the strongest factor.
func asksStrongest(i provider.Interaction) bool {
	return i.ClientID == "" && api.Level(i.ACR) >= api.Level(api.Substantial)
}

// factorsPage handles GET /security/factors: what the person has bound, and what else there is. At the first sign-in it is shown once, to
// whoever wants it, and the service waits.
func (l *Login) factorsPage(w http.ResponseWriter, r *http.Request, v visitor) error {
	waits, err := l.waits(r)
	if err != nil {
		return err
	}
	passkeys, err := l.cfg.Factors.Passkeys.List(r.Context(), v.Session.Person)
	if err != nil {
		return err
	}
	data := factorsPage{
		Passkeys: len(passkeys), Authenticator: v.Authenticator, RecoveryCodes: v.RecoveryCodes,
		ToPasskeys: onTheWay(waits, passkeysPath), ToAuthenticator: onTheWay(waits, authenticatorPath), ToRecoveryCodes: onTheWay(waits, recoveryCodesPath),
	}
	back := "/security"
	if data.GoOn = then(waits); data.GoOn != "" {
		back = ""
	}
	return l.showOwn(w, r, v, page.View{Name: "security-factors", Back: back, Data: data})
}

// onTheWay is the address of a page of ours for whoever waits, if anybody does.
func onTheWay(waits provider.Interaction, path string) string {
	if waits.ID == "" {
		return path
	}
	return waits.At(path)
}

// backToFactors leads to where all factors are.
func (l *Login) backToFactors(w http.ResponseWriter, r *http.Request) error {
	waits, err := l.waits(r)
	if err != nil {
		return err
	}
	http.Redirect(w, r, onTheWay(waits, factorsPath), http.StatusSeeOther)
	return nil
}

// frozenTill says from when on somebody who has recovered their password may change their factors and their phone again, zero where they may:
// whoever has done so with a stolen phone and document would otherwise bind a factor that the owner could not get past.
func (l *Login) frozenTill(v visitor) time.Time {
	if !v.Frozen(l.cfg.Now()) {
		return time.Time{}
	}
	return v.FrozenTill
}
