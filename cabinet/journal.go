package cabinet

import (
	"net/http"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
	"asoba.example/provider/page"
)

// onePage is how many entries a page of the journal shows.
const onePage = 25

// journal handles GET /journal.
func (c *Cabinet) journal(w http.ResponseWriter, r *http.Request) error {
	var from journal.Place
	if s := r.URL.Query().Get("from"); s != "" {
		var err error
		if from, err = journal.ParsePlace(s); err != nil {
			return page.Refuse(http.StatusNotFound, "error.not_found", err)
		}
	}
	var found journal.Page
	_, in, err := c.visit(w, r, func(b *pgx.Batch, subject string) { journal.Queue(b, subject, from, onePage, &found) })
	if err != nil || !in {
		return err
	}
	data := journalPage{
		Entries: c.lines(found.Entries, c.site.Language(r)), Newest: from.IsZero(), Security: c.securityPage(),
	}
	if !found.Next.IsZero() {
		data.Older = "/journal?from=" + found.Next.String()
	}
	return c.show(w, r, "journal", data)
}
