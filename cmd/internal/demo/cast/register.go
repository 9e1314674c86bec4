package cast

import (
	"cmp"
	"fmt"
	"strings"
)

// Editions is how many editions of the population register the demo brings, a month apart.
const Editions = 2

// Register is an edition of the population register, as a file for the import. Each tells of everybody.
func Register(edition int) string {
	var file strings.Builder
	fmt.Fprintf(&file, "# edition %d\n# period 2025-%02d\n# rows %d\n", edition, edition, len(people))
	file.WriteString("identification_number,sex,birth_date,citizenship,death_date,death_act,declared_dead_date,declared_dead_act," +
		"missing_date,missing_act,incapable_date,incapable_act,limited_date,limited_act\n")
	for _, p := range people {
		facts := p.Before
		if edition == Editions {
			facts = p.since()
		}
		row := []string{p.IdentificationNumber, p.Sex, p.BirthDate, p.Citizenship}
		for _, f := range []struct{ date, act string }{
			{facts.Death, "act record 1"},
			{"", ""}, // declared dead
			{facts.Missing, "court decision 2"},
			{facts.Incapable, "court decision 3"},
			{facts.Limited, "court decision 4"},
		} {
			if f.date == "" {
				f.act = ""
			}
			row = append(row, f.date, f.act)
		}
		file.WriteString(strings.Join(row, ",") + "\n")
	}
	return file.String()
}

// since is what holds in the last edition: what came, and what held before.
func (p Person) since() Facts {
	return Facts{
		Death:     cmp.Or(p.Since.Death, p.Before.Death),
		Missing:   cmp.Or(p.Since.Missing, p.Before.Missing),
		Incapable: cmp.Or(p.Since.Incapable, p.Before.Incapable),
		Limited:   cmp.Or(p.Since.Limited, p.Before.Limited),
	}
}
