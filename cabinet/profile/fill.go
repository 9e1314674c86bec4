package profile

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/bulk"
)

// Fill makes the cabinets of people, where there are none yet, as Apply makes those of some. next gives one person after the other, and io.EOF at
// the end. They are copied straight to where they stay, which is done by the owner's right alone where rows are kept from one another: nobody
// sees the table meanwhile. Whoever fills has the turn to apply a page already: nobody waits for that who is at one of these tables.
func Fill(ctx context.Context, tx pgx.Tx, next func() (Person, error), at time.Time) error {
	err := bulk.Fill(ctx, tx, "cabinet", func() error { return copyAll(ctx, tx, next, at) })
	if err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	// The feed may have told of sign-ins before.
	const before = `SELECT DISTINCT person_id FROM journal WHERE kind = 'identifier.activated'`
	rows, _ := tx.Query(ctx, before)
	people, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	return Activate(ctx, tx, people)
}

// copyAll copies people to the table of cabinets. What is one moment for all of them is said once: to take it three times a row costs the database a
// sixth of its time.
func copyAll(ctx context.Context, tx pgx.Tx, next func() (Person, error), at time.Time) error {
	const fill = `
		COPY cabinet (person_id, identification_number, sex, birth_date, citizenship, incapable_date, limited_date, state, state_reason)
		FROM STDIN (FORMAT binary)`
	const prepare = `
		ALTER TABLE cabinet NO FORCE ROW LEVEL SECURITY,
			ALTER state_at SET DEFAULT '%[1]s', ALTER updated_at SET DEFAULT '%[1]s', ALTER created_at SET DEFAULT '%[1]s'`
	const end = `
		ALTER TABLE cabinet FORCE ROW LEVEL SECURITY, ALTER state_at DROP DEFAULT, ALTER updated_at DROP DEFAULT, ALTER created_at DROP DEFAULT;
		ANALYZE cabinet`
	if _, err := tx.Exec(ctx, fmt.Sprintf(prepare, at.Format(time.RFC3339Nano))); err != nil {
		return err
	}
	cabinets := &filling{next: next, rest: []byte(copyHead)}
	if _, err := tx.Conn().PgConn().CopyFrom(ctx, cabinets, fill); err != nil {
		if cabinets.err != nil && !errors.Is(cabinets.err, io.EOF) {
			err = cabinets.err // the server only knows that we broke off
		}
		return err
	}
	_, err := tx.Exec(ctx, end)
	return err
}

// A filling gives the cabinets of people as COPY takes them in its binary form, which costs the database half of what text does.
type filling struct {
	next func() (Person, error)
	out  []byte
	rest []byte // of out, that was not read yet
	err  error
}

// What COPY's binary form has before its rows, after them, and where there is no value.
const (
	copyHead = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"
	copyEnd  = "\xff\xff"
	copyNull = "\xff\xff\xff\xff"
)

// Read gives rows.
func (f *filling) Read(p []byte) (int, error) {
	for len(f.rest) == 0 {
		if f.err != nil {
			return 0, f.err
		}
		f.out = f.out[:0]
		for f.err == nil && len(f.out) < 64<<10 {
			f.row()
		}
		f.rest = f.out
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// row adds the next one to out.
func (f *filling) row() {
	p, err := f.next()
	if err != nil {
		if f.err = err; errors.Is(err, io.EOF) {
			f.out = append(f.out, copyEnd...)
		}
		return
	}
	f.out = binary.BigEndian.AppendUint16(f.out, 9) // columns
	f.out = appendValue(f.out, p.ID[:])
	for _, text := range []string{p.Number, p.Sex, p.BirthDate, p.Citizenship} {
		f.out = appendValue(f.out, text)
	}
	for _, since := range []*time.Time{p.Incapable, p.Limited} {
		if since == nil {
			f.out = append(f.out, copyNull...)
		} else {
			f.out = binary.BigEndian.AppendUint32(f.out, 4)
			f.out = binary.BigEndian.AppendUint32(f.out, uint32((since.Unix()-epoch.Unix())/86400))
		}
	}
	if p.Gone == "" {
		f.out = appendValue(f.out, NotActivated)
		f.out = append(f.out, copyNull...)
	} else {
		f.out = appendValue(f.out, Deactivated)
		f.out = appendValue(f.out, p.Gone)
	}
}

// epoch is from when the database counts days.
var epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

func appendValue[T ~string | ~[]byte](out []byte, value T) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(value)))
	return append(out, value...)
}
