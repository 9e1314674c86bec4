package cabinet

import (
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/dispute"
	"asoba.example/cabinet/profile"
)

// official is what is known of a citizen officially, by whoever says it, and what the citizen says is wrong with it.
type official struct {
	profile  profile.Profile
	told     profile.Told
	disputes []dispute.Dispute // the latest first
}

// queueOfficial asks for it, as one part of a batch.
func (c *Cabinet) queueOfficial(b *pgx.Batch, subject string, to *official) {
	profile.Queue(b, subject, &to.profile)
	c.cfg.Sources.Queue(b, subject, &to.told)
	c.cfg.Disputes.Queue(b, subject, &to.disputes)
}

// dispute is the latest of a value, nil where there was none.
func (o official) dispute(name string) *dispute.Dispute {
	for i, d := range o.disputes {
		if d.Name == name {
			return &o.disputes[i]
		}
	}
	return nil
}

// disputed is the open dispute of a value, nil where there is none.
func (o official) disputed(name string) *dispute.Dispute {
	if d := o.dispute(name); d != nil && d.Open() {
		return d
	}
	return nil
}

// fieldWord is the key of what a value is called, by its name to the journal.
func fieldWord(name string) string {
	switch name {
	case "identification_number":
		return "profile.identifier"
	case "incapable", "limited":
		return "profile.capacity"
	}
	return "profile." + name
}

// registerLines are the register's values.
func (c *Cabinet) registerLines(subject string, o official, language string) []valueLine {
	p := o.profile
	all := []valueLine{
		{Name: "identification_number", Text: subject, raw: subject},
		{Name: "sex", Text: c.value("sex", p.Sex, language), raw: p.Sex},
		{Name: "birth_date", Day: wholeDate(p.BirthDate), raw: p.BirthDate},
		{Name: "citizenship", Text: c.value("citizenship", p.Citizenship, language), raw: p.Citizenship},
	}
	if born := &all[2]; born.Day == nil {
		born.Text = c.site.Say(language, "profile.birth_date.partial", map[string]any{"Date": partialDate(p.BirthDate)})
	}
	switch {
	case p.Incapable != nil:
		all = append(all, valueLine{Name: "incapable", Day: p.Incapable, Says: "profile.incapable", raw: day(p.Incapable)})
	case p.Limited != nil:
		all = append(all, valueLine{Name: "limited", Day: p.Limited, Says: "profile.limited", raw: day(p.Limited)})
	}
	for i := range all {
		all[i].Word, all[i].At = fieldWord(all[i].Name), p.Since(all[i].Name)
		all[i].Disputed, all[i].from = o.disputedAt(all[i].Name), profile.Register
	}
	return all
}

// toldLines are what other systems told.
func (c *Cabinet) toldLines(o official, language string) []valueLine {
	all := make([]valueLine, len(o.told.Values))
	for i, v := range o.told.Values {
		all[i] = valueLine{
			Name: v.Name, Word: fieldWord(v.Name), Text: c.value(v.Name, v.Value, language), Source: c.sourceTitle(v.Source, language),
			Basis: c.cfg.Sources.Find(v.Source).Basis.In(language), At: v.At, Silent: v.Silent, Disputed: o.disputedAt(v.Name),
			from: v.Source, raw: v.Value,
		}
	}
	return all
}

// goneLine is a value that there was when the citizen disputed it.
func (c *Cabinet) goneLine(d *dispute.Dispute, o official, language string) valueLine {
	l := valueLine{
		Name: d.Name, Word: fieldWord(d.Name), Text: c.value(d.Name, "", language), At: d.At, Disputed: o.disputedAt(d.Name), from: d.Source,
	}
	if d.Source != profile.Register {
		l.Source, l.Basis = c.sourceTitle(d.Source, language), c.cfg.Sources.Find(d.Source).Basis.In(language)
	}
	return l
}

// disputedAt is since when a value is in dispute, nil where it is not.
func (o official) disputedAt(name string) *time.Time {
	if d := o.disputed(name); d != nil {
		return &d.At
	}
	return nil
}
