package cabinet

import (
	"net/url"
	"slices"
	"time"

	"asoba.example/cabinet/journal"
	"asoba.example/provider/page"
)

// filterOf reads which entries are looked for: by whom, about what, and of which days in Minsk, the last one among them. wrong are the names
// of what cannot be read.
func (c *Cabinet) filterOf(q url.Values) (f journal.Filter, wrong []string) {
	day := func(name string) (at time.Time) {
		if s := q.Get(name); s != "" {
			var err error
			if at, err = time.ParseInLocation(time.DateOnly, s, c.minsk); err != nil {
				wrong = append(wrong, name)
			}
		}
		return at
	}
	if f.Actor = journal.Actor(q.Get("actor")); f.Actor != "" && !slices.Contains(journal.Actors, f.Actor) {
		wrong = append(wrong, "actor")
	}
	if f.About = journal.Topic(q.Get("about")); f.About != "" && !slices.Contains(journal.Topics, f.About) {
		wrong = append(wrong, "about")
	}
	f.Since, f.Till = day("since"), day("till")
	if !f.Till.IsZero() {
		f.Till = f.Till.AddDate(0, 0, 1)
		if f.Till.Before(f.Since) || f.Till.Equal(f.Since) {
			wrong = append(wrong, "till")
		}
	}
	if earliest := c.earliest(); f.Since.Before(earliest) {
		f.Since = earliest
	}
	return f, wrong
}

// earliest is how far back the journal is shown. What is older is kept for a while yet, and for others.
func (c *Cabinet) earliest() time.Time { return c.cfg.Now().AddDate(-c.cfg.JournalYears, 0, 0) }

// filterForm is what the form shows: what was entered, and what can be chosen.
type filterForm struct {
	Actor, About, Since, Till string
	Actors, Topics            []page.Option
}

func (c *Cabinet) filterForm(q url.Values, language string) filterForm {
	form := filterForm{Actor: q.Get("actor"), About: q.Get("about"), Since: q.Get("since"), Till: q.Get("till")}
	option := func(value, word string) page.Option {
		return page.Option{Value: value, Text: c.site.Say(language, word, nil)}
	}
	form.Actors = []page.Option{option("", "actor.any")}
	for _, a := range journal.Actors {
		form.Actors = append(form.Actors, option(string(a), "actor."+string(a)))
	}
	form.Topics = []page.Option{option("", "topic.any")}
	for _, t := range journal.Topics {
		form.Topics = append(form.Topics, option(string(t), "topic."+string(t)))
	}
	return form
}

// Given tells whether anything was.
func (f filterForm) Given() bool { return f.Actor+f.About+f.Since+f.Till != "" }

// at is the address of a page of what was asked for, from a place on; "" is before the newest entry.
func (f filterForm) at(from string) string {
	query := url.Values{}
	for name, value := range map[string]string{"actor": f.Actor, "about": f.About, "since": f.Since, "till": f.Till, "from": from} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if len(query) == 0 {
		return "/journal"
	}
	return "/journal?" + query.Encode()
}
