package register

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/jackc/pgx/v5/pgconn"

	"asoba.example/provider/bulk"
)

// fill is the first load.
func (g *Register) fill(ctx context.Context, tx pgx.Tx, edition int64, f *file, at time.Time) (added int64, err error) {
	const incapable = `UPDATE person SET deactivated_for = 'incapable' WHERE incapable_date IS NOT NULL`
	const analyze = `ANALYZE person (changed_in)` // or whoever reads them by pages sorts all that remain for each
	err = bulk.Fill(ctx, tx, "person", func() error {
		return f.asPeople(edition, at).into(ctx, tx, `person (id, changed_in, `+rowColumns+`)`)
	})
	if err == nil && g.deactivatesIncapable() {
		_, err = tx.Exec(ctx, incapable)
	}
	if err == nil {
		_, err = tx.Exec(ctx, analyze)
	}
	return f.read - f.rejected, err
}

func (g *Register) deactivatesIncapable() bool {
	return g.DeactivateIncapable != nil && g.DeactivateIncapable()
}

// write writes the difference.
func (g *Register) write(ctx context.Context, tx pgx.Tx, e *Edition, at time.Time) error {
	gone, restored, incapable, err := turned(ctx, tx)
	if err != nil {
		return err
	}
	for _, write := range []func(context.Context, pgx.Tx, *Edition, time.Time) error{history, change, add, miss} {
		if err := write(ctx, tx, e, at); err != nil {
			return err
		}
	}
	if err := call(ctx, tx, g.Cascade, gone, at); err != nil {
		return err
	}
	if err := call(ctx, tx, g.Incapable, incapable, at); err != nil {
		return err
	}
	return call(ctx, tx, g.Restored, restored, at)
}

// turned locks and gives those known people who become gone, those who are found alive, and those who stay and become incapable.
func turned(ctx context.Context, tx pgx.Tx) (gone, restored, incapable []uuid.UUID, err error) {
	const find = `
		SELECT id FROM difference
		WHERE id IS NOT NULL AND identification_number IS NOT NULL AND gone = $1 AND was_gone = NOT $1`
	const found = `
		SELECT id FROM difference
		WHERE id IS NOT NULL AND identification_number IS NOT NULL AND incapable_date IS NOT NULL AND NOT was_incapable AND NOT gone`
	const lock = `SELECT FROM person WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE`
	if gone, err = ids(ctx, tx, find, true); err != nil {
		return nil, nil, nil, err
	}
	if restored, err = ids(ctx, tx, find, false); err != nil {
		return nil, nil, nil, err
	}
	if incapable, err = ids(ctx, tx, found); err != nil {
		return nil, nil, nil, err
	}
	_, err = tx.Exec(ctx, lock, slices.Concat(gone, restored, incapable))
	return gone, restored, incapable, err
}

func ids(ctx context.Context, tx pgx.Tx, query string, args ...any) ([]uuid.UUID, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

// change writes those who differ, and only them: a row that stays as it is is neither locked nor logged. Each is where the comparison has seen it,
// since nobody else changes people meanwhile; PostgreSQL would rather read everybody once more than go there.
func change(ctx context.Context, tx pgx.Tx, e *Edition, _ time.Time) error {
	const update = `
		UPDATE person p SET
			` + asTold + `,
			changed_in = $1
		FROM difference s
		WHERE p.ctid = s.place AND p.id = s.id AND s.identification_number IS NOT NULL`
	const join = `SELECT set_config('enable_hashjoin', $1, true), set_config('enable_mergejoin', $1, true)`
	var (
		b       pgx.Batch
		changed int64
	)
	b.Queue(join, "off")
	b.Queue(update, e.ID).Exec(func(tag pgconn.CommandTag) error { changed = tag.RowsAffected(); return nil })
	b.Queue(join, "on")
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return err
	}
	if changed != e.Changed {
		return fmt.Errorf("%d people were changed, and not %d", changed, e.Changed)
	}
	return nil
}

// add writes those who are new. Their ids are of version 7 (RFC 9562 §5.7), as those of everybody.
func add(ctx context.Context, tx pgx.Tx, e *Edition, at time.Time) error {
	const insert = `
		INSERT INTO person (id, changed_in, deactivated_for, ` + rowColumns + `)
		SELECT (left(ms, 8) || '-' || right(ms, 4) || '-7' || substr(gen_random_uuid()::text, 16))::uuid, $1, deactivated_for, ` + rowColumns + `
		FROM difference, LATERAL (SELECT lpad(to_hex($2::bigint), 12, '0')) AS now (ms)
		WHERE id IS NULL`
	_, err := tx.Exec(ctx, insert, e.ID, at.UnixMilli())
	return err
}

// miss keeps of whom a full edition does not tell, those too who are not missing: it cannot have known them.
func miss(ctx context.Context, tx pgx.Tx, e *Edition, _ time.Time) error {
	const insert = `
		INSERT INTO missing_person (edition_id, person_id, overtaken)
		SELECT $1, id, why IS NOT NULL FROM difference WHERE identification_number IS NULL`
	_, err := tx.Exec(ctx, insert, e.ID)
	return err
}

func call(ctx context.Context, tx pgx.Tx, act func(context.Context, pgx.Tx, []uuid.UUID, time.Time) error,
	people []uuid.UUID, at time.Time,
) error {
	if act == nil || len(people) == 0 {
		return nil
	}
	return act(ctx, tx, people, at)
}
