package register

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// What may be wrong with a whole file; nothing of it is applied.
var (
	ErrFile  = errors.New("not a register file")
	ErrShort = errors.New("the file has not the rows that it announces: it is damaged")
)

// fileColumns are what a register file tells, and all that it may tell (order 82, p. 5).
var fileColumns = [...]string{
	"identification_number", "sex", "birth_date", "citizenship",
	"death_date", "death_act", "declared_dead_date", "declared_dead_act", "missing_date", "missing_act",
	"incapable_date", "incapable_act", "limited_date", "limited_act",
}

// Places in fileColumns.
const (
	number = iota
	sex
	birthDate
	citizenship
	facts // five times date and act
)

// maxLine is the longest line of a register file.
const maxLine = 4 << 10

// A BadRow is a row of a file that something is wrong with.
type BadRow struct {
	Line   int
	Column string // "" for the row as a whole
	Reason string // a stable word
	Taken  bool   // applied all the same: the register's owner should look at it
}

// A head is what a file says of itself, in its first lines.
type head struct {
	number   int
	period   time.Time
	rows     int64
	checksum [sha256.Size]byte
	size     int64
}

// A file is a register file being read: as an io.Reader it gives its good rows
// as PostgreSQL's COPY text, each with an id for a person who may be new.
type file struct {
	head
	edition  int64
	in       *bufio.Reader
	line     int
	place    [len(fileColumns)]int // where the file has each column
	seen     map[[14]byte]struct{}
	bad      func(BadRow)
	progress func(done, total int64)
	done     int64
	told     int64
	read     int64 // rows
	rejected int64
	out      []byte // rows made and not yet taken
	taken    int
	err      error
}

// open reads the file once for its checksum, and its first lines.
func open(in io.ReadSeeker) (*file, error) {
	sum := sha256.New()
	size, err := io.Copy(sum, in)
	if err != nil {
		return nil, fmt.Errorf("read the register file: %w", err)
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the register file: %w", err)
	}
	f := &file{in: bufio.NewReaderSize(in, 256<<10), seen: map[[14]byte]struct{}{}, head: head{rows: -1, size: size}}
	sum.Sum(f.checksum[:0])
	for {
		line, err := f.next()
		if err != nil {
			return nil, fmt.Errorf("%w: it ends before its columns are named", ErrFile)
		}
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
		comment, isComment := bytes.CutPrefix(line, []byte("#"))
		if !isComment {
			return f, f.columns(string(line))
		}
		if err := f.say(string(comment)); err != nil {
			return nil, err
		}
	}
}

// say takes one line of the head: "edition 12".
func (f *file) say(line string) (err error) {
	word, value, _ := strings.Cut(strings.TrimSpace(line), " ")
	value = strings.TrimSpace(value)
	switch word {
	case "edition":
		f.number, err = strconv.Atoi(value)
	case "period":
		f.period, err = time.Parse("2006-01", value)
	case "rows":
		f.rows, err = strconv.ParseInt(value, 10, 64)
	}
	if err != nil {
		return fmt.Errorf("%w: line %d: %s", ErrFile, f.line, word)
	}
	return nil
}

// columns takes the line that names them, in any order.
func (f *file) columns(line string) error {
	if f.number < 1 || f.period.IsZero() || f.rows < 0 {
		return fmt.Errorf("%w: it does not begin with # edition, # period and # rows", ErrFile)
	}
	names := strings.Split(line, ",")
	for i, column := range fileColumns {
		if f.place[i] = slices.Index(names, column); f.place[i] < 0 {
			return fmt.Errorf("%w: line %d: no column %s", ErrFile, f.line, column)
		}
	}
	if len(names) != len(fileColumns) {
		return fmt.Errorf("%w: line %d: more columns than the register may give", ErrFile, f.line)
	}
	return nil
}

// next gives a line without its end. It is good until the next one.
func (f *file) next() ([]byte, error) {
	line, err := f.in.ReadSlice('\n')
	f.line++
	f.done += int64(len(line))
	switch {
	case errors.Is(err, bufio.ErrBufferFull), len(line) > maxLine:
		return nil, fmt.Errorf("%w: line %d is too long", ErrFile, f.line)
	case errors.Is(err, io.EOF) && len(line) > 0: // the last line, not ended
	case err != nil:
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// copied are the columns of a row that Read gives.
const copied = `
	id, changed_in, identification_number, sex, birth_date, citizenship,
	death_date, death_act, declared_dead_date, declared_dead_act, missing_date, missing_act,
	incapable_date, incapable_act, limited_date, limited_act`

// copyTo copies the good rows into a table.
func (f *file) copyTo(ctx context.Context, tx pgx.Tx, table string) (int64, error) {
	tag, err := tx.Conn().PgConn().CopyFrom(ctx, f, `COPY `+table+` (`+copied+`) FROM STDIN`)
	if err != nil && f.err != nil && !errors.Is(f.err, io.EOF) {
		return 0, f.err // the server only knows that we broke off
	}
	return tag.RowsAffected(), err
}

// Read gives COPY text.
func (f *file) Read(p []byte) (int, error) {
	for f.taken == len(f.out) {
		if f.err != nil {
			return 0, f.err
		}
		f.out, f.taken = f.out[:0], 0
		for f.err == nil && len(f.out) < 64<<10 {
			f.err = f.row()
		}
		if f.done-f.told > 1<<20 || f.err != nil {
			f.told = f.done
			f.progress(f.done, f.size)
		}
	}
	n := copy(p, f.out[f.taken:])
	f.taken += n
	return n, nil
}

// row reads one line and adds what it says to out.
func (f *file) row() error {
	line, err := f.next()
	if errors.Is(err, io.EOF) && f.read != f.rows {
		return fmt.Errorf("%w: %d, and not %d", ErrShort, f.read, f.rows)
	}
	if err != nil {
		return err
	}
	if len(line) == 0 {
		return nil
	}
	f.read++
	var given, row [len(fileColumns)][]byte
	if !split(line, &given) {
		f.reject("", "fields")
		return nil
	}
	for i, place := range f.place {
		row[i] = given[place]
	}
	if !f.judge(&row) {
		return nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	f.out = hex.AppendEncode(f.out, id[:])
	f.out = append(f.out, '\t')
	f.out = strconv.AppendInt(f.out, f.edition, 10)
	for _, field := range row {
		f.out = append(f.out, '\t')
		f.out = appendCopy(f.out, field)
	}
	f.out = append(f.out, '\n')
	return nil
}

// split takes a line apart; false: it has not as many fields as there are columns.
func split(line []byte, fields *[len(fileColumns)][]byte) bool {
	if bytes.IndexByte(line, '"') >= 0 {
		quoted := csv.NewReader(bytes.NewReader(line))
		quoted.FieldsPerRecord = len(fields)
		record, err := quoted.Read()
		for i := range record {
			fields[i] = []byte(record[i])
		}
		return err == nil
	}
	for i := range fields {
		comma := bytes.IndexByte(line, ',')
		last := i == len(fields)-1
		if (comma < 0) != last {
			return false
		}
		if last {
			fields[i] = line
			return true
		}
		fields[i], line = line[:comma], line[comma+1:]
	}
	return false
}

// judge tells whether a row can be applied, and reports what is wrong with it.
func (f *file) judge(row *[len(fileColumns)][]byte) bool {
	var key [14]byte
	switch err := CheckNumber(string(row[number])); {
	case errors.Is(err, ErrNumberShape):
		return f.reject(fileColumns[number], "shape")
	case err != nil:
		f.bad(BadRow{Line: f.line, Column: fileColumns[number], Reason: "check_digit", Taken: true})
	}
	copy(key[:], row[number])
	if _, twice := f.seen[key]; twice {
		return f.reject(fileColumns[number], "twice")
	}
	if s := row[sex]; len(s) != 1 || s[0] != 'F' && s[0] != 'M' {
		return f.reject(fileColumns[sex], "unknown")
	}
	if !isDate(row[birthDate], 4, 7, 10) {
		return f.reject(fileColumns[birthDate], "date")
	}
	if c := row[citizenship]; string(c) != "stateless" &&
		(len(c) != 2 || c[0] < 'A' || c[0] > 'Z' || c[1] < 'A' || c[1] > 'Z') {
		return f.reject(fileColumns[citizenship], "unknown")
	}
	for i := facts; i < len(row); i += 2 {
		date, act := row[i], row[i+1]
		switch {
		case len(date) == 0 && len(act) == 0:
		case !isDate(date, 10):
			return f.reject(fileColumns[i], "date")
		case len(act) > 400 || !isText(act):
			return f.reject(fileColumns[i+1], "text")
		}
	}
	f.seen[key] = struct{}{}
	return true
}

func (f *file) reject(column, reason string) bool {
	f.rejected++
	f.bad(BadRow{Line: f.line, Column: column, Reason: reason})
	return false
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

func isText(s []byte) bool {
	return utf8.Valid(s) && bytes.IndexFunc(s, unicode.IsControl) < 0
}

// appendCopy writes a field as COPY text. Fields have no control characters.
func appendCopy(out, field []byte) []byte {
	if len(field) == 0 {
		return append(out, `\N`...)
	}
	if bytes.IndexByte(field, '\\') < 0 {
		return append(out, field...)
	}
	return append(out, bytes.ReplaceAll(field, []byte(`\`), []byte(`\\`))...)
}
