package migrations

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Apart gives a role the tables of idp, all but the audit's: there it may add,
// give places, and read, while changing and taking out stay with the role of the
// pool, which owns the tables and must be a member of the other. Who has broken
// into the program can then give a place that is none, which a verification
// tells, but neither change nor take out what was recorded.
func Apart(ctx context.Context, pool *pgxpool.Pool, role string) error {
	const audit = `
		SELECT relid::oid FROM pg_partition_tree('event')
		UNION ALL
		SELECT unnest(ARRAY['event_head', 'event_base', 'audit_root']::regclass[])::oid`
	const others = `
		SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND pg_get_userbyid(c.relowner) = current_user
		AND c.oid NOT IN (` + audit + `)`

	to := pgx.Identifier{role}.Sanitize()
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, others)
		tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		var statements []string
		for _, table := range tables {
			statements = append(statements, `ALTER TABLE `+pgx.Identifier{table}.Sanitize()+` OWNER TO `+to)
		}
		for _, statement := range append(statements,
			`GRANT SELECT, UPDATE (place, link) ON event TO `+to,
			`GRANT INSERT (id, at, kind, person_id, clerk_id, office, client_id, sid, gid, acr, agent, edition, detail) ON event TO `+to,
			`GRANT SELECT, UPDATE ON event_head TO `+to,
			`GRANT SELECT ON event_base TO `+to,
			`GRANT SELECT, INSERT ON audit_root TO `+to,
		) {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("set the audit apart from %s: %w", role, err)
	}
	return nil
}
