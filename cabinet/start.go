package cabinet

import (
	"net/http"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/contact"
	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
)

// lastEntries is how many entries of the journal the start page shows.
const lastEntries = 5

// start handles GET /.
func (c *Cabinet) start(w http.ResponseWriter, r *http.Request) error {
	var (
		mine    profile.Profile
		last    journal.Page
		news    []journal.News
		given   contact.Contact
		history profile.History
	)
	v, in, err := c.visit(w, r, func(b *pgx.Batch, subject string) {
		profile.Queue(b, subject, &mine)
		journal.Queue(b, subject, journal.Filter{Since: c.earliest()}, journal.Place{}, lastEntries, &last)
		journal.QueueNews(b, subject, c.cfg.Now().Add(-newsFor), &news)
		c.cfg.Contacts.Queue(b, subject, &given)
		c.cfg.Sources.QueueHistory(b, subject, &history)
	})
	if err != nil || !in {
		return err
	}
	history.Tell(last.Entries)
	return c.show(w, r, "start", startPage{
		Name: v.Name, Since: mine.StateAt, Matters: c.attention(news, given, v.Token.ACR),
		Entries: c.lines(last.Entries, c.site.Language(r)), Security: c.securityPage(),
	})
}

// empty handles the pages of what the cabinet does not offer yet, and says so.
func (c *Cabinet) empty(name string) func(w http.ResponseWriter, r *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if _, in, err := c.visit(w, r, nil); err != nil || !in {
			return err
		}
		return c.show(w, r, name, nil)
	}
}
