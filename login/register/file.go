package register

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// What may be wrong with a whole file; nothing of it is applied.
var (
	ErrFile    = errors.New("not a register file")
	ErrShort   = errors.New("the file has not the rows that it announces: it is damaged")
	ErrCountry = errors.New("the file is of another country's register")
)

// country is the one whose register this is.
const country = "BY"

// A Kind is what an edition tells of.
type Kind string

// Kinds.
const (
	Full  Kind = "full"  // everybody
	Delta Kind = "delta" // those who changed
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

// Bounds of a register file's lines, in bytes. No good row is shorter than the least.
const (
	maxLine = 4 << 10
	minRow  = len("1010130K001PB9,M,1930,BY,,,,,,,,,,\n")
)

// maxTold is how many bad rows are told one by one.
const maxTold = 1000

// A head is what a file says of itself, in its first lines.
type head struct {
	number   int
	period   time.Time
	month    string // the period as it was written
	asOf     time.Time
	kind     Kind
	rows     int64
	checksum [sha256.Size]byte
	size     int64
}

// A file is a register file being read: as an io.Reader it gives its good rows
// as PostgreSQL's COPY text, up to where it is to stop.
type file struct {
	head
	first    int64 // the edition, where its rows go to person straight: each then has an id and what it was changed in
	stop     int64 // how far to read, in bytes
	in       *bufio.Reader
	line     int64
	place    [len(fileColumns)]int // where the file has each column
	seen     numbers
	progress func(done, total int64)
	done     int64 // bytes
	told     int64
	read     int64 // rows
	rejected int64
	doubtful int64
	bad      []BadRow // the first of them
	out      []byte   // rows made and not yet taken
	taken    int
	err      error // io.EOF at its end
}

// open reads the file once for its checksum, and its first lines.
func open(in io.ReadSeeker, progress func(done, total int64)) (*file, error) {
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the register file: %w", err)
	}
	sum, text := sha256.New(), new(letters)
	size, err := io.Copy(io.MultiWriter(sum, text), in)
	if err != nil {
		return nil, fmt.Errorf("read the register file: %w", err)
	}
	if text.wide {
		return nil, fmt.Errorf("%w: it looks like UTF-16", ErrEncoding)
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the register file: %w", err)
	}
	f := &file{in: bufio.NewReaderSize(in, 256<<10), stop: size, progress: progress, head: head{kind: Delta, rows: -1, size: size}}
	sum.Sum(f.checksum[:0])
	said := map[string]bool{}
	for {
		line, err := f.next()
		if err != nil {
			return nil, fmt.Errorf("%w: it ends before its columns are named", ErrFile)
		}
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
		comment, isComment := bytes.CutPrefix(line, []byte("#"))
		if !isComment {
			if err := f.columns(string(line)); err != nil {
				return nil, err
			}
			break
		}
		word, value, _ := strings.Cut(strings.TrimSpace(string(comment)), " ")
		if said[word] { // which of the two counts is a matter of taste
			return nil, fmt.Errorf("%w: line %d: it was said before", ErrFile, f.line)
		}
		said[word] = true
		if err := f.say(word, strings.TrimSpace(value)); err != nil {
			return nil, err
		}
	}
	if text.broken > text.whole {
		return nil, fmt.Errorf("%w: it looks like Windows-1251 or another encoding of eight bits", ErrEncoding)
	}
	if f.rows > size/2 {
		return nil, fmt.Errorf("%w: it announces more than it has room for", ErrShort)
	}
	f.seen = newNumbers(min(f.rows, size/int64(minRow)+1))
	return f, nil
}

// say takes one line of the head: "edition 12".
func (f *file) say(word, value string) (err error) {
	switch word {
	case "country":
		if value != country {
			return ErrCountry
		}
	case "edition":
		var number int64
		number, err = strconv.ParseInt(value, 10, 32)
		f.number = int(number)
	case "period":
		f.month = value
		f.period, err = time.Parse("2006-01", value)
	case "as_of":
		f.asOf, err = time.Parse(time.RFC3339, value)
	case "kind":
		if f.kind = Kind(value); f.kind != Full && f.kind != Delta {
			return fmt.Errorf("%w: line %d: neither full nor delta", ErrFile, f.line)
		}
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
	if f.asOf.IsZero() {
		f.asOf = f.period
	}
	if f.asOf.Before(f.period) {
		return fmt.Errorf("%w: it is as of a time before its month", ErrFile)
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
	case errors.Is(err, io.EOF) && len(line) > 0: // cut off within its last row, which may still look like one
		return nil, fmt.Errorf("%w: line %d does not end", ErrShort, f.line)
	case err != nil:
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// rowColumns are those of a file, in the order in which its rows are copied.
const rowColumns = `
	identification_number, sex, birth_date, citizenship,
	death_date, death_act, declared_dead_date, declared_dead_act, missing_date, missing_act,
	incapable_date, incapable_act, limited_date, limited_act`

// staged is where the rows of an edition are copied to, each with its line.
const staged = `staged_person (line, ` + rowColumns + `)`

// copyTo copies good rows, as far as the file is to be read.
func (f *file) copyTo(ctx context.Context, tx pgx.Tx, table string) error {
	_, err := tx.Conn().PgConn().CopyFrom(ctx, f, `COPY `+table+` FROM STDIN (NULL '')`)
	if err != nil && f.err != nil && !errors.Is(f.err, io.EOF) {
		return f.err // the server only knows that we broke off
	}
	return err
}

// pass reads without giving: what was copied before is judged again, for the sake of what is told of it.
func (f *file) pass(to int64) {
	for f.err == nil && f.done < to {
		f.err = f.row()
		f.out = f.out[:0]
		f.tell()
	}
}

// Read gives COPY text.
func (f *file) Read(p []byte) (int, error) {
	for f.taken == len(f.out) {
		switch {
		case f.err != nil:
			return 0, f.err
		case f.done >= f.stop && f.stop < f.size: // at its end there is one more look, at how many rows there were
			return 0, io.EOF
		}
		f.out, f.taken = f.out[:0], 0
		for f.err == nil && len(f.out) < 64<<10 && (f.done < f.stop || f.stop == f.size) {
			f.err = f.row()
		}
		f.tell()
	}
	n := copy(p, f.out[f.taken:])
	f.taken += n
	return n, nil
}

// tell tells how far the file is read, once a megabyte.
func (f *file) tell() {
	if f.done-f.told > 1<<20 || f.err != nil {
		f.told = f.done
		f.progress(f.done, f.size)
	}
}
