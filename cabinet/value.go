package cabinet

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/dispute"
	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/provider/page"
)

var errNoValue = errors.New("the citizen has no such value")

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

// valueLine is an official value as its citizen reads it.
type valueLine struct {
	Name     string     // in addresses, and to the journal
	Word     string     // key of what it is
	Text     string     // the value
	Day      *time.Time // the value, where it is a day
	Says     string     // key of what is said of that day; "" where it is shown by itself
	Source   string     // what it is called; "" for the register
	Basis    string
	At       time.Time  // when it stood so at the source; of the register's values, since when it stands so here
	Silent   *time.Time // since when the source has not answered; nil while it does
	Disputed *time.Time // since when; nil where it is not
	raw      string
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
		all[i].Disputed = o.disputedAt(all[i].Name)
	}
	return all
}

// toldLines are what other systems told.
func (c *Cabinet) toldLines(o official, language string) []valueLine {
	all := make([]valueLine, len(o.told.Values))
	for i, v := range o.told.Values {
		all[i] = valueLine{
			Name: v.Name, Word: fieldWord(v.Name), Text: c.value(v.Name, v.Value, language), Source: c.sourceTitle(v.Source, language),
			Basis: c.cfg.Sources.Find(v.Source).Basis.In(language), At: v.At, Silent: v.Silent, Disputed: o.disputedAt(v.Name), raw: v.Value,
		}
	}
	return all
}

// goneLine is a value that there was when the citizen disputed it.
func (c *Cabinet) goneLine(d *dispute.Dispute, o official, language string) valueLine {
	l := valueLine{Name: d.Name, Word: fieldWord(d.Name), Text: c.value(d.Name, "", language), At: d.At, Disputed: o.disputedAt(d.Name)}
	if d.Source != profile.Register {
		l.Source, l.Basis = c.sourceTitle(d.Source, language), c.cfg.Sources.Find(d.Source).Basis.In(language)
	}
	return l
}

func (o official) disputedAt(name string) *time.Time {
	if d := o.disputed(name); d != nil {
		return &d.At
	}
	return nil
}

// source is who a value is from; the register, where nobody else has told it.
func (o official) source(name string) string {
	for _, v := range o.told.Values {
		if v.Name == name {
			return v.Source
		}
	}
	return profile.Register
}

// valuePage is one value: who says so, how it has changed, and what the citizen says to it.
type valuePage struct {
	valueLine
	Changes   []line // the latest first
	Dispute   *dispute.Dispute
	Stood     string   // the value, when it was disputed
	Said      []string // the lines of it
	Answer    []string // and those of the answer
	Words     string   // as they were entered
	Restricts bool
}

// valueChanges is how many changes of a profile are looked through for those of one value.
const valueChanges = 200

// visitValue lets the citizen in to one of the values that there are of them.
func (c *Cabinet) visitValue(w http.ResponseWriter, r *http.Request) (v visitor, o official, p valuePage, in bool, err error) {
	var (
		changes  journal.Page
		history  profile.History
		language = c.site.Language(r)
	)
	v, in, err = c.visit(w, r, func(b *pgx.Batch, subject string) {
		c.queueOfficial(b, subject, &o)
		journal.Queue(b, subject, journal.Filter{About: journal.Changes, Since: c.earliest()}, journal.Place{}, valueChanges, &changes)
		c.cfg.Sources.QueueHistory(b, subject, &history)
	})
	if err != nil || !in {
		return v, o, p, false, err
	}
	name := r.PathValue("name")
	all := slices.Concat(c.registerLines(v.Token.Subject, o, language), c.toldLines(o, language))
	i := slices.IndexFunc(all, func(l valueLine) bool { return l.Name == name })
	if d := o.dispute(name); i < 0 && d != nil { // it is there no longer, and what was said of it still is
		i, all = 0, []valueLine{c.goneLine(d, o, language)}
	}
	if i < 0 {
		return v, o, p, false, page.Refuse(http.StatusNotFound, "error.not_found", errNoValue)
	}
	history.Tell(changes.Entries)
	mine := slices.DeleteFunc(changes.Entries, func(e journal.Entry) bool { return e.Detail["field"] != name })
	return v, o, c.valuePage(all[i], mine, o.dispute(name), language), true, nil
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
	_, _, p, in, err := c.visitValue(w, r)
	if err != nil || !in {
		return err
	}
	return c.site.Show(w, r, c.valueView(p, c.site.Language(r)))
}

func (c *Cabinet) valueView(p valuePage, language string) page.View {
	title := map[string]any{"Name": c.site.Say(language, p.Word, nil)}
	return page.View{Name: "value", TitleArgs: title, Data: p, SignedIn: true, Wide: true, Back: "/profile"}
}

// dispute handles POST /profile/values/{name}: the citizen says that the value is wrong, or takes that back.
func (c *Cabinet) dispute(w http.ResponseWriter, r *http.Request) error {
	v, o, p, in, err := c.visitValue(w, r)
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
			return c.site.Show(w, r, view)
		}
		source := o.source(p.Name)
		err = c.cfg.Disputes.Make(r.Context(), v.Token.Subject, dispute.Dispute{
			Name: p.Name, Source: source, Value: p.raw, Words: words, Restricts: p.Restricts && source != profile.Register,
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
