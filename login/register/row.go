package register

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/language"
)

// A BadRow is a row of a file that something is wrong with, or that is withheld. What stands in it is not told: it may be about somebody.
type BadRow struct {
	Line   int64
	Column string // "" for the row as a whole
	Reason string // a stable word
	Taken  bool   // applied all the same: the register's owner should look at it
}

// Why a row that nothing is wrong with is withheld.
const (
	laterEvent   = "later_event"   // what an event has told of the person is later; where taken, it ends somebody all the same
	takenBack    = "taken_back"    // the operator took back what it says; where taken, all else of it
	formerNumber = "former_number" // the person has another identification number
)

// withhold tells of rows that are withheld, in their order among the others.
func (f *file) withhold(rows []BadRow) {
	f.bad = append(f.bad, rows...)
	slices.SortStableFunc(f.bad, func(a, b BadRow) int { return cmp.Compare(a.Line, b.Line) })
}

// fields are those of a row, in the order of fileColumns.
type fields [len(fileColumns)][]byte

// row reads one line, and tells whether it is a good row. Its fields stay until the next one.
func (f *file) row(row *fields) (good bool) {
	good, f.err = f.readRow(row)
	f.tell()
	return good
}

func (f *file) readRow(row *fields) (good bool, err error) {
	line, err := f.next()
	if errors.Is(err, io.EOF) {
		switch {
		case f.read != f.rows:
			return false, f.wrong(ErrShort, "%d rows, and not %d", f.read, f.rows)
		case !bytes.Equal(f.sum.Sum(nil), f.checksum[:]):
			return false, ErrChanged
		}
	}
	long := errors.Is(err, errLong) // as much of it as a good one may have
	switch {
	case err != nil && !long:
		return false, err
	case len(line) == 0 && !long:
		return false, nil
	case f.read == f.rows:
		return false, f.wrong(ErrShort, "more than %d", f.rows)
	}
	f.read++
	var given fields
	whole := split(line, &given)
	for i, place := range f.place {
		row[i] = given[place]
	}
	switch {
	case long:
		return f.reject("", "text"), nil
	case !whole:
		return f.reject("", "fields"), nil
	}
	return f.judge(row), nil
}

// idAt makes an id of version 7 (RFC 9562 §5.7) of a time in 4096ths of a millisecond, which are a count of those that are made at once (§6.2,
// method 3). It leaves nothing to be collected: ten million that did would take as much memory as all the numbers.
func idAt(moment uint64) (id uuid.UUID) {
	_, _ = rand.Read(id[8:]) // which never fails
	binary.BigEndian.PutUint64(id[:], moment>>12<<16|0x7000|moment&0xfff)
	id[8] = id[8]&0x3f | 0x80
	return id
}

// split takes a line apart, as far as it can; false: it has not as many fields as there are columns.
func split(line []byte, given *fields) bool {
	if bytes.IndexByte(line, '"') >= 0 {
		quoted := csv.NewReader(bytes.NewReader(line))
		quoted.FieldsPerRecord = len(given)
		record, err := quoted.Read() // with an error, the fields before it
		for i := range min(len(record), len(given)) {
			given[i] = []byte(record[i])
		}
		return err == nil
	}
	for i := range given {
		comma := bytes.IndexByte(line, ',')
		last := i == len(given)-1
		if comma < 0 || last {
			given[i] = line
			return last && comma < 0
		}
		given[i], line = line[:comma], line[comma+1:]
	}
	return false
}

// judge tells whether a row can be applied, and reports what is wrong with it.
func (f *file) judge(row *fields) bool {
	if column, reason := flaw(row, f.lastDay); reason != "" {
		return f.reject(column, reason)
	}
	if !f.seen.add(row[number]) {
		return f.reject(fileColumns[number], "twice")
	}
	if CheckNumber(string(row[number])) != nil {
		f.doubtful++
		f.tellBad(BadRow{Line: f.line, Column: fileColumns[number], Reason: "check_digit", Taken: true})
	}
	return true
}

// flaw is what is wrong with a row by itself, which tells of nothing later than a day: in which column, and why. Without a reason nothing is.
func flaw(row *fields, lastDay string) (column, reason string) {
	if errors.Is(CheckNumber(string(row[number])), ErrNumberShape) {
		return fileColumns[number], "shape"
	}
	if s := row[sex]; len(s) != 1 || s[0] != 'F' && s[0] != 'M' {
		return fileColumns[sex], "unknown"
	}
	born := row[birthDate]
	switch {
	case !isDate(born, 4, 7, 10):
		return fileColumns[birthDate], "date"
	case string(born) > lastDay:
		return fileColumns[birthDate], "future"
	}
	if c := row[citizenship]; string(c) != "stateless" && !isCountry(c) {
		return fileColumns[citizenship], "unknown"
	}
	for i := facts; i < len(row); i += 2 {
		date, act := row[i], row[i+1]
		switch {
		case len(date) == 0 && len(act) == 0:
		case !isDate(date, 10):
			return fileColumns[i], "date"
		case string(date) > lastDay: // it would end today what has not happened yet
			return fileColumns[i], "future"
		case string(date[:len(born)]) < string(born):
			return fileColumns[i], "before_birth"
		case !utf8.Valid(act):
			return fileColumns[i+1], "encoding"
		case len(act) > 400 || bytes.IndexFunc(act, unicode.IsControl) >= 0:
			return fileColumns[i+1], "text"
		}
	}
	return "", ""
}

func (f *file) reject(column, reason string) bool {
	f.rejected++
	f.tellBad(BadRow{Line: f.line, Column: column, Reason: reason})
	return false
}

func (f *file) tellBad(row BadRow) {
	if len(f.bad) < maxTold {
		f.bad = append(f.bad, row)
	}
}

// countries are those that ISO 3166-1 has a code for, or had. Codes that begin with X it leaves to its users, some of which Unicode has taken.
var countries = sync.OnceValue(func() (known [26][26]bool) {
	for i := range known {
		for j := range known[i] {
			region, err := language.ParseRegion(string([]byte{'A' + byte(i), 'A' + byte(j)}))
			known[i][j] = err == nil && region.IsCountry() && i != 'X'-'A'
		}
	}
	return known
})

// isCountry tells the code of one, in capitals.
func isCountry(code []byte) bool {
	if len(code) != 2 {
		return false
	}
	i, j := code[0]-'A', code[1]-'A'
	return i < 26 && j < 26 && countries()[i][j]
}

// isDate tells a date of the calendar, ISO 8601, in one of the precisions given by their length.
func isDate(s []byte, lengths ...int) bool {
	if !slices.Contains(lengths, len(s)) {
		return false
	}
	part := func(from, to int) int {
		n := 0
		for _, c := range s[from:to] {
			if c < '0' || c > '9' {
				return -1
			}
			n = n*10 + int(c-'0')
		}
		return n
	}
	year, month, day := part(0, 4), 1, 1
	if len(s) >= 7 {
		month = part(5, 7)
	}
	if len(s) == 10 {
		day = part(8, 10)
	}
	if year < 1800 || year > 2199 || month < 1 || month > 12 || day < 1 ||
		len(s) >= 7 && s[4] != '-' || len(s) == 10 && s[7] != '-' {
		return false
	}
	return day <= 28 || time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() == day
}
