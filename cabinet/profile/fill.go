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
	"github.com/jackc/pgx/v5/pgconn"
)

// Fill makes the cabinets of people, where there are none yet, as Apply makes those of some. next gives one person after the other, and io.EOF at
// the end. They are copied straight to where they stay, which is done by the owner's right alone where rows are kept from one another: nobody
// sees the table meanwhile. Its indexes are left out until the end, with what other tables refer to: to build them at once costs the database a third
// of what to add row by row does. Whoever fills has the turn to apply a page already: nobody waits for that who is at one of these tables.
func Fill(ctx context.Context, tx pgx.Tx, next func() (Person, error), at time.Time) error {
	const leave = `
		CREATE TEMP TABLE left_out ON COMMIT DROP AS
		SELECT conrelid::regclass AS owner, conname AS name, pg_get_constraintdef(oid) AS definition, contype = 'f' AS refers
		FROM pg_constraint
		WHERE conrelid = 'cabinet'::regclass AND contype IN ('p', 'u') OR confrelid = 'cabinet'::regclass AND contype = 'f';
		DO $$
		DECLARE c left_out;
		BEGIN
			FOR c IN SELECT * FROM left_out ORDER BY refers DESC LOOP
				EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.owner, c.name);
			END LOOP;
		END $$;
		ALTER TABLE cabinet NO FORCE ROW LEVEL SECURITY`
	const fill = `
		COPY cabinet (person_id, identification_number, sex, birth_date, citizenship, incapable_date, limited_date,
		              state, state_reason, state_at, updated_at, created_at)
		FROM STDIN (FORMAT binary)`
	const build = `
		SET LOCAL maintenance_work_mem = '256MB';
		DO $$
		DECLARE c left_out;
		BEGIN
			FOR c IN SELECT * FROM left_out ORDER BY refers LOOP
				EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.owner, c.name, c.definition);
			END LOOP;
		END $$;
		ALTER TABLE cabinet FORCE ROW LEVEL SECURITY;
		ANALYZE cabinet`
	if err := alone(ctx, tx); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	if _, err := tx.Exec(ctx, leave); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	cabinets := &filling{next: next, at: at, rest: []byte(copyHead)}
	if _, err := tx.Conn().PgConn().CopyFrom(ctx, cabinets, fill); err != nil {
		if cabinets.err != nil && !errors.Is(cabinets.err, io.EOF) {
			err = cabinets.err // the server only knows that we broke off
		}
		return fmt.Errorf("fill: %w", err)
	}
	if _, err := tx.Exec(ctx, build); err != nil {
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

// alone has us be alone at the table of cabinets and at those that refer to it: at all of them, or, while anybody is at one yet, at none. Others come
// from it to those, as the doors do, or from those to it, as whoever asks sources does, and whoever writes what refers: whichever we held first, one
// of them and we would wait for each other.
func alone(ctx context.Context, tx pgx.Tx) error {
	const lock = `
		SET LOCAL lock_timeout = '100ms';
		DO $$
		BEGIN
			EXECUTE (SELECT 'LOCK TABLE cabinet, ' || string_agg(DISTINCT conrelid::regclass::text, ', ')
			         FROM pg_constraint WHERE confrelid = 'cabinet'::regclass AND contype = 'f');
		END $$;
		SET LOCAL lock_timeout TO DEFAULT`
	const lockNotAvailable = "55P03"

	for {
		err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { // a savepoint, by which what is held is let go
			_, err := tx.Exec(ctx, lock)
			return err
		})
		if wrong := (*pgconn.PgError)(nil); !errors.As(err, &wrong) || wrong.Code != lockNotAvailable {
			return err
		}
		if _, err := tx.Exec(ctx, `SELECT pg_sleep(1)`); err != nil { // in which others come to theirs
			return err
		}
	}
}

// A filling gives the cabinets of people as COPY takes them in its binary form, which costs the database half of what text does.
type filling struct {
	next func() (Person, error)
	at   time.Time
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
	f.out = binary.BigEndian.AppendUint16(f.out, 12) // columns
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
	for range 3 {
		f.out = binary.BigEndian.AppendUint32(f.out, 8)
		f.out = binary.BigEndian.AppendUint64(f.out, uint64(f.at.UnixMicro()-epoch.UnixMicro()))
	}
}

// epoch is from when the database counts days and microseconds.
var epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

func appendValue[T ~string | ~[]byte](out []byte, value T) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(value)))
	return append(out, value...)
}
