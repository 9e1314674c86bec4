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

// A head is what a file says of itself, in its first lines.
type head struct {
	number   int
	period   time.Time
	month    string // the period as it was written
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
		f.month = value
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
