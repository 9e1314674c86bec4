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
		known   official
		changes journal.Page
		history profile.History
		given   contact.Contact
		since   = c.earliest()
	)
	v, in, err := c.visit(w, r, func(b *pgx.Batch, subject string) {
		c.queueOfficial(b, subject, &known)
		journal.Queue(b, subject, journal.Filter{About: journal.Changes, Since: since}, journal.Place{}, onePage, &changes)
		c.cfg.Sources.QueueHistory(b, subject, &history)
		c.cfg.Contacts.Queue(b, subject, &given)
	})
	if err != nil || !in {
		return err
	}
	history.Tell(changes.Entries)
	data := c.profilePage(v.Token.Subject, known, changes, since, c.site.Language(r))
	data.Contact = given
	return c.show(w, r, "profile", data)
}

// profilePage puts a profile, and what the journal knows to have changed in it since a time.
func (c *Cabinet) profilePage(subject string, o official, changes journal.Page, since time.Time, language string) profilePage {
	if since.Before(o.profile.CreatedAt) {
		since = o.profile.CreatedAt
	}
	return profilePage{
		UpdatedAt: o.profile.UpdatedAt, StateAt: o.profile.StateAt,
		Register: c.registerLines(subject, o, language), Told: c.toldLines(o, language), Silent: c.silent(o.told, language),
		Changes: c.lines(changes.Entries, language), More: !changes.Next.IsZero(), Since: since,
	}
}

// silent are the sources that do not answer and of which nothing is shown, by which it could be told.
func (c *Cabinet) silent(told profile.Told, language string) (all []string) {
	for _, s := range c.cfg.Sources.All() {
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
