package register

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// rowColumns are those of a file, in the order in which its rows are copied.
const rowColumns = `
	identification_number, sex, birth_date, citizenship,
	death_date, death_act, declared_dead_date, declared_dead_act, missing_date, missing_act,
	incapable_date, incapable_act, limited_date, limited_act`

// Where rows are copied to, each with its line: an edition's beside the register, where they stay until it is decided; aside, in a table of the
// transaction's own, what is only tried, and the one row of an event.
const (
	staged = `staged_person`
	aside  = `aside_person`
	lines  = ` (line, ` + rowColumns + `)`
)

// setAside makes the table of the transaction's own.
func setAside(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `CREATE TEMPORARY TABLE `+aside+` (LIKE `+staged+`) ON COMMIT DROP`)
	return err
}

// A copying gives rows of a file, as an io.Reader, as PostgreSQL's COPY text.
type copying struct {
	*file
	to       int64                   // a byte of the file: whose row is the last
	key      func(out []byte) []byte // adds what stands before what the file tells
	mentions bool                    // of a bad row its number is given, and nothing else: a full edition tells of that person, however badly
	out      []byte                  // made and not yet taken
	taken    int
}

// byLine are the rows up to a byte, each with its line.
func (f *file) byLine(to int64) *copying {
	return &copying{file: f, to: to, mentions: f.kind == Full, key: func(out []byte) []byte { return strconv.AppendInt(out, f.line, 10) }}
}

// asPeople are all the rows, as people whom an edition makes known at a moment.
func (f *file) asPeople(edition int64, at time.Time) *copying {
	moment := uint64(at.UnixMilli()) << 12
	return &copying{file: f, to: f.size, key: func(out []byte) []byte {
		moment++
		id := idAt(moment)
		out = append(hex.AppendEncode(out, id[:]), '\t')
		return strconv.AppendInt(out, edition, 10)
	}}
}

// into copies rows to a table.
func (c *copying) into(ctx context.Context, tx pgx.Tx, table string) error {
	_, err := tx.Conn().PgConn().CopyFrom(ctx, c, `COPY `+table+` FROM STDIN (NULL '')`)
	if err != nil && c.err != nil && !errors.Is(c.err, io.EOF) {
		return c.err // the server only knows that we broke off
	}
	return err
}

// Read gives COPY text.
func (c *copying) Read(p []byte) (int, error) {
	for c.taken == len(c.out) {
		if !c.more() {
			return 0, cmp.Or(c.err, io.EOF)
		}
		c.out, c.taken = c.out[:0], 0
		for c.more() && len(c.out) < 64<<10 {
			c.add()
		}
	}
	n := copy(p, c.out[c.taken:])
	c.taken += n
	return n, nil
}

// more tells whether there is a row to be read, or at the end of the file one more look, at how many there were.
func (c *copying) more() bool { return c.err == nil && (c.done < c.to || c.to == c.size) }

// add reads a row, and adds to out what is to be copied of it.
func (c *copying) add() {
	var row fields
	if !c.row(&row) {
		if !c.mentions || errors.Is(CheckNumber(string(row[number])), ErrNumberShape) {
			return
		}
		row = fields{number: row[number]}
	}
	c.out = c.key(c.out)
	for i := range row {
		c.out = appendCopy(append(c.out, '\t'), row[i])
	}
	c.out = append(c.out, '\n')
}

// appendCopy writes a field as COPY text. Fields have no control characters.
func appendCopy(out, field []byte) []byte {
	if bytes.IndexByte(field, '\\') < 0 {
		return append(out, field...)
	}
	return append(out, bytes.ReplaceAll(field, []byte(`\`), []byte(`\\`))...)
}
