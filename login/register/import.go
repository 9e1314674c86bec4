package register

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// Why an edition is refused as a whole.
var (
	ErrOlder = errors.New("a later edition was applied already")
	ErrOther = errors.New("this edition was applied already, from another file")
)

// An Edition is what an import did.
type Edition struct {
	ID        int64
	Number    int
	Period    time.Time // the first day of the month
	Added     int64
	Changed   int64
	Same      int64
	Rejected  int64
	AppliedAt time.Time
	Again     bool // this very file was applied before: nothing was written now
}

// Import applies one edition, in one transaction. Bad rows are told and the rest
// applied; the same file twice changes and writes nothing. Progress is told in
// bytes read; the end of the file is about half of the work.
func (g *Register) Import(ctx context.Context, in io.ReadSeeker, at time.Time,
	progress func(done, total int64), bad func(BadRow),
) (Edition, error) {
	f, err := open(in)
	if err != nil {
		return Edition{}, err
	}
	f.progress, f.bad = progress, bad
	var e Edition
	err = pgx.BeginFunc(ctx, g.Pool, func(tx pgx.Tx) error {
		if e, err = admit(ctx, tx, f.head, at); err != nil || e.Again {
			return err
		}
		f.edition = e.ID
		if err := g.apply(ctx, tx, &e, f); err != nil {
			return err
		}
		const count = `UPDATE edition SET added = $2, changed = $3, rejected = $4 WHERE id = $1`
		if _, err := tx.Exec(ctx, count, e.ID, e.Added, e.Changed, e.Rejected); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Event{Kind: audit.EditionApplied, At: at, Edition: e.ID})
	})
	if err != nil {
		return Edition{}, fmt.Errorf("import edition %d: %w", f.number, err)
	}
	return e, nil
}

// admit begins the edition, or finds that this file needs no other.
func admit(ctx context.Context, tx pgx.Tx, h head, at time.Time) (Edition, error) {
	// One import at a time; readers are not in the way.
	if _, err := tx.Exec(ctx, `LOCK TABLE edition IN SHARE ROW EXCLUSIVE MODE`); err != nil {
		return Edition{}, err
	}
	const find = `
		SELECT id, number, period, added, changed, rejected, applied_at
		FROM edition WHERE checksum = $1`
	e := Edition{Again: true}
	err := tx.QueryRow(ctx, find, h.checksum[:]).
		Scan(&e.ID, &e.Number, &e.Period, &e.Added, &e.Changed, &e.Rejected, &e.AppliedAt)
	if !errors.Is(err, pgx.ErrNoRows) {
		return e, err
	}
	const last = `SELECT coalesce(max(number), 0) FROM edition`
	var number int
	if err := tx.QueryRow(ctx, last).Scan(&number); err != nil {
		return Edition{}, err
	}
	switch {
	case h.number == number:
		return Edition{}, ErrOther
	case h.number < number:
		return Edition{}, ErrOlder
	}
	const insert = `
		INSERT INTO edition (number, period, checksum, added, changed, rejected, applied_at)
		VALUES ($1, $2, $3, 0, 0, 0, $4)
		RETURNING id`
	e = Edition{Number: h.number, Period: h.period, AppliedAt: at}
	err = tx.QueryRow(ctx, insert, h.number, h.period, h.checksum[:], at).Scan(&e.ID)
	return e, err
}

// apply writes what the file says and is not known.
func (g *Register) apply(ctx context.Context, tx pgx.Tx, e *Edition, f *file) error {
	var nobody bool
	if err := tx.QueryRow(ctx, `SELECT NOT EXISTS (SELECT FROM person)`).Scan(&nobody); err != nil {
		return err
	}
	var err error
	if nobody { // nothing to compare with
		e.Added, err = fill(ctx, tx, f)
	} else {
		err = g.merge(ctx, tx, e, f)
	}
	e.Rejected = f.rejected
	e.Same = f.read - e.Added - e.Changed - e.Rejected
	return err
}

// fill is the first load. The indexes that would be filled in no order are left
// out meanwhile: building them at the end takes a fifth of the time.
func fill(ctx context.Context, tx pgx.Tx, f *file) (int64, error) {
	const leave = `
		ALTER TABLE person DROP CONSTRAINT person_identification_number_once;
		DROP INDEX person_changed_in`
	const build = `
		ALTER TABLE person ADD CONSTRAINT person_identification_number_once UNIQUE (identification_number);
		CREATE INDEX person_changed_in ON person (changed_in, id)`
	if _, err := tx.Exec(ctx, leave); err != nil {
		return 0, err
	}
	added, err := f.copyTo(ctx, tx, "person")
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, build)
	return added, err
}

// merge goes through a table of this transaction, which is neither logged nor seen by others.
func (g *Register) merge(ctx context.Context, tx pgx.Tx, e *Edition, f *file) error {
	const create = `
		SET LOCAL work_mem = '256MB'; -- so that the joins hold an edition in memory
		CREATE TEMPORARY TABLE staged (LIKE person) ON COMMIT DROP`
	if _, err := tx.Exec(ctx, create); err != nil {
		return err
	}
	if _, err := f.copyTo(ctx, tx, "staged"); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `ANALYZE staged`); err != nil {
		return err
	}
	gone, restored, err := turned(ctx, tx)
	if err != nil {
		return err
	}
	if e.Changed, err = change(ctx, tx); err != nil {
		return err
	}
	if e.Added, err = add(ctx, tx); err != nil {
		return err
	}
	if err := call(ctx, tx, g.Cascade, gone, e.AppliedAt); err != nil {
		return err
	}
	return call(ctx, tx, g.Restored, restored, e.AppliedAt)
}

// turned locks and gives those known people who become gone by what is staged,
// and those who are found alive.
func turned(ctx context.Context, tx pgx.Tx) (gone, restored []uuid.UUID, err error) {
	const toGone = `
		SELECT p.id
		FROM staged s JOIN person p USING (identification_number)
		WHERE coalesce(s.death_date, s.declared_dead_date, s.missing_date) IS NOT NULL
		  AND coalesce(p.death_date, p.declared_dead_date, p.missing_date) IS NULL
		ORDER BY p.id
		FOR NO KEY UPDATE OF p`
	const toAlive = `
		SELECT p.id
		FROM person p JOIN staged s USING (identification_number)
		WHERE coalesce(p.death_date, p.declared_dead_date, p.missing_date) IS NOT NULL
		  AND coalesce(s.death_date, s.declared_dead_date, s.missing_date) IS NULL
		ORDER BY p.id
		FOR NO KEY UPDATE OF p`
	if gone, err = ids(ctx, tx, toGone); err != nil {
		return nil, nil, err
	}
	restored, err = ids(ctx, tx, toAlive)
	return gone, restored, err
}

func ids(ctx context.Context, tx pgx.Tx, query string) ([]uuid.UUID, error) {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

// change writes what differs, and only that: the comparison is part of the
// join, so a row that stays as it is is neither locked nor logged. (ON CONFLICT
// DO UPDATE … WHERE would do both.)
func change(ctx context.Context, tx pgx.Tx) (int64, error) {
	const update = `
		UPDATE person p SET
			sex = s.sex, birth_date = s.birth_date, citizenship = s.citizenship,
			death_date = s.death_date, death_act = s.death_act,
			declared_dead_date = s.declared_dead_date, declared_dead_act = s.declared_dead_act,
			missing_date = s.missing_date, missing_act = s.missing_act,
			incapable_date = s.incapable_date, incapable_act = s.incapable_act,
			limited_date = s.limited_date, limited_act = s.limited_act,
			changed_in = s.changed_in
		FROM staged s
		WHERE p.identification_number = s.identification_number
		  AND (p.sex, p.birth_date, p.citizenship, p.death_date, p.death_act, p.declared_dead_date, p.declared_dead_act,
		       p.missing_date, p.missing_act, p.incapable_date, p.incapable_act, p.limited_date, p.limited_act)
		      IS DISTINCT FROM
		      (s.sex, s.birth_date, s.citizenship, s.death_date, s.death_act, s.declared_dead_date, s.declared_dead_act,
		       s.missing_date, s.missing_act, s.incapable_date, s.incapable_act, s.limited_date, s.limited_act)`
	tag, err := tx.Exec(ctx, update)
	return tag.RowsAffected(), err
}

func add(ctx context.Context, tx pgx.Tx) (int64, error) {
	const insert = `
		INSERT INTO person (` + copied + `)
		SELECT ` + copied + `
		FROM staged s
		WHERE NOT EXISTS (SELECT FROM person p WHERE p.identification_number = s.identification_number)`
	tag, err := tx.Exec(ctx, insert)
	return tag.RowsAffected(), err
}

func call(ctx context.Context, tx pgx.Tx, act func(context.Context, pgx.Tx, []uuid.UUID, time.Time) error,
	people []uuid.UUID, at time.Time,
) error {
	if act == nil || len(people) == 0 {
		return nil
	}
	return act(ctx, tx, people, at)
}
