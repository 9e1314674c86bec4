package cabinet

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/dispute"
	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/provider/page"
)

var errNoValue = errors.New("the citizen has no such value")

// visitValue lets the citizen in to one of the values that there are of them.
func (c *Cabinet) visitValue(w http.ResponseWriter, r *http.Request) (v visitor, p valuePage, in bool, err error) {
	name := r.PathValue("name")
	if !isValue(r.URL.Path) {
		return v, p, false, page.Refuse(http.StatusNotFound, "error.not_found", errNoValue)
	}
	from, err := fromOf(r)
	if err != nil {
		return v, p, false, err
	}
	var (
		o        official
		changes  journal.Page
		history  profile.History
		language = c.site.Language(r)
	)
	v, in, err = c.visit(w, r, func(b *pgx.Batch, subject string) {
		c.queueOfficial(b, subject, &o)
		journal.Queue(b, subject, journal.Filter{About: journal.Changes, Field: name, Since: c.earliest()}, from, onePage, &changes)
		c.cfg.Sources.QueueHistory(b, subject, &history)
	})
	if err != nil || !in {
		return v, p, false, err
	}
	all := slices.Concat(c.registerLines(v.Token.Subject, o, language), c.toldLines(o, language))
	i := slices.IndexFunc(all, func(l valueLine) bool { return l.Name == name })
	if d := o.dispute(name); i < 0 && d != nil { // it is there no longer, and what was said of it still is
		i, all = 0, []valueLine{c.goneLine(d, o, language)}
	}
	if i < 0 {
		return v, p, false, page.Refuse(http.StatusNotFound, "error.not_found", errNoValue)
	}
	history.Tell(changes.Entries)
	p = c.valuePage(all[i], changes.Entries, o.dispute(name), language)
	p.turns = turnsOf(from, changes, func(from string) string {
		if from != "" {
			from = "?" + url.Values{"from": {from}}.Encode()
		}
		return r.URL.Path + from + "#changes"
	})
	return v, p, true, nil
}

func (c *Cabinet) valuePage(l valueLine, changes []journal.Entry, d *dispute.Dispute, language string) valuePage {
	p := valuePage{valueLine: l, Changes: c.lines(changes, language), Dispute: d}
	if d != nil {
		p.Stood = c.value(d.Name, d.Value, language)
		p.Said = strings.Split(d.Words, "\n")
		p.Answer = strings.Split(d.Answer, "\n")
	}
	return p
}

// showValue handles GET /profile/values/{name}.
func (c *Cabinet) showValue(w http.ResponseWriter, r *http.Request) error {
	v, p, in, err := c.visitValue(w, r)
	if err != nil || !in {
		return err
	}
	return c.showForm(w, r, v, c.valueView(p, c.site.Language(r)))
}

func (c *Cabinet) valueView(p valuePage, language string) page.View {
	title := map[string]any{"Name": c.site.Say(language, p.Word, nil)}
	return page.View{Name: "value", TitleArgs: title, Data: p, Back: "/profile"}
}

// dispute handles POST /profile/values/{name}: the citizen says that the value is wrong, or takes that back.
func (c *Cabinet) dispute(w http.ResponseWriter, r *http.Request) error {
	v, p, in, err := c.visitValue(w, r)
	if err != nil || !in {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return page.Refuse(http.StatusBadRequest, "error.dispute", err)
	}
	if r.PostForm.Get("decision") == "withdraw" {
		err = c.cfg.Disputes.Withdraw(r.Context(), v.Token.Subject, p.Name, v.Token.ACR, c.cfg.Now())
	} else {
		p.Words, p.Restricts = r.PostForm.Get("words"), r.PostForm.Has("restricts")
		words, wrong := dispute.ParseWords(p.Words)
		if wrong != nil {
			view := c.valueView(p, c.site.Language(r))
			view.Status, view.Errors = http.StatusBadRequest, []page.FieldError{{Field: "words", Word: "wrong.words"}}
			return c.showForm(w, r, v, view)
		}
		err = c.cfg.Disputes.Make(r.Context(), v.Token.Subject, dispute.Dispute{
			Name: p.Name, Source: p.from, Value: p.raw, Words: words, Restricts: p.Restricts && p.from != profile.Register,
		}, v.Token.ACR, c.cfg.Now())
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/profile/values/"+p.Name, http.StatusSeeOther)
	return nil
}

// isValue tells whether a path is the page of a value that there may be.
func isValue(path string) bool {
	name, ok := strings.CutPrefix(path, "/profile/values/")
	return ok && (slices.Contains(profile.Names, name) || slices.Contains(profile.RegisterNames, name))
}
