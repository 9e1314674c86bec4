package cabinet

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/contact"
	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
)

// profile handles GET /profile.
func (c *Cabinet) profile(w http.ResponseWriter, r *http.Request) error {
	var (
		mine    profile.Profile
		changes journal.Page
		given   contact.Contact
		told    profile.Told
		history profile.History
		since   = c.earliest()
	)
	v, in, err := c.visit(w, r, func(b *pgx.Batch, subject string) {
		profile.Queue(b, subject, &mine)
		journal.Queue(b, subject, journal.Filter{About: journal.Changes, Since: since}, journal.Place{}, onePage, &changes)
		c.cfg.Contacts.Queue(b, subject, &given)
		c.cfg.Sources.Queue(b, subject, &told)
		c.cfg.Sources.QueueHistory(b, subject, &history)
	})
	if err != nil || !in {
		return err
	}
	language := c.site.Language(r)
	history.Tell(changes.Entries)
	data := c.profilePage(v.Token.Subject, mine, changes, since, language)
	data.Contact, data.Told, data.Silent = given, c.toldLines(told, language), c.silent(told, language)
	return c.show(w, r, "profile", data)
}

// profilePage puts a profile, and what the journal knows to have changed in it since a time.
func (c *Cabinet) profilePage(subject string, p profile.Profile, changes journal.Page, since time.Time, language string) profilePage {
	if since.Before(p.CreatedAt) {
		since = p.CreatedAt
	}
	return profilePage{
		Identifier: subject, Profile: p,
		Born: wholeDate(p.BirthDate), BornAbout: partialDate(p.BirthDate),
		Citizenship: c.value("citizenship", p.Citizenship, language),
		Changes:     c.lines(changes.Entries, language), More: !changes.Next.IsZero(), Since: since,
	}
}

// toldLines puts what other systems told.
func (c *Cabinet) toldLines(told profile.Told, language string) []toldLine {
	all := make([]toldLine, len(told.Values))
	for i, v := range told.Values {
		all[i] = toldLine{
			Word: "profile." + v.Name, Text: c.value(v.Name, v.Value, language), Source: c.sourceTitle(v.Source, language),
			Basis: c.cfg.Sources.Find(v.Source).Basis.In(language), At: v.At, Silent: v.Silent,
		}
	}
	return all
}

// silent are the sources that do not answer and of which nothing is shown, by which it could be told.
func (c *Cabinet) silent(told profile.Told, language string) (all []string) {
	for _, s := range c.cfg.Sources.All {
		_, silent := told.Silent[s.Name]
		if silent && !slices.ContainsFunc(told.Values, func(v profile.Value) bool { return v.Source == s.Name }) {
			all = append(all, c.sourceTitle(s.Name, language))
		}
	}
	return all
}

// wholeDate reads a date of which the day is known, nil for any other.
func wholeDate(s string) *time.Time {
	if at, err := time.Parse(time.DateOnly, s); err == nil {
		return &at
	}
	return nil
}

// partialDate writes a date of less than a day's precision as people do: 03.1956, 1956.
func partialDate(s string) string {
	year, month, ok := strings.Cut(s, "-")
	if !ok {
		return year
	}
	return month + "." + year
}
