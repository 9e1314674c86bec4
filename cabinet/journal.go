package cabinet

import (
	"errors"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/provider/page"
)

// onePage is how many entries a page of the journal shows.
const onePage = 25

// journal handles GET /journal.
func (c *Cabinet) journal(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	from, err := fromOf(r)
	if err != nil {
		return err
	}
	filter, wrong := c.filterOf(query)
	var (
		found   journal.Page
		history profile.History
	)
	_, in, err := c.visit(w, r, func(b *pgx.Batch, subject string) {
		if wrong == nil {
			journal.Queue(b, subject, filter, from, onePage, &found)
			c.cfg.Sources.QueueHistory(b, subject, &history)
		}
	})
	if err != nil || !in {
		return err
	}
	history.Tell(found.Entries)
	language := c.site.Language(r)
	data := journalPage{
		Form: c.filterForm(query, language), Wrong: wrong != nil, Entries: c.lines(found.Entries, language), Security: c.securityPage(),
		Keys: c.cfg.URL + "/jwks", Since: c.earliest(), ShownYears: c.cfg.JournalYears,
	}
	data.turns = turnsOf(from, found, data.Form.at)
	view := page.View{Name: "journal", Data: data, SignedIn: true, Wide: true}
	for _, name := range wrong {
		view.Status = http.StatusBadRequest
		view.Errors = append(view.Errors, page.FieldError{Field: name, Word: "wrong." + name})
	}
	return c.site.Show(w, r, view)
}

// fromOf reads from which place on a page shows entries; the zero Place is before the newest one.
func fromOf(r *http.Request) (from journal.Place, err error) {
	if s := r.URL.Query().Get("from"); s != "" {
		if from, err = journal.ParsePlace(s); err != nil {
			return from, page.Refuse(http.StatusNotFound, "error.not_found", err)
		}
	}
	return from, nil
}

// turnsOf is where a page leads to that shows what was found from a place on; at is its address from another.
func turnsOf(from journal.Place, found journal.Page, at func(from string) string) (t turns) {
	if !found.Next.IsZero() {
		t.Older = at(found.Next.String())
	}
	if !from.IsZero() {
		t.Newest = at("")
	}
	return t
}

// entry handles GET /journal/{id}.
func (c *Cabinet) entry(w http.ResponseWriter, r *http.Request) error {
	id, err := entryOf(r)
	if err != nil {
		return err
	}
	var (
		found   journal.Entry
		history profile.History
	)
	_, in, err := c.visit(w, r, func(b *pgx.Batch, subject string) {
		journal.Find(b, subject, id, c.earliest(), &found)
		c.cfg.Sources.QueueHistory(b, subject, &history)
	})
	switch {
	case err != nil || !in:
		return err
	case found.ID == uuid.Nil:
		return page.Refuse(http.StatusNotFound, "error.not_found", journal.ErrUnknown)
	}
	history.Tell([]journal.Entry{found})
	return c.site.Show(w, r, page.View{
		Name: "entry", Data: c.entryPage(found, c.site.Language(r)), SignedIn: true, Wide: true, Back: c.back(r, "/journal"),
	})
}

// report handles POST /journal/{id}/report: the citizen does not recognise the entry. The page that follows tells what to do.
func (c *Cabinet) report(w http.ResponseWriter, r *http.Request) error {
	id, err := entryOf(r)
	if err != nil {
		return err
	}
	v, in, err := c.visit(w, r, nil)
	if err != nil || !in {
		return err
	}
	err = journal.Report{Entry: id, ACR: v.Token.ACR, At: c.cfg.Now()}.Make(r.Context(), c.cfg.Pool, v.Token.Subject)
	switch {
	case errors.Is(err, journal.ErrUnknown):
		return page.Refuse(http.StatusNotFound, "error.not_found", err)
	case err != nil:
		return err
	}
	http.Redirect(w, r, "/journal/"+id.String(), http.StatusSeeOther)
	return nil
}

// entryOf reads which entry a path names.
func entryOf(r *http.Request) (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return id, page.Refuse(http.StatusNotFound, "error.not_found", journal.ErrUnknown)
	}
	return id, nil
}
