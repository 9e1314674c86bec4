package cabinet

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/provider/page"
)

// line is a journal entry as the citizen reads it; what is empty is not shown.
type line struct {
	ID       uuid.UUID
	At       time.Time
	Word     string // key of what happened
	Site     string // which e-service, by its name, or else by its client id
	Desk     bool   // a clerk acted
	Field    string // key of the value that it is about
	Office   string
	Level    string // key of how the citizen signed in
	Agent    string
	Place    string // approximately
	Changed  bool   // a value of the profile, from Old to New
	Old, New string
	Source   string // who says so
	Reported bool   // the citizen does not recognise it
}

// told are the kinds of entries that have a word of their own, "kind." and this.
var told = map[string]bool{
	"agreement.given":                       true,
	"agreement.withdrawn":                   true,
	"authenticator.added":                   true,
	"authenticator.removed":                 true,
	"browser.forgotten":                     true,
	"cabinet.activated":                     true,
	"cabinet.deactivated":                   true,
	"cabinet.restored":                      true,
	"code.sent.block":                       true,
	"code.sent.change_phone":                true,
	"code.sent.confirm_phone":               true,
	"code.sent.recover":                     true,
	"code.sent.sign_in":                     true,
	"code.sent.unblock":                     true,
	"contact.given":                         true,
	"data.exported":                         true,
	"desk.looked_up.complaint":              true,
	"desk.looked_up.inquiry":                true,
	"desk.looked_up.visit":                  true,
	"desk.refused.block":                    true,
	"desk.refused.issuance":                 true,
	"desk.refused.keep_paper":               true,
	"desk.refused.look_up":                  true,
	"desk.refused.phone_change":             true,
	"desk.refused.read_paper":               true,
	"desk.refused.read_trail":               true,
	"desk.refused.reissue":                  true,
	"desk.refused.unblock":                  true,
	"dispute.answered.corrected":            true,
	"dispute.answered.upheld":               true,
	"dispute.made":                          true,
	"dispute.sent":                          true,
	"dispute.withdrawn":                     true,
	"entry.reported":                        true,
	"grant.ended":                           true,
	"grant.ended.here":                      true,
	"grant.given":                           true,
	"grant.given.here":                      true,
	"identifier.activated":                  true,
	"identifier.blocked.desk":               true,
	"identifier.blocked.register":           true,
	"identifier.blocked.security":           true,
	"identifier.blocked.self":               true,
	"identifier.issued":                     true,
	"identifier.unblocked":                  true,
	"journal.exported.csv":                  true,
	"journal.exported.json":                 true,
	"journal.read":                          true,
	"paper.read.complaint":                  true,
	"paper.read.inquiry":                    true,
	"paper.read.visit":                      true,
	"passkey.added":                         true,
	"passkey.removed":                       true,
	"password.changed":                      true,
	"password.recovered":                    true,
	"password.reissued":                     true,
	"person.changed":                        true,
	"phone.changed":                         true,
	"phone.released":                        true,
	"phone_change.asked":                    true,
	"phone_change.cancelled":                true,
	"profile.changed.address":               true,
	"profile.changed.birth_date":            true,
	"profile.changed.citizenship":           true,
	"profile.changed.document_number":       true,
	"profile.changed.document_valid_till":   true,
	"profile.changed.identification_number": true,
	"profile.changed.incapable":             true,
	"profile.changed.limited":               true,
	"profile.changed.name_be":               true,
	"profile.changed.name_latin":            true,
	"profile.changed.name_ru":               true,
	"profile.changed.sex":                   true,
	"profile.read":                          true,
	"profile.refreshed":                     true,
	"recovery.refused":                      true,
	"recovery_code.used":                    true,
	"recovery_codes.made":                   true,
	"recovery_codes.removed":                true,
	"sessions.ended":                        true,
	"sign_in.refused":                       true,
	"signed_in":                             true,
	"signed_out":                            true,
	"token.exchanged":                       true,
	"trail.read.complaint":                  true,
	"trail.read.inquiry":                    true,
	"trail.read.visit":                      true,
}

func (c *Cabinet) lines(entries []journal.Entry, language string) []line {
	all := make([]line, len(entries))
	for i, e := range entries {
		all[i] = c.line(e, language)
	}
	return all
}

// line puts an entry as a person would.
func (c *Cabinet) line(e journal.Entry, language string) line {
	l := line{
		ID: e.ID, At: e.At, Site: cmp.Or(e.Client.In(language), e.ClientID), Desk: e.Actor == journal.Staff && !strings.HasPrefix(string(e.Kind), "dispute."), Office: e.Office,
		Agent: e.Agent, Place: placeOf(e, language), Reported: e.ReportedAt != nil,
	}
	kind, here := string(e.Kind), e.ClientID == c.cfg.ClientID
	if here {
		l.Site = ""
	}
	switch {
	case e.Kind == journal.IdentifierBlocked:
		kind += "." + e.Detail["reason"]
	case e.Kind == journal.DeskLookedUp, e.Kind == journal.PaperRead, e.Kind == journal.TrailRead, kind == "code.sent":
		kind += "." + e.Detail["purpose"]
	case e.Kind == journal.DeskRefused:
		kind += "." + e.Detail["act"]
	case e.Kind == journal.JournalExported:
		kind += "." + e.Detail["format"]
	case e.Kind == journal.DisputeAnswered:
		kind += "." + e.Detail["outcome"]
	case here && (e.Kind == journal.GrantGiven || e.Kind == journal.GrantEnded):
		kind += ".here"
	case kind == "signed_in" && slices.Contains([]string{"passkey", "authenticator", "recovery_code"}, e.Detail["by"]):
		l.Level = "level." + e.Detail["by"]
	case kind == "signed_in" && (e.ACR == "low" || e.ACR == "substantial"):
		l.Level = "level." + e.ACR
	case e.Kind == journal.ProfileChanged:
		field := e.Detail["field"]
		kind += "." + field
		l.Changed = true
		l.Old, l.New = c.value(field, e.Detail["old"], language), c.value(field, e.Detail["new"], language)
		l.Source = c.sourceTitle(cmp.Or(e.Detail["source"], profile.Register), language)
	}
	if strings.HasPrefix(kind, "dispute.") && e.Detail["field"] != "" {
		l.Field = fieldWord(e.Detail["field"])
	}
	if !told[kind] {
		kind = "other" // of a provider newer than this cabinet
	}
	l.Word = "kind." + kind
	return l
}

// placeOf says where it was, as the provider keeps it: the code of the country, and what the city is called in some languages.
func placeOf(e journal.Entry, language string) string {
	name, country := e.Detail["where."+language], ""
	if language == "be" {
		name = cmp.Or(name, e.Detail["where.ru"])
	}
	name = cmp.Or(name, e.Detail["where.en"])
	if code := e.Detail["where"]; code != "" {
		country = page.Country(code, language)
	}
	if name == "" || country == "" {
		return name + country
	}
	return name + ", " + country
}

// sourceTitle is what a source of values is called.
func (c *Cabinet) sourceTitle(name, language string) string {
	if name == profile.Register {
		return c.site.Say(language, "source.register.title", nil)
	}
	return cmp.Or(c.cfg.Sources.Find(name).Title.In(language), name)
}

// value says a value of the profile.
func (c *Cabinet) value(field, value, language string) string {
	switch {
	case value == "":
		return c.site.Say(language, "value.none", nil)
	case field == "sex" && (value == "F" || value == "M"):
		return c.site.Say(language, "value.sex."+value, nil)
	case field == "citizenship" && value == "stateless":
		return c.site.Say(language, "value.stateless", nil)
	case field == "citizenship":
		return page.Country(value, language)
	case field == "birth_date" || field == "incapable" || field == "limited" || field == "document_valid_till":
		if at := wholeDate(value); at != nil {
			return c.site.Day(language, *at)
		}
		return partialDate(value)
	}
	return value
}
