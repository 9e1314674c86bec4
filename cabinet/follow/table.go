package follow

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"
)

// A table is people as CSV.
type table struct{ *csv.Reader }

// tableColumns are the values of a person, and then each fact with its act.
var tableColumns = []string{
	"id", "identification_number", "sex", "birth_date", "citizenship",
	"death_date", "death_act", "declared_dead_date", "declared_dead_act", "missing_date", "missing_act",
	"incapable_date", "incapable_act", "limited_date", "limited_act", "deactivated_for",
}

// openTable reads the head.
func openTable(from io.Reader) (table, error) {
	t := table{csv.NewReader(from)}
	t.ReuseRecord = true
	head, err := t.Read()
	if err == nil && !slices.Equal(head, tableColumns) {
		err = errors.New("other columns than are known here")
	}
	return t, err
}

// next gives the next person, io.EOF after the last one. Errors do not tell what stands there.
func (t table) next() (person, error) {
	row, err := t.Read()
	if err != nil {
		return person{}, err
	}
	line, _ := t.FieldPos(0)
	id, err := uuid.Parse(row[0])
	if err != nil {
		return person{}, fmt.Errorf("line %d: no id", line)
	}
	p := person{ID: id, IdentificationNumber: row[1], Sex: row[2], BirthDate: row[3], Citizenship: row[4], DeactivatedFor: row[15]}
	for i, f := range []**fact{&p.Death, &p.DeclaredDead, &p.Missing, &p.Incapable, &p.Limited} {
		since := row[5+2*i]
		if since == "" {
			continue
		}
		at, err := time.Parse(time.DateOnly, since)
		if err != nil {
			return person{}, fmt.Errorf("line %d: no date", line)
		}
		*f = &fact{date{at}}
	}
	return p, nil
}
