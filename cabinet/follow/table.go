package follow

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
)

// A table is people as CSV (RFC 4180), in no value of which a line ends. Each line is taken apart where it stands: millions come at once, and few have
// a value in quotes.
type table struct {
	lines *bufio.Reader
	line  int
}

// tableColumns are the values of a person, and then each fact with its act.
var tableColumns = row{
	"id", "identification_number", "sex", "birth_date", "citizenship",
	"death_date", "death_act", "declared_dead_date", "declared_dead_act", "missing_date", "missing_act",
	"incapable_date", "incapable_act", "limited_date", "limited_act", "deactivated_for",
}

// row is one line.
type row [16]string

// openTable reads the head.
func openTable(from io.Reader) (*table, error) {
	t := &table{lines: bufio.NewReaderSize(from, 64<<10)}
	head, err := t.row()
	if err == nil && head != tableColumns {
		err = errors.New("other columns than are known here")
	}
	return t, err
}

// next gives the next person, io.EOF after the last one. Errors do not tell what stands there.
func (t *table) next() (person, error) {
	row, err := t.row()
	if err != nil {
		return person{}, err
	}
	id, err := uuid.Parse(row[0])
	if err != nil {
		return person{}, fmt.Errorf("line %d: no id", t.line)
	}
	p := person{ID: id, IdentificationNumber: row[1], Sex: row[2], BirthDate: row[3], Citizenship: row[4], DeactivatedFor: row[15]}
	for i, f := range []**fact{&p.Death, &p.DeclaredDead, &p.Missing, &p.Incapable, &p.Limited} {
		since := row[5+2*i]
		if since == "" {
			continue
		}
		at, err := time.Parse(time.DateOnly, since)
		if err != nil {
			return person{}, fmt.Errorf("line %d: no date", t.line)
		}
		*f = &fact{date{at}}
	}
	return p, nil
}

// row reads a line. One that does not end was cut off.
func (t *table) row() (r row, err error) {
	line, err := t.lines.ReadSlice('\n')
	t.line++
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return r, fmt.Errorf("line %d is too long", t.line)
	case errors.Is(err, io.EOF) && len(line) > 0:
		return r, fmt.Errorf("line %d: %w", t.line, io.ErrUnexpectedEOF)
	case err != nil:
		return r, err
	}
	if !r.split(strings.TrimSuffix(string(line[:len(line)-1]), "\r")) {
		return r, fmt.Errorf("line %d is no row of %d values", t.line, len(r))
	}
	return r, nil
}

// split takes a line apart; false: it has not as many values as there are columns.
func (r *row) split(line string) bool {
	if strings.IndexByte(line, '"') >= 0 {
		values, err := csv.NewReader(strings.NewReader(line)).Read()
		copy(r[:], values)
		return err == nil && len(values) == len(r)
	}
	value, start := 0, 0
	for at := range len(line) {
		if line[at] != ',' {
			continue
		}
		if value == len(r)-1 {
			return false
		}
		if at > start { // most are empty, as they were
			r[value] = line[start:at]
		}
		value, start = value+1, at+1
	}
	r[value] = line[start:]
	return value == len(r)-1
}
