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
	System   string // which system a clerk works with, or the register speaks through, likewise
	Actor    journal.Actor
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

// Who acted, beyond what the journal keeps of it.
const (
	operator journal.Actor = "operator" // of the staff, and no clerk
	register journal.Actor = "register" // of the systems
)

// actorOf is who acted, as the citizen is told.
func actorOf(e journal.Entry) journal.Actor {
	changed := e.Kind == journal.PersonChanged
	switch {
	case e.Actor == journal.Staff && (changed || strings.HasPrefix(string(e.Kind), "dispute.")):
		return operator
	case e.Actor == journal.System && changed:
		return register
	}
	return e.Actor
}

func (c *Cabinet) lines(entries []journal.Entry, language string) []line {
	all := make([]line, len(entries))
	for i, e := range entries {
		all[i] = c.line(e, language)
	}
	return all
}

// goesOn is the detail by which the word of a kind goes on.
var goesOn = map[journal.Kind]string{
	journal.IdentifierBlocked: "reason", journal.DeskRefused: "act", journal.JournalExported: "format", journal.DisputeAnswered: "outcome",
	journal.DeskLookedUp: "purpose", journal.PaperRead: "purpose", journal.TrailRead: "purpose", "code.sent": "purpose",
	journal.ProfileChanged: "field",
}

// line puts an entry as a person would.
func (c *Cabinet) line(e journal.Entry, language string) line {
	l := line{
		ID: e.ID, At: e.At, Site: cmp.Or(e.Client.In(language), e.ClientID), Actor: actorOf(e), Office: e.Office,
		Agent: e.Agent, Place: placeOf(e, language), Reported: e.ReportedAt != nil,
	}
	kind, here := string(e.Kind), e.ClientID == c.cfg.ClientID
	switch {
	case here:
		l.Site = ""
	case e.Actor == journal.Staff, e.Actor == journal.System && e.Kind != journal.GrantEnded: // a grant is the e-service's, whoever ends it
		l.Site, l.System = "", l.Site
	}
	if more := goesOn[e.Kind]; more != "" {
		kind += "." + e.Detail[more]
	}
	switch {
	case e.Kind == journal.IdentifierBlocked && e.Detail["was"] == "register": // what it said was taken back, and only a desk unblocks (identity.Restore)
		kind = "identifier.blocked.restored"
	case here && (e.Kind == journal.GrantGiven || e.Kind == journal.GrantEnded):
		kind += ".here"
	case kind == "signed_in" && slices.Contains([]string{"passkey", "authenticator", "recovery_code"}, e.Detail["by"]):
		l.Level = "level." + e.Detail["by"]
	case kind == "signed_in" && (e.ACR == "low" || e.ACR == "substantial"):
		l.Level = "level." + e.ACR
	case e.Kind == journal.ProfileChanged:
		field := e.Detail["field"]
		l.Changed = true
		l.Old, l.New = c.value(field, e.Detail["old"], language), c.value(field, e.Detail["new"], language)
		l.Source = c.sourceTitle(cmp.Or(e.Detail["source"], profile.Register), language)
	}
	if strings.HasPrefix(kind, "dispute.") && e.Detail["field"] != "" {
		l.Field = fieldWord(e.Detail["field"])
	}
	if l.Word = "kind." + kind; !c.site.Has(l.Word) {
		l.Word = "kind.other" // of a provider newer than this cabinet
	}
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
