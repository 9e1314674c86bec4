package register

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider/audit"
)

// Why an edition is refused as a whole.
var (
	ErrSum    = errors.New("its SHA-256 is not the one that was given: it is damaged, or another file")
	ErrOlder  = errors.New("a later edition was applied already")
	ErrOther  = errors.New("this edition was applied already, from another file")
	ErrGap    = errors.New("a delta follows the edition before it, and that was not applied: bring that one, or a full one")
	ErrFar    = errors.New("its number is more than a hundred after that of the last edition, or of the first greater than its month as 202611: whatever comes next would be older")
	ErrMonth  = errors.New("its month is before that of the last edition")
	ErrAhead  = errors.New("its month is more than one ahead")
	ErrEarly  = errors.New("it is as of a time that has not come")
	ErrBad    = errors.New("too many of its rows are bad")
	ErrBusy   = errors.New("another import is under way: try again once it has ended")
	ErrWaits  = errors.New("another edition waits to be released or refused")
	ErrNobody = errors.New("it would deactivate, or does not tell of, so many people that another one must release it: say who imports it")
)

// An Order is what is asked of an import.
type Order struct {
	File      io.ReadSeeker
	Signature []byte    // that came beside the file; nil: none did
	Checksum  []byte    // SHA-256 that the file is to have; nil: none was given
	By        uuid.UUID // who of the operator's staff imports it; uuid.Nil: nobody was named
	ClientID  string    // which brings it in its own name
	At        time.Time
	// Progress is told the bytes of the file that were read; its end is about half of the work.
	Progress func(done, total int64)
}

// A Report is what came of an import, or would.
type Report struct {
	Edition
	Again  bool     // this very file was imported before: nothing was written now
	Behind bool     // of a trial: another edition waits, and before that is decided an import is refused
	Bad    []BadRow // the first thousand, and the first thousand that are withheld
}

// piece is how much of a file is staged at a time: what a kill may lose.
const piece = 32 << 20

// importing is the advisory lock of whoever imports or releases an edition, and applying that of whoever changes people: an event does not
// come between what an edition has compared and what it writes. They are asked for so often, with a pause between: PostgreSQL finds out within
// watching that an import was killed, and ends what it does for it.
const (
	importing = 0x65646974696f6e
	applying  = 0x6170706c79696e67
	patience  = 100
	pause     = 100 * time.Millisecond
	watching  = time.Second
)

// Import brings an edition in. Bad rows are told and the rest is applied, in one transaction; the same file twice changes and writes nothing,
// and one that was cut off goes on. The report is good with ErrBad too: it tells why.
func (g *Register) Import(ctx context.Context, o Order) (Report, error) {
	f, err := g.open(o)
	if err != nil {
		return Report{}, fmt.Errorf("import the register: %w", err)
	}
	conn, err := g.lock(ctx, importing)
	if err != nil {
		return Report{}, fmt.Errorf("import edition %d: %w", f.number, err)
	}
	defer unlock(ctx, conn, importing)
	r, err := g.bring(ctx, conn, f, o)
	if err != nil {
		return r, fmt.Errorf("import edition %d: %w", f.number, err)
	}
	return r, nil
}

// open reads what a file says of itself, and holds that it may be brought in.
func (g *Register) open(o Order) (*file, error) {
	f, err := open(o.File, o.Progress)
	if err != nil {
		return nil, err
	}
	if o.Checksum != nil && !bytes.Equal(o.Checksum, f.checksum[:]) {
		return nil, ErrSum
	}
	if err := g.Key.check(f.checksum, o.Signature); err != nil {
		return nil, err
	}
	if f.period.After(o.At.UTC().AddDate(0, 1, 1-o.At.UTC().Day())) {
		return nil, ErrAhead
	}
	if f.asOf != nil && f.asOf.After(o.At.Add(tolerance)) {
		return nil, &FileError{Meaning: ErrEarly, What: fmt.Sprintf("%s, and it is %s", f.asOf.Format(time.RFC3339), o.At.UTC().Format(time.RFC3339))}
	}
	return f, nil
}

// day is the one that a moment is of where the register is kept.
func day(at time.Time) string {
	return at.In(time.FixedZone("Europe/Minsk", 3*60*60)).Format(time.DateOnly)
}

// lock gives a connection on which alone something is done until unlock. It does not keep one while it waits for another's.
func (g *Register) lock(ctx context.Context, what int64) (conn *pgxpool.Conn, err error) {
	const try = `SELECT pg_try_advisory_lock($1)`
	err = insist(ctx, func() (ours bool, err error) {
		if conn, err = g.Pool.Acquire(ctx); err != nil {
			return false, err
		}
		if err = conn.QueryRow(ctx, try, what).Scan(&ours); err != nil || !ours {
			conn.Release()
		}
		return ours, err
	})
	return conn, err
}

// insist tries until something is ours, or says that another has it still.
func insist(ctx context.Context, try func() (ours bool, err error)) error {
	for range patience {
		if ours, err := try(); err != nil || ours {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ErrBusy
}

// unlock ends what is done on a connection; where that cannot be done, so does the connection.
func unlock(ctx context.Context, conn *pgxpool.Conn, what int64) {
	defer conn.Release()
	ctx = context.WithoutCancel(ctx)
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_unlock($1)`, what); err != nil {
		_ = conn.Conn().Close(ctx)
	}
}

func (g *Register) bring(ctx context.Context, conn *pgxpool.Conn, f *file, o Order) (Report, error) {
	e, err := g.admit(ctx, conn, f.head, o)
	if err != nil || e.State != Staging {
		return Report{Edition: e, Again: true}, err
	}
	f.madeBy(e.NotAfter) // and not by now: what was cut off is judged on as it was
	first, err := g.first(ctx, conn, &e, f, o)
	if err == nil && !first {
		err = g.stage(ctx, conn, &e, f)
	}
	if err == nil && !first {
		err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return g.settle(ctx, tx, &e, f, o) })
	}
	switch {
	case errors.Is(err, ErrBad):
		if err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return refuse(ctx, tx, &e, f, o.At) }); err != nil {
			return Report{}, err
		}
	case errors.Is(err, ErrShort), errors.Is(err, ErrFile), errors.Is(err, ErrChanged):
		if err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return forget(ctx, tx) }); err != nil {
			return Report{}, err
		}
		return Report{}, err
	}
	return Report{Edition: e, Bad: f.bad}, err
}

// emptied tells of an edition whose rows are staged, or wait, that a crash of the database has lost them. What waits does so for somebody.
const emptied = `CASE state
	WHEN 'waiting' THEN NOT EXISTS (SELECT FROM staged_outcome)
	ELSE announced > rejected AND NOT EXISTS (SELECT FROM ` + staged + `) END`

// admit finds the edition of a file or begins it.
func (g *Register) admit(ctx context.Context, conn *pgxpool.Conn, h head, o Order) (e Edition, err error) {
	const lost = `UPDATE edition SET state = 'staging', staged_bytes = 0 WHERE id = $1 AND ` + emptied
	const resume = `UPDATE edition SET imported_by = $2, client_id = nullif($3, ''), signed = $4 WHERE id = $1`
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := g.hold(ctx, tx, o.By); err != nil {
			return err
		}
		e, err = findEdition(ctx, tx, `checksum = $1 AND state NOT IN ('refused', 'withdrawn')`, h.checksum[:])
		switch {
		case errors.Is(err, ErrNoEdition):
			if err = follows(ctx, tx, h); err == nil {
				e, err = g.begin(ctx, tx, h, o)
			}
		case err == nil && e.State != Applied:
			var tag pgconn.CommandTag
			if tag, err = tx.Exec(ctx, lost, e.ID); err == nil && tag.RowsAffected() > 0 {
				e.State, e.staged = Staging, 0
				err = empty(ctx, tx)
			}
			if err == nil && e.State == Staging {
				_, err = tx.Exec(ctx, resume, e.ID, person(o.By), o.ClientID, g.Key != nil)
			}
		}
		return err
	})
	return e, err
}

// person is who did something; nil for nobody.
func person(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// follows holds that a file is the next one.
func follows(ctx context.Context, tx pgx.Tx, h head) error {
	const waits = `SELECT coalesce(max(number), 0) FROM edition WHERE state = 'waiting'`
	const last = `
		SELECT number, period, max(not_before) OVER ()
		FROM edition WHERE state = 'applied' ORDER BY number DESC LIMIT 1`
	var (
		waiting, number   int
		period, notBefore time.Time
	)
	if err := tx.QueryRow(ctx, waits).Scan(&waiting); err != nil {
		return err
	}
	err := tx.QueryRow(ctx, last).Scan(&number, &period, &notBefore)
	farthest := number + 100
	switch {
	case errors.Is(err, pgx.ErrNoRows): // no number that counts months, or tells them, is greater
		farthest = 100*h.period.Year() + int(h.period.Month())
	case err != nil:
		return err
	}
	switch {
	case h.number < number:
		return ErrOlder
	case h.number == number:
		return ErrOther
	case h.kind == Delta && h.number > max(number, waiting)+1: // whom the one between tells of would be missed: also where that one was refused
		return ErrGap
	case h.number > farthest:
		return ErrFar
	case h.period.Before(period): // a second one of a month corrects the first
		return ErrMonth
	case h.asOf != nil && h.asOf.Before(notBefore):
		return ErrOlder
	case waiting > 0:
		return ErrWaits
	}
	return nil
}

// begin begins an edition. One that was begun and left gives way to it.
func (g *Register) begin(ctx context.Context, tx pgx.Tx, h head, o Order) (Edition, error) {
	const insert = `
		INSERT INTO edition (number, period, as_of, not_before, not_after, kind, state, checksum, signed, announced, imported_by, client_id, began_at)
		VALUES ($1, $2, $3, $4, $5, $6, 'staging', $7, $8, $9, $10, nullif($11, ''), $12)
		RETURNING ` + editionColumns
	if err := forget(ctx, tx); err != nil {
		return Edition{}, err
	}
	notBefore, notAfter := h.made(o.At)
	rows, _ := tx.Query(ctx, insert, h.number, h.period, h.asOf, notBefore, notAfter, h.kind, h.checksum[:], g.Key != nil, h.rows, person(o.By), o.ClientID, o.At)
	return pgx.CollectExactlyOneRow(rows, scanEdition)
}

// empty makes room for another edition's rows: at once, or, while a backup is made (pg_dump holds every table for as long as it takes), row by
// row. Whoever waited for its end would hold up events and desks with it.
func empty(ctx context.Context, tx pgx.Tx) error {
	const (
		cut              = `SET LOCAL lock_timeout = '2s'; TRUNCATE ` + staged + `, staged_outcome; SET LOCAL lock_timeout TO DEFAULT` // autovacuum gives way in one
		remove           = `DELETE FROM ` + staged + `; DELETE FROM staged_outcome`
		lockNotAvailable = "55P03"
	)
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, cut)
		return err
	})
	if wrong := (*pgconn.PgError)(nil); errors.As(err, &wrong) && wrong.Code == lockNotAvailable {
		_, err = tx.Exec(ctx, remove)
	}
	return err
}

// forget leaves nothing of the edition that is staged.
func forget(ctx context.Context, tx pgx.Tx) error {
	const told = `DELETE FROM bad_row WHERE edition_id IN (SELECT id FROM edition WHERE state = 'staging')` // it may have waited
	const begun = `DELETE FROM edition WHERE state = 'staging'`
	for _, statement := range []string{told, begun} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return empty(ctx, tx)
}

// stage copies the good rows beside the register, piece by piece, from where it was left.
func (g *Register) stage(ctx context.Context, conn *pgxpool.Conn, e *Edition, f *file) error {
	const far = `UPDATE edition SET staged_bytes = $2, staged_sum = $3 WHERE id = $1`
	f.pass(e.staged)
	if e.staged > 0 && !bytes.Equal(f.sum.Sum(nil), e.stagedSum) { // it was written to while that was read, before a crash
		return ErrChanged
	}
	for f.err == nil {
		to := min(f.done+cmp.Or(g.piece, piece), f.size)
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if err := f.byLine(to).into(ctx, tx, staged+lines); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, far, e.ID, f.done, f.sum.Sum(nil))
			return err
		})
		if err != nil {
			return err
		}
	}
	if !errors.Is(f.err, io.EOF) {
		return f.err
	}
	return nil
}

// first loads whom the first edition tells of, straight to their place: nobody is known whom it might deactivate. It tells whether it was the first.
func (g *Register) first(ctx context.Context, conn *pgxpool.Conn, e *Edition, f *file, o Order) (first bool, err error) {
	const nobody = `SELECT NOT EXISTS (SELECT FROM person)`
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := g.hold(ctx, tx, o.By); err != nil {
			return err
		}
		if err := changing(ctx, tx); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, nobody).Scan(&first); err != nil || !first {
			return err
		}
		if e.Added, err = g.fill(ctx, tx, e.ID, f, o.At); err != nil {
			return err
		}
		if err := g.judge(e, f); err != nil {
			return err
		}
		if err := keep(ctx, tx, e, f.bad); err != nil {
			return err
		}
		return finish(ctx, tx, e, o.By, o.At)
	})
	return first, err
}

// settle applies an edition that is staged, or has it wait.
func (g *Register) settle(ctx context.Context, tx pgx.Tx, e *Edition, f *file, o Order) error {
	if err := g.hold(ctx, tx, o.By); err != nil {
		return err
	}
	if err := changing(ctx, tx); err != nil {
		return err
	}
	if err := g.judge(e, f); err != nil {
		return err
	}
	waits, err := g.weigh(ctx, tx, e, f, staged, o.At)
	if err != nil {
		return err
	}
	if err := keep(ctx, tx, e, f.bad); err != nil {
		return err
	}
	switch {
	case waits && o.By == uuid.Nil && o.ClientID == "":
		return ErrNobody
	case waits:
		return wait(ctx, tx, e, o)
	}
	return g.apply(ctx, tx, e, o.By, o.At)
}

// apply writes the difference that an edition makes, and says that it is applied.
func (g *Register) apply(ctx context.Context, tx pgx.Tx, e *Edition, by uuid.UUID, at time.Time) error {
	if err := g.write(ctx, tx, e, at); err != nil {
		return err
	}
	if err := unsay(ctx, tx, e, staged); err != nil {
		return err
	}
	return finish(ctx, tx, e, by, at)
}

// weigh compares an edition with what is known, and tells whether it is to wait for another person: it deactivates too many, or leaves too many out.
func (g *Register) weigh(ctx context.Context, tx pgx.Tx, e *Edition, f *file, from string, at time.Time) (waits bool, err error) {
	withheld, err := g.compare(ctx, tx, e, from)
	if err != nil {
		return false, err
	}
	f.withhold(withheld)
	many, err := g.many(ctx, tx, e.Deactivated, at)
	if err != nil || many || g.MissingShare == nil || e.Missing <= 1 {
		return many, err
	}
	return exceeds(ctx, tx, e.Missing, g.MissingShare())
}

// changing keeps events out until the transaction ends. They are short; its own statements are not, and are not to outlast who asked for them.
func changing(ctx context.Context, tx pgx.Tx) error {
	const begin = `SELECT set_config('client_connection_check_interval', $1, true), pg_advisory_xact_lock($2)`
	_, err := tx.Exec(ctx, begin, strconv.FormatInt(watching.Milliseconds(), 10), applying)
	return err
}

// judge counts what was read, and holds that not too much of it is bad. One row always may: of a small edition that is more than any share.
func (g *Register) judge(e *Edition, f *file) error {
	e.Rejected, e.Doubtful = f.rejected, f.doubtful
	e.Same = f.read - f.rejected - e.Added
	if g.RejectedShare != nil && f.rejected > 1 && float64(f.rejected) > g.RejectedShare()*float64(f.rows) {
		return ErrBad
	}
	return nil
}

// many tells whether so many, with those whom editions that nobody released and events have deactivated in the day before, are more people than
// one person may deactivate. One is not: of a small register that is more than any share.
func (g *Register) many(ctx context.Context, tx pgx.Tx, deactivated int64, at time.Time) (many bool, err error) {
	const lately = `
		SELECT (SELECT count(*) FROM person_event WHERE deactivated AND told_at > $1)
		     + (SELECT coalesce(sum(deactivated), 0)::bigint FROM edition WHERE state = 'applied' AND decided_by IS NULL AND applied_at > $1)`
	if g.DeactivatedShare == nil || deactivated == 0 {
		return false, nil
	}
	var before int64
	if err := tx.QueryRow(ctx, lately, at.Add(-24*time.Hour)).Scan(&before); err != nil || deactivated+before == 1 {
		return false, err
	}
	return exceeds(ctx, tx, deactivated+before, g.DeactivatedShare())
}

// exceeds tells whether so many are more than a share of the people.
func exceeds(ctx context.Context, tx pgx.Tx, many int64, share float64) (exceeds bool, err error) {
	// Nobody is ever taken out of the register but who was another one: whom editions have added need not be counted again.
	const fewer = `
		SELECT (SELECT coalesce(sum(added), 0) FROM edition WHERE state = 'applied') - (SELECT count(joined) FROM person_event WHERE joined IS NOT NULL) < $1
		   AND (SELECT count(*) < $1 FROM (SELECT FROM person LIMIT $1) AS so_many)`
	const all = 1 << 40 // of mankind, where the share is nought
	err = tx.QueryRow(ctx, fewer, int64(math.Ceil(min(float64(many)/share, all)))).Scan(&exceeds)
	return exceeds, err
}

// keep keeps which rows were bad, and which are withheld now.
func keep(ctx context.Context, tx pgx.Tx, e *Edition, rows []BadRow) error {
	const over = `DELETE FROM bad_row WHERE edition_id = $1 AND reason = ANY ($2)`
	// Those of a file that is read again, because a crash has emptied what was staged, are there already.
	const insert = `
		INSERT INTO bad_row (edition_id, line, column_name, reason, taken) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT DO NOTHING`
	var b pgx.Batch
	b.Queue(over, e.ID, []string{laterEvent, takenBack, formerNumber})
	for _, row := range rows {
		b.Queue(insert, e.ID, row.Line, row.Column, row.Reason, row.Taken)
	}
	return tx.SendBatch(ctx, &b).Close()
}

// put writes an edition as it is now.
func put(ctx context.Context, tx pgx.Tx, e *Edition) error {
	const update = `
		UPDATE edition
		SET state = $2, added = $3, changed = $4, same = $5, rejected = $6, doubtful = $7, deactivated = $8, restored = $9, missing = $10,
		    withheld = $11, decided_by = $12, decided_at = $13, applied_at = $14
		WHERE id = $1`
	_, err := tx.Exec(ctx, update, e.ID, e.State, e.Added, e.Changed, e.Same, e.Rejected, e.Doubtful, e.Deactivated, e.Restored, e.Missing,
		e.Withheld, e.DecidedBy, e.DecidedAt, e.AppliedAt)
	return err
}

// wait has an edition wait for another person.
func wait(ctx context.Context, tx pgx.Tx, e *Edition, o Order) error {
	const outcome = `
		INSERT INTO staged_outcome (outcome, person_id)
		SELECT CASE WHEN identification_number IS NULL THEN 'missing' ELSE 'deactivated' END, id FROM difference
		WHERE id IS NOT NULL AND (identification_number IS NULL AND why IS NULL OR gone AND NOT was_gone)`
	e.State = Waiting
	if err := put(ctx, tx, e); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, outcome); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.EditionWaits, At: o.At, Edition: e.ID, Clerk: o.By, ClientID: o.ClientID,
		Detail: map[string]string{"people": strconv.FormatInt(e.Deactivated, 10), "missing": strconv.FormatInt(e.Missing, 10)},
	})
}

// finish says that an edition is applied.
func finish(ctx context.Context, tx pgx.Tx, e *Edition, by uuid.UUID, at time.Time) error {
	e.State, e.AppliedAt = Applied, &at
	if err := put(ctx, tx, e); err != nil {
		return err
	}
	if err := empty(ctx, tx); err != nil {
		return err
	}
	events := []audit.Event{{Kind: audit.EditionApplied, At: at, Edition: e.ID, Clerk: by}}
	if e.Missing > 0 {
		events = append(events, audit.Event{
			Kind: audit.PeopleMissing, At: at, Edition: e.ID, Detail: map[string]string{"people": strconv.FormatInt(e.Missing, 10)},
		})
	}
	return audit.Record(ctx, tx, events...)
}

// refuse ends an edition of which too much is bad. What was wrong with it stays on record.
func refuse(ctx context.Context, tx pgx.Tx, e *Edition, f *file, at time.Time) error {
	e.State, e.Added, e.Same, e.DecidedAt = Refused, 0, 0, &at
	if err := keep(ctx, tx, e, f.bad); err != nil {
		return err
	}
	if err := put(ctx, tx, e); err != nil {
		return err
	}
	if err := empty(ctx, tx); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Event{Kind: audit.EditionRefused, At: at, Edition: e.ID})
}
