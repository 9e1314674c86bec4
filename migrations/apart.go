package migrations

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Apart gives a role the tables of a schema, all but those of the record: the audit of idp, the journal of the cabinet. There it may add, give
// places, and read, while changing and taking out stay with the role of the pool, which owns the tables and must be a member of the other. Who
// has broken into the program can then give a place that is none, which a verification tells, but neither change nor take out what was recorded.
func Apart(ctx context.Context, pool *pgxpool.Pool, schema Schema, role string) error {
	record := map[Schema]struct {
		tables string   // the oids of those
		rights []string // on them, each to be ended by the role
	}{
		IDP: {
			`SELECT relid::oid FROM pg_partition_tree('event')
			UNION ALL
			SELECT unnest(ARRAY['event_head', 'event_base', 'audit_root']::regclass[])::oid`,
			[]string{
				`GRANT SELECT, UPDATE (place, link) ON event TO `,
				`GRANT INSERT (id, at, kind, person_id, clerk_id, office, client_id, sid, gid, acr, agent, edition, detail) ON event TO `,
				`GRANT SELECT, UPDATE ON event_head TO `,
				`GRANT SELECT ON event_base TO `,
				`GRANT SELECT, INSERT ON audit_root TO `,
			},
		},
		Cabinet: {
			`SELECT relid::oid FROM pg_partition_tree('journal')
			UNION ALL
			SELECT unnest(ARRAY['journal_head', 'journal_root', 'report']::regclass[])::oid`,
			[]string{
				`GRANT SELECT, UPDATE (place, link) ON journal TO `,
				`GRANT INSERT (id, person_id, at, kind, actor, client_id, office, acr, agent, detail, place, link) ON journal TO `,
				`GRANT SELECT, INSERT, UPDATE ON journal_head TO `,
				`GRANT SELECT, INSERT ON journal_root, report TO `,
				`GRANT EXECUTE ON FUNCTION journal_make_months TO `,
			},
		},
	}[schema]
	others := `
		SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND pg_get_userbyid(c.relowner) = current_user
		AND c.oid NOT IN (` + record.tables + `)`

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
		for _, right := range record.rights {
			statements = append(statements, right+to)
		}
		for _, statement := range statements {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("set the record apart from %s: %w", role, err)
	}
	return nil
}
