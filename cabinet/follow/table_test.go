package follow

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// People are read from a table as it is written (RFC 4180), and nothing is read of one that is otherwise, nor of a line that was cut off.
func TestATableOfPeople(t *testing.T) {
	t.Parallel()
	head := strings.Join(tableColumns[:], ",") + "\n"
	id := anna.String()
	for story, c := range map[string]struct {
		table string
		want  person // the last one
		wrong string
	}{
		"nobody":            {table: head},
		"somebody":          {head + id + ",1,F,1956-03,BY,,,,,,,,,,,\n", person{ID: anna, IdentificationNumber: "1", Sex: "F", BirthDate: "1956-03", Citizenship: "BY"}, ""},
		"lines end in CRLF": {head + id + ",1,F,1956-03,BY,,,,,,,,,,,incapable\r\n", person{ID: anna, IdentificationNumber: "1", Sex: "F", BirthDate: "1956-03", Citizenship: "BY", DeactivatedFor: "incapable"}, ""},
		"an act in quotes":  {head + id + `,1,F,1956-03,BY,,"Act 1, of ""A""",,,,,,,,,incapable` + "\n", person{ID: anna, IdentificationNumber: "1", Sex: "F", BirthDate: "1956-03", Citizenship: "BY", DeactivatedFor: "incapable"}, ""},
		"nothing":           {"", person{}, "EOF"},
		"another table":     {strings.Replace(head, "sex", "name", 1), person{}, "other columns than are known here"},
		"one column more":   {strings.TrimSpace(head) + ",more\n", person{}, "line 1 is no row of 16 values"},
		"a value less":      {head + id + ",1,F,1956-03,BY,,,,,,,,,,\n", person{}, "line 2 is no row of 16 values"},
		"a value more":      {head + id + ",1,F,1956-03,BY,,,,,,,,,,,,\n", person{}, "line 2 is no row of 16 values"},
		"less in quotes":    {head + id + `,1,F,1956-03,BY,,"1, 2",,,,,,,,` + "\n", person{}, "line 2 is no row of 16 values"},
		"more in quotes":    {head + id + `,1,F,1956-03,BY,,"1, 2",,,,,,,,,,` + "\n", person{}, "line 2 is no row of 16 values"},
		"quotes amid":       {head + id + `,1,F,1956-03,BY,,A "1",,,,,,,,,` + "\n", person{}, "line 2 is no row of 16 values"},
		"cut off":           {head + id + ",1,F,1956-03,BY,,,,,,,,,,,", person{}, "line 2: unexpected EOF"},
		"no id":             {head + "1,1,F,1956-03,BY,,,,,,,,,,,\n", person{}, "line 2: no id"},
		"no date":           {head + id + ",1,F,1956-03,BY,2026-13-01,,,,,,,,,,\n", person{}, "line 2: no date"},
		"no end":            {head + strings.Repeat("A", 1<<17), person{}, "line 2 is too long"},
	} {
		var got person
		people, err := openTable(strings.NewReader(c.table))
		for err == nil {
			var next person
			if next, err = people.next(); err == nil {
				got = next
			}
		}
		wrong := err.Error()
		if errors.Is(err, io.EOF) && c.table != "" {
			wrong = ""
		}
		if got != c.want || wrong != c.wrong {
			t.Errorf("%s: got %+v, %q, want %+v, %q", story, got, wrong, c.want, c.wrong)
		}
	}
}
