package journal

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Names are what an e-service is called, by language; "" is the name for all others.
type Names map[string]string

// In gives the name in a language, "" if there is none at all.
func (n Names) In(language string) string {
	for _, l := range []string{language, "", "ru", "be", "en"} {
		if name := n[l]; name != "" {
			return name
		}
	}
	return ""
}

// Name keeps what e-services are called, by client id; entries show what was said last.
func Name(ctx context.Context, tx pgx.Tx, names map[string]Names) error {
	const name = `
		INSERT INTO client (id, name)
		SELECT id, name FROM unnest($1::text[], $2::jsonb[]) AS c (id, name)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE client.name IS DISTINCT FROM excluded.name`
	var (
		ids  []string
		said []Names
	)
	for id, n := range names {
		if len(n) > 0 {
			ids, said = append(ids, id), append(said, n)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, name, ids, said); err != nil {
		return fmt.Errorf("name e-services: %w", err)
	}
	return nil
}
