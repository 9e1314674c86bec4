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
	fmt.Fprintf(&file, "# country BY\n# edition %d\n# period 2025-%02d\n# rows %d\n", edition, edition, len(people))
	file.WriteString(strings.Join(columns, ",") + "\n")
	for _, p := range people {
		told := Row(p, edition)
		row := make([]string, len(columns))
		for i, column := range columns {
			row[i] = told[column]
		}
		file.WriteString(strings.Join(row, ",") + "\n")
	}
	return file.String()
}

// columns are those of a register's file.
var columns = []string{
	"identification_number", "sex", "birth_date", "citizenship", "death_date", "death_act", "declared_dead_date", "declared_dead_act",
	"missing_date", "missing_act", "incapable_date", "incapable_act", "limited_date", "limited_act",
}

// Row is what an edition tells of somebody, by column.
func Row(p Person, edition int) map[string]string {
	facts := p.Before
	if edition == Editions {
		facts = p.since()
	}
	row := map[string]string{
		"identification_number": p.IdentificationNumber, "sex": p.Sex, "birth_date": p.BirthDate, "citizenship": p.Citizenship,
	}
	for fact, told := range map[string]struct{ date, act string }{
		"death":     {facts.Death, "act record 1"},
		"missing":   {facts.Missing, "court decision 2"},
		"incapable": {facts.Incapable, "court decision 3"},
		"limited":   {facts.Limited, "court decision 4"},
	} {
		if told.date != "" {
			row[fact+"_date"], row[fact+"_act"] = told.date, told.act
		}
	}
	return row
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
