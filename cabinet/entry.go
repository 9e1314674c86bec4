package cabinet

import (
	"slices"
	"strings"
	"time"

	"asoba.example/cabinet/catalogue"
	"asoba.example/cabinet/journal"
	"asoba.example/provider/api"
)

// levels are those that have a word, "acr." and this.
var levels = append(slices.Clone(api.Levels), catalogue.High)

// whys are why something was refused, each with a word, "why." and this.
var whys = []string{"password", "code", "passkey", "authenticator", "recovery_code", "document"}

// given are what an e-service may be given, scopes and single claims, each with a word, "given." and this.
var given = []string{
	"openid", "profile", "phone", "citizenship", "identification_number", "offline_access",
	"cabinet.profile", "cabinet.services", "cabinet.cases", "cabinet.inbox", "cabinet.journal",
	"family_name", "given_name", "middle_name", "gender", "birthdate", "phone_number",
}

// entryPage puts an entry whole.
func (c *Cabinet) entryPage(e journal.Entry, language string) entryPage {
	p := entryPage{
		line: c.line(e, language), UTC: e.At.UTC().Format(time.DateTime),
		Given: c.givenBy(e, language), Reported: e.ReportedAt,
		Refused: e.Kind == "sign_in.refused" || e.Kind == "recovery.refused",
		Block:   c.cfg.IssuerURL + "/block", Sessions: c.securityPage() + "/sessions", Password: c.securityPage() + "/password",
	}
	p.Who = "actor." + string(p.Actor) + ".whole"
	if slices.Contains(levels, e.ACR) {
		p.ACR = "acr." + e.ACR
	}
	if why := e.Detail["why"]; p.Refused && slices.Contains(whys, why) {
		p.Why = "why." + why
	}
	if e.ClientID != "" && e.ClientID != c.cfg.ClientID {
		p.Agreements = c.cfg.IssuerURL + "/agreements"
	}
	return p
}

// givenBy says what an e-service was given by an entry, by scopes and by claims that it asked for by name. One that we have no word for stands as
// it is called.
func (c *Cabinet) givenBy(e journal.Entry, language string) (all []string) {
	for _, name := range strings.Fields(e.Detail["scope"] + " " + e.Detail["claims"]) {
		word := strings.TrimSuffix(name, ".read")
		if slices.Contains(given, word) {
			name = c.site.Say(language, "given."+word, nil)
		}
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}
