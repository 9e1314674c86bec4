package register

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What may be wrong with a whole file; nothing of it is applied.
var (
	ErrFile    = errors.New("not a register file")
	ErrShort   = errors.New("the file has not the rows that it announces: it is damaged")
	ErrCountry = errors.New("the file is of another country's register")
	ErrChanged = errors.New("the file was written to while it was read: bring it once it stays as it is")
)

// A FileError says what is wrong with a whole file, and in which line. What stands there is not told.
type FileError struct {
	Meaning error // ErrFile, ErrShort, ErrEncoding, ErrEarly
	Line    int64 // 0: in all of it
	What    string
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%v: %s", e.Meaning, e.What)
	}
	return fmt.Sprintf("%v: line %d: %s", e.Meaning, e.Line, e.What)
}

// Unwrap gives the meaning.
func (e *FileError) Unwrap() error { return e.Meaning }

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

// errLong says that a line is longer than any good one.
var errLong = errors.New("it is too long")

// lastNumber leaves room for a thousand years of numbers that are months. One that is written wrong shuts out all that are less.
const lastNumber = 999_999

// maxTold is how many bad rows are told one by one.
const maxTold = 1000

// A head is what a file says of itself, in its first lines.
type head struct {
	ours     bool // it is of this country
	number   int
	period   time.Time
	month    string     // the period as it was written
	asOf     *time.Time // nil: it does not say
	kind     Kind
	rows     int64
	checksum [sha256.Size]byte
	size     int64
}

// made tells when a file that came then was made, at the earliest and at the latest: as of when it says; or else within its month, or the one in
// which it came where that is before.
func (h head) made(came time.Time) (notBefore, notAfter time.Time) {
	if h.asOf != nil {
		return *h.asOf, *h.asOf
	}
	notBefore, notAfter = h.period, h.period.AddDate(0, 1, 0)
	if notBefore.After(came) {
		notBefore = notBefore.AddDate(0, -1, 0) // no file comes more than a month ahead
	}
	if notAfter.After(came) {
		notAfter = came
	}
	return notBefore, notAfter
}

// A reading is a file being read, line by line.
type reading struct {
	in   *bufio.Reader
	sum  hash.Hash // of what was read: what is applied is what was checked
	line int64     // the last one
	done int64     // bytes
}

// wrong is a FileError of the line that was read last.
func (r *reading) wrong(meaning error, what string, args ...any) error {
	return &FileError{meaning, r.line, fmt.Sprintf(what, args...)}
}

// next gives a line without its end. It is good until the next one. With errLong it is what of it a good one might have.
func (r *reading) next() ([]byte, error) {
	line, err := r.slice()
	r.line++
	long := len(line) > maxLine
	if long {
		line = bytes.Clone(line[:maxLine])
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = r.slice()
	}
	switch {
	case long && (err == nil || errors.Is(err, io.EOF)):
		return line, errLong
	case errors.Is(err, io.EOF) && len(line) > 0: // cut off within its last row, which may still look like one
		return nil, r.wrong(ErrShort, "it does not end")
	case err != nil:
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// slice gives the rest of a line, or as much of it as is read at once.
func (r *reading) slice() ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	r.done += int64(len(line))
	r.sum.Write(line)
	return line, err
}

// madeBy has a file tell of nothing later than when it was made at the latest.
func (f *file) madeBy(notAfter time.Time) { f.lastDay = min(f.lastDay, day(notAfter)) }

// A file is a register file whose rows are read and judged, one by one.
type file struct {
	head
	reading
	lastDay  string                // nothing that it tells of is later
	place    [len(fileColumns)]int // where the file has each column
	seen     numbers
	progress func(done, total int64)
	told     int64 // bytes, of progress
	read     int64 // rows
	rejected int64
	doubtful int64
	bad      []BadRow // the first of them
	err      error    // why there is no more; io.EOF at its end
}

// open reads the file once for its checksum and encoding, and then its first lines.
func open(in io.ReadSeeker, progress func(done, total int64)) (*file, error) {
	sum, text := sha256.New(), new(letters)
	size, err := rewound(in, io.MultiWriter(sum, text))
	if err != nil {
		return nil, fmt.Errorf("read the register file: %w", err)
	}
	if text.wide {
		return nil, &FileError{Meaning: ErrEncoding, What: "it looks like UTF-16"}
	}
	f := &file{
		head:     head{kind: Delta, rows: -1, size: size},
		reading:  reading{in: bufio.NewReaderSize(in, 256<<10), sum: sha256.New()},
		progress: progress,
	}
	sum.Sum(f.checksum[:0])
	if err := f.readHead(); err != nil {
		return nil, err
	}
	if text.broken > text.whole {
		return nil, &FileError{Meaning: ErrEncoding, What: "it looks like Windows-1251 or another encoding of eight bits"}
	}
	if f.rows > size/2 {
		return nil, &FileError{Meaning: ErrShort, What: "it announces more than it has room for"}
	}
	f.seen = newNumbers(min(f.rows, size/int64(minRow)+1))
	return f, nil
}

// rewound copies all of a file, and goes back to where it begins.
func rewound(in io.ReadSeeker, out io.Writer) (size int64, err error) {
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	if size, err = io.Copy(out, in); err != nil {
		return 0, err
	}
	_, err = in.Seek(0, io.SeekStart)
	return size, err
}

// readHead reads what the file says of itself, up to the line that names its columns.
func (f *file) readHead() error {
	for said := map[string]bool{}; ; {
		line, err := f.next()
		switch {
		case errors.Is(err, errLong):
			return f.wrong(ErrFile, "%v", err)
		case err != nil:
			return f.wrong(ErrFile, "it ends before its columns are named")
		}
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
		comment, isComment := bytes.CutPrefix(line, []byte("#"))
		if !isComment {
			return f.columns(string(line))
		}
		word, value, _ := strings.Cut(strings.TrimSpace(string(comment)), " ")
		known, err := f.say(word, strings.TrimSpace(value))
		switch {
		case err != nil:
			return err
		case known && said[word]: // which of the two counts is a matter of taste
			return f.wrong(ErrFile, "it was said before")
		}
		said[word] = true
	}
}

// say takes one line of the head: "edition 12". Others than it knows are anybody's notes.
func (f *file) say(word, value string) (known bool, err error) {
	switch word {
	case "country":
		if f.ours = value == country; !f.ours {
			return true, ErrCountry
		}
	case "edition":
		var number int64
		if number, err = strconv.ParseInt(value, 10, 32); number > lastNumber {
			return true, f.wrong(ErrFile, "a number of more than six digits")
		}
		f.number = int(number)
	case "period":
		f.month = value
		f.period, err = time.Parse("2006-01", value)
	case "as_of":
		var at time.Time
		at, err = time.Parse(time.RFC3339, value)
		f.asOf = &at
	case "kind":
		if f.kind = Kind(value); f.kind != Full && f.kind != Delta {
			return true, f.wrong(ErrFile, "neither full nor delta")
		}
	case "rows":
		f.rows, err = strconv.ParseInt(value, 10, 64)
	default:
		return false, nil
	}
	if err != nil {
		err = f.wrong(ErrFile, "%s", word)
	}
	return true, err
}

// columns takes the line that names them, in any order.
func (f *file) columns(line string) error {
	if !f.ours || f.number < 1 || f.period.IsZero() || f.rows < 0 {
		return f.wrong(ErrFile, "it does not begin with # country, # edition, # period and # rows")
	}
	f.lastDay = f.month + "-31"
	if f.asOf != nil && f.asOf.Format("2006-01") < f.month { // by the clock of where it was made
		return &FileError{Meaning: ErrFile, What: "it is as of a time before its month"}
	}
	names := strings.Split(line, ",")
	for i, column := range fileColumns {
		if f.place[i] = slices.Index(names, column); f.place[i] < 0 {
			return f.wrong(ErrFile, "no column %s", column)
		}
	}
	if len(names) != len(fileColumns) {
		return f.wrong(ErrFile, "more columns than the register may give")
	}
	return nil
}

// pass reads as far as a byte without giving: what was copied before is judged again, for the sake of what is told of it.
func (f *file) pass(to int64) {
	for row := (fields{}); f.err == nil && f.done < to; {
		f.row(&row)
	}
}

// tell tells how far the file is read, once a megabyte.
func (f *file) tell() {
	if f.done-f.told > 1<<20 || f.err != nil {
		f.told = f.done
		f.progress(f.done, f.size)
	}
}
