package cabinet

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/cabinet/wall"
	"asoba.example/provider/api"
	"asoba.example/provider/page"
)

// exportType is the typ of a journal as a signed file.
const exportType = "journal+jwt"

// Streams tells the requests whose answers are as long as there is to tell.
func Streams(r *http.Request) bool {
	return r.URL.Path == "/journal/export" || r.URL.Path == "/profile/data/export"
}

// A file is what a citizen takes along.
type file struct {
	name, ending, kind string    // the days stand between the first two
	since, till        time.Time // of the entries in it; no till is up to now
	write              func(io.Writer) error
}

// Kinds of files: what people read, and what others check.
const (
	tableKind  = "text/csv; charset=utf-8"
	signedKind = "application/jose"
)

// export handles POST /journal/export: what a filter looks for, as a file.
func (c *Cabinet) export(w http.ResponseWriter, r *http.Request) error {
	v, in, err := c.visit(w, r, nil) // before anything is read, for which a stranger could take an hour
	if err != nil || !in {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return page.Refuse(http.StatusBadRequest, "error.export", err)
	}
	filter, wrong := c.filterOf(r.PostForm)
	format := r.PostForm.Get("format")
	taken, known := map[string]file{
		"csv":  {"journal", "csv", tableKind, filter.Since, filter.Till, func(w io.Writer) error { return c.writeCSV(w, r, v, filter) }},
		"json": {"journal", "jws", signedKind, filter.Since, filter.Till, func(w io.Writer) error { return c.writeJournal(w, r, v, filter) }},
	}[format]
	if wrong != nil || !known {
		return page.Refuse(http.StatusBadRequest, "error.export", fmt.Errorf("wrong: %v, format", wrong))
	}
	return c.hand(w, r, v, taken, journal.Entry{Kind: journal.JournalExported, Detail: map[string]string{"format": format}})
}

// hand hands out a file. That it was taken is an entry of the journal, written before the first byte goes out.
func (c *Cabinet) hand(w http.ResponseWriter, r *http.Request, v visitor, f file, taken journal.Entry) error {
	taken.At, taken.ACR = c.cfg.Now(), v.Token.ACR
	if err := journal.Write(r.Context(), c.cfg.Pool, v.Token.Subject, taken); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	// A table has no other place that says which entries it could have.
	last := taken.At
	if !f.till.IsZero() && f.till.Before(last) {
		last = f.till.AddDate(0, 0, -1)
	}
	days := f.since.In(c.minsk).Format(time.DateOnly) + "--" + last.In(c.minsk).Format(time.DateOnly)
	h.Set("Content-Disposition", `attachment; filename="`+f.name+"-"+days+"."+f.ending+`"`)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	buffered := bufio.NewWriterSize(w, 32<<10)
	if err := f.write(buffered); err != nil {
		api.Note(r, err)
		panic(http.ErrAbortHandler) // a part of a file must not look like the whole
	}
	return buffered.Flush()
}

// writeCSV writes what is read by people, in their language (RFC 4180). By the mark before it spreadsheets know that it is UTF-8.
func (c *Cabinet) writeCSV(w io.Writer, r *http.Request, v visitor, f journal.Filter) error {
	language := c.site.Language(r)
	say := func(word string) string {
		if word == "" {
			return ""
		}
		return c.site.Say(language, word, nil)
	}
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	lines := csv.NewWriter(w)
	lines.UseCRLF = true
	head := []string{
		"entry.id", "csv.minsk", "csv.utc", "csv.what", "entry.who", "entry.where", "entry.through", "csv.office", "entry.how", "csv.level", "entry.device",
		"entry.place", "csv.old", "csv.new", "csv.source", "entry.given", "entry.result",
	}
	for i := range head {
		head[i] = say(head[i])
	}
	if err := lines.Write(head); err != nil {
		return err
	}
	err := c.each(r, v, f, func(e journal.Entry) error {
		p := c.entryPage(e, language)
		result := "entry.done"
		if p.Refused {
			result = "entry.refused"
		}
		fields := []string{
			p.ID.String(), p.At.In(c.minsk).Format(time.DateTime), p.UTC, say(p.Word), say(p.Who), p.Site, p.System, p.Office, say(p.Level), say(p.ACR), p.Agent,
			p.Place, p.Old, p.New, p.Source, strings.Join(p.Given, "; "), say(result),
		}
		for i := range fields {
			fields[i] = harmless(fields[i])
		}
		return lines.Write(fields)
	})
	lines.Flush()
	return errors.Join(err, lines.Error())
}

// each hands on the entries that a filter looks for, with what was and what is in those of changes.
func (c *Cabinet) each(r *http.Request, v visitor, f journal.Filter, do func(journal.Entry) error) error {
	var (
		b       pgx.Batch
		history profile.History
	)
	wall.Queue(&b, v.Token.Subject, "")
	c.cfg.Sources.QueueHistory(&b, v.Token.Subject, &history)
	if err := c.cfg.Pool.SendBatch(r.Context(), &b).Close(); err != nil {
		return err
	}
	return journal.Each(r.Context(), c.cfg.Pool, v.Token.Subject, f, func(e journal.Entry) error {
		history.Tell([]journal.Entry{e})
		return do(e)
	})
}

// harmless keeps a spreadsheet from taking for a formula what somebody has had written into the journal: the name of a site, say.
func harmless(field string) string {
	if strings.IndexAny(field, "=+-@\t\r") == 0 {
		return "'" + field
	}
	return field
}

// claims say who signed a file, about whom, and when.
type claims struct {
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
	At      int64  `json:"iat"`
}

func (c *Cabinet) claims(v visitor) claims {
	return claims{c.cfg.URL, v.Token.Subject, c.cfg.Now().Unix()}
}

// journalFile is what the file says before the entries.
type journalFile struct {
	claims
	Actor  journal.Actor `json:"actor,omitempty"` // of this and the next only; so was asked
	About  journal.Topic `json:"about,omitempty"`
	Since  time.Time     `json:"since,omitzero"`
	Before time.Time     `json:"before,omitzero"`
}

// writeJournal writes what a filter looks for, and says what that was.
func (c *Cabinet) writeJournal(w io.Writer, r *http.Request, v visitor, f journal.Filter) error {
	return c.writeSigned(w, r, v, f, exportType, journalFile{
		claims: c.claims(v), Actor: f.Actor, About: f.About, Since: f.Since.UTC(), Before: f.Till.UTC(),
	})
}

// writeSigned writes what a program reads, and what proves that it came from here: a compact JWS (RFC 7515), signed by a key of /jwks. Its
// last member are the entries that a filter looks for.
func (c *Cabinet) writeSigned(w io.Writer, r *http.Request, v visitor, f journal.Filter, typ string, said any) error {
	signed, err := c.cfg.Keys.Stream(r.Context(), typ, w)
	if err != nil {
		return err
	}
	entries, err := openList(signed, said, "entries")
	if err != nil {
		return err
	}
	if err := c.each(r, v, f, func(e journal.Entry) error { return entries.add(apiEntryOf(e)) }); err != nil {
		return err
	}
	if err := entries.close(); err != nil {
		return err
	}
	return signed.Close()
}

// A list is the last member of a JSON object. Each item is written as it comes, so that nobody holds all of them at once.
type list struct {
	out   io.Writer
	begun bool
}

// openList begins the object with what is said, which is something.
func openList(out io.Writer, said any, name string) (*list, error) {
	object, err := json.Marshal(said)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(out, `%s,%q:[`, bytes.TrimSuffix(object, []byte("}")), name)
	return &list{out: out}, err
}

func (l *list) add(item any) error {
	text, err := json.Marshal(item)
	if err != nil {
		return err
	}
	if l.begun {
		text = append([]byte(","), text...)
	}
	l.begun = true
	_, err = l.out.Write(text)
	return err
}

// close ends the list, and the object with it.
func (l *list) close() error {
	_, err := io.WriteString(l.out, "]}")
	return err
}

// jwks handles GET /jwks: by which keys what the cabinet has signed is proved (RFC 7517 §5).
func (c *Cabinet) jwks(w http.ResponseWriter, r *http.Request) error {
	set, err := c.cfg.Keys.Public(r.Context())
	if err != nil {
		return err
	}
	text, err := json.Marshal(set)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	_, err = w.Write(text)
	return err
}
