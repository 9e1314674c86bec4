package cabinet

import (
	"net/http"
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
		since   = c.earliest()
	)
	v, in, err := c.visit(w, r, func(b *pgx.Batch, subject string) {
		profile.Queue(b, subject, &mine)
		journal.Queue(b, subject, journal.Filter{About: journal.Changes, Since: since}, journal.Place{}, onePage, &changes)
		c.cfg.Contacts.Queue(b, subject, &given)
	})
	if err != nil || !in {
		return err
	}
	data := c.profilePage(v.Token.Subject, mine, changes, since, c.site.Language(r))
	data.Contact = given
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
