package login

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/login/throttle"
	"asoba.example/provider/page"
)

// rulesPage handles GET /rules: what the operator has settled, for everybody to read (order 82, p. 3).
func (l *Login) rulesPage(w http.ResponseWriter, r *http.Request) error {
	rows, err := l.cfg.Policies.InForce(r.Context())
	if err != nil {
		return err
	}
	settled := map[string]policy.Row{}
	for _, row := range rows {
		settled[row.Name] = row
	}
	var data rulesPage
	for _, c := range policy.Chapters {
		chapter := chapter{Word: "rules." + c.Name}
		for _, item := range c.Items {
			rule := rule{Word: "rule." + item.Name()}
			row, ok := settled[item.Name()]
			if value, err := item.Read(row.Value); ok && err == nil {
				rule.Value, rule.From, rule.Ground, rule.ApprovedAt = l.inWords(r, value), row.InForceFrom, &row.Ground, *row.DecidedAt
			} else {
				value, _ := item.Read(item.Default())
				rule.Value = l.inWords(r, value)
			}
			chapter.Rules = append(chapter.Rules, rule)
		}
		data.Chapters = append(data.Chapters, chapter)
	}
	return l.cfg.Site.Show(w, r, page.View{Name: "rules", Data: data})
}

// inWords says a value as people do.
func (l *Login) inWords(r *http.Request, value any) string {
	language := l.cfg.Site.Language(r)
	length := func(d time.Duration) string {
		for _, unit := range []struct {
			word string
			is   time.Duration
		}{{"days", 24 * time.Hour}, {"hours", time.Hour}, {"minutes", time.Minute}} {
			if d >= unit.is && d%unit.is == 0 {
				return l.cfg.Site.Say(language, "length."+unit.word, map[string]any{"Count": int(d / unit.is)})
			}
		}
		return l.cfg.Site.Say(language, "length.seconds", map[string]any{"Count": int(d / time.Second)})
	}
	switch v := value.(type) {
	case time.Duration:
		return length(v)
	case []time.Duration:
		all := make([]string, len(v))
		for i, d := range v {
			all[i] = length(d)
		}
		return strings.Join(all, ", ")
	case throttle.Limit:
		return l.cfg.Site.Say(language, "rule.limit", map[string]any{"Tries": v.Tries, "In": length(v.In)})
	case policy.Share:
		if language == "en" {
			return v.String()
		}
		return strings.Replace(v.String(), ".", ",", 1)
	case policy.Hours:
		return v.String()
	case identity.Cost:
		return l.cfg.Site.Say(language, "rule.cost", map[string]any{"Memory": v.Memory, "Passes": v.Passes, "Lanes": v.Lanes})
	case bool:
		return l.cfg.Site.Say(language, "rule."+map[bool]string{true: "yes", false: "no"}[v], nil)
	case int:
		return strconv.Itoa(v)
	}
	return ""
}
