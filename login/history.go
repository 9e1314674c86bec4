package login

import (
	"net/http"
	"strings"
	"time"

	"asoba.example/provider/api"
	"asoba.example/provider/audit"
	"asoba.example/provider/page"
)

// The history of sign-ins: how far back, and how much of it on one page.
const (
	historyFor = 90 * 24 * time.Hour
	historyOf  = 25
)

// historyKinds are what it tells, with the words "history." and these.
var historyKinds = []audit.Kind{
	audit.SignedIn, audit.SignInRefused, audit.CodeSent, audit.SignedOut, audit.SessionsEnded, audit.BrowserForgotten,
	audit.IdentifierActivated, audit.PasswordReissued, audit.PasswordChanged, audit.PasswordRecovered, audit.RecoveryRefused,
	audit.PhoneChangeAsked, audit.PhoneChangeDropped, audit.PhoneChanged, audit.PasskeyAdded, audit.PasskeyRemoved,
	audit.AuthenticatorAdded, audit.AuthenticatorGone, audit.RecoveryCodesMade, audit.RecoveryCodesGone, audit.RecoveryCodeUsed,
	audit.IdentifierBlocked, audit.IdentifierUnblocked,
}

// anybodys are those of them that somebody else can bring about: by a password that is wrong, or by asking for a code to block.
var anybodys = []audit.Kind{audit.SignInRefused, audit.RecoveryRefused, audit.CodeSent}

// historyPage handles GET /security/history: what happened around the person's sign-ins.
func (l *Login) historyPage(w http.ResponseWriter, r *http.Request, v visitor) error {
	before, err := audit.ParseCursor(r.URL.Query().Get("before"))
	if err != nil {
		return page.Refuse(http.StatusNotFound, "security-history.unknown", err)
	}
	found, err := audit.History(r.Context(), l.cfg.Pool, v.Session.Person, historyKinds, anybodys, l.cfg.Now().Add(-historyFor), before, historyOf+1)
	if err != nil {
		return err
	}
	data := historyPage{Latest: before == 0}
	for i, e := range found {
		if i == historyOf {
			cursor, _ := found[i-1].Cursor.MarshalText()
			data.Earlier = "/security/history?before=" + string(cursor)
			break
		}
		var also []string
		for _, country := range e.Countries {
			if country != e.Detail["where"] {
				also = append(also, page.Country(country, l.cfg.Site.Language(r)))
			}
		}
		data.Events = append(data.Events, happened{
			Word: "history." + historyWord(e.Line), Phone: e.Detail["phone"], At: e.At, Agent: e.Agent, Place: e.Detail, Times: e.Times, Also: strings.Join(also, ", "),
		})
	}
	return l.showOwn(w, r, v, page.View{Name: "security-history", Back: sessionsPath, Data: data})
}

// historyWord tells the kinds apart that people would.
func historyWord(e audit.Line) string {
	kind := string(e.Kind)
	switch {
	case e.Kind == audit.SignedIn && e.Detail["by"] != "":
		return kind + "." + e.Detail["by"]
	case e.Kind == audit.SignInRefused && e.Detail["why"] != "":
		return kind + "." + e.Detail["why"]
	case e.Kind == audit.SignedIn && api.Level(e.ACR) >= api.Level(api.Substantial):
		return kind + ".code"
	case e.Kind == audit.SignedIn, e.Kind == audit.SignInRefused:
		return kind + ".password"
	case e.Kind == audit.CodeSent:
		return kind + "." + e.Detail["purpose"]
	case e.Kind == audit.SignedOut && e.Detail["from"] == "elsewhere":
		return kind + ".elsewhere"
	}
	return kind
}
