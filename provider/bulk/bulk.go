// Package bulk fills a table that is empty with rows by the million.
//
// To keep its indexes row by row costs the database three times what to build them at the end does. They are left out meanwhile, and with them what
// other tables refer to, which to them that are filled after it is nothing yet.
package bulk

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Fill has a table, which the role owns, filled without its indexes, and builds them. Nobody else is at it, nor at a table that refers to it,
// until the transaction ends; Fill waits for whoever is.
func Fill(ctx context.Context, tx pgx.Tx, table string, fill func() error) error {
	const find = `
		SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
		       format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)),
		       contype = 'f' AS refers
		FROM pg_constraint
		WHERE conrelid = $1::regclass AND contype IN ('p', 'u') OR confrelid = $1::regclass AND contype = 'f'
		UNION ALL
		SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid), false
		FROM pg_index
		WHERE indrelid = $1::regclass AND indexrelid NOT IN (SELECT conindid FROM pg_constraint)
		ORDER BY refers DESC`

	if err := alone(ctx, tx, table); err != nil {
		return err
	}
	type part struct {
		Drop, Build string
		Refers      bool
	}
	rows, _ := tx.Query(ctx, find, table)
	parts, err := pgx.CollectRows(rows, pgx.RowToStructByPos[part])
	if err != nil {
		return err
	}
	for _, p := range parts {
		if _, err := tx.Exec(ctx, p.Drop); err != nil {
			return err
		}
	}
	if err := fill(); err != nil {
		return err
	}
	for _, p := range slices.Backward(parts) {
		if _, err := tx.Exec(ctx, p.Build); err != nil {
			return err
		}
	}
	return nil
}

// alone has us be alone at a table and at those that refer to it: at all of them, or, while anybody is at one yet, at none. Others come from it to
// those, or from those to it, and whoever writes what refers does: whichever we held first, one of them and we would wait for each other.
func alone(ctx context.Context, tx pgx.Tx, table string) error {
	const find = `
		SELECT 'LOCK TABLE ' || string_agg(of::text, ', ')
		FROM (SELECT $1::regclass UNION SELECT conrelid::regclass FROM pg_constraint WHERE confrelid = $1::regclass AND contype = 'f') AS refers (of)`
	const lockNotAvailable = "55P03"

	var lock string
	if err := tx.QueryRow(ctx, find, table).Scan(&lock); err != nil {
		return err
	}
	for {
		err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { // a savepoint, by which what is held is let go
			_, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '100ms'; `+lock+`; SET LOCAL lock_timeout TO DEFAULT`)
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
